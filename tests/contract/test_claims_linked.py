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

    def rename(self, path: Path, target: Path) -> None:
        super().rename(path, target)
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))


@dataclass(frozen=True)
class Shared:
    """The private folder of a share."""

    private: Path

    def claims(self, disk: Disk, collector: str) -> Claims:
        who = Who(collector, "0123456789abcdef", alone=True)
        return Claims(
            Machine(disk), self.private / "claims", self.private / "alive", who, timedelta(minutes=2)
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
