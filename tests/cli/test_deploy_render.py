"""Does one command render everything of an environment?"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from landbridge.cli import main
from landbridge.errors import Exit

if TYPE_CHECKING:
    from collections.abc import Sequence

EXAMPLE = Path(__file__).parents[2] / "examples" / "eidv"


def _typed(words: Sequence[str]) -> int:
    with pytest.raises(SystemExit) as ended:
        main(words)
    return int(ended.value.code or 0)


def _files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_one_command_renders_what_the_renderers_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rest = ["--environment", "PRD", "--project", str(EXAMPLE)]
    assert _typed(["deploy", "render", "--out", str(tmp_path / "all"), "--json", *rest]) == Exit.DONE
    assert json.loads(capsys.readouterr().out)["folder"] == str(tmp_path / "all" / "eidv-prd")
    assert _typed(["deploy", "aws", "render", "--out", str(tmp_path / "aws"), *rest]) == Exit.DONE
    assert _typed(["deploy", "kubernetes", "render", "--out", str(tmp_path / "k8s"), *rest]) == Exit.DONE
    assert _typed(["deploy", "controlm", "render", "--out", str(tmp_path / "ctm"), *rest]) == Exit.DONE
    made = _files(tmp_path / "all" / "eidv-prd")
    alone = {f"aws/{name}": body for name, body in _files(tmp_path / "aws").items()}
    alone |= _files(tmp_path / "k8s" / "eidv-prd") | _files(tmp_path / "ctm")
    assert made == alone
    assert {
        "aws/storage.yaml",
        "aws/request-sheet.md",
        "aws/terraform/main.tf",
        "controlm/folder.json",
    } <= set(made)


def test_an_environment_without_a_cluster_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "eidv")
    declared = tmp_path / "eidv" / "landbridge.yaml"
    text = declared.read_text()
    start = text.index("\nkubernetes:")
    following = text.find("\nwatch:", start)
    declared.write_text(text[:start] + (text[following:] if following > 0 else ""))
    words = ["deploy", "render", "--environment", "PRD", "--project", str(tmp_path / "eidv")]
    assert _typed([*words, "--out", str(tmp_path / "out")]) == Exit.DECLARATION
    assert "kubernetes" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
