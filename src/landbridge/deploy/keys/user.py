"""How does the SFTP user's key come to be, change without a gap, and go?

Private key into the secret (pending), public key to the server, a log-in with it, then current; the old key stays valid
until it is retired (see leaving.py). Each function looks at what is there and does what is missing: a crash needs no clean-up.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from landbridge.deploy.keys.agents import LOOK_BACK, label_of
from landbridge.deploy.keys.log_ins import latest
from landbridge.deploy.keys.pair import KeyPair, fingerprint, same
from landbridge.errors import NotPermitted, TryAgain, Unavailable, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from landbridge.deploy.keys.agents import Agents
    from landbridge.deploy.keys.log_ins import LogIn, LogIns
    from landbridge.deploy.keys.pair import Kind
    from landbridge.deploy.keys.ports import Announced, Custody, Door, Held, Server, Version

_TRIES, _PAUSE = 7, 5.0
"""A key that was just announced may be refused for some seconds."""


class Standing(StrEnum):
    """What a key is to the secret."""

    CURRENT = "current"
    PENDING = "pending"
    PREVIOUS = "previous"
    AGENT = "agent"
    """Announced to the server by `landbridge keys adopt`; its private half is on an agent."""
    UNKNOWN = "unknown"
    """Announced to the server, and not in the secret: somebody else's, or left over."""


@dataclass(frozen=True, slots=True)
class Row:
    """One key as secret and server know it."""

    fingerprint: str
    algorithm: str
    standing: Standing
    announced: Announced | None
    """None: the server does not know it, so nobody can log in with it."""
    name: str
    """Of its file on the agents, `NAME@AGENT` where only one has it; empty when no agent has it, or nobody kept it."""
    seen: LogIn | None
    """The last log-in with it, ours left out, as far as the server's log tells."""


@dataclass(frozen=True, slots=True)
class World:
    """What the commands stand on."""

    custody: Custody
    server: Server
    door: Door
    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    tell: Callable[[str], None]
    """Hears what is being done, in words."""
    agents: Agents | None
    """The Control-M agents that log in as this user; none where only our collector does."""
    record: LogIns
    """Who was let in."""


def create(world: World, kind: Kind) -> str:
    """Make the first key, or finish making it; the public key's line.

    Raises:
        UsageError: there is a current key already.
    """
    return _bring_in(world, first(world, kind))


def rotate(world: World, kind: Kind) -> str:
    """Bring a new key in, or finish bringing it in; the old one stays valid. Gives the public key's line.

    Raises:
        UsageError: there is no key to follow, or the last one is not retired.
    """
    return _bring_in(world, following(world, kind))


def first(world: World, kind: Kind) -> Held:
    """Keep the first key as pending, unless one is on its way; gives what is held then. Raises as `create`."""
    held = world.custody.look()
    if held.current and not held.pending and _found(held.current.pair.public, world.server.announced()):
        raise UsageError(
            f"{world.custody.name} holds a key already, and the server knows it",
            seen=held.current.pair.fingerprint,
            hint="`landbridge keys status` shows it; a new one is made with `landbridge keys rotate`",
        )
    return held if held.pending or held.current else _made(world, kind, held)


def following(world: World, kind: Kind) -> Held:
    """Keep the next key as pending, unless one is on its way; gives what is held then. Raises as `rotate`."""
    held = world.custody.look()
    if held.current is None:
        raise UsageError(f"{world.custody.name} holds no key yet", hint="first: landbridge keys create")
    if held.pending is None:
        if held.previous and _found(held.previous.pair.public, world.server.announced()):
            raise UsageError(
                "the key before the current one is still valid",
                seen=held.previous.pair.fingerprint,
                hint="take it away first: landbridge keys retire",
            )
        held = _made(world, kind, held)
    return held


