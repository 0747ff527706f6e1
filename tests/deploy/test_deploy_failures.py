"""What is the person told when AWS is busy, away, refuses, or is busy with something already?"""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config

from landbridge.deploy import outputs
from landbridge.deploy.aws.account import Account, Event
from landbridge.deploy.aws.applying import Applied, apply
from landbridge.deploy.aws.events import advice, first_failure
from landbridge.deploy.aws.planning import plan
from landbridge.deploy.aws.standing import Standing, look
from landbridge.errors import LandbridgeError, NotPermitted, Unavailable, UsageError
from tests.deploy.small import STORAGE, Ear, account, fresh, stacks

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers.ministack import Ministack

_CREATED = Standing("reports-storage", "ROLLBACK_COMPLETE")


class _Raw:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: Any) -> Any:
        yield self._body


def _scripted(*answers: tuple[int, str, str]) -> tuple[Account, list[str]]:
    """Give an account whose CloudFormation answers these errors in turn, the last one for ever, and the calls it got."""
    calls: list[str] = []
    turns = itertools.chain(answers, itertools.repeat(answers[-1]))

    def answer(request: Any, **_: Any) -> AWSResponse:
        calls.append(request.url)
        status, code, message = next(turns)
        body = (
            f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
        )
        headers: Any = {"content-type": "text/xml"}
        return AWSResponse(request.url, status, headers, _Raw(body.encode()))

    session = boto3.Session("key", "secret", region_name="eu-west-2")
    config = Config(retries={"mode": "standard", "total_max_attempts": 3})
    clients: Any = {name: session.client(name, config=config) for name in ("cloudformation", "sts", "s3")}
    for client in clients.values():
        client.meta.events.register("before-send", answer)
    return Account("123456789012", pause=lambda _: None, **clients), calls


@pytest.mark.parametrize(
    ("status", "code", "message", "error", "words"),
    [
        (400, "Throttling", "Rate exceeded", Unavailable, "again later"),
        (503, "ServiceUnavailable", "", Unavailable, "again later"),
        (
            403,
            "ExpiredToken",
            "The security token included in the request is expired",
            NotPermitted,
            "sso login",
        ),
        (403, "InvalidClientTokenId", "", NotPermitted, "get-caller-identity"),
        (
            403,
            "AccessDenied",
            (
                "User: arn:aws:iam::123456789012:user/x is not authorized to perform: cloudformation:DescribeStacks "
                "on resource: arn:aws:cloudformation:eu-west-2:123456789012:stack/a/b"
            ),
            NotPermitted,
            "cloudformation:DescribeStacks on arn:aws:cloudformation:eu-west-2:123456789012:stack/a/b",
        ),
        (403, "AccessDenied", "Nothing more is said", NotPermitted, "the permission for DescribeStacks"),
        (400, "LimitExceeded", "too many stacks", UsageError, "too many stacks"),
    ],
)
def test_an_answer_becomes_what_the_operator_does_next(
    status: int, code: str, message: str, error: type[LandbridgeError], words: str
) -> None:
    where, _ = _scripted((status, code, message))
    with pytest.raises(error) as told:
        look(where, "reports-storage")
    assert words in f"{told.value.expected} {told.value.hint} {told.value.seen}"


def test_throttling_is_waited_out() -> None:
    gone = (400, "ValidationError", "Stack with id reports-storage does not exist")
    where, calls = _scripted((400, "Throttling", "Rate exceeded"), gone)
    assert look(where, "reports-storage").condition == "absent"
    assert len(calls) == 2


def test_no_credentials_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    where, _ = _scripted((400, "Throttling", ""))
    bare: Any = boto3.Session(region_name="eu-west-2").client("cloudformation")
    with pytest.raises(NotPermitted, match="no usable AWS credentials"):
        look(dataclasses.replace(where, cloudformation=bare), "reports-storage")


def test_nobody_answers() -> None:
    where, _ = _scripted((400, "Throttling", ""))
    deaf: Any = boto3.Session("key", "secret", region_name="eu-west-2").client(
        "cloudformation",
        endpoint_url="http://127.0.0.1:9",
        config=Config(retries={"total_max_attempts": 1}),
    )
    with pytest.raises(Unavailable, match="no answer"):
        look(dataclasses.replace(where, cloudformation=deaf), "reports-storage")


