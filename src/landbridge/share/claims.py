"""Who may deliver to a slot now? Claim files on the share, for any number of collectors.

A claim is a file whose name tells slot, collector, session and a token that never recurs. Whoever wants one makes it
first and looks for others second: of two who do so at once at least one sees the other, and gives way.
A claim of a dead collector is removed. That is the fence: to land, a claimant must first rename its own claim, and the
server refuses that to whoever woke up after it was removed.

Where files get their names by links, the fence goes further. A renamed part is gone from its place, so that whoever takes it
away first knows that nobody else will; a link leaves the part where it was, and what the consumer deletes leaves no more of
it than another change time. There a claim is a folder, and its claimant reaches its files by a path that leads through it
(`through`): once the claim is removed, every link that it might still make fails. So whoever took over looks at a part that
nobody can link any more. See docs/decisions/0044.

Clocks of hosts are not compared: whether a collector is alive is told by the share's own clock.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain
from typing import TYPE_CHECKING

from landbridge.disk import is_there, remove, touch
from landbridge.errors import ShareRefused, TryAgain
from landbridge.share.platform import Way

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

    from landbridge.disk import Stat
    from landbridge.share.machine import Machine

_LANDING = "~landing"
_GONE = "gone-"
"""How a claim is called that was taken away and is not empty; it is of no slot."""
_ROUNDS = 3
"""Two who begin at the same moment both give way; after a pause of chance one of them is first."""
_PAUSE = 0.05
_TICK = timedelta(milliseconds=2)
_LONGEST_TICK = timedelta(seconds=2)
"""Instants that some file systems cannot tell apart: 4 ms on ext4, a second or two on old servers."""


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

    def __init__(
        self, machine: Machine, claims: Path, alive: Path, who: Who, lease: timedelta, way: Way
    ) -> None:
        self._machine = machine
        self._disk = machine.disk
        self._claims = claims
        self._alive = alive
        self._who = who
        self._sign = alive / str(who)
        """Of our life, which has the share's time."""
        self._lease = lease
        self._way = way
        self._held: dict[str, tuple[str, ...]] = {}
        """What each claim's file may be called."""
        self._beat()
        if who.alone:
            self._sweep()
        self._end = machine.heart(self._live, lease.total_seconds() / 6)

    def take(self, slots: Iterable[str]) -> dict[str, str | TryAgain]:
        """Get the claims on `slots` and give each one's token, or who holds it; claims of the dead are removed.

        All are made first and others looked for second, so that one look serves them all.

        Raises:
            OSError: the share refused; none is held.
        """
        answers: dict[str, str | TryAgain] = {}
        wanted = list(dict.fromkeys(slots))
        try:
            for number in range(_ROUNDS):
                if number:
                    self._machine.pause(self._machine.chance() * _PAUSE * number)
                busy = self._held_by_others(wanted, ())
                answers |= busy
                made = [slot for slot in wanted if slot not in busy]
                for slot in made:
                    answers[slot] = self._make(slot)
                contested = self._held_by_others(made, _tokens(answers))
                self.release(_tokens({slot: answers[slot] for slot in contested}))
                answers |= contested
                wanted = list(contested)
                if not wanted:
                    break
        except OSError:
            self.release(_tokens(answers))
            raise
        return answers

    def mark_landing(self, token: str) -> None:
        """Pass the fence: succeeds only while nobody has taken the claim over.

        Raises:
            ShareRefused: somebody has.
            OSError: the share refused.
        """
        self._held[token] = token, token + _LANDING
        try:
            self._disk.rename(self._claims / token, self._claims / (token + _LANDING))
        except FileNotFoundError:
            raise self._taken_over(token) from None
        self._held[token] = (token + _LANDING,)

    def through(self, token: str, path: Path) -> Path:
        """Give the path by which a claimant reaches a file of ours that is to be linked: it is good as long as the claim is."""
        if self._way is not Way.LINK:
            return path
        claim = self._claims / self._held[token][-1]
        return claim / os.path.relpath(path, claim)

    def now(self) -> float:
        """Give the share's own time, in seconds."""
        return self._beat().st_mtime

    def pass_by(self, instant: int) -> None:
        """Return when the share's clock (ns) is past `instant`, so that a change from now on has another time.

        A clock that has stood still for two seconds is not waited for any longer.
        """
        for _ in range(_LONGEST_TICK // _TICK):
            if self._beat().st_mtime_ns > instant:
                return
            self._machine.pause(_TICK.total_seconds())

    def still_ours(self, token: str) -> None:
        """See that nobody has taken the claim over by now: whatever was seen before is of claimants from before it.

        Raises:
            ShareRefused: somebody has.
            OSError: the share refused.
        """
        if not any(is_there(self._disk, self._claims / name) for name in self._held.get(token, ())):
            raise self._taken_over(token)

    def _taken_over(self, token: str) -> ShareRefused:
        return ShareRefused(
            f"the claim on {token.split('~', maxsplit=1)[0]} was taken over by another collector",
            seen=f"this one did nothing for more than {self._lease.total_seconds():.0f} s",
            hint="nothing to do: the other one delivers it",
        )

    def release(self, tokens: Collection[str]) -> None:
        """Give claims back, those that are still ours. A file that cannot be removed is dead from now on."""
        for name in chain.from_iterable(self._held.pop(token, ()) for token in tokens):
            with suppress(OSError):
                self._take_away(name)

    def close(self) -> None:
        """Stop being alive. Idempotent."""
        self._end()
        with suppress(
            OSError
        ):  # the share is away: a sign of life that stays is dead when the lease has passed
            remove(self._disk, self._sign)

    def _make(self, slot: str) -> str:
        token = f"{slot}~{self._who}~{self._machine.token()}"
        self._held[token] = (token,)
        try:
            self._put(self._claims / token)
        except OSError:
            del self._held[token]
            raise
        return token

    def _put(self, claim: Path) -> None:
        """Let there be a folder of this name where names are given by links, else a file: a further name of our sign of life, where that can be.

        Thousands of claims are made and given back in a minute, and a file of its own for each costs more than its name:
        ext4 looks at every one that was removed in the last minutes before it makes the next one (`recently_deleted` in
        its fs/ext4/ialloc.c), be it a claim or a part.
        """
        if self._way is Way.LINK:
            # It may be there: asked twice, since an answer was lost. Nobody else has this name.
            with suppress(FileExistsError):
                self._disk.mkdir(claim)
            return
        try:
            self._disk.link(self._sign, claim)
        except OSError:  # no links here, or too many (1,024 on NTFS), or the sign of life was swept away
            flags = os.O_CREAT | os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0)
            self._disk.close(self._disk.open(claim, flags, 0o640))

    def _held_by_others(self, slots: Collection[str], own: Collection[str]) -> dict[str, TryAgain]:
        """Tell which of `slots` a live one claims by a token that is not in `own`; claims of the dead are removed.

        Looks again until no dead one is left: the dead may wake up and rename their claim meanwhile.
        """
        slots, own = set(slots), set(own)
        while slots:
            held, dead, alive = {}, [], {}
            for name in self._disk.listdir(self._claims):
                claim = name.removesuffix(_LANDING)
                slot, _, claimant = claim.partition("~")
                if slot not in slots or claim in own:
                    continue
                who = claimant.rpartition("~")[0]
                key = claim if who == str(self._who) else who
                if key not in alive:
                    alive[key] = self._is_alive(claim)
                if alive[key]:
                    held[slot] = _held(slot, who)
                else:
                    dead.append(name)
            if not dead:
                return held
            for name in dead:
                self._take_away(name)
        return {}

    def _sweep(self) -> None:
        """Remove what earlier sessions of this collector left when they were killed; nobody may ask for those slots again."""
        for name in self._disk.listdir(self._claims):
            if self._is_of_earlier(name.split("~")[1:3]):
                self._take_away(name)
        for name in self._disk.listdir(self._alive):
            if self._is_of_earlier(name.split("~")[:2]):
                remove(self._disk, self._alive / name)

    def _is_of_earlier(self, named: list[str]) -> bool:
        return named[:1] == [self._who.collector] and named[1:] != [self._who.session]

    def _take_away(self, name: str) -> None:
        """Remove a claim, which is a folder where its claimant's mount gives names by links."""
        claim = self._claims / name
        with suppress(FileNotFoundError):
            try:
                self._disk.unlink(claim)
            except (IsADirectoryError, PermissionError) as refused:
                # EPERM is what POSIX says of a folder, and macOS; and of a file that may not be removed.
                self._take_folder_away(claim, refused)

    def _take_folder_away(self, claim: Path, refused: OSError) -> None:
        try:
            self._disk.rmdir(claim)
        except NotADirectoryError:
            raise refused from None
        except OSError as error:
            if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
                raise
            # Something has put a file of its own into it (`@eaDir`, `.DS_Store`): no path leads through another name.
            self._disk.rename(claim, self._claims / (_GONE + self._machine.token()))

    def _is_alive(self, claim: str) -> bool:
        _, collector, session, *_ = claim.split("~")
        if (collector, session) == (self._who.collector, self._who.session):
            # By another thread of this session; or given back while the share was away, and only the file is left.
            return claim in self._held
        try:
            seen = self._disk.lstat(self._alive / f"{collector}~{session}").st_mtime
        except FileNotFoundError:
            return False
        return self.now() - seen < self._lease.total_seconds()

    def _beat(self) -> Stat:
        """Show that this session lives, and give its sign, which has the share's time."""
        touch(self._disk, self._sign)
        return self._disk.lstat(self._sign)

    def _live(self) -> None:
        with suppress(OSError):  # the share is away: whoever lands hears of it; the claim may be lost by then
            self._beat()


def _tokens(answers: Mapping[str, str | TryAgain]) -> list[str]:
    return [answer for answer in answers.values() if isinstance(answer, str)]


def _held(slot: str, who: str) -> TryAgain:
    return TryAgain(
        f"{slot} is being delivered by the collector {who.partition('~')[0]}",
        hint="nothing to do: it will land it, or a later run will",
    )
