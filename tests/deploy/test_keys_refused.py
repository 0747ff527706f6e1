"""What do the key commands refuse, and what do they leave alone, when something is not as they need it?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from landbridge.deploy.keys import adopted, leaving, user
from landbridge.deploy.keys.agents import LOOK_BACK, agent_of
from landbridge.deploy.keys.pair import KeyPair, Kind
from landbridge.deploy.keys.ports import Announced, Held
from landbridge.errors import TryAgain, UsageError
from tests.deploy.test_keys import rotated
from tests.deploy.test_keys_agents import BORN, CLOUD, DAY, adopted_before, in_use, logged_in, offers
from tests.fakes.key_stage import Stage
from tests.fakes.keys import START, MemoryCustody

if TYPE_CHECKING:
    from landbridge.deploy.keys.agents import Agents

ECDSA = Kind.ECDSA
NOW = timedelta(0)


# Bringing in


def test_what_was_never_made_is_not_rotated() -> None:
    stage = Stage()
    with pytest.raises(UsageError, match="holds no key yet"):
        user.rotate(stage.world, ECDSA)
    assert stage.custody.versions == {}
    assert stage.server.keys == []


def test_a_first_key_that_is_pending_alone_is_finished_and_not_made_anew() -> None:
    stage, pair = Stage(), KeyPair.generate(ECDSA)
    stage.custody.versions["one"] = pair
    stage.custody.labels["pending"] = "one"
    assert user.create(stage.world, ECDSA) == pair.public
    assert list(stage.custody.versions) == ["one"]
    assert stage.current == pair


@dataclass
class Blind(MemoryCustody):
    """Does not show yet what it keeps."""

    def look(self) -> Held:
        return Held(None, None, None)


def test_a_new_version_that_is_not_shown_yet_is_waited_for() -> None:
    stage = Stage()
    stage.world = replace(stage.world, custody=Blind())
    with pytest.raises(TryAgain, match="does not show its new version"):
        user.create(stage.world, ECDSA)
    assert stage.server.keys == []


def test_a_key_that_is_refused_at_first_has_some_seconds() -> None:
    stage = Stage()
    stage.door.refusals = 2
    user.create(stage.world, ECDSA)
    assert stage.time.at == START + timedelta(seconds=10)


# What is shown


def test_a_log_that_cannot_be_read_is_told_and_keeps_nothing_from_being_shown() -> None:
    stage = in_use()
    assert [bool(row.seen) for row in user.status(stage.world)] == [True]
    stage.record.missing = "the server writes no log"
    assert [(row.standing, row.seen) for row in user.status(stage.world)] == [("current", None)]
    assert "the server writes no log" in stage.said[-1]


def test_where_no_agent_logs_in_no_log_is_asked_for() -> None:
    """It may not be readable there, and nothing would come of it."""
    stage = Stage()
    user.create(stage.world, ECDSA)
    before = list(stage.said)
    stage.record.missing = "the server writes no log"
    assert [row.seen for row in user.status(stage.world)] == [None]
    assert stage.said == before


def test_keys_of_agents_are_shown_before_those_that_nobody_knows() -> None:
    stage = Stage(agents=BORN)
    stage.server.announce(KeyPair.generate(ECDSA).public)
    adopted.adopt(stage.world, offers("edge1"))
    assert [row.standing for row in user.status(stage.world)] == ["agent", "unknown"]


@pytest.mark.parametrize(
    ("members", "label", "agent"),
    [
        (("edge1",), "", ""),
        (("edge1",), "name", "edge1"),
        (("edge1",), "name@edge2", "edge2"),
        (("edge1", "edge2"), "name", ""),
        (("edge1", "edge2"), "name@edge2", "edge2"),
    ],
)
def test_a_key_is_an_agents_own_only_by_what_was_written_behind_it(
    members: tuple[str, ...], label: str, agent: str
) -> None:
    line = f"{KeyPair.generate(ECDSA).public} {label}".strip()
    assert agent_of(Announced("key-1", line, START), replace(BORN, members=members)) == agent


# Taking away


def test_with_nothing_to_take_away_nothing_is_asked_or_waited_for() -> None:
    stage = Stage()
    user.create(stage.world, ECDSA)
    stage.door.refusals = 99
    assert leaving.retire(stage.world, DAY) == []


def test_while_the_server_does_not_know_the_current_key_nobody_loses_the_old_one() -> None:
    stage = rotated()
    stage.server.announce(KeyPair.generate(ECDSA).public)
    stage.server.keys = [each for each in stage.server.keys if each.public != stage.current.public]
    stage.time.at += DAY
    there = list(stage.server.keys)
    with pytest.raises(UsageError, match="does not know the current key"):
        leaving.retire(stage.world, DAY)
    assert stage.server.keys == there


def test_a_key_that_is_current_again_is_not_taken_away_as_the_one_before() -> None:
    stage = Stage()
    user.create(stage.world, ECDSA)
    stage.custody.versions["again"] = stage.current
    stage.custody.labels["previous"] = "again"
    stage.server.announce(KeyPair.generate(ECDSA).public)
    stage.time.at += DAY
    assert leaving.retire(stage.world, DAY) == []
    assert len(stage.server.keys) == 2


@pytest.mark.parametrize(
    ("agents", "named"), [(BORN, False), (CLOUD, True), (None, True)], ids=["nothing named", "cloud", "none"]
)
def test_where_no_key_is_held_only_an_agents_old_key_goes_and_by_name(
    agents: Agents | None, named: bool
) -> None:
    stage = Stage(agents=agents)
    old, new = KeyPair.generate(ECDSA), KeyPair.generate(ECDSA)
    for each in (old, new):
        stage.server.announce(each.public)
    with pytest.raises(UsageError, match="holds no key yet"):
        leaving.retire(stage.world, NOW, [old.fingerprint] if named else ())
    assert len(stage.server.keys) == 2


def test_a_first_key_whose_last_label_is_missing_is_proven_by_the_log_in_itself() -> None:
    stage, foreign = Stage(), KeyPair.generate(ECDSA)
    stage.server.announce(foreign.public)
    user.create(stage.world, ECDSA)
    stage.custody.labels["pending"] = stage.custody.labels["current"]
    assert leaving.retire(stage.world, NOW, [foreign.fingerprint]) == [foreign.fingerprint]
    assert stage.door.log_ins[-1] == stage.current.public


@pytest.mark.parametrize(("agents", "step"), [(CLOUD, "promote"), (None, "rotate")])
def test_a_rotation_that_is_not_finished_names_the_step_that_finishes_it(
    agents: Agents | None, step: str
) -> None:
    stage = rotated()
    stage.world = replace(stage.world, agents=agents)
    stage.custody.versions["next"] = KeyPair.generate(ECDSA)
    stage.custody.labels["pending"] = "next"
    with pytest.raises(TryAgain, match="not finished") as caught:
        leaving.retire(stage.world, NOW)
    assert f"landbridge keys {step}" in caught.value.hint


def test_a_log_that_cannot_be_read_proves_nothing() -> None:
    stage, old = adopted_before()
    new = offers("edge1", "edge2")
    adopted.adopt(stage.world, new)
    stage.time.at += DAY
    for each in new:
        logged_in(stage, each.key.fingerprint, each.agent)
    stage.record.missing = "the server writes no log"
    with pytest.raises(UsageError, match="writes no log"):
        leaving.retire(stage.world, DAY, [each.key.fingerprint for each in old])
    assert len(stage.server.keys) == 4


def test_a_log_in_with_a_key_of_no_agent_does_not_stand_for_one() -> None:
    """Both agents are behind one address: that a third party came from another one tells them apart no better."""
    stage, old = adopted_before()
    new = offers("edge1", "edge2")
    adopted.adopt(stage.world, new)
    foreign = KeyPair.generate(ECDSA)
    stage.server.announce(f"{foreign.public} name@edge9")
    stage.time.at += DAY
    stage.time.at += LOOK_BACK
    for each in new:
        logged_in(stage, each.key.fingerprint, address="10.20.30.1")
    logged_in(stage, foreign.fingerprint, address="10.20.30.99")
    with pytest.raises(TryAgain, match="nothing proves"):
        leaving.retire(stage.world, DAY, [each.key.fingerprint for each in old])
    assert len(stage.server.keys) == 5


def test_agents_with_keys_of_their_own_are_proven_by_these_also_where_the_collector_has_one() -> None:
    stage, old = adopted_before()
    user.create(stage.world, ECDSA)
    new = offers("edge1", "edge2")
    adopted.adopt(stage.world, new)
    stage.time.at += DAY
    for each in new:
        logged_in(stage, each.key.fingerprint, each.agent)
    names = [each.key.fingerprint for each in old]
    assert leaving.retire(stage.world, DAY, names) == names
