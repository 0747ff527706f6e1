"""Does a landing end right for each file when the disk says no at one step, or somebody meddles between two?"""

from __future__ import annotations

import errno
import os
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from landbridge.disk.local import LOCAL, LocalDisk
from landbridge.errors import DiskFailed, IntegrityBroken, ShareRefused
from landbridge.facts import Receipt
from landbridge.share.consumers import _is_folder
from landbridge.share.folder import FolderShare
from landbridge.share.machine import Machine
from landbridge.share.platform import Way
from landbridge.share.records import Intent
from landbridge.share.room import JUNCTION
from tests.contract.test_share import BODY, DAY, Stand, content, deliver, manifest, part_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date
    from pathlib import Path

    from landbridge.facts import Download, Manifest
    from landbridge.share.records import Record


class Told(LocalDisk):
    """Lets something happen before a call; `Path` is what the call is about."""

    def __init__(self) -> None:
        self.before: Callable[[str, Path], None] = nothing

    def chmod(self, path: Path, mode: int) -> None:
        self.before("chmod", path)
        super().chmod(path, mode)

    def rename(self, path: Path, target: Path) -> None:
        self.before("rename", path)
        super().rename(path, target)

    def rename_new(self, path: Path, target: Path) -> None:
        self.before("name", target)
        super().rename_new(path, target)

    def link(self, path: Path, target: Path) -> None:
        self.before("claim" if target.parent.name == "claims" else "name", target)
        super().link(path, target)

    def unlink(self, path: Path) -> None:
        self.before("unlink", path)
        super().unlink(path)

    def listdir(self, folder: Path) -> list[str]:
        self.before("listdir", folder)
        return super().listdir(folder)


def nothing(_call: str, _path: Path) -> None:
    """Let all calls go on."""


@dataclass
class Scene:
    """A share whose disk is told of."""

    stand: Stand
    disk: Told
    share: FolderShare

    @property
    def parts(self) -> list[str]:
        return sorted(path.name for path in (self.stand.private.path / "parts").iterdir())

    def again(self, collector: str = "edge1") -> FolderShare:
        """Begin another run."""
        self.share.close()
        return self.stand.open(collector)


