"""Which folders, jobs, transfers and profiles do the given files hold, and what does each inherit?

What a job does not say itself it takes from `Defaults` (of its folder, then of its file; the section of its own type first),
then from its folders. Source: BMC, Control-M Automation API, "Code Reference: Defaults" and "Folders".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from landbridge.deploy.controlm.lint.finding import Seen

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from landbridge.deploy.controlm.lint.declared import Declared
    from landbridge.deploy.controlm.lint.reading import Document, Node, Spot

FOLDERS = ("Folder", "SimpleFolder", "SubFolder")
_INHERITED = (
    "TimeZone",
    "Host",
    "RunAs",
    "Application",
    "SubApplication",
    "ControlmServer",
)
_WATCHING = ("SrcToDestFileWatcher", "DestToSrcFileWatcher", "FileWatcher")
_MOVING_NOTHING = ("FileWatcher", "DirectoryListing")


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder or sub-folder."""

    name: str
    """With the folders around it: `EIDV_PRD/VERIFICATIONS`."""
    type: str
    node: Node
    around: tuple[Node, ...] = ()
    """Folders around it, outermost first."""
    defaults: tuple[Node, ...] = ()
    """Nearest first."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job, with what it inherits from."""

    name: str
    type: str
    node: Node
    folder: str = ""
    folders: tuple[Node, ...] = ()
    """Outermost first."""
    defaults: tuple[Node, ...] = ()
    """Nearest first."""
    handed: tuple[Node, ...] = ()
    """Events, actions, notifications and resources of its folders."""
    following: frozenset[str] = frozenset()
    """Jobs of its folder that a flow puts after another."""

    @property
    def title(self) -> str:
        """Folder and job."""
        return f"{self.folder}/{self.name}" if self.folder else self.name


@dataclass(frozen=True, slots=True)
class Transfer:
    """One entry of a job's `FileTransfers`."""

    job: Job
    number: int
    """From 1."""
    node: Node

    @property
    def option(self) -> str:
        """Direction and watching; `SrcToDest` without it."""
        return text(self.node, "TransferOption") or "SrcToDest"

    @property
    def _back(self) -> bool:
        return self.option.startswith(("DestToSrc", "SyncDestToSrc"))

    @property
    def source(self) -> str:
        """Path that is read."""
        return text(self.node, "Dest" if self._back else "Src")

    @property
    def target(self) -> str:
        """Path that is written."""
        return text(self.node, "Src" if self._back else "Dest")

    @property
    def source_key(self) -> str:
        """Which key holds the path that is read."""
        return "Dest" if self._back else "Src"

    @property
    def watches(self) -> bool:
        """Whether it waits for its file."""
        return self.option in _WATCHING

    @property
    def moves(self) -> bool:
        """Whether bytes are written anywhere."""
        return self.option not in _MOVING_NOTHING

    @property
    def pattern(self) -> bool:
        """Whether the source is more than one name."""
        return text(self.node, "SRC_PATTERN") == "Regex" or bool(re.search(r"[*?]", _base(self.source)))


@dataclass(frozen=True, slots=True)
class Profile:
    """A connection profile, or one end of a profile with two ends."""

    name: str
    type: str
    node: Node


@dataclass(frozen=True, slots=True)
class Calendar:
    """A regular calendar: days one by one."""

    name: str
    node: Node


@dataclass(eq=False, slots=True)
class Sheet:
    """All of the given files together; one and the same while the rules look at it."""

    documents: tuple[Document, ...]
    today: date
    declared: Declared | None = None
    folders: list[Folder] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    profiles: list[Profile] = field(default_factory=list)
    calendars: list[Calendar] = field(default_factory=list)
    defaults: list[Node] = field(default_factory=list)

    @property
    def transfers(self) -> Iterator[Transfer]:
        """All entries of all file-transfer jobs."""
        return (one for job in self.jobs for one in transfers_of(job))


def sheet_of(documents: Sequence[Document], today: date, declared: Declared | None = None) -> Sheet:
    """Lay the files out."""
    sheet = Sheet(tuple(documents), today, declared)
    for document in documents:
        if document.root is not None:
            _root(sheet, document.root)
    return sheet


def _root(sheet: Sheet, root: Node) -> None:
    held = fields(root)
    defaults: tuple[Node, ...] = (held["Defaults"],) if "Defaults" in held else ()
    sheet.defaults += defaults
    if text(root, "Type"):
        _place(sheet, text(root, "Name"), root, Job("", "", root, defaults=defaults))
        return
    for name, node in held.items():
        _place(sheet, name, node, Job("", "", root, defaults=defaults))


def _place(sheet: Sheet, name: str, node: Node, around: Job) -> None:
    """Enter what stands at a node; `around` is what a job there inherits."""
    kind = text(node, "Type")
    if kind in FOLDERS:
        own = f"{around.folder}/{name}" if around.folder else name
        defaults = around.defaults
        if "Defaults" in fields(node):
            defaults = (fields(node)["Defaults"], *defaults)
            sheet.defaults.append(fields(node)["Defaults"])
        sheet.folders.append(Folder(own, kind, node, around.folders, defaults))
        children = fields(node).values()
        within = Job(
            "",
            "",
            node,
            folder=own,
            folders=(*around.folders, node),
            defaults=defaults,
            handed=(*around.handed, *(one for one in children if _is_part(text(one, "Type")))),
            following=frozenset(_following(node)),
        )
        for key, child in fields(node).items():
            _place(sheet, key, child, within)
        for child in listed(node, "Jobs"):
            _place(sheet, text(child, "Name"), child, within)
    elif kind == "Job" or kind.startswith("Job:"):
        sheet.jobs.append(replace(around, name=name, type=kind, node=node))
    elif kind.startswith("ConnectionProfile:"):
        sheet.profiles.append(Profile(name, kind, node))
    elif kind == "Calendar:Regular":
        sheet.calendars.append(Calendar(name, node))


