"""What is to be deployed: two documents of definitions, as they were rendered, and where they belong?"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from landbridge.deploy.controlm.render import FOLDER, PROFILES
from landbridge.errors import UsageError, disk_refused

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from landbridge.deploy.controlm.setting import Setting

FOLDERS, CALENDARS = "Folder", "Calendar:Regular"
"""Types of what `folder.json` holds."""
_SECRET = re.compile(r"passw|passph|secret", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Document:
    """Definitions by name; `text` is what is sent, so that a line of an error is a line of the file."""

    file: str
    text: str
    definitions: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Given:
    """What an environment deploys."""

    environment: str
    server: str
    """Control-M/Server."""
    agents: tuple[str, ...]
    """Each of them needs the key, and each profile is tested on each."""
    profiles: Document
    folder: Document

    @property
    def folders(self) -> tuple[str, ...]:
        """Names of the folders; a time zone has its own."""
        return tuple(name for name, one in self.folder.definitions.items() if one["Type"] == FOLDERS)


def document(file: str, text: str) -> Document:
    """Read one document.

    Raises:
        UsageError: it is not an object of objects that each have a `Type`.
    """
    try:
        parsed = json.loads(text)
    except ValueError as error:
        raise UsageError(f"{file} is not JSON", seen=str(error)) from error
    whole = isinstance(parsed, dict) and all(
        isinstance(each, dict) and isinstance(each.get("Type"), str) for each in parsed.values()
    )
    if not whole:
        raise UsageError(f"{file} holds no definitions", expected="objects by name, each with its `Type`")
    return Document(file, text, parsed)


def given(setting: Setting, files: Mapping[str, str]) -> Given:
    """Put the documents of an environment together, from the text of both files.

    Raises:
        UsageError: they are of something else than this environment declares.
    """
    declared = setting.declared
    profiles, folder = document(PROFILES, files[PROFILES]), document(FOLDER, files[FOLDER])
    odd = [
        name for name, one in profiles.definitions.items() if not one["Type"].startswith("ConnectionProfile:")
    ]
    if odd:
        raise UsageError(
            f"{profiles.file} holds more than connection profiles",
            expected="profiles alone",
            seen=", ".join(odd),
        )
    literal = [
        f"{name}.{key}"
        for name, one in profiles.definitions.items()
        for key, value in one.items()
        if isinstance(value, str) and _SECRET.search(key)
    ]
    if literal:
        raise UsageError(
            f"{profiles.file} holds a secret itself, so nothing is sent",
            expected='`{"Secret": "NAME"}`, a name in Control-M\'s own vault',
            seen=", ".join(literal),
        )
    scattered = [name for name, one in profiles.definitions.items() if one.get("Centralized") is not True]
    if scattered:
        raise UsageError(
            "only centralized connection profiles are deployed",
            expected="`Centralized: true`",
            seen=", ".join(scattered),
            hint="a local profile is deployed to each agent by its administrators, with `ctm deploy`",
        )
    strange = [name for name, one in folder.definitions.items() if one["Type"] not in {FOLDERS, CALENDARS}]
    if strange:
        raise UsageError(
            f"{folder.file} holds more than folders and their calendars",
            expected=f"`{FOLDERS}` and `{CALENDARS}`",
            seen=", ".join(strange),
        )
    agents = declared.members or (declared.agents,)
    made = Given(setting.where.environment, declared.server, agents, profiles, folder)
    if not made.folders:
        raise UsageError(f"{folder.file} holds no folder")
    others = [
        name
        for name in made.folders
        if name not in {setting.folder, f"{setting.folder}_{folder.definitions[name].get('TimeZone')}"}
    ]
    if others:
        raise UsageError(
            f"{folder.file} is of another environment", expected=setting.folder, seen=", ".join(others)
        )
    foreign = {
        str(one.get("ControlmServer" if one["Type"] == FOLDERS else "Server"))
        for one in folder.definitions.values()
    } - {declared.server}
    if foreign:
        raise UsageError(
            f"{folder.file} is of another Control-M/Server",
            expected=declared.server,
            seen=", ".join(sorted(foreign)),
        )
    return made


def read(folder: Path) -> dict[str, str]:
    """Read what was rendered into a folder, and perhaps reviewed since: the text of both files.

    Raises:
        UsageError: it is not there.
        ShareRefused, DiskFailed: the disk refused.
    """
    texts = {}
    for file in (PROFILES, FOLDER):
        try:
            texts[file] = (folder / file).read_text(encoding="utf-8")
        except FileNotFoundError as error:
            raise UsageError(
                f"{folder / file} is not there",
                expected="what `landbridge deploy controlm render` writes",
            ) from error
        except UnicodeDecodeError as error:
            raise UsageError(f"{folder / file} is not text") from error
        except OSError as error:
            raise disk_refused(error, f"reading {folder / file}") from error
    return texts
