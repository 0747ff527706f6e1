"""Is any secret ever found where it must not be? Fifty planted ones, commands that fail in every way, and servers that repeat all they hear."""

from __future__ import annotations

import base64
import json
import os
import random
import re
import shutil
import ssl
import string
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property, partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import boto3
import orjson
from cryptography.hazmat.primitives import serialization

from landbridge.collect import collect
from landbridge.deploy.controlm.api.http import Line, Request
from landbridge.deploy.controlm.api.session import Login, Session, Token
from landbridge.errors import LandbridgeError, UsageError
from landbridge.notices import Concern, Kind, Notice
from landbridge.sftp import openssh
from landbridge.sftp.client import SftpRemote
from landbridge.sftp.endpoint import Client, Tuning
from landbridge.sources.around import Around, Silent
from landbridge.stores.s3 import S3Store
from landbridge.stores.s3_account import S3Account
from landbridge.tellers.mail import Mail, Relay
from landbridge.tellers.webhook import Webhook
from landbridge.twin.keys import Ed25519Key
from landbridge.wiring.logs import log_to_stderr
from landbridge.wiring.secrets import References
from reliability.figures import Figure
from tests.contract import bridge
from tests.servers import certificates
from tests.servers.sftp import asyncssh_server
from tests.servers.smtp import relaying
from tests.stories.bridgehead import DAY, Bridgehead

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

ASKED = 50
_PLAIN_PART, _ENCODED_PART = 12, 20
"""Characters of a secret, and of an encoded one, that are already too many."""
_EXAMPLE = Path(__file__).parents[1] / "examples" / "eidv"


@dataclass
class Planted:
    """The secrets, by where they were planted, and everything that somebody could see."""

    drawn: random.Random
    values: dict[str, str] = field(default_factory=dict)
    seen: dict[str, str] = field(default_factory=dict)
    """By where it was seen."""

    def make(self, place: str) -> str:
        """Make the secret of a place: long, and with letters that URLs, JSON and shells write differently."""
        letters = string.ascii_letters + string.digits
        text = "".join(self.drawn.choice(letters) for _ in range(36))
        return self.plant(place, f"{text[:12]}/+{text[12:24]}&=%{text[24:]}~")

    def plant(self, place: str, secret: str) -> str:
        """Remember a secret that was made elsewhere, such as a key."""
        self.values[place] = secret
        return secret

    def saw(self, where: str, text: str) -> None:
        """Take in what somebody could see."""
        self.seen[where] = self.seen.get(where, "") + "\n" + text

    def found(self) -> list[str]:
        """Give which secret was seen where, and in which form; a part of one counts."""
        told = []
        for place, secret in self.values.items():
            for form, size, text in _forms(secret):
                parts = {text[at : at + size] for at in range(max(1, len(text) - size + 1))}
                parts = {part for part in parts if part not in _IN_EVERY_KEY}
                for where, seen in self.seen.items():
                    if any(part in seen for part in parts):
                        told.append(f"{place}, {form}, in {where}")
        return told


_IN_EVERY_KEY = "".join(
    (_KEY := Ed25519Key.generate(), _KEY.private_openssh, _KEY.private_pem, _KEY.public_openssh)[1:]
)
"""Of a key of our own: what its lines have in common with others is no secret."""


def _forms(secret: str) -> Iterator[tuple[str, int, str]]:
    """Spell a secret in the ways that a server or a log may; worked out apart from the product's own list."""
    raw = secret.encode()
    yield "as it is", _PLAIN_PART, secret
    yield "backwards", _PLAIN_PART, secret[::-1]
    yield "in a URL", _PLAIN_PART, quote(secret, safe="")
    yield "in JSON", _PLAIN_PART, json.dumps(secret)[1:-1]
    yield "in hexadecimal", 2 * _PLAIN_PART, raw.hex()
    for shift in range(3):
        encoded = base64.b64encode(b"x" * shift + raw).decode()
        yield f"in Base64, {shift} after", _ENCODED_PART, encoded[4 if shift else 0 : -4]


