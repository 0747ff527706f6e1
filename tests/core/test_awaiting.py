"""How long does a collection go on that a scheduler starts at the time of a slot?"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest

from landbridge.absent import absent
from landbridge.awaiting import (
    PATIENCE,
    Awaited,
    Look,
    _Refused,
    collect_slots,
    collect_until_deadline,
)
from landbridge.errors import Exit, IntegrityBroken, LandbridgeError, NotPermitted, TryAgain, Unavailable
from landbridge.facts import Commitment, Verdict
from landbridge.schedule import Calendar, slot_at
from tests.fakes.facts import commitment
from tests.fakes.folder_remote import FolderRemote
from tests.fakes.set_clock import SetClock
from tests.servers.declared import feed
from tests.stories.bridgehead import DAY, Bridgehead

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from landbridge.facts import Fetched, Slot
    from landbridge.feed import Feed
    from landbridge.held import Decided
    from landbridge.ports import RemoteFile
    from landbridge.released import Outcome

SIX = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
assert date(2026, 11, 20) == DAY


class Busy(SetClock):
    """A clock that lets things happen while somebody sleeps."""

    def __init__(self, now: datetime) -> None:
        super().__init__(now)
        self.events: list[tuple[datetime, Callable[[], object]]] = []

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        for event in [one for one in self.events if one[0] <= self._now]:
            self.events.remove(event)
            event[1]()


class Cut(FolderRemote):
    """A line that fails as often as it is told."""

    error: LandbridgeError | None = None
    breaks = 0
    """Downloads that fail before one does not."""
    sends: LandbridgeError | None = None
    looks = 0
    downloads = 0

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.listed: list[str] = []

    def download(
        self, path: str, into: Path, size: int, watch: Callable[[int], None] | None = None
    ) -> Fetched:
        self.downloads += 1
        if self.downloads <= self.breaks:
            raise Unavailable("the line is cut")
        return super().download(path, into, size, watch)

    def write(self, path: str, body: bytes) -> None:
        if self.sends is not None:
            raise self.sends
        super().write(path, body)

    def files(self, folder: str) -> list[RemoteFile]:
        self.listed.append(folder)
        return super().files(folder)

    def folders(self, folder: str) -> list[str]:
        self.looks += 1
        if self.error is not None:
            raise self.error
        return super().folders(folder)


@dataclass
class Run:
    """One run of the program, started at an instant."""

    at: Bridgehead
    clock: Busy
    remote: Cut
    told: list[str] = field(default_factory=list)
    decided: Decided | None = None
    """The ledger, where it is asked; else the server tells what is not owed."""
    pause: timedelta = MINUTE

    def __call__(
        self,
        *feeds: Feed,
        started: datetime,
        slot: datetime | None = None,
        slots: tuple[Slot, ...] | None = None,
    ) -> tuple[int, timedelta]:
        self.clock._now = started
        with_share = self.at.ground(self.remote, self.at.share())
        ground = replace(with_share, clock=self.clock)
        awaited = Awaited(
            tuple((one, Calendar()) for one in feeds),
            timedelta(hours=24),
            self.decided or partial(absent, ground),
        )

        def tell(outcomes: Sequence[Outcome]) -> int:
            self.told += [f"{one.what} {one.state}" for one in outcomes]
            return max((one.error.exit for one in outcomes if one.error), default=Exit.DONE)

        def refused(error: LandbridgeError) -> None:
            self.told.append(error.what)

        def no_file(outcome: Outcome) -> None:
            if (said := f"{outcome.what} {outcome.state}") not in self.told:
                self.told.append(said)

        try:
            look = Look(timedelta(days=45), self.pause, tell, refused, no_file)
            if slot is not None:
                slots = (slot_at(feeds[0], Calendar(), slot),)
            if slots is None:
                code = collect_until_deadline(ground, awaited, look)
            else:
                code = collect_slots(ground, awaited, slots, look)
        finally:
            ground.share.close()
        return code, self.clock._now - started


@pytest.fixture
def run(tmp_path: Path) -> Run:
    at = Bridgehead(tmp_path / "at")
    return Run(at, Busy(SIX), Cut(at.server))


def flights(cron: str = "0 6 * * *", deadline: object = "90m") -> Feed:
    return feed(feed="flights", schedule={"cron": cron, "time_zone": "Europe/London", "deadline": deadline})


def about(took: timedelta, expected: timedelta) -> bool:
    return abs(took - expected) < timedelta(seconds=2)


def test_it_ends_when_the_file_has_landed(run: Run) -> None:
    run.clock.events.append((SIX + 20 * MINUTE, lambda: run.at.release(b"one")))
    code, took = run(flights(), started=SIX)
    assert (code, run.told) == (Exit.DONE, ["flights/2026-11-20 delivered"])
    assert about(took, 20 * MINUTE)


def test_it_ends_at_the_deadline_when_nothing_comes(run: Run) -> None:
    run.pause = 10 * MINUTE
    code, took = run(flights(), started=SIX)
    assert (code, run.told) == (Exit.DONE, [])
    assert about(took, 90 * MINUTE)


def test_what_comes_in_the_last_minute_is_landed(run: Run) -> None:
    run.clock.events.append((SIX + timedelta(minutes=89, seconds=30), lambda: run.at.release(b"one")))
    run(flights(), started=SIX)
    assert run.told == ["flights/2026-11-20 delivered"]


@pytest.mark.parametrize("started", [SIX - 60 * MINUTE, SIX + 91 * MINUTE])
def test_with_nothing_due_it_collects_once_and_ends(run: Run, started: datetime) -> None:
    run.at.release(b"a correction", feed="flights", occurrence="2026-11-20", revision=2)
    code, took = run(flights(), started=started)
    assert (code, run.told, run.remote.looks) == (Exit.DONE, ["flights/2026-11-20 delivered"], 1)
    assert about(took, 0 * MINUTE)


def test_started_a_little_early_it_waits_all_the_same(run: Run) -> None:
    run.pause = 10 * MINUTE
    _, took = run(flights(), started=SIX - timedelta(seconds=20))
    assert about(took, timedelta(minutes=90, seconds=20))


def test_started_again_after_it_landed_it_ends_at_once(run: Run) -> None:
    run.at.release(b"one")
    run(flights(), started=SIX)
    _, took = run(flights(), started=SIX + 5 * MINUTE)
    assert about(took, 0 * MINUTE)
    assert run.told == ["flights/2026-11-20 delivered"]


def test_the_run_of_the_next_slot_takes_over(run: Run) -> None:
    code, took = run(flights("5 * * * *"), started=SIX + 5 * MINUTE)
    assert code == Exit.DONE
    assert timedelta(minutes=58) < took < timedelta(minutes=60)


def test_a_cut_line_is_tried_again_and_told(run: Run) -> None:
    run.remote.error = Unavailable("no answer")
    run.clock.events.append((SIX + 10 * MINUTE, lambda: run.at.release(b"one")))
    run.clock.events.append((SIX + 15 * MINUTE, lambda: setattr(run.remote, "error", None)))
    code, took = run(flights(), started=SIX)
    assert (code, run.told[0], run.told[-1]) == (Exit.DONE, "no answer", "flights/2026-11-20 delivered")
    assert about(took, 15 * MINUTE)


def test_a_line_that_stays_cut_is_the_end_of_it(run: Run) -> None:
    run.pause = 10 * MINUTE
    run.remote.error = Unavailable("no answer")
    assert run(flights(), started=SIX)[0] == Exit.UNAVAILABLE


@pytest.mark.parametrize("down", [0, 4, 10])
def test_with_nothing_due_a_line_that_comes_back_is_nothing_to_tell(run: Run, down: int) -> None:
    run.remote.error = Unavailable("no answer")
    run.clock.events.append((SIX - (60 - down) * MINUTE, lambda: setattr(run.remote, "error", None)))
    code, took = run(flights(), started=SIX - 60 * MINUTE)
    assert code == Exit.DONE
    assert about(took, max(down, 1) * MINUTE)


def test_with_nothing_due_a_line_that_stays_cut_ends_it_after_a_quarter_of_an_hour(run: Run) -> None:
    run.remote.error = Unavailable("no answer")
    code, took = run(flights(), started=SIX - 60 * MINUTE)
    assert (code, took >= PATIENCE) == (Exit.UNAVAILABLE, True)
    assert about(took, PATIENCE)


def test_patience_ends_before_the_next_run_would_find_this_one_still_there(run: Run) -> None:
    run.remote.error = Unavailable("no answer")
    code, took = run(flights(), started=SIX - 5 * MINUTE)
    assert code == Exit.UNAVAILABLE
    assert about(took, 4 * MINUTE)


def test_what_no_later_pass_mends_ends_it_at_once(run: Run) -> None:
    run.remote.error = IntegrityBroken("another host key")
    with pytest.raises(IntegrityBroken):
        run(flights(), started=SIX)
    assert run.remote.looks == 1


def test_a_file_that_cannot_be_trusted_ends_it_at_once(run: Run) -> None:
    manifest = run.at.release(b"one")
    (run.at.server / manifest.remote_path.lstrip("/")).write_bytes(b"eno")
    code, took = run(flights(), started=SIX)
    assert code == Exit.INTEGRITY
    assert about(took, 0 * MINUTE)


def test_an_old_slot_that_is_refused_keeps_nobody_from_waiting(run: Run) -> None:
    old = run.at.release(b"old", occurrence="2026-11-19")
    (run.at.root / old.landed_name).write_bytes(b"somebody else's")
    run.clock.events.append((SIX + 20 * MINUTE, lambda: run.at.release(b"one")))
    code, took = run(flights(), started=SIX)
    assert (code, run.told[-2:]) == (
        Exit.INTEGRITY,
        ["flights/2026-11-19 refused", "flights/2026-11-20 delivered"],
    )
    assert about(took, 20 * MINUTE)


def test_a_strange_name_and_another_feed_that_is_refused_keep_nobody_from_waiting(run: Run) -> None:
    (run.at.outbound / "_manifests" / f"{DAY}" / "strange").write_bytes(b"")
    (run.at.outbound / "_manifests" / f"{DAY}" / f"trains.{DAY}.0001.json").write_bytes(b"no manifest")
    run.clock.events.append((SIX + 20 * MINUTE, lambda: run.at.release(b"one")))
    trains = feed(
        feed="trains", schedule={"cron": "0 6 * * *", "time_zone": "Europe/London", "deadline": "90m"}
    )
    code, took = run(flights(), trains, started=SIX)
    assert (code, run.told[-1]) == (Exit.INTEGRITY, "flights/2026-11-20 delivered")
    assert about(took, 20 * MINUTE)


@pytest.mark.parametrize("body", [b"no manifest", b" " * (65 << 10)])
def test_a_manifest_of_the_awaited_slot_that_is_refused_ends_it_at_once(run: Run, body: bytes) -> None:
    (run.at.outbound / "_manifests" / f"{DAY}" / f"flights.{DAY}.0001.json").write_bytes(body)
    code, took = run(flights(), started=SIX)
    assert code == Exit.INTEGRITY
    assert about(took, 0 * MINUTE)


def test_a_download_that_breaks_for_longer_than_a_quarter_of_an_hour_is_still_awaited(run: Run) -> None:
    run.at.release(b"one")
    run.remote.breaks, run.pause = 4, 5 * MINUTE
    code, took = run(flights(), started=SIX)
    assert (code, run.told[-1]) == (Exit.DONE, "flights/2026-11-20 delivered")
    assert about(took, 20 * MINUTE)


def test_after_the_last_slot_of_a_schedule_nobody_takes_over_and_it_is_awaited_all_the_same(run: Run) -> None:
    last = feed(
        feed="flights", schedule={"cron": "0 6 * * *", "time_zone": "Europe/London", "deadline": "90m", "ends": f"{DAY}"}
    )  # fmt: skip
    run.pause = 30 * MINUTE
    _, took = run(last, started=SIX)
    assert about(took, 90 * MINUTE)


def test_only_what_no_later_pass_mends_keeps_its_code(run: Run) -> None:
    """A download that broke is past when the next pass fails as a whole, and that one's code counts."""
    run.at.release(b"one")
    run.remote.breaks, run.pause = 1000, 10 * MINUTE
    error = TryAgain("the share is held by another")
    run.clock.events.append((SIX + 80 * MINUTE, lambda: setattr(run.remote, "error", error)))
    assert run(flights(), started=SIX)[0] == Exit.TRY_AGAIN


