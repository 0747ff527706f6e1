"""Is every trap that is known to have caught somebody (tests/deploy/traps.py) named by a test, and avoided?"""

from __future__ import annotations

import ast
import os
import re
import subprocess
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from landbridge.deploy.calls import CALLS
from landbridge.deploy.stack import ORDER
from landbridge.ports import RemoteFile
from tests.deploy.cfn.asking import allowed
from tests.deploy.cfn.other_claims import claims as other_claims
from tests.deploy.cfn.storage_claims import claims as storage_claims
from tests.deploy.cfn.variants import EIDV, EVERY, OUTPUTS, VARIANTS, made, rendered
from tests.deploy.test_kubernetes_checks import AROUND, MISTAKES
from tests.deploy.traps import TRAPS
from tests.servers.declared import declaration, feed

if TYPE_CHECKING:
    from landbridge.deploy.stack import Kind
    from tests.deploy.traps import Trap

PODS_AND_USER: tuple[tuple[str, Kind], ...] = (("PodPolicy", "identity"), ("UserPolicy", "sftp-user"))

CLAIMS = {claim.name for claim in (*storage_claims(), *other_claims())}

_TESTS = Path(__file__).parents[2]
_ROOT = _TESTS.parent
ROWS = [pytest.param(row, id=row.what) for rows in TRAPS.values() for row in rows]


@cache
def _tests_of(file: str) -> frozenset[str]:
    tree = ast.parse((_TESTS / file).read_text(encoding="utf-8"))
    return frozenset(one.name for one in tree.body if isinstance(one, ast.FunctionDef))


@pytest.mark.parametrize("row", ROWS)
def test_a_trap_has_a_test_that_shows_it_and_a_file_that_keeps_it_out(row: Trap) -> None:
    file, _, test = row.shown.partition("::")
    assert test in _tests_of(file)
    assert (_ROOT / row.kept_out).exists()
    if cases := CASES.get(test):
        assert row.case in cases
    else:
        assert row.case == ""


CASES = {
    "test_the_claim_holds": {claim.name for claim in (*storage_claims(), *other_claims())},
    "test_a_planted_mistake_is_found": {rule for rule, _ in MISTAKES},
    "test_a_mistake_around_the_jobs_is_found": {rule for rule, _ in AROUND},
}


def test_no_trap_stands_twice_and_no_test_of_this_file_is_without_one() -> None:
    rows = [row for several in TRAPS.values() for row in several]
    told = [row.what for row in rows if not row.what.startswith("...")]
    assert len(told) == len(set(told))
    here = Path(__file__).relative_to(_TESTS).as_posix()
    shown = {row.shown.partition("::")[2] for row in rows if row.shown.startswith(f"{here}::")}
    about_the_table = {one for one in _tests_of(here) if one.startswith(("test_a_trap_has", "test_no_trap"))}
    assert {one for one in _tests_of(here) if one.startswith("test_")} == shown | about_the_table


def _through_s3(action: str, logical: str, kind: Kind, variant: str = EIDV) -> bool:
    there = made(variant, kind)
    said = there.statements(logical)
    return allowed(said, action, OUTPUTS["KeyArn"], kms__ViaService="s3.eu-west-2.amazonaws.com")


def test_a_multipart_upload_to_kms_needs_decrypt_as_well() -> None:
    for logical, kind in PODS_AND_USER:
        assert _through_s3("kms:Decrypt", logical, kind)
        assert _through_s3("kms:GenerateDataKey", logical, kind)
    assert _through_s3("kms:Decrypt", "OperatorPolicy", "identity")
    assert not _through_s3("kms:GenerateDataKey", "OperatorPolicy", "identity")


def test_head_needs_get_object_where_the_pod_promotes() -> None:
    said = made(EIDV, "identity").statements("PodPolicy")
    assert allowed(said, "s3:GetObject", "arn:aws:s3:::edbh-eidv-prd-reports/outbound/x")
    assert not allowed(said, "s3:GetObject", "arn:aws:s3:::edbh-eidv-prd-reports/receipts/x")


def test_without_list_bucket_a_missing_key_answers_403_so_the_pod_has_it_below_its_prefixes() -> None:
    said = made(EIDV, "identity").statements("PodPolicy")
    bucket = "arn:aws:s3:::edbh-eidv-prd-reports"
    assert allowed(said, "s3:ListBucket", bucket, s3__prefix="outbound/x")
    assert not allowed(said, "s3:ListBucket", bucket, s3__prefix="receipts/x")
    assert not allowed(said, "s3:ListBucket", bucket)


