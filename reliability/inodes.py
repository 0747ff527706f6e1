"""What is on a simulated disk, what of it would survive a power cut, and in which states can it come back?

Bytes are kept twice: as everybody sees them (the page cache), and as they were when the file was last fsynced, with the
writes since. Names likewise: each folder as everybody sees it and as it would be found after a power cut, with the
changes between the two in the order in which they were made.

What may come back is a superset of what ext4 (data=ordered) may bring back, which commits changes of names in order and
all together: here one that was not synced may be lost while a later one, of other names, is not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from random import Random

PAGE = 4096
"""Bytes that reach the disk together, or not."""


@dataclass(frozen=True, slots=True)
class Written:
    """Bytes that were written since the last fsync."""

    offset: int
    piece: bytes


@dataclass(frozen=True, slots=True)
class Cut:
    """The file was cut or extended since the last fsync."""

    size: int


class Attributes(NamedTuple):
    """Mode and times, which are kept with neither bytes nor names; nanoseconds of the disk's own clock."""

    mode: int
    mtime: int
    ctime: int


@dataclass(eq=False, slots=True)
class Inode:
    """A file or a folder."""

    is_folder: bool
    seen: Attributes
    """As everybody sees it."""
    kept: Attributes
    """As it would be found after a power cut."""
    links: int = 0
    named_at: int = 0
    """When it was last given or denied a name: that is a change time, too, and lasts with the name."""
    kept_named_at: int = 0
    body: bytearray = field(default_factory=bytearray)
    kept_body: bytes = b""
    since: list[Written | Cut] = field(default_factory=list)
    names: dict[str, Inode] = field(default_factory=dict)
    kept_names: dict[str, Inode] = field(default_factory=dict)

    def write(self, offset: int, piece: bytes) -> None:
        """Put bytes there; a hole before them is filled with zeros."""
        if not piece:
            return
        if offset > len(self.body):
            self.body.extend(bytes(offset - len(self.body)))
        self.body[offset : offset + len(piece)] = piece
        self.since.append(Written(offset, piece))

    def cut(self, size: int) -> None:
        """Give it this size."""
        if size == len(self.body):
            return
        _cut(self.body, size)
        self.since.append(Cut(size))

    def sync(self) -> None:
        """Have bytes and attributes last; names are not its own."""
        if self.since:
            self.kept_body = bytes(self.body)
            self.since.clear()
        self.kept = self.seen

    def after_power_cut(self, random: Random | None) -> bytearray:
        """Give bytes it may come back with; without chance none that were not fsynced.

        None of what was written since, all, the first so many bytes of it, or any of its pages, with zeros where one
        is missing below the last. What was never written is never seen.
        """
        found = bytearray(self.kept_body)
        if random is None or not self.since:
            return found
        match random.randrange(4):
            case 0:
                return found
            case 1:
                _redo(found, self.since)
            case 2:
                _redo(found, _first_bytes(self.since, random))
            case _:
                _redo(found, (one for one in _in_pages(self.since) if random.random() < 0.5))
        return found


@dataclass(frozen=True)
class Named:
    """One change of names, which survives whole or not at all."""

    home: Inode
    """The folder whose fsync makes it last."""
    entries: tuple[tuple[Inode, str, Inode | None], ...]
    """Folder, name, and what has the name from now on."""
    subject: Inode
    at: int

    @cached_property
    def touches(self) -> frozenset[tuple[Inode, str]]:
        """The names it changes: two changes of one name survive in their order."""
        return frozenset((folder, name) for folder, name, _ in self.entries)

    def keep(self) -> None:
        """Have it survive."""
        for folder, name, inode in self.entries:
            if inode is None:
                folder.kept_names.pop(name, None)
            else:
                folder.kept_names[name] = inode
        self.subject.kept_named_at = max(self.subject.kept_named_at, self.at)


