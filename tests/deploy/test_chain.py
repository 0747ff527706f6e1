"""Does a file go all the way on what the stacks made: declared, deployed, keyed, run, collected, receipted?

Every command is the one that somebody types, in a process of its own, with the credentials that the host of that step has
and no others; every role, bucket, server and secret comes out of the stacks, or out of what is rendered for the cluster.
Stand-ins, where ministack has nothing: this file plays the cluster (it reads service account, role, audience, arguments
and variables from the rendered manifests and hands the pod its token), and the private name of the SFTP server is
loopback. What ministack lets through unlooked at is listed in test_whole_set.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jwt
import pytest

from examples.eidv import api
from landbridge.declare import load
from landbridge.deploy import outputs
from landbridge.deploy.kubernetes.render import manifests
from landbridge.twin.keys import Ed25519Key
from tests.deploy.estate import ENVIRONMENT, Estate, estate
from tests.servers.ministack import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from landbridge.deploy.kubernetes.text import Object
    from landbridge.deploy.stack import Kind
    from tests.servers.ministack import Ministack

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

LANDBRIDGE = Path(sys.executable).parent / "landbridge"
FEED, DATE = "verifications", "2026-11-19"
SCHEDULED = int(datetime(2026, 11, 20, 6, tzinfo=UTC).timestamp()) // 60
"""The end of the Job's name: London's clocks show 06:00, too, when this slot is due."""
NAMES = ("AWS_", "LANDBRIDGE_", "EIDV_")


@dataclass(frozen=True)
class Chain:
    """A project under way, and what its stacks said."""

    estate: Estate
    stacks: Mapping[Kind, Mapping[str, str]]

    @property
    def ministack(self) -> Ministack:
        return self.estate.ministack

    def typed(
        self, words: str, credentials: Mapping[str, str], *more: str
    ) -> subprocess.CompletedProcess[str]:
        """Type a command on a host that has these credentials, or a pod's variables."""
        return _typed(self.estate, [*words.split(), "--environment", ENVIRONMENT, *more], credentials)

    def role(self, name: str, *policies: str) -> dict[str, str]:
        """Make a role of somebody outside the stacks, and take it: a person, a pipeline, a host on premises."""
        iam, sts = self.ministack.client("iam"), self.ministack.client("sts")
        arn = _role(self.estate, name)
        for policy in policies:
            iam.attach_role_policy(RoleName=arn.rpartition("/")[2], PolicyArn=policy)
        taken = sts.assume_role(RoleArn=arn, RoleSessionName=name)["Credentials"]
        return self.ministack.environment(taken)


def _role(made: Estate, name: str) -> str:
    iam, named = made.ministack.client("iam"), f"{made.name}-{name}"
    trusted = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Action": "sts:AssumeRole",
    }
    if named not in {each["RoleName"] for each in iam.list_roles()["Roles"]}:
        iam.create_role(
            RoleName=named,
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trusted]}),
        )
    return f"arn:aws:iam::{ACCOUNT}:role/{named}"


