"""Does what is derived from a declaration name what the product uses, and nothing more?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from pydantic import TypeAdapter

from landbridge.deploy.needs import Needs, needs
from landbridge.deploy.policy import KEY
from tests.servers.declared import declaration, feed

if TYPE_CHECKING:
    from landbridge.deploy.policy import Policy


ADDING = {"PutObject", "AbortMultipartUpload", "GenerateDataKey", "Decrypt", "Publish", "PutMetricData"}


def _statements(policy: Policy) -> dict[str, tuple[set[str], set[str]]]:
    return {one.sid: (set(one.actions), set(one.resources)) for one in policy.statements}


@pytest.fixture
def plain() -> Needs:
    return needs(declaration(), "DEV")


def test_the_pod_may_do_what_its_steps_do(plain: Needs) -> None:
    arn = "arn:aws:s3:::acme-dev-"
    assert _statements(plain.pod.policy) == {
        "Stage": (
            {"s3:PutObject", "s3:GetObject", "s3:GetObjectVersion", "s3:AbortMultipartUpload"},
            {f"{arn}staging/drafts/*", f"{arn}staging/quarantine/*"},
        ),
        "StageSees": ({"s3:ListBucket"}, {f"{arn}staging"}),
        "Commit": ({"s3:PutObject", "s3:GetObject", "s3:GetObjectVersion"}, {f"{arn}ledger/*"}),
        "CommitSees": ({"s3:ListBucket"}, {f"{arn}ledger"}),
        "Promote": (
            {"s3:PutObject", "s3:GetObject", "s3:GetObjectVersion", "s3:AbortMultipartUpload"},
            {f"{arn}reports/outbound/*"},
        ),
        "PromoteSees": ({"s3:ListBucket"}, {f"{arn}reports"}),
        "Encrypt": ({"kms:GenerateDataKey", "kms:Decrypt"}, {KEY}),
    }


def test_nobody_may_delete_or_change_permissions(plain: Needs) -> None:
    for role in (plain.pod, plain.operator, plain.watch):
        for statement in role.policy.statements:
            for action in statement.actions:
                verb = action.partition(":")[2]
                assert verb.startswith(("Get", "List")) or verb in ADDING


def test_the_operator_only_reads(plain: Needs) -> None:
    actions = {action for one in plain.operator.policy.statements for action in one.actions}
    assert actions == {
        "s3:GetObject",
        "s3:GetObjectVersion",
        "s3:ListBucket",
        "s3:ListBucketVersions",
        "s3:GetBucketPolicy",
        "s3:GetBucketPublicAccessBlock",
        "s3:GetBucketVersioning",
        "s3:GetEncryptionConfiguration",
        "s3:GetLifecycleConfiguration",
        "kms:Decrypt",
    }


def test_every_listing_is_bound_to_prefixes(plain: Needs) -> None:
    listings = [
        one
        for role in (plain.pod, plain.operator)
        for one in role.policy.statements
        if "s3:ListBucket" in one.actions
    ]
    assert len(listings) == 6
    assert all(one.conditions["StringLike"]["s3:prefix"] for one in listings)


def test_a_hundred_feeds_change_no_permission() -> None:
    many = [feed(feed=f"feed{number}") for number in range(100)]
    assert needs(declaration(*many), "DEV").pod == needs(declaration(), "DEV").pod
    assert len(json.dumps(needs(declaration(*many), "DEV").pod.policy.document())) < 6144


def test_a_shared_ledger_is_touched_below_its_prefix_only() -> None:
    buckets = {"staging": "s-bucket", "reports": "r-bucket", "ledger": "shared", "ledger_prefix": "acme/dev"}
    policy = needs(declaration(project={"buckets": buckets}), "DEV").pod.policy
    statements = {one.sid: one for one in policy.statements}
    assert statements["Commit"].resources == ("arn:aws:s3:::shared/acme/dev/*",)
    assert statements["CommitSees"].conditions == {"StringLike": {"s3:prefix": ("acme/dev/????-??-??/*",)}}


def test_further_places_of_a_feed_are_needed_where_the_feed_exists() -> None:
    file = {
        "name": "ORDERS_{business_date:%Y%m%d}.csv",
        "folder": "orders",
        "also_to": [
            {
                "kind": "s3",
                "name": "copy",
                "bucket": "acme-{environment}-copies",
                "prefix": "x/{feed}/{business_date:%Y}",
            },
            {"kind": "folder", "name": "disk", "path": "archive"},
        ],
    }
    declared = declaration(feed(file=file, environments=["PRD"]))
    assert "PromoteFurther" not in _statements(needs(declared, "DEV").pod.policy)
    there = needs(declared, "PRD")
    assert _statements(there.pod.policy)["PromoteFurther"][1] == {"arn:aws:s3:::acme-prd-copies/x/orders/*/*"}
    assert ("acme-prd-copies", "place") in {(bucket.name, bucket.purpose) for bucket in there.buckets}


def test_a_source_in_a_bucket_may_be_read_and_nothing_beside_it() -> None:
    source = {"kind": "files", "path": "s3://upstream/in/{business_date:%Y}/*.csv", "format": "csv"}
    policy = needs(declaration(feed(sources={"rows": source})), "DEV").pod.policy
    statements = {one.sid: one for one in policy.statements}
    assert statements["Source1"].actions == ("s3:GetObject", "s3:GetObjectVersion")
    assert statements["Source1"].resources == ("arn:aws:s3:::upstream/in/*",)
    assert statements["Source1Sees"].conditions == {"StringLike": {"s3:prefix": ("in/*",)}}


def test_buckets_are_versioned_and_only_drafts_canaries_and_what_was_told_expire(plain: Needs) -> None:
    assert [(one.name, one.versioned, one.expiring, one.days, one.folders) for one in plain.buckets] == [
        ("acme-dev-staging", True, ("drafts/", "watch/"), 7, ()),
        (
            "acme-dev-reports",
            True,
            ("outbound/_canary/", "receipts/_canary/"),
            7,
            ("outbound", "receipts"),
        ),
        ("acme-dev-ledger", True, (), 0, ()),
    ]


def test_the_roles_are_bound_to_their_service_accounts(plain: Needs) -> None:
    assert plain.pod.trust.subject == "system:serviceaccount:acme:landbridge"
    assert plain.operator.trust.subject == "system:serviceaccount:acme:landbridge-operator"
    assert needs(declaration(), "PRD").pod.name != plain.pod.name


def test_the_collector_reads_what_is_released_and_adds_receipts(plain: Needs) -> None:
    folders = {folder.name: (folder.may_read, folder.may_add) for folder in plain.sftp.folders}
    assert folders == {"outbound": (True, False), "receipts": (True, True)}
    assert plain.sftp.bucket == "acme-dev-reports"


def test_needs_are_handed_on_as_json(plain: Needs) -> None:
    handed = TypeAdapter(Needs).dump_json(plain)
    assert TypeAdapter(Needs).validate_json(handed) == plain
