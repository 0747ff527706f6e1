"""Does a landing ask, take, clear and tell only what it is to? In one process, with a folder as the server."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from landbridge.collect import collect
from landbridge.errors import IntegrityBroken, Unavailable
from landbridge.facts import Slot
from landbridge.held import Wanted
from landbridge.land import land
from landbridge.released import State
from tests.core.test_released import Server, Stand
from tests.fakes.facts import commitment
from tests.stories.bridgehead import DAY, ENVIRONMENT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from landbridge.ports import RemoteFile
    from landbridge.released import Outcome

LATER = "20261120T0900Z"


def slot(occurrence: str = f"{DAY}", feed: str = "flights") -> Slot:
    return Slot(feed, occurrence, DAY, datetime(2026, 11, 20, 8, tzinfo=UTC))


@pytest.fixture
def stand(tmp_path: Path) -> Stand:
    made = Stand(tmp_path / "at")
    for feed in ("flights", "other"):
        made.at.held(feed)
    return made


def landed(stand: Stand, *slots: Slot, feeds: tuple[str, ...] = ("flights",)) -> list[Outcome]:
    return land(stand.ground, stand.at.holding, Wanted(feeds, DAY, slots), lambda _: None)


def states(outcomes: list[Outcome]) -> list[tuple[str, State]]:
    return [(one.what, one.state) for one in outcomes]


def unsent(stand: Stand) -> list[tuple[str, str]]:
    return [(one.feed, one.occurrence) for one in stand.share.unreceipted(DAY)]


# What it is about


def test_only_receipts_of_what_it_is_about_are_sent_again(stand: Stand) -> None:
    for feed, occurrence in (("flights", f"{DAY}"), ("flights", LATER), ("other", f"{DAY}")):
        stand.at.release(b"one", feed=feed, occurrence=occurrence)
    stand.server.writes = Unavailable("the line was cut")
    collect(stand.ground, DAY)
    stand.server.writes = None
    assert len(unsent(stand)) == 3
    assert states(landed(stand, slot())) == [(f"flights/{DAY}", State.ALREADY_THERE)]
    assert sorted(unsent(stand)) == [("flights", LATER), ("other", f"{DAY}")]
    assert states(landed(stand)) == [(f"flights/{LATER}", State.ALREADY_THERE)]
    assert unsent(stand) == [("other", f"{DAY}")]


def test_a_server_is_not_asked_while_nothing_is_held(stand: Stand) -> None:
    stand.at.release(b"one")
    assert landed(stand, feeds=("flights", "other")) == []
    assert stand.server.listed == set()


def test_without_a_named_slot_only_feeds_that_hold_something_are_looked_at(stand: Stand) -> None:
    released = stand.at.release(b"one")
    manifests = stand.at.outbound / "_manifests" / f"{DAY}"
    (manifests / f"other.{DAY}.0001.json").write_bytes(b"{")
    stand.at.moved(released)
    assert states(landed(stand, feeds=("flights", "other"))) == [(f"flights/{DAY}", State.DELIVERED)]


def test_without_a_named_slot_what_was_not_brought_is_not_waited_for(stand: Stand) -> None:
    stand.at.moved(stand.at.release(b"one"))
    stand.at.release(b"two", occurrence=LATER)
    assert states(landed(stand)) == [(f"flights/{DAY}", State.DELIVERED)]


def test_without_a_named_slot_a_manifest_and_a_name_that_cannot_be_trusted_are_told(stand: Stand) -> None:
    stand.at.moved(stand.at.release(b"one"))
    manifests = stand.at.outbound / "_manifests" / f"{DAY}"
    broken, strange = f"flights.{LATER}.0001.json", f"flights.{DAY}.1.json"
    for name in (broken, strange):
        (manifests / name).write_bytes(b"{")
    outcomes = landed(stand)
    assert (f"flights/{DAY}", State.DELIVERED) in states(outcomes)
    assert {one.what.strip("'") for one in outcomes if one.state is State.REFUSED} == {broken, strange}


# What it takes and clears


def test_what_somebody_else_is_at_is_not_copied_and_stays_held(stand: Stand) -> None:
    released = stand.at.release(b"one")
    stand.at.moved(released)
    with stand.at.share("edge2") as other, other.claim_all([released]):
        assert states(landed(stand, slot())) == [(f"flights/{DAY}", State.BUSY)]
        assert stand.at.seen() == {}
        assert len(stand.at.holding.names("flights")) == 2
    assert states(landed(stand, slot())) == [(f"flights/{DAY}", State.DELIVERED)]


class Once(Server):
    """Lists the manifests of a day once; then the line is cut."""

    lists = 0

    def files(self, folder: str) -> list[RemoteFile]:
        if "_manifests" in folder:
            self.lists += 1
            if self.lists > 1:
                raise Unavailable("the line was cut")
        return super().files(folder)


def test_what_landed_is_cleared_without_asking_the_server_again(stand: Stand) -> None:
    stand.at.moved(stand.at.release(b"one"))
    stand.server = Once(stand.at.server)
    assert states(landed(stand)) == [(f"flights/{DAY}", State.DELIVERED)]
    assert stand.at.holding.names("flights") == []
    assert stand.server.lists == 1


def test_a_line_that_is_cut_while_leftovers_are_looked_for_changes_no_outcome(stand: Stand) -> None:
    stand.at.moved(stand.at.release(b"one"))
    left = stand.at.held() / "strange.csv"
    left.write_bytes(b"?")
    stand.server = Once(stand.at.server)
    assert states(landed(stand)) == [(f"flights/{DAY}", State.DELIVERED)]
    assert stand.server.lists == 2
    assert left.exists()


def test_a_leftover_goes_only_when_its_slot_landed_in_this_or_a_later_revision(stand: Stand) -> None:
    first = stand.at.release(b"one", name="one.csv")
    stand.at.moved(first)
    collect(stand.ground, DAY)
    second = stand.at.release(b"two", revision=2, name="two.csv")
    stand.at.moved(second)
    (stand.at.outbound / "_manifests" / f"{DAY}" / f"flights.{DAY}.0002.json").unlink()
    assert landed(stand) == []
    assert stand.at.holding.names("flights") == [f"flights.{DAY}.0002.json", f"flights_{DAY}_2.csv"]
    stand.at.announce(second)
    assert states(landed(stand)) == [(f"flights/{DAY}", State.DELIVERED)]
    assert stand.at.holding.names("flights") == []


def test_a_manifest_of_another_feed_or_environment_clears_nothing(stand: Stand) -> None:
    """Two feeds may hold files of one name; what lies in another feed's folder is none of it."""
    released = stand.at.release(b"one")
    collect(stand.ground, DAY)
    stand.at.held("other").joinpath(f"flights_{DAY}_1.csv").write_bytes(b"one")
    assert landed(stand, feeds=("other",)) == []
    assert stand.at.holding.names("other") == [f"flights_{DAY}_1.csv"]
    assert released.environment == ENVIRONMENT