def _typed(made: Estate, words: list[str], variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith(NAMES)}
    return subprocess.run(
        [LANDBRIDGE, *words, "--project", str(made.folder)],
        env=own | dict(variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _said(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr + done.stdout
    return json.loads(done.stdout)


@contextmanager
def _upstream() -> Iterator[dict[str, str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "examples.eidv.api"],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        yield api.environment(int(process.stdout.readline()))
    finally:
        process.terminate()
        process.communicate(timeout=10)


def _declared(made: Estate) -> None:
    """Say what a collector on premises says: where the server is, whose key, whose share."""
    made.change(
        "  host: sftp.eidv.{environment}.example.internal",
        f"  port: {made.ministack.sftp_port}\n  host: 127.0.0.1",
    )
    made.change("  dns: {hosted_zone", f"  key_readers: [{_role(made, 'collector')}]\n  # dns: {{hosted_zone")
    secret = f"landbridge/{made.name}/prd/sftp/edbh-controlm"
    made.change("private_key: file:keys/controlm", f"private_key: aws-sm:{secret}")
    receipts, keys = Ed25519Key.generate(), made.folder / "keys"
    keys.mkdir()
    (keys / "receipts.pem").write_text(receipts.private_pem)
    (keys / "receipts.pub").write_text(receipts.public_pem)
    (keys / "sftp_host.pub").touch()
    (made.folder / "share" / ENVIRONMENT.lower()).mkdir(parents=True)


@pytest.fixture(scope="module")
def chain(ministack: Ministack, tmp_path_factory: pytest.TempPathFactory) -> Chain:
    """Declare and apply, as `deploy aws` is typed; the rest of the chain begins with the outputs that it wrote."""
    made = estate(ministack, tmp_path_factory.mktemp("chain"))
    _declared(made)
    where, deployer = ["--environment", ENVIRONMENT, "--json"], ministack.environment()
    shown = _said(_typed(made, ["deploy", "aws", "plan", *where], deployer))
    _said(_typed(made, ["deploy", "aws", "apply", "--plan", shown["digest"], *where], deployer))
    return Chain(made, outputs.load(made.folder, ENVIRONMENT).stacks)


def test_a_file_goes_from_the_declaration_to_its_receipt(chain: Chain, tmp_path: Path) -> None:
    _keys(chain)
    released = _run(chain, tmp_path)
    assert released["outcome"] == "released"
    assert released["at"].startswith(f"s3://{chain.stacks['storage']['ReportsBucket']}/outbound/")
    _collect(chain, released)
    _proof(chain, tmp_path)
    _reap(chain, tmp_path)


def _keys(chain: Chain) -> None:
    """Make and pin the host key, then the user's, with the policy that the stacks give for that and nothing else."""
    rotator = chain.role("rotator", chain.stacks["sftp-user"]["RotatorPolicyArn"])
    host = _said(chain.typed("keys create --host --kind ed25519 --json", rotator))
    (chain.estate.folder / "keys" / "sftp_host.pub").write_text(host["public_key"] + "\n")
    chain.typed("keys retire --host --json", rotator).check_returncode()
    made = _said(chain.typed("keys create --json", rotator))
    assert made["secret"] == f"landbridge/{chain.estate.name}/prd/sftp/edbh-controlm"
    secrets = chain.ministack.client("secretsmanager")
    kept, placed = (
        secrets.describe_secret(SecretId=each)
        for each in (made["secret"], chain.stacks["sftp-user"]["PrivateKeySecretArn"])
    )
    assert kept["ARN"] == placed["ARN"], "the place that the stack made for it"


def _run(chain: Chain, folder: Path) -> Any:
    """Do what the cluster does with the rendered CronJob at its time."""
    objects = manifests(load(chain.estate.folder), ENVIRONMENT).objects
    job = _named(objects, "CronJob", f"{chain.estate.name}-prd-{FEED}")["spec"]["jobTemplate"]["spec"]
    pod = job["template"]["spec"]
    container = pod["containers"][0]
    with _upstream() as upstream:
        variables = {one["name"]: one["value"] for one in container["env"] if "value" in one} | upstream
        variables |= _as_pod(chain, objects, pod["serviceAccountName"], folder, "PodRoleArn")
        variables |= {
            "LANDBRIDGE_JOB_NAME": f"{chain.estate.name}-prd-{FEED}-{SCHEDULED}",
            "HOME": str(folder),
            "TMPDIR": str(folder),
        }
        arguments = container["args"][: container["args"].index("--project")]
        return _said(_typed(chain.estate, [*arguments, "--json"], variables))


def _as_pod(chain: Chain, objects: list[Object], account: str, folder: Path, output: str) -> dict[str, str]:
    """Give what EKS puts into a pod of this service account: a role and a token for it, and no key of anybody."""
    found = _named(objects, "ServiceAccount", account)["metadata"]
    role = found["annotations"]["eks.amazonaws.com/role-arn"]
    assert role == chain.stacks["identity"][output], (
        "what is rendered for the cluster is what was made on AWS"
    )
    claims = {
        "iss": f"https://{chain.estate.issuer}",
        "sub": f"system:serviceaccount:{found['namespace']}:{account}",
        "aud": found["annotations"]["eks.amazonaws.com/audience"],
        "exp": 4_000_000_000,
    }
    token = folder / f"{account}.token"
    token.write_text(jwt.encode(claims, "x" * 32, algorithm="HS256"))
    keyless = chain.ministack.environment().items()
    return {
        **{name: value for name, value in keyless if "KEY" not in name},
        "AWS_ROLE_ARN": role,
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(token),
    }


def _named(objects: list[Any], kind: str, name: str) -> Any:
    return next(one for one in objects if one["kind"] == kind and one["metadata"]["name"] == name)


def _collect(chain: Chain, released: Any) -> None:
    """Collect on a host on premises, whose role may read the private key and nothing else."""
    host = chain.role("collector")
    chain.typed("collect --adopt-share", host).check_returncode()
    (outcome,) = _said(chain.typed(f"collect --since {DATE} --json", host))["outcomes"]
    assert (outcome["slot"], outcome["state"]) == (f"{FEED}/{DATE}", "delivered")
    landed = chain.estate.folder / "share" / "prd" / outcome["path"]
    assert landed.stat().st_size == outcome["size"] == released["commitment"]["plain"]["size"]
    assert _said(chain.typed(f"collect --since {DATE} --json", host))["outcomes"] == [], "once, and no more"


def _proof(chain: Chain, folder: Path) -> None:
    """Ask as the operator, by the operator's role: delivered, and the receipt is in the bucket behind the server."""
    objects = manifests(load(chain.estate.folder), ENVIRONMENT).objects
    operator = _as_pod(chain, objects, "landbridge-operator", folder, "OperatorRoleArn")
    (row,) = _said(chain.typed(f"status --since {DATE} --until {DATE} --feed {FEED} --json", operator))
    assert row["state"] == "delivered"
    bucket = chain.stacks["storage"]["ReportsBucket"]
    found = chain.ministack.client("s3").list_objects_v2(Bucket=bucket, Prefix="receipts/")["Contents"]
    assert len(found) == 1
    places = _said(chain.typed(f"verify {FEED}/{DATE} --json", operator))["places"]
    assert {one["name"]: one["finding"] for one in places} == dict.fromkeys(
        ("staging", "reports", "manifest", "share", "receipt"), "same"
    )


def _reap(chain: Chain, folder: Path) -> None:
    """Look for what has had its time as the reaper, by its own role: the file landed today, and stays."""
    objects = manifests(load(chain.estate.folder), ENVIRONMENT).objects
    reaper = _as_pod(chain, objects, "landbridge-reaper", folder, "ReaperRoleArn")
    said = _said(chain.typed("reap --apply --json", reaper))
    assert (said["due"], said["removed"], said["failed"]) == ([], [], [])
