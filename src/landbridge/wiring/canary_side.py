"""What does a canary fly over? Each half is filled in only when it is asked for: a side may not see the other."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from landbridge import wiring
from landbridge.wiring import cloud_side, ground_side

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landbridge.ports import Progress, Remote
    from landbridge.project import Declaration
    from landbridge.world import Cloud, Ground


def cloud(declared: Declaration, environment: str, canary: str, *, twin: bool, progress: Progress) -> Cloud:
    """Fill in the cloud side."""
    real = wiring.cloud(declared, environment, twin=twin, progress=progress)
    place, session, endpoint = wiring.pod_session(declared, environment, twin=twin)
    return cloud_side.for_canary(real, place, session, endpoint, canary)


@contextmanager
def remote(declared: Declaration, environment: str, *, twin: bool, progress: Progress) -> Iterator[Remote]:
    """Lend the SFTP side as the collector has it."""
    ground = wiring.ground(declared, environment, twin=twin, progress=progress)
    try:
        yield ground.remote
    finally:
        ground.remote.close()
        ground.share.close()


@contextmanager
def ground(
    declared: Declaration, environment: str, canary: str, *, twin: bool, progress: Progress
) -> Iterator[Ground]:
    """Lend the ground side; what the canary leaves on the share is gone afterwards, however it ended."""
    host = wiring.host(declared, environment, twin=twin, progress=progress)
    if twin:
        ground_side.share(host).close()  # the twin's own is adopted without asking anybody
    nest = ground_side.nest(host, canary)
    nest.prepare(host.process.clock.now())
    try:
        own = ground_side.for_canary(host, nest)
        try:
            yield own
        finally:
            own.share.close()
            own.remote.close()
    finally:
        nest.clear()
