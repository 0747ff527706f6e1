"""What does `landbridge deploy schedule render` write, refuse and say?"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from landbridge.cli import main
from landbridge.errors import Exit

if TYPE_CHECKING:
    from collections.abc import Sequence

EXAMPLE = Path(__file__).parents[2] / "examples" / "eidv"
LINUX = ("systemd", "cron", "airflow", "autosys")


def _typed(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["deploy", *words])
    return int(ended.value.code or 0)


def _render(to: Path, kinds: Sequence[str], *words: str, project: Path = EXAMPLE) -> int:
    chosen = [word for kind in kinds for word in ("--kind", kind)]
    where = ["--environment", "PRD", "--project", str(project), "--out", str(to)]
    return _typed("schedule", "render", *chosen, *where, *words)


def _files(folder: Path) -> dict[str, bytes]:
    return {
        one.relative_to(folder).as_posix(): one.read_bytes() for one in folder.rglob("*") if one.is_file()
    }


def _on_windows(tmp_path: Path) -> Path:
    project = tmp_path / "project"
    shutil.copytree(EXAMPLE, project)
    text = (project / "landbridge.yaml").read_text()
    other = re.sub(
        r"(?m)^host:.*\n((?![^ #\n]).*\n)*", "host: {os: windows, account: 'CORP\\\\svc$'}\n\n", text
    )
    assert other != text
    (project / "landbridge.yaml").write_text(other)
    return project


def test_several_kinds_are_written_each_into_its_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _render(tmp_path, LINUX, "--json") == Exit.DONE
    said = json.loads(capsys.readouterr().out)
    assert said["folder"] == str(tmp_path / "eidv-prd" / "schedule")
    assert set(said["files"]) == set(LINUX)
    assert set(_files(tmp_path)) == {
        f"eidv-prd/schedule/{kind}/{name}"
        for kind in LINUX
        for name in (*said["files"][kind], ".landbridge-rendered.json")
    }


def test_the_same_declaration_gives_the_same_bytes(tmp_path: Path) -> None:
    for folder in ("one", "two", "two"):
        assert _render(tmp_path / folder, LINUX) == Exit.DONE
    assert _files(tmp_path / "one") == _files(tmp_path / "two")


def test_a_file_changed_by_hand_is_not_lost(tmp_path: Path) -> None:
    _render(tmp_path, ["cron"])
    table = tmp_path / "eidv-prd" / "schedule" / "cron" / "landbridge-eidv-prd"
    table.write_text("# mine\n")
    assert _render(tmp_path, ["cron"]) == Exit.USAGE
    assert table.read_text() == "# mine\n"
    assert _render(tmp_path, ["cron"], "--overwrite") == Exit.DONE
    assert table.read_text() != "# mine\n"


def test_without_checks_no_job_reads_the_ledger(tmp_path: Path) -> None:
    assert _render(tmp_path, LINUX, "--no-checks") == Exit.DONE
    found = _files(tmp_path)
    assert not any("late-" in name for name in found)
    assert not any(b"--passed" in content for content in found.values())


def test_a_scheduler_that_does_not_run_on_the_hosts_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _render(tmp_path / "out", ["windows"]) == Exit.USAGE
    assert "windows does not run on the hosts of PRD" in capsys.readouterr().err
    project = _on_windows(tmp_path)
    assert _render(tmp_path / "out", ["systemd"], project=project) == Exit.USAGE
    assert not (tmp_path / "out").exists()
    assert _render(tmp_path / "out", ["windows", "autosys"], project=project) == Exit.DONE


def test_no_rendering_holds_a_secret_or_the_text_of_a_key(tmp_path: Path) -> None:
    project = _on_windows(tmp_path)
    (project / "keys").mkdir(exist_ok=True)
    (project / "keys" / "controlm").write_text("-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0\n")
    _render(tmp_path / "out", ["windows", "autosys"], project=project)
    _render(tmp_path / "out", LINUX)
    assert not any(
        b"PRIVATE KEY" in content or b"c2VjcmV0" in content for content in _files(tmp_path / "out").values()
    )


def test_everything_of_an_environment_can_include_its_schedule(tmp_path: Path) -> None:
    rest = ["--environment", "PRD", "--project", str(EXAMPLE), "--out", str(tmp_path)]
    assert _typed("render", "--schedule", "systemd", *rest) == Exit.DONE
    assert (tmp_path / "eidv-prd" / "schedule" / "systemd" / "README.md").is_file()
    assert not (tmp_path / "eidv-prd" / "schedule" / "cron").exists()


def _status(project: Path, *words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["status", "--environment", "PRD", "--project", str(project), *words])
    return int(ended.value.code or 0)


def test_a_check_with_no_deadline_behind_it_asks_nobody_and_is_fine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = tmp_path / "project"
    shutil.copytree(EXAMPLE, project)
    feed = project / "feeds" / "monthly.yaml"
    feed.write_text(feed.read_text().replace("starts: 2026-01-01", "starts: 2998-01-01"))
    assert _status(project, "--feed", "monthly", "--check", "--passed", "22h") == Exit.DONE
    assert "no deadline passed within 22h" in capsys.readouterr().err


def test_a_check_chooses_its_days_itself() -> None:
    assert _status(EXAMPLE, "--check", "--passed", "22h", "--since", "2026-11-01") == Exit.USAGE
