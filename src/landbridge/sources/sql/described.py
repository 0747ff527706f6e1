"""Which type has each column of a PostgreSQL query, and how does the driver carry it?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import psycopg
import pyarrow as pa
from psycopg import sql as compose
from psycopg.pq import ExecStatus

from landbridge.errors import ContractBroken
from landbridge.sources.columns import WIDEST_DECIMAL, decimal_type

if TYPE_CHECKING:
    from decimal import Decimal

_WIDE = 38
_HEADER = 4
"""Added to the type modifier of a numeric (PostgreSQL: VARHDRSZ)."""
_NUMERIC = 1700
_OID = 26
BPCHAR = 1042
# Types of pg_type.dat that the driver carries exactly; every other type travels as the text that PostgreSQL writes.
_EXACT: dict[int, pa.DataType] = {
    16: pa.bool_(),
    17: pa.binary(),
    20: pa.int64(),
    21: pa.int16(),
    23: pa.int32(),
    25: pa.string(),
    700: pa.float32(),
    701: pa.float64(),
    BPCHAR: pa.string(),
    1043: pa.string(),
    1082: pa.date32(),
    1083: pa.time64("us"),
    1114: pa.timestamp("us"),
    1184: pa.timestamp("us", tz="UTC"),
}


@dataclass(frozen=True)
class Column:
    """One column of a query."""

    name: str
    type: pa.DataType
    oid: int
    """Of its type on the server (pg_type)."""
    cast: str = ""
    """What it is cast to on the server, empty when the driver carries it as it is."""
    measured: bool = False
    """Whether its digits follow from its values, because the query does not declare them."""

    @property
    def carried(self) -> str:
        """Give the SQL of its value as the driver carries it."""
        name = compose.Identifier(self.name).as_string()
        return f"{name}::{self.cast} AS {name}" if self.cast else name


def described(source: str, connection: psycopg.Connection, text: str) -> list[Column]:
    """Ask the server for the columns of a query, without running it (a decimal without digits is measured).

    Raises:
        ContractBroken: the query gives no columns, or two of one name, or a number that no decimal can hold.
        psycopg.Error: the server refuses the query.
    """
    raw = connection.pgconn
    result = raw.prepare(b"", text.encode())
    if result.status == ExecStatus.COMMAND_OK:
        result = raw.describe_prepared(b"")
    if result.status != ExecStatus.COMMAND_OK:
        raise psycopg.errors.error_from_result(result, encoding="utf-8")
    count = result.nfields
    names = [(result.fname(number) or b"").decode() for number in range(count)]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled or not names:
        raise ContractBroken(
            f"source `{source}`: the query gives "
            + (f"several columns named `{doubled[0]}`" if doubled else "no columns"),
            expected="named columns, each once (`AS name`)",
        )
    kinds = [(result.ftype(number), result.fmod(number)) for number in range(count)]
    return [
        _column(source, connection, text, name, oid, modifier)
        for name, (oid, modifier) in zip(names, kinds, strict=True)
    ]


def _column(
    source: str, connection: psycopg.Connection, text: str, name: str, oid: int, modifier: int
) -> Column:
    if oid in _EXACT:
        return Column(name, _EXACT[oid], oid)
    if oid == _OID:
        return Column(name, pa.int64(), oid, "bigint")
    if oid == _NUMERIC:
        declared = _decimal(modifier)
        kind = declared or _measured(source, connection, text, name)
        return Column(name, kind, oid, "text", measured=declared is None)
    return Column(name, pa.string(), oid, "text")


def _decimal(modifier: int) -> pa.DataType | None:
    """Give the decimal that a type modifier declares, None where it declares no digits, or too many."""
    if modifier < 0:
        return None
    precision = (modifier - _HEADER) >> 16 & 0xFFFF
    scale = ((modifier - _HEADER) & 0x7FF ^ 1024) - 1024
    if scale < 0:
        precision, scale = precision - scale, 0
    precision = max(precision, scale)
    return decimal_type(precision, scale) if precision <= WIDEST_DECIMAL else None


def _measured(source: str, connection: psycopg.Connection, text: str, name: str) -> pa.DataType:
    """Give the narrowest decimal for a column without declared digits (`sum(x)`): one more query on the same snapshot."""
    column = compose.Identifier(name)
    row = connection.execute(
        compose.SQL(
            "SELECT pg_catalog.max(pg_catalog.scale({c})), pg_catalog.max(pg_catalog.abs({c})) FROM ({q}\n) AS measured"
        ).format(c=column, q=raw_sql(text))
    ).fetchone()
    scale, largest = row or (None, None)
    if largest is None:
        return decimal_type(_WIDE, 0)
    value = cast("Decimal", largest)
    digits = value.adjusted() + 1 if value.is_finite() else WIDEST_DECIMAL + 1
    needed = max(digits, 0) + (scale or 0)
    if not value.is_finite() or needed > WIDEST_DECIMAL:
        raise ContractBroken(
            f"source `{source}`: the column `{name}` does not fit into a decimal",
            expected=f"finite numbers of at most {WIDEST_DECIMAL} digits",
            seen=f"{needed} digits" if value.is_finite() else "NaN or Infinity",
            hint=f"cast it in the query: `CAST({name} AS numeric(18,2))`",
        )
    return decimal_type(max(needed, _WIDE), scale or 0)


def raw_sql(text: str) -> compose.SQL:
    """Mark text as SQL: it is the project's own query, with literals that psycopg quoted."""
    return compose.SQL(text)
