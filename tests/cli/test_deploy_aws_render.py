"""Does `landbridge deploy aws render` write what it says, where it may, and nothing else?"""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from landbridge.cli import main
from landbridge.errors import Exit

if TYPE_CHECKING:
    from collections.abc import Callable

EXAMPLE = str(Path(__file__).parents[2] / "examples" / "eidv")
FILES = {
    "README.md",
    "request-sheet.md",
    "terraform/main.tf",
    *(
        f"{kind}.{end}"
        for kind in ("storage", "identity", "sftp", "sftp-user")
        for end in ("yaml", "parameters.json")
    ),
}


@pytest.fixture
def render(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run the command into a folder of the test; give the exit code and what was said."""

    def run(*words: str, environment: str = "PRD", project: str = EXAMPLE) -> tuple[int, str, str]:
        folder = ["--out", str(tmp_path / "out"), "--project", project, "--environment", environment]
        with pytest.raises(SystemExit) as ended:
            main(["deploy", "aws", "render", *folder, *words])
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run


def _there(tmp_path: Path) -> set[str]:
    out = tmp_path / "out"
    return (
        {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
        if out.exists()
        else set()
    )


def test_one_command_writes_everything(render: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    code, out, err = render()
    assert code == Exit.DONE
    assert _there(tmp_path) - {".landbridge-rendered.json"} == FILES
    assert out.count("wrote") == len(FILES)
    assert "request-sheet.md to the network team" in err


def test_the_same_again_writes_nothing(render: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    render()
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("*.yaml")}
    code, out, _ = render()
    assert (code, out) == (Exit.DONE, "everything was there already; nothing was written\n")
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("*.yaml")} == before


def test_json_lists_the_files(render: Callable[..., tuple[int, str, str]]) -> None:
    document = json.loads(render("--json")[1])
    assert set(document["files"]["written"]) == FILES
    assert document["environment"] == "PRD"
    assert set(json.loads(render("--json")[1])["files"]["unchanged"]) == FILES


def test_a_file_that_was_changed_by_hand_is_not_lost(
    render: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    render()
    edited = tmp_path / "out" / "storage.yaml"
    edited.write_text("mine", encoding="utf-8")
    code, _, err = render()
    assert code == Exit.USAGE
    assert "storage.yaml" in err
    assert edited.read_text(encoding="utf-8") == "mine"
    assert render("--overwrite")[0] == Exit.DONE
    assert edited.read_text(encoding="utf-8") != "mine"


def test_a_file_of_somebody_else_is_not_lost(
    render: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "README.md").write_text("about this repository", encoding="utf-8")
    assert render()[0] == Exit.USAGE
    assert _there(tmp_path) == {"README.md"}


def test_a_folder_holds_one_environment(render: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    render()
    code, _, err = render(environment="DEV")
    assert code == Exit.USAGE
    assert "aws eidv PRD" in err
    assert "eidv-prd" in (tmp_path / "out" / "storage.parameters.json").read_text(encoding="utf-8")


def test_what_is_rendered_no_more_is_removed(
    render: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    render()
    record = tmp_path / "out" / ".landbridge-rendered.json"
    old = tmp_path / "out" / "old.yaml"
    old.write_text("old\n", encoding="utf-8")
    document = json.loads(record.read_text(encoding="utf-8"))
    document["files"]["old.yaml"] = sha256(b"something else").hexdigest()
    record.write_text(json.dumps(document), encoding="utf-8")
    assert render()[0] == Exit.USAGE  # it was changed since
    document["files"]["old.yaml"] = sha256(b"old\n").hexdigest()
    record.write_text(json.dumps(document), encoding="utf-8")
    code, out, _ = render()
    assert code == Exit.DONE
    assert "removed" in out
    assert not old.exists()


def test_without_an_aws_section_it_says_what_to_add(
    render: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    project = tmp_path / "project"
    with pytest.raises(SystemExit):
        main(["init", str(project)])
    code, _, err = render(environment="DEV", project=str(project))
    assert code == Exit.DECLARATION
    assert "account, vpc, subnets, on_premises and identity" in err
    assert _there(tmp_path) == set()


def test_an_environment_is_never_guessed(render: Callable[..., tuple[int, str, str]]) -> None:
    code, _, err = render(environment="STAGING")
    assert code == Exit.USAGE
    assert "STAGING" in err
