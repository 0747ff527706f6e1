"""Does the share keep its promise: once, whole, in order, and never over something else?"""

from __future__ import annotations

import hashlib
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from landbridge.disk.local import LOCAL, LocalDisk
from landbridge.errors import (
    DiskFailed,
    IntegrityBroken,
    LandbridgeError,
    ShareRefused,
    TryAgain,
    Unavailable,
    UsageError,
)
from landbridge.facts import Download, Manifest, Receipt
from landbridge.share.folder import FolderShare
from landbridge.share.machine import Machine
from landbridge.share.platform import Way
from reliability.disk import UMASK, SimulatedDisk
from tests.fakes.facts import downloaded
from tests.fakes.place import Place
from tests.fakes.set_clock import SetClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from landbridge.disk import Disk
    from landbridge.ports import Claim

DAY = date(2026, 11, 20)
BODY = b"id,amount\n1,2.50\n"


class Stand:
    """One share on a disk, and any number of collectors that serve it, each as a process of its own."""

    def __init__(self, disk: Disk, root: Path, way: Way, stack: ExitStack) -> None:
        self.root = Place(disk, root)
        self.way = way
        self.clock = SetClock()
        self._stack = stack

    @property
    def private(self) -> Place:
        return self.root / ".landbridge" / "dev"

    def machine(self) -> Machine:
        """Give the machine of one more collector."""
        return Machine()

    def fall_asleep(self, collector: str) -> None:
        """Let the collector give no sign of life for long."""
        for sign in (self.private / "alive").iterdir():
            if sign.name.startswith(f"{collector}~"):
                os.utime(sign.path, (0, 0))

    @contextmanager
    def umask(self, umask: int) -> Iterator[None]:
        """Run all collectors with this umask."""
        before = os.umask(umask)
        try:
            yield
        finally:
            os.umask(before)

    def open(self, collector: str = "edge1", lease: timedelta = timedelta(minutes=2)) -> FolderShare:
        share = FolderShare(
            self.root.path, "DEV", collector, self.clock, lease=lease, way=self.way, machine=self.machine()
        )
        self._stack.callback(share.close)
        return share

    def files(self) -> dict[str, bytes]:
        """Everything that the consumer sees."""
        found = [place for place in self.root.files() if ".landbridge" not in place.path.parts]
        return {str(place.path.relative_to(self.root.path)): place.read_bytes() for place in found}


class SimulatedStand(Stand):
    """The same on the disk of the simulation."""

    def __init__(self, way: Way, stack: ExitStack) -> None:
        self._ahead = 0
        self._umask = UMASK
        self.simulated = SimulatedDisk(lambda: time.time_ns() + self._ahead)
        super().__init__(self.simulated.mount(), Path("/volume/share"), way, stack)
        self.root.parent.mkdir()
        self.root.mkdir()

    def machine(self) -> Machine:
        return Machine(self.simulated.mount(umask=self._umask))

    def fall_asleep(self, collector: str) -> None:
        del collector  # all are asleep, and the next one to ask for the time wakes up first
        self._ahead += int(timedelta(hours=1) / timedelta(microseconds=1)) * 1_000

    @contextmanager
    def umask(self, umask: int) -> Iterator[None]:
        self._umask = umask
        yield


@pytest.fixture(params=[(kind, way) for kind in ("local", "simulated") for way in Way], ids="-".join)
def stand(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stand]:
    kind, way = request.param
    (tmp_path / "share").mkdir()
    with ExitStack() as stack:
        made = (
            SimulatedStand(way, stack)
            if kind == "simulated"
            else Stand(LOCAL, tmp_path / "share", way, stack)
        )
        made.open().adopt()
        yield made


@pytest.fixture(params=list(Way))
def real(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stand]:
    """Give a share on this machine's disk: the simulated one has no links."""
    (tmp_path / "share").mkdir()
    with ExitStack() as stack:
        made = Stand(LOCAL, tmp_path / "share", request.param, stack)
        made.open().adopt()
        yield made


