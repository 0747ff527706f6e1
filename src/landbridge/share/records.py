"""What does the journal say of a slot? Its lines, and the account they add up to."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003 - pydantic reads the annotations when the program runs
from functools import cache
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from landbridge.facts import Brought, Manifest, Receipt  # noqa: TC001 - as datetime
from landbridge.share.platform import Way  # noqa: TC001 - as datetime

How = Literal["placed", "recovered", "found", "restored", "answered"]
"""How it is known that a file landed: by us, from what a crash left, already there, from its receipt, from a person."""


@dataclass(frozen=True, slots=True)
class SlotKey:
    """A slot without its times."""

    feed: str
    occurrence: str

    def __str__(self) -> str:
        """Give the name used in file names: neither part has a dot or a tilde."""
        return f"{self.feed}.{self.occurrence}"


@dataclass(frozen=True, slots=True)
class Intent:
    """From here on the part may have its final name. If it is gone from its place, it was delivered."""

    manifest: Manifest
    part: str
    way: Way
    changed: int
    """Change time of the part, for `platform.was_linked`."""
    done_changed: int
    """The same of the private done-file; 0 where the consumer wants none."""
    at: datetime
    """Goes into the receipt as the time of landing."""
    collector: str
    brought: Brought | None = None
    """Goes into the receipt; None where the file was found, and in journals of before it was kept."""
    kind: Literal["intent"] = "intent"


@dataclass(frozen=True, slots=True)
class Moving:
    """A later claimant is about to take the part of an open intent, or its done-file, from an earlier one: it is where it was, or here."""

    slot: SlotKey
    revision: int
    part: str
    of: str = ""
    """The part as its intent names it; empty in journals of before it was kept."""
    kind: Literal["moving"] = "moving"


@dataclass(frozen=True, slots=True)
class Linking:
    """From here on the done-file that waits beside `part`, and was moved there, may have its name by a link."""

    slot: SlotKey
    part: str
    changed: int
    """Its change time, for `platform.was_linked`."""
    kind: Literal["linking"] = "linking"


@dataclass(frozen=True, slots=True)
class Dropped:
    """A part without an intent, of a claimant whose claim is gone, is about to be removed.

    Should that claimant wake up and write an intent for it after all, it does not pass the fence: such an intent proves
    nothing, wherever it stands in the journals.
    """

    slot: SlotKey
    part: str
    kind: Literal["dropped"] = "dropped"


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """Intents came to nothing, their parts were not delivered and may be removed."""

    slot: SlotKey
    revision: int
    parts: tuple[str, ...] = ()
    """As the intents name them; empty in journals of before it was kept, and then all of the revision are meant."""
    kind: Literal["withdrawn"] = "withdrawn"


@dataclass(frozen=True, slots=True)
class LandedRecord:
    """The file is on the share, or was."""

    receipt: Receipt
    how: How
    kind: Literal["landed"] = "landed"


@dataclass(frozen=True, slots=True)
class Receipted:
    """The receipt is on the server."""

    slot: SlotKey
    revision: int
    kind: Literal["receipted"] = "receipted"


@dataclass(frozen=True, slots=True)
class Again:
    """A person said that a file of which nothing is known is to be delivered."""

    slot: SlotKey
    revision: int
    kind: Literal["again"] = "again"


Record = Intent | Moving | Linking | Dropped | Withdrawn | LandedRecord | Receipted | Again


@dataclass(frozen=True, slots=True)
class Line:
    """A record with its place in the history of its slot, so that the journals of several collectors merge."""

    number: int
    record: Annotated[Record, Field(discriminator="kind")]
    kept: int = 0
    """So many bytes of its file were known to last when it was written: a hole further on was never acknowledged."""


class Torn(Exception):
    """A line that was not written to its end, or is damaged."""


def write_line(line: Line) -> bytes:
    """Give the line's bytes: checksum, blank, JSON, line end."""
    body = _adapter().dump_json(line)
    return b"%08x %s\n" % (zlib.crc32(body), body)


