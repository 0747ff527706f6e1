"""Does a share that lost power go on by itself, whatever of the last moment came back?"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from landbridge.errors import LandbridgeError
from landbridge.facts import Receipt
from landbridge.share.folder import FolderShare
from landbridge.share.machine import Machine
from landbridge.share.platform import Way
from reliability.disk import SimulatedDisk
from tests.contract.test_share import BODY, content, manifest, part_of
from tests.fakes.set_clock import SetClock

pytestmark = pytest.mark.reliability

SHARE = Path("/share")
WANTED = [
    manifest(occurrence=f"20261120T{hour:02}00Z", name=f"in/{hour}.csv", remote_path=f"/o/{hour}.csv")
    for hour in range(12)
]


class PowerCut(BaseException):
    """The machine is without power."""


def land(disk: SimulatedDisk, wanted: range, last: int = 0) -> list[Receipt | LandbridgeError]:
    """Land some files as one group; the power goes at so manieth an fsync of the journal, at none if 0."""
    left = [last]

    def before(operation: str, path: Path) -> None:
        if operation == "fsync" and path.suffix == ".jsonl":
            left[0] -= 1
            if left[0] == 0:
                raise PowerCut

    mount = disk.mount(before)
    machine = Machine(mount, heart=lambda _beat, _seconds: lambda: None)
    share = FolderShare(SHARE, "DEV", "edge1", SetClock(), way=Way.RENAME, machine=machine)
    try:
        share.adopt()
        with share.claim_all([WANTED[number] for number in wanted]) as claimed:
            came: list[Receipt | LandbridgeError | object] = []
            for claim in claimed.claims:
                if isinstance(claim, LandbridgeError) or claim.landed:
                    came.append(claim if isinstance(claim, LandbridgeError) else claim.landed)
                    continue
                part_of(claim).write_bytes(BODY)
                part_of(claim).sync()
                came.append(content(BODY))
            return claimed.land_all(came)  # type: ignore[arg-type]
    finally:
        mount.end()


@pytest.mark.parametrize("moment", [2, 3], ids=["intents", "landed"])
def test_lines_that_were_written_together_may_come_back_in_part(moment: int) -> None:
    """The lines of several files cross a page of the journal, and chance decides which page had reached the disk."""
    for seed in range(60):
        disk = SimulatedDisk(lambda: 1_000)
        disk.mount().mkdir(SHARE)
        disk.settle()
        land(disk, range(3))
        with pytest.raises(PowerCut):
            land(disk, range(12), moment)  # the first fsync of a session is about what is there already
        back = disk.power_cut(random.Random(seed))
        answers = land(back, range(12))
        assert all(isinstance(one, Receipt) for one in answers), f"seed {seed}: {answers}"
        landed = [path for path in back.files() if path.startswith("/share/in/")]
        assert len(landed) == 12, f"seed {seed}"
