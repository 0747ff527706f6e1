"""What does an error of a database mean, and which of its values can be held? No server is asked."""

from __future__ import annotations

import sqlite3
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pyarrow as pa
import pytest
import sqlalchemy
from sqlalchemy import exc

from landbridge.errors import ContractBroken, LandbridgeError, NotPermitted, Unavailable
from landbridge.sources.sql import alchemy, postgres
from landbridge.sources.sql.sqlite import SqliteSnapshot

EPOCH = date(1970, 1, 1)
FIRST, LAST = (date(1, 1, 1) - EPOCH).days, (date(9999, 12, 31) - EPOCH).days
DAY = 86_400_000_000


@pytest.mark.parametrize(
    ("kind", "number", "is_held"),
    [
        (pa.time64("us"), DAY - 1, True),
        (pa.time64("us"), DAY, False),
        (pa.date32(), FIRST, True),
        (pa.date32(), FIRST - 1, False),
        (pa.date32(), LAST, True),
        (pa.date32(), LAST + 1, False),
        (pa.timestamp("us"), FIRST * DAY, True),
        (pa.timestamp("us"), FIRST * DAY - 1, False),
        (pa.timestamp("us", "UTC"), (LAST + 1) * DAY - 1, True),
        (pa.timestamp("us", "UTC"), (LAST + 1) * DAY, False),
        (pa.timestamp("us"), 2**63 - 1, False),
        (pa.int64(), 2**63 - 1, True),
    ],
)
def test_a_day_outside_the_calendar_is_not_held(kind: pa.DataType, number: int, is_held: bool) -> None:
    """Infinity comes as such a number, and so does 24:00."""
    wide = pa.int32() if pa.types.is_date(kind) else pa.int64()
    for beside in ([], [None], [0]):
        assert postgres._in_calendar(pa.array([*beside, number], wide).cast(kind)) is is_held
    assert postgres._in_calendar(pa.array([None], wide).cast(kind))


@pytest.mark.parametrize(
    ("state", "said", "expected"),
    [
        ("57014", "canceling statement", Unavailable),
        ("42501", "permission denied", NotPermitted),
        ("28000", "no role", NotPermitted),
        ("28P01", "password", NotPermitted),
        ("", 'password authentication failed for user "x"', NotPermitted),
        ("", "no pg_hba.conf entry for host", NotPermitted),
        ("", "connection refused", Unavailable),
        ("08006", "authentication failed on the way", Unavailable),
        ("25006", "cannot execute INSERT in a read-only transaction", ContractBroken),
        ("22003", "out of range", ContractBroken),
        ("42P01", "no such relation", ContractBroken),
        ("0A000", "not supported", ContractBroken),
        ("21000", "more than one row", ContractBroken),
        ("34000", "no cursor", ContractBroken),
        ("53300", "too many connections", Unavailable),
        ("57P01", "terminating connection", Unavailable),
    ],
)
def test_what_postgresql_says_is_about_the_query_the_rights_or_the_server(
    state: str, said: str, expected: type[LandbridgeError]
) -> None:
    assert type(postgres._translation("s", state, said)) is expected


def test_a_value_that_postgresql_could_not_read_is_not_repeated() -> None:
    told = postgres._translation("s", "22P02", 'invalid input syntax for type integer: "4711 Main St"')
    assert "4711" not in str(told)
    assert "invalid input syntax" in told.seen
    assert postgres._said('[libpq] ERROR: it is wrong\nQuery was: SELECT "secret"') == " it is wrong"


@pytest.mark.parametrize(
    ("error", "may_pass"),
    [
        (psycopg.OperationalError("connection refused"), True),
        (psycopg.OperationalError("password authentication failed"), False),
        (psycopg.OperationalError('role "x" does not exist'), False),
        (psycopg.ProgrammingError("connection refused"), False),
        (OSError("connection refused"), False),
    ],
)
def test_a_refused_log_in_is_not_tried_again(error: Exception, may_pass: bool) -> None:
    """Some servers lock a user out after a few."""
    assert postgres._may_pass(error) is may_pass


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("interrupted", Unavailable),
        ("unable to open database file", Unavailable),
        ("database is locked", Unavailable),
        ("disk I/O error", Unavailable),
        ("no such table: t", ContractBroken),
        ("attempt to write a readonly database", ContractBroken),
    ],
)
def test_what_sqlite_says_is_about_the_query_or_the_file(said: str, expected: type[LandbridgeError]) -> None:
    error = sqlite3.OperationalError(said)
    assert type(SqliteSnapshot(Path("x.db"))._translation("s", error)) is expected
    if said == "interrupted":
        return
    through = alchemy.AlchemySnapshot("sqlite://", str)
    through._engine = sqlalchemy.create_engine("sqlite://")
    assert type(through._translation("s", exc.OperationalError("q", {}, error))) is expected


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (exc.ProgrammingError, ContractBroken),
        (exc.DataError, ContractBroken),
        (exc.NotSupportedError, ContractBroken),
        (exc.IntegrityError, ContractBroken),
        (exc.OperationalError, Unavailable),
        (exc.InterfaceError, Unavailable),
    ],
)
def test_what_another_database_says_is_about_the_query_or_the_server(
    kind: type[exc.DBAPIError], expected: type[LandbridgeError]
) -> None:
    told = alchemy.AlchemySnapshot("mysql://", str)._translation(
        "s", kind("q", {}, Exception("no such thing"))
    )
    assert type(told) is expected


@pytest.mark.parametrize(
    ("precision", "scale", "words"),
    [
        (12, 2, {"v": "decimal(12,2)"}),
        (38, 38, {"v": "decimal(38,38)"}),
        (39, 2, {}),
        (12, 0, {}),
        (2, 12, {}),
        (None, None, {}),
        (12, None, {}),
        (None, 2, {}),
    ],
)
def test_only_digits_that_can_be_held_are_taken_from_a_driver(
    precision: int | None, scale: int | None, words: dict[str, str]
) -> None:
    column = ("v", "NUMBER", None, None, precision, scale, None)
    result: Any = SimpleNamespace(cursor=SimpleNamespace(description=[column]))
    assert alchemy._words(result) == words


def test_an_instant_is_bound_in_utc() -> None:
    from landbridge.sources.sql import sqlite

    assert sqlite._text(datetime(2026, 11, 21, 6, tzinfo=UTC)) == "2026-11-21 06:00:00"
    assert sqlite._text(date(2026, 11, 21)) == "2026-11-21"
    assert sqlite._text("x") == "x"
