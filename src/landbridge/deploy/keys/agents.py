"""Which Control-M agents log in with the user's key, and what proves that each of them can?"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from landbridge.counted import counted
from landbridge.deploy.keys.log_ins import addresses_of
from landbridge.deploy.keys.pair import blob, fingerprint
from landbridge.errors import NotPermitted, TryAgain, UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from landbridge.controlm import ControlM
    from landbridge.deploy.keys.log_ins import LogIn
    from landbridge.deploy.keys.ports import Announced

_OF_A_KEY = re.compile(r"_[0-9a-f]{8}$")
_LONGEST = 64
"""Characters of a key's name in the declaration."""
LOOK_BACK = timedelta(days=45)
"""How far back a log-in counts: an agent that takes a monthly file logs in once a month."""
_VOUCHED = (
    "where the log cannot tell (agents behind one address, a log that was replaced), vouch for every agent by name: "
    "`--tested AGENT` for each"
)


@dataclass(frozen=True, slots=True)
class Agents:
    """The agents of an environment whose managed file transfer moves the files."""

    born: Literal["agent", "cloud"]
    """Where their key is made."""
    key: str
    """Its name on every agent, as declared: `PrivateKeyName` of the connection profile."""
    members: tuple[str, ...]
    server: str
    """Control-M/Server that they belong to."""

    @classmethod
    def of(cls, declared: ControlM | None) -> Agents | None:
        """Give the agents that are declared; none where no Control-M moves files with a key of its own.

        In the style `agent` it is our collector that logs in, with `sftp.private_key`.
        """
        if declared is None or declared.style != "native":
            return None
        members = declared.members or (declared.agents,)
        return cls(declared.key_born, declared.key, members, declared.server)

    def name_for(self, public: str) -> str:
        """Name the file of a key that is born in the cloud: the declared name, ending in eight hex digits of this key's fingerprint.

        The name changes with the key, so that a profile can be moved from one to the other and back, and tells which key it is.

        Raises:
            UsageError: the declared name is too long for that.
        """
        base = _OF_A_KEY.sub("", self.key)
        name = f"{base}_{hashlib.sha256(blob(public)).hexdigest()[:8]}"
        if len(name) > _LONGEST:
            raise UsageError(
                f"`controlm.key` is too long: {base}",
                expected=f"at most {_LONGEST - 9} characters, for the name ends in `_` and eight of the key's own",
            )
        return name


def label_of(key: Announced) -> str:
    """Give what was written behind a public key: `NAME@AGENT` of an adopted one; empty where nobody wrote or kept anything."""
    return " ".join(key.public.split()[2:])


def agent_of(key: Announced, agents: Agents) -> str:
    """Give the agent whose own key this is, by what `adopt` wrote behind it; empty when nothing tells."""
    name, _, agent = label_of(key).partition("@")
    if name and not agent and len(agents.members) == 1:
        return agents.members[0]
    return agent


def known_agents(agents: Agents, named: Collection[str]) -> None:
    """Look whether every agent that somebody named is declared.

    Raises:
        UsageError: one is not.
    """
    if strangers := sorted(set(named) - set(agents.members)):
        raise UsageError(
            f"no such agent: {', '.join(strangers)}",
            expected=f"one of `controlm.members`: {', '.join(agents.members)}",
        )


def prove(
    agents: Agents, key: Announced, log_ins: list[LogIn] | UsageError | NotPermitted, tested: Collection[str]
) -> str:
    """Say what proves that every agent can log in with one key that all of them have.

    Either the server's log shows log-ins with it from as many addresses as there are agents, or a person vouches for
    every agent by name.

    Raises:
        TryAgain: some have not logged in with it yet.
        UsageError, NotPermitted: there is no log or it may not be read, and nobody vouches.
    """
    known_agents(agents, tested)
    if set(agents.members) <= set(tested):
        return f"tested by hand on {', '.join(agents.members)}"
    if not isinstance(log_ins, list):
        raise log_ins
    seen = addresses_of(log_ins, fingerprint(key.public), key.since)
    if len(seen) >= len(agents.members):
        return f"the server's log shows log-ins with it from {', '.join(seen)}"
    raise TryAgain(
        "not every agent has logged in with the new key",
        expected=f"log-ins from {counted(len(agents.members), 'address', 'addresses')}, one for each of {', '.join(agents.members)}",
        seen=f"log-ins from {', '.join(seen) or 'nowhere'}, as far as the server's log tells (it lags some minutes)",
        hint="test the connection profile on every agent, then run this again; agents behind one address cannot be told "
        "apart: vouch for each with `--tested AGENT`",
    )


def prove_staying(agents: Agents, staying: Sequence[Announced], log_ins: Sequence[LogIn]) -> None:
    """Look whether the server's log shows that every agent can log in with one of the `staying` keys.

    That nothing is logged proves nothing: the log may be younger than the last file, or belong to another server.

    Raises:
        TryAgain: an agent has no key of its own that stays, has not used it, or cannot be told from another one.
    """
    if agents.born == "agent":
        staying = [each for each in staying if agent_of(each, agents) in agents.members]
    seen = {each.id: addresses_of(log_ins, fingerprint(each.public), each.since) for each in staying}
    if agents.born == "agent":
        _each_its_own(agents, staying, seen)
    addresses = sorted({address for each in seen.values() for address in each})
    if len(addresses) < len(agents.members):
        raise TryAgain(
            "nothing proves that every agent can do without the old key",
            expected=f"log-ins with a key that stays from {counted(len(agents.members), 'address', 'addresses')}, one for each of {', '.join(agents.members)}",
            seen=f"log-ins from {', '.join(addresses) or 'nowhere'} since it is valid, as far as the server's log tells "
            f"({LOOK_BACK.days} days at most)",
            hint=f"test the connection profile on every agent, then run this again (the log lags some minutes); {_VOUCHED}",
        )


def _each_its_own(agents: Agents, staying: Sequence[Announced], seen: dict[str, list[str]]) -> None:
    """Look whether every agent has made a key that stays, and has logged in with it."""
    own = {agent_of(each, agents) for each in staying}
    if without := [agent for agent in agents.members if agent not in own]:
        raise TryAgain(
            "an agent would be left without a key",
            expected="a key that stays of every agent, known as its own",
            seen=f"none of {', '.join(without)}",
            hint=f"bring it in first: `landbridge keys adopt AGENT=FILE`; {_VOUCHED}",
        )
    used = {agent_of(each, agents) for each in staying if seen[each.id]}
    if unused := [agent for agent in agents.members if agent not in used]:
        raise TryAgain(
            "an agent has not logged in with its new key",
            expected="a log-in of every agent with a key of its own that stays",
            seen=f"none of {', '.join(unused)}, as far as the server's log tells ({LOOK_BACK.days} days at most)",
            hint=f"test the connection profile on that agent, then run this again (the log lags some minutes); {_VOUCHED}",
        )
