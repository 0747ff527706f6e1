"""How is a twin brought up in the background, brought down, and looked at?"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from landbridge.deploy.needs import needs
from landbridge.errors import NotPermitted, TryAgain, Unavailable, UsageError
from landbridge.twin import child, lock, state
from landbridge.twin.files import append_private
from landbridge.twin.health import Check, checks
from landbridge.twin.keeper import Errand

if TYPE_CHECKING:
    from pathlib import Path

    from landbridge.ports import Progress
    from landbridge.project import Declaration
    from landbridge.twin.state import TwinState

_outliving: list[subprocess.Popen[bytes]] = []
"""Keepers that were left to themselves: Python complains about a process that is forgotten while it runs."""

_PATIENCE = 20.0
"""Seconds a keeper gets to stop what it owns; it needs less than one."""


@dataclass(frozen=True, slots=True)
class Up:
    """A twin that is up."""

    state: TwinState
    already: bool
    """It was up before; nothing was done."""


def up(
    declaration: Declaration,
    environment: str,
    *,
    schedule: bool,
    progress: Progress,
    controlm: bool = False,
) -> Up:
    """Bring the twin of `environment` up in the background, with its data of the last time.

    With `controlm` it executes what is emitted for Kubernetes and Control-M; it must have been emitted before.

    What an earlier twin left half-alive is stopped first. Ctrl-C, and any error, stops what was started.

    Raises:
        TryAgain: another `up` is under way.
        Unavailable, NotPermitted: a part did not come up; nothing is left running.
    """
    folder = state.make_folder(declaration.folder, environment)
    known = state.recorded(folder)
    if known and known.is_up():
        return Up(known, already=True)
    clear_remains(folder)
    errand = Errand(needs(declaration, environment), folder, declaration.folder.resolve(), schedule, controlm)
    with append_private(folder / "keeper.log") as log:
        keeper = subprocess.Popen(
            [sys.executable, "-m", "landbridge.twin.keeper"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=folder,
            env=os.environ.copy(),  # the scheduler's runs resolve `env:` references
            start_new_session=True,
            umask=0o077,
        )
    with ExitStack() as on_failure:
        on_failure.callback(child.stop, keeper, patience=_PATIENCE)
        _tell(keeper, TypeAdapter(Errand).dump_json(errand))
        _follow(keeper, progress, folder)
        on_failure.pop_all()
    _outliving.append(keeper)
    return Up(state.load(folder), already=False)


def clear_remains(folder: Path) -> None:
    """Stop what is left of a twin of which a part died; leave one alone that is whole."""
    known = state.recorded(folder)
    if known and not known.is_up():
        down(folder)


def _tell(keeper: subprocess.Popen[bytes], errand: bytes) -> None:
    if keeper.stdin is None:
        raise AssertionError(keeper.args)
    with suppress(BrokenPipeError), keeper.stdin as pipe:  # it died at once: `_follow` says so
        pipe.write(errand)


def _follow(keeper: subprocess.Popen[bytes], progress: Progress, folder: Path) -> None:
    """Pass on what the keeper tells until it is ready."""
    if keeper.stdout is None:
        raise AssertionError(keeper.args)
    with keeper.stdout as lines:
        for line in lines:
            match json.loads(line):
                case {"start": str(step)}:
                    progress.start(step, 1, "")
                case {"finish": str(step)}:
                    progress.finish(step)
                case {"ready": True}:
                    return
                case {
                    "error": {"exit": code, "what": what, "expected": expected, "seen": seen, "hint": hint}
                }:
                    kind = next(kind for kind in (TryAgain, NotPermitted, Unavailable) if kind.exit == code)
                    raise kind(what, expected=expected, seen=seen, hint=hint)
                case other:
                    raise AssertionError(other)
    raise Unavailable(
        "the twin ended before it was ready",
        seen=f"exit code {keeper.wait()}",
        hint=f"see {folder / 'keeper.log'}",
    )


def down(folder: Path, *, wipe: bool = False) -> tuple[str, ...]:
    """Stop every process of the twin in `folder`, also one that is still coming up; `wipe` removes its data, too.

    Only processes that are certainly ours (by number and start time) get a signal. Gives the names of what was
    running; an empty tuple when nothing was. Idempotent.

    Raises:
        UsageError: the twin belongs to the calling process.
    """
    known = state.recorded(folder)
    keeper = (known.keeper if known else None) or lock.owner(folder)
    if keeper and keeper.pid == os.getpid():
        raise UsageError("this process runs the twin itself", hint="leave the `with` that started it")
    parts = [("keeper", keeper)] if keeper else []
    parts += [(service.name, service.process) for service in known.services] if known else []
    running = tuple(name for name, who in parts if child.is_running(who))
    for name, who in parts:
        child.stop_other(who, patience=_PATIENCE if name == "keeper" else 0)
    state.forget(folder)
    if wipe and folder.exists():
        shutil.rmtree(folder)
    return running


@dataclass(frozen=True, slots=True)
class Part:
    """One process of a twin."""

    name: str
    pid: int
    running: bool
    memory: int
    """Resident bytes; 0 where the system does not tell."""
    log: str


@dataclass(frozen=True, slots=True)
class JobSeen:
    """A job of the emitted artefacts, as its scheduler has it."""

    job: str
    order_date: str
    """Of a job of Control-M; empty for one of the cluster."""
    state: str
    late: bool
    runs: int
    exit: int | None


@dataclass(frozen=True, slots=True)
class Status:
    """What there is of a twin."""

    state: TwinState | None
    up: bool
    parts: tuple[Part, ...]
    checks: tuple[Check, ...]
    data: int
    """Bytes on disk."""
    free: int
    """Bytes left on that disk."""
    jobs: tuple[JobSeen, ...] = ()
    """Of emitted artefacts that are executed."""
    told: str = ""
    """File with the mails and alerts of the twin's Control-M."""

    @property
    def healthy(self) -> bool:
        """Tell whether everything runs and answers."""
        return self.up and all(check.passed for check in self.checks)


def status(folder: Path) -> Status:
    """Look at the twin in `folder`: its processes, whether they answer, and its disk."""
    known = state.recorded(folder)
    data = _size(folder)
    free = shutil.disk_usage(_existing(folder)).free
    if known is None:
        return Status(None, up=False, parts=(), checks=(), data=data, free=free)
    parts = [("keeper (token issuer)", known.keeper, folder / "keeper.log")]
    parts += [(service.name, service.process, service.log) for service in known.services]
    is_up = known.is_up()
    return Status(
        known,
        up=is_up,
        parts=tuple(
            Part(name, who.pid, child.is_running(who), child.memory(who), str(log))
            for name, who, log in parts
        ),
        checks=checks(known) if is_up else (),
        data=data,
        free=free,
        jobs=_jobs(folder) if is_up else (),
        told=str(folder / "emitted" / "told.jsonl") if (folder / "emitted" / "told.jsonl").exists() else "",
    )


def _jobs(folder: Path) -> tuple[JobSeen, ...]:
    """Read what the process that executes emitted artefacts last wrote down."""
    try:
        body = (folder / "emitted" / "jobs.json").read_bytes()
    except FileNotFoundError:
        return ()
    return TypeAdapter(tuple[JobSeen, ...]).validate_json(body)


def _size(folder: Path) -> int:
    """Sum what the files below `folder` take on disk; sparse ones count what they hold."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.lstat().st_blocks * 512
        except FileNotFoundError:
            continue
    return total


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())
