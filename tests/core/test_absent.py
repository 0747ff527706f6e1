"""When does the server say that no file of a slot comes, and who is believed?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import orjson
import pytest

from landbridge.absent import absent
from landbridge.decisions import redrive, reject, waive
from landbridge.errors import Exit, IntegrityBroken, NotPermitted, StoreConflict, Unavailable
from landbridge.facts import Slot, Verdict
from landbridge.held import Wanted, ended_without
from landbridge.hops import hops
from landbridge.ledger import Ledger, absence_bytes, absence_from
from landbridge.naming import absence_key
from landbridge.released import State
from landbridge.run import carry_on, run
from tests.fakes.facts import commitment
from tests.fakes.folder_remote import FolderRemote
from tests.fakes.memory_cloud import MemoryWorld, slot, trades
from tests.fakes.memory_store import MemoryStore
from tests.stories.bridgehead import DAY, Bridgehead

if TYPE_CHECKING:
    from pathlib import Path

    from landbridge.facts import Absence
    from landbridge.ports import RemoteFile
    from landbridge.released import Outcome

OWN = Slot("flights", f"{DAY}", DAY, datetime(2026, 11, 20, 8, tzinfo=UTC))
NAME = f"flights.{DAY}.0001.json"


@pytest.fixture
def at(tmp_path: Path) -> Bridgehead:
    return Bridgehead(tmp_path / "at")


def asked(at: Bridgehead, remote: FolderRemote | None = None) -> Absence | None:
    return absent(at.ground(remote or FolderRemote(at.server), at.share()), OWN)


# On the ground


def test_nothing_says_so_of_a_slot_that_is_late(at: Bridgehead) -> None:
    assert asked(at) is None


def test_the_newest_one_counts(at: Bridgehead) -> None:
    at.excuse(Verdict.SKIP)
    at.excuse(Verdict.WAIVE, revision=3)
    found = asked(at)
    assert found is not None
    assert (found.verdict, found.revision, f"{found.feed}/{found.occurrence}") == (Verdict.WAIVE, 3, f"{OWN}")


@pytest.mark.parametrize("verdict", [Verdict.QUARANTINE, Verdict.REJECT])
def test_a_later_revision_takes_it_back_and_a_later_waiver_says_it_again(
    at: Bridgehead, verdict: Verdict
) -> None:
    at.excuse(Verdict.SKIP)
    at.excuse(verdict, revision=2)
    assert asked(at) is None
    assert without(at).state is State.NOT_RELEASED, "so its job waits as for any late file"
    at.excuse(Verdict.WAIVE, revision=3)
    found = asked(at)
    assert found is not None
    assert found.revision == 3


@pytest.mark.parametrize("revision", [1, 2, 3])
def test_a_manifest_of_the_slot_undoes_it(at: Bridgehead, revision: int) -> None:
    at.excuse(revision=2)
    at.release(b"one", revision=revision)
    assert asked(at) is None


def test_another_slots_manifest_does_not(at: Bridgehead) -> None:
    at.excuse()
    at.release(b"one", feed="flights2")
    at.release(b"one", occurrence="20261120T1000Z")
    assert asked(at) is not None


def test_a_manifest_that_comes_while_it_is_read_undoes_it(at: Bridgehead) -> None:
    """The manifests are listed last: whoever released before that is seen."""

    class Released(FolderRemote):
        def read(self, path: str) -> bytes:
            at.release(b"one", revision=2)
            return super().read(path)

    at.excuse()
    assert asked(at, Released(at.server)) is None


def test_one_that_is_gone_when_it_is_read_says_nothing(at: Bridgehead) -> None:
    class Gone(FolderRemote):
        def files(self, folder: str) -> list[RemoteFile]:
            found = super().files(folder)
            for one in found:
                (at.server / one.path.lstrip("/")).unlink()
            return found

    at.excuse()
    assert asked(at, Gone(at.server)) is None


def test_a_server_that_does_not_show_them_leaves_the_wait_as_it_was(at: Bridgehead) -> None:
    class Narrow(FolderRemote):
        def files(self, folder: str) -> list[RemoteFile]:
            if "_absences" in folder:
                raise NotPermitted("the role sees the manifests alone")
            return super().files(folder)

    at.excuse()
    assert asked(at, Narrow(at.server)) is None


@pytest.mark.parametrize(
    "name",
    [
        "flights.2026-11-20.1.json",
        "FLIGHTS.2026-11-20.0001.json",
        "flights.2026-11-20.0001.json.bak",
        "flights.2026-11-20.00010.json",
        "flights2.2026-11-20.0001.json",
        "flights",
        "\u202eflights.2026-11-20.0001.json",
    ],
)
def test_a_file_of_another_name_is_not_read(at: Bridgehead, name: str) -> None:
    at.excuse(name=name)
    assert asked(at) is None


def test_one_that_is_too_large_to_be_one_is_not_read(at: Bridgehead) -> None:
    path = at.excuse()
    path.write_bytes(path.read_bytes() + b" " * (64 << 10))
    assert asked(at) is None


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"feed": "trains"}, "it speaks of trains/2026-11-20 revision 1"),
        ({"occurrence": "2026-11-21"}, "it speaks of flights/2026-11-21 revision 1"),
        ({"revision": 2}, "it speaks of flights/2026-11-20 revision 2"),
        ({"revision": 0}, "`revision` is out of bounds"),
        ({"environment": "PRD"}, "business date 2026-11-20, environment PRD"),
        ({"business_date": "2026-11-21"}, "business date 2026-11-21, environment DEV"),
        ({"verdict": "release"}, "verdict"),
        ({"verdict": "late"}, "verdict"),
        ({"commitment": "c"}, "`commitment` is out of bounds"),
        ({"committed_at": "2026-11-20T08:00:00"}, "`committed_at` is out of bounds"),
        ({"kind": "manifest"}, "'manifest'"),
        ({"schema": 2}, "2"),
        ({"reason": "ticket 1"}, "reason"),
    ],
)
def test_what_does_not_belong_there_is_refused(at: Bridgehead, change: dict[str, object], why: str) -> None:
    path = at.excuse()
    path.write_bytes(orjson.dumps({**orjson.loads(path.read_bytes()), **change}))
    with pytest.raises(IntegrityBroken) as refused:
        asked(at)
    assert why in (refused.value.seen or "")


def without(at: Bridgehead) -> Outcome:
    """Say how a landing ends for a slot that it names and has no file of."""
    with at.share() as share:
        ground = at.ground(FolderRemote(at.server), share)
        (ended,) = ended_without(ground, Wanted(("flights",), DAY, (OWN,)), [], partial(absent, ground))
    return ended


@pytest.mark.parametrize(("verdict", "state"), [(Verdict.SKIP, State.SKIPPED), (Verdict.WAIVE, State.WAIVED)])
def test_a_landing_says_what_the_server_says(at: Bridgehead, verdict: Verdict, state: State) -> None:
    late = without(at)
    assert (late.state, late.error and late.error.exit) == (State.NOT_RELEASED, Exit.TRY_AGAIN)
    at.excuse(verdict, revision=2)
    ended = without(at)
    assert (ended.what, ended.revision, ended.state, ended.error) == (str(OWN), 2, state, None)


def test_a_landing_that_cannot_ask_of_one_slot_says_how_the_others_ended(at: Bridgehead) -> None:
    other = replace(OWN, occurrence="2026-11-19")

    def answer(slot: Slot) -> None:
        if slot == OWN:
            raise Unavailable("the line is cut")

    with at.share() as share:
        ground = at.ground(FolderRemote(at.server), share)
        ended = ended_without(ground, Wanted(("flights",), DAY, (OWN, other)), [], answer)
    assert [(one.what, one.state, one.error and one.error.exit) for one in ended] == [
        (str(OWN), State.NOT_RELEASED, Exit.UNAVAILABLE),
        (str(other), State.NOT_RELEASED, Exit.TRY_AGAIN),
    ]


def test_a_landing_refuses_the_one_slot_whose_absence_is_not_to_be_trusted(at: Bridgehead) -> None:
    at.excuse().write_bytes(b"no absence")
    ended = without(at)
    assert (ended.what, ended.state, ended.error and ended.error.exit) == (
        str(OWN),
        State.REFUSED,
        Exit.INTEGRITY,
    )


# In the cloud


FEED, SLOT = trades(), slot()
KEY = absence_key(SLOT, 1)


@pytest.fixture
def world() -> MemoryWorld:
    return MemoryWorld()


def absences(world: MemoryWorld) -> list[str]:
    return [key for key in world.reports.objects if "_absences" in key]


def test_a_waiver_is_told_where_the_other_side_looks_and_its_reason_is_not(world: MemoryWorld) -> None:
    waived = waive(FEED, SLOT, world.cloud("ann", "ticket 7: a bank holiday")).commitment
    (key,) = absences(world)
    body = world.reports.read(key)
    assert key == KEY
    assert absence_from(body, key.rpartition("/")[2]).commitment == world.cloud().ledger.digest(waived)
    assert b"ticket" not in body
    assert b"ann" not in body


def test_who_traces_a_waived_slot_sees_where_the_other_side_is_told(world: MemoryWorld) -> None:
    waived = waive(FEED, SLOT, world.cloud("ann", "ticket 7")).commitment
    way = hops(waived, world.evidence())
    assert [(one.name, one.who) for one in way] == [("verdict waive", "ann run of ann"), ("told", "absence")]
    assert way[-1].where.endswith(KEY)


def test_a_waiver_that_was_killed_before_it_was_told_is_told_by_the_next(world: MemoryWorld) -> None:
    first = waive(FEED, SLOT, world.cloud("ann", "ticket 7"))
    whole = world.reports.read(KEY)
    for again in (
        lambda: waive(FEED, SLOT, world.cloud("bob", "another reason")),
        lambda: run(FEED, SLOT, world.cloud()),
        lambda: carry_on(FEED, first.commitment, world.cloud()),
    ):
        del world.reports.objects[KEY]
        again()
        assert world.reports.read(KEY) == whole


def test_a_release_after_all_leaves_what_was_told_and_undoes_it(world: MemoryWorld) -> None:
    waive(FEED, SLOT, world.cloud("ann", "ticket 7"))
    redrive(FEED, SLOT, world.cloud("ann", "it came after all"))
    assert absences(world) == [KEY]
    assert [key for key in world.reports.objects if "_manifests" in key] == [
        f"outbound/_manifests/{SLOT.business_date}/trades.{SLOT.occurrence}.0002.json"
    ]


@pytest.mark.parametrize("killed", [False, True])
def test_a_redrive_of_a_waived_slot_that_ends_in_quarantine_takes_back_what_was_told(
    world: MemoryWorld, killed: bool
) -> None:
    waive(FEED, SLOT, world.cloud("ann", "ticket 7"))
    world.rows.good = False
    redrive(FEED, SLOT, world.cloud("ann", "ticket 8: it came after all"))
    mark = absence_key(SLOT, 2)
    if killed:
        del world.reports.objects[mark]
        run(FEED, SLOT, world.cloud())
    assert absences(world) == [KEY, mark]
    body = world.reports.read(mark)
    assert absence_from(body, mark.rpartition("/")[2]).verdict is Verdict.QUARANTINE
    assert b"ticket" not in body
    newest = world.cloud().ledger.newest(SLOT)
    assert newest is not None
    assert hops(newest, world.evidence())[-1].who == "absence taken back"


@pytest.mark.parametrize("again", [False, True])
def test_who_rejects_it_says_so_too_where_the_quarantine_was_never_told(
    world: MemoryWorld, again: bool
) -> None:
    waive(FEED, SLOT, world.cloud("ann", "ticket 7"))
    world.rows.good = False
    redrive(FEED, SLOT, world.cloud("ann", "ticket 8"))
    del world.reports.objects[absence_key(SLOT, 2)]
    reject(SLOT, world.cloud("ann", "ticket 9"))
    if again:
        del world.reports.objects[absence_key(SLOT, 3)]
        reject(SLOT, world.cloud("bob", "ticket 9"))
    assert absences(world) == [KEY, absence_key(SLOT, 3)]


def test_why_the_other_side_could_not_be_told_is_on_record(world: MemoryWorld) -> None:
    """An object that nobody can write over stands where the absence should."""
    world.reports.put_new(KEY, b"somebody else's")
    with pytest.raises(StoreConflict) as conflict:
        waive(FEED, SLOT, world.cloud("ann", "ticket 7"))
    ((failure,), left_out) = world.cloud().ledger.failures(SLOT)
    assert (failure.step, failure.revision, failure.exit, left_out) == ("tell", 1, conflict.value.exit, 0)
    assert failure.reason == conflict.value.what


def book(*verdicts: Verdict) -> Ledger:
    ledger = Ledger(MemoryStore(), "UAT")
    for revision, verdict in enumerate(verdicts, 1):
        ledger.commit(commitment(revision=revision, verdict=verdict))
    return ledger


@pytest.mark.parametrize(
    ("verdicts", "told"),
    [
        ([Verdict.SKIP], True),
        ([Verdict.QUARANTINE, Verdict.SKIP], True),
        ([Verdict.QUARANTINE, Verdict.WAIVE], True),
        ([Verdict.RELEASE, Verdict.SKIP], False),
        ([Verdict.RELEASE, Verdict.QUARANTINE, Verdict.SKIP], False),
        ([Verdict.RELEASE, Verdict.WAIVE], True),
        ([Verdict.RELEASE, Verdict.WAIVE, Verdict.SKIP], True),
        ([Verdict.WAIVE, Verdict.RELEASE, Verdict.SKIP], False),
    ],
)
def test_a_skipped_correction_does_not_say_that_what_it_corrects_never_comes(
    verdicts: list[Verdict], told: bool
) -> None:
    ledger = book(*verdicts)
    newest = ledger.newest(commitment().slot)
    assert newest is not None
    body = ledger.absence(newest)
    assert body == (absence_bytes(newest, ledger.digest(newest)) if told else None)
    stands = ledger.expected(newest.slot)
    assert stands is not None
    assert (stands.verdict is not Verdict.RELEASE) is told, "who may ask the ledger is told the same"


@pytest.mark.parametrize(
    ("verdicts", "told"),
    [
        ([Verdict.QUARANTINE], False),
        ([Verdict.QUARANTINE, Verdict.REJECT], False),
        ([Verdict.RELEASE, Verdict.QUARANTINE], False),
        ([Verdict.RELEASE, Verdict.SKIP, Verdict.QUARANTINE], False),
        ([Verdict.SKIP, Verdict.QUARANTINE], True),
        ([Verdict.WAIVE, Verdict.QUARANTINE, Verdict.REJECT], True),
        ([Verdict.WAIVE, Verdict.RELEASE, Verdict.QUARANTINE], True),
        ([Verdict.RELEASE, Verdict.WAIVE, Verdict.QUARANTINE], True),
    ],
)
def test_only_what_was_told_is_taken_back(verdicts: list[Verdict], told: bool) -> None:
    """Nothing of a quarantine reaches the reports bucket but this."""
    ledger = book(*verdicts)
    newest = ledger.newest(commitment().slot)
    assert newest is not None
    assert ledger.absence(newest) == (absence_bytes(newest, ledger.digest(newest)) if told else None)


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([Verdict.WAIVE, Verdict.QUARANTINE], 2),
        ([Verdict.SKIP, Verdict.QUARANTINE], 2),
        ([Verdict.WAIVE, Verdict.REJECT], 2),
        ([Verdict.RELEASE, Verdict.WAIVE, Verdict.QUARANTINE], 3),
        ([Verdict.RELEASE, Verdict.QUARANTINE], 1),
        ([Verdict.RELEASE, Verdict.RELEASE, Verdict.REJECT], 2),
        ([Verdict.WAIVE, Verdict.RELEASE], 2),
    ],
)
def test_a_waiver_says_nothing_of_what_was_decided_since(verdicts: list[Verdict], expected: int) -> None:
    stands = book(*verdicts).expected(commitment().slot)
    assert stands is not None
    assert stands.revision == expected


def test_nothing_is_in_force_of_a_slot_of_which_nothing_was_decided() -> None:
    assert book().expected(commitment().slot) is None


def test_a_release_is_never_written_as_an_absence() -> None:
    with pytest.raises(ValueError, match="release"):
        absence_bytes(commitment(verdict=Verdict.RELEASE), "c" * 64)


def test_quarantine_leaves_nothing_in_the_reports_bucket(world: MemoryWorld) -> None:
    world.rows.good = False
    run(FEED, SLOT, world.cloud())
    assert world.reports.objects == {}
