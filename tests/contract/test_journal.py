"""Is what the journal says true, whole and there to stay, whoever writes, and whatever the disk does in the middle?"""

from __future__ import annotations

import errno
import os
import stat
import sys
import zlib
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest

from landbridge.disk.local import LocalDisk
from landbridge.errors import DiskFailed, IntegrityBroken, ShareRefused
from landbridge.facts import Receipt
from landbridge.share.journal import Journal
from landbridge.share.platform import Way
from landbridge.share.records import (
    Account,
    Again,
    Dropped,
    Intent,
    LandedRecord,
    Line,
    Linking,
    Moving,
    Receipted,
    SlotKey,
    Torn,
    Withdrawn,
    read_line,
    write_line,
)
from reliability.disk import SimulatedDisk
from tests.contract.test_share import manifest
from tests.fakes.set_clock import SetClock

if TYPE_CHECKING:
    from collections.abc import Callable

    from landbridge.share.records import Record

DAY = date(2026, 11, 20)
SLOT, OTHER = SlotKey("flights", "2026-11-20"), SlotKey("flights", "2026-11-19")
NOW = SetClock().now()


def intent(part: str = "part", revision: int = 1) -> Intent:
    return Intent(manifest(revision=revision), part, Way.RENAME, 0, 0, NOW, "edge1")


def receipt(revision: int = 1, collector: str = "edge1") -> Receipt:
    one = manifest(revision=revision)
    return Receipt(
        feed=one.feed,
        occurrence=one.occurrence,
        business_date=DAY,
        revision=revision,
        environment="DEV",
        size=one.size,
        sha256=one.sha256,
        landed_path=one.landed_name,
        landed_at=NOW,
        collector=collector,
        commitment=one.commitment,
    )


class Told(LocalDisk):
    """Lets something happen before a call."""

    def __init__(self) -> None:
        self.before: Callable[[str], None] = lambda _call: None
        self.takes = 1 << 30
        """Bytes of one write."""

    def write(self, file: int, piece: bytes | memoryview) -> int:
        self.before("write")
        return super().write(file, bytes(piece[: self.takes]))

    def fsync(self, file: int) -> None:
        self.before("fsync")
        super().fsync(file)

    def listdir(self, folder: Path) -> list[str]:
        self.before("listdir")
        return super().listdir(folder)

    def open(self, path: Path, flags: int, mode: int = 0o666) -> int:
        self.before("open")
        return super().open(path, flags, mode)

    def close(self, file: int) -> None:
        super().close(file)
        self.before("close")


def nothing(_call: str) -> None:
    """Let all calls go on."""


@pytest.fixture
def disk() -> Told:
    return Told()


@pytest.fixture
def journal(disk: Told, tmp_path: Path) -> Journal:
    return Journal(disk, tmp_path, "edge1")


def lines(folder: Path, collector: str = "edge1") -> list[Line]:
    return [read_line(line) for line in (folder / f"{DAY}" / f"{collector}.jsonl").read_bytes().splitlines()]


def reread(folder: Path) -> Account:
    return Journal(LocalDisk(), folder, "reader").account(DAY, SLOT)


# What was acknowledged lasts


def test_the_first_line_of_a_day_lasts_with_its_file_and_its_folder() -> None:
    disk = SimulatedDisk(lambda: 1_000)
    disk.mount().mkdir(Path("/journal"))
    disk.settle()
    Journal(disk.mount(), Path("/journal"), "edge1").append(DAY, intent())
    back = disk.power_cut(Random(1), strict=True)
    assert Journal(back.mount(), Path("/journal"), "edge1").account(DAY, SLOT).intents


def test_lines_of_a_session_that_was_killed_last_before_anything_is_written_behind_them(
    disk: Told, tmp_path: Path
) -> None:
    Journal(LocalDisk(), tmp_path, "edge1").append(DAY, intent(), durable=False)
    before = (tmp_path / f"{DAY}" / "edge1.jsonl").stat().st_size
    calls: list[str] = []
    disk.before = calls.append
    Journal(disk, tmp_path, "edge1").append(DAY, Receipted(OTHER, 1), durable=False)
    assert [call for call in calls if call in {"write", "fsync"}] == ["fsync", "write"]
    assert [one.kept for one in lines(tmp_path)] == [0, before], "and the new line says so"


def test_a_line_says_no_more_of_what_lasts_than_was_there_when_it_was_kept(
    disk: Told, journal: Journal, tmp_path: Path
) -> None:
    """A line that comes during an fsync may or may not be part of it."""
    path = tmp_path / f"{DAY}" / "edge1.jsonl"
    sizes: list[int] = []

    def late(call: str) -> None:
        if call == "fsync" and not sizes:
            sizes.append(path.stat().st_size)
            journal.append(DAY, Receipted(OTHER, 1), durable=False)

    disk.before = late
    journal.append(DAY, intent())
    journal.append(DAY, Receipted(OTHER, 2))
    assert [one.kept for one in lines(tmp_path)] == [0, 0, sizes[0]]
    journal.append(DAY, Receipted(OTHER, 3))
    assert lines(tmp_path)[-1].kept > sizes[0]


