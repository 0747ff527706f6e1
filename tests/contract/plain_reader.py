"""What does a plain reading of a file of lines find? Fixed width and JSON lines, whole in memory, one rule after the other.

Beside strict_oracle.py (CSV): slow on purpose, written from docs/contracts.md, and sharing nothing with the gate but its columns.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.contract.strict_oracle import well_formed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from landbridge.contract.columns import ColumnRule
    from landbridge.feed.outputs import Fixed

Seen = tuple[str, int, int, str]
"""(rule, record, line, column)."""


def fixed(text: bytes, form: Fixed, columns: Sequence[ColumnRule]) -> tuple[int, list[Seen]]:
    """Give the number of records and everything that is wrong."""

    def judge(line: str) -> list[tuple[str, str]]:
        shapes = form.columns
        if not line:
            return [("structure.blank_line", "")]
        if len(line) != sum(shape.width for shape in shapes.values()):
            return [("structure.width", "")]
        wrong, at = [], 0
        for column in columns:
            shape = shapes[column.name]
            value, at = line[at : at + shape.width], at + shape.width
            if column.kind == "string" or shape.fill == " ":
                value = value.rstrip(shape.fill) if shape.align == "left" else value.lstrip(shape.fill)
            if value and not well_formed(value.encode("utf-8"), column):
                wrong.append((f"type.{column.name}", column.name))
        return wrong

    text = text.removeprefix(b"\xef\xbb\xbf")
    return _lines(text, judge, columns[-1].name)


def jsonl(text: bytes, columns: Sequence[ColumnRule]) -> tuple[int, list[Seen]]:
    """Give the number of records and everything that is wrong."""
    kinds = {column.name: column for column in columns}

    def judge(line: str) -> list[tuple[str, str]]:
        if not line.strip(" \t"):
            return [("structure.blank_line", "")]
        if line.startswith("\ufeff"):
            return [("structure.json", "")]
        try:
            found = json.loads(
                line, object_pairs_hook=list, parse_int=_Written, parse_float=_Written, parse_constant=_none
            )
        except (ValueError, RecursionError):
            return [("structure.json", "")]
        if not line.strip(" \t\r\n").startswith("{"):
            return [("structure.json", "")]
        wrong = [("structure.keys", "")] if sorted(key for key, _ in found) != sorted(kinds) else []
        return wrong + [
            (f"type.{key}", key)
            for key, value in found
            if key in kinds and value is not None and not _is(value, kinds[key])
        ]

    return _lines(text, judge, columns[-1].name)


class _Written(str):
    __slots__ = ()


def _none(word: str) -> None:
    raise ValueError(word)


def _is(value: object, column: ColumnRule) -> bool:
    if isinstance(value, bool):
        return column.kind == "boolean"
    if isinstance(value, _Written) and column.kind not in ("integer", "decimal"):
        return False
    if not isinstance(value, str) or column.kind == "boolean" or "\0" in value:
        return False
    return not any("\ud800" <= sign <= "\udfff" for sign in value) and well_formed(value.encode(), column)


def _lines(text: bytes, judge: Callable[[str], list[tuple[str, str]]], last: str) -> tuple[int, list[Seen]]:
    found: list[Seen] = []
    style = b""
    number = 0
    for number, line in enumerate(_split(text), 1):
        end = b"\r\n" if line.endswith(b"\r\n") else b"\n" if line.endswith(b"\n") else b""
        content = line.removesuffix(end)
        style = style or end
        sound = True
        for rule, broken in (
            ("structure.line_ends", b"\r" in content),
            ("structure.line_ends", end not in (b"", style)),
            ("encoding.nul", b"\0" in content),
        ):
            if broken:
                found.append((rule, number, number, "?"))
        sound = b"\r" not in content
        try:
            wrong = judge(content.decode())
        except UnicodeDecodeError:
            found.append(("encoding.bytes", number, number, "?"))
            continue
        found += [(rule, number, number, column) for rule, column in wrong]
        if not end and sound and any(column in ("", last) for _, column in wrong):
            found.append(("structure.cut", number, number, "?"))
    return number, sorted(found)


def _split(text: bytes) -> Iterator[bytes]:
    while text:
        line, feed, text = text.partition(b"\n")
        yield line + feed
