"""How does a key that was born in the cloud come to every Control-M agent without a gap?

Pending in the secret, known to the server, written onto each agent under a new name by a script that carries no secret, named
by the connection profile, tested on each agent: only then current. Both keys are valid all the while.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from landbridge.deploy.keys import user
from landbridge.deploy.keys.agents import prove
from landbridge.errors import TryAgain, Unavailable, UsageError

if TYPE_CHECKING:
    from collections.abc import Collection

    from landbridge.deploy.keys.agents import Agents
    from landbridge.deploy.keys.pair import Kind
    from landbridge.deploy.keys.ports import Held, Version
    from landbridge.deploy.keys.user import World


@dataclass(frozen=True, slots=True)
class Begun:
    """A key that waits for the agents."""

    version: Version
    tried: bool
    """Whether a log-in with it was tried from here; the endpoint may admit the agents and nobody else."""


@dataclass(frozen=True, slots=True)
class Promoted:
    """A key that is the current one."""

    public: str
    proof: str
    """Empty when it was so before."""


def create(world: World, kind: Kind) -> Begun:
    """Make the first key, or go on; see user.create. It becomes current by `promote` alone."""
    return _begin(world, user.first(world, kind))


def rotate(world: World, kind: Kind) -> Begun:
    """Make the next key, or go on; see user.rotate. It becomes current by `promote` alone."""
    return _begin(world, user.following(world, kind))


def to_install(world: World) -> Version:
    """Give the key that belongs on the agents now: the pending one, else the current one (for an agent that came later).

    Raises:
        UsageError: there is none.
        TryAgain: the server does not know it.
    """
    held = world.custody.look()
    version = held.pending or held.current
    if version is None:
        raise UsageError(f"{world.custody.name} holds no key yet", hint="first: landbridge keys create")
    user.announced(world, version)
    return version


def promote(world: World, tested: Collection[str]) -> Promoted:
    """Make the pending key the current one, once it is proven that every agent logs in with it. Again is fine.

    Raises:
        UsageError: there is no key, or `tested` names an agent that is not declared.
        TryAgain: not every agent has logged in with it, or the server does not know it.
    """
    agents = born_in_the_cloud(world)
    held: Held = world.custody.look()
    if held.pending is None:
        if held.current is None:
            raise UsageError(f"{world.custody.name} holds no key yet", hint="first: landbridge keys create")
        return Promoted(held.current.pair.public, "")
    announced = user.announced(world, held.pending)
    proof = prove(agents, announced, user.log_ins(world), tested)
    world.tell(f"making it the current one: {proof}")
    world.custody.make_current(held)
    return Promoted(held.pending.pair.public, proof)


def born_in_the_cloud(world: World) -> Agents:
    """Give the agents that are handed a key.

    Raises:
        UsageError: there are none.
    """
    if world.agents is None or world.agents.born != "cloud":
        raise UsageError(
            "this environment hands no key over to agents",
            expected="`controlm` with `style: native` and `key_born: cloud`",
            hint="keys that Control-M makes on the agents are told to the server with `landbridge keys adopt`",
        )
    return world.agents


def _begin(world: World, held: Held) -> Begun:
    version = held.pending or held.current
    if version is None:
        raise TryAgain(f"{world.custody.name} does not show its new version yet", hint="run it again")
    user.announce(world, version)
    try:
        user.log_in(world, version)
    except Unavailable:
        return Begun(version, tried=False)
    return Begun(version, tried=True)