# A server that repeats what it is told


class _Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self) -> None:
        self.close_connection = True
        with suppress(OSError, ValueError):
            body = self.rfile.read(int(self.headers.get("content-length", 0))).decode(errors="replace")
            heard = [self.path, body, *self.headers.values()]
            for value in self.headers.values():
                word = value.partition(" ")[2]
                with suppress(ValueError):
                    heard.append(base64.b64decode(word, validate=True).decode())
                heard += [
                    value.encode().hex(),
                    base64.b64encode(value.encode()).decode(),
                    quote(value, safe=""),
                ]
            said = " ".join(heard)
            first, _, rest = self.path.strip("/").partition("/")
            status = int(first) if first.isdigit() else 400
            if "token" in rest and status == 200:
                said = json.dumps({"access_token": self.server.token, "expires_in": 60})  # type: ignore[attr-defined] # ours
            self.send_response(status if status != 299 else 200, "said")
            self.send_header("Content-Length", str(len(said.encode())))
            self.send_header("Connection", "close")
            self.send_header("WWW-Authenticate", f"Basic realm={quote(said)[:2000]}")
            if status in {302, 307}:
                self.send_header("Location", f"http://127.0.0.1:9/{quote(said)[:1000]}")
            self.end_headers()
            self.wfile.write(said.encode())

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = _answer  # noqa: N815 - the names the base class asks for


@contextmanager
def _echoing(token: str = "", secure: ssl.SSLContext | None = None) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Echo)
    server.daemon_threads = True
    server.token = token  # type: ignore[attr-defined] # read above
    if secure is not None:
        server.socket = secure.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None  # type: ignore[method-assign] # clients that refuse our certificate
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


@contextmanager
def _watched(planted: Planted, where: str) -> Iterator[None]:
    """See all that is printed and logged, at the most talkative level, and the error as the operator is shown it."""
    with redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as err:
        log_to_stderr(watched=False, level="debug")
        try:
            yield
        except LandbridgeError as error:
            planted.saw(f"the error of {where}", "\n".join((str(error), repr(error), *map(repr, error.args))))
            planted.saw("errors", "one")
    planted.saw(f"what {where} printed", out.getvalue() + err.getvalue())


# Where secrets come from


@dataclass
class _Place:
    """A reference of each kind to a secret."""

    folder: Path
    environ: dict[str, str] = field(default_factory=dict)
    managed: dict[str, str] = field(default_factory=dict)

    def refer(self, how: str, name: str, secret: str) -> str:
        """Put a secret where `how` says, and give the reference."""
        match how:
            case "env":
                self.environ[name] = secret
                return f"env:{name}"
            case "file":
                (self.folder / name).write_text(secret)
                return f"file:{name}"
            case _:
                self.managed[name] = json.dumps({"key": secret})
                return f"aws-sm:{name}#key"

    @cached_property
    def references(self) -> References:
        return References(self.environ, self.folder, self.managed.__getitem__)


