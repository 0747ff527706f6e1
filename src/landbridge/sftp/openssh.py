"""How does the host's own `ssh` carry our channel, as a child that knows nothing but what we tell it?

Keys and known hosts are lent as sealed files in memory, which the child opens through `/proc` (OpenSSH closes the
descriptors it inherits). It reads no configuration, no agent and no key of the user. We end it when we end. After a
SIGKILL of ours its standard input ends; it tells the server so, and ends as soon as the server closes the session, which
servers do at once, or the line is cut. A server that keeps the session and answers keepalives keeps the child.
"""

from __future__ import annotations

import math
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from landbridge.facts import Server
from landbridge.sftp.channel import Channel, Lost
from landbridge.sftp.endpoint import UNANSWERED
from landbridge.sftp.errors import closed, failed, host_key_changed, key_refused, no_answer
from landbridge.sftp.said import Said

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from landbridge.errors import LandbridgeError
    from landbridge.sftp.endpoint import Endpoint, Tuning
    from landbridge.sftp.keys import Keys

_ALIAS = "landbridge"
"""The server's name in the known hosts we lend, whatever its address and port."""
_IN_FLIGHT = 4 << 20
"""Bytes that may wait between the child and us."""
_PATIENCE = 5.0
"""Seconds that the child may take to end."""
_FINGERPRINT = re.compile(r"^debug1: Server host key: \S+ (SHA256:\S+)", re.MULTILINE)
_TRIED = re.compile(r"^debug1: Connecting to |^ssh: Could not resolve hostname ", re.MULTILINE)
_NO_COMMON_WAY = re.compile(r"^Unable to negotiate |^Load key |^no such identity: ", re.MULTILINE)
_NO_REASON = ("debug", "Transferred: ", "Bytes per second: ")
"""How lines begin that do not say why it ended; OpenSSH writes its sums last (client_loop in its clientloop.c)."""
_HOST_KEY = re.compile(r"^Host key verification failed\.", re.MULTILINE)
_KEY = re.compile(
    r"^\S.*: (Permission denied \(.*\)\.|.*Too many authentication failures.*)$|^Received disconnect .*Too many",
    re.MULTILINE,
)


class Unusable(Exception):
    """This host's `ssh` cannot serve here, whoever the server is."""


def found() -> str | None:
    """Give the program, when this host has all that it takes."""
    if sys.platform != "linux" or not Path(f"/proc/{os.getpid()}/fd").is_dir():
        return None
    import pwd

    try:
        pwd.getpwuid(os.getuid())  # ssh serves nobody without a name, as in some pods
    except KeyError:
        return None
    return shutil.which("ssh")


class OpenSsh:
    """A child with one SFTP channel; obeys channel.Line."""

    client = "openssh"
    window = 2 << 20
    """OpenSSH's own, which nothing can change (CHAN_SES_WINDOW_DEFAULT in its channels.h)."""

    def __init__(self, program: str, endpoint: Endpoint, keys: Keys, tuning: Tuning) -> None:
        """Start the child.

        Raises:
            Unusable: it cannot be started.
        """
        self._endpoint = endpoint
        self._pinned = keys.pinned
        self._shown: Server | None = None
        self._patience = 2 * tuning.connect_timeout
        self._silence = tuning.silence
        self._ending = threading.Lock()
        self._ended = False
        self._lent = ExitStack()
        """What the child needs until it is let in."""
        self._held = ExitStack()
        """What is needed until the end."""
        known = "".join(f"{_ALIAS} {key.line}\n" for key in keys.pinned)
        try:
            self._said = Said()
            self._lent.callback(self._said.lent)
            self._socket, theirs = socket.socketpair()
            self._held.callback(self._socket.close)
            with theirs:
                for end in (self._socket, theirs):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _IN_FLIGHT)
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _IN_FLIGHT)
                _wake_up(self._socket, self._silence / 4)
                key_file = self._lent.enter_context(_lent("landbridge-key", keys.private))
                known_file = self._lent.enter_context(_lent("landbridge-known-hosts", known))
                # A session of its own: Ctrl-C is for us, and we end it; no terminal to ask anything on.
                self._process = subprocess.Popen(  # noqa: S603 - a list, never a shell
                    [program, *_arguments(endpoint, tuning, key_file, known_file)],
                    stdin=theirs.fileno(),
                    stdout=theirs.fileno(),
                    stderr=self._said.theirs,
                    env={"LC_ALL": "C"},
                    cwd="/",
                    start_new_session=True,
                )
            self._said.lent()
        except OSError as error:
            self._let_go()
            raise Unusable(f"{program}: {error.strerror}") from error
        self._channel = Channel(self)
        self._thread = threading.Thread(target=self._read, name="sftp", daemon=True)
        self._thread.start()

    def connect(self) -> Channel:
        """Wait until the server has let us in, and give the channel.

        Raises:
            Unusable: this `ssh` cannot serve here.
            IntegrityBroken: another host key.
            NotPermitted: the key was refused.
            Unavailable: no answer, or closed.
        """
        try:
            self._channel.begin().result(self._patience)
        except TimeoutError as error:
            raise failed(self._endpoint, "connecting", f"no answer in {self._patience:.0f} s") from error
        except Lost as error:
            raise self._why() from error
        self._lent.close()
        return self._channel

    def server(self) -> Server:
        """See channel.Line."""
        if self._shown is None:
            # With one pinned key it can have shown no other; of several its log tells which.
            only = self._pinned[0].fingerprint if len(self._pinned) == 1 else ""
            shown = only or self._said.find(_FINGERPRINT, _PATIENCE)
            self._shown = Server(self._endpoint.host, self._endpoint.port, shown, self._endpoint.user)
        return self._shown

    def send(self, packet: bytes) -> None:
        """See channel.Line."""
        with suppress(OSError):  # the reading thread tells the reason
            self._socket.sendall(packet)

    def close(self) -> None:
        """See channel.Line."""
        with self._ending:
            if self._ended:
                return
            self._ended = True
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
            self._process.terminate()
            try:
                self._process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._thread.join()
            self._channel.forget()
            self._said.wait(_PATIENCE)
            self._let_go()

    def _read(self) -> None:
        reason = ""
        try:
            with suppress(OSError):
                while self._channel.live and not reason:
                    try:
                        # What is certain to come is worth one call: each wakes this thread, which needs the interpreter for it.
                        whole = socket.MSG_WAITALL if self._channel.filling else 0
                        count = self._socket.recv_into(self._channel.room(), 0, whole)
                    except BlockingIOError:  # woken up: nothing came
                        reason = no_answer(self._channel.silent(), self._silence)
                        continue
                    if not count:
                        break
                    self._channel.came(count)
        finally:
            self._channel.fail(reason or self._last_words())

    def _last_words(self) -> str:
        if self._ended:
            return "it was closed"
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_PATIENCE)
            self._said.wait(_PATIENCE)
        return _last(self._said.text())

    def _why(self) -> LandbridgeError | Unusable:
        """Say why it ended before it began. What the server writes comes after its host key is verified, and indented."""
        if self._ended:
            return closed(self._endpoint)
        text = self._said.text()
        last = _last(text)
        if _HOST_KEY.search(text) and (seen := _FINGERPRINT.search(text)):
            pinned = [key.fingerprint for key in self._pinned]
            if seen[1] in pinned:
                return Unusable("it could not read the known hosts that were lent to it")
            return host_key_changed(self._endpoint, seen[1], pinned)
        if _NO_COMMON_WAY.search(text) or not _TRIED.search(text):
            return Unusable(last)
        if _KEY.search(text):
            return key_refused(self._endpoint, "Permission denied (publickey)")
        return failed(self._endpoint, "connecting", last)

    def _let_go(self) -> None:
        self._lent.close()
        self._held.close()


