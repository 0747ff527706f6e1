"""How does managed file transfer wait for files and move them? One run of a file-transfer job, entry by entry.

What was moved before a failure is not moved again where the job says so, and a file that broke off goes on at the byte
where it did.
"""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, assert_never

from landbridge.errors import LandbridgeError
from landbridge.twin.controlm.variables import resolved

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from landbridge.twin.agenda import Agenda
    from landbridge.twin.controlm.agents import Agents
    from landbridge.twin.controlm.definitions import Mft, Transfer
    from landbridge.twin.controlm.server import Server
    from landbridge.twin.controlm.sftp import Remote, Seen

_TOP = "/"


@dataclass(slots=True)
class Progress:
    """How far the runs of one ordered job have come, for a run that goes on from the point of failure."""

    entry: int = 0
    parts: dict[str, Seen] = field(default_factory=dict)
    """By temporary file: of which source file it holds the beginning."""


@dataclass(frozen=True, slots=True)
class Failed:
    """An entry that did not come to its end."""

    why: str
    passing: bool
    """Another try may do better."""


@dataclass(slots=True)
class Moving:
    """One run."""

    mft: Mft
    remote: Remote
    verify_bytes: bool
    agents: Agents
    server: Server
    agenda: Agenda
    values: Mapping[str, str]
    """Of the job's variables."""
    progress: Progress
    over: Callable[[bool, str], None]
    """Called once, at the end: whether all went well, and the output."""
    _began: datetime = field(init=False)
    _tries: int = field(default=0, init=False)
    _said: list[str] = field(default_factory=list, init=False)
    _failed: bool = field(default=False, init=False)

    def start(self) -> None:
        """Begin with the first entry, or with the one that failed."""
        if not self.mft.from_point_of_failure:
            self.progress.entry = 0
        self._next()

    def _next(self) -> None:
        self._tries = 0
        self._began = self.agenda.now
        if self.progress.entry == len(self.mft.transfers):
            if self._failed:
                self.progress.entry = 0
            self.over(not self._failed, "\n".join(self._said))
            return
        self._look()

    @property
    def _entry(self) -> Transfer:
        return self.mft.transfers[self.progress.entry]

    def _look(self) -> None:
        source = resolved(self._entry.source, self.values)
        self.agenda.do(lambda: _found(self.remote, source, wildcard=self._entry.wildcard), self._looked)

    def _looked(self, found: list[Seen] | Failed) -> None:
        watch = self._entry.watch
        match found:
            case Failed():
                self._again(found, self._look)
            case list() if watch is not None:
                self._watched([seen for seen in found if seen.size >= watch.least_size])
            case []:
                self._give_up(f"no file {resolved(self._entry.source, self.values)}")
            case list():
                self._move(found)
            case _:
                assert_never(found)

    def _watched(self, enough: list[Seen]) -> None:
        if enough:
            self._say(f"found {enough[0].path} ({enough[0].size} bytes)")
            self._move(enough[:1])  # a watcher is about one file: the first that fits
        else:
            self._wait()

    def _wait(self) -> None:
        limit = self._limit()
        if limit is not None and self.agenda.now >= limit:
            self._give_up(f"time limit: no file {resolved(self._entry.source, self.values)}")
            return
        later = self.agenda.now + self.server.look_every
        self.agenda.at(min(later, limit) if limit else later, self._look)

    def _limit(self) -> datetime | None:
        watch = self._entry.watch
        if watch is None or (watch.limit is None and watch.until is None):
            return None
        if watch.limit is not None:
            return self._began + watch.limit
        # The agent's own clock, and its own day: managed file transfer knows no order date and no zone of a job.
        today = self._began.astimezone(self.server.zone).date()
        at = datetime.strptime(watch.until or "", "%H%M").time()  # noqa: DTZ007 - combined with the agent's zone
        return datetime.combine(today, at, self.server.zone)

    def _move(self, files: list[Seen]) -> None:
        if not self._entry.move:
            self._done()
            return
        self.agenda.do(lambda: self._moved(files), lambda failed: self._after(failed, files))

    def _after(self, failed: Failed | None, files: list[Seen]) -> None:
        if failed is None:
            self._done()
        else:
            self._again(failed, lambda: self._move(files))

    def _again(self, failed: Failed, what: Callable[[], None]) -> None:
        if failed.passing and self._tries < self.mft.retries:
            self._tries += 1
            self._say(f"{failed.why}; try {self._tries} of {self.mft.retries} follows")
            self.agenda.after(self.server.retry_after, what)
        else:
            self._give_up(failed.why)

    def _give_up(self, why: str) -> None:
        self._say(why)
        if self._entry.delete_on_failure:
            for part in list(self.progress.parts):
                self.agents.path(part).unlink(missing_ok=True)
            self.progress.parts.clear()
        if self._entry.go_on:
            self._failed = True
            self._done()
        else:
            self.over(False, "\n".join(self._said))  # noqa: FBT003 - the callback's own word

    def _done(self) -> None:
        self.progress.entry += 1
        self._next()

    def _say(self, text: str) -> None:
        self._said.append(f"{self.agenda.now:%Y-%m-%d %H:%M:%S} {text}")

    def _moved(self, files: list[Seen]) -> Failed | None:
        """Move files, in order; from any thread."""
        for seen in files:
            try:
                if failed := self._one(seen):
                    return failed
            except LandbridgeError as error:
                return Failed(f"{seen.path}: {error.what} {error.seen}".rstrip(), passing=error.retry)
            except OSError as error:
                return Failed(f"{seen.path}: {error}", passing=False)
        return None

    def _one(self, seen: Seen) -> Failed | None:
        place = resolved(self._entry.destination, self.values)
        folder, _, name = place.replace("\\", "/").rpartition("/")
        part_name = f"{folder}/{self._entry.prefix}{name or seen.name}"
        part, final = self.agents.path(part_name), self.agents.path(f"{folder}/{name or seen.name}")
        offset = 0
        if self.mft.from_point_of_failure and self.progress.parts.get(part_name) == seen and part.exists():
            offset = part.stat().st_size
        self.progress.parts[part_name] = seen
        _append(part, offset, self.remote, seen)
        size = part.stat().st_size
        if self.verify_bytes and size != seen.size:
            return Failed(f"{seen.path}: {size} bytes arrived of {seen.size}", passing=True)
        part.replace(final)
        del self.progress.parts[part_name]
        how = f" from byte {offset}" if offset else ""
        self._say(f"moved {seen.path} to {place}{'' if name else seen.name} ({size} bytes{how})")
        return None


def _append(part: Path, offset: int, remote: Remote, seen: Seen) -> None:
    with part.open("ab" if offset else "wb") as file:
        for block in remote.read(seen.path, offset):
            file.write(block)


def _found(remote: Remote, source: str, *, wildcard: bool) -> list[Seen] | Failed:
    """Give what a source path stands for: the files that match, or the one file; by name."""
    folder, _, pattern = source.rpartition("/")
    try:
        there = remote.listing(folder or _TOP)
    except LandbridgeError as error:
        return Failed(f"{source}: {error.what} {error.seen}".rstrip(), passing=error.retry)
    if wildcard:
        return [seen for seen in there if fnmatch.fnmatchcase(seen.name, pattern)]
    return [seen for seen in there if seen.name == pattern]