def apis(planted: Planted, folder: Path) -> None:
    """Ask APIs with each kind of credentials from each kind of place; they refuse, fail, lead elsewhere, and repeat all of it."""
    place = _Place(folder)
    for how in ("env", "file", "aws-sm"):
        token = planted.make(f"{how}: token that a server gives")
        with _echoing(token) as port:
            for kind, auth in _credentials(planted, place, how, f"http://127.0.0.1:{port}").items():
                for path in ("401", "403", "404", "500", "302", "200", "429"):
                    _ask(
                        planted,
                        place,
                        f"{kind} from {how}, {path}",
                        f"http://127.0.0.1:{port}/{path}/x",
                        auth,
                    )
                _ask(planted, place, f"{kind} from {how}, cut", "http://127.0.0.1:9/x", auth)
                _ask(planted, place, f"{kind} from {how}, no TLS", f"https://127.0.0.1:{port}/200/x", auth)
            password = quote(planted.make(f"{how}: password in a URL"), safe="")
            url = place.refer(how, f"{how}-url", f"http://user:{password}@127.0.0.1:{port}/500/x")
            _ask(planted, place, f"URL from {how}", url, None)
    for name, managed in (("no JSON", "{"), ("no such key", json.dumps({"other": "{}"}))):
        place.managed["odd"] = managed.replace("{", "{" + planted.make(f"a managed secret, {name}"))
        with _watched(planted, name):
            place.references.resolve("aws-sm:odd#key")
    (folder / "binary").write_bytes(planted.make("a file that is no text").encode() + b"\xff\xfe")
    with _watched(planted, "a file that is no text"):
        place.references.resolve("file:binary")


def _credentials(planted: Planted, place: _Place, how: str, url: str) -> Mapping[str, dict[str, object]]:
    def reference(kind: str) -> str:
        return place.refer(how, f"{how}-{kind}".replace(" ", "-"), planted.make(f"{how}: {kind}"))

    oauth = {"kind": "oauth2_client_credentials", "client_id": "us", "token_url": f"{url}/401/token"}
    given = {**oauth, "token_url": f"{url}/200/token"}
    return {
        "bearer": {"kind": "bearer", "token": reference("bearer")},
        "header": {"kind": "api_key", "value": reference("key in a header")},
        "query": {"kind": "api_key", "value": reference("key in a query"), "name": "k", "place": "query"},
        "basic": {"kind": "basic", "user": "u", "password": reference("basic")},
        "oauth": {**oauth, "client_secret": reference("client secret")},
        "oauth token": {**given, "client_secret": reference("client secret that is taken")},
    }


def _ask(planted: Planted, place: _Place, where: str, url: str, auth: dict[str, object] | None) -> None:
    keys: dict[str, object] = {
        "kind": "rest", "url": url, "records": "rows", "columns": {"id": "string"},
        "retries": {"attempts": 1, "longest_wait": "0s"},
    }  # fmt: skip
    around = Around(place.folder, "DEV", {}, place.references, bridge.JumpingClock(), Silent())
    given = {**keys, **({"auth": auth} if auth else {})}
    with _watched(planted, where), bridge.adapter(around, **given) as source:
        planted.saw("how a source shows itself", repr(source))
        with source.open(bridge.SLOT) as opened:
            list(opened.batches)
            planted.saw("evidence of sources", orjson.dumps(opened.fact).decode())


def databases(planted: Planted, folder: Path) -> None:
    """Ask databases with a password in the URL that are away, unknown, or no database."""
    place = _Place(folder)
    for name, form in {
        "postgresql, away": "postgresql://u:{}@127.0.0.1:9/db",
        "no driver": "oracle+nothing://u:{}@127.0.0.1/db",
        "mysql": "mysql+pymysql://u:{}@127.0.0.1:9/db",
        "no URL": "postgresql://u:{}@[::1/db",
        "in the query": "postgresql://127.0.0.1:9/db?user=u&password={}",
    }.items():
        url = form.format(quote(planted.make(f"database password, {name}"), safe=""))
        around = Around(folder, "DEV", {}, place.references, bridge.JumpingClock(), Silent())
        place.environ["DATABASE_URL"] = url
        with (
            _watched(planted, f"a database, {name}"),
            bridge.adapter(around, kind="sql", url="env:DATABASE_URL", query="select 1 as id") as source,
            source.open(bridge.SLOT) as opened,
        ):
            list(opened.batches)


