"""Does the image do in a pod's conditions what is rendered for it: no root, nothing writable, the declaration from ConfigMaps?

Built and run without a daemon: buildah on a Debian that mmdebstrap makes. The run is a chroot with the host's loopback,
as the user of the manifests, on a read-only root; what kubelet would mount is laid there from the rendered objects.
"""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from landbridge import wiring
from landbridge.cli.output import Silent
from landbridge.deploy.kubernetes import pod
from landbridge.deploy.kubernetes.render import manifests
from landbridge.schedule import Calendar, current_slot
from landbridge.twin import twin
from tests.stories.projects import write_project

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landbridge.twin.twin import Twin

ROOT = Path(__file__).parents[2]
_MISSING = [name for name in ("buildah", "mmdebstrap", "unshare", "chroot") if shutil.which(name) is None]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.story,
    pytest.mark.timeout(900),
    pytest.mark.skipif(
        sys.platform != "linux" or os.geteuid() != 0 or bool(_MISSING),
        reason=f"the image is built as root, with buildah and mmdebstrap (missing: {', '.join(_MISSING) or 'root'})",
    ),
]
_PROJECT = f"""
region: eu-west-2
kubernetes:
  image: localhost/landbridge@sha256:{"0" * 64}
"""
_ISOLATED = """
set -e
mount --bind "$1" "$1"
mount --bind "$2" "$1/mnt"
mount -o remount,ro,bind "$1/mnt"
mount -o remount,ro,bind "$1"
mount -t tmpfs -o size=256m tmpfs "$1/tmp"
root=$1
shift 2
exec chroot --userspec=10001:10001 "$root" /usr/bin/env -i "$@"
"""


