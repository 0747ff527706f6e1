"""When may a key that a client may still use be taken away, and who proves that nobody does?

The current key must have been valid for the overlap, a log-in with it must succeed, and where Control-M's agents log in,
the server's log must show that each of them has used a key that stays, and that no client used the old key last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from landbridge.deploy.keys import user
from landbridge.deploy.keys.agents import known_agents, prove_staying
from landbridge.deploy.keys.log_ins import still_with
from landbridge.deploy.keys.pair import fingerprint, same
from landbridge.errors import TryAgain, UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import timedelta

    from landbridge.deploy.keys.ports import Announced, Held
    from landbridge.deploy.keys.user import World


def retire(
    world: World, overlap: timedelta, also: Sequence[str] = (), tested: Collection[str] = ()
) -> list[str]:
    """Take away every key that the current one replaced, and those of `also` (fingerprints); gives what was taken away.

    `tested` names agents that a person vouches for instead of the server's log; all of them or none.

    Raises:
        UsageError: there is no current key, or `also` names one that is not there or is in use.
        TryAgain: the overlap is not over, a rotation is not finished, somebody still logs in with the old key, or nothing
            proves that every agent can log in with a key that stays.
    """
    held, announced = world.custody.look(), world.server.announced()
    current = _current(world, held, announced, also)
    unwanted = _unwanted(held, announced, also)
    if not unwanted:
        return []
    staying = [each for each in announced if each not in unwanted]
    if not staying:
        raise UsageError(
            "no key would be left: nobody could log in any more",
            expected="a newer key beside it",
            hint="bring one in first: `landbridge keys adopt` for a key that an agent made, else `landbridge keys create`",
        )
    _long_enough(world, current or max(staying, key=lambda each: each.since), overlap)
    _nobody_needs(world, unwanted, [current] if _handed_over(world) and current else staying, tested)
    if held.current:
        user.log_in(world, held.current)
    for each in unwanted:
        world.tell(f"taking away {fingerprint(each.public)}")
        world.server.withdraw(each.id)
    return [fingerprint(each.public) for each in unwanted]


def _current(
    world: World, held: Held, announced: Sequence[Announced], also: Sequence[str]
) -> Announced | None:
    """Give the current key as the server knows it; None where agents have keys of their own and the secret holds none."""
    if held.current is None:
        if also and world.agents and world.agents.born == "agent":
            return None
        raise UsageError(
            f"{world.custody.name} holds no key yet",
            hint="first: landbridge keys create; an agent's old key is named: landbridge keys retire --also SHA256:...",
        )
    if held.pending and (held.pending.id != held.current.id or _handed_over(world)):
        step = "landbridge keys promote" if _handed_over(world) else "landbridge keys rotate"
        raise TryAgain("a rotation is not finished", hint=f"finish it first: {step}")
    found = next((each for each in announced if same(each.public, held.current.pair.public)), None)
    if found is None:
        raise UsageError(
            "the server does not know the current key",
            seen=held.current.pair.fingerprint,
            hint="mend that first: landbridge keys create",
        )
    return found


def _handed_over(world: World) -> bool:
    return world.agents is not None and world.agents.born == "cloud"


def _unwanted(held: Held, announced: Sequence[Announced], also: Sequence[str]) -> list[Announced]:
    current = held.current.pair.public if held.current else ""
    by_fingerprint = {fingerprint(each.public): each for each in announced}
    for named in also:
        if named not in by_fingerprint or same(by_fingerprint[named].public, current):
            raise UsageError(
                f"{named} cannot be taken away",
                expected="the fingerprint of a key that the server knows and that is not the current one",
                hint="see `landbridge keys status`",
            )
    previous = held.previous.pair.public if held.previous else ""
    return [
        each
        for each in announced
        if (same(each.public, previous) and not same(previous, current)) or fingerprint(each.public) in also
    ]


def _long_enough(world: World, newest: Announced, overlap: timedelta) -> None:
    if (left := newest.since + overlap - world.now()).total_seconds() > 0:
        raise TryAgain(
            f"the current key is valid for less than {overlap} yet",
            seen=f"announced {newest.since:%Y-%m-%d %H:%M} UTC; {left} to go",
            hint="every client must have the new key before the old one goes; `--overlap` shortens the wait",
        )


def _nobody_needs(
    world: World, unwanted: Sequence[Announced], staying: Sequence[Announced], tested: Collection[str]
) -> None:
    """Look whether anybody was last let in with a key that is to go, and whether every agent can do without."""
    if world.agents is None:
        return  # our collector reads the secret at each use
    known_agents(world.agents, tested)
    if set(world.agents.members) <= set(tested):
        return
    record = user.log_ins(world)
    if not isinstance(record, list):
        raise record
    if using := still_with(record, {fingerprint(each.public) for each in unwanted}):
        raise TryAgain(
            "the old key is still in use",
            expected="of every client that used it, a later log-in with a key that stays",
            seen="; ".join(
                f"{each.client or 'a client'} at {each.address} logged in with {each.fingerprint} on {each.at:%Y-%m-%d %H:%M} UTC, and with none that stays since"
                for each in using
            ),
            hint="test the connection profile on that agent (the log lags some minutes); an agent that is gone for good is "
            "vouched for with all others: `--tested AGENT` for each",
        )
    prove_staying(world.agents, staying, record)
