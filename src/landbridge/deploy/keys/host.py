"""How does the server's host key come to be ours, change without a client being turned away, and go?

A client knows the server by pinned public keys (`sftp.host_keys`), and the server shows the oldest key of each algorithm.
So a new host key is made and pinned by every client first, while the server still shows the old one; taking the old one
away is what changes the key that clients meet.

Source: AWS Transfer Family User Guide, "Add an additional server host key".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from landbridge.deploy.keys.pair import KeyPair, fingerprint, same
from landbridge.errors import IntegrityBroken, TryAgain, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from landbridge.deploy.keys.pair import Kind
    from landbridge.deploy.keys.ports import HostKey, Server, Version
    from landbridge.deploy.keys.user import World

_TRIES, _PAUSE = 13, 5.0
"""A server takes some seconds until it shows another key."""


@dataclass(frozen=True, slots=True)
class Row:
    """One host key as the secret, the server and the declaration know it."""

    fingerprint: str
    algorithm: str
    shown: bool
    """Whether clients that ask for its algorithm meet it."""
    ours: bool
    """Whether its private half is in the secret, so that a new server could show it again."""
    pinned: bool
    """Whether the declaration's `sftp.host_keys` has it."""
    on_server: bool


def prepare(world: World, kind: Kind) -> str:
    """Make the next host key and keep it in the secret; gives the line to pin. Nothing changes for any client."""
    held = world.custody.look()
    if held.pending is None:
        world.tell(f"making a host key ({kind}); the private key goes to {world.custody.name}")
        world.custody.keep_pending(KeyPair.generate(kind), held)
        held = world.custody.look()
    if held.pending is None:
        raise TryAgain(f"{world.custody.name} does not show its new version yet", hint="run it again")
    return held.pending.pair.public


def switch(world: World, pinned: Sequence[str]) -> list[str]:
    """Let the server show the key that `prepare` made, and take the older ones of its algorithm away; gives those.

    Raises:
        UsageError: nothing is prepared, or the declaration does not pin the new key: clients would be turned away.
        IntegrityBroken: the server shows another key afterwards.
    """
    held = world.custody.look()
    new = held.pending or held.current
    if new is None:
        raise UsageError(
            f"{world.custody.name} holds no host key", hint="first: landbridge keys create --host"
        )
    if not any(same(new.pair.public, line) for line in pinned):
        raise UsageError(
            "the new host key is not pinned yet: every client would be turned away",
            expected=f"this line under `sftp.host_keys`, beside the old one: {new.pair.public}",
            seen=", ".join(fingerprint(line) for line in pinned),
            hint="pin it wherever the old one is pinned, deploy that, and run this again",
        )
    if not _on_server(world.server, new):
        world.tell(f"giving the server {new.pair.fingerprint}")
        world.server.add_host_key(new.pair)
    older = _older(world.server, new)
    for each in older:
        world.tell(f"taking away {each.fingerprint}")
        world.server.remove_host_key(each.id)
    _meet(world, new)
    if held.pending:
        world.custody.make_current(held)
    return [each.fingerprint for each in older]


def status(world: World, pinned: Sequence[str]) -> list[Row]:
    """Give every host key of the server, and what is prepared in the secret."""
    held, keys = world.custody.look(), list(world.server.host_keys())
    ours = {
        version.pair.fingerprint: version.pair
        for version in (held.pending, held.current, held.previous)
        if version
    }
    pins = {fingerprint(line) for line in pinned}
    first: dict[str, str] = {}
    for key in keys:
        first.setdefault(key.algorithm, key.fingerprint)
    rows = [
        Row(
            key.fingerprint,
            key.algorithm,
            shown=first[key.algorithm] == key.fingerprint,
            ours=key.fingerprint in ours,
            pinned=key.fingerprint in pins,
            on_server=True,
        )
        for key in keys
    ]
    known = {key.fingerprint for key in keys}
    rows += [
        Row(name, pair.algorithm, shown=False, ours=True, pinned=name in pins, on_server=False)
        for name, pair in ours.items()
        if name not in known
    ]
    return rows


def lines(world: World) -> list[str]:
    """Give the public host keys to pin: asked of the endpoint, and believed only where AWS names the same fingerprint.

    Raises:
        IntegrityBroken: the endpoint shows a key that the server does not have.
        Unavailable: the endpoint cannot be reached from here.
    """
    keys = world.server.host_keys()
    known = {key.fingerprint for key in keys}
    found = []
    for algorithm in sorted({key.algorithm for key in keys}):
        line = world.door.shown(algorithm)
        if line and fingerprint(line) not in known:
            raise IntegrityBroken(
                "the endpoint shows a host key that the server does not have",
                expected=" or ".join(sorted(known)),
                seen=fingerprint(line),
                hint="something answers in its place: look at the network before you pin anything",
            )
        found += [line] if line else []
    return found


def _on_server(server: Server, new: Version) -> bool:
    return any(key.fingerprint == new.pair.fingerprint for key in server.host_keys())


def _older(server: Server, new: Version) -> list[HostKey]:
    return [
        key
        for key in server.host_keys()
        if key.algorithm == new.pair.algorithm and key.fingerprint != new.pair.fingerprint
    ]


def _meet(world: World, new: Version) -> None:
    world.tell("looking which key the endpoint shows")
    seen = ""
    for left in reversed(range(_TRIES)):
        seen = world.door.shown(new.pair.algorithm)
        if seen and same(seen, new.pair.public):
            return
        if left:
            world.sleep(_PAUSE)
    raise IntegrityBroken(
        "the endpoint does not show the new host key",
        expected=new.pair.fingerprint,
        seen=fingerprint(seen) if seen else "no key of that algorithm",
        hint="run it again in some minutes; the key is in the secret, and clients have it pinned",
    )
