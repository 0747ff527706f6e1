"""Does the account become what was shown, that and nothing else, and what happens when it does not?"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from landbridge.deploy.aws import guard
from landbridge.deploy.aws.applying import Applied, Moved, apply
from landbridge.deploy.aws.destroying import destroy, survey
from landbridge.deploy.aws.planning import Pending, Shown, Unchanged, digest, plan
from landbridge.deploy.aws.reading import read
from landbridge.deploy.aws.standing import look
from landbridge.errors import NotPermitted, StackFailed, UsageError
from tests.deploy.small import IDENTITY, STORAGE, Ear, account, fresh, stacks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from landbridge.deploy.aws.account import Account
    from landbridge.deploy.stack import Stack
    from tests.servers.ministack import Ministack

pytestmark = pytest.mark.slow


def _apply(where: Account, declared: Sequence[Stack], *named: str, ear: Ear | None = None) -> Applied | Moved:
    """Plan, agree to everything, apply."""
    tell = ear or Ear()
    steps = plan(where, declared, tell)
    return apply(where, declared, {step.stack.name: step.digest for step in steps}, named, tell)


def test_an_empty_account_becomes_as_declared_and_then_stays_so(ministack: Ministack) -> None:
    where, declared, ear = account(ministack), stacks(fresh("create")), Ear()
    steps = plan(where, declared, ear)
    assert isinstance(steps[0], Shown)
    assert {change.logical_id for change in steps[0].change_set.changes} == {"Key", "Bucket", "Topic"}
    assert {change.action for change in steps[0].change_set.changes} == {"Add"}
    assert isinstance(steps[1], Pending)
    assert "storage.Bucket" in steps[1].why

    result = apply(where, declared, {step.stack.name: step.digest for step in steps}, (), ear)

    assert isinstance(result, Applied)
    assert result.changed == tuple(stack.name for stack in declared)
    assert result.outputs["storage"]["Bucket"] == declared[0].parameters["Name"]
    assert result.outputs["identity"]["RoleArn"].startswith("arn:aws:iam::123456789012:role/")
    assert all(isinstance(step, Unchanged) for step in plan(where, declared, ear))
    again = _apply(where, declared)
    assert isinstance(again, Applied)
    assert again.changed == ()
    assert all(reading.well for reading in read(where, declared))
    assert all(look(where, stack.name).protected for stack in declared)


def test_the_same_plan_is_found_again_and_not_made_twice(ministack: Ministack) -> None:
    where, declared = account(ministack), stacks(fresh("again"))
    first, second = (plan(where, declared, Ear()) for _ in range(2))
    assert digest(first) == digest(second)
    assert isinstance(first[0], Shown)
    assert isinstance(second[0], Shown)
    assert first[0].change_set.arn == second[0].change_set.arn
    assert look(where, declared[0].name).status == "REVIEW_IN_PROGRESS"


def test_a_change_is_shown_property_by_property(ministack: Ministack) -> None:
    name, where = fresh("update"), account(ministack)
    _apply(where, stacks(name))
    declared = stacks(name, storage=STORAGE.replace("key of", "the key of"))
    first, second = plan(where, declared, Ear())
    assert isinstance(first, Shown)
    assert isinstance(second, Unchanged)
    change = next(change for change in first.change_set.changes if change.logical_id == "Key")
    assert (change.action, change.replacement) == ("Modify", "False")
    assert [each.path for each in change.properties] == ["Description"]
    reading = read(where, declared)[0]
    assert reading.differences == ("the template",)
    _apply(where, declared)
    assert read(where, declared)[0].well


def test_a_parameter_that_changes_is_shown(ministack: Ministack) -> None:
    name, where = fresh("parameter"), account(ministack)
    _apply(where, stacks(name))
    declared = stacks(name, topic="warnings")
    step = plan(where, declared, Ear())[0]
    assert isinstance(step, Shown)
    assert [(each.name, each.before, each.after) for each in step.change_set.parameters] == [
        ("Topic", "alarms", "warnings")
    ]
    assert read(where, declared)[0].differences == ("Topic: declared 'warnings', deployed 'alarms'",)
    replaced = next(each for each in step.change_set.changes if each.logical_id == "Topic")
    assert replaced.replacement == "True"
    assert isinstance(_apply(where, declared), Applied), "a topic is not guarded"


def test_a_bucket_is_not_replaced_unless_it_is_named(ministack: Ministack) -> None:
    name, where = fresh("guard"), account(ministack)
    _apply(where, stacks(name))
    ministack.client("s3").put_object(Bucket=name, Key="report", Body=b"x")
    declared = stacks(name, bucket=f"{name}-other")

    with pytest.raises(UsageError) as refused:
        _apply(where, declared)
    assert "Bucket is replaced, the old one is kept" in refused.value.seen
    assert refused.value.hint.endswith("--replace Bucket")
    assert look(where, declared[0].name).outputs["Bucket"] == name, "nothing was done"

    result = _apply(where, declared, "Bucket")
    # The role's bucket is an output of the stack that has just changed: that was not on the plan, so it is asked again.
    assert isinstance(result, Moved)
    assert result.step.stack.name == declared[1].name
    assert isinstance(_apply(where, declared), Applied)
    assert ministack.client("s3").get_object(Bucket=name, Key="report")["Body"].read() == b"x"


@pytest.mark.parametrize("gone", ["Bucket", "Key"])
def test_what_leaves_the_template_must_be_named(ministack: Ministack, gone: str) -> None:
    name, where = fresh("removal"), account(ministack)
    first = stacks(name)[:1]
    _apply(where, first)
    kept, skip = [], False
    for line in STORAGE.splitlines():
        if line.startswith("  ") and not line.startswith("   "):
            skip = line.strip() == f"{gone}:"
        if not line.startswith(" "):
            skip = False
        if not skip and f"!Ref {gone}}}" not in line and f"!GetAtt {gone}." not in line:
            kept.append(line)
    declared = (replace(first[0], template="\n".join(kept) + "\n"),)
    with pytest.raises(UsageError, match="hard to get back") as refused:
        _apply(where, declared)
    assert "leaves the stack and is kept" in refused.value.seen
    assert isinstance(_apply(where, declared, gone), Applied)


def test_what_was_not_shown_is_not_executed(ministack: Ministack) -> None:
    name, where = fresh("swap"), account(ministack)
    _apply(where, stacks(name))
    shown = plan(where, stacks(name, topic="one"), Ear())
    approved = {step.stack.name: step.digest for step in shown}
    result = apply(where, stacks(name, topic="two"), approved, (), Ear())
    assert isinstance(result, Moved)
    assert look(where, f"{name}-storage").parameters["Topic"] == "alarms"


def test_an_approval_does_not_outlive_somebody_elses_change(ministack: Ministack) -> None:
    name, where = fresh("outlived"), account(ministack)
    _apply(where, stacks(name))
    shown = plan(where, stacks(name, topic="one"), Ear())
    _apply(where, stacks(name, topic="two"))
    approved = {step.stack.name: step.digest for step in shown}
    assert isinstance(apply(where, stacks(name, topic="one"), approved, (), Ear()), Moved)


def test_the_root_cause_of_a_rollback_is_told_and_not_its_consequences(ministack: Ministack) -> None:
    name, where, ear = fresh("rollback"), account(ministack), Ear()
    _apply(where, stacks(name))
    broken = IDENTITY.replace("Outputs:", _BROKEN + "Outputs:")
    with pytest.raises(StackFailed) as told:
        _apply(where, stacks(name, identity=broken), ear=ear)
    assert told.value.what == f"{name}-identity failed at Broken (AWS::Transfer::Server)"
    assert "Unsupported security policy" in told.value.seen
    assert ear.failures() == ["Broken"]
    assert "goes back to what it was" in ear.texts()
    last = ear.notes.index(next(note for note in ear.notes if note.text == "goes back to what it was"))
    assert [note.what for note in ear.notes[last + 1 :]] == ["ends"]
    assert look(where, f"{name}-identity").status == "UPDATE_ROLLBACK_COMPLETE"
    reading = read(where, stacks(name))[1]
    assert reading.cause is not None
    assert reading.cause.logical_id == "Broken"
    _apply(where, stacks(name))
    assert read(where, stacks(name))[1].well


_BROKEN = """\
  Broken:
    Type: AWS::Transfer::Server
    DependsOn: Role
    Properties: {SecurityPolicyName: Invented}
