"""Who has the claim on a slot, also when two ask at once, one wakes up, or the share fails in the middle?"""

from __future__ import annotations

import errno
import os
import time
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from landbridge.disk.local import LocalDisk
from landbridge.errors import ShareRefused, TryAgain
from landbridge.share.claims import Claims, Who
from landbridge.share.machine import Machine
from landbridge.share.platform import Way
from reliability.disk import SimulatedDisk
from tests.fakes.place import Place

if TYPE_CHECKING:
    from collections.abc import Callable

    from landbridge.disk import Disk

LEASE = timedelta(minutes=2)
SLOT, OTHER = "flights.2026-11-20", "flights.2026-11-19"


class Told(LocalDisk):
    """Lets somebody act, or the disk fail, around each call."""

    def __init__(self) -> None:
        self.before: Callable[[str, Path], None] = lambda _call, _path: None
        self.after: Callable[[str, Path], None] = lambda _call, _path: None

    def open(self, path: Path, flags: int, mode: int = 0o666) -> int:
        self.before("open", path)
        number = super().open(path, flags, mode)
        self.after("open", path)
        return number

    def link(self, path: Path, target: Path) -> None:
        self.before("link", target)
        super().link(path, target)

    def listdir(self, folder: Path) -> list[str]:
        self.before("listdir", folder)
        return super().listdir(folder)

    def unlink(self, path: Path) -> None:
        self.before("unlink", path)
        super().unlink(path)

    def utime(self, path: Path) -> None:
        self.before("utime", path)
        super().utime(path)


@dataclass
class Stand:
    """The two folders of the claims, and the hearts of all who look into them."""

    claims: Path
    alive: Path
    disk: Told = field(default_factory=Told)
    hearts: list[tuple[Callable[[], None], float]] = field(default_factory=list)
    ended: int = 0
    paused: list[float] = field(default_factory=list)
    tokens: int = 0
    way: Way = Way.RENAME

    def machine(self, disk: Disk | None = None) -> Machine:
        def heart(beat: Callable[[], None], seconds: float) -> Callable[[], None]:
            self.hearts.append((beat, seconds))
            return self._end

        return Machine(disk or self.disk, self._token, lambda: 0.5, self.paused.append, heart)

    def open(self, collector: str = "edge1", session: str = "now", *, alone: bool = True) -> Claims:
        return Claims(
            self.machine(), self.claims, self.alive, Who(collector, session, alone), LEASE, self.way
        )

    def there(self) -> list[str]:
        return sorted(path.name for path in self.claims.iterdir())

    def left_by(self, who: str, slot: str = SLOT, *, alive: bool = True) -> str:
        """Leave a claim of somebody else."""
        (self.claims / f"{slot}~{who}~f0").touch()
        if alive:
            (self.alive / who).touch()
        return f"{slot}~{who}~f0"

    def _end(self) -> None:
        self.ended += 1

    def _token(self) -> str:
        self.tokens += 1
        return f"{self.tokens:02x}"


@pytest.fixture
def at(tmp_path: Path) -> Stand:
    for name in ("claims", "alive"):
        (tmp_path / name).mkdir()
    return Stand(tmp_path / "claims", tmp_path / "alive")


def fails(number: int) -> OSError:
    return OSError(number, os.strerror(number))


def _without_links(call: str, _path: Path) -> None:
    if call == "link":
        raise fails(errno.EOPNOTSUPP)


def test_a_session_lives_from_its_first_moment_until_it_is_closed(at: Stand) -> None:
    ours = at.open()
    sign = at.alive / "edge1~now"
    assert sign.exists(), "or whoever looks before the heart has beaten takes it for dead"
    ((beat, seconds),) = at.hearts
    assert seconds * 3 < LEASE.total_seconds(), "one beat may be lost"
    os.utime(sign, (0, 0))
    beat()
    assert sign.stat().st_mtime > time.time() - 60
    ours.close()
    assert (at.ended, list(at.alive.iterdir())) == (1, [])


def test_a_share_that_is_away_keeps_no_heart_and_no_end_from_its_turn(at: Stand) -> None:
    ours = at.open()

    def away(_call: str, _path: Path) -> None:
        raise fails(errno.EIO)

    at.disk.before = away
    at.hearts[0][0]()
    ours.release([f"{SLOT}~edge1~now~01"])
    ours.close()
    assert at.ended == 1


def test_of_two_who_make_their_claims_at_once_both_give_way_and_one_comes_back(at: Stand) -> None:
    ours, looks = at.open(), [0]

    def meet(call: str, path: Path) -> None:
        if call == "listdir" and path == at.claims:
            looks[0] += 1
            if looks[0] == 2:  # after the first look, and after ours was made
                at.left_by("edge2~now")
            elif looks[0] == 3:
                assert [name for name in at.there() if "edge1" in name] == [], "ours was given back at once"
                (at.claims / f"{SLOT}~edge2~now~f0").unlink()

    at.disk.before = meet
    token = ours.take([SLOT])[SLOT]
    assert isinstance(token, str)
    assert at.there() == [token]
    assert at.paused == [0.025], "a pause of chance, or they would meet again and again"


def test_one_who_stays_is_given_way_to(at: Stand) -> None:
    ours, made = at.open(), []

    def meet(call: str, path: Path) -> None:
        if call == "listdir" and path == at.claims and at.there():
            made.append(at.left_by("edge2~now"))

    at.disk.before = meet
    assert isinstance(ours.take([SLOT])[SLOT], TryAgain)
    assert at.there() == [f"{SLOT}~edge2~now~f0"]