def lines(planted: Planted, folder: Path) -> None:
    """Log in over SSH: with a passphrase, a wrong one, a refused key, another host key; look at the child that carries it."""
    head = Bridgehead(folder)
    key = Ed25519Key.generate()
    plant_key(planted, "SFTP key", key.private_openssh)
    passphrase, wrong = planted.make("SFTP passphrase"), planted.make("SFTP passphrase that is wrong")
    locked = locked_by(passphrase, key)
    plant_key(planted, "SFTP key, locked", locked)
    plant_key(planted, "receipt key", head.receipt_key.private_pem)
    with asyncssh_server(head.server, (Ed25519Key.generate(), key)) as server:
        endpoint = replace(server.endpoint(), private_key=locked, passphrase=passphrase)
        other = Ed25519Key.generate()
        cases = {
            "a passphrase that is wrong": replace(endpoint, passphrase=wrong),
            "a passphrase that is missing": replace(endpoint, passphrase=None),
            "a key that cannot be read": replace(endpoint, private_key="-----BEGIN OPENSSH PRIVATE KEY-----\n" + planted.make("SFTP key, no key")),
            "a refused key": replace(endpoint, private_key=other.private_openssh, passphrase=None),
            "another host key": replace(endpoint, host_keys=(other.public_openssh,)),
        }  # fmt: skip
        plant_key(planted, "SFTP key, refused", other.private_openssh)
        for client in (Client.OPENSSH, Client.ASYNCSSH) if openssh.found() else (Client.ASYNCSSH,):
            for name, spoiled in cases.items():
                planted.saw("how an endpoint shows itself", repr(spoiled) + str(spoiled))
                with (
                    _watched(planted, f"{client}, {name}"),
                    SftpRemote(spoiled, Tuning(client=client)) as remote,
                ):
                    remote.files("/")
            head.release(
                b"id\n1\n",
                occurrence="2026-11-20" if client is Client.OPENSSH else "20261120T0101Z",
                done="x.done",
            )
            with (
                _watched(planted, f"a collection by {client}"),
                SftpRemote(endpoint, Tuning(client=client)) as remote,
                head.share() as share,
            ):
                ground = head.ground(remote, share)
                assert all(one.error is None for one in collect(ground, DAY))
                planted.saw("how a ground shows itself", repr(ground))
                planted.saw("processes", _processes())
    for top, _, files in os.walk(folder):
        for file in files:
            planted.saw(
                "share and server", f"{top}/{file}\n" + (Path(top) / file).read_text(errors="replace")
            )


def locked_by(passphrase: str, key: Ed25519Key) -> str:
    """Give the private key as a file that asks for a passphrase."""
    private = serialization.load_ssh_private_key(key.private_openssh.encode(), None)
    return private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.OpenSSH,
        serialization.BestAvailableEncryption(passphrase.encode()),
    ).decode()


def plant_key(planted: Planted, place: str, text: str) -> None:
    """Take the longest line that is not the same in every key, without its public half: another's may begin alike."""
    lines = text.splitlines()[2:-1] or text.splitlines()[1:-1]
    planted.plant(place, max((_PUBLIC.sub("", line) for line in lines), key=len))


_PUBLIC = re.compile(r"^.*C3NzaC1lZDI1NTE5AAAAI.{0,4}")
"""Of a line in which the public half of an Ed25519 key begins: up to where that is one key's own."""


def _processes() -> str:
    """Command lines and environments of what this process has started."""
    said, family = "", {os.getpid()}
    for stat in sorted(Path("/proc").glob("[0-9]*/stat"), key=lambda path: int(path.parent.name)):
        with suppress(OSError):
            parent = int(stat.read_text().rsplit(") ", 1)[1].split()[1])
            if parent in family:
                family.add(int(stat.parent.name))
                for part in ("cmdline", "environ"):
                    said += (
                        f"{stat.parent.name} {(stat.parent / part).read_bytes().decode(errors='replace')}\n"
                    )
    return said


