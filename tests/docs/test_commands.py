"""Does every command line of the documentation name a command and options that exist?"""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer

from landbridge.cli import COMMANDS, _app

ROOT = Path(__file__).parents[2]
PAGES = [
    *sorted((ROOT / "docs").rglob("*.md")),
    ROOT / "src" / "landbridge" / "cli" / "starter" / "README.md",
    *ROOT.glob("README.md"),
    ROOT / "tools" / "live-smoke.sh",
]
_IN_TEXT = re.compile(r"`landbridge ([a-z][^`]*)`")
_IN_BLOCK = re.compile(r"^(?:\$ )?(?:\S+/)?landbridge ([a-z].*)$", re.MULTILINE)


def lines() -> list[tuple[str, str]]:
    found = set()
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for line in (*_IN_TEXT.findall(text), *_IN_BLOCK.findall(text)):
            # `check && landbridge twin up`; a comment, a pipe or a file may follow.
            typed = "landbridge " + re.split(r"\s#|[|>;]", line)[0]
            commands = [part.strip() for part in typed.split("&&")]
            found |= {
                (str(page.relative_to(ROOT)), part.removeprefix("landbridge "))
                for part in commands
                if part.startswith("landbridge ")
            }
    return sorted(found)


@pytest.mark.parametrize(("page", "line"), lines())
def test_a_command_line_of_the_documentation_can_be_typed(page: str, line: str) -> None:
    words = [word for word in shlex.split(line) if word != "..."]
    names = [command.name for command in COMMANDS]
    assert words, page
    assert words[0] in names, f"{page}: no command `{words[0]}`"
    command = typer.main.get_command(_app(words))
    context = typer.Context(command)
    for word in words:
        if word.startswith("-"):
            break
        below = getattr(command, "commands", {}).get(word)
        if below is None:
            break
        command = below
        context = typer.Context(command, parent=context, info_name=word)
    options = {
        option
        for parameter in command.get_params(context)
        for option in (*parameter.opts, *parameter.secondary_opts)
    }
    given = [word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)]
    assert [option for option in given if option not in options] == [], f"{page}: landbridge {line}"


def test_there_are_command_lines_to_look_at() -> None:
    assert len(lines()) > 10


def test_the_live_smoke_script_is_a_script() -> None:
    """It needs a real account, so this is all that is known of it here; docs/live-smoke.md says so."""
    script = ROOT / "tools" / "live-smoke.sh"
    subprocess.run(["bash", "-n", script], check=True)
    assert "NOT RUN YET" in script.read_text(encoding="utf-8")


def leaves(name: str) -> list[tuple[str, Any]]:
    """Give each command of the table's entry, with those of a group, by what is typed."""
    waiting = [(name, typer.main.get_command(_app([name])).commands[name])]  # type: ignore[attr-defined]
    found = []
    while waiting:
        typed, command = waiting.pop()
        below = getattr(command, "commands", None)
        if below:
            waiting += [(f"{typed} {word}", one) for word, one in below.items()]
        else:
            found.append((typed, command))
    return found


@pytest.mark.parametrize("name", [command.name for command in COMMANDS])
def test_every_help_has_an_example_that_can_be_typed_and_names_what_may_be_repeated(name: str) -> None:
    for typed, command in leaves(name):
        assert f"Example: landbridge {typed}" in command.help, typed
        for option in command.params:
            if getattr(option, "multiple", False):
                assert option.metavar, f"{typed}: {option.opts} would be shown as a list of Python's"
