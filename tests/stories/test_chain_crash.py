"""Does one file come from its source to the consumer, once and whole, whoever is killed on the way and whenever?"""

from __future__ import annotations

import hashlib
import itertools
from typing import TYPE_CHECKING

import pytest

from landbridge.facts import Verdict
from landbridge.survey import receipt_of
from landbridge.twin import state
from tests.stories.bridgehead import Consumer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from landbridge.facts import Commitment
    from tests.stories.conftest import Stage

pytestmark = [pytest.mark.story, pytest.mark.timeout(600)]

_DAYS = (f"2024-{month:02d}-{day:02d}" for month in range(1, 13) for day in range(1, 29))
_MOST_STEPS = 300
_FEWEST_KILLS = {"collect": 40, "run": 16}
_FINISHERS = ("collect", "take-over")
"""Take turns: the collector itself goes on, or another one does when the lease is over."""


@pytest.fixture
def days(stage: Stage) -> Iterator[str]:
    """Give business dates that no story has used; what other stories released later is out of the way."""
    for feed in ("good", "sealed"):
        stage.order(f"{feed} 2024-01-01 0 take-over")
    root = state.load(state.folder_of(stage.folder, "DEV")).ground.share
    with Consumer(root):
        pass
    return _DAYS


def delivered_once(stage: Stage, feed: str, day: str, took: list[tuple[str, str]]) -> Commitment:
    """Hold what the consumer took against the ledger, and the receipt against both."""
    (commitment,) = stage.commitments(feed, day)
    assert commitment.verdict is Verdict.RELEASE
    assert took == [(commitment.target.landed_name, commitment.delivered.sha256)]
    versions = stage.evidence.reports.versions(commitment.target.key)
    assert [(one.size, one.sha256 or commitment.delivered.sha256) for one in versions] == [
        (commitment.delivered.size, commitment.delivered.sha256)
    ]
    body = b"".join(stage.evidence.reports.chunks(versions[0].at))
    assert hashlib.sha256(body).hexdigest() == commitment.delivered.sha256
    receipt = receipt_of(commitment, stage.evidence)
    assert receipt is not None
    assert (receipt.sha256, receipt.size) == (commitment.delivered.sha256, commitment.delivered.size)
    return commitment


def test_a_collector_killed_at_every_step_on_the_twin_delivers_once(
    stage: Stage, days: Iterator[str], record_property: Callable[[str, object], None]
) -> None:
    """Generated, released, and taken over the real SFTP server; the consumer takes each file the moment it is there."""
    root = state.load(state.folder_of(stage.folder, "DEV")).ground.share
    killed = 0
    for kill_at in range(1, _MOST_STEPS):
        day, finisher = next(days), _FINISHERS[kill_at % 2]
        assert stage.order(f"good {day} 0 all")[0].startswith("0 released")
        with Consumer(root) as consumer:
            (said,) = stage.order(f"good {day} {kill_at} collect")
            (then,) = stage.order(f"good {day} 0 {finisher}")
            (last,) = stage.order(f"good {day} 0 take-over")
        assert then.startswith("0"), f"killed at step {kill_at}: {then}"
        assert last == "0", f"killed at step {kill_at}: somebody else finds something left to do: {last}"
        delivered_once(stage, "good", day, consumer.took)
        if said != "killed":
            assert said == "0 delivered"
            break
        killed += 1
    record_property("kills", killed)
    assert _FEWEST_KILLS["collect"] <= killed < _MOST_STEPS


@pytest.mark.parametrize("feed", ["good", "sealed"])
def test_a_run_killed_at_every_call_and_the_collector_after_it_deliver_once(
    stage: Stage, days: Iterator[str], feed: str, record_property: Callable[[str, object], None]
) -> None:
    """A collection between the murder and the next run sees whole files or none, and the one after it delivers."""
    root = state.load(state.folder_of(stage.folder, "DEV")).ground.share
    for kill_at in itertools.count(1):
        day = next(days)
        with Consumer(root) as consumer:
            (said,) = stage.order(f"{feed} {day} {kill_at} all")
            between, again, last = (
                stage.order(order)[0]
                for order in (f"{feed} {day} 0 collect", f"{feed} {day} 0 all", f"{feed} {day} 0 collect")
            )
        assert between in {"0", "0 delivered"}, f"killed at call {kill_at}"
        assert again.startswith("0 released"), f"killed at call {kill_at}"
        assert last == ("0" if between == "0 delivered" else "0 delivered"), f"killed at call {kill_at}"
        delivered_once(stage, feed, day, consumer.took)
        if said != "killed":
            break
    record_property("kills", kill_at - 1)
    assert kill_at > _FEWEST_KILLS["run"]
