"""Is the twin's share missed when it is gone, as one on a real host is?"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from landbridge.disk.local import LOCAL
from landbridge.errors import ShareRefused
from landbridge.project import place
from landbridge.share.volume import recognise
from landbridge.twin.state import Ground
from landbridge.wiring import ground_side
from landbridge.wiring.doctor_side import _shore
from landbridge.wiring.process import Process
from landbridge.wiring.secrets import References
from tests.core.declared import FILES, examined
from tests.core.formats import Silent
from tests.fakes.set_clock import SetClock

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def host(tmp_path: Path) -> ground_side.Host:
    declared = examined(tmp_path, FILES).declaration
    assert declared is not None
    share = tmp_path / "twin" / "share"
    share.mkdir(parents=True)
    key = tmp_path / "none"
    return ground_side.Host(
        declared=declared,
        place=place(declared.project, "DEV"),
        references=References({}, tmp_path, lambda _: ""),
        twin=Ground("127.0.0.1", 1, "collector", key, "ssh-ed25519 AAAA", share, key, key),
        collector="here",
        sftp_client="",
        process=Process(SetClock(), Silent(), "run-1", "ann"),
    )


def test_the_twins_share_is_adopted_once_without_asking(host: ground_side.Host) -> None:
    shore = _shore(host)
    private = shore.private("DEV")
    first = recognise(LOCAL, private, shore.journal).marker
    ground_side.share(host).close()
    assert recognise(LOCAL, private, shore.journal).marker == first


def test_a_private_folder_that_was_moved_away_is_missed(host: ground_side.Host) -> None:
    shore = _shore(host)
    shutil.move(shore.root / ".landbridge", shore.root.parent / "moved")
    again = _shore(host)
    with pytest.raises(ShareRefused, match="is not a share that was adopted"):
        recognise(LOCAL, again.private("DEV"), again.journal)
    assert list(shore.root.iterdir()) == [], "an examination makes nothing"
    ground_side.share(host).adopt()
    recognise(LOCAL, again.private("DEV"), again.journal)  # a person's word is asked, and counts