def test_what_was_refused_keeps_its_code_when_the_line_is_cut_at_the_end(run: Run) -> None:
    run.pause = 10 * MINUTE
    (run.at.outbound / "_manifests" / f"{DAY}" / "flights").write_bytes(b"")
    run.clock.events.append(
        (SIX + 80 * MINUTE, lambda: setattr(run.remote, "error", Unavailable("no answer")))
    )
    code, took = run(flights(), started=SIX)
    assert (code, run.told[-1]) == (Exit.INTEGRITY, "no answer")
    assert about(took, 90 * MINUTE)


# One slot, by name: Control-M has a job for each


def test_a_named_slot_is_awaited_beyond_the_next_run_until_its_deadline(run: Run) -> None:
    run.pause = 30 * MINUTE
    came = SIX + timedelta(hours=24, minutes=30)
    run.clock.events.append((came, lambda: run.at.release(b"one")))
    code, took = run(flights(deadline="25h"), started=SIX, slot=SIX)
    assert (code, run.told) == (Exit.DONE, ["flights/2026-11-20 delivered"])
    assert came - SIX <= took < came - SIX + 2 * MINUTE


def test_a_named_slot_that_does_not_come_is_told_at_its_deadline(run: Run) -> None:
    run.pause = 30 * MINUTE
    code, took = run(flights(deadline="25h"), started=SIX, slot=SIX)
    assert (code, run.told) == (Exit.TRY_AGAIN, [])
    assert about(took, timedelta(hours=25))


