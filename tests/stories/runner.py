"""What happens to a run that is killed at its Nth call of a store, or that races others? Runs each in a process of its own.

`python -m tests.stories.runner PROJECT` reads orders from standard input, one a line: `FEED DATE KILL_AT STEP`, forks a
child for each (so that imports are paid once) and prints how it ended: `killed`, or its exit code and what it did.
`KILL_AT` 0 lets it live; several orders on one line, separated by `;`, run at the same time. The steps `collect` and
`take-over` are collections, by the collector `edge1` and by `edge2`, for whom every claim of another is stale: they are
killed before their Nth thing done to share or line.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, cast

from landbridge import decisions, jobs, run, wiring
from landbridge.cli.output import Silent
from landbridge.collect import collect
from landbridge.errors import LandbridgeError
from landbridge.facts import Commitment, Released
from landbridge.ledger import Ledger
from landbridge.share.folder import LEASE, FolderShare
from landbridge.twin import state as twin_state
from landbridge.wiring import choice
from tests.stories.crashing import killer

if TYPE_CHECKING:
    from collections.abc import Callable

    from landbridge.ports import Place, Store
    from landbridge.project import Declaration
    from landbridge.world import Cloud

ENVIRONMENT = "DEV"
STEPS: dict[str, Callable[..., object]] = {
    "all": run.run,
    "generate": jobs.run_generate,
    "validate": jobs.run_validate,
    "promote": jobs.run_promote,
    "redrive": decisions.redrive,
    "release": decisions.release,
    "reject": lambda _feed, slot, cloud: decisions.reject(slot, cloud),
    "waive": decisions.waive,
}
DECISIONS = {"redrive", "release", "reject", "waive"}


COLLECTORS = {"collect": "edge1", "take-over": "edge2"}


@dataclass
class Fuse:
    """Kills this process when it has burnt down: no clean-up, no goodbye."""

    left: int

    def burn(self) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


class Fused:
    """A port whose every call burns the fuse before it begins and after its effect took place."""

    def __init__(self, inner: object, fuse: Fuse) -> None:
        self._inner = inner
        self._fuse = fuse

    def __getattr__(self, name: str) -> object:
        found = getattr(self._inner, name)
        if not callable(found):
            return found

        def call(*args: object, **kwargs: object) -> object:
            self._fuse.burn()
            answer = found(*args, **kwargs)
            self._fuse.burn()
            return answer

        return call


def _fused_store(store: Store, fuse: Fuse) -> Store:
    return cast("Store", Fused(store, fuse))


def fused(cloud: Cloud, fuse: Fuse) -> Cloud:
    """Let every call of every store of a cloud burn the fuse."""
    return replace(
        cloud,
        staging=_fused_store(cloud.staging, fuse),
        reports=_fused_store(cloud.reports, fuse),
        ledger=Ledger(_fused_store(cloud.ledger._store, fuse), ENVIRONMENT),
        places=lambda feed, commitment: {
            name: cast("Place", Fused(place, fuse)) for name, place in cloud.places(feed, commitment).items()
        },
    )


def obey(declaration: Declaration, order: str) -> str:
    """Do one order in this process and say what came of it."""
    name, day, kill_at, step = order.split()
    feed = choice.feed_of(declaration, name, ENVIRONMENT)
    wiring.log(verbose=False)
    if step in COLLECTORS:
        return _collected(declaration, name, day, int(kill_at), COLLECTORS[step])
    slot = choice.slot_of(declaration, feed, day, now=wiring.now())
    cloud = wiring.cloud(declaration, ENVIRONMENT, twin=True, progress=Silent())
    if step in DECISIONS:
        cloud = replace(cloud, reason=f"a story: {step}")
    try:
        outcome = STEPS[step](feed, slot, fused(cloud, Fuse(int(kill_at) or -1)))
    except LandbridgeError as error:
        return f"{int(error.exit)} {error}"
    match outcome:
        case decisions.Decided(ours=ours, commitment=commitment):
            return f"0 {commitment.verdict} {commitment.revision} {'ours' if ours else 'theirs'}"
        case Released(commitment):
            return f"0 released {commitment.run_id}"
        case Commitment():
            return f"0 {outcome.verdict} {outcome.run_id}"
        case _:
            return "0 staged"


def _collected(declaration: Declaration, feed: str, day: str, kill_at: int, collector: str) -> str:
    """Collect one feed for the business dates from `day`."""
    os.environ["LANDBRIDGE_COLLECTOR"] = collector
    ground = wiring.ground(declaration, ENVIRONMENT, twin=True, progress=Silent())
    root = twin_state.load(twin_state.folder_of(declaration.folder, ENVIRONMENT)).ground.share
    lease = timedelta(0) if collector != COLLECTORS["collect"] else LEASE
    share = FolderShare(root, ENVIRONMENT, collector, ground.clock, lease=lease)
    if kill_at:
        sys.addaudithook(killer(kill_at))
    try:
        with share, closing(ground.remote):
            outcomes = collect(replace(ground, share=share), date.fromisoformat(day), [feed])
    except LandbridgeError as error:
        return f"{int(error.exit)} {error}"
    wrong = [str(outcome.error) for outcome in outcomes if outcome.error]
    return f"1 {wrong}" if wrong else f"0 {' '.join(outcome.state for outcome in outcomes)}"


PAID_ONCE = (
    "boto3",
    "duckdb",
    "obstore.auth.boto3",
    "pyarrow.compute",
    "landbridge.contract.gate",
    "landbridge.sources.python",
    "landbridge.sources.ready",
    "landbridge.stores.carry",
    "landbridge.stores.folder",
    "landbridge.twin.state",
    "landbridge.wiring.cloud_side",
    "landbridge.wiring.ground_side",
)
"""Imported before the first fork. None of them starts a thread by being imported."""


def main() -> None:
    for module in PAID_ONCE:
        importlib.import_module(module)
    declaration = wiring.declaration(Path(sys.argv[1]))
    _say("ready")
    for line in sys.stdin:
        children = [_forked(declaration, order) for order in line.split(";")]
        _say(" || ".join(_ended(*child) for child in children))


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _forked(declaration: Declaration, order: str) -> tuple[int, int]:
    here, there = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(here)
        wiring.RUN_ID = f"run-{os.getpid()}"
        os.write(there, obey(declaration, order).replace("\n", " ").encode())
        os._exit(0)
    os.close(there)
    return pid, here


def _ended(pid: int, pipe: int) -> str:
    with os.fdopen(pipe, "rb") as said:
        text = said.read().decode()
    _, status = os.waitpid(pid, 0)
    return "killed" if os.WIFSIGNALED(status) else text


if __name__ == "__main__":
    main()
