"""Does it matter which of two calls of two collectors comes first? What each of them sees and changes of what both may reach."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reliability.through import Call

ROOT, PRIVATE = Path("/share"), Path("/share/.landbridge/dev")
Noted = tuple[str, ...]
"""A call as it is kept: its name, and the paths it is about."""
_OF_FILES = frozenset({"read", "write", "fstat"})
_OF_TWO = frozenset({"rename", "rename_new", "link"})
_OF_ONE = frozenset({"open", "create", "lstat", "listdir", "mkdir", "rmdir", "unlink"})
NOBODYS = frozenset({"fsync", "sync_folder", "close", "lseek", "stat", "chmod", "utime"})
NAMING = frozenset({"rename_new", "link"})
_MEETING = tuple(
    f"{place}" for place in (PRIVATE / "parts", PRIVATE / "claims", PRIVATE / "journal", ROOT / "in")
)
"""Where collectors meet; signs of life are not looked at while their owner is awake."""


class Touch(NamedTuple):
    """What a call sees and changes of what others may change and see."""

    sees: frozenset[str]
    changes: frozenset[str]
    lists: str = ""
    """The folder whose names it sees."""
    renames: frozenset[str] = frozenset()
    """Folders whose names it changes: two that do so are in nobody's way for that alone."""

    def meets(self, other: Touch) -> bool:
        """Tell whether it matters which of the two comes first."""
        return bool(
            self.changes & (other.sees | other.changes)
            or other.changes & self.sees
            or self.lists in other.renames
            or other.lists in self.renames
        )


def noted(call: Call, opened_files: Mapping[int, str]) -> Noted:
    """Give what is needed to say what a call touches; nothing if it is in nobody's way."""
    operation, arguments = call.operation, call.arguments
    if operation in _OF_FILES:
        path = opened_files[arguments[0]]
        return (operation, path) if path.startswith(_MEETING) else ()
    if operation == "open" and arguments[1] & os.O_CREAT:
        operation = "create"
    if operation in _OF_TWO:
        paths = f"{arguments[0]}", f"{arguments[1]}"
        return (operation, *paths) if any(path.startswith(_MEETING) for path in paths) else ()
    path = f"{arguments[0]}"
    return (operation, path) if operation in _OF_ONE and path.startswith(_MEETING) else ()


@lru_cache(maxsize=10_000)
def touch(call: Noted) -> Touch:
    """Give what a call sees and changes."""
    operation, *paths = call
    names = frozenset(os.path.normpath(one) for one in paths)
    match operation:
        case "read" | "fstat" | "lstat" | "open":
            return Touch(names, frozenset())
        case "write":
            return Touch(frozenset(), names)
        case "listdir":
            return Touch(frozenset(), frozenset(), paths[0])
        case _:
            through = frozenset(one[: one.index("/..")] for one in paths if "/.." in one)
            return Touch(through, names, "", frozenset(one.rpartition("/")[0] for one in names))


def changes(call: Noted) -> bool:
    """Tell whether it is more than a look."""
    return bool(touch(call).changes)


def meet(ones: Sequence[Noted], others: Sequence[Noted]) -> bool:
    """Tell whether any of these matters to any of those."""
    return any(touch(one).meets(touch(other)) for one in ones for other in others)
