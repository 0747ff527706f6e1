"""Is an upstream waited for, and for how long?"""

from __future__ import annotations

import json
import sqlite3
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from landbridge.errors import ContractBroken, NotPermitted, TryAgain, Unavailable
from landbridge.feed.inputs import Readiness
from landbridge.sources import ready
from landbridge.sources.around import Silent
from landbridge.sources.reached import reached
from landbridge.sources.ready import signal, wait_until_ready
from landbridge.sources.rest import http
from landbridge.stores.folder import FolderStore
from tests.contract.bridge import SLOT, JumpingClock, KnownSecrets, around, declared
from tests.servers import api as servers
from tests.servers.api import Api, as_json

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from examples.servers.postgres import Postgres
    from landbridge.facts import Slot
    from landbridge.feed.inputs import Retries
    from landbridge.ports import Signal
    from landbridge.sources.around import Around


@pytest.fixture
def api() -> Iterator[Api]:
    with servers.running() as running:
        yield running


def _readiness(**keys: Any) -> Readiness:
    return Readiness.model_validate_json(json.dumps(keys))


def _signal(folder: Path, **keys: Any) -> Signal:
    return signal(
        _readiness(signal=keys, limit="1h").signal,
        folder=folder,
        secrets=KnownSecrets({"env:T": "t0ps3cret"}),
        environment="DEV",
        variables={},
        clock=JumpingClock(),
        stores=lambda name: FolderStore(folder / name.removeprefix("s3://")),
    )


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("value", "ready"),
    [("true", True), ("false", False), ("1", True), ("0", False), ("0.5::numeric", True), ("null", False)],
)
def test_a_query_that_is_true_or_above_zero_is_ready(
    postgres: Postgres, tmp_path: Path, value: str, ready: bool
) -> None:
    query = f"SELECT {value} WHERE :business_date = date '2026-11-20'"
    assert _signal(tmp_path, kind="sql", url=postgres.url, query=query).ready(SLOT) is ready


