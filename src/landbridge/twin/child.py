"""How is a child process started so that it never outlives us, recognised later, and stopped?"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from landbridge.twin.files import append_private

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG, prctl(2)
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
"""Loaded before any fork: a child between fork and exec must not take locks."""
_PASSED_ON = ("PATH", "TMPDIR", "LANG", "TZ", "SYSTEMROOT")


@dataclass(frozen=True, slots=True)
class Identity:
    """One process, told apart from a later one that the system gave the same number."""

    pid: int
    started: str
    """When it started, in the system's own words (clock ticks since boot on Linux); empty where we cannot tell."""


def start(
    command: Sequence[str | Path], *, cwd: Path, log: Path, environment: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    """Start `command`, its output appended to `log`.

    It gets SIGKILL when the thread that calls this ends, be it by `kill -9` (Linux: PR_SET_PDEATHSIG); call it from a
    thread that lives as long as the child should. Elsewhere the state file of a twin still names it for `down`.
    It is in a process group of its own, so that Ctrl-C on the terminal reaches us, and we stop it in order.
    """
    parent = os.getpid()

    def die_with_parent() -> None:
        if _LIBC is not None:
            _LIBC.prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)
            if os.getppid() != parent:  # it died before prctl
                os._exit(1)

    with append_private(log) as output:
        return subprocess.Popen(
            command,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment,
            process_group=0,
            umask=0o077,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - it only makes two system calls
        )


def bare_environment() -> dict[str, str]:
    """Give what any program needs and nothing else: no credential of ours reaches a server."""
    return {name: os.environ[name] for name in _PASSED_ON if name in os.environ}


def stop(process: subprocess.Popen[bytes], *, patience: float) -> bool:
    """Ask `process` to end, wait up to `patience` seconds (0: do not ask), then kill it; tell whether it ended by itself.

    The process is gone and reaped when this returns. Idempotent.
    """
    if process.poll() is None and patience > 0:
        process.terminate()
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            pass
        else:
            return True
    killed = process.poll() is None
    process.kill()
    process.wait()
    return not killed


def identity(pid: int) -> Identity:
    """Take the identity of a running process."""
    return Identity(pid, _started(pid))


def is_running(who: Identity) -> bool:
    """Tell whether this very process still runs (a zombie does not)."""
    if sys.platform == "linux":
        return bool(who.started) and _started(who.pid) == who.started
    try:
        os.kill(who.pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def memory(who: Identity) -> int:
    """Give the resident bytes of a running process; 0 where the system does not tell (all but Linux)."""
    try:
        pages = Path(f"/proc/{who.pid}/statm").read_text(encoding="utf-8").split()[1]
    except OSError:
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE") if is_running(who) else 0


def stop_other(who: Identity, *, patience: float) -> bool:
    """Ask a process that is not our child to end, wait up to `patience` seconds (0: do not ask), then kill it; tell whether it was running.

    Only this very process is ever signalled, never a later one with its number.
    """
    if not is_running(who):
        return False
    gently = [(signal.SIGTERM, patience)] if patience > 0 else []
    for request, wait in (*gently, (signal.SIGKILL, 5.0)):
        try:
            os.kill(who.pid, request)
        except ProcessLookupError:
            return True
        until = time.monotonic() + wait
        while time.monotonic() < until:
            if not is_running(who):
                return True
            time.sleep(0.05)
    return True


def _started(pid: int) -> str:
    """Give field 22 of /proc/PID/stat (start time in clock ticks since boot); empty when it does not run."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    state, *fields = stat.rpartition(")")[2].split()
    return "" if state in {"Z", "X"} else fields[18]
