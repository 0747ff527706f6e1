"""Does what a killed collector left come to the same end, when the disk forgets, a folder goes, or mounts differ?"""

from __future__ import annotations

import errno
import itertools
import json
import os
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest

from landbridge.disk.local import LOCAL
from landbridge.errors import DiskFailed, IntegrityBroken, ShareRefused
from landbridge.share.folder import FolderShare
from landbridge.share.machine import Machine
from landbridge.share.platform import Way, changed_at, was_linked
from landbridge.share.records import Intent, SlotKey
from landbridge.share.settle import settle
from tests.contract.test_landing import Killed, Scene, Told, fails, killed_before_its_done_file, nothing
from tests.contract.test_landing import at as scene
from tests.contract.test_share import BODY, DAY, SimulatedStand, content, deliver, manifest, part_of
from tests.fakes.set_clock import SetClock

if TYPE_CHECKING:
    from collections.abc import Callable

    from landbridge.facts import Receipt
    from landbridge.ports import Claim
    from reliability.disk import SimulatedDisk

at = scene
WANTED = manifest(done_name="in/REPORT.done")


def land_until(mount_of: SimulatedDisk, way: Way, dies_at: str = "") -> Receipt | None:
    """Land on a simulated disk, and be killed before this name is given; as whoever comes next, where none is told."""
    root = Path("/volume/share")

    def before(operation: str, path: Path) -> None:
        if dies_at and operation in {"link", "rename_new"} and path.name.endswith(dies_at):
            raise Killed

    mount = mount_of.mount(before)
    machine = Machine(mount, heart=lambda _beat, _seconds: lambda: None)
    share = FolderShare(root, "DEV", "edge1", SetClock(), way=way, machine=machine)
    try:
        with share.claim(WANTED) as claim:
            if claim.landed is not None:
                return claim.landed
            part_of(claim).write_bytes(BODY)
            part_of(claim).sync()
            return claim.land(content(BODY))
    except Killed:
        return None
    finally:
        mount.end()


@pytest.mark.parametrize("way", list(Way))
def test_a_done_file_that_a_settlement_names_outlasts_a_power_cut_as_its_landing_does(way: Way) -> None:
    with ExitStack() as stack:
        stand = SimulatedStand(way, stack)
        stand.open().adopt()
        stand.simulated.settle()
    assert land_until(stand.simulated, way, ".done") is None
    assert land_until(stand.simulated, way) is not None
    back = stand.simulated.power_cut(Random(1), strict=True)
    assert {"/volume/share/in/REPORT.csv", "/volume/share/in/REPORT.done"} <= set(back.files())
    assert land_until(back, way) is not None


def test_a_folder_that_goes_under_a_settlement_is_no_done_file_that_came(at: Scene) -> None:
    """Nothing is where it was to be named, but the done-file waits: so it never had its name."""
    wanted = killed_before_its_done_file(at)
    (at.stand.root / "in/REPORT.csv").unlink()
    at.share.close()

    def take(call: str, path: Path) -> None:
        if call == "name" and path.name == "REPORT.done":
            path.parent.rmdir()

    at.disk.before = take
    with pytest.raises((ShareRefused, DiskFailed)) as told, at.share.claim(wanted):
        pass
    assert "taken over" not in told.value.what
    at.disk.before = nothing
    with at.again().claim(wanted) as claim:
        assert claim.landed is not None
    assert at.stand.files() == {"in/REPORT.done": b""}


def test_a_file_with_two_names_was_linked_whatever_its_change_time(tmp_path: Path) -> None:
    """A clock that stands still gives a link the time of the intent, and the count of names is all there is."""
    part = tmp_path / "part"
    part.write_bytes(BODY)
    before = changed_at(LOCAL, part)
    assert not was_linked(LOCAL, part, before)
    (tmp_path / "final").hardlink_to(part)
    assert was_linked(LOCAL, part, changed_at(LOCAL, part))


class Linking(Told):
    """A mount of NFS: it renames in place of whatever is there, or not at all."""

    def rename_new(self, path: Path, target: Path) -> None:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), str(target))