def manifest(body: bytes = BODY, revision: int = 1, name: str = "in/REPORT.csv", **more: object) -> Manifest:
    made = Manifest(
        feed="flights",
        occurrence="2026-11-20",
        business_date=DAY,
        revision=revision,
        environment="DEV",
        remote_path=f"/outbound/flights/x_{revision}.csv",
        landed_name=name,
        done_name="",
        size=len(body),
        sha256=hashlib.sha256(body).hexdigest(),
        rows=1,
        committed_at=datetime(2026, 11, 20, 8, tzinfo=UTC),
        deadline=None,
        commitment="c" * 64,
    )
    return replace(made, **more)  # type: ignore[arg-type]


def part_of(claim: Claim) -> Place:
    """Give the part of a claim of ours, on the disk that it is on."""
    return Place(claim.session.disk, claim.part)  # type: ignore[attr-defined]


def deliver(share: FolderShare, wanted: Manifest, body: bytes = BODY) -> Receipt:
    with share.claim(wanted) as claim:
        if claim.landed is not None:
            return claim.landed
        part_of(claim).write_bytes(body)
        return claim.land(content(body))


def content(body: bytes) -> Download:
    return downloaded(len(body), hashlib.sha256(body).hexdigest())


def land_after(share: FolderShare, wanted: Manifest, body: bytes, *before: Callable[[], object]) -> Receipt:
    with share.claim(wanted) as claim:
        part_of(claim).write_bytes(body)
        for step in before:
            step()
        return claim.land(content(BODY))


def test_a_file_lands_with_its_receipt(stand: Stand) -> None:
    share = stand.open()
    receipt = deliver(share, manifest())
    assert stand.files() == {"in/REPORT.csv": BODY}
    assert (receipt.landed_path, receipt.sha256, receipt.collector, receipt.commitment) == (
        "in/REPORT.csv",
        manifest().sha256,
        "edge1",
        "c" * 64,
    )
    assert share.landed("flights", "2026-11-20", DAY) == receipt
    assert share.unreceipted(DAY) == [receipt]
    share.receipted(receipt)
    share.receipted(receipt)
    assert share.unreceipted(DAY) == []


@pytest.mark.skipif(sys.platform == "win32", reason="modes of POSIX")
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_a_file_and_its_done_file_land_with_one_mode_whatever_the_umask(stand: Stand, umask: int) -> None:
    with stand.umask(umask):
        deliver(stand.open(), manifest(done_name="in/REPORT.done"))
    modes = {name: oct((stand.root / name).mode()) for name in stand.files()}
    assert modes == {"in/REPORT.csv": "0o640", "in/REPORT.done": "0o640"}


def test_what_landed_is_known_to_later_runs_and_to_other_collectors(stand: Stand) -> None:
    receipt = deliver(stand.open(), manifest())
    (stand.root / "in/REPORT.csv").unlink()
    assert deliver(stand.open("edge2"), manifest()) == receipt
    assert stand.files() == {}
    assert stand.open("edge3").unreceipted(DAY) == [receipt]
    assert stand.open("edge4").unreceipted(DAY + timedelta(days=1)) == []


def test_the_done_file_comes_after_the_file(stand: Stand) -> None:
    deliver(stand.open(), manifest(done_name="in/REPORT.csv.done"))
    assert stand.files() == {"in/REPORT.csv": BODY, "in/REPORT.csv.done": b""}


def test_other_bytes_than_the_manifest_says_never_land(stand: Stand) -> None:
    share = stand.open()
    with pytest.raises(IntegrityBroken):
        deliver(share, manifest(), b"torn")
    with share.claim(manifest()) as claim:
        assert not part_of(claim).exists()
    with pytest.raises(IntegrityBroken):
        land_after(share, manifest(), BODY + b"x")  # on disk others than were hashed on their way
    assert stand.files() == {}
    assert share.unreceipted(DAY) == []