def test_run_again_after_its_deadline_a_named_slot_is_awaited_as_long_again(run: Run) -> None:
    run.pause = 10 * MINUTE
    started = SIX + 100 * MINUTE
    run.clock.events.append((started + 80 * MINUTE, lambda: run.at.release(b"one")))
    code, took = run(flights(), started=started, slot=SIX)
    assert (code, run.told) == (Exit.DONE, ["flights/2026-11-20 delivered"])
    assert about(took, 80 * MINUTE)


def test_a_named_slot_that_is_older_than_the_look_back_is_looked_for_all_the_same(run: Run) -> None:
    run.at.release(b"one")
    code, took = run(flights(), started=SIX + timedelta(days=100), slot=SIX)
    assert (code, run.told) == (Exit.DONE, ["flights/2026-11-20 delivered"])
    assert about(took, 0 * MINUTE)


def test_between_the_day_of_an_old_slot_and_the_look_back_no_day_is_looked_at(run: Run) -> None:
    """A slot of a year ago would have each pass list every day since."""
    run.at.release(b"one")
    started = SIX + timedelta(days=365)
    for days in (1, 200, 364):
        (run.at.outbound / "_manifests" / f"{(SIX + timedelta(days=days)).date()}").mkdir()
    assert run(flights(), started=started, slot=SIX)[0] == Exit.DONE
    listed = {folder.rsplit("/", 1)[-1] for folder in run.remote.listed if "_manifests/" in folder}
    assert listed == {"2026-11-20", "2027-11-19"}