def status(world: World) -> list[Row]:
    """Give every key that secret or server know, the secret's first."""
    held, announced = world.custody.look(), world.server.announced()
    record = log_ins(world) if world.agents else []
    if not isinstance(record, list):
        world.tell(f"no log-in is known: {record}")
    last = latest(record) if isinstance(record, list) else {}
    rows: list[Row] = []
    seen: set[str] = set()
    for standing, version in (
        # The very first version is pending and current at once; while it is pending it is not proven.
        (Standing.PENDING, held.pending),
        (Standing.CURRENT, held.current),
        (Standing.PREVIOUS, held.previous),
    ):
        if version and version.id not in seen:
            seen.add(version.id)
            pair, known = version.pair, _found(version.pair.public, announced)
            name = world.agents.name_for(pair.public) if world.agents and world.agents.born == "cloud" else ""
            rows.append(
                Row(pair.fingerprint, pair.algorithm, standing, known, name, last.get(pair.fingerprint))
            )
    ours = {row.announced.id for row in rows if row.announced}
    rows += [
        Row(shown, each.public.split()[0], _of_others(each), each, label_of(each), last.get(shown))
        for each in announced
        if each.id not in ours
        for shown in [fingerprint(each.public)]
    ]
    return sorted(rows, key=lambda row: list(Standing).index(row.standing))


def _of_others(key: Announced) -> Standing:
    return Standing.AGENT if label_of(key) else Standing.UNKNOWN


def _made(world: World, kind: Kind, held: Held) -> Held:
    """Keep a new key as pending; gives what is held then, which may be somebody else's new key."""
    world.tell(f"making a key pair ({kind}); the private key goes to {world.custody.name}")
    world.custody.keep_pending(KeyPair.generate(kind), held)
    return world.custody.look()


def _bring_in(world: World, held: Held) -> str:
    new = held.pending or held.current
    if new is None:
        raise TryAgain(f"{world.custody.name} does not show its new version yet", hint="run it again")
    announce(world, new)
    log_in(world, new)
    if held.pending:
        world.tell("making it the current one")
        world.custody.make_current(held)
    return new.pair.public


def announce(world: World, version: Version) -> None:
    """Tell the server the public half, unless it knows it."""
    if _found(version.pair.public, world.server.announced()) is None:
        world.tell(f"telling the server {version.pair.fingerprint}")
        world.server.announce(version.pair.public)


def announced(world: World, version: Version) -> Announced:
    """Give the public half as the server knows it.

    Raises:
        TryAgain: it does not.
    """
    found = _found(version.pair.public, world.server.announced())
    if found is None:
        raise TryAgain(
            "the server does not know this key yet",
            seen=version.pair.fingerprint,
            hint="tell it: `landbridge keys create` for the first key, else `landbridge keys rotate`",
        )
    return found


def log_ins(world: World) -> list[LogIn] | UsageError | NotPermitted:
    """Give who was let in lately, or why nothing tells."""
    try:
        return list(world.record.since(world.now() - LOOK_BACK))
    except (UsageError, NotPermitted) as error:
        return error


def log_in(world: World, version: Version) -> None:
    """Log in with a key, and give it some seconds to be known.

    Raises:
        NotPermitted: it is refused.
        Unavailable: the endpoint cannot be reached from here.
    """
    world.tell(f"logging in with {version.pair.fingerprint}")
    for left in reversed(range(_TRIES)):
        try:
            return world.door.log_in(version.pair.private)
        except NotPermitted:
            if not left:
                raise
            world.sleep(_PAUSE)
        except Unavailable as error:
            raise Unavailable(
                "the new key could not be tried: the SFTP endpoint cannot be reached from here",
                seen=error.seen or error.what,
                hint="the old key is still valid, and nothing is lost: run the same command on a host that the "
                "endpoint admits (the collector's), or again when the line is up",
            ) from error
    raise AssertionError  # the last try returns or raises


def _found(public: str, announced: Sequence[Announced]) -> Announced | None:
    return next((each for each in announced if same(each.public, public)), None)