@pytest.fixture(params=list(Way))
def at(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    (tmp_path / "share").mkdir()
    with ExitStack() as stack:
        stand = Stand(LOCAL, tmp_path / "share", request.param, stack)
        stand.open().adopt()
        disk = Told()
        share = FolderShare(
            stand.root.path, "DEV", "edge1", stand.clock, way=request.param, machine=Machine(disk)
        )
        stack.callback(share.close)
        yield Scene(stand, disk, share)


def fails(number: int, call: str, name: str) -> Callable[[str, Path], None]:
    def refuse(asked: str, path: Path) -> None:
        if asked == call and path.name.endswith(name):
            raise OSError(number, os.strerror(number), str(path))

    return refuse


class Killed(BaseException):
    """The process is gone."""


# What came is not what was released


@pytest.mark.parametrize(
    ("body", "came"),
    [
        (BODY[::-1], content(BODY[::-1])),  # of the right size
        (BODY + b"x", content(BODY)),  # longer on the disk than what was hashed on its way
        (BODY, replace(content(BODY), size=len(BODY) + 1)),
        (BODY, replace(content(BODY), sha256="0" * 64)),
    ],
)
def test_neither_size_nor_digest_nor_what_is_on_the_disk_may_differ(
    at: Scene, body: bytes, came: Download
) -> None:
    with at.share.claim(manifest()) as claim:
        part_of(claim).write_bytes(body)
        with pytest.raises(IntegrityBroken, match="not the ones that were released"):
            claim.land(came)
    assert at.stand.files() == {}
    assert at.parts == [], "it is begun anew"


# The disk says no


def test_a_mount_without_modes_of_its_own_lands_all_the_same(at: Scene) -> None:
    at.disk.before = fails(errno.EPERM, "chmod", "")
    old = os.umask(0o077)
    try:
        deliver(at.share, manifest(done_name="in/REPORT.done"))
    finally:
        os.umask(old)
    assert at.stand.files() == {"in/REPORT.csv": BODY, "in/REPORT.done": b""}


@pytest.mark.parametrize("number", [errno.EACCES, errno.ENOSPC, errno.EIO, errno.EROFS])
def test_a_name_that_cannot_be_given_is_told_and_given_by_the_next_run(at: Scene, number: int) -> None:
    at.disk.before = fails(number, "name", "REPORT.csv")
    with pytest.raises((ShareRefused, DiskFailed), match="landing") as refused:
        deliver(at.share, manifest())
    assert refused.value.whole == (number != errno.EACCES), "what concerns the whole share is said to"
    assert at.stand.files() == {}
    share = at.again()
    assert share.unreceipted(DAY) == []
    with share.claim(manifest()) as claim:
        assert part_of(claim).read_bytes() == BODY, "it need not come once more"
    deliver(share, manifest())
    assert at.stand.files() == {"in/REPORT.csv": BODY}
    assert at.parts == []


def test_a_folder_that_is_taken_away_at_the_last_moment_is_not_another_collector(at: Scene) -> None:
    def take(call: str, path: Path) -> None:
        if call == "name" and path.name == "REPORT.csv":
            path.parent.rmdir()

    at.disk.before = take
    with pytest.raises((ShareRefused, DiskFailed)) as refused:
        deliver(at.share, manifest())
    assert "taken over" not in refused.value.what
    at.disk.before = nothing
    assert deliver(at.again(), manifest()).revision == 1


def test_a_part_that_is_gone_is_another_collectors(at: Scene) -> None:
    with at.share.claim(manifest()) as claim:
        part_of(claim).write_bytes(BODY)

        def steal(call: str, path: Path) -> None:
            if call == "name" and path.name == "REPORT.csv":
                part_of(claim).unlink()

        at.disk.before = steal
        with pytest.raises(ShareRefused, match="taken over by another collector"):
            claim.land(content(BODY))


# What is there already


def test_a_name_that_is_taken_at_the_last_moment_leaves_no_intent_and_no_part(at: Scene) -> None:
    wanted = manifest(done_name="in/REPORT.done")

    def put(call: str, path: Path) -> None:
        if call == "name" and path.name == "REPORT.csv":
            path.write_bytes(b"somebody's")

    at.disk.before = put
    with pytest.raises(IntegrityBroken, match="is there already"):
        deliver(at.share, wanted)
    assert at.parts == []
    at.disk.before = nothing
    (at.stand.root / "in/REPORT.csv").unlink()  # by the consumer, who takes what he finds
    share = at.again("edge2")
    with share.claim(wanted) as claim:
        assert claim.landed is None, "it was never delivered"


def test_killed_where_the_very_bytes_were_there_already_it_is_delivered_once(at: Scene) -> None:
    wanted = manifest(remote_path="/outbound/flights/REPORT.csv", done_name="in/REPORT.done")

    def put(call: str, path: Path) -> None:
        if call == "name" and path.name == "REPORT.csv":
            path.write_bytes(BODY)
        if call == "name" and path.name == "REPORT.done":
            raise Killed

    at.disk.before = put
    with pytest.raises(Killed):
        deliver(at.share, wanted)
    (at.stand.root / "in/REPORT.csv").unlink()
    with at.again("edge1").claim(wanted) as claim:
        assert claim.landed is not None
    assert at.stand.files() == {"in/REPORT.done": b""}
    assert at.parts == []


# A part that was not delivered is taken from its claimant


def left_under_an_intent(at: Scene) -> None:
    """Let a run die between its intent and the name."""

    def die(call: str, path: Path) -> None:
        if call == "name" and path.name == "REPORT.csv":
            raise Killed

    at.disk.before = die
    with pytest.raises(Killed):
        deliver(at.share, manifest())
    at.disk.before = nothing
    at.share.close()


@pytest.mark.parametrize("when", ["before it is moved", "after"])
def test_a_part_that_was_moved_by_one_who_was_killed_then_does_not_count_as_delivered(
    at: Scene, when: str
) -> None:
    """An intent whose part is gone from its place was delivered, unless the journal says where else it may be."""
    left_under_an_intent(at)

    class Dying(LocalDisk):
        def rename(self, path: Path, target: Path) -> None:
            if path.parent.name != "parts" or when == "after":
                super().rename(path, target)
            if path.parent.name == "parts":
                raise Killed

    dying = FolderShare(
        at.stand.root.path, "DEV", "edge1", at.stand.clock, way=at.stand.way, machine=Machine(Dying())
    )
    with pytest.raises(Killed), dying.claim(manifest()):
        pass
    dying.close()
    assert len(at.parts) == 1
    with at.again().claim(manifest()) as claim:
        assert claim.landed is None
        assert part_of(claim).read_bytes() == BODY
        claim.land(content(BODY))
    assert at.stand.files() == {"in/REPORT.csv": BODY}


def test_a_link_that_its_claimant_made_between_two_looks_is_a_delivery(at: Scene) -> None:
    if at.stand.way is not Way.LINK:
        pytest.skip("a rename leaves no part behind")
    left_under_an_intent(at)

    def wake(call: str, path: Path) -> None:
        if call == "rename" and path.parent.name == "parts":
            (at.stand.root.path / "in" / "REPORT.csv").hardlink_to(path)

    at.disk.before = wake
    with at.share.claim(manifest()) as claim:
        assert claim.landed is not None
    assert at.stand.files() == {"in/REPORT.csv": BODY}
    assert at.parts == []


# The done-file


def test_a_done_file_that_is_there_says_the_same(at: Scene) -> None:
    (at.stand.root / "in").mkdir()
    (at.stand.root / "in/REPORT.done").write_bytes(b"")
    deliver(at.share, manifest(done_name="in/REPORT.done"))
    assert at.stand.files() == {"in/REPORT.csv": BODY, "in/REPORT.done": b""}
    assert at.parts == []


def test_a_done_file_that_was_delivered_and_taken_does_not_come_again(at: Scene) -> None:
    wanted = manifest(done_name="in/REPORT.done")

    names: list[Path] = []

    def name(call: str, path: Path) -> None:
        if call == "name":
            names.append(path)

    at.disk.before = name
    with at.share.claim(wanted) as claim:
        part_of(claim).write_bytes(BODY)
        object.__setattr__(claim.session.journal, "append_all", _dies_when_landed(claim))
        with pytest.raises(Killed):
            claim.land(content(BODY))
    assert [path.name for path in names] == ["REPORT.csv", "REPORT.done"]
    for file in names:
        file.unlink()
    with at.again().claim(wanted) as again:
        assert isinstance(again.landed, Receipt)
    assert at.stand.files() == {}
    assert at.parts == []


def _dies_when_landed(claim: object) -> Callable[..., None]:
    append = claim.session.journal.append_all  # type: ignore[attr-defined]

    def dying(records: list[tuple[object, object]], **how: bool) -> None:
        if any(type(record).__name__ == "LandedRecord" for _, record in records):
            raise Killed
        append(records, **how)

    return dying


def killed_before_its_done_file(at: Scene) -> Manifest:
    """Let a run die when the file has its name and the done-file has not."""
    wanted = manifest(done_name="in/REPORT.done")

    def die(call: str, path: Path) -> None:
        if call == "name" and path.name == "REPORT.done":
            raise Killed

    at.disk.before = die
    with pytest.raises(Killed):
        deliver(at.share, wanted)
    assert at.stand.files() == {"in/REPORT.csv": BODY}
    return wanted


def test_a_settlement_that_is_killed_as_well_forgets_no_done_file(at: Scene) -> None:
    wanted = killed_before_its_done_file(at)
    at.share.close()
    with pytest.raises(Killed), at.share.claim(wanted):
        pass
    with at.again().claim(wanted) as claim:
        assert claim.landed is not None
    assert at.stand.files() == {"in/REPORT.csv": BODY, "in/REPORT.done": b""}


@pytest.mark.parametrize("meanwhile", ["taken with its folder", "there by somebody"])
def test_a_done_file_comes_whatever_the_consumer_did_meanwhile(at: Scene, meanwhile: str) -> None:
    wanted = killed_before_its_done_file(at)
    if meanwhile == "there by somebody":
        (at.stand.root / "in/REPORT.done").write_bytes(b"")
    else:
        (at.stand.root / "in").rmtree()
    with at.again().claim(wanted) as claim:
        assert claim.landed is not None
    assert at.stand.files()["in/REPORT.done"] == b""
    assert at.parts == []


def test_a_done_file_that_has_two_names_was_delivered(at: Scene) -> None:
    """Killed before the old name went, and the consumer has taken both files since."""
    wanted = manifest(done_name="in/REPORT.done")
    named: list[Path] = []

    def die(call: str, path: Path) -> None:
        if call == "name":
            named.append(path)
        if call == "unlink" and path.name.endswith(".done") and len(named) == 2:
            raise Killed

    at.disk.before = die
    with pytest.raises(Killed):
        deliver(at.share, wanted)
    for path in named:
        path.unlink()
    with at.again().claim(wanted) as claim:
        assert claim.landed is not None
    assert at.stand.files() == {}


def test_a_share_that_is_away_when_the_done_file_is_to_come_is_not_one_where_it_came(at: Scene) -> None:
    """On an empty mount point nothing waits, and nothing was delivered."""
    wanted = manifest(done_name="in/REPORT.done")
    aside = at.stand.root.parent / "unmounted"

    def unmount(call: str, path: Path) -> None:
        if call == "name" and path.name == "REPORT.done":
            at.stand.root.rename(aside)
            at.stand.root.mkdir()
            (at.stand.root / "in").mkdir()

    at.disk.before = unmount
    with at.share.claim(wanted) as claim:
        part_of(claim).write_bytes(BODY)
        with pytest.raises((ShareRefused, DiskFailed)):
            claim.land(content(BODY))
    at.disk.before = nothing
    at.stand.root.rmtree()
    aside.rename(at.stand.root)
    with at.again().claim(wanted) as again:
        assert isinstance(again.landed, Receipt)
    assert at.stand.files() == {"in/REPORT.csv": BODY, "in/REPORT.done": b""}


# Folders


class Junctions(LocalDisk):
    def lstat(self, path: Path) -> os.stat_result:
        return _Tagged(super().lstat(path))  # type: ignore[return-value]


class _Tagged:
    st_reparse_tag = JUNCTION

    def __init__(self, seen: os.stat_result) -> None:
        self.st_mode = seen.st_mode


def test_a_junction_of_windows_is_a_link(tmp_path: Path) -> None:
    with pytest.raises(IntegrityBroken, match="is a link"):
        _is_folder(Junctions(), tmp_path)


# What the journal says once


def test_what_is_on_the_journal_is_not_put_there_again(at: Scene) -> None:
    receipt = deliver(at.share, manifest())
    journal = at.stand.private.path / "journal" / f"{DAY}" / "edge1.jsonl"
    at.share.receipted(receipt)
    before = journal.read_bytes()
    at.share.receipted(receipt)
    at.share.restore(receipt)
    assert journal.read_bytes() == before


# What is left of other tries


def test_a_part_whose_revision_is_superseded_before_it_had_its_name_is_removed(at: Scene) -> None:
    def die(call: str, path: Path) -> None:
        if call == "name" and path.name == "REPORT.csv":
            raise Killed

    at.disk.before = die
    with pytest.raises(Killed):
        deliver(at.share, manifest(done_name="in/REPORT.done"))
    assert len(at.parts) == 2
    with at.again().claim(manifest(revision=2, name="in/second.csv")):
        assert at.parts == []


def test_what_waits_beside_a_part_is_not_taken_for_one(at: Scene) -> None:
    at.share.unreceipted(DAY)
    own = f"flights.2026-11-20.0001-{manifest().sha256[:16]}~edge1~dead~02.done"
    (at.stand.private.path / "parts" / own).write_bytes(b"")
    with at.share.claim(manifest()) as claim:
        assert not part_of(claim).exists()
        assert at.parts == []


def test_what_is_wrong_with_one_claim_keeps_no_other_from_landing(at: Scene) -> None:
    (at.stand.root / "taken.csv").write_bytes(b"somebody's")
    wanted = [manifest(name="taken.csv"), manifest(feed="second", name="second.csv")]
    with at.share.claim_all(wanted) as claimed:
        wrong, good = claimed.claims
        assert isinstance(wrong, IntegrityBroken)
        part_of(good).write_bytes(BODY)  # type: ignore[arg-type]
        answers = claimed.land_all([wrong, content(BODY)])
    assert [type(answer) for answer in answers] == [IntegrityBroken, Receipt]


@pytest.mark.parametrize("consumed", [True, False])
@pytest.mark.parametrize("through", ["intent", "done"])
def test_an_intent_of_somebody_who_wakes_up_too_late_proves_nothing(
    at: Scene, through: str, consumed: bool
) -> None:
    """Its part was taken from it while it slept, and whoever took it died before, or after, the file had its name."""
    wanted = manifest(done_name="in/REPORT.done")
    sleeper = at.stand.open("edge3")
    late: list[bool] = []
    with sleeper.claim(wanted) as asleep:
        part_of(asleep).write_bytes(BODY)
        append = asleep.session.journal.append_all

        def takes_over(records: Sequence[tuple[date, Record]], **how: bool) -> None:
            if not late and any(isinstance(record, Intent) for _, record in records):
                late.append(True)
                at.stand.fall_asleep("edge3")
                with at.share.claim(wanted) as other:
                    part_of(other).write_bytes(BODY)
                    if through == "done":
                        object.__setattr__(other.session.journal, "append_all", _dies_when_landed(other))
                        with pytest.raises(Killed):
                            other.land(content(BODY))
                if consumed:
                    for place in at.stand.root.files():
                        if place.path.name.startswith("REPORT"):
                            place.path.unlink()
            append(records, **how)

        object.__setattr__(asleep.session.journal, "append_all", takes_over)
        with pytest.raises(ShareRefused, match="taken over"):
            asleep.land(content(BODY))
    assert late
    sleeper.close()
    with at.again("edge2").claim(wanted) as third:
        assert (third.landed is not None) == (through == "done"), "delivered if it was, and not if it was not"


def test_who_wakes_up_in_a_settlement_takes_a_part_that_another_one_moved_for_no_delivery(at: Scene) -> None:
    wanted = manifest()

    def die(call: str, path: Path) -> None:
        if call == "rename" and path.parent.name == "claims":
            raise Killed

    def overtaken(call: str, path: Path) -> None:
        if call == "rename" and path.parent.name == "parts":
            at.disk.before = nothing
            at.stand.fall_asleep("edge1")
            with at.stand.open("edge2").claim(wanted):
                pass  # it settles, and gives up

    at.disk.before = die
    with pytest.raises(Killed):
        deliver(at.share, wanted)
    at.share.close()
    at.disk.before = overtaken
    with pytest.raises(ShareRefused, match="another collector"), at.share.claim(wanted):
        pass
    with at.again("edge3").claim(wanted) as later:
        assert later.landed is None


def test_who_wakes_up_before_it_drops_parts_touches_none_of_the_one_that_took_over(at: Scene) -> None:
    wanted = manifest()
    live = []
    at.share.unreceipted(DAY)
    with ExitStack() as stack:

        def overtaken(call: str, path: Path) -> None:
            if call == "listdir" and path.name == "parts":
                at.disk.before = nothing
                at.stand.fall_asleep("edge1")
                live.append(stack.enter_context(at.stand.open("edge2").claim(wanted)))
                part_of(live[0]).write_bytes(BODY)

        at.disk.before = overtaken
        with pytest.raises(ShareRefused, match="taken over"), at.share.claim(wanted):
            pass
        assert isinstance(live[0].land(content(BODY)), Receipt)
    with at.again("edge3").claim(wanted) as later:
        assert later.landed is not None


@pytest.mark.parametrize("what", ["REPORT.csv", "REPORT.done"])
def test_who_sleeps_past_the_fence_can_give_no_name_any_more(at: Scene, what: str) -> None:
    """The consumer may have taken, by then, what the one that took over has delivered."""
    wanted = manifest(done_name="in/REPORT.done")
    with ExitStack() as stack:

        def overtaken(call: str, path: Path) -> None:
            if call == "name" and path.name == what:
                at.disk.before = nothing
                at.stand.fall_asleep("edge1")
                other = stack.enter_context(at.stand.open("edge2").claim(wanted))
                if what == "REPORT.csv":
                    other.land(content(BODY))
                for place in list(at.stand.root.files()):
                    if place.path.name.startswith("REPORT"):
                        place.path.unlink()

        at.disk.before = overtaken
        if what == "REPORT.csv":
            with pytest.raises(ShareRefused, match="taken over"):
                deliver(at.share, wanted)
        else:
            assert isinstance(deliver(at.share, wanted), Receipt), "it landed, whoever named the done-file"
    assert at.stand.files() == {}
    assert at.parts == []


def test_who_took_over_and_was_killed_then_leaves_the_done_file_to_the_next_one(at: Scene) -> None:
    wanted = manifest(done_name="in/REPORT.done")

    def overtaken(call: str, path: Path) -> None:
        if call == "name" and path.name == "REPORT.done":
            at.disk.before = nothing
            (claim,) = (at.stand.private.path / "claims").iterdir()
            if at.stand.way is Way.LINK:
                claim.rmdir()
            else:
                claim.unlink()
                raise Killed

    at.disk.before = overtaken
    with pytest.raises((ShareRefused, Killed)) as told:
        deliver(at.share, wanted)
    assert at.stand.way is Way.RENAME or "taken over" in str(told.value)
    with at.again("edge2").claim(wanted) as claim:
        assert claim.landed is not None
    assert at.stand.files() == {"in/REPORT.csv": BODY, "in/REPORT.done": b""}


@pytest.mark.parametrize("folder", ["claims", "parts"])
def test_a_folder_of_ours_that_cannot_be_listed_concerns_all(at: Scene, folder: str) -> None:
    at.share.unreceipted(DAY)
    at.disk.before = fails(errno.EACCES, "listdir", folder)
    with pytest.raises(ShareRefused) as refused, at.share.claim(manifest()):
        pass
    assert refused.value.whole
    at.disk.before = nothing
    assert list((at.stand.private.path / "claims").iterdir()) == []
    deliver(at.share, manifest())


@pytest.mark.parametrize("alone", [True, False])
def test_a_part_is_taken_up_of_a_session_that_is_known_to_be_dead_and_of_the_same_file(
    at: Scene, alone: bool
) -> None:
    wanted = manifest()
    folder = at.stand.private.path / "parts"
    at.share.unreceipted(DAY)
    own = f"flights.2026-11-20.0001-{wanted.sha256[:16]}"
    old = f"flights.2026-11-20.0001-{'0' * 16}~edge1~dead~00"
    for name in (
        f"{own}~edge1~dead~00",
        f"{own}~edge1~dead~01",
        f"{own}~edge2~dead~00",
        old,
        f"{own}~edge1~dead~02.done",
    ):
        (folder / name).write_bytes(name.encode())
    other = "flights.2026-11-19.0001-aa~edge1~dead~00"
    (folder / other).write_bytes(b"")
    if not alone:
        at.share.close()

        class Lockless(LocalDisk):
            def lock(self, path: Path) -> int | None:
                return None

        at.share = FolderShare(
            at.stand.root.path, "DEV", "edge1", at.stand.clock, way=at.stand.way, machine=Machine(Lockless())
        )
    with at.share.claim(wanted) as claim:
        assert part_of(claim).exists() == alone
        if alone:
            assert part_of(claim).read_bytes().startswith(f"{own}~edge1~dead~0".encode())
            assert not part_of(claim).read_bytes().endswith(b".done")
        assert len(at.parts) == 1 + alone, "the others are of no use, and room is scarce"
        assert other in at.parts
        claim.begin_anew()
        part_of(claim).write_bytes(BODY)
        claim.land(content(BODY))
        assert at.parts == [other]
    at.share.close()
