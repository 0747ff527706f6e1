"""A collector that is killed with SIGKILL before the Nth thing it does to share or line, for the crash stories.

Runs as a program of its own: reads one JSON trial a line, forks, collects or lands in the child, and answers with what became
of it. The product is not touched: Python's audit events tell of every open, rename, link, unlink, listing and call
into C, and each is a moment to die.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from landbridge.absent import absent
from landbridge.collect import collect
from landbridge.errors import LandbridgeError
from landbridge.facts import Slot
from landbridge.held import Wanted
from landbridge.land import land
from landbridge.sftp.client import SftpRemote
from landbridge.sftp.endpoint import Endpoint
from landbridge.share.folder import FolderShare
from landbridge.share.holding import HoldingFolder, usual_place
from landbridge.share.platform import Way
from landbridge.twin.keys import Ed25519Key
from landbridge.wiring.clock import SystemClock
from landbridge.world import Ground
from tests.stories.bridgehead import ENVIRONMENT, Quiet

if TYPE_CHECKING:
    from landbridge.released import Outcome

EVENTS = {
    "open",
    "os.rename",
    "os.link",
    "os.remove",
    "os.mkdir",
    "os.listdir",
    "os.scandir",
    "os.truncate",
    "os.utime",
    "ctypes.dlsym",
    "socket.connect",
}


def main() -> None:
    for line in sys.stdin:
        trial = json.loads(line)
        child = os.fork()
        if child == 0:
            os._exit(_collect(trial))
        _, status = os.waitpid(child, 0)
        sys.stdout.write(json.dumps(os.waitstatus_to_exitcode(status)) + "\n")
        sys.stdout.flush()


def _collect(trial: dict[str, Any]) -> int:
    key = Ed25519Key.parse_pem(trial["receipt_key"])
    way, lease = Way(trial["way"]), timedelta(seconds=trial["lease"])
    share = FolderShare(
        Path(trial["root"]), ENVIRONMENT, trial["collector"], SystemClock(), way=way, lease=lease
    )
    endpoint = Endpoint("127.0.0.1", trial["port"], "collector", trial["user_key"], (trial["host_key"],))
    if trial["kill"]:
        sys.addaudithook(killer(trial["kill"]))
    try:
        with SftpRemote(endpoint) as remote, share:
            ground = Ground(
                ENVIRONMENT, remote, share, key.private_pem, (key.public_pem,), SystemClock(), Quiet()
            )
            since = date.fromisoformat(trial["since"])
            outcomes = _landed(ground, trial, since) if trial["land"] else collect(ground, since)
    except LandbridgeError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    for outcome in outcomes:
        if outcome.error is not None:
            sys.stderr.write(f"{outcome.what}: {outcome.state}: {outcome.error}\n")
    return 1 if any(outcome.error for outcome in outcomes) else 0


def _landed(ground: Ground, trial: dict[str, Any], day: date) -> list[Outcome]:
    root = Path(trial["root"])
    holding = HoldingFolder(usual_place(root, ENVIRONMENT), root, SystemClock())
    feeds = tuple(holding.feeds())
    due = datetime(2026, 11, 20, 8, tzinfo=UTC)
    named = tuple(Slot(feed, f"{day}", day, due) for feed in feeds) if trial["land"] == "named" else ()
    return land(ground, holding, Wanted(feeds, day, named), partial(absent, ground))


def killer(last: int) -> Any:
    """Give an audit hook that kills this process before its `last`th thing done to share or line."""
    count = 0

    def hook(event: str, _arguments: object) -> None:
        nonlocal count
        if event in EVENTS:
            count += 1
            if count == last:
                os.kill(os.getpid(), signal.SIGKILL)

    return hook


if __name__ == "__main__":
    main()
