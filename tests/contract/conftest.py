"""What do tests of both SFTP clients ask for?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from landbridge.sftp.endpoint import Tuning
from tests.contract.sftp_clients import CLIENTS
from tests.servers.sftp import asyncssh_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers.sftp import Sftp


@pytest.fixture(params=CLIENTS)
def tuning(request: pytest.FixtureRequest) -> Tuning:
    """Give the tuning that chooses one of the clients, which is not long in finding out that nobody answers."""
    return Tuning(client=request.param, connect_timeout=4)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Sftp]:
    """Lend a server in this process, with a folder of its own."""
    (tmp_path / "server").mkdir()
    with asyncssh_server(tmp_path / "server") as running:
        yield running
