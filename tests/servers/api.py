"""Where does a test get a real HTTP API from? A thread on loopback that answers what the test says, and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut_after: int | None = None
    """Announce the whole body, send this many bytes of it, and cut the connection."""


Route = Callable[[Asked], Answer]


def as_json(body: Any, status: int = 200, **headers: str) -> Answer:
    return Answer(status, json.dumps(body).encode(), {"Content-Type": "application/json", **headers})


class Api:
    """A running API: `routes` by path may be set at any time."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self._server = server
        self.routes: dict[str, Route] = {}
        self.asked: list[Asked] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def by_name(self) -> str:
        """The same server under another host name."""
        return f"http://localhost:{self._server.server_port}"

    def answer(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        route = self.routes.get(asked.path)
        return route(asked) if route else as_json({"error": "no such path"}, 404)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    api: Api

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that went away."""


class _Conversation(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30
    server: _Server

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing."""

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        answer = self.server.api.answer(
            Asked(
                self.command,
                parts.path,
                {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()},
                {name.lower(): value for name, value in self.headers.items()},
                self.rfile.read(int(self.headers.get("Content-Length") or 0)),
            )
        )
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body if answer.cut_after is None else answer.body[: answer.cut_after])
        if answer.cut_after is not None:
            self.wfile.flush()
            self.connection.close()
            self.close_connection = True


@contextmanager
def running() -> Iterator[Api]:
    """Serve on a free port of 127.0.0.1 until the end."""
    with _Server(("127.0.0.1", 0), _Conversation) as server:
        server.api = Api(server)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.api
        finally:
            server.shutdown()
            thread.join(10)