def test_the_receipt_of_an_old_slot_is_sent_when_it_is_named_again(run: Run) -> None:
    run.at.release(b"one")
    started = SIX + timedelta(days=365)
    run.remote.sends = Unavailable("the line is cut")
    assert run(flights(), started=started, slot=SIX)[0] == Exit.UNAVAILABLE
    assert run.at.proven() == []
    run.remote.sends = None
    assert run(flights(), started=started, slot=SIX)[0] == Exit.DONE
    assert len(run.at.proven()) == 1


@pytest.mark.parametrize("pause", [7, 10])
def test_started_late_a_named_slot_is_awaited_until_its_deadline_and_no_longer(run: Run, pause: int) -> None:
    run.pause = pause * MINUTE
    code, took = run(flights(), started=SIX + 10 * MINUTE, slot=SIX)
    assert code == Exit.TRY_AGAIN
    assert about(took, 80 * MINUTE)


def test_a_named_slot_that_somebody_else_landed_is_done(run: Run) -> None:
    run.at.release(b"one")
    run(flights(), started=SIX)
    assert run(flights(), started=SIX, slot=SIX)[0] == Exit.DONE


def test_a_named_slot_that_has_landed_is_no_trouble_when_the_line_comes_back(run: Run) -> None:
    run.at.release(b"one")
    run(flights(), started=SIX)
    run.remote.error = Unavailable("the line is cut")
    run.clock.events.append((SIX + 5 * MINUTE, lambda: setattr(run.remote, "error", None)))
    code, took = run(flights(), started=SIX, slot=SIX)
    assert code == Exit.DONE
    assert about(took, 5 * MINUTE)


