"""What does a claim leave on the share, where a file can have two names and where it cannot?"""

from __future__ import annotations

import errno
import os
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from landbridge.disk.local import LOCAL, LocalDisk
from landbridge.errors import ShareRefused, TryAgain
from landbridge.share.claims import Claims, Who
from landbridge.share.machine import Machine
from landbridge.share.platform import Way

if TYPE_CHECKING:
    from pathlib import Path

    from landbridge.disk import Disk


class NoLinks(LocalDisk):
    """A mount on which a file has one name (FAT, some SMB servers)."""

    def link(self, path: Path, target: Path) -> None:
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP), str(target))


class LostAnswer(LocalDisk):
    """A mount that does what is asked, and says that it failed: its answer was lost, and it was asked again."""

    def link(self, path: Path, target: Path) -> None:
        super().link(path, target)
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))

    def mkdir(self, folder: Path) -> None:
        super().mkdir(folder)
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(folder))

    def rename(self, path: Path, target: Path) -> None:
        super().rename(path, target)
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))


class Refuses(LocalDisk):
    """A server that neither makes folders nor takes files away."""

    def mkdir(self, folder: Path) -> None:
        raise OSError(errno.EMLINK, os.strerror(errno.EMLINK), str(folder))

    def unlink(self, path: Path) -> None:
        if path.parent.name == "claims":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        super().unlink(path)


@dataclass(frozen=True)
class Shared:
    """The private folder of a share."""

    private: Path

    def claims(self, disk: Disk, collector: str, way: Way = Way.RENAME) -> Claims:
        who = Who(collector, "0123456789abcdef", alone=True)
        return Claims(
            Machine(disk),
            self.private / "claims",
            self.private / "alive",
            who,
            timedelta(minutes=2),
            way,
        )

    def names(self) -> set[str]:
        return {path.name for path in (self.private / "claims").iterdir()}


@pytest.fixture
def shared(tmp_path: Path) -> Shared:
    for name in ("claims", "alive"):
        (tmp_path / name).mkdir()
    return Shared(tmp_path)


@pytest.mark.parametrize("disk", [LOCAL, NoLinks()], ids=["links", "no links"])
def test_a_claim_is_there_until_it_is_given_back(shared: Shared, disk: Disk) -> None:
    with closing(shared.claims(disk, "one")) as one, closing(shared.claims(LOCAL, "two")) as two:
        taken = one.take(["a.2026-11-20", "b.2026-11-20"])
        tokens = [str(token) for token in taken.values()]
        assert shared.names() == set(tokens)
        one.mark_landing(tokens[0])
        answers = two.take(taken)
        assert [type(answer) for answer in answers.values()] == [TryAgain, TryAgain]
        one.release(tokens)
        assert shared.names() == set()
        assert all(isinstance(answer, str) for answer in two.take(taken).values())


def test_a_thousand_claims_are_one_file(shared: Shared) -> None:
    with closing(shared.claims(LOCAL, "one")) as one:
        one.take([f"a{number}.2026-11-20" for number in range(1_000)])
        inodes = {path.stat().st_ino for path in (shared.private / "claims").iterdir()}
        assert len(inodes) == 1


def test_a_sign_of_life_that_was_swept_away_stops_no_claim(shared: Shared) -> None:
    with closing(shared.claims(LOCAL, "one")) as one:
        for sign in (shared.private / "alive").iterdir():
            sign.unlink()
        (token,) = one.take(["a.2026-11-20"]).values()
        assert shared.names() == {token}


def test_a_claim_whose_answers_are_lost_is_given_back_whole(shared: Shared) -> None:
    with closing(shared.claims(LostAnswer(), "one")) as one:
        (token,) = one.take(["a.2026-11-20"]).values()
        assert isinstance(token, str)
        with pytest.raises(ShareRefused, match="taken over"):
            one.mark_landing(token)
        one.release([token])
        assert shared.names() == set()


# Where names are given by links


def test_a_path_through_a_claim_ends_with_the_claim(shared: Shared) -> None:
    part = shared.private / "part"
    part.write_bytes(b"a")
    with closing(shared.claims(LOCAL, "one", Way.LINK)) as one:
        (token,) = map(str, one.take(["a.2026-11-20"]).values())
        LOCAL.link(one.through(token, part), shared.private / "before")
        one.mark_landing(token)
        LOCAL.link(one.through(token, part), shared.private / "after")
        through = one.through(token, part)
        one.release([token])
        with pytest.raises(FileNotFoundError):
            LOCAL.link(through, shared.private / "late")
    assert part.stat().st_nlink == 3


