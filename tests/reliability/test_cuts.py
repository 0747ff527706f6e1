"""Does every file come whole over a line that is cut at any byte?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from landbridge.sftp.client import SftpRemote
from landbridge.sftp.endpoint import Client, Tuning
from reliability.cuts import collections_cut, download_cut, downloads_cut, offsets
from tests.servers.line import line_to
from tests.servers.sftp import asyncssh_server
from tests.stories.bridgehead import some_bytes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from landbridge.facts import Fetched

pytestmark = pytest.mark.reliability


@pytest.mark.timeout(300)
def test_a_download_that_is_cut_goes_on_and_is_the_same_file() -> None:
    figure = downloads_cut()
    assert figure.is_reached, figure


@pytest.mark.timeout(300)
def test_a_collection_that_is_cut_anywhere_lands_its_file_once() -> None:
    figure = collections_cut()
    assert figure.is_reached, figure


def test_the_first_and_the_last_byte_are_cut_and_every_packets_ends() -> None:
    chosen = offsets(300_000, 700, 1)
    assert {0, 1, 299_999, 300_000} <= set(chosen)
    assert all(any(abs(at - border) < 3 for at in chosen) for border in range(0, 300_000, 32 << 10))
    assert len(chosen) == len(set(chosen)) >= 700


class _Careless(SftpRemote):
    """Goes on behind a block that it never wrote."""

    def download(
        self, path: str, into: Path, size: int, watch: Callable[[int], None] | None = None
    ) -> Fetched:
        if into.exists():
            with into.open("ab") as file:
                file.write(bytes(1000))
        return super().download(path, into, size, watch)


def test_a_client_that_goes_on_at_the_wrong_place_is_found_out(tmp_path: Path) -> None:
    body = some_bytes(300_000)
    (tmp_path / "server").mkdir()
    (tmp_path / "server" / "file").write_bytes(body)
    with (
        asyncssh_server(tmp_path / "server") as server,
        line_to(server.port) as line,
        _Careless(server.endpoint(line.port), Tuning(client=Client.ASYNCSSH)) as remote,
        pytest.raises(AssertionError, match="other bytes"),
    ):
        download_cut(remote, line, body, tmp_path / "part", [150_000], "/file")