def test_an_old_slot_that_is_refused_does_not_change_the_end_of_a_named_one(run: Run) -> None:
    old = run.at.release(b"old", occurrence="2026-11-19")
    (run.at.root / old.landed_name).write_bytes(b"somebody else's")
    run.at.release(b"one")
    code, took = run(flights(), started=SIX, slot=SIX)
    assert (code, sorted(run.told)) == (
        Exit.DONE,
        ["flights/2026-11-19 refused", "flights/2026-11-20 delivered"],
    )
    assert about(took, 0 * MINUTE)


def test_a_named_slot_whose_manifest_is_refused_ends_at_once(run: Run) -> None:
    (run.at.outbound / "_manifests" / f"{DAY}" / f"flights.{DAY}.0001.json").write_bytes(b"no manifest")
    code, took = run(flights(), started=SIX, slot=SIX)
    assert code == Exit.INTEGRITY
    assert about(took, 0 * MINUTE)


def test_a_named_slot_whose_server_stays_away_is_told_so(run: Run) -> None:
    run.pause = 10 * MINUTE
    run.remote.error = Unavailable("the line is cut")
    code, took = run(flights(), started=SIX, slot=SIX)
    assert (code, set(run.told)) == (Exit.UNAVAILABLE, {"the line is cut"})
    assert about(took, 90 * MINUTE)


def test_with_no_slot_named_it_collects_once_and_ends_with_what_it_met(run: Run) -> None:
    old = run.at.release(b"old", occurrence="2026-11-19")
    (run.at.root / old.landed_name).write_bytes(b"somebody else's")
    code, took = run(flights(), started=SIX, slots=())
    assert (code, run.remote.looks) == (Exit.INTEGRITY, 1)
    assert about(took, 0 * MINUTE)


def test_each_of_two_named_slots_is_awaited_until_its_own_end(run: Run) -> None:
    """One is refused at once, the other comes later; a refusal is not mended by waiting, and not forgotten."""
    trains = feed(
        feed="trains", schedule={"cron": "0 6 * * *", "time_zone": "Europe/London", "deadline": "3h"}
    )
    manifests = run.at.outbound / "_manifests" / f"{DAY}"
    (manifests / f"flights.{DAY}.0001.json").write_bytes(b"no manifest")
    run.pause = 30 * MINUTE
    run.clock.events.append((SIX + 120 * MINUTE, lambda: run.at.release(b"one", feed="trains")))
    both = tuple(slot_at(one, Calendar(), SIX) for one in (flights(), trains))
    code, took = run(flights(), trains, started=SIX, slots=both)
    assert (code, run.told[-1]) == (Exit.INTEGRITY, "trains/2026-11-20 delivered")
    assert about(took, 120 * MINUTE)


def test_a_refusal_stays_one_when_the_line_is_cut_behind_it(run: Run) -> None:
    trains = feed(
        feed="trains", schedule={"cron": "0 6 * * *", "time_zone": "Europe/London", "deadline": "1h"}
    )
    manifests = run.at.outbound / "_manifests" / f"{DAY}"
    (manifests / f"flights.{DAY}.0001.json").write_bytes(b"no manifest")
    run.pause = 10 * MINUTE
    run.clock.events.append(
        (SIX + 30 * MINUTE, lambda: setattr(run.remote, "error", Unavailable("no answer")))
    )
    both = tuple(slot_at(one, Calendar(), SIX) for one in (flights(), trains))
    _, took = run(flights(), trains, started=SIX, slots=both)
    assert about(took, 60 * MINUTE), "the refused one, with half an hour more, is not waited for"


def test_what_no_later_pass_mends_ends_the_wait_for_a_named_slot(run: Run) -> None:
    run.remote.error = NotPermitted("the key was taken away")
    with pytest.raises(NotPermitted):
        run(flights(), started=SIX, slot=SIX)


