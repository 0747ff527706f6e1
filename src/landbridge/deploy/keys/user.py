"""How does the SFTP user's key come to be, change without a gap, and go?

Private key into the secret (pending), public key to the server, a log-in with it, then current; the old key stays valid
until it is retired. Each function looks at what is there and does what is missing: a crash needs no clean-up.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from landbridge.deploy.keys.pair import KeyPair, fingerprint, same
from landbridge.errors import NotPermitted, TryAgain, Unavailable, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime, timedelta

    from landbridge.deploy.keys.pair import Kind
    from landbridge.deploy.keys.ports import Announced, Custody, Door, Held, Server, Version

_TRIES, _PAUSE = 7, 5.0
"""A key that was just announced may be refused for some seconds."""


class Standing(StrEnum):
    """What a key is to the secret."""

    CURRENT = "current"
    PENDING = "pending"
    PREVIOUS = "previous"
    UNKNOWN = "unknown"
    """Announced to the server, and not in the secret: born on an agent, or left over."""


@dataclass(frozen=True, slots=True)
class Row:
    """One key as secret and server know it."""

    fingerprint: str
    algorithm: str
    standing: Standing
    announced: Announced | None
    """None: the server does not know it, so nobody can log in with it."""


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


def create(world: World, kind: Kind) -> str:
    """Make the first key, or finish making it; the public key's line.

    Raises:
        UsageError: there is a current key already.
    """
    held = world.custody.look()
    if held.current and not held.pending and _found(held.current.pair.public, world.server.announced()):
        raise UsageError(
            f"{world.custody.name} holds a key already, and the server knows it",
            seen=held.current.pair.fingerprint,
            hint="`landbridge keys status` shows it; a new one is made with `landbridge keys rotate`",
        )
    return _bring_in(world, held if held.pending or held.current else _made(world, kind, held))


def rotate(world: World, kind: Kind) -> str:
    """Bring a new key in, or finish bringing it in; the old one stays valid. Gives the public key's line.

    Raises:
        UsageError: there is no key to follow, or the last one is not retired.
    """
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
    return _bring_in(world, held)


def retire(world: World, overlap: timedelta, also: Sequence[str] = ()) -> list[str]:
    """Take away every key that the current one replaced, and those of `also` (fingerprints); gives what was taken away.

    Only after the current key was announced `overlap` ago, and after a log-in with it.

    Raises:
        UsageError: there is no current key, or `also` names one that is not there or is in use.
        TryAgain: the overlap is not over, or a rotation is not finished.
    """
    held = world.custody.look()
    if held.current is None:
        raise UsageError(f"{world.custody.name} holds no key yet", hint="first: landbridge keys create")
    if held.pending and held.pending.id != held.current.id:
        raise TryAgain("a rotation is not finished", hint="finish it first: landbridge keys rotate")
    announced = world.server.announced()
    current = _found(held.current.pair.public, announced)
    if current is None:
        raise UsageError(
            "the server does not know the current key",
            seen=held.current.pair.fingerprint,
            hint="mend that first: landbridge keys create",
        )
    unwanted = _unwanted(held, announced, also)
    if not unwanted:
        return []
    if (left := current.since + overlap - world.now()).total_seconds() > 0:
        raise TryAgain(
            f"the current key is valid for less than {overlap} yet",
            seen=f"announced {current.since:%Y-%m-%d %H:%M} UTC; {left} to go",
            hint="every client must have the new key before the old one goes; `--overlap` shortens the wait",
        )
    _log_in(world, held.current)
    for each in unwanted:
        world.tell(f"taking away {fingerprint(each.public)}")
        world.server.withdraw(each.id)
    return [fingerprint(each.public) for each in unwanted]


def status(world: World) -> list[Row]:
    """Give every key that secret or server know, the secret's first."""
    held, announced = world.custody.look(), world.server.announced()
    rows: list[Row] = []
    seen: set[str] = set()
    for standing, version in (
        (Standing.CURRENT, held.current),
        (Standing.PENDING, held.pending),
        (Standing.PREVIOUS, held.previous),
    ):
        if version and version.id not in seen:
            seen.add(version.id)
            pair = version.pair
            rows.append(Row(pair.fingerprint, pair.algorithm, standing, _found(pair.public, announced)))
    known = {row.announced.id for row in rows if row.announced}
    rows += [
        Row(fingerprint(each.public), each.public.split()[0], Standing.UNKNOWN, each)
        for each in announced
        if each.id not in known
    ]
    return rows


def _made(world: World, kind: Kind, held: Held) -> Held:
    """Keep a new key as pending; gives what is held then, which may be somebody else's new key."""
    world.tell(f"making a key pair ({kind}); the private key goes to {world.custody.name}")
    world.custody.keep_pending(KeyPair.generate(kind), held)
    return world.custody.look()


def _bring_in(world: World, held: Held) -> str:
    new = held.pending or held.current
    if new is None:
        raise TryAgain(f"{world.custody.name} does not show its new version yet", hint="run it again")
    if _found(new.pair.public, world.server.announced()) is None:
        world.tell(f"telling the server {new.pair.fingerprint}")
        world.server.announce(new.pair.public)
    _log_in(world, new)
    if held.pending:
        world.tell("making it the current one")
        world.custody.make_current(held)
    return new.pair.public


def _log_in(world: World, version: Version) -> None:
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
        if (previous and same(each.public, previous) and not same(previous, current))
        or fingerprint(each.public) in also
    ]
