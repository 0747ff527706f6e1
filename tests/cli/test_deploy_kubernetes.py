"""What does `landbridge deploy kubernetes` print and write, and how does it end?"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "eidv"


def _landbridge(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "landbridge", *map(str, words)],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )


def test_one_command_renders_everything(tmp_path: Path) -> None:
    ended = _landbridge("deploy", "kubernetes", "render", "-p", EXAMPLE, "-e", "prd", "--out", tmp_path)
    assert (ended.returncode, ended.stdout.split(" in ")[0]) == (0, "24 files")
    folder = tmp_path / "eidv-prd" / "kubernetes"
    again = _landbridge("deploy", "kubernetes", "lint", *sorted(folder.glob("*.yaml")))
    assert (again.returncode, again.stdout) == (0, "OK\n")


def test_a_manifest_that_was_spoilt_by_hand_ends_with_65(tmp_path: Path) -> None:
    _landbridge("deploy", "kubernetes", "render", "-p", EXAMPLE, "-e", "PRD", "--out", tmp_path)
    folder = tmp_path / "eidv-prd" / "kubernetes"
    job = folder / "cronjob-summary.yaml"
    job.write_text(job.read_text().replace("restartPolicy: Never", "restartPolicy: Always"))
    ended = _landbridge("deploy", "kubernetes", "lint", *sorted(folder.glob("*.yaml")))
    assert ended.returncode == 65
    assert "CronJob/eidv-prd-summary" in ended.stderr
    assert "[restarted-in-place]" in ended.stderr


@pytest.mark.parametrize("text", ["a: [", "just words", "a: 1"])
def test_what_is_no_manifest_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.yaml").write_text(text)
    ended = _landbridge("deploy", "kubernetes", "lint", tmp_path / "x.yaml")
    assert ended.returncode == 64
    assert "Traceback" not in ended.stderr


def test_check_of_an_environment_looks_at_its_cluster(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "eidv")
    file = tmp_path / "eidv" / "landbridge.yaml"
    file.write_text(file.read_text().replace("    EIDV_API_KEY: {secret: eidv-api, key: api-key}\n", ""))
    assert _landbridge("check", "-p", tmp_path / "eidv").returncode == 0
    ended = _landbridge("check", "-p", tmp_path / "eidv", "-e", "PRD")
    assert ended.returncode == 78
    assert "feeds/summary.yaml" in ended.stderr
    assert "EIDV_API_KEY" in ended.stderr


def test_check_of_an_environment_is_quick() -> None:
    began = time.process_time()
    ended = _landbridge("check", "-p", EXAMPLE, "-e", "PRD")
    assert "PRD on Kubernetes: 16 objects" in ended.stdout
    assert ended.returncode == 0
    assert time.process_time() - began < 5


def test_nobody_is_there_to_confirm_a_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kubectl = tmp_path / "kubectl"
    kubectl.write_text("#!/bin/sh\necho here\n")
    kubectl.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    ended = _landbridge("deploy", "kubernetes", "apply", "-p", EXAMPLE, "-e", "PRD")
    assert ended.returncode == 64
    assert "`here`" in ended.stderr
    assert "--context" in ended.stderr


@pytest.mark.parametrize("verb", ["diff", "apply"])
def test_without_any_context_it_says_where_to_find_one(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kubectl = tmp_path / "kubectl"
    kubectl.write_text("#!/bin/sh\necho 'error: current-context is not set' >&2\nexit 1\n")
    kubectl.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    ended = _landbridge("deploy", "kubernetes", verb, "-p", EXAMPLE, "-e", "PRD")
    assert ended.returncode == 64
    told = " ".join(ended.stderr.split())
    assert "kubectl config get-contexts" in told
    assert "landbridge deploy kubernetes apply --environment PRD --context NAME" in told


def test_a_mistake_that_concerns_both_renderers_is_told_once(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "eidv")
    file = tmp_path / "eidv" / "landbridge.yaml"
    file.write_text(file.read_text().replace("region: eu-west-2", "region: us-iso-east-1"))
    ended = _landbridge("check", "-p", tmp_path / "eidv", "-e", "PRD")
    assert ended.returncode == 78
    assert "1 mistake" in ended.stderr
    assert "landbridge.yaml:5" in ended.stderr


def test_without_kubectl_nothing_is_applied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    ended = _landbridge("deploy", "kubernetes", "diff", "-p", EXAMPLE, "-e", "PRD", "--context", "here")
    assert ended.returncode == 64
    assert "not on PATH" in ended.stderr