@pytest.mark.parametrize("late", [False, True])
def test_a_name_that_is_taken_by_other_bytes_is_left_alone(stand: Stand, late: bool) -> None:
    share = stand.open()
    final = stand.root / "in/REPORT.csv"
    final.parent.mkdir()
    if not late:
        final.write_bytes(b"somebody else's")
    with pytest.raises(IntegrityBroken):
        land_after(share, manifest(), BODY, lambda: final.write_bytes(b"somebody else's"))
    assert stand.files() == {"in/REPORT.csv": b"somebody else's"}
    final.unlink()
    deliver(share, manifest())
    assert stand.files() == {"in/REPORT.csv": BODY}


@pytest.mark.parametrize("late", [False, True])
def test_other_bytes_of_the_same_length_are_not_taken_for_ours(stand: Stand, late: bool) -> None:
    share = stand.open()
    final, strange = stand.root / "in/REPORT.csv", BODY[::-1]
    final.parent.mkdir()
    if not late:
        final.write_bytes(strange)
    with pytest.raises(IntegrityBroken):
        land_after(
            share,
            manifest(remote_path="/outbound/flights/REPORT.csv"),
            BODY,
            lambda: final.write_bytes(strange),
        )
    assert stand.files() == {"in/REPORT.csv": strange}
    assert share.unreceipted(DAY) == []


@pytest.mark.parametrize("late", [False, True])
def test_the_very_bytes_under_the_name_are_acknowledged(stand: Stand, late: bool) -> None:
    share = stand.open()
    final = stand.root / "in/REPORT.csv"
    final.parent.mkdir()
    wanted = manifest(done_name="in/ok", remote_path="/outbound/flights/REPORT.csv")
    if not late:
        final.write_bytes(BODY)
        with share.claim(wanted) as claim:
            assert claim.landed is not None
    else:
        with share.claim(wanted) as claim:
            final.write_bytes(BODY)
            part_of(claim).write_bytes(BODY)
            claim.land(content(BODY))
    assert stand.files() == {"in/REPORT.csv": BODY, "in/ok": b""}
    assert [one.sha256 for one in share.unreceipted(DAY)] == [wanted.sha256]
    assert (stand.private / "parts").iterdir() == []


@pytest.mark.parametrize("late", [False, True])
def test_the_same_bytes_under_a_name_of_every_slot_are_no_delivery(stand: Stand, late: bool) -> None:
    """Yesterday's `REPORT.csv` waits for the consumer, and today's has the same bytes: it must not count as delivered."""
    share = stand.open()
    final = stand.root / "in/REPORT.csv"
    final.parent.mkdir()
    if not late:
        final.write_bytes(BODY)
    with pytest.raises(IntegrityBroken, match="not known to be flights/2026-11-20"):
        land_after(share, manifest(), BODY, lambda: final.write_bytes(BODY))
    assert share.unreceipted(DAY) == []
    final.unlink()
    deliver(share, manifest())
    assert [one.sha256 for one in share.unreceipted(DAY)] == [manifest().sha256]


@pytest.mark.parametrize("other", ["in/report.CSV", "in/REPORT.Csv"])
def test_names_that_differ_in_case_are_refused(stand: Stand, other: str) -> None:
    share = stand.open()
    (stand.root / "in").mkdir()
    (stand.root / other).write_bytes(b"x")
    with pytest.raises(IntegrityBroken, match="differs only in case"):
        deliver(share, manifest())
    (stand.root / other).unlink()
    deliver(share, manifest())


def test_names_that_differ_in_case_are_refused_also_when_delivered_at_once(stand: Stand) -> None:
    share = stand.open()
    first, second = manifest(name="a.csv"), manifest(name="A.csv", occurrence="2026-11-19")
    with share.claim(first), pytest.raises(IntegrityBroken, match="differs only in case"):
        deliver(share, second)
    deliver(share, second)
    assert list(stand.files()) == ["A.csv"]