def test_a_landing_tidies_the_share(stand: Stand) -> None:
    stand.at.moved(stand.at.release(b"one"))
    landed(stand)
    old = stand.at.root / ".landbridge/dev/parts/trial-00aa"
    old.write_bytes(b"")
    long_ago = (datetime.now(UTC) - timedelta(days=3)).timestamp()
    os.utime(old, (long_ago, long_ago))
    landed(stand)
    assert not old.exists()


def test_of_a_feed_only_the_named_slot_lands(stand: Stand) -> None:
    for occurrence in (f"{DAY}", LATER):
        stand.at.moved(stand.at.release(b"one", occurrence=occurrence))
    assert states(landed(stand, slot())) == [(f"flights/{DAY}", State.DELIVERED)]
    assert set(stand.at.seen()) == {f"flights_{DAY}_1.csv"}
    assert f"flights_{LATER}_1.csv" in stand.at.holding.names("flights")


def test_a_correction_that_waits_for_its_landing_is_no_leftover(stand: Stand) -> None:
    stand.at.release(b"one")
    collect(stand.ground, DAY)
    stand.at.moved(stand.at.release(b"two", revision=2))
    assert states(landed(stand, slot(LATER))) == [(f"flights/{LATER}", State.NOT_RELEASED)]
    assert f"flights_{DAY}_2.csv" in stand.at.holding.names("flights")


