"""How does a key that was born on a Control-M agent come to be known to the server?

Its private half never leaves the agent, so nothing is kept in Secrets Manager: the server's list of public keys is all the
state there is. Each agent of a host group has a key of its own, under one name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from landbridge.deploy.keys.agents import known_agents
from landbridge.deploy.keys.pair import same
from landbridge.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from landbridge.deploy.keys.public import PublicKey
    from landbridge.deploy.keys.user import World

_MOST = 50
"""Public keys of one user. Source: AWS Transfer Family endpoints and quotas, "SSH keys per user"."""


@dataclass(frozen=True, slots=True)
class Offered:
    """A public key that somebody brings, and of which agent it is said to be."""

    key: PublicKey
    agent: str
    """Empty when nobody said."""


@dataclass(frozen=True, slots=True)
class Adopted:
    """A public key that the server knows now."""

    fingerprint: str
    strength: str
    agent: str
    was_there: bool
    """Whether the server knew it before."""


def adopt(world: World, offered: Sequence[Offered]) -> list[Adopted]:
    """Tell the server public keys of agents; the ones that are valid stay so. Again is fine.

    Raises:
        UsageError: no Control-M is declared, an agent is not, or two agents would share one private key.
    """
    if world.agents is None:
        raise UsageError(
            "no Control-M is declared that logs in with a key of its own",
            expected="`controlm` with `style: native` in the environment",
            hint="our own collector's key is made with `landbridge keys create`",
        )
    known_agents(world.agents, {each.agent for each in offered if each.agent})
    _apart(offered)
    there = list(world.server.announced())
    new = [each for each in offered if not any(same(each.key.line, key.public) for key in there)]
    if len(there) + len(new) > _MOST:
        raise UsageError(
            "a Transfer Family user has too many keys",
            expected=f"at most {_MOST}",
            seen=f"{len(there)}, and {len(new)} more",
            hint="take old ones away: landbridge keys retire --also SHA256:...",
        )
    for each in new:
        world.tell(f"telling the server {each.key.fingerprint}")
        label = f"{world.agents.key}@{each.agent}" if each.agent else world.agents.key
        world.server.announce(f"{each.key.line} {label}")
    return [
        Adopted(each.key.fingerprint, each.key.strength, each.agent, was_there=each not in new)
        for each in offered
    ]


def _apart(offered: Sequence[Offered]) -> None:
    by_line: dict[str, str] = {}
    for each in offered:
        if each.key.line in by_line:
            raise UsageError(
                "the same public key was handed over twice",
                expected="another key of every agent: a private key that is on two agents has been copied",
                seen=f"{each.key.fingerprint} for {' and '.join((by_line[each.key.line] or 'one', each.agent or 'one'))}",
                hint="let Control-M generate a pair on each agent; a key for all agents is `key_born: cloud`",
            )
        by_line[each.key.line] = each.agent