@pytest.mark.slow
def test_a_missing_permission_is_named(ministack: Ministack) -> None:
    name = fresh("nobody")
    ministack.client("iam").create_user(UserName=name)
    key = ministack.client("iam").create_access_key(UserName=name)["AccessKey"]
    poor: Any = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name="eu-west-2").client(
        "cloudformation", endpoint_url=ministack.endpoint, verify=str(ministack.ca_bundle)
    )
    with pytest.raises(NotPermitted) as told:
        plan(dataclasses.replace(account(ministack), cloudformation=poor), stacks(name), Ear())
    assert told.value.expected.startswith("cloudformation:DescribeStacks")


@pytest.mark.slow
def test_a_template_that_cloudformation_does_not_take_says_why(ministack: Ministack) -> None:
    broken = STORAGE.replace("AWS::SNS::Topic", "AWS::SNS::Topics")
    with pytest.raises(UsageError) as told:
        plan(account(ministack), stacks(fresh("typo"), storage=broken), Ear())
    assert "AWS::SNS::Topics" in told.value.seen


def test_a_template_that_is_too_long_is_not_sent() -> None:
    where, calls = _scripted((400, "ValidationError", "Stack with id x does not exist"))
    with pytest.raises(UsageError, match="too long"):
        plan(where, stacks("long", storage=STORAGE + "# \n" * 20_000)[:1], Ear())
    assert len(calls) == 1


@pytest.mark.slow
def test_left_alone_it_goes_on_and_the_next_run_takes_it_up(ministack: Ministack) -> None:
    name, where = fresh("left"), account(ministack)
    slow = STORAGE.replace(
        "Outputs:",
        '  Handle: {Type: "AWS::CloudFormation::WaitConditionHandle"}\n'
        "  Patience:\n"
        "    Type: AWS::CloudFormation::WaitCondition\n"
        '    Properties: {Handle: !Ref Handle, Timeout: "60", Count: 1}\n'
        "Outputs:",
    )
    declared = stacks(name, storage=slow)
    approved = {step.stack.name: step.digest for step in plan(where, declared, Ear())}

    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        apply(dataclasses.replace(where, pause=interrupted), declared, approved, (), Ear())
    assert look(where, f"{name}-storage").status == "CREATE_IN_PROGRESS"

    turns = itertools.count()

    def signalled(seconds: float) -> None:
        if next(turns) == 0:
            where.cloudformation.signal_resource(
                StackName=f"{name}-storage", LogicalResourceId="Patience", UniqueId="a", Status="SUCCESS"
            )
        where.pause(seconds)

    ear = Ear()
    result = apply(dataclasses.replace(where, pause=signalled), declared, approved, (), ear)
    assert isinstance(result, Applied)
    assert result.changed == (f"{name}-identity",), "the first stack was finished by the first run"
    assert "CREATE_IN_PROGRESS already, waiting for it" in ear.texts()


def test_the_root_cause_is_the_first_that_failed_by_itself() -> None:
    def event(logical_id: str, status: str, reason: str = "", kind: str = "AWS::S3::Bucket") -> Event:
        return Event(logical_id, kind, status, reason)

    events = [
        event("reports", "CREATE_IN_PROGRESS", kind="AWS::CloudFormation::Stack"),
        event("Other", "CREATE_FAILED", "Resource creation cancelled"),
        event("Cause", "CREATE_FAILED", "Access Denied"),
        event("Later", "CREATE_FAILED", "timed out"),
        event(
            "reports",
            "ROLLBACK_IN_PROGRESS",
            "The following resource(s) failed",
            "AWS::CloudFormation::Stack",
        ),
    ]
    assert first_failure(events) == events[2]
    assert first_failure(events[:2]) is None


@pytest.mark.parametrize(
    ("status", "reason", "words"),
    [
        ("UPDATE_ROLLBACK_FAILED", "x", "continue-update-rollback --stack-name reports-storage"),
        ("DELETE_FAILED", "x", "destroy again"),
        ("ROLLBACK_FAILED", "x", "then destroy"),
        ("ROLLBACK_COMPLETE", "edbh-reports already exists", "aws.adopt"),
        ("ROLLBACK_COMPLETE", "no such VPC", "correct the declaration"),
    ],
)
def test_advice_fits_the_state(status: str, reason: str, words: str) -> None:
    cause = Event("Bucket", "AWS::S3::Bucket", "CREATE_FAILED", reason)
    assert words in advice(dataclasses.replace(_CREATED, status=status), cause)


@pytest.mark.parametrize("text", ["{", json.dumps({"environment": "PRD"}), "[]"])
def test_damaged_outputs_are_said_to_be(tmp_path: Path, text: str) -> None:
    path = outputs.outputs_file(tmp_path, "PRD")
    with pytest.raises(UsageError, match="not here"):
        outputs.load(tmp_path, "PRD")
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match="damaged"):
        outputs.load(tmp_path, "PRD")