def test_manifests_of_others_and_broken_ones_keep_no_leftover(stand: Stand) -> None:
    released = stand.at.release(b"one")
    collect(stand.ground, DAY)
    stand.at.moved(released)
    stand.at.release(b"two", feed="other")
    (stand.at.outbound / "_manifests" / f"{DAY}" / f"flights.{LATER}.0001.json").write_bytes(b"{")
    assert states(landed(stand, slot())) == [(f"flights/{DAY}", State.ALREADY_THERE)]
    assert stand.at.holding.names("flights") == []


class Meanwhile(Server):
    """Somebody collects between the look at the manifests and the claim."""

    stand: Stand

    def read_many(self, files: Sequence[RemoteFile]) -> list[bytes]:
        bodies = super().read_many(files)
        server, share = Server(self.stand.at.server), self.stand.at.share("edge2")
        with share:
            collect(self.stand.at.ground(server, share), DAY)
        return bodies


def test_what_was_delivered_meanwhile_needs_no_file_in_holding(stand: Stand) -> None:
    stand.at.release(b"one")
    stand.server = Meanwhile(stand.at.server)
    stand.server.stand = stand
    assert states(landed(stand, slot())) == [(f"flights/{DAY}", State.ALREADY_THERE)]


def test_a_file_that_was_not_brought_keeps_no_other_from_landing(stand: Stand) -> None:
    stand.at.moved(stand.at.release(b"one"))
    stand.at.release(b"two", occurrence=LATER)
    assert sorted(states(landed(stand, slot(), slot(LATER)))) == [
        (f"flights/{DAY}", State.DELIVERED),
        (f"flights/{LATER}", State.WAITING),
    ]


# What it tells


def test_a_strange_name_is_told_once_and_only_of_its_own_day(stand: Stand) -> None:
    strange = f"flights.{DAY}.1.json"
    (stand.at.outbound / "_manifests" / f"{DAY}" / strange).write_bytes(b"")
    assert states(landed(stand, slot())) == [(f"flights/{DAY}", State.REFUSED)]
    before = Slot("flights", "2026-11-19", DAY - timedelta(days=1), datetime(2026, 11, 19, 8, tzinfo=UTC))
    outcomes = dict(states(landed(stand, before, slot())))
    assert outcomes["flights/2026-11-19"] is State.NOT_RELEASED
    assert outcomes[f"flights/{DAY}"] is State.REFUSED


def test_what_is_on_record_of_one_slot_and_cannot_be_trusted_is_that_slots_end_alone(stand: Stand) -> None:
    def decided(asked: Slot) -> None:
        if asked.occurrence == LATER:
            raise IntegrityBroken("its commitment is not what was signed")

    wanted = Wanted(("flights",), DAY, (slot(), slot(LATER)))
    outcomes = land(stand.ground, stand.at.holding, wanted, decided)
    assert states(outcomes) == [
        (f"flights/{DAY}", State.NOT_RELEASED),
        (f"flights/{LATER}", State.REFUSED),
    ]


@pytest.mark.parametrize(
    ("known", "why"), [(True, "decided and on its way"), (False, "has no manifest of it")]
)
def test_why_a_slot_is_not_there_yet_is_told(stand: Stand, known: bool, why: str) -> None:
    decided = commitment(slot()) if known else None
    (outcome,) = land(stand.ground, stand.at.holding, Wanted(("flights",), DAY, (slot(),)), lambda _: decided)
    assert outcome.error
    assert why in outcome.error.what
