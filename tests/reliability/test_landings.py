"""Is what another mover brought landed whole, once and in order, and what people decide kept, whoever is killed?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from landbridge.facts import Content, Fetched, Server, Verdict
from landbridge.share.folder import FolderShare
from landbridge.share.machine import Machine
from landbridge.share.platform import Way
from landbridge.steps.fetch import fetch
from reliability.disk import SimulatedDisk
from reliability.faults import FAULTS
from reliability.landing_bugs import LANDING_BUGS, shown
from reliability.landing_faults import befallen
from reliability.landings import KINDS, landed
from tests.contract.test_share import BODY, content, manifest, part_of
from tests.fakes.set_clock import SetClock

if TYPE_CHECKING:
    from reliability.planted import Bug

pytestmark = pytest.mark.reliability

HISTORIES = 100


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_landings_among_people_who_decide_lose_double_and_tear_nothing() -> None:
    played = [landed(seed) for seed in range(HISTORIES)]
    assert not {seed: one.problems for seed, one in enumerate(played) if one.problems}
    assert sum(one.brought for one in played) > HISTORIES, "jobs have something to land"
    assert sum(bool(one.befell) for one in played) > HISTORIES // 4, "and something befalls them"
    assert {verdict for one in played for verdict in one.verdicts} == set(Verdict)
    assert sum(one.excused for one in played) > HISTORIES // 10, "and some hear that no file is owed"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_fault_at_a_call_of_the_job_ends_well() -> None:
    """One call in 29 of each fault; `python -m reliability --part landing-faults` does all of them."""
    befell = 0
    for fault in (one for one in FAULTS if one.port in {"disk", "sftp"}):
        for number in range(1, 400, 29):
            fired, problems = befallen(fault, number)
            assert not problems, f"{fault.name} at {fired}"
            if not fired:
                break
            befell += 1
    assert befell > 25


def test_the_same_seed_gives_the_same_landing() -> None:
    for seed in range(len(KINDS)):
        assert landed(seed) == landed(seed)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("bug", LANDING_BUGS, ids=lambda bug: bug.name)
def test_a_planted_bug_of_landings_is_caught(bug: Bug) -> None:
    assert shown(bug).runs > 0


class _Dies(BaseException):
    """The process is gone."""


class _Elsewhere:
    """A server that has the file, and another name than the one that it came from."""

    def download(self, _path: str, into: Path, size: int, _watch: object = None) -> Fetched:
        del into
        return Fetched(Content(size, content(BODY).sha256, 0), Server("elsewhere", 22, "", "x"), 1)


@pytest.mark.parametrize("way", Way)
@pytest.mark.parametrize("finisher", ["edge1", "edge2"])
def test_bytes_that_a_crash_kept_from_landing_are_still_known_by_their_own_download(
    way: Way, finisher: str
) -> None:
    """Killed between intent and name: nothing is downloaded again, so the account of the first one is the true one."""
    disk, wanted, brought = SimulatedDisk(lambda: 0), manifest(), content(BODY)

    def before(operation: str, path: Path) -> None:
        if operation in {"rename_new", "link"} and path.parent.name == "parts":
            raise _Dies

    def share(collector: str, *, dies: bool) -> FolderShare:
        mount = disk.mount(before) if dies else disk.mount()
        machine = Machine(mount, heart=lambda _beat, _seconds: lambda: None)
        clock = SetClock()
        clock.sleep(0.0 if dies else 3600.0)
        return FolderShare(Path("/share"), "DEV", collector, clock, way=way, machine=machine)

    disk.mount().mkdir(Path("/share"))
    first = share("edge1", dies=True)
    first.adopt()
    with first.claim(wanted) as claim:
        part_of(claim).write_bytes(BODY)
        with pytest.raises(_Dies):
            claim.land(brought)
    first.close()
    with share(finisher, dies=False) as second, second.claim(wanted) as claim:
        assert (claim.landed, claim.there()) == (None, len(BODY))
        came = fetch(_Elsewhere(), SetClock(), finisher, lambda _: None, claim, wanted)  # type: ignore[arg-type]
        receipt = claim.land(came)
    assert came == receipt.brought == brought
    assert replace(receipt, brought=None).collector == finisher