def test_a_later_revision_is_never_followed_by_an_earlier_one(stand: Stand) -> None:
    share = stand.open()
    second = deliver(share, manifest(b"two", 2, "b.csv"), b"two")
    assert deliver(stand.open("edge2"), manifest()) == second
    assert stand.files() == {"b.csv": b"two"}
    third = deliver(share, manifest(b"three", 3, "c.csv"), b"three")
    assert third.revision == 3
    assert set(stand.files()) == {"b.csv", "c.csv"}
    assert share.landed("flights", "2026-11-20", DAY) == third


def test_what_landed_of_many_slots_is_told_in_their_order(stand: Stand) -> None:
    share, later = stand.open(), DAY + timedelta(days=1)
    first = deliver(share, manifest(name="a.csv"))
    second = deliver(share, manifest(name="b.csv", occurrence=f"{later}", business_date=later))
    slots = [("flights", f"{later}", later), ("others", f"{DAY}", DAY), ("flights", f"{DAY}", DAY)]
    assert stand.open("edge2").landed_all(slots) == [second, None, first]
    assert stand.open("edge2").landed_all([]) == []


def test_many_slots_take_one_look_at_the_journal_of_a_day(tmp_path: Path) -> None:
    """Each look is a round trip where the share is far away."""
    listed: list[Path] = []

    class Listing(LocalDisk):
        def listdir(self, path: Path) -> list[str]:
            listed.append(path)
            return super().listdir(path)

    slots = [("flights", f"{DAY}T{minute:04d}Z", DAY) for minute in range(50)]
    with FolderShare(tmp_path, "DEV", "edge1", SetClock(), machine=Machine(Listing())) as share:
        share.adopt()
        deliver(share, manifest())
        listed.clear()
        assert share.landed_all(slots) == [None] * 50
    assert listed == [tmp_path / ".landbridge" / "dev" / "journal" / f"{DAY}"]


def test_a_slot_has_one_claimant(stand: Stand) -> None:
    one, two = stand.open("edge1"), stand.open("edge2")
    with one.claim(manifest()):
        for share in (one, two):
            with pytest.raises(TryAgain), share.claim(manifest(revision=2)):
                pass
        deliver(two, manifest(occurrence="2026-11-19", name="other.csv"))
    deliver(two, manifest())


def test_of_many_who_try_at_once_one_lands(stand: Stand) -> None:
    shares = [stand.open(f"edge{number}") for number in range(4)]
    landed = []

    def go(share: FolderShare) -> None:
        for _ in range(40):
            try:
                with share.claim(manifest()) as claim:
                    if claim.landed is None:
                        part_of(claim).write_bytes(BODY)
                        landed.append(claim.land(content(BODY)))
                        (stand.root / "in/REPORT.csv").unlink()  # the consumer is greedy
                    return
            except TryAgain:
                continue

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(go, shares))
    assert len(landed) == 1
    assert stand.files() == {}


def test_a_claimant_that_sleeps_too_long_cannot_land(stand: Stand) -> None:
    sleeper, other = stand.open("edge1"), stand.open("edge2", lease=timedelta(seconds=1))
    with pytest.raises(ShareRefused, match="taken over"):
        land_after(
            sleeper,
            manifest(),
            BODY,
            lambda: stand.fall_asleep("edge1"),
            lambda: deliver(other, manifest()),
            (stand.root / "in/REPORT.csv").unlink,
        )
    assert stand.files() == {}


