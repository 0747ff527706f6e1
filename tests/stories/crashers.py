"""Who starts the collectors that are killed, and hears how they ended?"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.stories.bridgehead import DAY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landbridge.share.platform import Way
    from tests.servers.sftp import Sftp
    from tests.stories.bridgehead import Bridgehead

_ROOT = Path(__file__).parents[2]


class Crashing:
    """Starts collectors that die at a chosen moment."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def collect(
        self,
        at: Bridgehead,
        server: Sftp,
        way: Way,
        *,
        kill: int,
        collector: str = "edge1",
        lease: float = 120,
        land: str = "",
    ) -> int:
        """Give the exit code of a collection that is killed before its step number `kill`; 0 never.

        `land` makes it a landing: `named`, of the slots of the day of all feeds in holding, or `any`.
        """
        trial: dict[str, Any] = {
            "root": str(at.root),
            "receipt_key": at.receipt_key.private_pem,
            "collector": collector,
            "way": way.value,
            "lease": lease,
            "port": server.port,
            "user_key": server.user_key.private_openssh,
            "host_key": server.host_key.public_openssh,
            "since": f"{DAY}",
            "kill": kill,
            "land": land,
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(trial) + "\n")
        self._process.stdin.flush()
        return int(json.loads(self._process.stdout.readline()))


@contextmanager
def crashers() -> Iterator[Crashing]:
    """Keep the program that starts them."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.stories.crashing"],
        cwd=_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        yield Crashing(process)
        assert process.stdin is not None
        process.stdin.close()
        process.wait(30)