@pytest.mark.parametrize("ways", list(itertools.permutations(Way)), ids="-".join)
@pytest.mark.parametrize(
    "deaths",
    [("name REPORT.csv",), ("name REPORT.done",), ("unlink",), ("name REPORT.done", "unlink")],
    ids=", ".join,
)
def test_who_reaches_the_share_by_another_mount_settles_what_was_left(
    at: Scene, ways: tuple[Way, ...], deaths: tuple[str, ...]
) -> None:
    """On the server itself files are renamed, over NFS they are linked; the consumer takes whatever he finds of the killed ones."""
    wanted = manifest(done_name="in/REPORT.done")
    seen: list[str] = []
    for number, (way, death) in enumerate(itertools.zip_longest((*ways, ways[1]), deaths, fillvalue="")):
        disk = Linking() if way is Way.LINK else Told()

        def look(call: str, path: Path, death: str = death) -> None:
            lets_go = call == "unlink" and path.suffix == ".done" and "REPORT.done" in seen
            if death in {f"{call} {path.name}", call if lets_go else None}:
                raise Killed
            if call == "name":
                seen.append(path.name)

        disk.before = look
        share = FolderShare(
            at.stand.root.path, "DEV", f"edge{number}", at.stand.clock, way=Way(way), machine=Machine(disk)
        )
        with ExitStack() as stack:
            stack.callback(share.close)
            if death:
                stack.enter_context(pytest.raises(Killed))
            deliver(share, wanted)
        for place in list(at.stand.root.files()):
            if place.path.name.startswith("REPORT"):
                place.path.unlink()
    assert sorted(seen) == ["REPORT.csv", "REPORT.done"]


class AskedTwice(Told):
    """A mount of NFS: the answer to a rename was lost, so it was asked again, and there was nothing to rename."""

    def __init__(self, *, of_done: bool) -> None:
        super().__init__()
        self.asked: list[str] = []
        self._of_done = of_done

    def rename(self, path: Path, target: Path) -> None:
        super().rename(path, target)
        if path.parent.name == "parts" and (path.suffix == ".done") == self._of_done and not self.asked:
            self.asked.append(path.name)
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))


@pytest.mark.parametrize("waits", ["REPORT.csv", "REPORT.done"])
def test_what_was_taken_over_although_the_answer_was_lost_still_gets_its_name(at: Scene, waits: str) -> None:
    wanted = manifest(done_name="in/REPORT.done")
    at.disk.before = killed_before_the_name(waits)
    with pytest.raises(Killed):
        deliver(at.share, wanted)
    at.share.close()
    disk = AskedTwice(of_done=waits == "REPORT.done")
    share = FolderShare(
        at.stand.root.path, "DEV", "edge2", at.stand.clock, way=at.stand.way, machine=Machine(disk)
    )
    deliver(share, wanted)
    share.close()
    assert len(disk.asked) == 1
    assert at.stand.files() == {"in/REPORT.csv": BODY, "in/REPORT.done": b""}


def test_a_done_file_that_is_refused_again_and_again_adds_as_much_to_the_journal_each_time(at: Scene) -> None:
    wanted = manifest(done_name="in/REPORT.done")
    sizes = []
    for _ in range(12):
        at.disk.before = fails(errno.ENOSPC, "name", "REPORT.done")
        share = FolderShare(
            at.stand.root.path, "DEV", "edge1", at.stand.clock, way=at.stand.way, machine=Machine(at.disk)
        )
        with pytest.raises(ShareRefused):
            deliver(share, wanted)
        share.close()
        sizes.append(lines_of_journals(at))
    assert sizes[-1] - sizes[-2] == sizes[3] - sizes[2]
    at.disk.before = nothing
    deliver(at.again(), wanted)
    assert at.stand.files() == {"in/REPORT.csv": BODY, "in/REPORT.done": b""}


def test_a_done_file_that_a_client_links_from_its_memory_is_not_linked_again(at: Scene) -> None:
    """NFS links by handle, whatever has become of the path; and the consumer has put away what he found."""
    if at.stand.way is Way.RENAME:
        pytest.skip("a rename needs the path")
    wanted = killed_before_its_done_file(at)
    at.share.close()

    def link(call: str, path: Path) -> None:
        if call == "rename" and path.suffix == ".done":
            (at.stand.root.path / "taken").hardlink_to(path)

    at.disk.before = link
    with at.share.claim(wanted) as claim:
        assert claim.landed is not None
    assert at.stand.files() == {"in/REPORT.csv": BODY, "taken": b""}


def test_an_intent_that_comes_when_its_revision_has_landed_names_nothing(at: Scene) -> None:
    wanted = manifest(done_name="in/REPORT.done")
    deliver(at.share, wanted)
    late = at.stand.private.path / "parts/late.done"
    with at.share.claim(wanted) as claim:
        late.touch()
        intent = Intent(
            wanted, "late", at.stand.way, 0, changed_at(LOCAL, late), at.stand.clock.now(), "edge2"
        )
        claim.session.journal.append(DAY, intent)
    for name in ("REPORT.csv", "REPORT.done"):
        (at.stand.root / "in" / name).unlink()
    with at.again().claim(wanted) as claim:
        assert claim.landed is not None
    assert at.stand.files() == {}
    assert at.parts == []


