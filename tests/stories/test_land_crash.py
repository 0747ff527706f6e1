"""Is a file that a mover brought delivered once and whole, wherever the landing is killed and however greedy the consumer is?"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from landbridge.facts import Download, Taken
from landbridge.share.platform import Way
from landbridge.twin.keys import Ed25519Key
from tests.servers.sftp import asyncssh_server
from tests.stories.bridgehead import Bridgehead, Consumer, some_bytes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.stories.crashers import Crashing

pytestmark = pytest.mark.story
_KILLED = -9
_MOST_STEPS = 400
_NOTHING = hashlib.sha256(b"").hexdigest()


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("way", "finisher", "by"),
    [
        (Way.LINK, "edge1", "named"),
        (Way.RENAME, "edge2", ""),  # a collection takes over what a landing began
    ],
)
def test_a_kill_at_every_step_loses_nothing_repeats_nothing_and_leaves_nothing(
    tmp_path: Path,
    crashing: Crashing,
    way: Way,
    finisher: str,
    by: str,
    record_property: Callable[[str, object], None],
) -> None:
    steps, ways = 0, set[type]()
    keys = Ed25519Key.generate(), Ed25519Key.generate()
    for kill in range(1, _MOST_STEPS):
        at = Bridgehead(tmp_path / f"{kill}")
        released = at.release(some_bytes(40_000, kill), name="REPORT.csv", done="REPORT.done")
        at.moved(released)
        with asyncssh_server(at.server, keys) as server, Consumer(at.root) as consumer:
            ended = crashing.collect(at, server, way, kill=kill, land=by or "any")
            if ended == _KILLED:
                assert crashing.collect(at, server, way, kill=0, collector=finisher, lease=0, land=by) == 0
            assert crashing.collect(at, server, way, kill=0, collector="edge3", lease=0, land="any") == 0
        took = sorted(consumer.took)
        assert took == [("REPORT.csv", released.sha256), ("REPORT.done", _NOTHING)], f"killed at step {kill}"
        (receipt,) = at.proven()
        assert receipt.sha256 == released.sha256, f"killed at step {kill}"
        assert isinstance(receipt.brought, Taken if by else Taken | Download), f"killed at step {kill}"
        ways.add(type(receipt.brought))
        assert at.holding.names("flights") == [], f"killed at step {kill}"
        assert not list((at.root / ".landbridge/dev/parts").iterdir()), f"killed at step {kill}"
        if ended != _KILLED:
            assert ended == 0
            break
        steps += 1
    record_property("kills", steps)
    assert 30 < steps < _MOST_STEPS
    assert ways == ({Taken} if by else {Taken, Download})
