"""Is a file delivered once and whole, wherever the collector is killed and however greedy the consumer is?"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from landbridge.facts import Download
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


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("way", "finisher"), [(Way.RENAME, "edge2"), (Way.LINK, "edge1")])
def test_a_kill_at_every_step_loses_nothing_and_repeats_nothing(
    tmp_path: Path,
    crashing: Crashing,
    way: Way,
    finisher: str,
    record_property: Callable[[str, object], None],
) -> None:
    """The same collector comes back, or another one takes over at once (its lease is nought).

    Every other pairing of ways and collectors is simulated, at every call (tests/reliability).
    """
    steps = 0
    keys = Ed25519Key.generate(), Ed25519Key.generate()
    for kill in range(1, _MOST_STEPS):
        at = Bridgehead(tmp_path / f"{kill}")
        released = at.release(some_bytes(40_000, kill), name="REPORT.csv", done="REPORT.done")
        with asyncssh_server(at.server, keys) as server, Consumer(at.root) as consumer:
            ended = crashing.collect(at, server, way, kill=kill)
            if ended == _KILLED:
                assert crashing.collect(at, server, way, kill=0, collector=finisher, lease=0) == 0
            assert crashing.collect(at, server, way, kill=0, collector="edge3", lease=0) == 0
        took = sorted(consumer.took)
        assert took == [("REPORT.csv", released.sha256), ("REPORT.done", _NOTHING)], f"killed at step {kill}"
        (receipt,) = at.proven()
        assert receipt.sha256 == released.sha256, f"killed at step {kill}"
        assert isinstance(receipt.brought, Download), f"killed at step {kill}"
        assert receipt.brought.remote_path == released.remote_path
        if ended != _KILLED:
            assert ended == 0
            break
        steps += 1
    record_property("kills", steps)
    assert 30 < steps < _MOST_STEPS


@pytest.mark.timeout(900)
def test_a_kill_between_the_files_of_a_group_loses_nothing_and_repeats_nothing(
    tmp_path: Path, crashing: Crashing, record_property: Callable[[str, object], None]
) -> None:
    """Three files take each step together: some have their names when it dies, some only their intents."""
    keys = Ed25519Key.generate(), Ed25519Key.generate()
    torn = 0
    for kill in range(1, _MOST_STEPS):
        at = Bridgehead(tmp_path / f"{kill}")
        released = {
            f"{name}.csv": at.release(
                some_bytes(3_000, kill), feed=name, name=f"{name}.csv", done=done
            ).sha256
            for name, done in (("a", "a.done"), ("b", ""), ("c", ""))
        }
        with asyncssh_server(at.server, keys) as server, Consumer(at.root) as consumer:
            ended = crashing.collect(at, server, Way.LINK, kill=kill)
            if ended == _KILLED:
                torn += 0 < len({name for name, _ in consumer.took} & set(released)) < len(released)
                assert crashing.collect(at, server, Way.LINK, kill=0, collector="edge2", lease=0) == 0
            assert crashing.collect(at, server, Way.LINK, kill=0, collector="edge3", lease=0) == 0
        assert sorted(consumer.took) == sorted([*released.items(), ("a.done", _NOTHING)]), f"killed at {kill}"
        assert sorted(one.feed for one in at.proven()) == ["a", "b", "c"], f"killed at step {kill}"
        assert not list((at.root / ".landbridge/dev/parts").iterdir()), f"killed at step {kill}"
        if ended != _KILLED:
            assert ended == 0
            break
    record_property("kills", kill - 1)
    assert torn  # it did die between the renames of one group
