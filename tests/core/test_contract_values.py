"""Which values of a column a contract's YAML may name, and which it may not; and what their texts are."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from landbridge.contract import texts
from landbridge.contract.columns import ColumnRule, Kind, parts_of
from landbridge.contract.engine import engine
from landbridge.contract.sql import literal
from landbridge.contract.values import Reach, reach, shown, value_of

if TYPE_CHECKING:
    from pathlib import Path

DAY = date(2026, 12, 31)
NOON = datetime(2026, 12, 31, 12, 0)  # noqa: DTZ001 - without a zone on purpose
STAMP, ZONED = ColumnRule("v", "timestamp"), ColumnRule("v", "timestamp", zoned=True)


def formed(kind: Kind, form: str) -> ColumnRule:
    return ColumnRule("v", kind, format=form, form=parts_of(form), zoned="X" in form)


@pytest.mark.parametrize(
    ("column", "given", "value"),
    [
        (ColumnRule("v", "string"), 7, "7"),
        (ColumnRule("v", "string"), "true", "true"),
        (ColumnRule("v", "binary"), "QQ==", "QQ=="),
        (ColumnRule("v", "integer"), "-7", -7),
        (ColumnRule("v", "boolean"), "false", False),
        (ColumnRule("v", "boolean"), "true", True),
        (ColumnRule("v", "float"), "0.1", 0.1),
        (ColumnRule("v", "decimal", precision=5, scale=2), "999.99", Decimal("999.99")),
        (ColumnRule("v", "decimal", precision=5, scale=2), 7, Decimal(7)),
        (ColumnRule("v", "date"), DAY, DAY),
        (ColumnRule("v", "date"), "2026-12-31", DAY),
        (formed("date", "dd.MM.yyyy"), "31.12.2026", DAY),
        (formed("date", "dd.MM.yyyy"), DAY, DAY),
        (ColumnRule("v", "time"), "12:00:00", time(12)),
        (formed("time", "HHmm"), "1230", time(12, 30)),
        (STAMP, DAY, datetime(2026, 12, 31)),  # noqa: DTZ001
        (STAMP, NOON, NOON),
        (ZONED, NOON, NOON.replace(tzinfo=UTC)),
        (ZONED, "2026-12-31T12:00:00+01:00", NOON.replace(tzinfo=timezone(timedelta(hours=1)))),
        (
            formed("timestamp", "yyyyMMdd HH:mm:ss.SSSXXX"),
            "20261231 12:00:00.500Z",
            NOON.replace(microsecond=500_000, tzinfo=UTC),
        ),
        (
            formed("timestamp", "yyyyMMdd HHXXX"),
            "20261231 12-01:30",
            NOON.replace(tzinfo=timezone(-timedelta(hours=1, minutes=30))),
        ),
        (formed("timestamp", "yyyyMMdd HH"), "20261231 12", NOON),
    ],
)
def test_a_value_of_the_column(column: ColumnRule, given: object, value: object) -> None:
    found = value_of(column, given)
    assert (found, type(found)) == (value, type(value))
    assert value_of(column, None) is None


@pytest.mark.parametrize(
    ("column", "given"),
    [
        (ColumnRule("v", "string"), True),
        (ColumnRule("v", "string"), ["a"]),
        (ColumnRule("v", "integer"), True),
        (ColumnRule("v", "integer"), 1.5),
        (ColumnRule("v", "integer"), "1.5"),
        (ColumnRule("v", "integer"), "+1"),
        (ColumnRule("v", "boolean"), 1),
        (ColumnRule("v", "boolean"), "True"),
        (ColumnRule("v", "float"), True),
        (ColumnRule("v", "float"), "1e400"),
        (ColumnRule("v", "float"), "NaN"),
        (ColumnRule("v", "float"), "inf"),
        (ColumnRule("v", "decimal", precision=5, scale=2), False),
        (ColumnRule("v", "decimal", precision=5, scale=2), "1000"),
        (ColumnRule("v", "decimal", precision=5, scale=2), "-1000"),
        (ColumnRule("v", "decimal", precision=5, scale=2), "0.001"),
        (ColumnRule("v", "date"), NOON),
        (ColumnRule("v", "date"), time(12)),
        (ColumnRule("v", "date"), "31.12.2026"),
        (ColumnRule("v", "date"), "2026-02-30"),
        (formed("date", "dd.MM.yyyy"), "2026-12-31"),
        (formed("date", "dd.MM.yyyy"), "31x12x2026"),
        (formed("date", "dd.MM.yyyy"), "٣١.12.2026"),
        (ColumnRule("v", "time"), DAY),
        (ColumnRule("v", "time"), "25:00:00"),
        (STAMP, time(12)),
        (STAMP, NOON.replace(tzinfo=UTC)),
        (STAMP, "2026-12-31T12:00:00Z"),
        (STAMP, 7),
    ],
)
def test_no_value_of_the_column(column: ColumnRule, given: object) -> None:
    with pytest.raises(ValueError, match="`"):
        value_of(column, given)


@pytest.mark.parametrize(
    ("number", "up", "own"),
    [
        ("9.994", True, "10.00"),
        ("9.994", False, "9.99"),
        ("-9.994", True, "-9.99"),
        ("-9.994", False, "-10.00"),
        ("999.99", True, "999.99"),
        ("999.991", False, "999.99"),
        ("999.991", True, Reach.BEYOND),
        ("-999.991", True, "-999.99"),
        ("-999.991", False, Reach.BELOW),
        ("1000", False, Reach.BEYOND),
        ("-1000", True, Reach.BELOW),
        ("1e999", True, Reach.BEYOND),
        ("1e99999999999", True, Reach.BEYOND),  # of which nobody could write the digits
        ("-1e99999999999", False, Reach.BELOW),
        ("1e-99999999999", True, "0.01"),
    ],
)
def test_the_decimal_of_a_column_next_to_a_number(number: str, up: bool, own: str | Reach) -> None:
    column = ColumnRule("v", "decimal", precision=5, scale=2)
    found = reach(column, Decimal(number), up=up)
    assert (str(found) if isinstance(found, Decimal) else found) == own


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "NULL"),
        (True, "true"),
        (False, "false"),
        (-7, "-7"),
        (Decimal("1E+3"), "1000"),
        (Decimal("-0.50"), "CAST('-0.50' AS DECIMAL(2, 2))"),
        (Decimal("12.5"), "CAST('12.5' AS DECIMAL(3, 1))"),
        (Decimal("0." + "1" * 38), f"CAST('0.{'1' * 38}' AS DECIMAL(38, 38))"),
        (Decimal("0." + "1" * 39), "0." + "1" * 39),
        (0.1, "CAST('0.1' AS DOUBLE)"),
        ("it's", "'it''s'"),
        (DAY, "DATE '2026-12-31'"),
        (time(12, 30), "TIME '12:30:00'"),
        (NOON, "TIMESTAMP '2026-12-31 12:00:00'"),
        (NOON.replace(tzinfo=UTC), "TIMESTAMPTZ '2026-12-31 12:00:00+00:00'"),
    ],
)
def test_a_value_as_it_stands_in_a_query(value: Any, text: str) -> None:
    assert literal(value) == text


def test_a_long_list_is_shortened() -> None:
    assert shown([None, "a"]) == "null, a"
    assert shown(range(12)).endswith("10, 11")
    assert shown(range(14)).endswith("10, 11 and 2 more")


def test_a_pattern_is_judged_once_and_its_reason_told() -> None:
    assert texts.mismatch("v", "a'b") == "NOT regexp_matches(v, 'a''b')"
    for _ in range(2):
        with pytest.raises(ValueError, match=r"the pattern is not supported: .*invalid perl operator"):
            texts.mismatch("v", "(?=a)")


def test_questions_of_a_contract_see_no_file_and_leave_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id\n1\n", encoding="utf-8")
    with engine() as connection:
        connection.execute("CREATE TEMP TABLE things (id INT)")
        with pytest.raises(duckdb.PermissionException):
            connection.execute(f"SELECT * FROM '{tmp_path / 'a.csv'}'")
    with engine() as connection, pytest.raises(duckdb.CatalogException):
        connection.execute("SELECT * FROM things")
    with engine() as one, engine() as other:
        one.execute("CREATE TEMP TABLE things (id INT)")
        other.execute("CREATE TEMP TABLE things (day DATE)")
        assert (one.execute("DESCRIBE things").fetchall(), other.execute("DESCRIBE things").fetchall()) == (
            [("id", "INTEGER", "YES", None, None, None)],
            [("day", "DATE", "YES", None, None, None)],
        )
