"""Does a download survive a line that is cut at any byte? A real SFTP server, and a line that ends where it is told to."""

from __future__ import annotations

import hashlib
import random
import tempfile
import time
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from landbridge.collect import collect
from landbridge.errors import Unavailable
from landbridge.released import State
from landbridge.sftp import openssh
from landbridge.sftp.client import SftpRemote
from landbridge.sftp.endpoint import Client, Tuning
from landbridge.sftp.retried import Retried
from reliability.figures import Figure
from tests.servers.line import line_to
from tests.servers.sftp import asyncssh_server
from tests.stories.bridgehead import DAY, Bridgehead

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from landbridge.ports import Remote
    from tests.servers.line import Line

SIZE = 300 << 10
"""Bytes of the file: several blocks of 32 KiB under way at once, and the last one is short."""
ASKED = 1_000
COLLECTED = 40
_PACKET = 32 << 10
"""Bytes of a block of SFTP; its packets on the line are a little longer."""
_ONCE = ([State.DELIVERED], [State.UNRECEIPTED, State.ALREADY_THERE])
_LAST = 80
"""Bytes at the end of a stream of which each is cut off: less than one packet of the file, more than an answer about it,
which may come a little earlier or later."""
_BEYOND = 200
"""Bytes that a file's stream may be longer than measured: answers to what is not the file itself."""


@dataclass(frozen=True, slots=True)
class Cut:
    """One download over a line that was cut."""

    offset: int
    """Bytes of the server's stream, counted from the call on."""
    kept: int
    """Bytes of the file that were on disk after the cut."""
    was_cut: bool
    """Whether the call noticed: not where the file was whole before."""


@contextmanager
def _standing(client: Client) -> Iterator[tuple[Bridgehead, Line, Callable[[], SftpRemote]]]:
    with ExitStack() as stack:
        head = Bridgehead(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="landbridge-cuts-"))))
        server = stack.enter_context(asyncssh_server(head.server))
        line = stack.enter_context(line_to(server.port))
        tuning = Tuning(client=client, connect_timeout=20)
        yield head, line, lambda: SftpRemote(server.endpoint(line.port), tuning)


def offsets(length: int, count: int, seed: int) -> list[int]:
    """Give where to cut a stream of `length` bytes: its first and last ones, around each packet's ends, and by chance.

    Ascending, each once; at least `count`, and so many that the first ones do not use them up.
    """
    near = [0, 1, 2, *range(length - _LAST, length + 1)]
    for border in range(0, length + 1, _PACKET):
        near += range(border - 12, border + 60, 3)  # a packet's head, tag and the next one's head
    drawn = random.Random(seed)
    chosen = {at for at in near if 0 <= at <= length}
    while len(chosen) < count:
        chosen.add(drawn.randrange(length))
    return sorted(chosen)


def download_cut(
    remote: Remote, line: Line, body: bytes, into: Path, at: Sequence[int], path: str
) -> list[Cut]:
    """Download `path` once for each offset over a line that is cut there, go on, and compare.

    Raises:
        AssertionError: what was kept is no beginning of the file, or what came in the end is not the file.
    """
    digest, ended = hashlib.sha256(body).hexdigest(), []
    for offset in at:
        _connected(remote)
        line.cut_in(offset)
        try:
            content = remote.download(path, into, len(body)).content
            kept, was_cut = content.size, False
        except Unavailable:
            left = into.read_bytes() if into.exists() else b""
            assert body.startswith(left), f"cut at {offset}: what was kept is no beginning of the file"
            kept, was_cut = len(left), True
            content = remote.download(path, into, len(body)).content
        line.cut_in(None)
        assert (content.size, content.sha256) == (len(body), digest), f"cut at {offset}: other bytes"
        assert into.read_bytes() == body, f"cut at {offset}: other bytes on disk"
        into.unlink()
        ended.append(Cut(offset, kept, was_cut))
    return ended


def _connected(remote: Remote) -> None:
    """See that there is a line on which nothing else is under way; the last cut may come only now."""
    try:
        remote.folders("/")
    except Unavailable:
        remote.folders("/")


def _last(cut: Callable[[int], bool], most: int) -> int:
    """Give the greatest offset at which a cut is noticed."""
    low, high = 0, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if cut(middle) else (low, middle)
    return low


def downloads_cut(asked: int = ASKED, seed: int = 7) -> Figure:
    """Cut downloads of both of our clients at `asked` offsets in all; the first and the last byte are among each one's."""
    began, reached, notes = time.monotonic(), 0, []
    body = random.Random(seed).randbytes(SIZE)
    clients = (Client.OPENSSH, Client.ASYNCSSH) if openssh.found() else (Client.ASYNCSSH,)
    for client in clients:
        with _standing(client) as (head, line, connect), connect() as remote:
            (head.outbound / "file").write_bytes(body)
            into, path = head.folder / "part", "/outbound/file"
            before = line.sent
            remote.folders("/")
            remote.download(path, into, SIZE)
            remote.folders("/")
            length = line.sent - before
            into.unlink()

            def noticed(
                at: int, remote: Remote = remote, line: Line = line, into: Path = into, path: str = path
            ) -> bool:
                return download_cut(remote, line, body, into, [at], path)[0].was_cut

            last = _last(noticed, length + _BEYOND)
            ended = download_cut(
                remote, line, body, into, offsets(last, asked // len(clients) + 50, seed), path
            )
        cuts = [one for one in ended if one.was_cut]
        assert any(one.kept == 0 for one in cuts), "no cut came before the first byte"
        assert any(0 < one.kept < SIZE for one in cuts), "no cut came within the file"
        assert cuts[-1].offset > last - _LAST, "the last bytes were not cut off"
        reached += len(cuts)
        notes.append(f"{client}: {len(cuts)} offsets of a stream of {last + 1} bytes")
    return Figure(
        "SFTP cut at an offset of a download, resumed, then byte-identical",
        asked,
        reached,
        round(time.monotonic() - began, 1),
        seed,
        "; ".join(notes),
    )


def collections_cut(asked: int = COLLECTED, seed: int = 11) -> Figure:
    """Cut whole collections anywhere in what the server sends, collect again until it is through: the file lands once."""
    began, drawn, reached = time.monotonic(), random.Random(seed), 0
    with _standing(Client.ASYNCSSH) as (head, line, connect):
        body = drawn.randbytes(SIZE)
        length = 0
        for number in range(asked + 1):
            manifest = head.release(body, occurrence=f"20261120T{number // 60:02d}{number % 60:02d}Z")
            before = line.sent
            if length:
                line.cut_after[:] = [drawn.randrange(length) for _ in range(drawn.randrange(1, 4))]
            with closing(Retried(connect(), longest_pause=0.05)) as remote, head.share() as share:
                first = collect(head.ground(remote, share), DAY)
                line.cut_after.clear()
                took = head.seen()
                assert took == {manifest.landed_name: body}, f"{manifest.occurrence}: {first}, {took.keys()}"
                (
                    head.root / manifest.landed_name
                ).unlink()  # the consumer takes it: a second one would be seen
                again = collect(head.ground(remote, share), DAY)
            assert [one.state for one in (*first, *again)] in _ONCE, (
                f"{manifest.occurrence}: {first}, {again}"
            )
            assert not head.seen(), f"{manifest.occurrence}: it landed twice"
            length = length or line.sent - before
            reached += bool(number)
        assert len(head.proven()) == asked + 1
    return Figure(
        "collections cut anywhere, resumed: landed once",
        asked,
        reached,
        round(time.monotonic() - began, 1),
        seed,
    )
