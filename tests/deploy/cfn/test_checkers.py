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


def _different() -> list[Path]:
    """Give each template once: the environments of one project share theirs."""
    paths = [GOLDEN / variant / f"{kind}.yaml" for variant in VARIANTS for kind in ORDER]
    return list({path.read_bytes(): path for path in paths}.values())


_MISTAKES: dict[Kind, tuple[str, str]] = {
    "storage": ("EnableKeyRotation", "EnableKeyRotaton"),
    "identity": ("${OidcProviderArn}", "${OidcProvider}"),
    "sftp": ("EndpointType: VPC ", "EndpointType: PRIVATE "),
    "sftp-user": ("!GetAtt UserRole.Arn", "!GetAtt UserRoles.Arn"),
}
"""Of cfn-lint; each is found, or nothing of a sound template would mean anything."""
_NOT_ROTATED = ("EnableKeyRotation: true", "EnableKeyRotation: false")
"""Of checkov."""


def test_cfn_lint_finds_each_mistake_and_nothing_else(cloud: Path, tmp_path: Path) -> None:
    sound = _different()
    assert len(sound) == 8
    spoilt = {}
    for kind, (right, wrong) in _MISTAKES.items():
        template = rendered(EIDV)[kind].template
        assert right in template
        spoilt[tmp_path / f"{kind}.yaml"] = template.replace(right, wrong)
    for path, text in spoilt.items():
        path.write_text(text, encoding="utf-8")
    # All at once, and both regions: most of its time is its start and its schemas.
    done = subprocess.run(
        [
            *(cloud / "cfn-lint", "--regions", "eu-west-2", "eu-central-1", "--format", "parseable"),
            *("--", *map(str, (*sound, *spoilt))),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert done.returncode != 0
    assert {line.partition(":")[0] for line in done.stdout.splitlines()} == {str(path) for path in spoilt}


def test_checkov_finds_what_is_accepted_for_a_reason_a_key_that_is_not_rotated_and_nothing_else(
    cloud: Path, tmp_path: Path
) -> None:
    sound, spoilt = tmp_path / "sound", tmp_path / "spoilt"
    for number, path in enumerate(_different()):
        copy = sound / str(number) / path.name
        copy.parent.mkdir(parents=True)
        copy.write_bytes(path.read_bytes())
    spoilt.mkdir()
    template = rendered(EIDV)["storage"].template
    assert _NOT_ROTATED[0] in template
    (spoilt / "storage.yaml").write_text(template.replace(*_NOT_ROTATED), encoding="utf-8")
    done = subprocess.run(
        [
            *(cloud / "checkov", "--skip-download", "--quiet", "--compact", "--framework", "cloudformation"),
            *("--output", "json", "--directory", tmp_path),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    document = json.loads(done.stdout)
    assert document["summary"]["parsing_errors"] == 0
    assert document["summary"]["passed"] > 100
    failed = document["results"]["failed_checks"]

    def found(folder: Path) -> set[tuple[str, str]]:
        here = f"/{folder.name}/"
        return {(one["check_id"], one["resource"]) for one in failed if one["file_path"].startswith(here)}

    assert found(sound) == set(ACCEPTED)
    assert found(spoilt) - set(ACCEPTED) == {("CKV_AWS_7", "AWS::KMS::Key.Key")}
    assert len(failed) == sum(one["file_path"].startswith(("/sound/", "/spoilt/")) for one in failed)


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
