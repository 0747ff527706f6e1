"""Does JSON come from a source, and go into a column, with nothing rounded and nothing left out?"""

from __future__ import annotations

import datetime as dt
import json
import math
import uuid
from dataclasses import dataclass
from decimal import Decimal

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landbridge.errors import ContractBroken
from landbridge.sources import exact, records

LONG = 18446744073709551617
"""2**64 + 1: a float holds its neighbour."""
_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(10**25), 10**25)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
_JSON = st.recursive(
    _LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=12
)


@pytest.mark.parametrize(
    "number", [0, 2**63, 2**64 - 1, 2**64, LONG, -(2**63), -(2**63) - 1, 10**30, -(10**18), 10**19]
)
def test_an_integer_is_read_as_it_stands(number: int) -> None:
    read = exact.loads(b'{"n": [%d], "x": 0.5}' % number)
    assert read == {"n": [number], "x": 0.5}
    assert type(read["n"][0]) is int


@given(_JSON)
def test_what_json_can_say_comes_back_as_it_went(value: object) -> None:
    written = exact.dumps([value])
    assert json.loads(written) == [value]
    try:
        read = exact.loads(written.encode())
    except orjson.JSONDecodeError:  # a lone surrogate, or the like: refused, and not mended
        return
    assert read == [value]


@pytest.mark.parametrize(
    "text",
    [
        b"[NaN]",
        b"[12345678901234567890, Infinity]",
        b'["\x01", 12345678901234567890]',
        b"[" + b"1" * 400 + b"]",
    ],
)
def test_what_is_no_json_is_none_beside_a_long_number_too(text: bytes) -> None:
    with pytest.raises(orjson.JSONDecodeError):
        exact.loads(text)


@dataclass
class Point:
    x: float


@pytest.mark.parametrize(
    "value",
    [
        {"a": math.nan},
        [1, [None, -math.inf]],
        {"a": None, "b": ({"c": math.inf},)},
        [LONG, math.nan],
        [Point(math.nan)],
        {1: LONG},
        {1: "a"},
        [object()],
        [LONG, object()],
    ],
)
def test_what_json_has_no_word_for_is_refused_and_not_made_null(value: object) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        exact.dumps(value)


def test_what_is_no_json_by_itself_is_written_alike_beside_a_long_number() -> None:
    day, key = dt.date(2026, 11, 20), uuid.UUID(int=7)
    for value in ([day, key, Decimal("1.50"), None, Point(0.5)],):
        plain = exact.dumps(value)
        assert exact.dumps([*value, LONG]) == f"{plain[:-1]},{LONG}]"


def test_what_holds_itself_is_refused() -> None:
    endless: list[object] = [1]
    endless.append(endless)
    with pytest.raises(ValueError, match=r"\w"):
        exact.dumps(endless)


def test_a_long_number_within_very_many_levels_is_told() -> None:
    with pytest.raises(orjson.JSONDecodeError):
        exact.loads(b"[" * 1020 + b"%d" % LONG + b"]" * 1020)


def _page(*values: object) -> list[dict[str, object]]:
    body = exact.loads(json.dumps([{"n": value} for value in values]).encode())
    assert isinstance(body, list)
    return body


@pytest.mark.parametrize("values", [(LONG,), (1, LONG), (0.5, LONG)])
def test_without_columns_a_long_integer_is_refused_and_never_rounded(values: tuple[object, ...]) -> None:
    page = _page(*values)
    with pytest.raises(ContractBroken) as refused:
        records.inferred("s", page, "page 1").batch(page, "page 1")
    assert "`n` is not" in refused.value.what
    assert refused.value.hint == "declare the source's `columns`"


def test_declared_as_a_decimal_it_is_kept() -> None:
    batch = records.declared("s", {"n": "decimal(38,0)"}).batch(_page(LONG, 10**37 + 1), "page 1")
    assert batch.to_pylist() == [{"n": Decimal(LONG)}, {"n": Decimal(10**37 + 1)}]


def test_within_an_object_it_is_kept() -> None:
    page = _page({"id": LONG, "x": 0.5}, {"id": 1})
    assert records.inferred("s", page, "page 1").batch(page, "page 1").to_pylist() == [
        {"n": '{"id":18446744073709551617,"x":0.5}'},
        {"n": '{"id":1}'},
    ]


def test_a_number_that_a_float_holds_may_be_written_as_a_long_integer() -> None:
    """JavaScript writes 1e20 as 100000000000000000000."""
    shape = records.declared("s", {"n": "float64"})
    assert shape.batch(_page(10**20, 0.5, 7, None), "page 1").to_pylist() == [
        {"n": 1e20},
        {"n": 0.5},
        {"n": 7.0},
        {"n": None},
    ]
    for number in (LONG, 2**53 + 1):
        with pytest.raises(ContractBroken, match="`n` is not float64"):
            shape.batch(_page(10**20, number), "page 1")


def test_nan_within_a_python_record_is_refused() -> None:
    page = [{"n": {"price": 1.5}}, {"n": {"price": math.nan}}]
    shape = records.inferred("s", page, "the first records")
    with pytest.raises(ContractBroken) as refused:
        shape.batch(page, "the first records")
    assert "`n` holds what cannot be written as JSON: NaN or infinity" in refused.value.what
    assert "finite numbers" in (refused.value.expected or "")