def _wake_up(end: socket.socket, seconds: float) -> None:
    """Let nobody wait longer at one time for what comes; a timeout of Python's own would be one of sending too."""
    whole = int(seconds)
    end.setsockopt(
        socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", whole, int((seconds - whole) * 1e6))
    )


def _arguments(endpoint: Endpoint, tuning: Tuning, key_file: str, known_file: str) -> Sequence[str]:
    settings = {
        "IdentityFile": key_file,
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
        "PreferredAuthentications": "publickey",
        "BatchMode": "yes",
        "UserKnownHostsFile": known_file,
        "GlobalKnownHostsFile": "none",
        "HostKeyAlias": _ALIAS,
        "StrictHostKeyChecking": "yes",
        "VerifyHostKeyDNS": "no",
        "UpdateHostKeys": "no",
        "ClearAllForwardings": "yes",
        "ForwardAgent": "no",
        "ForwardX11": "no",
        "PermitLocalCommand": "no",
        "ProxyCommand": "none",
        "ControlMaster": "no",
        "ControlPath": "none",
        "EscapeChar": "none",
        "RequestTTY": "no",
        "ConnectTimeout": f"{max(1, math.ceil(tuning.connect_timeout))}",
        "ServerAliveInterval": f"{max(1, round(tuning.keepalive))}",
        "ServerAliveCountMax": f"{UNANSWERED}",
        # With AES in the processor GCM needs half the time of ChaCha20, which OpenSSH puts first.
        "Ciphers": "^aes128-gcm@openssh.com,aes256-gcm@openssh.com",
        "Compression": "no",
        # Its log is read for the reason of a failure, and never shown.
        "LogLevel": "DEBUG1",
    }
    options = [f"-o{word}={value}" for word, value in settings.items()]
    return [
        "-F",
        "none",
        *options,
        "-l",
        endpoint.user,
        "-p",
        f"{endpoint.port}",
        "-s",
        "--",
        endpoint.host,
        "sftp",
    ]


@contextmanager
def _lent(name: str, text: str) -> Iterator[str]:
    """Give the path of a sealed file in memory that only this user can open."""
    import fcntl  # not on Windows, where none of this is used

    file = os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        os.fchmod(file, 0o600)  # OpenSSH refuses a key that others may read
        os.write(file, text.encode())
        fcntl.fcntl(
            file,
            fcntl.F_ADD_SEALS,
            fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE,
        )
        yield f"/proc/{os.getpid()}/fd/{file}"
    finally:
        os.close(file)


def _last(text: str) -> str:
    """Give the last thing that `ssh` said and that is not for its developers."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith(_NO_REASON)]
    word = lines[-1].removeprefix("ssh: ") if lines else "the connection ended"
    return "".join(letter for letter in word if letter.isprintable())[:300]
