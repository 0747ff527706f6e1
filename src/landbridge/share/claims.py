"""Who may deliver to a slot now? Claim files on the share, for any number of collectors.

A claim is a file whose name tells slot, collector, session and a token that never recurs. Whoever wants one makes it
first and looks for others second: of two who do so at once at least one sees the other, and gives way.
A claim of a dead collector is removed. That is the fence: to land, a claimant must first rename its own claim, and the
server refuses that to whoever woke up after it was removed.

Clocks of hosts are not compared: whether a collector is alive is told by the share's own clock.
"""

from __future__ import annotations

import os
import secrets
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from landbridge.errors import ShareRefused, TryAgain

if TYPE_CHECKING:
    from datetime import timedelta
    from pathlib import Path

_LANDING = "~landing"


@dataclass(frozen=True, slots=True)
class Who:
    """One run of one collector."""

    collector: str
    session: str
    alone: bool
    """True when a lock shows that no other session of this collector runs, so earlier ones are dead."""

    def __str__(self) -> str:
        """Give the name used in file names."""
        return f"{self.collector}~{self.session}"


class Claims:
    """The claims on a share, seen by one session. Safe from several threads."""

    def __init__(self, claims: Path, alive: Path, who: Who, lease: timedelta) -> None:
        self._claims = claims
        self._alive = alive
        self._who = who
        self._lease = lease
        self._held: set[str] = set()
        self._ended = threading.Event()
        self._beat()
        self._heart = threading.Thread(target=self._live, name="alive", daemon=True)
        self._heart.start()

    def take(self, slot: str) -> str:
        """Get the claim on `slot` and give its token; claims of the dead are removed.

        Raises:
            TryAgain: a live one holds it.
            OSError: the share refused.
        """
        token = f"{slot}~{self._who}~{secrets.token_hex(8)}"
        self._held.add(token)
        os.close(os.open(self._claims / token, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o640))
        try:
            while others := self._others(slot, token):
                for other in others:
                    self._remove_dead(other)
        except (OSError, TryAgain):
            self.release(token)
            raise
        return token

    def mark_landing(self, token: str) -> None:
        """Pass the fence: succeeds only while nobody has taken the claim over.

        Raises:
            ShareRefused: somebody has.
            OSError: the share refused.
        """
        try:
            (self._claims / token).rename(self._claims / (token + _LANDING))
        except FileNotFoundError:
            raise ShareRefused(
                f"the claim on {token.split('~', maxsplit=1)[0]} was taken over by another collector",
                seen=f"this one did nothing for more than {self._lease.total_seconds():.0f} s",
                hint="nothing to do: the other one delivers it",
            ) from None

    def release(self, token: str) -> None:
        """Give the claim back, if it is still ours."""
        self._held.discard(token)
        for name in (token, token + _LANDING):
            (self._claims / name).unlink(missing_ok=True)

    def close(self) -> None:
        """Stop being alive. Idempotent."""
        self._ended.set()
        self._heart.join()
        (self._alive / str(self._who)).unlink(missing_ok=True)

    def _others(self, slot: str, token: str) -> list[str]:
        own = {token, token + _LANDING}
        names = (entry.name for entry in self._claims.iterdir())
        return [name for name in names if name.startswith(f"{slot}~") and name not in own]

    def _remove_dead(self, claim: str) -> None:
        if self._is_alive(claim):
            slot, collector, *_ = claim.split("~")
            raise TryAgain(
                f"{slot} is being delivered by the collector {collector}",
                hint="nothing to do: it will land it, or a later run will",
            )
        (self._claims / claim).unlink(missing_ok=True)

    def _is_alive(self, claim: str) -> bool:
        _, collector, session, *_ = claim.split("~")
        if (collector, session) == (self._who.collector, self._who.session):
            # By another thread of this session; or given back while the share was away, and only the file is left.
            return claim.removesuffix(_LANDING) in self._held
        if collector == self._who.collector and self._who.alone:
            return False
        try:
            seen = (self._alive / f"{collector}~{session}").stat().st_mtime
        except FileNotFoundError:
            return False
        return self._beat() - seen < self._lease.total_seconds()

    def _beat(self) -> float:
        """Show that this session lives, and give the share's time."""
        path = self._alive / str(self._who)
        path.touch()
        return path.stat().st_mtime

    def _live(self) -> None:
        while not self._ended.wait(self._lease.total_seconds() / 6):
            try:
                self._beat()
            except OSError:
                continue  # the share is away: whoever lands hears of it; the claim may be lost by then
