"""What do other people's checkers say of the templates? They live in an environment of their own, see the Makefile."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from landbridge.deploy.stack import ORDER
from tests.deploy.cfn.golden import GOLDEN
from tests.deploy.cfn.variants import EIDV, ROOT, VARIANTS, rendered

if TYPE_CHECKING:
    from pathlib import Path

    from landbridge.deploy.stack import Kind

pytestmark = pytest.mark.slow

ACCEPTED = {
    ("CKV_AWS_18", "AWS::S3::Bucket.AccessLogBucket"): "logs of the log bucket would be an endless loop",
    (
        "CKV_AWS_23",
        "AWS::EC2::SecurityGroup.ServerSecurityGroup",
    ): "does not look into Fn::If; test_claims sees every rule's description",
    ("CKV_AWS_23", "AWS::EC2::SecurityGroup.EndpointSecurityGroup"): "as ServerSecurityGroup",
}
"""Each finding that stays, with its reason. One that is no longer found fails the test, too."""


@pytest.fixture(scope="module")
def cloud() -> Path:
    """Give the programs of `.venv-cloud`; without them these tests fail, they do not skip."""
    programs = ROOT / ".venv-cloud" / "bin"
    if not (programs / "cfn-lint").exists():
        pytest.fail("the checkers are not installed: run `make .venv-cloud/installed`")
    return programs


def _lint(
    cloud: Path, *paths: Path, regions: tuple[str, ...] = ("eu-west-2",)
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [cloud / "cfn-lint", "--regions", *regions, "--format", "parseable", "--", *map(str, paths)],
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )


def _different() -> list[Path]:
    """Give each template once: the environments of one project share theirs."""
    paths = [GOLDEN / variant / f"{kind}.yaml" for variant in VARIANTS for kind in ORDER]
    return list({path.read_bytes(): path for path in paths}.values())


def test_cfn_lint_finds_nothing(cloud: Path) -> None:
    assert len(_different()) == 8
    # Both at once: most of its time is its start and its schemas.
    done = _lint(cloud, *_different(), regions=("eu-west-2", "eu-central-1"))
    assert (done.returncode, done.stdout) == (0, "")


_MISTAKES: dict[Kind, tuple[str, str]] = {
    "storage": ("EnableKeyRotation", "EnableKeyRotaton"),
    "identity": ("${OidcProviderArn}", "${OidcProvider}"),
    "sftp": ("EndpointType: VPC ", "EndpointType: PRIVATE "),
    "sftp-user": ("!GetAtt UserRole.Arn", "!GetAtt UserRoles.Arn"),
}


def test_cfn_lint_would_find_a_mistake(cloud: Path, tmp_path: Path) -> None:
    for kind, (right, wrong) in _MISTAKES.items():
        template = rendered(EIDV)[kind].template
        assert right in template
        (tmp_path / f"{kind}.yaml").write_text(template.replace(right, wrong), encoding="utf-8")
    done = _lint(cloud, *(tmp_path / f"{kind}.yaml" for kind in _MISTAKES))
    assert {kind for kind in _MISTAKES if f"/{kind}.yaml" in done.stdout} == set(_MISTAKES)


def _found(cloud: Path, folder: Path) -> set[tuple[str, str]]:
    done = subprocess.run(
        [
            *(cloud / "checkov", "--skip-download", "--quiet", "--compact", "--framework", "cloudformation"),
            *("--output", "json", "--directory", folder),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    document = json.loads(done.stdout)
    assert document["summary"]["parsing_errors"] == 0
    assert document["summary"]["passed"] > 50
    return {(one["check_id"], one["resource"]) for one in document["results"]["failed_checks"]}


def test_checkov_finds_what_is_accepted_for_a_reason_and_nothing_else(cloud: Path) -> None:
    assert _found(cloud, GOLDEN) == set(ACCEPTED)


def test_checkov_would_find_a_key_that_is_not_rotated(cloud: Path, tmp_path: Path) -> None:
    for kind, stack in rendered(EIDV).items():
        text = stack.template.replace("EnableKeyRotation: true", "EnableKeyRotation: false")
        (tmp_path / f"{kind}.yaml").write_text(text, encoding="utf-8")
    assert _found(cloud, tmp_path) - set(ACCEPTED) == {("CKV_AWS_7", "AWS::KMS::Key.Key")}


def test_the_terraform_files_are_read_and_wire_the_stacks(cloud: Path) -> None:
    """Their syntax by python-hcl2, which checkov brings. No provider's schema is to be had offline: that is not checked."""
    read = "import hcl2, json, sys; print(json.dumps([hcl2.load(open(path)) for path in sys.argv[1:]]))"
    paths = [str(GOLDEN / variant / "terraform" / "main.tf") for variant in VARIANTS]
    done = subprocess.run(
        [cloud / "python", "-c", read, *paths], capture_output=True, text=True, check=True, timeout=110
    )
    for variant, document in zip(VARIANTS, json.loads(done.stdout), strict=True):
        found = {
            name.strip('"'): body
            for one in document["resource"]
            for name, body in one["aws_cloudformation_stack"].items()
        }
        assert list(found) == [kind.replace("-", "_") for kind in ORDER]
        for kind, stack in rendered(variant).items():
            body = found[kind.replace("-", "_")]
            said = json.dumps(body)
            assert stack.name in said
            assert f"/../{kind}.yaml" in said
            (parameters,) = body["parameters"]
            assert {name.strip('"') for name in parameters} == {*stack.parameters, *stack.inputs}
            for output in stack.inputs.values():
                assert f"aws_cloudformation_stack.{output.stack.replace('-', '_')}.outputs" in said
