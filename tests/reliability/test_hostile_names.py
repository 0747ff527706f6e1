"""Does no name from the other side lead out of its folder, or onto another file?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from landbridge import naming
from landbridge.ledger import manifests
from landbridge.share import landing
from reliability import hostile_names

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.reliability


def test_none_escapes_and_none_overwrites() -> None:
    figure = hostile_names.names()
    assert figure.is_reached, figure


def test_every_name_is_refused_for_itself() -> None:
    taken = [name for name in hostile_names.NAMES if "/" not in name and not naming._not_plain(name)]
    assert taken == []


def test_a_collector_that_believes_names_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse = naming.hostile_name  # names that lead away stay refused: this is a test, and they would
    monkeypatch.setattr(
        manifests, "hostile_name", lambda name: name if name.startswith("COM") else refuse(name)
    )
    with pytest.raises(AssertionError, match="not refused"):
        hostile_names.in_manifests(hostile_names.Standing(tmp_path))


def test_a_share_that_tells_twins_apart_by_their_letters_alone_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(landing, "_folded", lambda name: name)
    with pytest.raises(AssertionError):
        hostile_names.twins(hostile_names.Standing(tmp_path))
