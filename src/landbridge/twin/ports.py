"""Which free ports of loopback may a server take?"""

from __future__ import annotations

import random
import socket
from dataclasses import dataclass

LOOPBACK = "127.0.0.1"
_LOWEST, _HIGHEST = 10_240, 22_000
_GRPC = 10_000
"""SeaweedFS opens a gRPC port this far above each HTTP port. Both stay below 32768, where Linux begins to hand
out ports to outgoing connections: a port there could be taken between our look and the server's bind."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of one SeaweedFS server; the first four have a gRPC twin 10,000 above."""

    master: int
    volume: int
    filer: int
    s3: int
    sftp: int


def free_ports() -> Ports:
    """Pick ports on which nobody listens now, at random, so that servers started at the same time rarely meet."""
    return Ports(*free(5))


def free(count: int) -> list[int]:
    """Pick `count` ports on which nobody listens now, nor on their gRPC twins.

    Raises:
        RuntimeError: so many are taken that none was found.
    """
    candidates = random.SystemRandom().sample(range(_LOWEST, _HIGHEST), 400)
    found: list[int] = []
    for port in candidates:
        if is_free(port) and is_free(port + _GRPC):
            found.append(port)
        if len(found) == count:
            return found
    raise RuntimeError(f"no {count} free ports between {_LOWEST} and {_HIGHEST}")


def all_free(ports: Ports) -> bool:
    """Tell whether nobody listens on any port that a server with `ports` would open."""
    own = (ports.master, ports.volume, ports.filer, ports.s3)
    return all(is_free(port) for port in (*own, *(port + _GRPC for port in own), ports.sftp))


def is_free(port: int) -> bool:
    """Tell whether `port` of loopback can be bound now."""
    with socket.socket() as probe:
        # As Go's listeners do: a connection of a server before us that lingers does not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
