"""Which value of a column does a YAML value mean? Numbers keep every digit, days and times may be spelled the column's way."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, time
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation
from enum import Enum
from typing import TYPE_CHECKING

from landbridge.contract import texts
from landbridge.contract.checks import EXACT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from landbridge.contract.columns import ColumnRule
    from landbridge.contract.sql import Value


def value_of(column: ColumnRule, value: object) -> Value:
    """Give `value`, as YAML has it, in the type of the column; a null stays a null.

    Raises:
        ValueError: no value of this column can be it.
    """
    match column.kind, value:
        case _, None:
            return None
        case "string" | "binary", str() | int() | float() | Decimal() if not isinstance(value, bool):
            return str(value)
        case "boolean", bool():
            return value
        case "boolean", "true" | "false":
            return value == "true"
        case "integer", int() if not isinstance(value, bool):
            return value
        case "integer", str() if re.fullmatch("-?[0-9]+", value):
            return int(value)
        case "decimal" | "float", int() | float() | str() if not isinstance(value, bool):
            return _number(column, exact(str(value)))
        case "date" | "time" | "timestamp", str() | date() | time():
            return _moment(column, value)
        case _:
            message = f"`{value}` is no {column.kind}"
            raise ValueError(message)


def exact(text: str) -> Decimal:
    """Read a number with every digit.

    Raises:
        ValueError: it is none, or not finite.
    """
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        message = f"`{text}` is no number"
        raise ValueError(message)
    return number


class Reach(Enum):
    """A number is greater, or less, than every value of a column."""

    BEYOND = "beyond"
    BELOW = "below"


def reach(column: ColumnRule, number: Decimal, *, up: bool) -> Decimal | Reach:
    """Give the decimal of the column's own digits that is next to `number`, upwards or downwards; `number` itself where it is one."""
    limit = Decimal(10) ** (column.precision - column.scale)
    if number.copy_abs() >= limit:
        return Reach.BEYOND if number > 0 else Reach.BELOW
    rounding = ROUND_CEILING if up else ROUND_FLOOR
    own = number.quantize(Decimal(1).scaleb(-column.scale), rounding, EXACT)
    if own.copy_abs() < limit:
        return own
    return Reach.BEYOND if own > 0 else Reach.BELOW


def _number(column: ColumnRule, number: Decimal) -> Decimal | float:
    if column.kind == "float":
        nearest = float(number)
        if math.isfinite(nearest):
            return nearest
        message = f"`{number}` is beyond a float"
    else:
        if reach(column, number, up=True) == reach(column, number, up=False) == number:
            return number
        message = (
            f"`{number}` is no decimal of {column.precision} digits, {column.scale} of them after the point"
        )
    raise ValueError(message)


def _moment(column: ColumnRule, value: str | date | time) -> date | time | datetime:
    kinds: dict[str, type[date | time]] = {"date": date, "time": time, "timestamp": datetime}
    kind = kinds[column.kind]
    if isinstance(value, str):
        value = texts.moment(value, column) if column.form else texts.iso(value, kind)
    if type(value) is date and kind is datetime:
        value = datetime.combine(value, time())  # the zone follows below
    if not isinstance(value, kind) or (kind is date and isinstance(value, datetime)):
        message = f"`{value}` is no {column.kind}"
        raise ValueError(message)
    if isinstance(value, datetime):
        if column.zoned and value.tzinfo is None:
            return value.replace(tzinfo=UTC)
        if not column.zoned and value.tzinfo is not None:
            message = f"`{value}` has a zone and the column has none"
            raise ValueError(message)
    return value


def shown(values: Iterable[Value], most: int = 12) -> str:
    """Write a list for people, shortened."""
    texts_ = ["null" if value is None else str(value) for value in values]
    return ", ".join(texts_[:most]) + (f" and {len(texts_) - most} more" if len(texts_) > most else "")