def test_a_query_without_rows_is_not_ready_and_the_next_question_sees_new_rows(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    database.execute("CREATE TABLE loads (day TEXT)")
    asked = _signal(
        tmp_path, kind="sql", url="sqlite:///x.db", query="SELECT 1 FROM loads WHERE day = :business_date"
    )
    assert not asked.ready(SLOT)
    database.execute("INSERT INTO loads VALUES ('2026-11-20')")
    database.close()
    assert asked.ready(SLOT)


def test_a_query_that_says_neither_is_told(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "x.db").close()
    with pytest.raises(ContractBroken, match="does not say yes or no"):
        _signal(tmp_path, kind="sql", url="sqlite:///x.db", query="SELECT 'yes'").ready(SLOT)


@pytest.mark.parametrize(
    ("keys", "body", "ready"),
    [
        ({}, {}, True),
        ({"path": "load.done"}, {"load": {"done": True}}, True),
        ({"path": "load.done"}, {"load": {"done": 1}}, False),
        ({"path": "load.done"}, {}, False),
        ({"path": "day", "equals": "{business_date:%Y-%m-%d}"}, {"day": "2026-11-20"}, True),
        ({"path": "day", "equals": "2026-11-21"}, {"day": "2026-11-20"}, False),
    ],
)
def test_a_url_is_ready_when_its_answer_says_so(
    api: Api, tmp_path: Path, keys: dict[str, str], body: Any, ready: bool
) -> None:
    api.routes["/2026"] = lambda _: as_json(body)
    url = f"{api.url}/{{business_date:%Y}}"
    assert _signal(tmp_path, kind="rest", url=url, **keys).ready(SLOT) is ready


def test_a_url_that_is_not_there_yet_is_not_ready(api: Api, tmp_path: Path) -> None:
    auth = {"kind": "bearer", "token": "env:T"}
    assert not _signal(tmp_path, kind="rest", url=f"{api.url}/no", auth=auth).ready(SLOT)
    assert api.asked[0].headers["authorization"] == "Bearer t0ps3cret"
    api.routes["/no"] = lambda _: as_json({}, 403)
    with pytest.raises(NotPermitted):
        _signal(tmp_path, kind="rest", url=f"{api.url}/no", auth=auth).ready(SLOT)


@pytest.mark.parametrize("path", ["in/{business_date:%Y%m%d}*.done", "s3://b/{business_date:%Y%m%d}*.done"])
def test_a_file_is_ready_when_one_matches(tmp_path: Path, path: str) -> None:
    (tmp_path / "in").mkdir()
    asked = _signal(tmp_path, kind="file", path=path)
    assert not asked.ready(SLOT)
    (tmp_path / "in" / "20261120-x.done").touch()
    FolderStore(tmp_path / "b").put_new("20261120-x.done", b"")
    assert asked.ready(SLOT)


class _After:
    """Says yes after so many questions."""

    def __init__(self, questions: int) -> None:
        self.left = questions

    def ready(self, slot: Slot) -> bool:
        self.left -= 1
        return self.left < 0


_FILE = {"kind": "file", "path": "x"}


def test_it_asks_every_so_often_until_yes() -> None:
    clock = JumpingClock()
    readiness = _readiness(signal=_FILE, every="5m", limit="1h")
    wait_until_ready(readiness, SLOT, _After(3), clock, Silent(), time_zone="Europe/London")
    assert clock.slept == [300, 300, 300]


@pytest.mark.parametrize(
    ("limit", "waited"),
    [({"limit": "12m"}, [300, 300, 120]), ({"until": "06:08"}, [300, 180]), ({"until": "05:00"}, [])],
)
def test_it_gives_up_at_the_limit(limit: dict[str, str], waited: list[float]) -> None:
    clock = JumpingClock()
    readiness = _readiness(signal=_FILE, every="5m", **limit)
    with pytest.raises(
        TryAgain, match=r"the upstream of eidv/2026-11-20 is not ready.*the `file` signal says no"
    ):
        wait_until_ready(readiness, SLOT, _After(99), clock, Silent(), time_zone="Europe/London")
    assert clock.slept == waited


def test_the_limit_is_in_the_zone_of_the_schedule() -> None:
    clock = JumpingClock()
    readiness = _readiness(signal=_FILE, every="1h", until="08:00")
    with pytest.raises(TryAgain, match="ready by 2026-11-21 08:00 CET"):
        wait_until_ready(readiness, SLOT, _After(99), clock, Silent(), time_zone="Europe/Berlin")
    assert clock.slept == [3600]


def test_an_upstream_that_is_away_is_asked_again(tmp_path: Path) -> None:
    clock = JumpingClock()
    away = _signal(tmp_path, kind="sql", url="sqlite:///no.db", query="SELECT 1")
    readiness = _readiness(signal=_FILE, limit="3m")
    with pytest.raises(TryAgain, match=r"says nothing.*`no\.db` cannot be read"):
        wait_until_ready(readiness, SLOT, away, clock, Silent(), time_zone="UTC")
    assert clock.slept == [60, 60, 60]


@pytest.mark.parametrize(
    ("value", "text"), [(True, "true"), (False, "false"), (None, ""), (7, "7"), ("open", "open")]
)
def test_a_value_equals_what_is_declared_as_json_writes_it(value: object, text: str) -> None:
    assert ready._written(value) == text


# Whether a source answers, for the doctor


def test_a_database_is_asked_for_nothing_and_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed, answers = list[str](), [1, 2]
    given = SimpleNamespace(first_value=lambda *_: answers.pop(0), close=lambda: closed.append("closed"))
    monkeypatch.setattr("landbridge.sources.sql.source.snapshot", lambda *_: given)
    one = declared(kind="sql", url="env:DB", query="SELECT 7")
    world = around(tmp_path, {"env:DB": "postgresql://anna:s3cret@h/x\n"})
    assert reached("s", one, world, SLOT) == "postgresql://h/x"
    with pytest.raises(Unavailable, match="with something else"):
        reached("s", one, world, SLOT)
    assert closed == ["closed"] * 2


@pytest.mark.parametrize(("timeout", "waited"), [("5s", 5.0), ("10m", 20.0)])
def test_an_api_is_asked_once_and_not_waited_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, timeout: str, waited: float
) -> None:
    limits: list[tuple[int, float]] = []

    class Noted(http.Http):
        def __init__(self, name: str, given: Around, retries: Retries, pace: http.Pace, limit: float) -> None:
            limits.append((retries.attempts, limit))
            super().__init__(name, given, retries, pace, limit)

    monkeypatch.setattr(http, "Http", Noted)
    with pytest.raises(Unavailable):
        reached("s", declared(kind="rest", url="http://127.0.0.1:9", timeout=timeout), around(tmp_path), SLOT)
    assert limits == [(1, waited)]