class Changes:
    """The changes of names that a power cut may undo, in order."""

    def __init__(self) -> None:
        self._pending: list[Named] = []

    def add(self, change: Named) -> None:
        """Make it, as everybody sees it."""
        for folder, name, inode in change.entries:
            before = folder.names.get(name)
            if before is not None:
                before.links -= 1
                before.named_at = change.at
            if inode is None:
                folder.names.pop(name, None)
            else:
                folder.names[name] = inode
                inode.links += 1
        change.subject.named_at = change.at
        self._pending.append(change)

    def sync(self, folder: Inode | None) -> None:
        """Have the changes last that are at home in `folder` (all, without one), and those of the same names before them."""
        if folder is None:
            for change in self._pending:
                change.keep()
            self._pending = []
            return
        needed: set[tuple[Inode, str]] = set()
        lasting, open_still = [], []
        for change in reversed(self._pending):
            if change.home is folder or change.touches & needed:
                needed |= change.touches
                lasting.append(change)
            else:
                open_still.append(change)
        for change in reversed(lasting):
            change.keep()
        self._pending = open_still[::-1]

    def surviving(self, random: Random | None) -> list[Named]:
        """Choose which of the rest a power cut leaves: none, all, the first so many, or any; none without chance."""
        if random is None:
            return []
        lost: set[tuple[Inode, str]] = set()
        left = []
        kind, most = random.randrange(4), random.randint(0, len(self._pending))
        for number, change in enumerate(self._pending):
            survives = (False, True, number < most, random.random() < 0.5)[kind]
            if survives and not change.touches & lost:
                left.append(change)
            else:
                lost |= change.touches
        return left


def rebooted(root: Inode, changes: Sequence[Named], random: Random | None) -> Inode:
    """Give the tree that is found after a power cut which `changes` survive; what is there is left as it is."""
    names: dict[Inode, dict[str, Inode]] = {}
    named_at: dict[Inode, int] = {}
    for change in changes:
        for folder, name, inode in change.entries:
            its = names.setdefault(folder, dict(folder.kept_names))
            if inode is None:
                its.pop(name, None)
            else:
                its[name] = inode
        named_at[change.subject] = change.at
    made: dict[Inode, Inode] = {}

    def come_back(inode: Inode) -> Inode:
        if inode in made:
            return made[inode]
        its = inode.kept if random is None or random.random() < 0.5 else inode.seen
        at = max(inode.kept_named_at, named_at.get(inode, 0))
        body = inode.after_power_cut(random)
        new = Inode(
            inode.is_folder, its, its, named_at=at, kept_named_at=at, body=body, kept_body=bytes(body)
        )
        made[inode] = new
        for name, child in names.get(inode, inode.kept_names).items():
            new.names[name] = new.kept_names[name] = come_back(child)
            new.names[name].links += 1
        return new

    return come_back(root)


def _redo(body: bytearray, changes: Iterable[Written | Cut]) -> None:
    for change in changes:
        if isinstance(change, Cut):
            _cut(body, change.size)
            continue
        if change.offset > len(body):
            _cut(body, change.offset)
        body[change.offset : change.offset + len(change.piece)] = change.piece


def _cut(body: bytearray, size: int) -> None:
    if size < len(body):
        del body[size:]
    else:
        body.extend(bytes(size - len(body)))


def _first_bytes(changes: Sequence[Written | Cut], random: Random) -> list[Written | Cut]:
    whole = random.randrange(len(changes))
    last = changes[whole]
    if isinstance(last, Cut):
        return list(changes[: whole + 1])
    return [*changes[:whole], Written(last.offset, last.piece[: random.randint(0, len(last.piece))])]


def _in_pages(changes: Iterable[Written | Cut]) -> Iterable[Written | Cut]:
    for change in changes:
        if isinstance(change, Cut):
            yield change
            continue
        at, end = change.offset, change.offset + len(change.piece)
        while at < end:
            until = min(end, (at // PAGE + 1) * PAGE)
            yield Written(at, change.piece[at - change.offset : until - change.offset])
            at = until
