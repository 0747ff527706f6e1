"""Where is it written down what landed? Append-only files, one for each collector and business date."""

from __future__ import annotations

import errno
import os
import threading
from collections import Counter, defaultdict
from contextlib import suppress
from datetime import date
from typing import TYPE_CHECKING

from landbridge.disk import is_there, make_folders, opened, pieces
from landbridge.errors import IntegrityBroken, disk_refused
from landbridge.share.records import Account, Line, SlotKey, Torn, read_line, slot_of, write_line
from landbridge.share.together import Together

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from landbridge.disk import Disk
    from landbridge.share.records import Record


class Journal:
    """The journals of all collectors of a share, of which one is ours to write. Safe from several threads.

    A business date is one folder, read when first asked for: years of history cost nothing.
    """

    def __init__(self, disk: Disk, folder: Path, collector: str) -> None:
        self._disk = disk
        self._folder = folder
        self._collector = collector
        self._days: dict[date, _Day] = {}
        self._adding = threading.Lock()
        self._unsynced: set[_Day] = set()
        self._together = Together(self._sync)

    def account(self, business_date: date, slot: SlotKey) -> Account:
        """Give what all collectors have written about `slot` by now. Not to be changed.

        Raises:
            IntegrityBroken: a journal is damaged.
            ShareRefused, DiskFailed: it cannot be read.
        """
        return self.accounts_of([(business_date, slot)])[0]

    def accounts_of(self, slots: Sequence[tuple[date, SlotKey]]) -> list[Account]:
        """Give the account of each, with one look at what others have added for each business date.

        Raises:
            IntegrityBroken, ShareRefused, DiskFailed: as `account`.
        """
        days = {day: self._day(day) for day in {day for day, _ in slots}}
        return [days[day].accounts[slot] for day, slot in slots]

    def accounts(self, since: date, days: Collection[date] = ()) -> Iterator[Account]:
        """Give every account of business dates from `since`, and of `days`.

        Raises:
            IntegrityBroken, ShareRefused, DiskFailed: as `account`.
        """
        for day in self._dates():
            if day >= since or day in days:
                yield from list(self._day(day).accounts.values())

    def accounts_about(self, slot: SlotKey, since: date, until: date) -> list[Account]:
        """Give the account of `slot` of each business date from `since` to `until` that has one.

        Raises:
            IntegrityBroken, ShareRefused, DiskFailed: as `account`.
        """
        return [
            accounts[slot]
            for day in self._dates()
            if since <= day <= until and slot in (accounts := self._day(day).accounts)
        ]

    def append(self, business_date: date, *records: Record, durable: bool = True) -> None:
        """Write a line for each; when this returns, `durable` ones have survived whatever comes.

        A crash before that may leave any number of them, the first ones first.

        Raises:
            ShareRefused, DiskFailed: they are not written, or not known to be durable.
        """
        self.append_all([(business_date, record) for record in records], durable=durable)

    def append_all(self, records: Sequence[tuple[date, Record]], *, durable: bool = True) -> None:
        """Do so for several business dates, with one fsync for each date and everybody who waits.

        Raises:
            ShareRefused, DiskFailed: as `append`.
        """
        if not records:
            return
        by_day: defaultdict[date, list[Record]] = defaultdict(list)
        for business_date, record in records:
            by_day[business_date].append(record)
        days = {business_date: self._day(business_date) for business_date in by_day}
        try:
            with self._adding:
                for business_date, its in by_day.items():
                    days[business_date].append(its)
                    self._unsynced.add(days[business_date])
            if durable:
                self._together.wait()
        except OSError as error:
            raise disk_refused(error, f"writing the journal in {self._folder}", whole=True) from error

    def close(self) -> None:
        """Close the files. Idempotent."""
        with self._adding:
            for day in self._days.values():
                day.close()
            self._days.clear()
            self._unsynced.clear()

    def _dates(self) -> list[date]:
        try:
            names = self._disk.listdir(self._folder)
        except OSError as error:
            raise disk_refused(error, f"listing {self._folder}", whole=True) from error
        return sorted(day for name in names if (day := _as_date(name)) is not None)

    def _day(self, business_date: date) -> _Day:
        with self._adding:
            day = self._days.get(business_date)
            if day is None:
                day = _Day(self._disk, self._folder / f"{business_date}", self._collector)
                self._days[business_date] = day
            try:
                day.refresh()
            except OSError as error:
                raise disk_refused(error, f"reading the journal in {self._folder}", whole=True) from error
            return day

    def _sync(self) -> None:
        with self._adding:
            days, self._unsynced = self._unsynced, set()
            ends = {day: day.end for day in days}
            files = {day: day.own_file() for day in days}
        for file in files.values():
            self._disk.fsync(file)
        with self._adding:
            for day, end in ends.items():
                day.kept = end


