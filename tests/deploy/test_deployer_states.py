"""What does the deployer do in states that no emulator reaches: pages, races with others, half-done and unreadable stacks?

CloudFormation is played here by a script: it answers what a test says, and keeps what it was asked to change.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from landbridge.deploy.aws import guard
from landbridge.deploy.aws.account import Account
from landbridge.deploy.aws.applying import Applied, Moved, apply
from landbridge.deploy.aws.changes import Change, changed_parameters, read_changes
from landbridge.deploy.aws.destroying import Demolition, destroy, survey
from landbridge.deploy.aws.events import root_cause, wait
from landbridge.deploy.aws.guard import GUARDED
from landbridge.deploy.aws.planning import Shown, Unchanged, plan
from landbridge.deploy.aws.reading import read
from landbridge.deploy.aws.standing import Standing, look
from landbridge.deploy.stack import Stack
from landbridge.errors import NotPermitted, StackFailed, UsageError
from tests.deploy.small import Ear

_ARN = "arn:aws:cloudformation:eu-west-2:123456789012:stack/s/1"
_SET: dict[str, Any] = {
    "ChangeSetId": "arn:aws:cloudformation:eu-west-2:123456789012:changeSet/landbridge-1/2",
    "Status": "CREATE_COMPLETE",
    "ExecutionStatus": "AVAILABLE",
    "Changes": [],
}
STACK = Stack("storage", "s", "Resources: {}", {}, tags={"service": "reports"})


def _error(code: str, message: str = "") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Asked")


def _change(name: str, action: str, kind: str = "AWS::S3::Bucket") -> dict[str, Any]:
    return {"ResourceChange": {"Action": action, "LogicalResourceId": name, "ResourceType": kind}}


def _event(
    number: int, name: str, status: str, reason: str = "", kind: str = "AWS::S3::Bucket"
) -> dict[str, Any]:
    whole = kind == "AWS::CloudFormation::Stack"
    return {
        "EventId": f"{number}", "StackId": _ARN, "LogicalResourceId": name, "ResourceType": kind,
        "PhysicalResourceId": _ARN if whole else name, "ResourceStatus": status, "ResourceStatusReason": reason,
    }  # fmt: skip


@dataclass
class Cloud:
    """Plays CloudFormation and S3: each answer list is used up in turn, its last one for ever."""

    stacks: list[Any] = field(default_factory=lambda: [{}])
    sets: list[Any] = field(default_factory=lambda: [_SET])
    events: list[Any] = field(default_factory=lambda: [{"StackEvents": []}])
    template: Any = "Resources: {}"
    resources: list[dict[str, Any]] = field(default_factory=list)
    versions: dict[str, Any] | Exception = field(default_factory=dict)
    refused: dict[str, Exception] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    """What was asked to change, in order."""
    asked: list[dict[str, Any]] = field(default_factory=list)
    """With which words."""
    pauses: list[float] = field(default_factory=list)

    def account(self) -> Account:
        me = cast("Any", self)
        return Account("123456789012", cloudformation=me, sts=me, s3=me, pause=self.pauses.append)

    @staticmethod
    def _next(answers: list[Any]) -> Any:
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def describe_stacks(self, **_: Any) -> Any:
        found = self._next(self.stacks)
        base = {"StackName": "s", "StackId": _ARN, "CreationTime": "then"}
        return {"Stacks": [base | found] if found else []}

    def describe_change_set(self, **words: Any) -> Any:
        if "NextToken" in words:
            assert words["NextToken"] == "more"
        return dict(self._next(self.sets))

    def describe_stack_events(self, **_: Any) -> Any:
        return self._next(self.events)

    def get_template(self, **_: Any) -> Any:
        return {"TemplateBody": self.template}

    def get_paginator(self, _: str) -> Any:
        return self

    def paginate(self, **_: Any) -> Any:
        return [{"StackResourceSummaries": [one]} for one in self.resources]

    def list_object_versions(self, **_: Any) -> Any:
        if isinstance(self.versions, Exception):
            raise self.versions
        return self.versions

    def __getattr__(self, call: str) -> Any:
        def changed(**words: Any) -> dict[str, Any]:
            self.done.append(call)
            self.asked.append(words)
            if call in self.refused:
                raise self.refused[call]
            return {}

        return changed


def _applied(cloud: Cloud, *named: str) -> Any:
    step = plan(cloud.account(), [STACK], Ear())[0]
    return apply(cloud.account(), [STACK], {"s": step.digest}, named, Ear())


THERE: dict[str, Any] = {"StackStatus": "UPDATE_COMPLETE", "EnableTerminationProtection": True}


def test_a_change_set_of_several_pages_is_shown_and_guarded_as_a_whole() -> None:
    first = _SET | {"Changes": [_change("Topic", "Modify", "AWS::SNS::Topic")], "NextToken": "more"}
    second = _SET | {"Changes": [_change("Bucket", "Remove")]}
    cloud = Cloud(stacks=[THERE], sets=[first, second, first, second])
    step = plan(cloud.account(), [STACK], Ear())[0]
    assert isinstance(step, Shown)
    assert [change.logical_id for change in step.change_set.changes] == ["Bucket", "Topic"]
    with pytest.raises(UsageError, match="hard to get back"):
        apply(cloud.account(), [STACK], {"s": step.digest}, (), Ear())
    assert cloud.done == []


@pytest.mark.parametrize(
    "reason", ["The submitted information didn't contain changes. Submit different", "No updates are to be performed."]
)  # fmt: skip
def test_a_change_set_without_changes_is_none_and_is_not_left_behind(reason: str) -> None:
    cloud = Cloud(
        stacks=[THERE],
        sets=[_error("ChangeSetNotFound"), _SET | {"Status": "FAILED", "StatusReason": reason}],
    )
    assert isinstance(plan(cloud.account(), [STACK], Ear())[0], Unchanged)
    assert cloud.done == ["create_change_set", "delete_change_set"]


def test_a_change_set_that_cannot_be_worked_out_says_why_and_is_not_left_behind() -> None:
    failed = _SET | {"Status": "FAILED", "StatusReason": "Template error"}
    cloud = Cloud(stacks=[THERE], sets=[_error("ChangeSetNotFound"), failed])
    with pytest.raises(StackFailed) as told:
        plan(cloud.account(), [STACK], Ear())
    assert told.value.seen == "Template error"
    assert cloud.done == ["create_change_set", "delete_change_set"]


@pytest.mark.parametrize("state", ["OBSOLETE", "EXECUTE_FAILED", "UNAVAILABLE"])
def test_a_change_set_that_can_no_longer_be_executed_is_made_anew(state: str) -> None:
    cloud = Cloud(stacks=[THERE], sets=[_SET | {"ExecutionStatus": state}, _SET])
    assert isinstance(plan(cloud.account(), [STACK], Ear())[0], Shown)
    assert cloud.done == ["delete_change_set", "create_change_set"]


def test_a_change_set_is_awaited_with_growing_pauses_and_one_that_is_taken_away_is_told() -> None:
    waiting = _SET | {"Status": "CREATE_IN_PROGRESS", "ExecutionStatus": "UNAVAILABLE"}
    cloud = Cloud(stacks=[THERE], sets=[waiting] * 20 + [_SET])
    assert isinstance(plan(cloud.account(), [STACK], Ear())[0], Shown)
    assert cloud.done == []
    assert cloud.pauses == sorted(cloud.pauses)
    assert (cloud.pauses[0], cloud.pauses[-1]) == (0.5, 5.0)
    cloud = Cloud(stacks=[THERE], sets=[waiting, _error("ChangeSetNotFound")])
    with pytest.raises(StackFailed, match="deleted by somebody else"):
        plan(cloud.account(), [STACK], Ear())


def test_a_change_set_that_somebody_made_a_moment_ago_is_taken() -> None:
    cloud = Cloud(
        stacks=[THERE],
        sets=[_error("ValidationError", "Stack [s] does not exist"), _SET],
        refused={"create_change_set": _error("AlreadyExistsException")},
    )
    assert isinstance(plan(cloud.account(), [STACK], Ear())[0], Shown)


def test_an_answer_that_says_something_else_with_a_known_code_is_told() -> None:
    odd = _error("ValidationError", "1 validation error detected")
    with pytest.raises(UsageError, match="looking at s failed"):
        look(Cloud(stacks=[odd]).account(), "s")
    with pytest.raises(UsageError, match="reading the change set of s failed"):
        plan(Cloud(stacks=[THERE], sets=[odd]).account(), [STACK], Ear())
    assert look(
        Cloud(stacks=[_error("ValidationError", "Stack s does not exist")]).account(), "s"
    ) == Standing("s")
    assert look(Cloud().account(), "s").condition == "absent"


def test_a_stack_that_only_a_person_can_lead_on_is_left_alone() -> None:
    cloud = Cloud(stacks=[{"StackStatus": "UPDATE_ROLLBACK_FAILED", "StackStatusReason": "stuck"}])
    with pytest.raises(StackFailed, match="s failed at s") as told:
        plan(cloud.account(), [STACK], Ear())
    assert "continue-update-rollback" in told.value.hint
    assert cloud.done == []


def test_an_execution_keeps_no_new_bucket_of_a_failure_and_protects_the_stack_once() -> None:
    bare = THERE | {"EnableTerminationProtection": False}
    cloud = Cloud(stacks=[bare], sets=[_SET | {"Changes": [_change("Topic", "Add", "AWS::SNS::Topic")]}])
    assert isinstance(_applied(cloud), Applied)
    assert cloud.done == ["execute_change_set", "update_termination_protection"]
    assert cloud.asked[0]["RetainExceptOnCreate"] is True
    assert cloud.asked[0]["ChangeSetName"] == _SET["ChangeSetId"]
    assert cloud.asked[1] == {"StackName": "s", "EnableTerminationProtection": True}
    cloud = Cloud(stacks=[THERE], refused={"execute_change_set": _error("InvalidChangeSetStatus")})
    assert isinstance(_applied(cloud), Applied), "the same change set is being executed by somebody"
    assert cloud.done == ["execute_change_set"]


def test_an_execution_that_rolled_back_is_no_success() -> None:
    events = [
        {"StackEvents": [_event(9, "s", "UPDATE_ROLLBACK_COMPLETE", kind="AWS::CloudFormation::Stack"),
                         _event(8, "Bucket", "UPDATE_FAILED", "denied")], "NextToken": "more"},
        {"StackEvents": [_event(7, "s", "UPDATE_IN_PROGRESS", kind="AWS::CloudFormation::Stack"),
                         _event(6, "Older", "UPDATE_FAILED", "of an operation before")]},
    ]  # fmt: skip
    cloud = Cloud(stacks=[THERE, THERE, {"StackStatus": "UPDATE_ROLLBACK_COMPLETE"}], events=events * 3)
    with pytest.raises(StackFailed) as told:
        _applied(cloud)
    assert (told.value.what, told.value.seen) == ("s failed at Bucket (AWS::S3::Bucket)", "denied")
    assert cloud.done == ["execute_change_set"]


def test_what_is_awaited_is_told_once_and_asked_for_at_bounded_intervals() -> None:
    busy = {"StackStatus": "UPDATE_IN_PROGRESS"}
    one = {"StackEvents": [_event(2, "Bucket", "UPDATE_COMPLETE"), _event(1, "s", "UPDATE_IN_PROGRESS", kind="AWS::CloudFormation::Stack")]}  # fmt: skip
    cloud, ear = Cloud(stacks=[busy] * 20 + [THERE], events=[one]), Ear()
    assert wait(cloud.account(), Standing("s"), ear).status == "UPDATE_COMPLETE"
    assert [note.what for note in ear.notes] == ["event", "ends"]
    assert cloud.pauses == sorted(cloud.pauses)
    assert (cloud.pauses[0], cloud.pauses[-1]) == (1.0, 5.0)


def test_a_finding_that_is_no_event_is_asked_for_and_may_be_refused() -> None:
    said = {
        "StackEvents": [_event(1, "s", "CREATE_FAILED", "see DescribeEvents", "AWS::CloudFormation::Stack")]
    }
    found = {"OperationEvents": [
        {"EventType": "STACK_EVENT", "LogicalResourceId": "Other"},
        {"EventType": "VALIDATION_ERROR", "LogicalResourceId": "Bucket", "ValidationStatusReason": "no such key"},
    ]}  # fmt: skip

    class Finding(Cloud):
        def describe_events(self, **_: Any) -> Any:
            return found

    cause = root_cause(Finding(events=[said]).account(), _ARN)
    assert cause is not None
    assert (cause.logical_id, cause.reason) == ("Bucket", "no such key")
    refusing = Cloud(events=[said], refused={"describe_events": _error("AccessDenied")})
    assert root_cause(refusing.account(), _ARN) is None
    assert root_cause(Finding().account(), _ARN) is None, "nobody said that there is one"


def _resource(name: str, kind: str = "AWS::S3::Bucket", status: str = "CREATE_COMPLETE") -> dict[str, Any]:
    return {
        "LogicalResourceId": name,
        "PhysicalResourceId": name.lower(),
        "ResourceType": kind,
        "ResourceStatus": status,
    }


@pytest.mark.parametrize("template", ["a: [", "just text", {"Resources": ["a"]}, "Parameters: {}"])
def test_a_template_that_nobody_can_read_stops_a_demolition(template: object) -> None:
    """Which resources would be kept is only said there."""
    cloud = Cloud(stacks=[THERE], template=template, resources=[_resource("Bucket")])
    with pytest.raises(StackFailed, match="cannot be read, so nothing was deleted"):
        survey(cloud.account(), [STACK], Ear())


@pytest.mark.parametrize(
    ("versions", "refuses"),
    [
        ({"Versions": [{}]}, True),
        ({"DeleteMarkers": [{}]}, True),
        ({}, False),
        (_error("NoSuchBucket"), False),
    ],
)
def test_a_bucket_that_goes_with_its_stack_must_be_empty_of_old_versions_too(
    versions: dict[str, Any] | Exception, *, refuses: bool
) -> None:
    template = "Resources: {Bucket: {Type: x}, Kept: {DeletionPolicy: Retain}, Other: {DeletionPolicy: RetainExceptOnCreate}}"
    listed = [_resource(name) for name in ("Kept", "Other", "Bucket")]
    listed.append(_resource("Gone", status="DELETE_COMPLETE"))
    cloud = Cloud(stacks=[THERE], template=template, resources=listed, versions=versions)
    if refuses:
        with pytest.raises(UsageError, match="so nothing was done") as told:
            survey(cloud.account(), [STACK], Ear())
        assert told.value.seen == "bucket: holds data"
        return
    doomed = survey(cloud.account(), [STACK], Ear()).resources
    assert {one.logical_id: one.fate for one in doomed} == {
        "Kept": "kept",
        "Other": "kept",
        "Bucket": "deleted",
    }


def test_a_demolition_waits_for_what_runs_and_reads_no_template_of_a_stack_that_was_only_planned() -> None:
    cloud = Cloud(stacks=[{"StackStatus": "DELETE_IN_PROGRESS"}, {"StackStatus": "DELETE_COMPLETE"}])
    assert survey(cloud.account(), [STACK], Ear()) == Demolition((), ())
    planned = Cloud(stacks=[{"StackStatus": "REVIEW_IN_PROGRESS"}], template="a: [")
    assert [one.name for one in survey(planned.account(), [STACK], Ear()).stacks] == ["s"]


def test_a_demolition_lifts_the_protection_first_and_goes_by_the_id() -> None:
    """By its name a stack that somebody made meanwhile would be deleted."""
    cloud = Cloud(stacks=[{"StackStatus": "DELETE_COMPLETE"}])
    guarded = Standing("s", "UPDATE_COMPLETE", stack_id=_ARN, protected=True)
    destroy(cloud.account(), Demolition((guarded,), ()), Ear())
    assert cloud.done == ["update_termination_protection", "delete_stack"]
    assert cloud.asked == [{"StackName": _ARN, "EnableTerminationProtection": False}, {"StackName": _ARN}]
    cloud = Cloud(stacks=[{"StackStatus": "DELETE_FAILED"}])
    with pytest.raises(StackFailed) as told:
        destroy(
            cloud.account(), Demolition((Standing("s", "UPDATE_COMPLETE", stack_id=_ARN),) * 2, ()), Ear()
        )
    assert "destroy again" in told.value.hint
    assert cloud.done == ["delete_stack"], "the stacks before it stay"


def _seen(kind: str, action: str, replacement: str = "False", policy: str = "") -> Change:
    return Change(action, "One", "one", kind, replacement, policy, ())


@pytest.mark.parametrize("kind", GUARDED)
def test_what_is_hard_to_get_back_goes_only_by_its_name(kind: str) -> None:
    for change, words in (
        (_seen(kind, "Remove", policy="Delete"), "is deleted"),
        (_seen(kind, "Remove", policy="Retain"), "leaves the stack and is kept"),
        (_seen(kind, "Modify", "Conditional"), "may be replaced"),
        (_seen(kind, "Modify", "True", "ReplaceAndDelete"), "is replaced, the old one is deleted"),
        (_seen(kind, "Modify", "True", "ReplaceAndRetain"), "is replaced, the old one is kept"),
    ):
        with pytest.raises(UsageError) as told:
            guard.hold("s", [change], ("Other",))
        assert told.value.seen == f"One {words}: {GUARDED[kind]}"
        guard.hold("s", [change], ("One",))
    guard.hold("s", [_seen(kind, "Modify"), _seen(kind, "Add"), _seen("AWS::SNS::Topic", "Remove")], ())


def test_of_one_property_with_several_causes_the_gravest_counts() -> None:
    def detail(recreates: str, after: str) -> dict[str, Any]:
        return {"Target": {"Name": "Key", "RequiresRecreation": recreates, "AfterValue": after}}

    for order in (("Always", "Never"), ("Never", "Conditionally", "Always"), ("Always",)):
        described = _change("One", "Modify")
        described["ResourceChange"]["Details"] = [detail(word, word) for word in order]
        (change,) = read_changes([cast("Any", described), {}])
        assert [(one.recreates, one.after) for one in change.properties] == [("Always", "Always")]


def test_what_is_hidden_is_not_taken_for_a_change() -> None:
    before, after = {"A": "1", "B": "****", "C": "3"}, {"A": "1", "B": "x", "D": "4"}
    found = changed_parameters(before, after, "****")
    assert [(one.name, one.before, one.after) for one in found] == [("C", "3", None), ("D", None, "4")]


def test_what_was_not_agreed_to_is_not_executed_and_what_is_as_declared_needs_nothing() -> None:
    cloud = Cloud(stacks=[THERE])
    assert isinstance(apply(cloud.account(), [STACK], {}, (), Ear()), Moved)
    assert isinstance(apply(cloud.account(), [STACK], {"s": "0" * 16}, (), Ear()), Moved)
    assert cloud.done == []
    same = Cloud(stacks=[THERE], sets=[_SET | {"Status": "FAILED", "StatusReason": "didn't contain changes"}])
    applied = apply(same.account(), [STACK], {}, (), Ear())
    assert applied == Applied((), {"storage": {}})
    assert "execute_change_set" not in same.done


def test_the_record_of_a_failed_creation_is_cleared_away_by_its_id_or_nothing_goes_on() -> None:
    failed = {"StackStatus": "ROLLBACK_COMPLETE"}
    cloud = Cloud(stacks=[failed, failed, {"StackStatus": "DELETE_COMPLETE"}, {}, THERE])
    assert isinstance(_applied(cloud), Applied)
    assert cloud.done == ["delete_stack", "execute_change_set"]
    assert cloud.asked[0] == {"StackName": _ARN}
    cloud = Cloud(stacks=[failed, failed, {"StackStatus": "DELETE_FAILED"}])
    with pytest.raises(StackFailed):
        _applied(cloud)
    assert cloud.done == ["delete_stack"]


def test_what_goes_away_on_the_way_back_is_not_told_and_what_fails_there_is() -> None:
    whole = "AWS::CloudFormation::Stack"
    happened = [
        _event(1, "s", "CREATE_IN_PROGRESS", kind=whole),
        _event(2, "Key", "CREATE_IN_PROGRESS"),
        _event(3, "Key", "CREATE_COMPLETE"),
        _event(4, "Role", "CREATE_FAILED", "denied"),
        _event(5, "s", "ROLLBACK_IN_PROGRESS", kind=whole),
        _event(6, "Key", "DELETE_COMPLETE"),
        _event(7, "Role", "DELETE_FAILED", "in use"),
        _event(8, "s", "ROLLBACK_FAILED", kind=whole),
    ]
    cloud, ear = (
        Cloud(stacks=[{"StackStatus": "ROLLBACK_FAILED"}], events=[{"StackEvents": happened[::-1]}]),
        Ear(),
    )
    wait(cloud.account(), Standing("s"), ear)
    told = [(note.what, note.event.logical_id if note.event else "") for note in ear.notes]
    assert told == [("event", "Key"), ("event", "Role"), ("note", ""), ("event", "Role"), ("ends", "")]
    cause = root_cause(cloud.account(), _ARN)
    assert cause is not None
    assert (cause.logical_id, cause.reason) == ("Role", "denied")


def test_a_stack_that_is_at_work_is_awaited_before_it_is_planned() -> None:
    cloud, ear = (
        Cloud(stacks=[{"StackStatus": "UPDATE_IN_PROGRESS"}, {"StackStatus": "UPDATE_IN_PROGRESS"}, THERE]),
        Ear(),
    )
    assert isinstance(plan(cloud.account(), [STACK], ear)[0], Shown)
    assert ear.texts() == ["UPDATE_IN_PROGRESS already, waiting for it", "UPDATE_COMPLETE"]


@pytest.mark.parametrize(
    ("there", "template", "differences"),
    [
        ({}, "Resources: {}\n", ()),
        ({}, "Resources: {A: b}", ("the template",)),
        ({"Parameters": [{"ParameterKey": "P", "ParameterValue": "2"}]}, "Resources: {}", ("P: declared '1', deployed '2'",)),
        ({"Parameters": [{"ParameterKey": "P", "ParameterValue": "****"}]}, "Resources: {}", ()),
        ({"Parameters": []}, "Resources: {}", ("P: declared '1', deployed None",)),
        ({"Tags": []}, "Resources: {}", ("the tags",)),
        ({"StackStatus": "UPDATE_ROLLBACK_FAILED"}, "Resources: {}", ()),
    ],
)  # fmt: skip
def test_a_stack_is_well_where_nothing_of_it_differs_and_it_is_at_rest(
    there: dict[str, Any], template: str, differences: tuple[str, ...]
) -> None:
    same = THERE | {"Parameters": [{"ParameterKey": "P", "ParameterValue": "1"}], "Tags": [{"Key": "service", "Value": "reports"}]}  # fmt: skip
    cloud = Cloud(stacks=[same | there], template=template)
    (found,) = read(cloud.account(), [replace(STACK, parameters={"P": "1"})])
    assert found.differences == differences
    assert found.well is (not differences and "StackStatus" not in there)
    assert cloud.done == []


def test_credentials_of_another_account_are_refused_before_anything_is_asked() -> None:
    class Somebody(Cloud):
        def get_caller_identity(self) -> Any:
            return {"Account": "999999999999", "Arn": "arn:aws:iam::999999999999:user/x"}

    with pytest.raises(NotPermitted, match="another AWS account"):
        Somebody().account().prove()
