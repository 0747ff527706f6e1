"""Does the table of calls agree with the code and with the policies, in every direction?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from landbridge.deploy.calls import CALLS, SOURCES, Need, calls_for, step
from landbridge.deploy.needs import needs
from landbridge.deploy.review import policies as reviewed
from tests.deploy.code import Found, Source, defined, modules, operations, read
from tests.deploy.rich import rich

if TYPE_CHECKING:
    from landbridge.deploy.policy import Policy

SRC = Path(__file__).parents[2] / "src" / "landbridge"
SERVICES = frozenset(
    {"s3", "sts", "secretsmanager", "sns", "transfer", "cloudformation", "cloudwatch", "logs", "kms"}
)
OURS = frozenset({"Landbridge", "whoever deploys", "whoever signs evidence", "the doctor"})
NOT_OURS = frozenset({"Control-M"})
"""Who makes a call that no code of ours stands for."""


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    return modules(SRC)


@pytest.fixture(scope="module")
def source(texts: dict[str, str]) -> Source:
    clients = read(texts, frozenset()).clients
    return read(texts, SERVICES | clients)


def policies(*, catches_up: bool = True) -> dict[str, Policy]:
    """Give every policy."""
    needed = needs(rich() if catches_up else rich({}), "DEV")
    return reviewed(needed)


def granted(of: dict[str, Policy]) -> set[tuple[str, str, str]]:
    return {
        (role, step(one.sid), action)
        for role, policy in of.items()
        for one in policy.statements
        for action in one.actions
    }


def test_every_client_of_aws_is_known_and_written_out(source: Source) -> None:
    assert source.clients <= SERVICES
    assert source.clients >= {"s3", "secretsmanager"}
    assert source.unread == ()


def test_every_call_that_the_code_makes_has_a_row(source: Source) -> None:
    rows = {Found(call.code, call.api) for call in CALLS}
    assert sorted(source.found - rows) == []
    assert len(source.found) >= 20


def test_every_row_of_ours_is_a_call_that_the_code_makes(source: Source) -> None:
    rows = {Found(call.code, call.api) for call in CALLS if call.by in OURS}
    assert sorted(rows - source.found) == []


def test_every_row_names_code_that_exists(texts: dict[str, str]) -> None:
    names = defined(texts)
    assert [call.code for call in CALLS if call.by not in NOT_OURS and call.code not in names] == []


def test_every_api_exists() -> None:
    for call in CALLS:
        service, _, operation = call.api.partition(":")
        assert operation in operations(service).values(), call.api


def test_no_row_stands_twice() -> None:
    rows = [(call.code, call.api) for call in CALLS]
    assert len(set(rows)) == len(rows)


@pytest.mark.parametrize("catches_up", [True, False])
def test_every_permission_of_every_role_is_for_a_call(catches_up: bool) -> None:
    unused = [one for one in granted(policies(catches_up=catches_up)) if not calls_for(*one)]
    assert sorted(unused) == []


def test_every_permission_that_a_row_needs_is_given() -> None:
    given = granted(policies())
    lacking = [
        (call.code, call.api, name, need.permission)
        for call in CALLS
        for need in call.needs
        for name in need.of
        if (*name.split("."), need.permission) not in given
    ]
    assert lacking == []


def test_every_call_needs_a_permission_or_says_who_decides() -> None:
    free = {call.by for call in CALLS if not call.needs}
    assert free <= {"boto3", "whoever deploys", "whoever signs evidence", "the doctor"}


def test_what_is_derived_has_a_source() -> None:
    needed = [need for call in CALLS for need in call.needs if need.proof == "derived"]
    assert {need.permission.partition(":")[0] for need in needed} <= set(SOURCES)


def test_no_emulator_is_claimed_to_enforce_kms() -> None:
    assert {n.proof for call in CALLS for n in call.needs if n.permission.startswith("kms:")} == {"derived"}


def test_a_row_says_each_permission_of_a_statement_once() -> None:
    for call in CALLS:
        pairs = [(need.permission, name) for need in call.needs for name in need.of]
        assert len(set(pairs)) == len(pairs), (call.code, call.api)


# The reader of the source sees what it should: planted calls are found, in every spelling.


@pytest.mark.parametrize(
    ("planted", "api"),
    [
        ("import boto3\ndef f(client):\n    client.delete_object(Bucket='b', Key='k')\n", "s3:DeleteObject"),
        ("import boto3\ndef f(client):\n    g(client.put_object_tagging)\n", "s3:PutObjectTagging"),
        ("import boto3\ndef f(client):\n    client.get_paginator('list_parts')\n", "s3:ListParts"),
        ("import obstore\ndef f(store):\n    obstore.delete(store, 'k')\n", "s3:DeleteObject"),
        (
            "import obstore\nasync def f(store):\n    await obstore.delete_async(store, 'k')\n",
            "s3:DeleteObject",
        ),
        ("import obstore\ndef f(store):\n    obstore.put(store, 'k', b'')\n", "s3:UploadPart"),
        (
            "import boto3\ndef f(s):\n    def g():\n        s.client('sns').publish(Message='m')\n    g()\n",
            "sns:Publish",
        ),
    ],
)
def test_a_planted_call_is_found(planted: str, api: str) -> None:
    found = read({"planted": planted}, SERVICES).found
    assert Found("planted:f", api) in found


@pytest.mark.parametrize(
    "planted",
    [
        "import boto3\ndef f(s, name):\n    s.client(name + '').x()\n",
        "import boto3\ndef f(c, name):\n    c.get_paginator(name)\n",
        "import obstore\ndef f(store):\n    obstore.sign(store, 'GET', 'k', 1)\n",
    ],
)
def test_a_call_that_cannot_be_read_is_told(planted: str) -> None:
    assert len(read({"planted": planted}, SERVICES).unread) == 1


def test_a_permission_that_nothing_needs_would_be_seen() -> None:
    assert calls_for("pod", "Stage", "s3:DeleteObject") == []
    assert calls_for("operator", "SeeStaging", "s3:ListBucketVersions") == []
    assert calls_for("watch", "Source12Sees", "s3:ListBucket") != []
    assert isinstance(calls_for("pod", "Stage", "s3:PutObject")[0][1], Need)


def test_every_policy_fits_into_a_managed_one() -> None:
    """Source: IAM User Guide, "IAM and AWS STS quotas": 6,144 characters without white space."""
    for role, policy in policies().items():
        assert len(json.dumps(policy.document(), separators=(",", ":"))) < 6144, role
