"""What does a collector of the simulation stand on? The product's own collection and share, over a disk and a line in memory."""

from __future__ import annotations

import itertools
from concurrent.futures import Executor, Future
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from landbridge.share.folder import FolderShare
from landbridge.share.machine import Machine
from landbridge.world import Ground
from reliability.kinds import ENVIRONMENT, receipt_key
from reliability.memory_sftp import MemoryRemote
from reliability.pods import Quiet
from reliability.through import Through

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from landbridge.disk import Disk
    from landbridge.share.platform import Way
    from reliability.actors import Actor
    from reliability.memory_sftp import MemorySftp
    from reliability.through import Passing

ROOT = Path("/share")
PRIVATE = ROOT / ".landbridge"
LEASE = timedelta(minutes=2)

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Inline(Executor):
    """Does everything at once, where it is asked for, so that the order is the caller's."""

    def __init__(self, _threads: int, _name: str) -> None:
        """Take what an executor with threads takes."""

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """See Executor; what kills an actor passes through."""
        future: Future[_T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 # as an executor does
            future.set_exception(error)
        return future


def ground(
    server: MemorySftp,
    disk: Disk,
    actor: Actor,
    passing: Passing,
    *,
    collector: str,
    way: Way,
    random: Random,
    packet: int,
) -> Ground:
    """Fill in the ports of one collector; every call of each passes `passing`. It begins its session at its first call."""
    passed = cast("Disk", Through(disk, "disk", passing))
    line = cast("MemorySftp", Through(server, "sftp", passing))
    numbers = itertools.count(random.getrandbits(32) << 20)
    machine = Machine(
        disk=passed,
        token=lambda: f"{next(numbers):016x}",
        chance=random.random,
        pause=actor.sleep,
        heart=lambda _beat, _seconds: _no_heart,
    )
    key = receipt_key()
    clock: Any = Through(actor, "clock", passing)
    return Ground(
        environment=ENVIRONMENT,
        remote=MemoryRemote(line, passed, packet),
        share=FolderShare(ROOT, ENVIRONMENT, collector, clock, lease=LEASE, way=way, machine=machine),
        receipt_key=key.private_pem,
        receipt_keys=(key.public_pem,),
        clock=clock,
        progress=Quiet(),
        threads=Inline,
    )


def _no_heart() -> None:
    """An actor that is awake moves on in no time, and one that sleeps for long must not show that it lives."""
