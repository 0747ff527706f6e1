"""What is particular to JSON lines: one object a line, with exactly the columns as keys, and values of their types.

Numbers are held to their form as they are written, so nothing is rounded on the way. One line after the other: a JSON
text has no places that could be looked at all at once.

Source: RFC 8259; jsonlines.org.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from landbridge.contract.columns import MASK
from landbridge.contract.strict import findings as rule
from landbridge.contract.strict.lexical import fault_of
from landbridge.contract.strict.records import LONGEST_VALUE, Dialect, Fault
from landbridge.contract.strict.scan import RecordGate
from landbridge.contract.strict.walk import BLOCK

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import NoReturn

    from landbridge.contract.columns import ColumnRule
    from landbridge.contract.strict.blocks import Block
    from landbridge.contract.strict.page import Page
    from landbridge.contract.strict.records import Record, Records

_NUMBERS = ("integer", "decimal", "float")
_LONGEST = 80
"""Characters that a message repeats of a key."""


def jsonl_gate(columns: Sequence[ColumnRule], block: int = BLOCK) -> RecordGate:
    """Make the gate of a file of JSON lines."""
    return RecordGate(columns=tuple(columns), layout=JsonLines(columns), block=block)


class _Number(str):
    """A JSON number as it is written."""

    __slots__ = ()


class _Pairs(list[tuple[str, object]]):
    """A JSON object with its keys in their order, repeated ones included."""

    __slots__ = ()


class JsonLines:
    """The layout of one file of JSON lines."""

    rules: Sequence[str] = (rule.JSON, rule.KEYS)
    dialect = Dialect(-1, -1, b"", "utf-8")
    width = 1
    marked = False
    """RFC 8259, section 8.1: a JSON text must not begin with one."""

    def __init__(self, columns: Sequence[ColumnRule]) -> None:
        self._columns = {column.name: (at, column, fault_of(column)) for at, column in enumerate(columns)}
        self._names = list(self._columns)
        self._shy = any(column.personal for column in columns)
        self._decoder = json.JSONDecoder(
            object_pairs_hook=_Pairs, parse_int=_Number, parse_float=_Number, parse_constant=_no_constant
        )

    def block(self, page: Page, block: Block) -> Iterator[tuple[int, Fault, bytes]]:
        """See `Layout`."""
        starts = np.concatenate(([0], block.ends[:-1]))[block.regular].tolist()
        for row, start, end in zip(block.regular.tolist(), starts, block.stops[:, 0].tolist(), strict=True):
            for fault, value in self._line(page.text(start, end), start):
                yield row, fault, value

    def record(self, records: Records, record: Record) -> Iterator[tuple[Fault, bytes]]:
        """See `Layout`."""
        size = record.fields[0].end - record.fields[0].start
        if size > LONGEST_VALUE:
            yield Fault(rule.JSON, record.start, -1, f"a line of {size} bytes, at most {LONGEST_VALUE}"), b""
        else:
            yield from self._line(records.value(record, record.fields[0]), record.start)

    def evident(self, _records: Records, _record: Record) -> bool:
        """An object that is closed is whole."""
        return True

    def names(self, _records: Records, _record: Record) -> tuple[str, ...]:
        """Never asked: JSON lines have no header."""
        return ()

    def around(self, _records: Records, _record: Record, declared: Sequence[str]) -> tuple[str, ...]:
        """Never asked: JSON lines have no leading or trailing records."""
        return tuple(declared)

    def _line(self, line: bytes, start: int) -> Iterator[tuple[Fault, bytes]]:
        try:
            text = line.decode()
        except UnicodeDecodeError:
            return  # said already, with its offset
        if not text.strip(" \t"):
            yield Fault(rule.BLANK_LINE, start, -1, "a blank line"), b""
            return
        try:
            found = self._decoder.decode(text)
        except json.JSONDecodeError as error:
            offset = start + len(text[: error.pos].encode())
            yield Fault(rule.JSON, offset, -1, f"not JSON: {error.msg}"), b""
            return
        except (_ConstantError, RecursionError) as error:
            yield Fault(rule.JSON, start, -1, f"not JSON: {error}"), b""
            return
        if not isinstance(found, _Pairs):
            yield Fault(rule.JSON, start, -1, "not an object"), b""
            return
        yield from self._object(found, start)

    def _object(self, found: _Pairs, start: int) -> Iterator[tuple[Fault, bytes]]:
        names = [name for name, _ in found]
        if names != self._names and sorted(names) != sorted(self._names):
            yield Fault(rule.KEYS, start, -1, self._wrong_keys(names)), b""
        for name, value in found:
            known = self._columns.get(name)
            if known is None or value is None:
                continue
            at, column, fault = known
            shown, message = _judged(value, column)
            message = message or fault(shown)
            if message:
                yield Fault(rule.type_rule(name), start, at, message), shown

    def _wrong_keys(self, names: Sequence[str]) -> str:
        twice = [name for name in self._names if names.count(name) > 1]
        missing = [name for name in self._names if name not in names]
        more = [MASK if self._shy else name for name in names if name not in self._columns]
        said = (("twice", twice), ("missing", missing), ("not in the contract", more))
        return "keys " + "; ".join(
            f"{word}: {', '.join(ascii(name[:_LONGEST]) for name in some[:5])}" for word, some in said if some
        )


def _judged(value: object, column: ColumnRule) -> tuple[bytes, str]:
    """Give the text that the column's form is held against, or what is wrong with the type of a JSON value."""
    match value:
        case bool():
            text = str(value).lower().encode()
            return text, "" if column.kind == "boolean" else f"a boolean, expected a {column.kind}"
        case _Number():
            return value.encode(), "" if column.kind in _NUMBERS else f"a number, expected a {column.kind}"
        case str() if column.kind != "boolean":
            try:
                return value.encode(), "a NUL character" if "\0" in value else ""
            except UnicodeEncodeError:
                return value.encode("utf-8", "replace"), "half of a surrogate pair"
        case str():
            return value.encode("utf-8", "replace"), "a text, expected true or false"
        case _:
            kind = "an object" if isinstance(value, _Pairs) else "a list"
            return b"", f"{kind}, expected a {column.kind}"


class _ConstantError(ValueError):
    """NaN or Infinity, which JSON does not have."""


def _no_constant(word: str) -> NoReturn:
    raise _ConstantError(word)
