"""How does a test make a real S3 answer badly? A proxy on loopback that spoils the requests it is told to."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Fault = Literal["pass", "drop", "lose answer", "damage"] | int
"""`drop` cuts before the server sees it, `lose answer` after it has acted, `damage` flips one bit; a number is answered."""

_CODES = {
    403: "AccessDenied",
    409: "ConditionalRequestConflict",
    501: "NotImplemented",
    500: "InternalError",
    503: "SlowDown",
}


@dataclass(frozen=True)
class Request:
    """What the proxy was sent."""

    method: str
    target: str
    headers: dict[str, str]
    """Names in lower case."""


@dataclass
class Faulty:
    """A running proxy; `fault` decides on each request, and every request is kept."""

    endpoint: str = ""
    fault: Callable[[Request], Fault] = lambda _: "pass"
    requests: list[Request] = field(default_factory=list)

    def times(self, count: int, fault: Fault, when: Callable[[Request], bool]) -> None:
        """Spoil the first `count` requests that fit; the rest pass."""
        left = iter(range(count))
        lock = threading.Lock()

        def decide(request: Request) -> Fault:
            if not when(request):
                return "pass"
            with lock:
                return fault if next(left, None) is not None else "pass"

        self.fault = decide


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, upstream: int, proxy: Faulty) -> None:
        super().__init__(("127.0.0.1", 0), _Spoil)
        self.upstream = upstream
        self.proxy = proxy
        proxy.endpoint = f"http://127.0.0.1:{self.server_address[1]}"


class _Spoil(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, headers)
        self.server.proxy.requests.append(request)
        self.close_connection = True
        match self.server.proxy.fault(request):
            case int(status):
                self._answer(status, {}, f"<Error><Code>{_CODES[status]}</Code></Error>".encode())
            case "drop":
                return
            case "lose answer":
                self._forwarded(body)
            case "damage":
                self._answer(*self._forwarded(body[:-1] + bytes([body[-1] ^ 1])))
            case "pass":
                self._answer(*self._forwarded(body))

    def _forwarded(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        upstream = HTTPConnection("127.0.0.1", self.server.upstream, timeout=60)
        upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in {"connection", "expect"}:
                upstream.putheader(name, value)
        upstream.putheader("connection", "close")
        upstream.endheaders(body or None)
        came = upstream.getresponse()
        content = came.read()
        upstream.close()
        return came.status, {name.lower(): value for name, value in came.getheaders()}, content

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        head = self.command == "HEAD"
        self.send_response(status)
        for name, value in headers.items():
            if name not in {"connection", "transfer-encoding", "content-length"}:
                self.send_header(name, value)
        self.send_header("content-length", headers.get("content-length", "0") if head else str(len(body)))
        self.end_headers()
        if not head:
            self.wfile.write(body)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _serve  # noqa: N815 - the names the base class asks for


@contextmanager
def faulty(port: int) -> Iterator[Faulty]:
    """Run a proxy before the server on `port` of 127.0.0.1."""
    proxy = Faulty()
    server = _Server(port, proxy)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
