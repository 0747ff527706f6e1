"""Where does a test get an SFTP server from? asyncssh's in this process, or OpenSSH's where it is installed."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import asyncssh

from landbridge.sftp.endpoint import Endpoint
from landbridge.twin.keys import Ed25519Key
from landbridge.twin.ports import free
from tests.servers.loops import end_all

if TYPE_CHECKING:
    from collections.abc import Iterator

LOOPBACK = "127.0.0.1"
_UNPACKED = Path(__file__).parents[2] / ".venv" / "openssh"
"""Where `make tools` puts an OpenSSH that is not installed."""
SSHD = shutil.which(
    "sshd", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", f"{_UNPACKED}/usr/sbin"])
)


@dataclass(frozen=True)
class Sftp:
    """A running server, whose user sees `folder` as `home`."""

    folder: Path
    home: str
    port: int
    user: str
    user_key: Ed25519Key
    host_key: Ed25519Key

    def endpoint(self, port: int | None = None) -> Endpoint:
        return Endpoint(
            LOOPBACK,
            port or self.port,
            self.user,
            self.user_key.private_openssh,
            (self.host_key.public_openssh,),
        )


@contextmanager
def asyncssh_server(
    folder: Path,
    keys: tuple[Ed25519Key, Ed25519Key] | None = None,
    serving: type[asyncssh.SFTPServer] = asyncssh.SFTPServer,
) -> Iterator[Sftp]:
    """Serve `folder` as `/` until the end, in a thread of this process; `keys` are host's and user's."""
    host_key, user_key = keys or (Ed25519Key.generate(), Ed25519Key.generate())
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            LOOPBACK,
            0,
            server_host_keys=[asyncssh.import_private_key(host_key.private_openssh)],
            authorized_client_keys=asyncssh.import_authorized_keys(user_key.public_openssh + "\n"),
            sftp_factory=lambda channel: serving(channel, chroot=os.fsencode(folder)),
            encryption_algs=["aes128-gcm@openssh.com", "chacha20-poly1305@openssh.com"],
        )

    async def stop(server: asyncssh.SSHAcceptor) -> None:
        server.close()
        await server.wait_closed()
        await end_all()

    server = asyncio.run_coroutine_threadsafe(start(), loop).result(20)
    try:
        yield Sftp(folder, "", server.get_port(), "collector", user_key, host_key)
    finally:
        asyncio.run_coroutine_threadsafe(stop(server), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(20)
        loop.close()


@contextmanager
def openssh_server(folder: Path) -> Iterator[Sftp]:
    """Serve the whole machine to this user, who sees `folder` under its own path; needs `SSHD`."""
    if SSHD is None:
        raise FileNotFoundError("sshd")
    host_key, user_key = Ed25519Key.generate(), Ed25519Key.generate()
    with tempfile.TemporaryDirectory(prefix="landbridge-sshd-") as name:
        own = Path(name)
        (port,) = free(1)
        for file, text in (
            ("host", host_key.private_openssh),
            ("authorized", user_key.public_openssh + "\n"),
            ("config", _config(own, port)),
        ):
            (own / file).write_text(text)
            (own / file).chmod(0o600)
        with contextlib.suppress(PermissionError, FileExistsError):
            Path("/run/sshd").mkdir()  # privilege separation of a system's own sshd wants it
        process = subprocess.Popen([SSHD, "-D", "-f", own / "config", "-E", own / "log"])
        try:
            _await_port(port, process)
            yield Sftp(folder, str(folder), port, getpass.getuser(), user_key, host_key)
        finally:
            process.terminate()
            process.wait(20)


def _config(own: Path, port: int) -> str:
    return f"""
Port {port}
ListenAddress {LOOPBACK}
HostKey {own}/host
AuthorizedKeysFile {own}/authorized
PidFile none
StrictModes no
UsePAM no
UseDNS no
PasswordAuthentication no
PermitRootLogin prohibit-password
Subsystem sftp internal-sftp
{_helpers()}"""


def _helpers() -> str:
    """Tell an unpacked sshd where its parts are (from release 9.8 and 10.0 on it has any)."""
    parts = {"SshdSessionPath": "sshd-session", "SshdAuthPath": "sshd-auth"}
    found = {word: _UNPACKED / "usr/lib/openssh" / name for word, name in parts.items()}
    return "".join(f"{word} {path}\n" for word, path in found.items() if path.exists())


def _await_port(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), 1):
            return
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise RuntimeError("sshd did not start")