def test_list_bucket_is_said_of_buckets_and_never_of_objects() -> None:
    for variant in VARIANTS:
        for kind in ("identity", "sftp-user"):
            text = str(made(variant, kind).resources)
            assert "s3:ListBucket" in text
            for found in re.findall(r"'Action': \['s3:ListBucket[^\]]*\], 'Resource': \[([^\]]*)\]", text):
                assert "/" not in found


def test_bucket_keys_make_the_encryption_context_the_bucket_so_no_policy_names_an_object() -> None:
    for variant in VARIANTS:
        for kind in ("identity", "sftp-user"):
            assert "kms:EncryptionContext" not in str(made(variant, kind).resources)


def test_no_map_key_holds_an_intrinsic() -> None:
    for stack in rendered(EVERY).values():
        keys = re.findall(r"^\s*\"?([^\s\"#]*\$\{[^\s\"]*)\"?:\s", stack.template, re.MULTILINE)
        assert [key for key in keys if "OidcIssuer" not in key] == []


def test_managed_workflows_are_not_used() -> None:
    assert made(EVERY, "sftp").at("Server", "WorkflowDetails") is None


def test_no_secret_is_in_anything_that_is_rendered() -> None:
    for variant in VARIANTS:
        for kind in ORDER:
            text = rendered(variant)[kind].template + str(rendered(variant)[kind].parameters)
            assert not re.search(r"BEGIN [A-Z ]*PRIVATE|SecretString|HostKeyBody", text)


def test_a_secret_that_is_not_there_yet_is_asked_for_by_its_bare_name() -> None:
    for variant in VARIANTS:
        said = made(variant, "sftp-user").statements("RotatorPolicy")
        for parameter in ("SecretName", "HostSecretName"):
            name = rendered(variant)["sftp-user"].parameters[parameter]
            arn = f"arn:aws:secretsmanager:eu-west-2:123456789012:secret:{name}"
            for action in ("DescribeSecret", "CreateSecret"):
                assert allowed(said, f"secretsmanager:{action}", arn)
                assert allowed(said, f"secretsmanager:{action}", f"{arn}-a1B2c3")
            assert not allowed(said, "secretsmanager:GetSecretValue", f"{arn}-of-others-a1B2c3")


def test_nothing_of_ours_is_tagged_in_s3_so_no_copy_needs_rights_to_tags() -> None:
    said = {need.permission for call in CALLS for need in call.needs} | {call.api for call in CALLS}
    assert not [one for one in said if one.startswith("s3:") and "tag" in one.lower()]
    for variant in VARIANTS:
        for kind in ("identity", "sftp-user"):
            assert "ObjectTagging" not in rendered(variant)[kind].template


def test_no_modification_time_comes_over_sftp_so_nothing_is_decided_by_one() -> None:
    assert {one.name for one in fields(RemoteFile)} == {"path", "name", "size"}


@pytest.mark.parametrize("name", ["root", "ab", "x" * 101, "with space"])
def test_a_user_that_transfer_family_refuses_is_refused_when_it_is_declared(name: str) -> None:
    server = {
        "host": "sftp.example.internal",
        "private_key": "file:keys/user",
        "host_keys": ["file:keys/host.pub"],
    }
    with pytest.raises(ValueError, match="user"):
        declaration(feed(), project={"sftp": {**server, "user": name}})


def test_no_function_and_no_custom_resource_is_brought_along() -> None:
    for kind in ORDER:
        types = {one["Type"] for one in made(EVERY, kind).resources.values()}
        assert not [
            one for one in types if one.startswith(("Custom::", "AWS::Lambda", "AWS::CloudFormation::C"))
        ]


def _dockerfile() -> list[str]:
    text = (_ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def test_the_base_of_the_image_is_named_by_its_digest() -> None:
    assert "ARG BASE" in _dockerfile(), "without a default, which would be a tag"
    ended = subprocess.run(
        [_ROOT / "packaging" / "image.sh"],
        env={**os.environ, "BASE": "registry.example.internal/python:3.11"},
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    assert ended.returncode == 64
    assert "digest" in ended.stderr


def test_the_image_is_built_of_a_wheelhouse_and_nothing_is_fetched() -> None:
    (run,) = [line for line in _dockerfile() if line.startswith("RUN")]
    installs = [part for part in run.split("&&") if " install " in part]
    assert installs
    assert all("--no-index" in part and "--no-deps" in part for part in installs)
    assert "--require-hashes" in installs[0]
    assert not re.search(r"\b(apt|apt-get|curl|wget|git)\b", " ".join(_dockerfile()))


def test_the_image_runs_as_a_number_and_its_program_gets_the_signals() -> None:
    lines = _dockerfile()
    assert "USER 10001:10001" in lines
    assert 'ENTRYPOINT ["landbridge"]' in lines
    assert lines.index("USER 10001:10001") > max(n for n, line in enumerate(lines) if line.startswith("FROM"))