def schedulers(planted: Planted, folder: Path) -> None:
    """Speak to an Automation API that refuses, fails and repeats; with a token, and with a password."""
    made = certificates.make(folder / "certificates")
    trusted = ssl.create_default_context(cafile=str(made.authority))
    with _echoing(secure=made.server_side()) as port:
        for status in ("401", "400", "500", "403", "302"):
            token, password = (
                planted.make(f"Control-M token, {status}"),
                planted.make(f"Control-M password, {status}"),
            )
            credentials: tuple[Token | Login, ...] = (
                Token(partial(str, token)),
                Login("us", partial(str, password)),
            )
            for one in credentials:
                for context, what in ((trusted, "refused"), (ssl.create_default_context(), "not trusted")):
                    with (
                        _watched(planted, f"Control-M, {status}, {what}"),
                        Session(
                            Line(f"https://127.0.0.1:{port}/{status}", context, 5), one, lambda _: None
                        ) as session,
                    ):
                        answer = session.send(Request("GET", "/deploy/jobs", "reading", again=False))
                        planted.saw(f"what Control-M answers, {status}", answer.body.decode(errors="replace"))


def tellers(planted: Planted, _: Path) -> None:
    """Tell a webhook and a mail relay that refuse, fail and repeat."""
    slot = bridge.SLOT
    notice = Notice("p", "DEV", datetime(2026, 11, 20, tzinfo=UTC), (Concern(slot, Kind.LATE, "late"),))
    with _echoing() as port:
        for status in ("403", "500", "404", "302"):
            secret = quote(planted.make(f"webhook, {status}"), safe="")
            hook = Webhook(f"http://127.0.0.1:{port}/{status}/{secret}")
            planted.saw("how a webhook shows itself", repr(hook))
            with _watched(planted, f"a webhook, {status}"):
                hook.tell(notice)
        for form in (
            "http://127.0.0.1:9/{}",
            "http://u:{}@127.0.0.1:9/",
            "nothing:{}",
            "https://127.0.0.1:9/?key={}",
        ):
            with _watched(planted, f"a webhook, {form}"):
                Webhook(form.format(quote(planted.make(f"webhook {form}"), safe=""))).tell(notice)
    with relaying() as relay:
        relay.user, relay.password = "us", "another"
        for starttls in (True, False):
            password = planted.make(f"mail password, starttls {starttls}")
            given = Relay("127.0.0.1", relay.port, starttls, "us", password)
            planted.saw("how a relay shows itself", repr(given))
            with _watched(planted, "mail"):
                Mail(given, "a@example.org", ("b@example.org",)).tell(notice)


def stores(planted: Planted, _: Path) -> None:
    """Ask an S3 that refuses, fails and repeats."""
    with _echoing() as port:
        for status in ("403", "400", "404"):
            session = boto3.Session(
                "AKIAIOSFODNN7EXAMPLE",
                planted.make(f"AWS secret key, {status}"),
                planted.make(f"AWS session token, {status}"),
                "eu-west-2",
            )
            account = S3Account(session, f"http://127.0.0.1:{port}/{status}")
            store = S3Store("reports", account=account)
            for name, call in {
                "head": lambda store=store: store.head("x"),
                "read": lambda store=store: store.read("x"),
                "put": lambda store=store: store.put_new("x", b"1"),
                "list": lambda store=store: list(store.list("x")),
                "versions": lambda store=store: store.versions("x"),
            }.items():
                planted.saw("how a store shows itself", repr(store) + repr(account))
                with _watched(planted, f"S3, {status}, {name}"):
                    call()  # type: ignore[no-untyped-call]


_COMMANDS = (
    ("check",),
    ("explain", "disputes", "-e", "DEV"),
    ("needs", "-e", "DEV"),
    ("deploy", "render", "-e", "PRD", "--out", "{folder}/rendered"),
    ("deploy", "schedule", "render", "--kind", "systemd", "-e", "PRD", "--out", "{folder}/schedules"),
    ("run", "disputes", "-e", "DEV", "--date", "latest", "-v"),
    ("collect", "-e", "DEV"),
    ("status", "-e", "DEV"),
    ("watch", "-e", "DEV"),
    ("trace", "disputes/2026-11-20", "-e", "DEV"),
    ("keys", "status", "-e", "DEV", "--host"),
)