"""


def test_a_creation_that_failed_is_cleared_away_and_made_again(ministack: Ministack) -> None:
    name, where, ear = fresh("cleared"), account(ministack), Ear()
    broken = STORAGE.replace("Outputs:", _BROKEN.replace("Role", "Bucket") + "Outputs:")
    with pytest.raises(StackFailed):
        _apply(where, stacks(name, storage=broken))
    assert look(where, f"{name}-storage").status == "ROLLBACK_COMPLETE"
    declared = stacks(name)
    steps = plan(where, declared, ear)
    assert isinstance(steps[0], Pending)
    assert "failed once" in steps[0].why
    assert isinstance(_apply(where, declared, ear=ear), Applied), "the bucket's name was given back"
    assert any("clearing away" in text for text in ear.texts())


def test_a_name_that_is_taken_leads_to_adoption(ministack: Ministack) -> None:
    name, where = fresh("taken"), account(ministack)
    ministack.client("s3").create_bucket(
        Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-2"}
    )
    with pytest.raises(StackFailed) as told:
        _apply(where, stacks(name))
    assert told.value.what.endswith("failed at Bucket (AWS::S3::Bucket)")
    assert "adopt" in told.value.hint


def test_credentials_of_another_account_are_refused(ministack: Ministack) -> None:
    with pytest.raises(NotPermitted, match="another AWS account") as refused:
        account(ministack, "999999999999").prove()
    assert "123456789012" in refused.value.seen
    account(ministack).prove()


def test_destroy_keeps_what_holds_data_and_says_so(ministack: Ministack) -> None:
    name, where, ear = fresh("destroy"), account(ministack), Ear()
    declared = stacks(name)
    _apply(where, declared)
    ministack.client("s3").put_object(Bucket=name, Key="report", Body=b"x")
    demolition = survey(where, declared, ear)
    assert [standing.name for standing in demolition.stacks] == [f"{name}-identity", f"{name}-storage"]
    fates = {one.logical_id: (one.fate, one.why) for one in demolition.resources}
    assert fates["Bucket"] == ("kept", "holds data")
    assert fates["Key"] == ("kept", "")
    assert fates["Role"][0] == fates["Topic"][0] == "deleted"
    destroy(where, demolition, ear)
    assert all(look(where, stack.name).condition == "absent" for stack in declared)
    assert ministack.client("s3").get_object(Bucket=name, Key="report")["Body"].read() == b"x"
    assert survey(where, declared, ear).stacks == ()


def test_a_bucket_that_nothing_keeps_stops_destroy_while_it_holds_data(ministack: Ministack) -> None:
    name, where, ear = fresh("unkept"), account(ministack), Ear()
    declared = stacks(name, storage=STORAGE.replace("    DeletionPolicy: Retain\n", ""))[:1]
    _apply(where, declared)
    s3 = ministack.client("s3")
    s3.put_object(Bucket=name, Key="report", Body=b"x")
    with pytest.raises(UsageError, match="holds data"):
        survey(where, declared, ear)
    s3.delete_object(Bucket=name, Key="report")
    with pytest.raises(UsageError, match="holds data"):
        survey(where, declared, ear)  # older versions are data, too


def test_nobody_else_deletes_a_stack_in_passing(ministack: Ministack) -> None:
    name, where = fresh("protected"), account(ministack)
    _apply(where, stacks(name))
    with pytest.raises(where.cloudformation.exceptions.ClientError, match=r"(?i)protect"):
        where.cloudformation.delete_stack(StackName=f"{name}-storage")


@pytest.mark.timeout(600)
def test_killed_at_any_call_the_next_run_converges(ministack: Ministack) -> None:
    died = subprocess.run(
        [sys.executable, "-m", "tests.deploy.killed", fresh("killed")],
        cwd=Path(__file__).parents[2],
        env={**os.environ, **ministack.environment()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert died.returncode == 0, died.stderr
    assert int(died.stdout) > 40


def test_every_guarded_type_says_what_would_be_lost() -> None:
    assert set(guard.GUARDED) >= {
        "AWS::KMS::Key",
        "AWS::Logs::LogGroup",
        "AWS::S3::Bucket",
        "AWS::Transfer::Server",
    }