def test_an_fsync_that_failed_fails_for_ever(disk: Told, journal: Journal) -> None:
    """The kernel tells of a lost page once, and what is asked again seems to have been kept."""
    journal.append(DAY, intent())

    def fails(call: str) -> None:
        if call == "fsync":
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    disk.before = fails
    with pytest.raises(DiskFailed) as told:
        journal.append(DAY, Receipted(SLOT, 1))
    assert told.value.whole
    disk.before = nothing
    with pytest.raises(DiskFailed):
        journal.append(DAY, Receipted(SLOT, 1))


# What was not, leaves nothing


@pytest.mark.parametrize("how", ["an error", "fewer bytes"])
def test_lines_that_a_full_disk_took_in_part_are_taken_back(
    disk: Told, journal: Journal, tmp_path: Path, how: str
) -> None:
    journal.append(DAY, intent())
    path = tmp_path / f"{DAY}" / "edge1.jsonl"
    whole = path.read_bytes()

    def full(call: str) -> None:
        if call == "write":
            with path.open("ab") as file:
                file.write(b"12345678 {")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if how == "an error":
        disk.before = full
    else:
        disk.takes = 10
    with pytest.raises((ShareRefused, DiskFailed)) as told:
        journal.append(DAY, LandedRecord(receipt(), "placed"))
    assert told.value.whole
    assert path.read_bytes() == whole
    assert journal.account(DAY, SLOT).newest is None
    disk.before, disk.takes = nothing, 1 << 30
    journal.append(DAY, Withdrawn(SLOT, 1))
    assert not reread(tmp_path).intents
    assert [one.number for one in lines(tmp_path)] == [1, 2]


@pytest.mark.parametrize("number", [errno.EIO, errno.EACCES])
@pytest.mark.parametrize("call", ["listdir", "open", "write"])
def test_a_disk_that_fails_is_no_empty_journal(
    disk: Told, journal: Journal, call: str, number: int, tmp_path: Path
) -> None:
    Journal(LocalDisk(), tmp_path, "edge2").append(DAY, intent())

    def fails(asked: str) -> None:
        if asked == call:
            raise OSError(number, os.strerror(number))

    disk.before = fails
    asks: list[Callable[[], object]] = [lambda: journal.append(DAY, intent())]
    if call != "write":
        asks += [lambda: journal.account(DAY, SLOT), lambda: list(journal.accounts(DAY))]
    for ask in asks:
        with pytest.raises((DiskFailed, ShareRefused)) as told:
            ask()
        assert told.value.whole, "it concerns all files"


def test_an_end_that_fails_is_no_failure(disk: Told, journal: Journal) -> None:
    journal.append(DAY, intent())

    def fails(call: str) -> None:
        if call == "close":
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    disk.before = fails
    journal.close()
    journal.close()


# Several write


def test_two_sessions_of_one_collector_where_there_are_no_locks_lose_no_line(
    disk: Told, journal: Journal, tmp_path: Path
) -> None:
    second = Journal(LocalDisk(), tmp_path, "edge1")
    journal.append(DAY, intent("a"))
    second.append(DAY, intent("b"))

    def between(call: str) -> None:
        if call == "write":
            disk.before = nothing
            second.append(DAY, Receipted(OTHER, 1))

    disk.before = between
    journal.append(DAY, Receipted(OTHER, 2))
    assert len(lines(tmp_path)) == 4


def test_a_journal_that_was_closed_reads_anew_what_others_wrote_meanwhile(
    journal: Journal, tmp_path: Path
) -> None:
    journal.append(DAY, intent())
    journal.close()
    Journal(LocalDisk(), tmp_path, "edge1").append(DAY, LandedRecord(receipt(), "placed"))
    journal.append(DAY, Receipted(SLOT, 1))
    assert reread(tmp_path).newest == receipt()
    assert [one.number for one in lines(tmp_path)] == [1, 2, 3]


def test_lines_of_one_slot_are_numbered_on_and_merge_in_their_order(journal: Journal, tmp_path: Path) -> None:
    journal.append(DAY, intent("a"), Moving(SLOT, 1, "b"), Receipted(OTHER, 1))
    Journal(LocalDisk(), tmp_path, "edge0").append(DAY, Withdrawn(SLOT, 1), intent("c"))
    assert [one.number for one in lines(tmp_path)] == [1, 2, 1]
    assert [one.number for one in lines(tmp_path, "edge0")] == [3, 4]
    for account in (journal.account(DAY, SLOT), reread(tmp_path)):  # edge0 is read first
        assert (list(account.intents[1]), account.parts["c"]) == (["c"], ["c"])


def test_what_lies_beside_the_journals_is_not_read(journal: Journal, tmp_path: Path) -> None:
    journal.append(DAY, intent())
    (tmp_path / f"{DAY}" / "edge1.jsonl~").write_bytes(b"an editor's copy\nwith lines\n")
    (tmp_path / "lost+found").mkdir()
    (tmp_path / "identity.json").write_bytes(b"{}")
    assert len(list(Journal(LocalDisk(), tmp_path, "edge2").accounts(date.min))) == 1


