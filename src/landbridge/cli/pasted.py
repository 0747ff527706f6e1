"""Which command can be pasted as it is? One that names the project, environment and twin of the command that was typed before it."""

from __future__ import annotations

import re
import shlex
from contextvars import ContextVar
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from landbridge.cli import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Typed:
    """The options of a command that the next one needs as well, as they were typed; empty for those that were not."""

    project: str = ""
    environment: str = ""
    twin: str = ""


_SHORT = {"-p": "project", "-e": "environment"}
"""The same in every command."""
_NOTHING = Typed()
_TYPED = ContextVar("typed", default=_NOTHING)
_TAKES = {command.name: command.takes for command in COMMANDS}

_WORD = r"(?!(?:once|or|and|then|for) )(?:'[^']*'|[^\s,;`()'&])+"
"""A command ends where a remark begins, or with its line."""
_COMMAND = re.compile(rf"(?<![\w./-])landbridge ({'|'.join(_TAKES)})\b(?: {_WORD})*")


def remember(words: Sequence[str]) -> None:
    """Note what was typed, for the hints of this command."""
    found: dict[str, str] = {}
    for word, following in zip(words, (*words[1:], ""), strict=False):
        name, _, value = word.partition("=")
        if word == "--twin":
            found["twin"] = word
        elif name in {"--project", "--environment"}:
            found[name[2:]] = value if "=" in word else following
        elif word[:2] in _SHORT:
            found[_SHORT[word[:2]]] = word[2:] or following
    _TYPED.set(Typed(**found))


def pasted(text: str) -> str:
    """Give a text with each command in it as it has to be typed now."""
    return _COMMAND.sub(_again, text)


def _again(found: re.Match[str]) -> str:
    command, typed = found[0], _TYPED.get()
    for name in (field.name for field in fields(Typed)):
        value = getattr(typed, name)
        short = next((short for short, long in _SHORT.items() if long == name), f"--{name}")
        said = {f"--{name}", short} & {word.partition("=")[0] for word in command.split()}
        if value and name in _TAKES[found[1]] and not said:
            command += f" --{name}" if name == "twin" else f" --{name} {shlex.quote(value)}"
    return command