class _Day:
    """One business date: the files of all collectors, read as far as they are whole. Used under the journal's lock."""

    def __init__(self, disk: Disk, folder: Path, collector: str) -> None:
        self._disk = disk
        self.accounts: defaultdict[SlotKey, Account] = defaultdict(Account)
        self._folder = folder
        self._own = f"{collector}.jsonl"
        self._read: dict[str, int] = {}
        self._file: int | None = None
        self.kept = 0
        """Bytes of our own file that this session has made last."""

    def own_file(self) -> int:
        """Give our own file, opened when first asked for."""
        if self._file is None:
            path = self._folder / self._own
            if not is_there(self._disk, path):
                make_folders(self._disk, self._folder)
                self._disk.sync_folder(self._folder.parent)
            self._file = self._disk.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o640)
            self._disk.sync_folder(self._folder)
            # What follows the last whole line was never acknowledged: a crash tore it.
            self._disk.ftruncate(self._file, self._read.setdefault(self._own, 0))
            if self.end:
                self._disk.fsync(self._file)  # whoever wrote it may have been killed before that
                self.kept = self.end
        return self._file

    @property
    def end(self) -> int:
        """Bytes of our own file."""
        return self._read[self._own]

    def refresh(self) -> None:
        """Read what was added since."""
        try:
            names = self._disk.listdir(self._folder)
        except FileNotFoundError:
            return
        for name in names:
            if name.endswith(".jsonl") and not (name == self._own and name in self._read):
                self._read[name] = self._take(name, self._read.get(name, 0))

    def append(self, records: Sequence[Record]) -> None:
        """Write a line for each, all or none; our own file wants an fsync then."""
        file = self.own_file()
        lines, added = [], Counter[SlotKey]()
        slots = [slot_of(record) for record in records]
        for slot, record in zip(slots, records, strict=True):
            lines.append(Line(self.accounts[slot].next_number + added[slot], record, self.kept))
            added[slot] += 1
        text = b"".join(map(write_line, lines))
        end = self._disk.lseek(file, 0, os.SEEK_END)
        try:
            self._write(file, text)
        except OSError:
            self._disk.ftruncate(file, end)
            raise
        self._read[self._own] = end + len(text)
        for slot, line in zip(slots, lines, strict=True):
            self.accounts[slot].add(line)

    def close(self) -> None:
        """Close our own file."""
        if self._file is not None:
            with suppress(
                OSError
            ):  # what has to last was fsynced; of the rest a receipt is sent again at worst
                self._disk.close(self._file)
            self._file = None

    def _write(self, file: int, text: bytes) -> None:
        if self._disk.write(file, text) != len(text):  # what POSIX does when the disk is nearly full
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _take(self, name: str, start: int) -> int:
        with opened(self._disk, self._folder / name, os.O_RDONLY) as file:
            self._disk.lseek(file, start, os.SEEK_SET)
            text = b"".join(pieces(self._disk, file))
        *whole, torn = text.split(b"\n")
        at = start
        for index, line in enumerate(whole):
            try:
                known = read_line(line)
            except Torn:
                rest = [*whole[index + 1 :], *([torn] if torn else [])]
                if rest and not _is_hole(line, rest, at):
                    raise IntegrityBroken(
                        f"the journal {self._folder / name} is damaged at byte {at}",
                        hint="restore it from a backup, or move the journal's folder away and run "
                        "`landbridge collect --adopt-share`: it is rebuilt from the receipts",
                    ) from None
                return at
            self.accounts[slot_of(known.record)].add(known)
            at += len(line) + 1
        return at


def _is_hole(line: bytes, rest: Sequence[bytes], at: int) -> bool:
    """Tell whether a power cut took pages from the middle of lines that were written together and never synced.

    What was synced has no hole, and whatever was written after it says so.
    """
    return b"\0" in line and all(known.kept <= at for known in _readable(rest))


def _readable(lines: Sequence[bytes]) -> Iterator[Line]:
    for line in lines:
        with suppress(Torn):
            yield read_line(line)


def _as_date(name: str) -> date | None:
    try:
        return date.fromisoformat(name)
    except ValueError:
        return None