def test_a_claimant_that_sleeps_on_the_threshold_cannot_land_either(stand: Stand) -> None:
    # It has passed the fence and is about to rename: whoever takes over takes the part away first.
    sleeper, other = stand.open("edge1"), stand.open("edge2", lease=timedelta(seconds=1))
    with sleeper.claim(manifest()) as claim:
        part_of(claim).write_bytes(BODY)
        original = claim.session.claims.mark_landing

        def then_sleep(token: str) -> None:
            original(token)
            stand.fall_asleep("edge1")
            deliver(other, manifest())
            (stand.root / "in/REPORT.csv").unlink()

        object.__setattr__(claim.session.claims, "mark_landing", then_sleep)
        with pytest.raises(ShareRefused, match="taken over"):
            claim.land(content(BODY))
    assert stand.files() == {}
    assert len(other.unreceipted(DAY)) == 1


def test_a_part_stays_for_the_next_try_of_the_same_collector_only(stand: Stand) -> None:
    with stand.open().claim(manifest()) as claim:
        part_of(claim).write_bytes(BODY[:5])
    stand._stack.pop_all().close()  # every session ends
    with stand.open("edge1").claim(manifest()) as claim:
        assert part_of(claim).read_bytes() == BODY[:5]
    stand._stack.pop_all().close()
    with stand.open("edge2").claim(manifest()) as claim:
        assert not part_of(claim).exists()
        part_of(claim).write_bytes(BODY)
        claim.land(content(BODY))
    assert (stand.private / "parts").iterdir() == []


def test_a_collector_runs_once(stand: Stand) -> None:
    stand.open("edge1").unreceipted(DAY)
    with pytest.raises(TryAgain, match="edge1"):
        stand.open("edge1").unreceipted(DAY)
    with pytest.raises(UsageError):
        stand.open("../edge").unreceipted(DAY)


def test_an_empty_mount_point_is_not_the_share(stand: Stand) -> None:
    share = stand.open()
    aside = stand.root.parent / "unmounted"
    with pytest.raises(ShareRefused, match="not a share that was adopted"):
        land_after(share, manifest(), BODY, lambda: stand.root.rename(aside), stand.root.mkdir)
    with pytest.raises(ShareRefused, match="not a share that was adopted"):
        deliver(share, manifest())
    with pytest.raises(ShareRefused, match="not a share that was adopted"):
        stand.open("edge2").unreceipted(DAY)
    assert stand.root.iterdir() == []
    stand.root.rmdir()
    with pytest.raises(ShareRefused):
        stand.open("edge2").adopt()
    aside.rename(stand.root)
    deliver(share, manifest())
    assert stand.files() == {"in/REPORT.csv": BODY}


def test_a_journal_of_another_share_is_refused(stand: Stand) -> None:
    second = stand.root.parent / "second"
    second.mkdir()
    journal = (stand.root.parent / "journal").path

    def opened(root: Place, journal: Path | None) -> FolderShare:
        return FolderShare(root.path, "DEV", "edge1", stand.clock, journal=journal, machine=stand.machine())

    with opened(second, journal) as share:
        share.adopt()
        deliver(share, manifest())
    with (
        opened(stand.root, journal) as share,
        pytest.raises(ShareRefused, match="is not the one of the share"),
    ):
        deliver(share, manifest())
    with opened(second, None) as share, pytest.raises(ShareRefused):
        deliver(share, manifest())
    assert stand.files() == {}


def test_a_lost_journal_is_rebuilt_from_receipts_and_what_they_do_not_tell_is_asked(stand: Stand) -> None:
    share = stand.open()
    names = ("2026-11-16", "2026-11-17", "2026-11-18", "2026-11-19", "2026-11-20")
    wanted = [
        manifest(occurrence=name, name=f"{name}.csv", remote_path=f"/outbound/flights/{name}.csv")
        for name in names
    ]
    receipts = [deliver(share, one) for one in wanted[:4]]
    for name in names[:3]:
        (stand.root / f"{name}.csv").unlink()  # taken
    share.close()
    (stand.private / "journal").rmtree()
    with pytest.raises(ShareRefused, match="journal"):
        deliver(share, wanted[0])
    share.adopt()
    share.adopt()
    share.restore(receipts[0])
    share.restore(receipts[0])
    assert deliver(share, wanted[0]) == receipts[0]
    for unknown in wanted[1:3]:
        with pytest.raises(IntegrityBroken, match="nobody knows"):
            deliver(share, unknown)
    share.answer(wanted[1], deliver=False)
    share.answer(wanted[2], deliver=True)
    for one in wanted[1:]:
        deliver(share, replace(one, committed_at=stand.clock.now()) if one == wanted[4] else one)
    assert set(stand.files()) == {"2026-11-18.csv", "2026-11-19.csv", "2026-11-20.csv"}
    assert len(share.unreceipted(DAY)) == 4


