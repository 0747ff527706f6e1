"""Can the command that a hint names be pasted as it is?"""

from __future__ import annotations

import ast
import json
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import typer

from landbridge.cli import COMMANDS, _app, main
from landbridge.cli.pasted import pasted, remember
from landbridge.errors import Exit
from tests.core.declared import FILES, write
from tests.fakes.proven import AUDIT, delivered, signer

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE = Path(__file__).parents[2] / "src" / "landbridge"
GIVEN = ("project", "environment", "twin")
NOT_ASKED = {"deploy kubernetes lint", "deploy controlm schema"}
"""They read files alone, and no hint names them."""


def typed(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(words)
    return int(ended.value.code or 0)


@pytest.mark.parametrize(
    ("words", "hint", "said"),
    [
        (
            ("run", "f", "--twin", "-e", "UAT"),
            "first: landbridge run f --step generate",
            "first: landbridge run f --step generate --environment UAT --twin",
        ),
        (
            ("trace", "f/1", "--project", "my feeds", "--environment=UAT"),
            "see `landbridge trace f/1`, and decide again",
            "see `landbridge trace f/1 --project 'my feeds' --environment UAT`, and decide again",
        ),
        (
            ("doctor", "-pfeeds", "--twin"),
            "landbridge twin down --environment UAT && landbridge twin up --environment UAT",
            "landbridge twin down --environment UAT --project feeds && landbridge twin up --environment UAT --project feeds",
        ),
        (
            ("keys", "status", "-e", "PRD"),
            "landbridge keys promote (once every agent has logged in)",
            "landbridge keys promote --environment PRD (once every agent has logged in)",
        ),
        (
            ("verify", "x", "--twin"),
            "landbridge keys rotate, or create for the first key",
            "landbridge keys rotate, or create for the first key",
        ),
        (("run", "f", "--twin"), "run `landbridge init` here", "run `landbridge init` here"),
        (("run", "f", "--twin"), "correct landbridge.yaml", "correct landbridge.yaml"),
        (("run", "f"), "landbridge collect", "landbridge collect"),
        (
            ("evidence", "f/1", "--twin"),
            "landbridge verify --bundle 'my, proof' --file x.csv",
            "landbridge verify --bundle 'my, proof' --file x.csv --twin",
        ),
    ],
)
def test_a_hint_names_what_was_typed_where_the_command_takes_it(
    words: tuple[str, ...], hint: str, said: str
) -> None:
    remember(words)
    assert pasted(hint) == said


def _options(command: str) -> Iterator[tuple[str, set[str], dict[str, set[str]]]]:
    """Give each command below one of the table, with its options and what the short ones stand for."""

    def below(found: object, path: str) -> Iterator[tuple[str, set[str], dict[str, set[str]]]]:
        for name, each in getattr(found, "commands", {}).items():
            if " " in path or path or name == command:
                yield from below(each, f"{path} {name}".strip())
        if not hasattr(found, "commands"):
            options = [set(option.opts) for option in getattr(found, "params", ())]
            short = {name: each for each in options for name in each if re.fullmatch("-[a-z]", name)}
            yield path, {name[2:] for each in options for name in each if name[2:] in GIVEN}, short

    yield from below(typer.main.get_command(_app([command])), "")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_the_table_says_which_of_them_each_command_takes(command: object) -> None:
    assert isinstance(command, type(COMMANDS[0]))
    found = [one for one in _options(command.name) if one[0] not in NOT_ASKED]
    assert found
    for name, options, short in found:
        assert options == set(command.takes), name
        assert "--project" in short.get("-p", {"--project"}), name
        assert "--environment" in short.get("-e", {"--environment"}), name


def _hints() -> Iterator[tuple[str, str]]:
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "hint":
                texts = [n for n in ast.walk(node.value) if isinstance(n, ast.Constant)]
                for text in texts:
                    for command in re.findall(r"(?:^|[` ])landbridge ([a-z]+)", str(text.value)):
                        yield f"{path.name}:{node.value.lineno}", command


def test_every_hint_names_a_command_that_there_is() -> None:
    hints = list(_hints())
    assert len(hints) > 30
    assert [one for one in hints if one[1] not in {command.name for command in COMMANDS}] == []


def test_nobody_but_the_printer_of_hints_adds_what_was_typed() -> None:
    by_hand = re.compile(r"' --twin'|\" --twin\"|print\([^)]*next: landbridge")
    found = [path.name for path in SOURCE.glob("cli/**/*.py") if by_hand.search(path.read_text("utf-8"))]
    assert found == []


def test_an_error_says_the_whole_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "my feeds"
    folder.mkdir()
    write(folder, FILES)
    words = ("run", "orders", "--project", str(folder), "--environment", "DEV", "--json")
    assert typed(*words, "--date", "2999-01-01") == Exit.USAGE
    assert typed("trace", "orders", "--project", str(folder), "-e", "DEV", "--twin", "--json") == 69
    last = json.loads(capsys.readouterr().err.splitlines()[-1])
    assert f"`landbridge twin up --project {shlex.quote(str(folder))} --environment DEV`" in last["hint"]


# What a hint says to those who cannot know


def test_who_has_a_bundle_and_no_key_is_told_which_one_and_how_to_give_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from landbridge.bundle import payload_of
    from landbridge.dsse import sealed

    there, decided = delivered()
    bundle = tmp_path / "the proof.json"
    bundle.write_bytes(sealed(payload_of(there.bundle(decided)), signer()))
    nowhere, project = tmp_path / "nowhere", tmp_path / "project"
    nowhere.mkdir()
    project.mkdir()
    write(project, FILES)
    for folder, why in ((nowhere, "there is no landbridge.yaml"), (project, "`DEV` declares no")):
        words = ("verify", "--bundle", str(bundle), "--project", str(folder), "--environment", "DEV")
        assert typed(*words) == Exit.USAGE
        said = capsys.readouterr().err
        assert why in said
        assert signer(AUDIT).key_id in said
        assert f"landbridge verify --bundle '{bundle}' --key FILE" in said
        assert "genpkey" not in said, "a receiver needs no signing key"


def test_a_slot_that_is_not_due_is_waived_on_purpose_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, FILES)
    where = ("--project", str(tmp_path), "--environment", "DEV", "--twin", "--reason", "closed")
    assert typed("waive", "orders/2998-01-01", *where) == Exit.USAGE
    said = capsys.readouterr().err
    assert "orders/2998-01-01 is not due before 2998-01-02 06:00 UTC" in said
    assert "--early" in said
    assert typed("waive", "orders/2998-01-01", *where, "--early") == Exit.UNAVAILABLE, (
        "it went on, to no twin"
    )


def test_mistakes_are_listed_where_they_stop_a_command_so_nobody_is_sent_to_see_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a deployment lacks is no mistake of the declaration by itself: `landbridge check` would find nothing."""
    write(tmp_path, FILES)
    words = ("deploy", "kubernetes", "render", "--project", str(tmp_path), "--environment", "PRD")
    assert typed(*words, "--out", str(tmp_path / "out")) == Exit.DECLARATION
    said = capsys.readouterr().err
    assert "environment `PRD` has no `kubernetes` (environments)" in said
    assert "landbridge check" not in said
