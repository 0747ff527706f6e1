"""Does every implementation of the Remote port keep its promise?"""

from __future__ import annotations

import hashlib
import random
import resource
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from landbridge.errors import DiskFailed, IntegrityBroken, NotFound, ShareRefused, Unavailable
from landbridge.facts import Content, Fetched
from landbridge.ports import RemoteFile
from landbridge.sftp.client import SftpRemote
from landbridge.sftp.endpoint import Client, Endpoint, Tuning
from reliability.memory_s3 import MemoryS3, MemoryStore
from reliability.memory_sftp import MemoryRemote, MemorySftp
from tests.contract.sftp_clients import CLIENTS, needs_ssh
from tests.fakes.folder_remote import FolderRemote
from tests.servers import sftp
from tests.servers.seaweed import SFTP_BUCKET

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from landbridge.ports import Remote
    from tests.servers.seaweed import Lent

needs_sshd = pytest.mark.skipif(sftp.SSHD is None, reason="OpenSSH's sshd is not installed")
KINDS = (
    ("fake", None),
    ("memory", None),
    *(
        pytest.param((server, client), id=f"{client}-to-{server}", marks=marks)
        for server, server_marks in (("asyncssh", ()), ("openssh", (needs_sshd,)), ("seaweed", ()))
        for client, marks in (
            (Client.OPENSSH, (needs_ssh, *server_marks)),
            (Client.ASYNCSSH, server_marks),
        )
    ),
)


@dataclass(frozen=True)
class Stand:
    """A remote, and the other side of it."""

    remote: Remote
    at: Callable[[str], str]
    """Where the remote finds `outbound/x`."""
    put: Callable[[str, bytes], None]
    """Write `outbound/x` as the cloud side does."""
    got: Callable[[str], bytes]
    """Read `receipts/x` as the cloud side does."""

    def outbound(self, name: str, body: bytes) -> str:
        self.put(f"outbound/{name}", body)
        return self.at(f"outbound/{name}")


@pytest.fixture(params=KINDS)
def stand(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stand]:
    kind, client = request.param
    with _stand(kind, client, request, tmp_path / "server") as made:
        yield made


@contextmanager
def _stand(kind: str, client: Client, request: pytest.FixtureRequest, folder: Path) -> Iterator[Stand]:
    tuning = Tuning(client=client)
    if kind == "seaweed":
        server: Lent = request.getfixturevalue("seaweed")
        endpoint = Endpoint(
            "127.0.0.1",
            server.sftp_port,
            "collector",
            server.user_key.private_openssh,
            (server.host_key.public_openssh,),
        )
        # The lent server is shared: a folder of our own below each prefix.
        home = f"t{random.randrange(10**9)}"

        def key(path: str) -> str:
            prefix, _, rest = path.partition("/")
            return f"{prefix}/{home}/{rest}".rstrip("/")

        def put_object(path: str, body: bytes) -> None:
            server.client.put_object(Bucket=SFTP_BUCKET, Key=key(path), Body=body)

        with SftpRemote(endpoint, tuning) as remote:
            yield Stand(
                remote,
                lambda path: f"/{key(path)}",
                put_object,
                lambda path: server.client.get_object(Bucket=SFTP_BUCKET, Key=key(path))["Body"].read(),
            )
        return
    if kind == "memory":
        s3 = MemoryS3()

        def put_there(path: str, body: bytes) -> None:
            s3.put("reports", path, body, "", new=False)

        here = MemoryRemote(MemorySftp(s3, "reports"))
        yield Stand(here, lambda path: f"/{path}", put_there, MemoryStore(s3, "reports").read)
        return
    for name in ("outbound", "receipts"):
        (folder / name).mkdir(parents=True)

    def put(path: str, body: bytes) -> None:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(body)

    with ExitStack() as stack:
        if kind == "fake":
            yield Stand(
                FolderRemote(folder), lambda path: f"/{path}", put, lambda path: (folder / path).read_bytes()
            )
            return
        start = sftp.openssh_server if kind == "openssh" else sftp.asyncssh_server
        running = stack.enter_context(start(folder))
        remote = stack.enter_context(SftpRemote(running.endpoint(), tuning))
        yield Stand(
            remote, lambda path: f"{running.home}/{path}", put, lambda path: (folder / path).read_bytes()
        )


