"""What does Control-M's Automation API answer to our calls? A server with real HTTPS on loopback, and nothing behind it.

Sessions that end, API tokens, multipart uploads, definitions that are kept and given back the way a server does it, tests
of profiles that can be made to fail, and faults before and after each call. It knows shapes (controlm_shapes.py), runs no
job and moves no file: only an Enterprise Manager's own `build` is authoritative.
"""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qs, unquote, urlsplit

from tests.servers.controlm_shapes import Definition, complaints, given_back

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.servers.certificates import Certificates

BASE = "/automation-api"
What = Literal["cut", "truncated", "html", "404 page", "slow", "429", "500", "503"]


@dataclass
class Fault:
    """Goes wrong at a call: before it does anything, or after it has done it."""

    call: str
    """`POST /deploy`: method and path, its beginning is enough."""
    what: What
    after: bool = False
    times: int = 1


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    """Below `/automation-api`, as it was quoted."""
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """Names in lower case."""
    files: Mapping[str, tuple[str, bytes]]
    """Uploaded files by form field: name and content."""
    body: bytes

    @property
    def call(self) -> str:
        return f"{self.method} {self.path}"


Reply = tuple[int, Any]


@dataclass
class Em:
    """The state of an Enterprise Manager, and what it was asked."""

    port: int = 0
    release: str = "9.0.21.200"
    password: str = "correct-horse-battery"
    api_token: str = "bW9ja2VkLXRva2Vu-1f2e3d4c"
    session_calls: int = 1000
    """Calls after which a session ends."""
    servers: set[str] = field(default_factory=lambda: {"ctm"})
    agents: dict[str, str] = field(default_factory=lambda: {"mft-1": "Available", "mft-2": "Available"})
    secrets: set[str] = field(default_factory=lambda: {"share-pass"})
    """Names in its vault."""
    rights: set[str] = field(default_factory=lambda: {"read", "folders", "profiles", "agents", "test"})
    folders: dict[str, Definition] = field(default_factory=dict)
    calendars: dict[str, Definition] = field(default_factory=dict)
    profiles: dict[str, Definition] = field(default_factory=dict)
    broken: dict[tuple[str, str], str] = field(default_factory=dict)
    """What the test of a profile on an agent says when it fails."""
    fails_with: int = 400
    """Status of a failed test; 200 with an error in its words has been seen, too."""
    has_centralized_test: bool = True
    has_older_test: bool = True
    nothing_is: Literal["404", "empty", "400", "500"] = "404"
    """How it says that there is no such folder."""
    polls: int = 0
    """Times that a deployment is asked for before it is done, as on SaaS; 0: the answer comes at once."""
    adds: Definition = field(default_factory=dict)
    """Keys that this release adds to every folder and that nobody has heard of."""
    keeps: Definition = field(default_factory=dict)
    """Keys of every folder that this release writes otherwise than they were sent."""
    faults: list[Fault] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    logged_out: int = 0
    _sessions: dict[str, int] = field(default_factory=dict)
    _waiting: dict[str, list[Any]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}{BASE}"

    @property
    def calls(self) -> list[str]:
        return [one.call for one in self.asked]

    @property
    def open_sessions(self) -> int:
        return len(self._sessions)

    def reply(self, asked: Asked) -> Reply:
        if asked.call == "POST /session/login":
            return self._login(json.loads(asked.body))
        refused = self._who(asked)
        if refused:
            return refused
        for method, path, right, answer in self._routes():
            names = _matched(path, asked.path)
            if asked.method == method and names is not None:
                if right and right not in self.rights:
                    return 403, errors("You are not authorized to perform this action")
                return answer(asked, *names)
        return 404, errors("HTTP 404 Not Found")

    def _routes(self) -> list[tuple[str, str, str, Callable[..., Reply]]]:
        routes: list[tuple[str, str, str, Callable[..., Reply]]] = [
            ("POST", "/session/logout", "", self._logout),
            ("POST", "/build", "read", self._build),
            ("POST", "/deploy", "", self._deploy),
            ("GET", "/deploy/poll", "", self._poll),
            ("GET", "/deploy/jobs", "read", self._jobs),
            ("GET", "/deploy/calendars", "read", self._calendars),
            ("GET", "/deploy/connectionprofiles/centralized", "read", self._profiles),
            ("GET", "/config/server/*/agents", "agents", self._agents),
        ]
        if self.has_centralized_test:
            routes.append(("POST", "/deploy/connectionprofile/centralized/test/*/*/*/*", "test", self._test))
        if self.has_older_test:
            routes.append(("POST", "/deploy/connectionprofile/test", "test", self._older_test))
        return routes

    def _login(self, given: dict[str, str]) -> Reply:
        if given != {"username": "deployer", "password": self.password}:
            return 401, errors(f"Failed to login: Incorrect username or password ({given.get('password')})")
        token = f"SESSION{len(self.asked):06d}"
        self._sessions[token] = self.session_calls
        return 200, {"username": "deployer", "token": token, "version": self.release}

    def _who(self, asked: Asked) -> Reply | None:
        if asked.headers.get("x-api-key") == self.api_token:
            return None
        token = asked.headers.get("authorization", "").removeprefix("Bearer ")
        left = self._sessions.get(token, 0)
        if not left:
            self._sessions.pop(token, None)
            return 401, errors("Unauthorized: the session token is not valid")
        self._sessions[token] = left - 1
        return None

    def _logout(self, asked: Asked) -> Reply:
        self._sessions.pop(asked.headers.get("authorization", "").removeprefix("Bearer "), None)
        self.logged_out += 1
        return 200, {"message": "Successfully logged out from session"}

    def _build(self, asked: Asked) -> Reply:
        return self._judged(asked)[0]

    def _judged(self, asked: Asked) -> tuple[Reply, dict[str, Definition]]:
        if "definitionsFile" not in asked.files:
            return (400, errors("Missing part: definitionsFile")), {}
        name, content = asked.files["definitionsFile"]
        try:
            definitions = json.loads(content)
        except ValueError:
            return (400, errors("Invalid JSON", file=name, line=1, col=1)), {}
        found = complaints(definitions, self.servers, self.secrets)
        if found:
            text = content.decode()
            listed = [
                {"message": message, "item": item, "file": name, "line": _line(text, item), "col": 5}
                for message, item in found
            ]
            return (400, {"errors": listed}), {}
        return (200, [_results(name, definitions)]), definitions

    def _deploy(self, asked: Asked) -> Reply:
        reply, definitions = self._judged(asked)
        if reply[0] != 200:
            return reply
        profiles = any(one["Type"].startswith("ConnectionProfile") for one in definitions.values())
        if ("profiles" if profiles else "folders") not in self.rights:
            return 403, errors("You are not authorized to perform this action")
        if self.polls:
            poll = f"poll-{len(self.asked)}"
            self._waiting[poll] = [self.polls, reply[1], definitions]
            return 200, {"pollId": poll}
        self._keep(definitions)
        return reply

    def _poll(self, asked: Asked) -> Reply:
        waiting = self._waiting[asked.query["pollId"]]
        waiting[0] -= 1
        if waiting[0] > 0:
            return 200, {"PartialResult": ["DEPLOYING FOLDERS 0/1"]}
        self._keep(waiting[2])
        return 200, {"FinalDeploymentFileResults": waiting[1], "PartialResult": ["DEPLOYING FOLDERS 1/1"]}

    def _keep(self, definitions: dict[str, Definition]) -> None:
        for name, one in definitions.items():
            if one["Type"] == "Folder":
                self.folders[name] = one
            elif one["Type"].startswith("Calendar:"):
                self.calendars[name] = one
            else:
                self.profiles[name] = one

    def _jobs(self, asked: Asked) -> Reply:
        name = asked.query["folder"]
        folder = self.folders.get(name)
        if folder is None or folder["ControlmServer"] != asked.query["server"]:
            return self._nothing(f"Folder {name} was not found")
        return 200, {name: {**given_back(folder, "deployer"), **self.adds, **self.keeps}}

    def _nothing(self, words: str) -> Reply:
        if self.nothing_is == "empty":
            return 200, {}
        return int(self.nothing_is), errors(words)

    def _calendars(self, asked: Asked) -> Reply:
        name = asked.query["name"]
        if name not in self.calendars:
            return self._nothing("No calendars were found")
        return 200, {name: given_back(self.calendars[name], "deployer")}

    def _profiles(self, asked: Asked) -> Reply:
        name = asked.query["name"]
        if name not in self.profiles or asked.query["type"] != "FileTransfer":
            return self._nothing(f"Connection profile {name} does not exist")
        return 200, {name: given_back(self.profiles[name], "deployer")}

    def _agents(self, asked: Asked, server: str) -> Reply:
        if server not in self.servers:
            return 404, errors(f"Control-M/Server {server} was not found")
        name = asked.query["agent"]
        if name not in self.agents:
            return 200, {"agents": [{"nodeid": name, "status": "Discovering", "type": "Regular"}]}
        about = {"nodeid": name, "status": self.agents[name], "type": "Regular", "version": self.release}
        return 200, {"agents": [{**about, "hostgroups": ["mft"], "operatingSystem": "Linux"}]}

    def _test(self, asked: Asked, kind: str, name: str, server: str, agent: str) -> Reply:
        if kind != "FileTransfer" or name not in self.profiles:
            return 404, errors(f"Connection profile {name} does not exist")
        return self._connects(name, server, agent)

    def _older_test(self, asked: Asked) -> Reply:
        definitions = json.loads(asked.files["definitionsFile"][1])
        return self._connects(next(iter(definitions)), asked.query["ctm"], asked.query["agent"])

    def _connects(self, name: str, server: str, agent: str) -> Reply:
        if server not in self.servers or agent not in self.agents:
            return 404, errors(f"Agent {agent} was not found")
        words = self.broken.get((name, agent))
        if words is None:
            return 200, {"message": f"Connection profile {name} was tested successfully on {agent}"}
        if self.fails_with == 200:
            return 200, {"message": f"Error: {words}"}
        return self.fails_with, errors(words)

    def fault(self, asked: Asked) -> Fault | None:
        for one in self.faults:
            if one.times and asked.call.startswith(one.call):
                one.times -= 1
                return one
        return None


