"""Which servers may every test ask for?"""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from examples.servers import postgres as servers
from landbridge.cli.pasted import remember
from landbridge.events import listen
from tests.deploy.controlm_stage import certificates, controlm_stage  # noqa: F401 - fixtures for all
from tests.servers import ministack as accounts
from tests.servers import seaweed as stores

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

# A busy machine is no defect, and what fails on one machine fails on the other. `--hypothesis-profile=searching` draws anew.
_BUSY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("searching", _BUSY, derandomize=False)
settings.register_profile("same", _BUSY, derandomize=True)
settings.load_profile("same")


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Started in the background of a script, where Ctrl-C is ignored: the programs under test would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Generator[None, object, object]:
    """Give each test the variables and the silence of a fresh process, in which no command was typed.

    The product brings credentials of a twin into its own, a command's log goes to the standard error of its test, hints
    name the options of the command before them, and a command listens to Ctrl-C in its own way.
    """
    before = os.environ.copy()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        return (yield)
    finally:
        for name in os.environ.keys() - before.keys():
            del os.environ[name]
        os.environ.update(before)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        listen(None, "error")
        remember([])


@pytest.fixture(scope="session")
def postgres() -> Iterator[servers.Postgres]:
    """Lend one real PostgreSQL for the whole session; make a database or schema of your own in it."""
    with servers.running() as server:
        yield server


@pytest.fixture(scope="session")
def seaweed() -> Iterator[stores.Lent]:
    """Lend one real S3 and SFTP server for the whole session; make buckets of your own in it."""
    with stores.lent() as server:
        yield server


@pytest.fixture(scope="session")
def ministack() -> Iterator[accounts.Ministack]:
    """Lend one AWS account for the whole session; name everything in it after your own test."""
    with accounts.running() as account:
        yield account