@pytest.mark.parametrize("look", [1, 2])
def test_a_claim_of_the_dead_that_wakes_up_while_it_is_removed_is_removed_all_the_same(
    at: Stand, look: int
) -> None:
    """It renames its claim to pass the fence, and the removal finds nothing."""
    ours, looks = at.open(), [0]
    name = f"{SLOT}~edge2~gone~f0"

    def wake(call: str, path: Path) -> None:
        if call == "listdir" and path == at.claims:
            looks[0] += 1
            if looks[0] == look:
                at.left_by("edge2~gone", alive=False)
        if call == "unlink" and path == at.claims / name and path.exists():
            path.rename(at.claims / f"{name}~landing")

    at.disk.before = wake
    token = ours.take([SLOT])[SLOT]
    assert at.there() == [token]


def test_a_claim_without_a_sign_of_life_is_of_the_dead(at: Stand) -> None:
    at.left_by("edge2~gone", alive=False)
    old = at.left_by("edge3~asleep", OTHER)
    os.utime(at.alive / "edge3~asleep", (0, 0))
    taken = at.open().take([SLOT, OTHER])
    assert sorted(map(str, taken.values())) == at.there()
    assert old not in at.there()


def test_whether_somebody_lives_is_told_by_the_clock_of_the_share(at: Stand) -> None:
    disk = SimulatedDisk(lambda: 10**9).mount()  # where it is still 1970
    for folder in ("/claims", "/alive"):
        disk.mkdir(Path(folder))
    Place(disk, Path("/alive/edge2~now")).touch()
    Place(disk, Path(f"/claims/{SLOT}~edge2~now~f0")).touch()
    who = Who("edge1", "now", alone=True)
    ours = Claims(at.machine(disk), Path("/claims"), Path("/alive"), who, LEASE, Way.RENAME)
    assert isinstance(ours.take([SLOT])[SLOT], TryAgain)


def test_where_there_are_no_locks_another_session_of_the_collector_may_live(at: Stand) -> None:
    name = at.left_by("edge1~earlier")
    assert isinstance(at.open(alone=False).take([SLOT])[SLOT], TryAgain)
    assert at.there() == [name]
    neighbour = at.left_by("edge10~earlier", OTHER)
    token = at.open().take([SLOT])[SLOT]  # with a lock it is known to be dead
    assert at.there() == sorted([neighbour, str(token)])
    assert {path.name for path in at.alive.iterdir()} == {"edge1~now", "edge10~earlier"}


def test_threads_of_one_session_keep_their_claims_from_each_other(at: Stand) -> None:
    ours = at.open()
    first = ours.take([SLOT])[SLOT]
    (
        at.claims / f"{OTHER}~edge1~now~ff"
    ).touch()  # given back while the share was away, and only the file is left
    again = ours.take([OTHER, SLOT])
    assert isinstance(again[SLOT], TryAgain)
    assert at.there() == sorted([str(first), str(again[OTHER])])


def test_a_slot_that_is_asked_for_twice_has_one_claim(at: Stand) -> None:
    taken = at.open().take([SLOT, SLOT])
    assert at.there() == [taken[SLOT]]


def test_a_share_that_fails_in_the_middle_leaves_no_claim(at: Stand) -> None:
    ours = at.open()

    def full(call: str, path: Path) -> None:
        if call in {"link", "open"} and path.name.startswith(OTHER):
            raise fails(errno.ENOSPC)

    at.disk.before = full
    with pytest.raises(OSError, match="space"):
        ours.take([SLOT, OTHER])
    assert at.there() == []


def test_a_claim_that_was_made_although_the_share_said_no_is_nobodys(at: Stand) -> None:
    ours = at.open()

    def late(call: str, path: Path) -> None:
        if call == "open" and path.parent == at.claims:
            raise fails(errno.EIO)

    at.disk.before, at.disk.after = _without_links, late
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        ours.take([SLOT])
    assert len(at.there()) == 1
    at.disk.after = lambda _call, _path: None
    token = ours.take([SLOT])[SLOT]
    assert at.there() == [token]


def test_a_claim_that_cannot_be_given_back_is_dead_from_then_on(at: Stand) -> None:
    ours = at.open()
    first = ours.take([SLOT])[SLOT]

    def stuck(call: str, _path: Path) -> None:
        if call == "unlink":
            raise fails(errno.EACCES)

    at.disk.before = stuck
    ours.release([str(first)])
    assert at.there() == [first]
    at.disk.before = lambda _call, _path: None
    assert at.there() != [again := ours.take([SLOT])[SLOT]]
    assert at.there() == [again]


def test_a_claim_that_has_passed_the_fence_is_given_back_as_well(at: Stand) -> None:
    ours = at.open()
    token = str(ours.take([SLOT])[SLOT])
    ours.mark_landing(token)
    assert at.there() == [f"{token}~landing"]
    for other in (ours, at.open("edge2")):
        assert isinstance(other.take([SLOT])[SLOT], TryAgain), "it is a claim all the same"
    ours.release([token])
    assert at.there() == []
    with pytest.raises(ShareRefused, match="taken over"):
        ours.mark_landing(token)


def test_what_comes_under_the_name_of_a_claim_is_not_written_to(at: Stand) -> None:
    ours = at.open()

    def plant(call: str, path: Path) -> None:
        if call == "link":
            path.symlink_to("../planted")

    at.disk.before = plant
    with pytest.raises(OSError, match=os.strerror(errno.ELOOP)):
        ours.take([SLOT])
    assert not (at.claims.parent / "planted").exists()


def test_names_of_sessions_never_recur() -> None:
    machine = Machine()
    assert len({machine.token() for _ in range(100)}) == 100
    assert len({replace(machine).chance() for _ in range(100)}) > 90