def commands(planted: Planted, folder: Path) -> None:
    """Type commands in an environment that is full of secrets; what they print and write is looked at."""
    project = folder / "project"
    shutil.copytree(_EXAMPLE, project)
    (project / "keys").mkdir()
    key = Ed25519Key.generate()
    for name in ("controlm", "receipts.pem"):
        plant_key(planted, f"keys/{name}", key.private_openssh if name == "controlm" else key.private_pem)
        (project / "keys" / name).write_text(key.private_openssh if name == "controlm" else key.private_pem)
    (project / "keys" / "sftp_host.pub").write_text(key.public_openssh)
    (project / "keys" / "receipts.pub").write_text(key.public_pem)
    words = (
        "EIDV_CLIENT_SECRET",
        "EIDV_API_KEY",
        "EIDV_TOKEN",
        "EIDV_PASSWORD",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "CONTROLM_TOKEN",
    )
    secrets = {word: planted.make(f"environment: {word}") for word in words}
    with _echoing() as port:
        echo = f"http://127.0.0.1:{port}"
        environ = {
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            **secrets,
            "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
            "AWS_ENDPOINT_URL": f"{echo}/403",
            "AWS_EC2_METADATA_DISABLED": "true",
            "EIDV_API_URL": f"{echo}/500",
            "EIDV_READY_URL": f"{echo}/403",
            "EIDV_TOKEN_URL": f"{echo}/401/token",
            "EIDV_ARCHIVE": str(folder / "archive"),
            "TMPDIR": str(folder),
        }
        with ThreadPoolExecutor(2) as two:
            ended = list(two.map(lambda command: _typed(command, project, folder, environ), _COMMANDS))
    for command, (code, said) in zip(_COMMANDS, ended, strict=True):
        assert "Traceback" not in said, f"{' '.join(command)}: {said[-1500:]}"
        assert code != UsageError.exit or command[0] in {"run", "keys", "trace"}, (
            f"{' '.join(command)}: {said[-500:]}"
        )
        planted.saw(f"what `{' '.join(command)}` printed", said)
    for top, _, files in os.walk(folder):
        for file in files:
            if Path(top).name != "keys":
                planted.saw("rendered files", (Path(top) / file).read_text(errors="replace"))


def _typed(
    command: tuple[str, ...], project: Path, folder: Path, environ: Mapping[str, str]
) -> tuple[int, str]:
    words = [word.format(folder=folder) for word in command]
    ended = subprocess.run(
        [sys.executable, "-m", "landbridge", *words, "--project", str(project)],
        env=dict(environ), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=folder, timeout=240, check=False,
    )  # fmt: skip
    return ended.returncode, ended.stdout.decode(errors="replace")


SCENES: tuple[Callable[[Planted, Path], None], ...] = (
    apis,
    databases,
    lines,
    schedulers,
    tellers,
    stores,
    commands,
)


def canaries(seed: int = 17) -> Figure:
    """Plant them, let everything fail, and look for them."""
    began, planted = time.monotonic(), Planted(random.Random(seed))
    with ExitStack() as stack:
        for scene in SCENES:
            scene(
                planted, Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="landbridge-canaries-")))
            )
    found = planted.found()
    assert not found, f"{len(found)} found: " + "; ".join(found[:10])
    return Figure(
        "secret canaries planted: 0 found",
        ASKED,
        len(planted.values),
        round(time.monotonic() - began, 1),
        seed,
        f"looked for in {len(planted.seen)} places, as they are and in five encodings: errors, logs at the most talkative level, "
        "what commands print and render, evidence, share and server, command lines and environments of children",
    )