def test_a_torn_last_line_is_forgotten_and_a_broken_one_is_not(stand: Stand) -> None:
    deliver(stand.open(), manifest())
    stand._stack.pop_all().close()
    journal = stand.private / "journal" / f"{DAY}" / "edge1.jsonl"
    whole = journal.read_bytes()
    for torn in (b"0", b"12345678 {", whole.splitlines()[0]):
        journal.write_bytes(whole + torn)
        share = stand.open("edge1")
        assert share.landed("flights", "2026-11-20", DAY) is not None
        share.receipted(share.unreceipted(DAY)[0])
        share.close()
        assert journal.read_bytes().startswith(whole)
        assert stand.open("edge2").unreceipted(DAY) == []
        stand._stack.pop_all().close()
    journal.write_bytes(whole.replace(b"REPORT", b"RAPORT", 1))
    with pytest.raises(IntegrityBroken, match="damaged"):
        stand.open("edge1").landed("flights", "2026-11-20", DAY)


def test_a_hole_in_what_was_never_synced_is_forgotten_and_one_in_what_was_is_not(stand: Stand) -> None:
    """A power cut may take one page of lines that were written together, and leave the next one."""
    journal = stand.private / "journal" / f"{DAY}" / "edge1.jsonl"
    share = stand.open()
    deliver(share, manifest())
    whole = journal.read_bytes()
    deliver(share, manifest(feed="second", name="second.csv"))
    intent = journal.read_bytes()[len(whole) :].splitlines(keepends=True)[0]
    share.close()
    for torn in (b"", b"12345678 {"):
        journal.write_bytes(whole + bytes(64) + intent + torn)
        assert stand.open("edge2").landed("second", "2026-11-20", DAY) is None
        deliver(share, manifest(feed="third", name=f"third{len(torn)}.csv", revision=len(torn) + 1))
        assert share.landed("flights", "2026-11-20", DAY) is not None
        share.close()
        assert journal.read_bytes().startswith(whole)
        assert b"\0" not in journal.read_bytes()
        stand._stack.pop_all().close()
    journal.write_bytes(whole[:-10] + bytes(9) + b"\n" + intent)
    with pytest.raises(IntegrityBroken, match="damaged"):
        stand.open("edge1").landed("flights", "2026-11-20", DAY)


def test_a_manifest_of_another_environment_is_refused(stand: Stand) -> None:
    with pytest.raises(IntegrityBroken, match="PROD"):
        deliver(stand.open(), manifest(environment="PROD"))
    assert stand.files() == {}


def test_a_read_only_share_says_so_and_nothing_is_half_there(stand: Stand) -> None:
    if os.geteuid() == 0 or isinstance(stand, SimulatedStand):
        pytest.skip(
            "root, and the simulation, write everywhere; the stories mount a read-only file system instead"
        )
    share = stand.open()
    with share.claim(manifest()) as claim:
        part_of(claim).write_bytes(BODY)
        stand.root.path.chmod(0o500)
        try:
            with pytest.raises(ShareRefused):
                claim.land(content(BODY))
        finally:
            stand.root.path.chmod(0o700)
    assert stand.files() == {}
    deliver(share, manifest())