def test_a_path_is_what_it_is_where_a_part_is_renamed(shared: Shared) -> None:
    with closing(shared.claims(LOCAL, "one")) as one:
        (token,) = map(str, one.take(["a.2026-11-20"]).values())
        assert one.through(token, shared.private / "part") == shared.private / "part"


@pytest.mark.parametrize("mine", list(Way))
@pytest.mark.parametrize("theirs", list(Way))
def test_claims_of_the_dead_are_removed_whatever_they_are(shared: Shared, mine: Way, theirs: Way) -> None:
    slots = ["a.2026-11-20", "b.2026-11-20"]
    for collector in ("two", "one"):
        dead = shared.claims(LOCAL, collector, theirs)
        taken = dead.take(slots if collector == "two" else ["c.2026-11-20"])
        dead.mark_landing(str(next(iter(taken.values()))))
        dead.close()
    who = Who("one", "another session", alone=True)
    folders = shared.private / "claims", shared.private / "alive"
    with closing(Claims(Machine(), *folders, who, timedelta(minutes=2), mine)) as one:
        assert not any(name.startswith("c.") for name in shared.names()), "earlier ones of its own, at once"
        taken = one.take(slots)
        assert shared.names() == set(map(str, taken.values()))


def test_a_link_has_a_later_change_time_than_its_part_had(shared: Shared) -> None:
    """Or it would show in nothing, once the consumer has taken the file: some file systems count in whole seconds."""
    beats: list[int] = []

    class Coarse(LocalDisk):
        def lstat(self, path: Path) -> os.stat_result:
            seen = super().lstat(path)
            if path.parent.name != "alive":
                return seen
            beats.append(1_000_000_000 * (len(beats) // 3))
            return _At(seen.st_mtime, beats[-1])  # type: ignore[return-value]

    paused: list[float] = []
    machine = Machine(Coarse(), pause=paused.append)
    who = Who("one", "now", alone=True)
    claims = Claims(
        machine, shared.private / "claims", shared.private / "alive", who, timedelta(minutes=2), Way.LINK
    )
    with closing(claims):
        claims.pass_by(1_000_000_000)
        assert beats[-1] == 2_000_000_000
        assert len(paused) == len(beats) - 2, "one beat when it began, and none is waited for after the last"
        claims.pass_by(1 << 62)
        assert 1 <= sum(paused) <= 3, "a clock that stands still is not waited for"


class _At:
    def __init__(self, mtime: float, mtime_ns: int) -> None:
        self.st_mtime, self.st_mtime_ns = mtime, mtime_ns


def test_a_folder_whose_answer_was_lost_is_the_claim(shared: Shared) -> None:
    with closing(shared.claims(LostAnswer(), "one", Way.LINK)) as one:
        (token,) = one.take(["a.2026-11-20"]).values()
        assert shared.names() == {token}
        assert (shared.private / "claims" / f"{token}").is_dir()


def test_a_claim_that_can_be_no_folder_is_none(shared: Shared) -> None:
    """A file in its place would lead nowhere, and its claimant would hear of it only when it lands."""
    with closing(shared.claims(Refuses(), "one", Way.LINK)) as one:
        with pytest.raises(OSError, match=os.strerror(errno.EMLINK)):
            one.take(["a.2026-11-20"])
        assert shared.names() == set()


def test_a_claim_that_somebody_has_put_a_file_into_is_taken_over_all_the_same(shared: Shared) -> None:
    slot = "a.2026-11-20"
    one = shared.claims(LOCAL, "one", Way.LINK)
    (token,) = one.take([slot]).values()
    (shared.private / "claims" / f"{token}" / "@eaDir").mkdir()
    one.close()
    with closing(shared.claims(LOCAL, "two", Way.LINK)) as two:
        (taken,) = two.take([slot]).values()
        assert isinstance(taken, str)
        assert {name.partition("-")[0] for name in shared.names()} == {"gone", taken.partition("-")[0]}
        with pytest.raises(ShareRefused, match="taken over"):
            one.mark_landing(f"{token}")
        two.release([taken])
        with closing(shared.claims(LOCAL, "one", Way.LINK)) as again:
            assert isinstance(again.take([slot])[slot], str)


def test_what_cannot_be_taken_away_is_told_as_it_is(shared: Shared) -> None:
    with closing(shared.claims(LOCAL, "one")) as one:
        one.take(["a.2026-11-20"])
    with closing(shared.claims(Refuses(), "two")) as two, pytest.raises(PermissionError):
        two.take(["a.2026-11-20"])