def _bytes(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


def _listed(path: str, size: int) -> RemoteFile:
    return RemoteFile(path, path.rsplit("/", 1)[-1], size)


def _content(body: bytes) -> Content:
    return Content(len(body), hashlib.sha256(body).hexdigest(), 0)


def test_files_are_listed_by_name_and_folders_apart(stand: Stand) -> None:
    for name in ("b.csv", "a.csv", "sub/c.csv"):
        stand.outbound(name, b"123")
    listed = stand.remote.files(stand.at("outbound"))
    assert [(file.name, file.size) for file in listed] == [("a.csv", 3), ("b.csv", 3)]
    assert stand.remote.read(listed[0].path) == b"123"
    assert stand.remote.folders(stand.at("outbound")) == ["sub"]


def test_a_folder_that_is_not_there_is_empty(stand: Stand) -> None:
    assert stand.remote.files(stand.at("outbound/never")) == []
    assert stand.remote.folders(stand.at("outbound/never")) == []


def test_many_small_files_come_in_the_order_asked(stand: Stand) -> None:
    bodies = [_bytes(size, seed=size) for size in (0, 1, 700, 40_000, 70_000)]
    for body in bodies:
        stand.outbound(f"many/f{len(body):05}", body)
    listed = stand.remote.files(stand.at("outbound/many"))
    assert stand.remote.read_many(listed[::-1]) == bodies[::-1]
    assert stand.remote.read_many([]) == []
    for body in bodies:
        stand.outbound(f"many/f{len(body):05}", body + b"more")
    assert stand.remote.read_many(listed) == [body + b"more" for body in bodies]


def test_what_is_not_there_is_not_found(stand: Stand, tmp_path: Path) -> None:
    missing = stand.at("outbound/missing")
    with pytest.raises(NotFound):
        stand.remote.read(missing)
    with pytest.raises(NotFound):
        stand.remote.read_many([_listed(stand.outbound("there", b"x"), 1), _listed(missing, 1)])
    with pytest.raises(NotFound):
        stand.remote.download(missing, tmp_path / "part", 3)


def test_a_document_is_at_most_a_mebibyte(stand: Stand) -> None:
    body = _bytes(1 << 20)
    assert stand.remote.read(stand.outbound("most", body)) == body
    with pytest.raises(IntegrityBroken):
        stand.remote.read(stand.outbound("more", body + b"x"))


@pytest.mark.parametrize("size", [0, 1, 16_384, 32_768, 32_769, 261_120, 300_000, 5_000_001])
def test_a_download_is_whole_and_hashed(stand: Stand, tmp_path: Path, size: int) -> None:
    body = _bytes(size)
    told: list[int] = []
    came = stand.remote.download(stand.outbound("f", body), tmp_path / "part", size, told.append)
    assert came.content == _content(body)
    assert came.attempts == 1
    assert (tmp_path / "part").read_bytes() == body
    assert sum(told) == size


@pytest.mark.parametrize(
    ("size", "there"), [(300_000, 1), (16_384, 16_000), (3_000_000, 2_999_999), (5_000, 5_000)]
)
def test_a_download_goes_on_where_it_stopped(stand: Stand, tmp_path: Path, size: int, there: int) -> None:
    body = _bytes(size)
    part = tmp_path / "part"
    # Bytes of our own in what is there: they stay, so it was not downloaded again; and the digest is of what is there.
    part.write_bytes(kept := bytes(there))
    came = stand.remote.download(stand.outbound("f", body), part, size)
    assert part.read_bytes() == kept + body[there:]
    assert came.content == _content(kept + body[there:])


def test_a_part_that_is_too_long_is_begun_again(stand: Stand, tmp_path: Path) -> None:
    body = _bytes(9_000)
    (tmp_path / "part").write_bytes(bytes(9_001))
    assert stand.remote.download(stand.outbound("f", body), tmp_path / "part", 9_000).content == _content(
        body
    )


@pytest.mark.parametrize("size", [0, 10, 20_000, 400_000, 3_000_000])
@pytest.mark.parametrize("wrong", [-1, 1, 100_000])
def test_a_file_of_another_length_is_refused(stand: Stand, tmp_path: Path, size: int, wrong: int) -> None:
    path = stand.outbound("f", _bytes(max(0, size + wrong)))
    if size + wrong < 0:
        return
    with pytest.raises(IntegrityBroken):
        stand.remote.download(path, tmp_path / "part", size)


def test_many_downloads_at_once_do_not_mix(stand: Stand, tmp_path: Path) -> None:
    bodies = {f"f{seed}": _bytes(seed * 37_000, seed) for seed in range(24)}
    paths = {name: stand.outbound(name, body) for name, body in bodies.items()}

    def one(name: str) -> bool:
        content = stand.remote.download(paths[name], tmp_path / name, len(bodies[name])).content
        return content == _content(bodies[name]) and (tmp_path / name).read_bytes() == bodies[name]

    with ThreadPoolExecutor(12) as pool:
        assert all(pool.map(one, bodies))


def test_many_small_files_are_downloaded_at_once(stand: Stand, tmp_path: Path) -> None:
    bodies = [_bytes(size, size) for size in (40_000, 0, 1, 16_384, 261_120, 32_768)]
    wanted = [
        (stand.outbound(f"f{len(body)}", body), tmp_path / f"{len(body)}", len(body)) for body in bodies
    ]
    told: list[int] = []
    came = stand.remote.download_many(wanted, told.append)
    assert [one.content for one in came if isinstance(one, Fetched)] == [_content(body) for body in bodies]
    assert [into.read_bytes() for _, into, _ in wanted] == bodies
    assert sum(told) == sum(map(len, bodies))
    assert stand.remote.download_many([]) == []
    stand.remote.close()
    assert [type(one) for one in stand.remote.download_many(wanted)] == [Unavailable] * len(wanted)


def test_what_goes_wrong_with_one_download_keeps_no_other_from_coming(stand: Stand, tmp_path: Path) -> None:
    body = _bytes(20_000)
    path = stand.outbound("f", body)
    (tmp_path / "begun").write_bytes(kept := bytes(7_000))
    came = stand.remote.download_many(
        [
            (path, tmp_path / "first", 20_000),
            (stand.at("outbound/missing"), tmp_path / "second", 20_000),
            (path, tmp_path / "third", 19_999),
            (path, tmp_path / "no folder" / "fourth", 20_000),
            (path, tmp_path / "begun", 20_000),
            (path, tmp_path / "last", 20_000),
        ]
    )
    assert [type(one) for one in came] == [Fetched, NotFound, IntegrityBroken, ShareRefused, Fetched, Fetched]
    assert [one.content for one in came if isinstance(one, Fetched)] == [
        _content(body),
        _content(kept + body[7_000:]),
        _content(body),
    ]
    assert (tmp_path / "last").read_bytes() == body


def test_a_disk_that_refuses_is_told_as_such(stand: Stand, tmp_path: Path) -> None:
    path = stand.outbound("f", _bytes(400_000))
    with pytest.raises(ShareRefused):
        stand.remote.download(path, tmp_path / "no folder" / "part", 400_000)
    with pytest.raises((ShareRefused, DiskFailed)):
        stand.remote.download(path, tmp_path, 400_000)
    assert stand.remote.download(path, tmp_path / "part", 400_000).content == _content(_bytes(400_000))


def test_a_full_disk_leaves_what_came_and_the_remote_usable(stand: Stand, tmp_path: Path) -> None:
    body = _bytes(3_000_000)
    path = stand.outbound("f", body)
    with _no_file_above(1_000_000), pytest.raises((ShareRefused, DiskFailed)):
        stand.remote.download(path, tmp_path / "part", 3_000_000)
    left = (tmp_path / "part").read_bytes()
    assert left == body[: len(left)]
    for name in ("part", "p1", "p2", "p3"):
        assert stand.remote.download(path, tmp_path / name, 3_000_000).content == _content(body)


@contextmanager
def _no_file_above(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_receipt_is_put_with_its_folder_and_again(stand: Stand) -> None:
    path = "receipts/2026-11-20/f.2026-11-20.0001.json"
    for _ in range(2):
        stand.remote.write(stand.at(path), b"{}\n")
        assert stand.got(path) == b"{}\n"


def test_many_receipts_are_put_at_once(stand: Stand) -> None:
    bodies = {f"receipts/2026-11-20/f{number}.json": _bytes(number, number) for number in (1, 500, 33_000)}
    assert stand.remote.write_many([(stand.at(path), body) for path, body in bodies.items()]) == [None] * 3
    assert {path: stand.got(path) for path in bodies} == bodies
    assert stand.remote.write_many([]) == []
    stand.remote.close()
    answers = stand.remote.write_many([(stand.at(path), b"") for path in bodies])
    assert [type(answer) for answer in answers] == [Unavailable] * 3


@pytest.mark.parametrize("client", CLIENTS)
def test_what_goes_wrong_with_one_receipt_keeps_no_other_from_being_put(
    tmp_path: Path, client: Client
) -> None:
    (tmp_path / "file").touch()
    wanted = [(f"/{number}", b"%d" % number) for number in range(200)]
    wanted[7] = ("/file/7", b"")
    with (
        sftp.asyncssh_server(tmp_path) as server,
        SftpRemote(server.endpoint(), Tuning(client=client)) as remote,
    ):
        answers = remote.write_many(wanted)
    assert [number for number, answer in enumerate(answers) if answer] == [7]
    assert all((tmp_path / path[1:]).read_bytes() == body for path, body in wanted if path != "/file/7")


def test_a_closed_remote_is_unavailable(stand: Stand) -> None:
    stand.remote.files(stand.at("outbound"))
    stand.remote.close()
    stand.remote.close()
    with pytest.raises(Unavailable):
        stand.remote.files(stand.at("outbound"))


@pytest.mark.parametrize("client", CLIENTS)
def test_a_small_window_is_enough(tmp_path: Path, client: Client) -> None:
    (tmp_path / "server").mkdir()
    bodies = {f"f{seed}": _bytes(700_000, seed) for seed in range(4)}
    for name, body in bodies.items():
        (tmp_path / "server" / name).write_bytes(body)
    with (
        sftp.asyncssh_server(tmp_path / "server") as server,
        SftpRemote(server.endpoint(), Tuning(window=100_000, client=client)) as remote,
        ThreadPoolExecutor(4) as pool,
    ):
        results = pool.map(lambda name: remote.download(f"/{name}", tmp_path / name, 700_000), bodies)
        assert [one.content for one in results] == [_content(body) for body in bodies.values()]