def errors(message: str, **more: object) -> dict[str, object]:
    return {"errors": [{"message": message, **more}]}


def _results(name: str, definitions: dict[str, Definition]) -> dict[str, object]:
    folders = [one for one, each in definitions.items() if each["Type"] == "Folder"]
    profiles = [one for one, each in definitions.items() if each["Type"].startswith("ConnectionProfile")]
    return {
        "deploymentFile": name,
        "deploymentStatus": "ENDED_OK",
        "successfulFoldersCount": 0,
        "successfulSmartFoldersCount": len(folders),
        "successfulSubFoldersCount": 0,
        "successfulJobsCount": 2,
        "successfulConnectionProfilesCount": len(profiles),
        "successfulDriversCount": 0,
        "isDeployDescriptorValid": False,
        "deployedFolders": folders,
        "deployedConnectionProfiles": profiles,
    }


def _line(text: str, item: str) -> int:
    before, found, _ = text.partition(f'"{item}"')
    return before.count("\n") + 1 if found else 1


def _matched(pattern: str, path: str) -> list[str] | None:
    want, have = pattern.split("/"), path.split("/")
    if len(want) != len(have) or any(w not in {"*", h} for w, h in zip(want, have, strict=True)):
        return None
    return [unquote(h) for w, h in zip(want, have, strict=True) if w == "*"]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    em: Em

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that went away or would not trust us."""


class _Conversation(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing."""

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length") or 0))
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        path = parts.path.removeprefix(BASE) if parts.path.startswith(BASE) else f"?{parts.path}"
        asked = Asked(self.command, path, query, headers, _files(headers.get("content-type", ""), body), body)
        em = self.server.em
        em.asked.append(asked)
        if not parts.path.startswith(BASE):
            self._send(Fault("", "404 page"), 404, b"<html>Not Found</html>")
            return
        fault = em.fault(asked)
        if fault is None or fault.after or fault.what == "slow":
            status, document = em.reply(asked)
        else:
            status, document = 0, None
        self._send(fault, status, json.dumps(document, indent=2).encode())

    def _send(self, fault: Fault | None, status: int, body: bytes) -> None:
        extra: dict[str, str] = {}
        kind = "application/json"
        whole = len(body)
        match fault.what if fault else None:
            case "cut":
                self._cut()
                return
            case "slow":
                time.sleep(3)
            case "truncated":
                status, whole, body = status or 200, max(whole, 100), body[: len(body) // 2]
            case "html":
                status, body, kind = 200, b"<html>Welcome to the proxy</html>", "text/html"
                whole = len(body)
            case "404 page":
                kind = "text/html"
            case "429" | "500" | "503" as code:
                status, body = int(code), b""
                whole, extra = 0, {"Retry-After": "1"} if code == "429" else {}
            case _:
                pass
        self.send_response(status)
        for name, value in {**extra, "Content-Type": kind, "Content-Length": str(whole)}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        if len(body) < whole:
            self.wfile.flush()
            self._cut()

    def _cut(self) -> None:
        self.close_connection = True
        self.connection.close()


def _files(kind: str, body: bytes) -> dict[str, tuple[str, bytes]]:
    if not kind.startswith("multipart/form-data"):
        return {}
    message = BytesParser().parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body)
    found = {}
    for part in message.get_payload():
        assert not isinstance(part, str)
        field_name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        found[str(field_name)] = (str(part.get_filename()), content)
    return found


@contextmanager
def running(certificates: Certificates) -> Iterator[Em]:
    """Serve on a free port of 127.0.0.1 until the end."""
    with _Server(("127.0.0.1", 0), _Conversation) as server:
        # The handshake happens in the thread of the connection: a client that hangs keeps no other from its turn.
        context = certificates.server_side()
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        server.em = Em(port=server.server_port)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.em
        finally:
            server.shutdown()
            thread.join(10)