def read_line(text: bytes) -> Line:
    """Read a line without its end.

    Raises:
        Torn: the checksum does not fit, or it is no record of ours.
    """
    checksum, _, body = text.partition(b" ")
    if checksum != b"%08x" % zlib.crc32(body):
        raise Torn
    try:
        return _adapter().validate_json(body)
    except ValidationError as error:
        raise Torn from error


def slot_of(record: Record) -> SlotKey:
    """Tell which slot a record is about."""
    match record:
        case Intent(manifest=known) | LandedRecord(receipt=known):
            return SlotKey(known.feed, known.occurrence)
        case Moving() | Linking() | Dropped() | Withdrawn() | Receipted() | Again():
            return record.slot


@dataclass(slots=True)
class Account:
    """Everything the journals say about one slot, in order."""

    lines: list[Line] = field(default_factory=list)
    landed: dict[int, Receipt] = field(default_factory=dict)
    receipted: set[int] = field(default_factory=set)
    again: set[int] = field(default_factory=set)
    intents: dict[int, dict[str, Intent]] = field(default_factory=dict)
    """Open ones, by revision and part. At most one was written under a claim that held; others by claimants who woke too late."""
    parts: dict[str, list[str]] = field(default_factory=dict)
    """Where a part can be, and its done-file, by the name that an intent has for it."""
    linking: dict[str, int] = field(default_factory=dict)
    """By part, the change time of a done-file before it was linked from there."""
    dropped: set[str] = field(default_factory=set)
    """Parts that no intent can speak for."""

    @property
    def next_number(self) -> int:
        """The place of the next line."""
        return self.lines[-1].number + 1 if self.lines else 1

    @property
    def newest(self) -> Receipt | None:
        """The highest revision that landed."""
        return self.landed[max(self.landed)] if self.landed else None

    def add(self, line: Line) -> None:
        """Take a line in; one that belongs further up makes the account be added up again."""
        in_order = not self.lines or line.number > self.lines[-1].number
        self.lines.append(line)
        if in_order:
            self._apply(line.record)
            return
        self.lines.sort(key=lambda known: known.number)
        for collection in (
            self.landed,
            self.receipted,
            self.again,
            self.intents,
            self.parts,
            self.linking,
            self.dropped,
        ):
            collection.clear()
        for known in self.lines:
            self._apply(known.record)

    def _apply(self, record: Record) -> None:
        match record:
            case Intent():
                self.parts.setdefault(record.part, [record.part])
                if record.part not in self.dropped:
                    self.intents.setdefault(record.manifest.revision, {})[record.part] = record
            case Moving():
                self._move(record)
            case Linking():
                self.linking[record.part] = record.changed
            case Dropped():
                self._drop(record.part)
            case Withdrawn():
                self._close(record.revision, record.parts)
            case LandedRecord():
                self.landed.setdefault(record.receipt.revision, record.receipt)
                self._close(record.receipt.revision)
            case Receipted():
                self.receipted.add(record.revision)
            case Again():
                self.again.add(record.revision)

    def _drop(self, part: str) -> None:
        self.dropped.add(part)
        for revision in tuple(self.intents):
            self._close(revision, (part,))

    def _move(self, moving: Moving) -> None:
        """Note where a part may be from now on, by whichever name it may have had until now."""
        for of in (moving.of,) if moving.of else tuple(self.intents.get(moving.revision, ())):
            for part in tuple(self.parts.setdefault(of, [of])):
                places = self.parts.setdefault(part, [part])
                if moving.part not in places:
                    places.append(moving.part)

    def _close(self, revision: int, parts: tuple[str, ...] = ()) -> None:
        opened = self.intents.get(revision, {})
        for part in parts or tuple(opened):
            opened.pop(part, None)
        if not opened:
            self.intents.pop(revision, None)


@cache
def _adapter() -> TypeAdapter[Line]:
    return TypeAdapter(Line)