def _is_part(kind: str) -> bool:
    return kind not in {"", "Flow", *FOLDERS} and not kind.startswith(("Job:", "Calendar:"))


def _following(folder: Node) -> Iterator[str]:
    for one in fields(folder).values():
        if text(one, "Type") == "Flow":
            yield from (str(step.value) for step in listed(one, "Sequence")[1:])


def transfers_of(job: Job) -> Iterator[Transfer]:
    """Give the entries of a job's `FileTransfers`."""
    if job.type == "Job:FileTransfer":
        for number, node in enumerate(listed(job.node, "FileTransfers"), 1):
            if isinstance(node.value, dict):
                yield Transfer(job, number, node)


def ends(profile: Profile) -> Iterator[tuple[str, Node]]:
    """Give protocol and node of each end of a profile: itself, or both ends of a dual endpoint."""
    if profile.type.endswith(":DualEndPoint"):
        for child in fields(profile.node).values():
            if text(child, "Type").startswith("Endpoint:"):
                yield text(child, "Type").rsplit(":", 1)[-1], child
    else:
        yield profile.type.rsplit(":", 1)[-1], profile.node


def get(node: Node | None, *path: str) -> Node | None:
    """Give the node at a path of keys, or None."""
    for key in path:
        if node is None or not isinstance(node.value, dict):
            return None
        node = node.value.get(key)
    return node


def fields(node: Node | None, *path: str) -> dict[str, Node]:
    """Give the object at a path; empty when there is none."""
    found = get(node, *path)
    return found.value if found is not None and isinstance(found.value, dict) else {}


def listed(node: Node | None, *path: str) -> list[Node]:
    """Give the list at a path; empty when there is none."""
    found = get(node, *path)
    return found.value if found is not None and isinstance(found.value, list) else []


def text(node: Node | None, *path: str) -> str:
    """Give the text at a path; a number as it would be written, and nothing for anything else."""
    found = get(node, *path)
    value = found.value if found is not None else None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value)


def flag(node: Node | None, *path: str) -> bool | None:
    """Give the switch at a path, also when it is written as text; None when there is none."""
    found = get(node, *path)
    value = found.value if found is not None else None
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower())
    return value if isinstance(value, bool) else None


def setting(job: Job, key: str) -> Node | None:
    """Give what counts for a job: its own, of its defaults, or of its folders."""
    own = get(job.node, key)
    if own is not None:
        return own
    for section in _sections(job):
        found = get(section, key)
        if found is not None:
            return found
    if key in _INHERITED:
        return next((found for one in reversed(job.folders) if (found := get(one, key)) is not None), None)
    return None


def _sections(job: Job) -> Iterator[Node]:
    """Give the objects of defaults that count for a job, the most particular first."""
    for defaults in job.defaults:
        parts = job.type.split(":")
        names = [":".join(parts[:count]) for count in range(len(parts), 0, -1)]
        names += [key for key in fields(defaults) if key.endswith("*") and _matches(key, job.type)]
        yield from (fields(defaults)[name] for name in names if name in fields(defaults))
        yield defaults


def _matches(pattern: str, kind: str) -> bool:
    return kind.startswith(pattern.rstrip("*").rstrip("."))


def parts(job: Job, *kinds: str, folders: bool = True) -> list[Node]:
    """Give the typed objects (events, actions, notifications, resources) that count for a job, by how their type begins."""
    own = [child for place in (job.node, *_sections(job)) for child in fields(place).values()]
    return [one for one in (*own, *(job.handed if folders else ())) if text(one, "Type").startswith(kinds)]


def follows(job: Job) -> bool:
    """Tell whether a flow of its folder puts the job after another."""
    return job.name in job.following


@lru_cache(maxsize=1)
def typed(sheet: Sheet) -> tuple[tuple[str, Node], ...]:
    """Give every object with a `Type`, with its name, file by file. Kept: many rules ask for them."""
    return tuple(one for document in sheet.documents if document.root for one in _typed(document.root))


def _typed(node: Node) -> Iterator[tuple[str, Node]]:
    stack: list[tuple[str, Node]] = [("", node)]
    while stack:
        name, one = stack.pop()
        if isinstance(one.value, dict):
            if "Type" in one.value and text(one, "Type"):
                yield name, one
            stack += reversed(list(one.value.items()))
        elif isinstance(one.value, list):
            stack += [(str(number), child) for number, child in reversed(list(enumerate(one.value)))]


def seen(node: Node, title: str, what: str, expected: str = "", *, key: str = "") -> Seen:
    """Tell of a node; at its key `key` when it has that."""
    child = get(node, key) if key else None
    if child is not None and child.spot.line != node.keys[key].line:
        return Seen(node.keys[key], child.path, title, what, expected)
    place = child or node
    return Seen(place.spot, place.path, title, what, expected)


def at_key(node: Node, key: str) -> Spot:
    """Give where a key stands."""
    return node.keys.get(key, node.spot)


def _base(path: str) -> str:
    return re.split(r"[/\\]", path.rstrip("/\\"))[-1]
