"""Does a key come to Control-M's agents, born there or in the cloud, without a moment in which one of them is turned away?"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from landbridge.cli.keys.shown import next_step
from landbridge.controlm import ControlM
from landbridge.deploy.keys import adopted, handed, leaving, public, user
from landbridge.deploy.keys.adopted import Offered
from landbridge.deploy.keys.agents import LOOK_BACK, Agents
from landbridge.deploy.keys.log_ins import LogIn
from landbridge.deploy.keys.pair import KeyPair, Kind, fingerprint, same
from landbridge.deploy.keys.public import read_public
from landbridge.errors import TryAgain, Unavailable, UsageError
from tests.fakes.key_stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable

DAY = timedelta(hours=24)
CLOUD = Agents("cloud", "edbh_prd", ("edge1", "edge2"), "ctm")
BORN = Agents("agent", "edbh_prd_2", ("edge1", "edge2"), "ctm")
ADDRESSES = {"edge1": "10.20.30.4", "edge2": "10.20.30.5"}
CONTROLM = "SSH-2.0-JSCH_0.2.17"
ECDSA = Kind.ECDSA


def logged_in(
    stage: Stage, fingerprint: str, *agents: str, client: str = CONTROLM, address: str = ""
) -> None:
    for where in [address] if address else [ADDRESSES[agent] for agent in agents]:
        stage.record.log_ins.append(LogIn(stage.time.now(), fingerprint, where, client))


def offers(*agents: str) -> list[Offered]:
    return [Offered(read_public(KeyPair.generate(ECDSA).public, "x"), agent) for agent in agents]


def in_use() -> Stage:
    """A world whose agents use a key that was born in the cloud."""
    stage = Stage(agents=CLOUD)
    begun = handed.create(stage.world, ECDSA)
    logged_in(stage, begun.version.pair.fingerprint, "edge1", "edge2")
    handed.promote(stage.world, ())
    stage.time.at += timedelta(days=90)
    logged_in(stage, begun.version.pair.fingerprint, "edge1", "edge2")
    return stage


# Who they are


def test_only_agents_that_move_files_themselves_have_a_key_of_their_own() -> None:
    declared = ControlM(server="ctm", agents="mft", key="edbh", key_born="cloud")
    assert Agents.of(declared) == Agents("cloud", "edbh", ("mft",), "ctm")
    assert Agents.of(declared.model_copy(update={"members": ("a", "b")})) == Agents(
        "cloud", "edbh", ("a", "b"), "ctm"
    )
    assert Agents.of(declared.model_copy(update={"style": "agent"})) is None
    assert Agents.of(None) is None


def test_the_name_changes_with_the_key_and_with_nothing_else() -> None:
    one, other = KeyPair.generate(ECDSA).public, KeyPair.generate(ECDSA).public
    first = CLOUD.name_for(one)
    assert re.fullmatch(r"edbh_prd_[0-9a-f]{8}", first)
    assert CLOUD.name_for(f"{one} a comment") == first
    assert CLOUD.name_for(other) != first
    assert replace(CLOUD, key=first).name_for(one) == first, "what is declared in the end is the name itself"
    assert replace(CLOUD, key=first).name_for(other) == CLOUD.name_for(other)
    assert replace(CLOUD, key="k" * 55).name_for(one)
    with pytest.raises(UsageError, match="too long"):
        replace(CLOUD, key="k" * 56).name_for(one)


# Born in the cloud


def test_the_new_key_stays_pending_until_every_agent_has_logged_in_with_it() -> None:
    stage = in_use()
    old = stage.current.fingerprint
    begun = handed.rotate(stage.world, ECDSA)
    new = begun.version.pair.fingerprint
    assert begun.tried
    assert stage.current.fingerprint == old
    assert stage.standings() == {"current": True, "pending": True}
    with pytest.raises(TryAgain, match="not every agent") as caught:
        handed.promote(stage.world, ())
    assert "from nowhere" in caught.value.seen, "our own log-in proves nothing"
    logged_in(stage, new, "edge1", "edge1")
    with pytest.raises(TryAgain) as caught:
        handed.promote(stage.world, ())
    assert "10.20.30.4" in caught.value.seen
    logged_in(stage, new, "edge2")
    done = handed.promote(stage.world, ())
    assert "10.20.30.4, 10.20.30.5" in done.proof
    assert stage.current.fingerprint == new
    assert handed.promote(stage.world, ()).proof == ""


def test_the_first_key_is_pending_too_until_it_is_proven() -> None:
    stage = Stage(agents=CLOUD)
    begun = handed.create(stage.world, ECDSA)
    assert handed.create(stage.world, ECDSA).version == begun.version
    assert stage.standings() == {"pending": True}
    assert handed.to_install(stage.world) == begun.version
    with pytest.raises(TryAgain, match="not finished"):
        leaving.retire(stage.world, timedelta(0))
    logged_in(stage, begun.version.pair.fingerprint, "edge1", "edge2")
    handed.promote(stage.world, ())
    assert stage.standings() == {"current": True}
    assert handed.to_install(stage.world).pair == begun.version.pair, "an agent that came later gets it, too"


def test_where_the_endpoint_admits_the_agents_only_the_agents_try_it() -> None:
    stage = in_use()
    stage.door.reachable = False
    begun = handed.rotate(stage.world, ECDSA)
    assert not begun.tried
    logged_in(stage, begun.version.pair.fingerprint, "edge1", "edge2")
    handed.promote(stage.world, ())
    assert stage.current == begun.version.pair


def test_a_log_in_before_the_key_was_announced_again_is_no_proof() -> None:
    stage = in_use()
    begun = handed.rotate(stage.world, ECDSA)
    logged_in(stage, begun.version.pair.fingerprint, "edge1", "edge2")
    stage.server.keys = [key for key in stage.server.keys if not same(key.public, begun.version.pair.public)]
    with pytest.raises(TryAgain, match="does not know this key"):
        handed.promote(stage.world, ())
    stage.time.at += DAY
    handed.rotate(stage.world, ECDSA)
    with pytest.raises(TryAgain, match="not every agent"):
        handed.promote(stage.world, ())


def test_a_person_vouches_for_every_agent_or_for_none() -> None:
    stage = in_use()
    begun = handed.rotate(stage.world, ECDSA)
    stage.record.missing = "no structured log"
    with pytest.raises(UsageError, match="no structured log"):
        handed.promote(stage.world, ())
    with pytest.raises(UsageError, match="no structured log"):
        handed.promote(stage.world, ["edge1"])
    with pytest.raises(UsageError, match="no such agent: edge9"):
        handed.promote(stage.world, ["edge1", "edge9"])
    assert "by hand on edge1, edge2" in handed.promote(stage.world, ["edge2", "edge1"]).proof
    assert stage.current == begun.version.pair


def test_the_old_key_goes_when_no_agent_used_it_last() -> None:
    stage = in_use()
    old = stage.current
    new = handed.rotate(stage.world, ECDSA).version.pair
    logged_in(stage, new.fingerprint, "edge1", "edge2")
    handed.promote(stage.world, ())
    stage.time.at += DAY
    logged_in(stage, old.fingerprint, "edge2")  # a profile that was not redeployed
    with pytest.raises(TryAgain, match="still in use") as caught:
        leaving.retire(stage.world, DAY)
    assert "10.20.30.5" in caught.value.seen
    assert "10.20.30.4" not in caught.value.seen
    stage.time.at += timedelta(minutes=1)
    logged_in(stage, new.fingerprint, "edge2", client="SSH-2.0-Landbridge")  # ours, on the same host
    with pytest.raises(TryAgain, match="still in use"):
        leaving.retire(stage.world, DAY)
    logged_in(stage, new.fingerprint, "edge2")
    assert leaving.retire(stage.world, DAY) == [old.fingerprint]


def test_a_client_that_logs_in_once_a_month_counts_and_one_that_is_long_gone_does_not() -> None:
    stage = in_use()
    old = stage.current
    logged_in(stage, old.fingerprint, address="10.20.30.99")  # an agent that is no member any more
    new = handed.rotate(stage.world, ECDSA).version.pair
    handed.promote(stage.world, CLOUD.members)
    stage.time.at += LOOK_BACK - timedelta(hours=1)
    logged_in(stage, new.fingerprint, "edge1", "edge2")
    with pytest.raises(TryAgain, match="still in use") as caught:
        leaving.retire(stage.world, DAY)
    assert "10.20.30.99" in caught.value.seen
    stage.time.at += timedelta(hours=2)
    assert leaving.retire(stage.world, DAY) == [old.fingerprint]


def test_an_agent_that_nothing_is_known_of_keeps_the_old_key_valid() -> None:
    stage = in_use()
    old = stage.current
    new = handed.rotate(stage.world, ECDSA).version.pair
    handed.promote(stage.world, CLOUD.members)
    stage.record.log_ins.clear()  # the log group was replaced
    stage.time.at += DAY
    with pytest.raises(TryAgain, match="nothing proves") as caught:
        leaving.retire(stage.world, DAY)
    assert "from nowhere" in caught.value.seen
    logged_in(stage, new.fingerprint, "edge1")
    logged_in(stage, new.fingerprint, "edge2", client="SSH-2.0-Landbridge")  # our own program on its host
    with pytest.raises(TryAgain, match="nothing proves") as caught:
        leaving.retire(stage.world, DAY)
    assert "from 10.20.30.4 " in caught.value.seen
    with pytest.raises(TryAgain, match="nothing proves"):
        leaving.retire(stage.world, DAY, tested=["edge2"])
    assert len(stage.server.keys) == 2
    assert leaving.retire(stage.world, DAY, tested=CLOUD.members) == [old.fingerprint]


def test_a_log_in_with_a_strangers_key_is_none_with_the_current_one() -> None:
    stage = in_use()
    stranger = KeyPair.generate(ECDSA)
    stage.server.announce(stranger.public)
    new = handed.rotate(stage.world, ECDSA).version.pair
    handed.promote(stage.world, CLOUD.members)
    stage.record.log_ins.clear()
    stage.time.at += DAY
    logged_in(stage, new.fingerprint, "edge1")
    logged_in(stage, stranger.fingerprint, address="10.20.30.77")
    with pytest.raises(TryAgain, match="nothing proves"):
        leaving.retire(stage.world, DAY)


def test_who_hands_nothing_over_is_told_so() -> None:
    for agents in (None, BORN):
        with pytest.raises(UsageError, match="hands no key over"):
            handed.promote(Stage(agents=agents).world, ())
    with pytest.raises(UsageError, match="no key yet"):
        handed.promote(Stage(agents=CLOUD).world, ())
    with pytest.raises(UsageError, match="no key yet"):
        handed.to_install(Stage(agents=CLOUD).world)


# Born on an agent


def adopted_before() -> tuple[Stage, list[Offered]]:
    """A world whose agents have used keys of their own for long, and others since the rotation."""
    stage = Stage(agents=replace(BORN, key="edbh_prd_1"))
    old = offers("edge1", "edge2")
    adopted.adopt(stage.world, old)
    stage.time.at += timedelta(days=90)
    for each in old:
        logged_in(stage, each.key.fingerprint, each.agent)
    stage.agents = BORN
    stage.world = replace(stage.world, agents=BORN)
    return stage, old


def test_each_agents_key_is_announced_once_and_known_as_its_own() -> None:
    stage = Stage(agents=BORN)
    offered = offers("edge1", "edge2")
    done = adopted.adopt(stage.world, offered)
    assert [each.was_there for each in done] == [False, False]
    assert [each.was_there for each in adopted.adopt(stage.world, offered)] == [True, True]
    assert [key.public.split()[2] for key in stage.server.keys] == ["edbh_prd_2@edge1", "edbh_prd_2@edge2"]
    rows = user.status(stage.world)
    assert {(row.standing, row.name) for row in rows} == {
        ("agent", "edbh_prd_2@edge1"),
        ("agent", "edbh_prd_2@edge2"),
    }
    assert stage.custody.versions == {}, "nothing of it is ours to keep"


def test_a_key_on_two_agents_has_been_copied() -> None:
    (one,) = offers("edge1")
    with pytest.raises(UsageError, match="handed over twice"):
        adopted.adopt(Stage(agents=BORN).world, [one, replace(one, agent="edge2")])


def test_an_agent_that_is_not_declared_has_no_key_here() -> None:
    stage = Stage(agents=BORN)
    with pytest.raises(UsageError, match="no such agent: edge9"):
        adopted.adopt(stage.world, offers("edge1", "edge9"))
    assert stage.server.keys == []
    with pytest.raises(UsageError, match="no Control-M is declared"):
        adopted.adopt(Stage().world, offers(""))


def test_old_keys_of_agents_go_by_name_once_each_agent_has_used_its_new_one() -> None:
    stage, old = adopted_before()
    new = offers("edge1", "edge2")
    adopted.adopt(stage.world, new)
    assert len(stage.server.keys) == 4
    names = [each.key.fingerprint for each in old]
    with pytest.raises(TryAgain, match="valid for less"):
        leaving.retire(stage.world, DAY, names)
    stage.time.at += DAY
    logged_in(stage, new[0].key.fingerprint, "edge1")
    with pytest.raises(TryAgain, match="still in use") as caught:
        leaving.retire(stage.world, DAY, names)
    assert "10.20.30.5" in caught.value.seen
    logged_in(stage, new[1].key.fingerprint, "edge2")
    assert leaving.retire(stage.world, DAY, names) == names
    assert stage.door.log_ins == [], "nobody but the agent can log in with its key"
    with pytest.raises(UsageError, match="no key would be left"):
        leaving.retire(stage.world, timedelta(0), [each.key.fingerprint for each in new])


def test_an_empty_log_is_no_proof_that_agents_use_their_new_keys() -> None:
    stage, old = adopted_before()
    new = offers("edge1", "edge2")
    adopted.adopt(stage.world, new)
    names = [each.key.fingerprint for each in old]
    stage.time.at += LOOK_BACK + DAY
    with pytest.raises(TryAgain, match="not logged in with its new key") as caught:
        leaving.retire(stage.world, DAY, names)
    assert "edge1, edge2" in caught.value.seen
    logged_in(stage, new[0].key.fingerprint, "edge1")
    logged_in(stage, new[0].key.fingerprint, "edge2", address="10.20.30.6")  # edge1 has two addresses
    with pytest.raises(TryAgain, match="not logged in with its new key") as caught:
        leaving.retire(stage.world, DAY, names)
    assert "edge1" not in caught.value.seen
    with pytest.raises(TryAgain):
        leaving.retire(stage.world, DAY, names, tested=["edge2"])
    assert len(stage.server.keys) == 4, "nobody was turned away"
    assert leaving.retire(stage.world, DAY, names, tested=["edge1", "edge2"]) == names


def test_agents_behind_one_address_are_vouched_for() -> None:
    stage, old = adopted_before()
    new = offers("edge1", "edge2")
    adopted.adopt(stage.world, new)
    names = [each.key.fingerprint for each in old]
    stage.time.at += LOOK_BACK + DAY
    for each in new:
        logged_in(stage, each.key.fingerprint, address="10.20.30.1")
    with pytest.raises(TryAgain, match="nothing proves") as caught:
        leaving.retire(stage.world, DAY, names)
    assert "--tested" in caught.value.hint
    assert leaving.retire(stage.world, DAY, names, tested=BORN.members) == names


@pytest.mark.parametrize("known", [True, False], ids=["its log-in is known", "nothing is logged of it"])
def test_an_agent_without_a_new_key_keeps_its_old_one(known: bool) -> None:
    stage, old = adopted_before()
    (new,) = offers("edge1")
    adopted.adopt(stage.world, [new])
    stage.time.at += LOOK_BACK + DAY
    logged_in(stage, new.key.fingerprint, "edge1")
    logged_in(stage, new.key.fingerprint, address="10.20.30.6")
    if known:
        logged_in(stage, old[1].key.fingerprint, "edge2")
    with pytest.raises(TryAgain, match="still in use" if known else "left without a key") as caught:
        leaving.retire(stage.world, DAY, [each.key.fingerprint for each in old])
    assert ("10.20.30.5" if known else "edge2") in caught.value.seen
    # What is left of edge2 stays when the key of edge1 alone is named.
    first = old[0].key.fingerprint
    logged_in(stage, old[1].key.fingerprint, "edge2")
    assert leaving.retire(stage.world, DAY, [first]) == [first]


def test_the_only_agent_needs_no_name_behind_its_key() -> None:
    stage = Stage(agents=replace(BORN, members=("edge1",)))
    old, new = offers("")[0], offers("")[0]
    adopted.adopt(stage.world, [old])
    adopted.adopt(stage.world, [new])
    stage.time.at += DAY
    logged_in(stage, new.key.fingerprint, "edge1")
    assert leaving.retire(stage.world, DAY, [old.key.fingerprint]) == [old.key.fingerprint]


def test_status_tells_the_next_step_all_the_way() -> None:
    stage, old = adopted_before()

    def told() -> str:
        return next_step(user.status(stage.world), stage.agents)

    assert told().startswith("landbridge keys adopt (a key named edbh_prd_2")
    new = offers("edge1", "edge2")
    adopted.adopt(stage.world, new)
    assert "no log-in is known yet with edbh_prd_2@edge1, edbh_prd_2@edge2" in told()
    logged_in(stage, new[0].key.fingerprint, "edge1")
    assert "no log-in is known yet with edbh_prd_2@edge2" in told()
    logged_in(stage, new[1].key.fingerprint, "edge2")
    assert told() == "landbridge keys retire " + " ".join(f"--also {each.key.fingerprint}" for each in old)
    stage.time.at += DAY
    leaving.retire(stage.world, DAY, [each.key.fingerprint for each in old])
    assert told() == "nothing to do"


def test_status_tells_the_next_step_of_a_hand_over() -> None:
    stage = in_use()

    def told(agents: Agents = CLOUD) -> str:
        stage.world = replace(stage.world, agents=agents)
        return next_step(user.status(stage.world), agents)

    old, new = stage.current, handed.rotate(stage.world, ECDSA).version.pair
    name = CLOUD.name_for(new.public)
    assert told() == f"landbridge keys hand-over; then declare `controlm.key: {name}` and deploy the profile"
    declared = replace(CLOUD, key=name)
    assert told(declared) == "landbridge keys promote (once every agent has logged in with it)"
    handed.promote(stage.world, CLOUD.members)
    assert told(declared).startswith("landbridge keys retire")
    rows = {row.standing: row.name for row in user.status(stage.world)}
    assert rows == {"current": name, "previous": CLOUD.name_for(old.public)}


# Crashes


@dataclass
class Scene:
    """What is begun, and what must hold when it is done, whatever was cut off."""

    stage: Stage
    run: Callable[[], object]
    sound: Callable[[], bool]


def _creating() -> Scene:
    stage = Stage(agents=CLOUD)
    return Scene(
        stage,
        lambda: handed.create(stage.world, ECDSA),
        lambda: len(stage.custody.versions) == len(stage.server.keys) == 1 and stage.door.log_ins != [],
    )


def _rotating() -> Scene:
    stage = in_use()
    old = stage.current
    return Scene(
        stage,
        lambda: handed.rotate(stage.world, ECDSA),
        lambda: stage.current == old and len(stage.server.keys) == len(stage.custody.versions) == 2,
    )


def _promoting() -> Scene:
    stage = in_use()
    new = handed.rotate(stage.world, ECDSA).version.pair
    logged_in(stage, new.fingerprint, "edge1", "edge2")
    return Scene(
        stage,
        lambda: handed.promote(stage.world, ()),
        lambda: stage.current == new and stage.standings() == {"current": True, "previous": True},
    )


def _retiring() -> Scene:
    scene = _promoting()
    scene.run()
    scene.stage.time.at += DAY
    kept = scene.stage.current.public
    return Scene(
        scene.stage,
        lambda: leaving.retire(scene.stage.world, DAY),
        lambda: [key.public for key in scene.stage.server.keys] == [kept],
    )


def _adopting() -> Scene:
    stage, _ = adopted_before()
    new = offers("edge1", "edge2")
    return Scene(
        stage,
        lambda: adopted.adopt(stage.world, new),
        lambda: len(stage.server.keys) == 4 and len({key.public for key in stage.server.keys}) == 4,
    )


def _retiring_agents() -> Scene:
    stage, old = adopted_before()
    new = offers("edge1", "edge2")
    adopted.adopt(stage.world, new)
    stage.time.at += DAY
    for each in new:
        logged_in(stage, each.key.fingerprint, each.agent)

    def run() -> object:
        left = {fingerprint(key.public) for key in stage.server.keys}
        names = [each.key.fingerprint for each in old if each.key.fingerprint in left]
        return leaving.retire(stage.world, DAY, names) if names else []

    return Scene(
        stage,
        run,
        lambda: (
            [fingerprint(key.public) for key in stage.server.keys] == [each.key.fingerprint for each in new]
        ),
    )


@pytest.mark.parametrize("after", [False, True], ids=["before it took effect", "after it took effect"])
@pytest.mark.parametrize(
    "make",
    [_creating, _rotating, _promoting, _retiring, _adopting, _retiring_agents],
    ids=lambda f: f.__name__,
)
def test_a_crash_at_any_call_is_mended_by_the_same_command(make: Callable[[], Scene], after: bool) -> None:
    number = 0
    while True:
        number += 1
        scene = make()
        effects = scene.stage.effects
        valid = {key.public for key in scene.stage.server.keys}
        effects.made, effects.fail, effects.after = 0, number, after
        try:
            scene.run()
        except Unavailable:
            # Whatever happened: who had a valid key before has one now.
            assert not valid or valid & {key.public for key in scene.stage.server.keys}
            effects.fail = 0
            scene.run()
        else:
            break
        effects.fail = 0
        assert scene.sound(), number
    assert number > 3, "no call was cut"


@pytest.mark.parametrize(("there", "fits"), [(48, True), (49, False)])
def test_a_user_has_at_most_as_many_keys_as_aws_takes(there: int, fits: bool) -> None:
    """Refused in the middle, one agent would be left without."""
    stage = Stage(agents=BORN)
    for _ in range(there):
        stage.server.announce(KeyPair.generate(ECDSA).public)
    if fits:
        adopted.adopt(stage.world, offers("edge1", "edge2"))
        assert len(stage.server.keys) == 50
        return
    with pytest.raises(UsageError, match="too many keys"):
        adopted.adopt(stage.world, offers("edge1", "edge2"))
    assert len(stage.server.keys) == there


def test_a_key_longer_than_aws_takes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    line = KeyPair.generate(ECDSA).public
    body = len(line.split()[0]) + 1 + len(line.split()[1])
    monkeypatch.setattr(public, "_LONGEST", body)
    read_public(line, "x")
    monkeypatch.setattr(public, "_LONGEST", body - 1)
    with pytest.raises(UsageError, match="too long for AWS"):
        read_public(line, "x")


def test_nobody_vouches_for_an_agent_that_there_is_not() -> None:
    stage, old = adopted_before()
    adopted.adopt(stage.world, offers("edge1", "edge2"))
    stage.time.at += DAY
    with pytest.raises(UsageError, match="no such agent: edge9"):
        leaving.retire(stage.world, DAY, [each.key.fingerprint for each in old], ["edge1", "edge2", "edge9"])