def test_who_settles_twice_takes_nothing_to_a_name_that_is_taken(at: Scene) -> None:
    """Or what came to nothing the first time would be found in the place of what was delivered."""
    wanted = manifest()
    with at.share.claim(wanted) as claim:
        session, slot, now = claim.session, SlotKey(wanted.feed, wanted.occurrence), at.stand.clock.now()
        waits = session.parts / "waits"
        waits.touch()
        for part, changed in (("waits", changed_at(LOCAL, waits)), ("gone", 0)):
            session.journal.append(DAY, Intent(wanted, part, at.stand.way, changed, 0, now, "edge2"))
            settle(session, session.journal.account(DAY, slot), claim.token)
        assert list(session.journal.account(DAY, slot).landed) == [1]


def test_who_sleeps_before_the_done_file_and_wakes_when_it_has_its_name_has_landed(at: Scene) -> None:
    wanted = manifest(done_name="in/REPORT.done")
    slept: list[Path] = []

    def sleep(call: str, path: Path) -> None:
        if call == "name" and path.name == "REPORT.done" and not slept:
            slept.append(path)
            at.stand.fall_asleep("edge1")
            deliver(at.stand.open("edge2", lease=timedelta(seconds=1)), wanted)

    at.disk.before = sleep
    assert deliver(at.share, wanted).revision == 1
    assert len(slept) == 1
    assert at.stand.files() == {"in/REPORT.csv": BODY, "in/REPORT.done": b""}


def killed_before_the_name(name: str) -> Callable[[str, Path], None]:
    def die(call: str, path: Path) -> None:
        if call == "name" and path.name == name:
            raise Killed

    return die


def lines_of_journals(at: Scene) -> int:
    return sum(
        path.read_bytes().count(b"\n") for path in (at.stand.private.path / "journal").rglob("*.jsonl")
    )


def test_who_found_a_file_and_was_killed_when_its_done_file_was_named_has_it_named_once(at: Scene) -> None:
    """The consumer has taken both by then, so that nothing but the journal tells that they were there."""
    wanted = manifest(remote_path="/outbound/flights/REPORT.csv", done_name="in/REPORT.done")
    (at.stand.root / "in").mkdir()
    (at.stand.root / "in/REPORT.csv").write_bytes(BODY)
    named: list[Path] = []

    def die(call: str, path: Path) -> None:
        if call == "name":
            named.append(path)
        if call == "unlink" and path.name.endswith(".done"):
            raise Killed

    at.disk.before = die
    with pytest.raises(Killed), at.share.claim(wanted):
        pass
    assert [path.name for path in named] == ["REPORT.done"]
    for file in list(at.stand.root.files()):
        if file.path.name.startswith("REPORT"):
            file.path.unlink()
    with at.again("edge2").claim(wanted) as claim:
        assert claim.landed is not None
    assert at.stand.files() == {}
    assert at.parts == []


def test_a_part_is_linked_when_the_clock_of_the_share_is_past_its_intent(at: Scene) -> None:
    """Or its change time would be that of the intent, and tell nothing once the consumer has taken the file."""
    times: list[tuple[int, int]] = []

    def look(call: str, path: Path) -> None:
        if call == "name" and path.name == "REPORT.csv":
            (sign,) = (one for one in (at.stand.private.path / "alive").iterdir() if "edge1" in one.name)
            (part,) = (at.stand.private.path / "parts").iterdir()
            times.append((part.stat().st_ctime_ns, sign.stat().st_mtime_ns))

    at.disk.before = look
    deliver(at.share, manifest())
    ((changed, now),) = times
    assert now > changed or at.stand.way is Way.RENAME


def test_what_was_released_at_the_very_moment_from_which_the_journal_is_new_is_known_to_be_new(
    at: Scene,
) -> None:
    at.share.close()
    (at.stand.private / "journal").rmtree()
    at.share.adopt()
    marker = at.stand.private.path / "volume.json"
    marked = json.loads(marker.read_text())
    marked["lost_before"] = manifest().committed_at.isoformat()
    marker.write_text(json.dumps(marked))
    claims: list[Claim] = []
    with at.share.claim(manifest()) as claim:
        claims.append(claim)
    marked["lost_before"] = "2026-11-20T08:00:00.000001Z"
    marker.write_text(json.dumps(marked))
    at.share.close()
    with pytest.raises(IntegrityBroken, match="nobody knows"), at.share.claim(manifest()):
        pass
    assert claims[0].landed is None