def test_a_named_slot_whose_download_breaks_is_tried_again(run: Run) -> None:
    run.at.release(b"one")
    run.remote.breaks = 3
    code, took = run(flights(), started=SIX, slot=SIX)
    assert (code, run.told[-1]) == (Exit.DONE, "flights/2026-11-20 delivered")
    assert about(took, 3 * MINUTE)


def test_a_named_slot_whose_receipt_cannot_be_sent_ends_after_a_quarter_of_an_hour(run: Run) -> None:
    run.at.release(b"one")
    run.remote.sends = Unavailable("the line is cut")
    code, took = run(flights(), started=SIX, slot=SIX)
    assert code == Exit.UNAVAILABLE
    assert about(took, PATIENCE)


@pytest.mark.parametrize("slot", [None, SIX])
def test_between_two_passes_another_collection_of_this_host_has_its_turn(
    run: Run, slot: datetime | None
) -> None:
    def other() -> None:
        with run.at.share() as share:
            assert share.unreceipted(DAY) == []

    run.clock.events.append((SIX + 2 * MINUTE, other))
    run.clock.events.append((SIX + 3 * MINUTE, lambda: run.at.release(b"one")))
    assert run(flights(), started=SIX, slot=slot)[0] == Exit.DONE
    assert run.clock.events == []


def test_strange_names_that_bear_no_feed_are_a_warning_and_no_code(run: Run) -> None:
    for name in ("strange", ".DS_Store", f"trains.{DAY}.1.json"):
        (run.at.outbound / "_manifests" / f"{DAY}" / name).write_bytes(b"")
    run.at.release(b"one")
    code, _ = run(flights(), started=SIX)
    assert code == Exit.DONE
    assert len(run.told) == 2
    assert run.told[0].endswith(" strange")
    assert run.told[1] == "flights/2026-11-20 delivered"


@pytest.mark.parametrize(
    "name", [f"flights.{DAY}.1.json", "flights", f"FLIGHTS.{DAY}.0001.json", "flights (1).json"]
)
def test_a_strange_name_that_bears_the_feeds_name_is_refused(run: Run, name: str) -> None:
    (run.at.outbound / "_manifests" / f"{DAY}" / name).write_bytes(b"")
    run.at.release(b"one")
    code, _ = run(flights(), started=SIX)
    assert (code, run.told[1]) == (Exit.INTEGRITY, "flights/2026-11-20 delivered")


def test_wrong_bytes_are_downloaded_twice_and_then_rest_for_an_hour(run: Run) -> None:
    released = run.at.release(b"one", occurrence="2026-11-19")
    (run.at.server / released.remote_path.lstrip("/")).write_bytes(b"two")
    code, took = run(flights(), started=SIX)
    assert code == Exit.INTEGRITY
    assert about(took, 90 * MINUTE)
    assert run.told == ["flights/2026-11-19 refused"] * run.remote.looks, "each pass tells it, read or not"
    assert run.remote.looks > 80
    assert run.remote.downloads == 3, "twice at once, and an hour later"


def test_bytes_that_were_mended_land_after_the_rest(run: Run) -> None:
    released = run.at.release(b"one", occurrence="2026-11-19")
    file = run.at.server / released.remote_path.lstrip("/")
    file.write_bytes(b"two")
    run.clock.events.append((SIX + 10 * MINUTE, lambda: file.write_bytes(b"one")))
    assert run(flights(), started=SIX)[0] == Exit.DONE
    assert run.told[-1] == "flights/2026-11-19 delivered"
    assert 61 <= len(run.told) <= 63


# A file that is not owed


@dataclass
class Book:
    """A ledger in which something is decided at an instant, and which may be away."""

    clock: Busy
    verdict: Verdict
    at: datetime
    away_until: datetime = SIX
    refused: bool = False

    def __call__(self, of: Slot) -> Commitment | None:
        if self.refused:
            raise NotPermitted("the ledger is not this host's to read")
        if self.clock._now < self.away_until:
            raise Unavailable("the ledger is away")
        return replace(commitment(of), verdict=self.verdict) if self.clock._now >= self.at else None