def test_many_threads_share_one_journal(stand: Stand) -> None:
    share = stand.open()
    wanted = [manifest(occurrence=f"20261120T{n // 60:02}{n % 60:02}Z", name=f"f{n}.csv") for n in range(200)]
    with ThreadPoolExecutor(16) as pool:
        receipts = list(pool.map(lambda one: deliver(share, one), wanted))
    assert len(stand.files()) == 200
    share.close()
    assert stand.open("edge2").unreceipted(DAY) == sorted(receipts, key=lambda one: one.landed_at)
    assert (stand.private / "claims").iterdir() == []
    assert (stand.private / "parts").iterdir() == []


def test_what_goes_wrong_with_one_keeps_no_other_from_landing(stand: Stand) -> None:
    one, other = stand.open("edge1"), stand.open("edge2")
    names = ("fine", "torn", "taken", "claimed", "stolen", "landed", "line", "also-fine")
    wanted = [manifest(feed=name, name=f"in/{name}.csv", done_name=f"in/{name}.done") for name in names]
    wanted[6] = replace(wanted[6], done_name="in/fine.csv/done")
    landed = deliver(other, wanted[5])
    with other.claim(wanted[3]), one.claim_all([*wanted, wanted[0]]) as claimed:
        came: list[Download | Receipt | LandbridgeError] = []
        for name, claim in zip([*names, "again"], claimed.claims, strict=True):
            if isinstance(claim, LandbridgeError) or claim.landed is not None:
                came.append(claim if isinstance(claim, LandbridgeError) else claim.landed)  # type: ignore[arg-type]
                continue
            part_of(claim).write_bytes(b"torn" if name == "torn" else BODY)
            came.append(Unavailable("cut") if name == "line" else content(BODY))
        (stand.root / "in/taken.csv").write_bytes(b"somebody else's")
        _remove_claim(stand, "stolen")
        answers = claimed.land_all(came)
    assert [type(answer) for answer in answers] == [
        Receipt,
        IntegrityBroken,
        IntegrityBroken,
        TryAgain,
        ShareRefused,
        Receipt,
        Unavailable,
        Receipt,
        TryAgain,
    ]
    assert answers[5] == landed
    visible = {"in/fine.csv", "in/also-fine.csv", "in/landed.csv"}
    assert {name for name in stand.files() if name.endswith(".csv")} == visible | {"in/taken.csv"}
    assert {name for name in stand.files() if name.endswith(".done")} == {
        name.replace(".csv", ".done") for name in visible
    }
    assert (stand.private / "claims").iterdir() == []
    (stand.root / "in/taken.csv").unlink()
    for index in (1, 2, 3, 4):
        deliver(other, wanted[index])
    assert len(stand.open("edge3").unreceipted(DAY)) == 7


def _remove_claim(stand: Stand, feed: str) -> None:
    (claim,) = (one for one in (stand.private / "claims").iterdir() if one.name.startswith(f"{feed}."))
    claim.rmdir() if claim.is_folder() else claim.unlink()


def test_a_done_file_that_cannot_be_is_known_before_anything_lands(stand: Stand) -> None:
    share = stand.open()
    (stand.root / "file").write_bytes(b"")
    with pytest.raises((ShareRefused, DiskFailed)):
        deliver(share, manifest(done_name="file/done"))
    assert stand.files() == {"file": b""}
    deliver(share, manifest())


