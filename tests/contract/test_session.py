"""Does a run of a collector have the share to itself, give all of it back, and share its fsyncs with nobody too early?"""

from __future__ import annotations

import errno
import os
import threading
import time
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from landbridge.disk.local import LocalDisk
from landbridge.errors import ShareRefused, TryAgain, UsageError
from landbridge.share.machine import Machine
from landbridge.share.platform import Way
from landbridge.share.records import Again, SlotKey
from landbridge.share.session import Settings, begin
from landbridge.share.together import Together
from landbridge.share.volume import adopt
from tests.fakes.open_files import open_before, open_files
from tests.fakes.set_clock import SetClock

if TYPE_CHECKING:
    from pathlib import Path

LEASE = timedelta(minutes=2)


class Odd(LocalDisk):
    """Fails to make or list one of the folders, or has no locks."""

    def __init__(self, fails: str = "", *, locks: bool = True) -> None:
        self.fails = fails
        self.locks = locks

    def mkdir(self, folder: Path) -> None:
        if folder.name == self.fails:
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))
        super().mkdir(folder)

    def listdir(self, folder: Path) -> list[str]:
        if f"list {folder.name}" == self.fails:
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))
        return super().listdir(folder)

    def close(self, file: int) -> None:
        super().close(file)
        if self.fails == "close":
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    def lock(self, path: Path) -> int | None:
        return super().lock(path) if self.locks else None


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    journal = tmp_path / ".landbridge" / "dev" / "journal"
    clock = SetClock()
    adopt(Machine(), tmp_path / ".landbridge" / "dev", journal, clock)
    return Settings(tmp_path, "DEV", "edge1", clock, journal, LEASE, Machine())


@pytest.mark.parametrize(
    "name", ["", "../x", "edge1/x", "edge~1", "edge1\n", ".edge", "x" * 101, "\u00e9dge"]
)
def test_a_collectors_name_is_plain(settings: Settings, name: str) -> None:
    """It becomes a part of file names, between tildes."""
    with pytest.raises(UsageError, match="collector's name"):
        begin(replace(settings, collector=name), Way.RENAME)


def test_a_collector_of_one_name_runs_once_and_waits_a_little_for_the_end_of_another(
    settings: Settings,
) -> None:
    first = begin(settings, Way.RENAME)
    assert first.who.alone
    before, began = open_before(), settings.clock.now()
    with pytest.raises(TryAgain, match="is at work"):
        begin(settings, Way.RENAME)
    assert timedelta(seconds=4) < settings.clock.now() - began < timedelta(seconds=7)
    assert open_files() == before

    class Ending(SetClock):
        def sleep(self, seconds: float) -> None:
            first.close()
            super().sleep(seconds)

    second = begin(replace(settings, clock=Ending()), Way.RENAME)
    second.close()


def test_a_session_gives_everything_back(settings: Settings) -> None:
    before = open_before()
    private = settings.root / ".landbridge" / "dev"
    for _ in range(2):
        session = begin(settings, Way.RENAME)
        assert {path.name for path in private.iterdir()} >= {"parts", "claims", "alive"}
        assert len(list((private / "alive").iterdir())) == 1
        session.journal.append(date(2026, 11, 20), Again(SlotKey("flights", "2026-11-20"), 1))
        session.close()
        assert list((private / "alive").iterdir()) == []
        assert open_files() == before


def test_an_end_that_fails_ends_it_all_the_same(settings: Settings) -> None:
    disk = Odd()
    session = begin(replace(settings, machine=Machine(disk)), Way.RENAME)
    disk.fails = "close"
    session.close()
    begin(settings, Way.RENAME).close()


def test_where_there_are_no_locks_nobody_is_taken_for_dead(settings: Settings) -> None:
    session = begin(replace(settings, machine=Machine(Odd(locks=False))), Way.RENAME)
    assert not session.who.alone
    session.close()


@pytest.mark.parametrize("fails", ["parts", "list claims"])
def test_a_share_that_refuses_in_the_middle_leaves_no_lock_behind(settings: Settings, fails: str) -> None:
    before = open_before()
    with pytest.raises(ShareRefused, match="opening") as refused:
        begin(replace(settings, machine=Machine(Odd(fails))), Way.RENAME)
    assert refused.value.whole
    assert open_files() == before
    begin(settings, Way.RENAME).close()


# Fsyncs that are shared


class Flush:
    """Counts, and lets the first one last."""

    def __init__(self) -> None:
        self.began = threading.Event()
        self.go = threading.Event()
        self.count = self.under_way = self.most = 0

    def __call__(self) -> None:
        self.count += 1
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        self.began.set()
        assert self.go.wait(10)
        self.under_way -= 1


def waiting(together: Together, asked: int) -> None:
    until = time.monotonic() + 10
    while together._asked < asked and time.monotonic() < until:
        time.sleep(0.002)


@pytest.mark.timeout(30)
def test_whoever_asks_during_a_flush_shares_the_next_one_and_no_other() -> None:
    """What they wrote may have come too late for the one that is under way."""
    flush = Flush()
    together = Together(flush)
    threads = [threading.Thread(target=together.wait) for _ in range(4)]
    threads[0].start()
    assert flush.began.wait(10)
    for thread in threads[1:]:
        thread.start()
    waiting(together, 4)
    flush.go.set()
    for thread in threads:
        thread.join(10)
    assert not any(thread.is_alive() for thread in threads)
    assert (flush.count, flush.most) == (2, 1)
    together.wait()
    assert flush.count == 3


@pytest.mark.timeout(30)
def test_a_flush_that_failed_fails_for_all_who_wait_and_for_ever() -> None:
    began, go, calls = threading.Event(), threading.Event(), []

    def flush() -> None:
        calls.append(1)
        began.set()
        assert go.wait(10)
        if len(calls) == 1:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    together, told = Together(flush), []

    def wait() -> None:
        try:
            together.wait()
        except OSError as error:
            told.append(error.errno)

    threads = [threading.Thread(target=wait) for _ in range(3)]
    threads[0].start()
    assert began.wait(10)
    for thread in threads[1:]:
        thread.start()
    waiting(together, 3)
    go.set()
    for thread in threads:
        thread.join(10)
    wait()
    assert told == [errno.EIO] * 4
    assert len(calls) == 1, "the kernel tells of a lost page once"