def test_only_the_days_that_are_asked_for_are_read(journal: Journal, tmp_path: Path) -> None:
    journal.append(DAY, intent())
    journal.append(DAY - timedelta(days=1), intent())
    (tmp_path / f"{DAY - timedelta(days=1)}" / "edge1.jsonl").write_bytes(b"damaged\nlong ago\n")
    assert len(list(Journal(LocalDisk(), tmp_path, "edge2").accounts(DAY))) == 1
    with pytest.raises(IntegrityBroken):
        list(Journal(LocalDisk(), tmp_path, "edge2").accounts(DAY - timedelta(days=1)))


@pytest.mark.skipif(sys.platform == "win32", reason="modes of POSIX")
def test_a_journal_is_for_our_group_to_read_and_nobody_elses(journal: Journal, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        journal.append(DAY, intent())
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / f"{DAY}" / "edge1.jsonl").stat().st_mode) == 0o640


# Lines and accounts


@pytest.mark.parametrize("body", [b"{}", b'{"number":1,"record":{"kind":"other"}}', b"no JSON", b""])
def test_a_line_that_is_no_record_is_torn_whatever_its_checksum(body: bytes) -> None:
    with pytest.raises(Torn):
        read_line(b"%08x %s" % (zlib.crc32(body), body))


def test_a_line_of_which_one_bit_is_wrong_is_torn() -> None:
    text = write_line(Line(1, Receipted(SLOT, 1))).rstrip(b"\n")
    read_line(text)
    for place in range(len(text)):
        spoilt = bytearray(text)
        spoilt[place] ^= 1
        with pytest.raises(Torn):
            read_line(bytes(spoilt))


def added(*records: Record, order: tuple[int, ...] = ()) -> Account:
    account = Account()
    numbered = [Line(number, record) for number, record in enumerate(records, 1)]
    for place in order or range(len(numbered)):
        account.add(numbered[place])
    return account


def test_an_account_is_the_same_in_whatever_order_its_lines_are_read() -> None:
    records = (intent("a"), Moving(SLOT, 1, "b"), Withdrawn(SLOT, 1), intent("c"), Again(SLOT, 2))
    straight = added(*records)
    assert (list(straight.intents[1]), straight.parts["c"], straight.again) == (["c"], ["c"], {2})
    assert added(*records[:2]).parts == {"a": ["a", "b"]}, "it is at one of the two"
    for order in ((4, 3, 2, 1, 0), (2, 0, 1, 4, 3), (1, 0, 3, 2, 4)):
        mixed = added(*records, order=order)
        assert (mixed.parts, mixed.intents, mixed.again) == (straight.parts, straight.intents, straight.again)
        assert mixed.next_number == 6


def test_an_intent_for_a_part_that_was_dropped_counts_for_nothing_wherever_it_stands() -> None:
    records = (intent("a"), Moving(SLOT, 1, "a~d0", "a"), Dropped(SLOT, "a"), intent("b"))
    for order in ((0, 1, 2, 3), (3, 2, 1, 0), (1, 2, 3, 0)):
        account = added(*records, order=order)
        assert {revision: list(opened) for revision, opened in account.intents.items()} == {1: ["b"]}


def test_a_done_file_that_was_linked_elsewhere_is_known_by_its_change_time_in_any_order() -> None:
    records = (intent("a"), Moving(SLOT, 1, "b", "a"), Linking(SLOT, "b", 7))
    for order in ((0, 1, 2), (2, 1, 0)):
        assert added(*records, order=order).linking == {"b": 7}


def test_of_several_open_intents_each_has_places_of_its_own() -> None:
    account = added(intent("a"), intent("b"), Moving(SLOT, 1, "c", "a"), Moving(SLOT, 1, "d"))
    assert (account.parts["a"], account.parts["b"]) == (["a", "c", "d"], ["b", "d"]), (
        "no `of`: of before there were several"
    )
    assert account.parts["c"] == ["c", "d"], "moved on, whatever intent names it"
    account.add(Line(9, Withdrawn(SLOT, 1, ("a",))))
    assert list(account.intents[1]) == ["b"]
    account.add(Line(10, Withdrawn(SLOT, 1)))
    assert account.intents == {}


def test_what_landed_first_stands_and_the_highest_revision_is_the_newest() -> None:
    account = added(
        LandedRecord(receipt(3), "placed"),
        LandedRecord(receipt(1), "restored"),
        LandedRecord(receipt(3, "edge2"), "restored"),
    )
    assert account.newest == receipt(3, "edge1")
    assert set(account.landed) == {1, 3}


def test_a_landing_or_a_withdrawal_closes_its_own_intent_alone() -> None:
    for end in (Withdrawn(SLOT, 1), LandedRecord(receipt(1), "placed")):
        account = added(intent("a", 1), intent("b", 2), end)
        assert (list(account.intents), list(account.intents[2])) == ([2], ["b"])
