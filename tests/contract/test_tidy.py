"""What goes from our own folder on the share, and what must stay: of a slot that landed, without a claim, older than a day."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from landbridge.disk.local import LOCAL
from landbridge.errors import ShareRefused
from landbridge.share.journal import Journal
from landbridge.share.platform import Way, changed_at
from landbridge.share.records import Dropped, Intent, LandedRecord, Withdrawn, read_line
from tests.contract.test_landing import Scene, Told
from tests.contract.test_landing import at as scene
from tests.contract.test_share import DAY, deliver, manifest

if TYPE_CHECKING:
    from pathlib import Path

at = scene
PART = "flights.2026-11-20.0001-9f86d081884c7d65~edge2~gone~00"


def left(at: Scene, *names: str, old: bool = True) -> None:
    """Leave these in the folder of parts."""
    for name in names:
        path = at.stand.private.path / "parts" / name
        path.write_bytes(b"half of it")
        if old:
            os.utime(path, (1, 1))


def records(at: Scene) -> list[object]:
    folder = at.stand.private.path / "journal" / f"{DAY}"
    return [
        read_line(line).record for one in sorted(folder.iterdir()) for line in one.read_bytes().splitlines()
    ]


def test_what_is_old_goes_of_a_slot_that_landed_and_the_journal_says_so_first(at: Scene) -> None:
    deliver(at.share, manifest())
    next_one = PART.replace("0001", "0002")
    left(at, PART, f"{PART}~1", f"{PART}.done", "trial-00aa", "found-00bb.done", next_one)
    dropped: list[list[object]] = []

    def look(call: str, path: Path) -> None:
        if call == "unlink" and path.name.startswith("flights") and path.parent.name == "parts":
            dropped.append([one.part for one in records(at) if isinstance(one, Dropped)])

    at.disk.before = look
    at.share.tidy()
    assert at.parts == [next_one]
    assert dropped == [[PART, f"{PART}~1"]] * 3, "or an intent that comes too late would pass for a delivery"
    assert list((at.stand.private.path / "claims").iterdir()) == []
    at.share.tidy()


@pytest.mark.parametrize(
    "names",
    [
        ["flights.2026-11-20.0002-9f86d081884c7d65~edge2~gone~00"],  # of a revision after the one that landed
        ["flights.2026-11-19.0001-9f86d081884c7d65~edge2~gone~00"],  # of a slot that has not landed
        [
            "flights.2026-11-20",
            "flights.2026-11-20.x.csv",
            "flights.tomorrow.0001-00",
            "notes",
        ],  # not of ours
    ],
)
def test_what_is_of_no_revision_that_landed_stays(at: Scene, names: list[str]) -> None:
    deliver(at.share, manifest())
    left(at, *names)
    at.share.tidy()
    assert at.parts == sorted(names)


def test_what_is_young_stays_by_the_clock_of_the_share(at: Scene) -> None:
    deliver(at.share, manifest())
    left(at, PART, "trial-00aa", old=False)
    sign = next((at.stand.private.path / "alive").iterdir())
    for age, names in ((86_000, [PART, "trial-00aa"]), (87_000, [])):
        for name in names or at.parts:
            now = sign.stat().st_mtime
            os.utime(at.stand.private.path / "parts" / name, (now - age, now - age))
        at.share.tidy()
        assert at.parts == names


@pytest.mark.parametrize("feed", ["trial-balance", "found-abc"])
def test_a_feed_may_be_called_as_our_own_files_are(at: Scene, feed: str) -> None:
    wanted = manifest(feed=feed)
    parts = [name.replace("flights", feed) for name in (PART, f"{PART}.done")]
    deliver(at.share, manifest())
    left(at, *parts)
    late = Intent(wanted, parts[0], at.stand.way, 0, 0, at.stand.clock.now(), "edge2")
    Journal(LOCAL, at.stand.private.path / "journal", "edge2").append(DAY, late)
    at.share.tidy()
    assert at.parts == sorted(parts), "an intent whose part is gone was delivered"


def test_a_business_date_that_is_not_that_of_the_occurrence_is_found(at: Scene) -> None:
    for days, stays in ((40, False), (46, True)):
        slot = f"feed{days}.{DAY - timedelta(days):%Y-%m-%d}"
        feed, _, occurrence = slot.partition(".")
        deliver(at.share, manifest(feed=feed, occurrence=occurrence, name=f"{feed}.csv"))
        part = f"{slot}.0001-9f86d081884c7d65~edge2~gone~00"
        left(at, part)
        at.share.tidy()
        assert (at.parts == [part]) is stays


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_days_at_the_end_of_time_are_nobodys(at: Scene, day: str) -> None:
    deliver(at.share, manifest())
    part = PART.replace("2026-11-20", day)
    left(at, part)
    at.share.tidy()
    assert at.parts == [part]


def test_a_slot_that_has_had_two_business_dates_is_left_alone(at: Scene) -> None:
    deliver(at.share, manifest())
    left(at, PART)
    day = DAY + timedelta(1)
    other = Intent(manifest(business_date=day), PART, at.stand.way, 0, 0, at.stand.clock.now(), "edge2")
    Journal(LOCAL, at.stand.private.path / "journal", "edge2").append(day, other)
    at.share.tidy()
    assert at.parts == [PART]


@pytest.mark.parametrize("revision", [1, 2])
def test_who_woke_up_when_it_had_landed_has_it_settled_and_leaves_nothing(at: Scene, revision: int) -> None:
    """Of a later revision its claimant may be about to land it: that is settled by whoever asks for it."""
    deliver(at.share, manifest())
    part = PART.replace("0001", f"{revision:04d}")
    left(at, part, f"{part}.done")
    late = Intent(manifest(revision=revision), part, at.stand.way, 0, 0, at.stand.clock.now(), "edge2")
    if at.stand.way is Way.LINK:
        late = replace(late, changed=changed_at(LOCAL, at.stand.private.path / "parts" / part))
    Journal(LOCAL, at.stand.private.path / "journal", "edge2").append(DAY, late)
    at.share.tidy()
    assert at.parts == ([] if revision == 1 else sorted([part, f"{part}.done"]))
    assert sum(isinstance(one, Withdrawn) for one in records(at)) == (revision == 1)
    assert sum(isinstance(one, LandedRecord) for one in records(at)) == 1


def test_what_somebody_has_a_claim_on_stays(at: Scene) -> None:
    deliver(at.share, manifest())
    left(at, PART)
    other = at.stand.open("edge2")
    with other.claim(manifest()):
        at.share.tidy()
        assert at.parts == [PART]
    at.share.tidy()
    assert at.parts == []


def test_who_sleeps_in_the_middle_removes_nothing(at: Scene) -> None:
    deliver(at.share, manifest())
    left(at, PART)
    with ExitStack() as stack:
        own = at.stand.private.path / "claims"

        def asleep(call: str, path: Path) -> None:
            if call == "listdir" and path.name == f"{DAY}" and any(own.iterdir()):
                at.disk.before = _nothing
                at.stand.fall_asleep("edge1")
                stack.enter_context(at.stand.open("edge2").claim(manifest()))

        at.disk.before = asleep
        with pytest.raises(ShareRefused, match="taken over"):
            at.share.tidy()
        assert at.parts == [PART]


def test_what_was_begun_between_the_look_and_the_claim_stays(at: Scene) -> None:
    deliver(at.share, manifest())
    left(at, PART)

    def begun(call: str, path: Path) -> None:
        if call == "listdir" and path.name == "claims":
            at.disk.before = _nothing
            late = Intent(manifest(revision=2), PART, at.stand.way, 0, 0, at.stand.clock.now(), "edge2")
            Journal(LOCAL, at.stand.private.path / "journal", "edge2").append(DAY, late)

    at.disk.before = begun
    at.share.tidy()
    assert at.parts == [PART]


def test_a_part_that_goes_meanwhile_is_no_error(at: Scene) -> None:
    deliver(at.share, manifest())
    left(at, PART)
    looked: list[str] = []

    class Fleeting(Told):
        def listdir(self, folder: Path) -> list[str]:
            names = super().listdir(folder)
            if folder.name == "parts":
                looked.extend(names)
                for name in names:
                    (folder / name).unlink()
            return names

    at.disk.__class__ = Fleeting
    at.share.tidy()
    assert looked == [PART]


def test_the_done_file_of_what_was_found_waits_under_the_slots_name(at: Scene) -> None:
    wanted = manifest(remote_path="/outbound/flights/REPORT.csv", done_name="in/REPORT.done")
    (at.stand.root / "in").mkdir()
    (at.stand.root / "in/REPORT.csv").write_bytes(b"id,amount\n1,2.50\n")
    waiting: list[str] = []

    def look(call: str, path: Path) -> None:
        if call == "name" and path.name == "REPORT.done":
            waiting.extend(at.parts)

    at.disk.before = look
    with at.share.claim(wanted) as claim:
        assert claim.landed is not None
    (name,) = waiting
    assert name.startswith("flights.2026-11-20.0001-")
    assert at.parts == []


def _nothing(_call: str, _path: Path) -> None:
    pass
