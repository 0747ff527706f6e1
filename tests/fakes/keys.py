"""Secrets Manager, Transfer Family and the endpoint without any of them: what one commands, the others notice."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from landbridge.deploy.keys.log_ins import LogIn
from landbridge.deploy.keys.pair import KeyPair, fingerprint, same
from landbridge.deploy.keys.ports import Announced, Held, HostKey, Version
from landbridge.errors import NotPermitted, TryAgain, Unavailable, UsageError
from landbridge.sftp.endpoint import CLIENT

if TYPE_CHECKING:
    from collections.abc import Callable

START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


@dataclass
class Effects:
    """Counts every call that leaves this machine, and fails the one it is told to: before it takes effect, or after."""

    fail: int = 0
    after: bool = False
    made: int = 0

    def call(self, act: Callable[[], None]) -> None:
        self.made += 1
        if self.made == self.fail and not self.after:
            raise Unavailable("the line was cut")
        act()
        if self.made == self.fail:
            raise Unavailable("the line was cut, and nobody knows what happened")


@dataclass
class MemoryCustody:
    """Obeys ports.Custody as Secrets Manager does: the first version gets both labels."""

    effects: Effects = field(default_factory=Effects)
    name: str = "landbridge/acme/dev/sftp/acme-collector"
    versions: dict[str, KeyPair] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)

    def look(self) -> Held:
        self.effects.call(lambda: None)

        def of(label: str) -> Version | None:
            found = self.labels.get(label)
            return Version(found, self.versions[found]) if found else None

        return Held(of("pending"), of("current"), of("previous"))

    def keep_pending(self, pair: KeyPair, held: Held) -> None:
        version = f"after {held.current.id if held.current else 'none'}"

        def act() -> None:
            if version in self.versions:
                return
            self.versions[version] = pair
            self.labels["pending"] = version
            self.labels.setdefault("current", version)

        self.effects.call(act)

    def make_current(self, held: Held) -> None:
        if held.pending is None:
            return
        pending = held.pending.id
        if held.current is None or held.current.id != pending:
            expected = held.current.id if held.current else ""

            def move() -> None:
                if self.labels.get("current", "") != expected:
                    raise TryAgain("somebody else")
                self.labels["previous"] = expected
                self.labels["current"] = pending

            self.effects.call(move)
        self.effects.call(lambda: self.labels.__setitem__("pending", ""))


@dataclass
class MemoryServer:
    """Obeys ports.Server."""

    effects: Effects = field(default_factory=Effects)
    now: Callable[[], datetime] = lambda: START
    keys: list[Announced] = field(default_factory=list)
    hosts: list[tuple[HostKey, str]] = field(default_factory=list)
    """With the public line."""
    numbers: itertools.count[int] = field(default_factory=itertools.count)

    def announced(self) -> list[Announced]:
        self.effects.call(lambda: None)
        return list(self.keys)

    def announce(self, public: str) -> None:
        def act() -> None:
            if not any(same(key.public, public) for key in self.keys):
                self.keys.append(Announced(f"key-{next(self.numbers)}", public, self.now()))

        self.effects.call(act)

    def withdraw(self, id: str) -> None:  # noqa: A002 - the port's word
        self.effects.call(lambda: self.keys.__setitem__(slice(None), [k for k in self.keys if k.id != id]))

    def host_keys(self) -> list[HostKey]:
        self.effects.call(lambda: None)
        return [key for key, _ in self.hosts]

    def add_host_key(self, pair: KeyPair) -> None:
        def act() -> None:
            if not any(key.fingerprint == pair.fingerprint for key, _ in self.hosts):
                key = HostKey(f"hostkey-{next(self.numbers)}", pair.fingerprint, pair.algorithm, self.now())
                self.hosts.append((key, pair.public))

        self.effects.call(act)

    def remove_host_key(self, id: str) -> None:  # noqa: A002 - the port's word
        self.effects.call(
            lambda: self.hosts.__setitem__(slice(None), [pair for pair in self.hosts if pair[0].id != id])
        )


@dataclass
class MemoryRecord:
    """Obeys log_ins.LogIns."""

    effects: Effects = field(default_factory=Effects)
    log_ins: list[LogIn] = field(default_factory=list)
    missing: str = ""
    """Why there is no record."""

    def since(self, first: datetime) -> list[LogIn]:
        self.effects.call(lambda: None)
        if self.missing:
            raise UsageError(self.missing)
        return [each for each in self.log_ins if each.at >= first]


@dataclass
class MemoryDoor:
    """Obeys ports.Door; opens to what the server knows, and writes into its record as the server would."""

    server: MemoryServer
    record: MemoryRecord = field(default_factory=MemoryRecord)
    reachable: bool = True
    refusals: int = 0
    """Log-ins that are refused first: an announcement takes its time."""
    log_ins: list[str] = field(default_factory=list)
    """Public keys that got in."""

    def log_in(self, private_key: str) -> None:
        if not self.reachable:
            raise Unavailable("no route", seen="timed out")
        public = KeyPair.parse(private_key, "the test").public
        if self.refusals or not any(same(key.public, public) for key in self.server.keys):
            self.refusals = max(0, self.refusals - 1)
            raise NotPermitted("refused")
        self.log_ins.append(public)
        name = f"SSH-2.0-{CLIENT}"
        self.record.log_ins.append(LogIn(self.server.now(), fingerprint(public), "10.9.9.9", name))

    def shown(self, algorithm: str) -> str:
        if not self.reachable:
            raise Unavailable("no route")
        return next((line for key, line in self.server.hosts if key.algorithm == algorithm), "")


@dataclass
class Time:
    """A clock that the test sets."""

    at: datetime = START

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