@dataclass
class Image:
    """The image's root, and what is mounted into it."""

    root: Path
    mounted: Path

    def run(self, variables: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
        environment = [f"{name}={value}" for name, value in variables.items()]
        path = "PATH=/opt/landbridge/bin:/usr/local/bin:/usr/bin:/bin"
        script = ["unshare", "--mount", "sh", "-c", _ISOLATED, "sh", str(self.root), str(self.mounted)]
        return subprocess.run(
            [*script, path, *environment, *words], check=False, capture_output=True, text=True, timeout=120
        )


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    subprocess.run([ROOT / "packaging" / "image.sh"], check=True, cwd=ROOT, timeout=800)
    storage = ROOT / "build" / "image"
    options = ["--root", str(storage / "storage"), "--runroot", str(storage / "run")]
    options += ["--storage-driver", "vfs"]

    def buildah(*words: str) -> str:
        ended = subprocess.run(
            ["buildah", *options, *words], check=True, capture_output=True, text=True, timeout=300
        )
        return ended.stdout.strip()

    made = buildah("images", "--format", "{{.Name}}:{{.Tag}}", "--filter", "reference=localhost/landbridge")
    name = made.splitlines()[0]
    container = buildah("from", "--pull-never", name)
    try:
        mounted = tmp_path_factory.mktemp("mounted")
        mounted.chmod(0o755)
        yield Image(Path(buildah("mount", container)), mounted)
    finally:
        buildah("rm", container)


@dataclass
class Cluster:
    """A project with its twin, and its rendered objects."""

    folder: Path
    objects: list[Any]
    twin: Twin
    minutes: int
    """The latest slot, in minutes since 1970."""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, image: Image) -> Iterator[Cluster]:
    folder = write_project(tmp_path_factory.mktemp("project"))
    (folder / "feeds" / "sent.yaml").unlink()  # to a folder of the host
    with (folder / "landbridge.yaml").open("a") as project:
        project.write(_PROJECT)
    (folder / "keys" / "receipts.pub").write_text("-----BEGIN PUBLIC KEY-----\n")
    declaration = wiring.declaration(folder)
    objects: list[Any] = manifests(declaration, "DEV").objects
    for one in (each for each in objects if each["kind"] == "ConfigMap"):
        _mount(one, objects, image.mounted / "declaration")
    with twin.running(declaration, "DEV", progress=Silent()) as up:
        (image.mounted / "token").write_bytes(up.state.pod.token_file.read_bytes())
        for path in image.mounted.rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)
        slot = current_slot(declaration.feeds["sealed"], Calendar(), datetime.now(UTC))
        yield Cluster(folder, objects, up, int(slot.scheduled_at.timestamp()) // 60)


def _mount(config_map: Any, objects: list[Any], folder: Path) -> None:
    """Do what kubelet does with the projected volume."""
    job = next(one for one in objects if one["kind"] == "CronJob")
    volume = _pod(job)["volumes"][1]["projected"]
    for source in volume["sources"]:
        if source["configMap"]["name"] == config_map["metadata"]["name"]:
            for item in source["configMap"]["items"]:
                path = folder / item["path"]
                path.parent.mkdir(parents=True, exist_ok=True)
                text = config_map["data"].get(item["key"])
                path.write_bytes(
                    text.encode()
                    if text is not None
                    else base64.b64decode(config_map["binaryData"][item["key"]])
                )


def _pod(job: Any) -> Any:
    return job["spec"]["jobTemplate"]["spec"]["template"]["spec"]


def _words(cluster: Cluster, feed: str) -> list[str]:
    container = _container(cluster, feed)
    return ["landbridge", *(word.replace(pod.PROJECT, "/mnt/declaration") for word in container["args"])]


def _container(cluster: Cluster, feed: str) -> Any:
    job = next(one for one in cluster.objects if one["metadata"]["name"] == f"story-dev-{feed}")
    return _pod(job)["containers"][0]


def _variables(cluster: Cluster, feed: str, minutes: int) -> dict[str, str]:
    """Give the container's variables, with what the downward API, EKS and the twin in AWS's place would fill in."""
    name = f"story-dev-{feed}-{minutes}"
    filled = {"metadata.labels['batch.kubernetes.io/job-name']": name, "metadata.name": f"{name}-x7k2p"}
    own = {
        each["name"]: each.get("value") or filled[each["valueFrom"]["fieldRef"]["fieldPath"]]
        for each in _container(cluster, feed)["env"]
    }
    state = cluster.twin.state
    return own | {
        "AWS_ROLE_ARN": state.pod.role_arn,
        "AWS_ROLE_SESSION_NAME": state.pod.session_name,
        "AWS_WEB_IDENTITY_TOKEN_FILE": "/mnt/token",
        "AWS_ENDPOINT_URL": state.endpoint,
        "AWS_REGION": state.region,
    }


def test_it_starts_and_knows_its_version(image: Image) -> None:
    ended = image.run({"TMPDIR": "/tmp"}, "landbridge", "--version")
    assert (ended.returncode, ended.stdout.split()[0]) == (0, "landbridge")


def test_it_has_nothing_to_build_with_and_nothing_to_write_to(image: Image) -> None:
    for tool in ("gcc", "cc", "make", "pip", "pip3"):
        assert image.run({}, "sh", "-c", f"command -v {tool}").returncode != 0
    assert "Read-only" in image.run({}, "touch", "/opt/landbridge/x").stderr
    assert image.run({}, "id", "-u").stdout.strip() == str(pod.USER)


def test_it_checks_the_declaration_that_the_config_map_brings(image: Image, cluster: Cluster) -> None:
    ended = image.run({"TMPDIR": "/tmp"}, "landbridge", "check", "--project", "/mnt/declaration")
    assert (ended.returncode, ended.stderr) == (0, "")


def test_it_runs_the_slot_of_its_job_as_the_manifest_says(image: Image, cluster: Cluster) -> None:
    variables = _variables(cluster, "sealed", cluster.minutes)
    ended = image.run(variables, *_words(cluster, "sealed"))
    assert ended.returncode == 0, ended.stderr
    assert "is released" in ended.stdout
    again = image.run(variables, *_words(cluster, "sealed"))
    assert again.returncode == 0, again.stderr


def test_broken_data_ends_with_the_code_that_the_failure_policy_knows(image: Image, cluster: Cluster) -> None:
    ended = image.run(_variables(cluster, "broken", cluster.minutes), *_words(cluster, "broken"))
    assert ended.returncode == 65, ended.stderr
    rules = next(
        one["spec"]["jobTemplate"]["spec"]["podFailurePolicy"]["rules"]
        for one in cluster.objects
        if one["metadata"]["name"] == "story-dev-broken"
    )
    assert 65 in next(rule["onExitCodes"]["values"] for rule in rules if rule["action"] == "FailJob")


def test_a_job_before_the_first_slot_ends_well(image: Image, cluster: Cluster) -> None:
    before = int(datetime(2023, 12, 1, 6, tzinfo=UTC).timestamp()) // 60
    ended = image.run(_variables(cluster, "good", before), *_words(cluster, "good"))
    assert (ended.returncode, "nothing to do" in ended.stdout) == (0, True), ended.stderr
