"""Where does a canary land, and what of a share does it leave alone?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from landbridge.canary.bird import named, sent_at
from landbridge.canary.nest import Nest
from landbridge.errors import ShareRefused, UsageError
from landbridge.share.folder import FolderShare
from tests.fakes.set_clock import SetClock

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
CANARY = named(NOW, "0123abcd")


def nest_on(root: Path, journal: Path | None = None, canary: str = CANARY) -> Nest:
    private = root / ".landbridge" / "dev"
    return Nest(private, journal or private / "journal", canary)


@pytest.fixture
def share(tmp_path: Path) -> Path:
    root = tmp_path / "share"
    root.mkdir()
    FolderShare(root, "DEV", "one", SetClock()).adopt()
    return root


def test_a_folder_that_is_no_share_is_not_touched(tmp_path: Path) -> None:
    with pytest.raises(ShareRefused):
        nest_on(tmp_path).prepare(NOW)
    assert list(tmp_path.iterdir()) == []


def test_it_is_inside_our_private_folder_and_gone_afterwards(share: Path) -> None:
    nest = nest_on(share)
    nest.prepare(NOW)
    assert nest.root.is_relative_to(share / ".landbridge" / "dev" / "canary")
    assert nest.journal is None
    (nest.root / "landed.csv").write_text("x")
    assert nest.clear() == ()
    assert not (share / ".landbridge" / "dev" / "canary").exists()


def test_beside_a_journal_elsewhere_it_keeps_its_own_there(tmp_path: Path) -> None:
    root, journal = tmp_path / "share", tmp_path / "journal"
    root.mkdir()
    FolderShare(root, "DEV", "one", SetClock(), journal=journal).adopt()
    nest = nest_on(root, journal)
    nest.prepare(NOW)
    assert nest.journal == journal / "canary" / CANARY
    nest.journal.mkdir(parents=True)
    nest.clear()
    assert {one.name for one in journal.iterdir()} == {"identity.json"}


def test_the_journal_elsewhere_of_a_killed_canary_goes_with_it(tmp_path: Path) -> None:
    root, journal = tmp_path / "share", tmp_path / "journal"
    root.mkdir()
    FolderShare(root, "DEV", "one", SetClock(), journal=journal).adopt()
    old, under_way = (
        journal / "canary" / named(NOW - age, "00000000") for age in (timedelta(days=2), timedelta(minutes=1))
    )
    for left in (old, under_way, journal / "canary" / "not-a-canary"):
        left.mkdir(parents=True)
    nest_on(root, journal).prepare(NOW)
    assert sorted(one.name for one in (journal / "canary").iterdir()) == [under_way.name, "not-a-canary"]


def test_what_a_killed_canary_left_goes_after_a_day_and_no_other(share: Path) -> None:
    old = nest_on(share, canary=named(NOW - timedelta(days=2), "00000000"))
    old.prepare(NOW - timedelta(days=2))
    under_way = nest_on(share, canary=named(NOW - timedelta(minutes=1), "00000001"))
    under_way.prepare(NOW)
    (under_way.root.parent / "not-a-canary").mkdir()
    nest_on(share).prepare(NOW)
    assert not old.root.exists()
    assert under_way.root.exists()
    assert (under_way.root.parent / "not-a-canary").exists()


@pytest.mark.parametrize(
    "name", ["", "..", "../x", "20261120T090000Z", "20261399T090000Z-0123abcd", f"{CANARY}/x", f"{CANARY}\n"]
)
def test_a_name_from_elsewhere_is_no_path(name: str) -> None:
    with pytest.raises(UsageError):
        sent_at(name)