@pytest.mark.parametrize("slot", [None, SIX])
@pytest.mark.parametrize("verdict", [Verdict.WAIVE, Verdict.SKIP])
def test_a_slot_of_which_no_file_is_owed_is_not_awaited(
    run: Run, verdict: Verdict, slot: datetime | None
) -> None:
    run.decided = Book(run.clock, verdict, SIX + 20 * MINUTE, away_until=SIX + 10 * MINUTE)
    code, took = run(flights(), started=SIX, slot=slot)
    state = "waived" if verdict is Verdict.WAIVE else "skipped"
    assert (code, run.told) == (Exit.DONE, [f"flights/2026-11-20 {state}"])
    assert about(took, 20 * MINUTE)


@pytest.mark.parametrize("verdict", [Verdict.QUARANTINE, Verdict.REJECT, Verdict.RELEASE])
def test_a_slot_whose_file_may_still_come_is_awaited(run: Run, verdict: Verdict) -> None:
    run.pause = 10 * MINUTE
    run.decided = Book(run.clock, verdict, SIX)
    code, took = run(flights(), started=SIX, slot=SIX)
    assert (code, run.told) == (Exit.TRY_AGAIN, [])
    assert about(took, 90 * MINUTE)


def test_a_waiver_keeps_nothing_else_from_being_awaited(run: Run) -> None:
    run.pause = 10 * MINUTE
    run.decided = Book(run.clock, Verdict.WAIVE, SIX)
    trains = feed(feed="trains", schedule={"cron": "0 6 * * *", "deadline": "2h"})
    waived = run.decided
    run.decided = lambda of: waived(of) if of.feed == "flights" else None
    _, took = run(flights(), trains, started=SIX)
    assert about(took, 120 * MINUTE)


def test_a_ledger_that_may_not_be_read_ends_it_at_once(run: Run) -> None:
    run.decided = Book(run.clock, Verdict.WAIVE, SIX, refused=True)
    with pytest.raises(NotPermitted):
        run(flights(), started=SIX)


@pytest.mark.parametrize("slot", [None, SIX])
@pytest.mark.parametrize(("verdict", "state"), [(Verdict.WAIVE, "waived"), (Verdict.SKIP, "skipped")])
def test_the_server_says_that_no_file_is_owed_to_a_host_that_sees_it_alone(
    run: Run, verdict: Verdict, state: str, slot: datetime | None
) -> None:
    run.clock.events.append((SIX + 20 * MINUTE, lambda: run.at.excuse(verdict)))
    code, took = run(flights(), started=SIX, slot=slot)
    assert (code, run.told) == (Exit.DONE, [f"flights/2026-11-20 {state}"])
    assert about(took, 20 * MINUTE)


@pytest.mark.parametrize("slot", [None, SIX])
def test_a_file_that_is_released_after_all_lands(run: Run, slot: datetime | None) -> None:
    run.at.excuse()
    run.at.release(b"one", revision=2)
    assert run(flights(), started=SIX, slot=slot)[0] == Exit.DONE
    assert run.told == ["flights/2026-11-20 delivered"]


@pytest.mark.parametrize("slot", [None, SIX])
def test_what_says_that_no_file_comes_and_is_not_to_be_trusted_ends_it_at_once(
    run: Run, slot: datetime | None
) -> None:
    run.at.excuse().write_bytes(b"no absence")
    code, took = run(flights(), started=SIX, slot=slot)
    assert (code, run.told) == (Exit.INTEGRITY, ["flights/2026-11-20 refused"])
    assert about(took, 0 * MINUTE)


def test_what_is_not_to_be_trusted_of_one_slot_keeps_no_other_from_being_awaited(run: Run) -> None:
    run.at.excuse().write_bytes(b"no absence")
    trains = feed(feed="trains", schedule={"cron": "0 6 * * *", "deadline": "2h"})
    run.clock.events.append((SIX + 20 * MINUTE, lambda: run.at.release(b"one", feed="trains")))
    code, took = run(flights(), trains, started=SIX)
    assert (code, run.told) == (Exit.INTEGRITY, ["flights/2026-11-20 refused", "trains/2026-11-20 delivered"])
    assert about(took, 20 * MINUTE)


def test_a_manifest_of_a_slot_whose_name_begins_alike_is_not_the_slots() -> None:
    hourly = commitment().slot
    refused = _Refused(("flights.20261120T0600Z.0001.json",))
    for occurrence, own in (("20261120T0600Z", True), ("20261120T0600", False)):
        assert refused.has(replace(hourly, feed="flights", occurrence=occurrence)) is own
