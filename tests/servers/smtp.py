"""Where does a test get a mail relay from? SMTP on loopback in a thread: STARTTLS, a log-in, and what it is told to refuse."""

from __future__ import annotations

import base64
import socketserver
import ssl
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage
    from pathlib import Path


@dataclass
class Smtp:
    """A running relay; what it took is kept."""

    port: int = 0
    user: str = ""
    password: str = ""
    """Wanted, when there is a user; only after STARTTLS."""
    refuse: tuple[str, ...] = ()
    """Readers that it does not know."""
    busy: bool = False
    """Answer 451 to every mail."""
    taken: list[EmailMessage] = field(default_factory=list)
    secure: list[bool] = field(default_factory=list)
    """For each mail, whether it came encrypted."""
    tls: ssl.SSLContext | None = None


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    relay: Smtp

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that went away."""


class _Conversation(socketserver.StreamRequestHandler):
    server: _Server
    timeout = 20

    def handle(self) -> None:
        relay, self.secure, self.known = self.server.relay, False, not self.server.relay.user
        try:
            self._talk(relay)
        finally:
            self.rfile.close()
            self.connection.close()

    def _talk(self, relay: Smtp) -> None:
        self._say("220 relay")
        while line := self.rfile.readline():
            word, _, rest = line.decode().strip().partition(" ")
            match word.upper():
                case "EHLO" | "HELO":
                    offers = ["relay"]
                    offers += ["STARTTLS"] if relay.tls and not self.secure else []
                    offers += ["AUTH PLAIN"] if relay.user and self.secure else []
                    for offer in offers[:-1]:
                        self._say(f"250-{offer}")
                    self._say(f"250 {offers[-1]}")
                case "STARTTLS" if relay.tls:
                    self._say("220 go on")
                    self._encrypt(relay.tls)
                case "AUTH":
                    given = base64.b64decode(rest.split()[-1]).decode().split("\0")[1:]
                    self.known = given == [relay.user, relay.password]
                    self._say("235 welcome" if self.known else "535 no")
                case "MAIL":
                    self._say("250 ok" if self.known else "530 log in")
                case "RCPT":
                    refused = any(reader in rest for reader in relay.refuse)
                    self._say("550 unknown" if refused else "250 ok")
                case "DATA":
                    self._take(relay)
                case "QUIT":
                    self._say("221 bye")
                    return
                case _:
                    self._say("250 ok")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())
        self.wfile.flush()

    def _encrypt(self, tls: ssl.SSLContext) -> None:
        try:
            self.request = tls.wrap_socket(self.request, server_side=True)
        except (ssl.SSLError, OSError):
            self.rfile = self.connection.makefile("rb")
            return
        self.connection = self.request
        self.rfile, self.wfile = self.request.makefile("rb"), self.request.makefile("wb")
        self.secure = True

    def _take(self, relay: Smtp) -> None:
        if relay.busy:
            self._say("451 later")
            return
        self._say("354 go on")
        lines = []
        while (line := self.rfile.readline()) not in {b".\r\n", b""}:
            lines.append(line.removeprefix(b"."))
        mail = message_from_bytes(b"".join(lines), policy=policy.default)
        relay.taken.append(mail)
        relay.secure.append(self.secure)
        self._say("250 taken")


@contextmanager
def relaying(certificate: tuple[Path, Path] | None = None) -> Iterator[Smtp]:
    """Run a relay on a free port of 127.0.0.1; it offers STARTTLS when it has a certificate and its key."""
    relay = Smtp()
    if certificate:
        relay.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        relay.tls.load_cert_chain(*certificate)
    with _Server(("127.0.0.1", 0), _Conversation) as server:
        server.relay = relay
        relay.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield relay
        finally:
            server.shutdown()
            thread.join(10)