def test_collectors_that_want_the_same_files_at_once_share_them(stand: Stand) -> None:
    shares = [stand.open(f"edge{number}") for number in range(3)]
    wanted = [manifest(feed=f"f{number}", name=f"in/{number}.csv") for number in range(60)]
    landed: list[Receipt] = []
    together = threading.Barrier(len(shares))

    def go(share: FolderShare) -> None:
        left = wanted
        for turn in range(20):
            if turn == 0:
                together.wait()
            with share.claim_all(left) as claimed:
                ours = [claim for claim in claimed.claims if not isinstance(claim, LandbridgeError)]
                came: list[Download | Receipt | LandbridgeError] = []
                for claim in claimed.claims:
                    if isinstance(claim, LandbridgeError):
                        came.append(claim)
                    elif claim.landed:
                        came.append(claim.landed)
                    else:
                        part_of(claim).write_bytes(BODY)
                        came.append(content(BODY))
                answers = claimed.land_all(came)
                assert len([one for one in answers if isinstance(one, Receipt)]) == len(ours)
                fresh = [one for one, before in zip(answers, came, strict=True) if one is not before]
                for receipt in fresh:
                    assert isinstance(receipt, Receipt)
                    (stand.root / receipt.landed_path).unlink()  # the consumer is greedy
                landed.extend(fresh)  # type: ignore[arg-type]
            left = [one for one, it in zip(left, answers, strict=True) if isinstance(it, TryAgain)]
            if not left:
                return

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(go, shares))
    assert sorted(one.feed for one in landed) == sorted(one.feed for one in wanted)
    assert stand.files() == {}
    assert (stand.private / "claims").iterdir() == []


def test_claims_of_a_killed_run_go_with_the_next_run_of_that_collector(stand: Stand) -> None:
    left = {
        "gone.2026-11-20~edge1~dead~0123456789abcdef",
        "gone.2026-11-19~edge1~dead~0123456789abcdef~landing",
        "gone.2026-11-20~edge2~dead~0123456789abcdef",
        "gone.2026-11-20~edge10~dead~0123456789abcdef",
    }
    stand.open().unreceipted(DAY)
    stand._stack.pop_all().close()
    for name in left:
        (stand.private / "claims" / name).touch()
    (stand.private / "alive" / "edge1~dead").touch()
    share = stand.open("edge1")
    share.unreceipted(DAY)
    assert {entry.name for entry in (stand.private / "claims").iterdir()} == {
        name for name in left if "~edge1~" not in name
    }
    assert len((stand.private / "alive").iterdir()) == 1


@pytest.mark.parametrize("name", ["away/x.csv", "in/away/x.csv", "in/away/further/x.csv"])
def test_a_link_in_the_place_of_a_folder_leads_nobody_out_of_the_share(real: Stand, name: str) -> None:
    away = real.root.path.parent / "away"
    away.mkdir()
    (real.root.path / "in").mkdir()
    for link in ("away", "in/away"):
        (real.root.path / link).symlink_to(away)
    share = real.open()
    with pytest.raises(IntegrityBroken, match="is a link"):
        deliver(share, manifest(name=name))
    with pytest.raises(IntegrityBroken, match="is a link"):
        deliver(share, manifest(done_name=name))
    assert list(away.iterdir()) == []
    assert sorted(path.name for path in real.root.path.iterdir()) == [".landbridge", "away", "in"]
    assert [path.name for path in (real.root.path / "in").iterdir()] == ["away"]


def test_a_link_put_in_the_place_of_a_folder_meanwhile_is_seen(real: Stand) -> None:
    away = real.root.path.parent / "away"
    away.mkdir()
    share = real.open()
    deliver(share, manifest())
    (real.root.path / "in").rename(real.root.path / "was")
    (real.root.path / "in").symlink_to(away)
    with pytest.raises(IntegrityBroken, match="is a link"):
        deliver(share, manifest(revision=2, name="in/second.csv"))
    assert list(away.iterdir()) == []


def test_a_link_to_the_same_bytes_is_not_taken_for_a_delivery(real: Stand) -> None:
    (real.root.path.parent / "elsewhere").write_bytes(BODY)
    (real.root.path / "x_1.csv").symlink_to(real.root.path.parent / "elsewhere")
    with pytest.raises(IntegrityBroken, match="is there already"):
        deliver(real.open(), manifest(name="x_1.csv"))
