"""How does PostgreSQL itself write a row as a line of CSV, byte for byte as formats/delimited.py would?

The line is null where that is not certain: a value that the file cannot hold, or one that only the values can judge.
A type that PostgreSQL spells otherwise than we do (a float: `1e-07` against `1e-7`) is not for this room.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow.types as kinds
from psycopg import sql as compose

from landbridge.formats import lexical
from landbridge.formats.delimited import needs_no_look
from landbridge.formats.formulas import STARTS
from landbridge.sources.sql.described import BPCHAR

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import psycopg

    from landbridge.feed.outputs import Csv
    from landbridge.formats.formulas import Policy
    from landbridge.sources.sql.described import Column

_TEXTS = {25, 1043}
"""Types that are text already: text, varchar."""
_ARGUMENTS = 64
"""Of one call; PostgreSQL takes at most 100."""
_ENDS = {"lf": "\n", "crlf": "\r\n"}
_CLOCK, _CLOCK_LONG = len("10:00:00"), len("10:00:00.000001")
_SECOND, _SECOND_LONG = len("2026-11-20 10:00:00"), len("2026-11-20 10:00:00.000001")


def line(columns: Sequence[Column], csv: Csv, formulas: Policy, connection: psycopg.Connection) -> str | None:
    """Give the SQL of a row's line with its line end, null where it is not certain; None where no line can be promised.

    Stands on a session in UTC with ISO dates, on a database in UTF-8. Functions are called by their schema: in `public`
    anybody may have put a better match (PostgreSQL, "Function Type Resolution").
    """
    if connection.info.parameter_status("server_encoding") != "UTF8":
        return None  # its texts are read by their UTF-8 here
    if "pg_catalog" in str(connection.execute("SHOW search_path").fetchone()):
        return None  # named there it does not come first, and an operator of somebody else's may stand in its place
    if "\0" in csv.delimiter + csv.quote + csv.null or any(kinds.is_floating(it.type) for it in columns):
        return None
    writer = _Writer(csv, formulas, lambda text: compose.Literal(text).as_string(connection))
    fields = [writer.field(column) for column in columns]
    doubts = [doubt for field in fields for doubt in field.doubts]
    if len(fields) == 1:
        doubts.append(f"({fields[0].text}) = ''")  # a blank line, which readers skip
    texts = [field.text for field in fields]
    delimiter, end = writer.literal(csv.delimiter), writer.literal(_ENDS[csv.line_end])
    while len(texts) > 1:
        pieces = [texts[at : at + _ARGUMENTS] for at in range(0, len(texts), _ARGUMENTS)]
        texts = [f"pg_catalog.concat_ws({delimiter}, {', '.join(piece)})" for piece in pieces]
    whole = f"pg_catalog.concat({texts[0]}, {end})"
    return f"CASE WHEN {' OR '.join(doubts)} THEN NULL ELSE {whole} END" if doubts else whole


@dataclass(frozen=True)
class _Field:
    text: str
    """SQL of the field as it stands in the line; never null."""
    doubts: tuple[str, ...] = ()
    """SQL that is true where `text` cannot be trusted."""


@dataclass(frozen=True)
class _Writer:
    csv: Csv
    formulas: Policy
    literal: Callable[[str], str]

    def field(self, column: Column) -> _Field:
        """Write one column as formats/delimited.py does: its text, guarded against formulas, quoted."""
        text, doubts = _text(column)
        textual = lexical.textual(column.type)
        guarded = text
        if textual:
            starts = f"pg_catalog.ascii({text}) IN ({', '.join(map(str, STARTS))})"
            match self.formulas:
                case "reject":
                    doubts.append(starts)
                case "escape":
                    guarded = f"CASE WHEN {starts} THEN '''' || {text} ELSE {text} END"
                case "allow":
                    pass
        plain = needs_no_look(self.csv, column.type)
        searched = text if self._escape_hides_nothing() else guarded
        null = self.literal(self.csv.null)
        match self.csv.quoting:
            case "none":
                if not plain:
                    special = " OR ".join(self._special(searched))
                    doubts.append(f"{special} OR {searched} = {null}")
            case "minimal" | "strings" if not (textual and self.csv.quoting == "strings"):
                if not plain:
                    needs = " OR ".join(
                        [f"{searched} = ''", *self._special(searched), *self._like_null(searched)]
                    )
                    quoted = f"CASE WHEN {needs} THEN {self._quoted(guarded)} ELSE {guarded} END"
                    return _Field(f"CASE WHEN {text} IS NULL THEN {null} ELSE {quoted} END", tuple(doubts))
            case _:
                guarded = self._quoted(guarded)
        return _Field(f"COALESCE({guarded}, {null})", tuple(doubts))

    def _escape_hides_nothing(self) -> bool:
        """Tell whether a ' before a text changes nothing about its quotes: then the text itself is searched, which is cheaper."""
        signs = {self.csv.delimiter, self.csv.quote, *self.csv.null[:1]}
        return self.formulas != "escape" or not signs & {"'", *map(chr, STARTS)}

    def _special(self, text: str) -> list[str]:
        signs = dict.fromkeys((self.csv.delimiter, self.csv.quote, "\r", "\n"))
        return [f"pg_catalog.strpos({text}, {self.literal(sign)}) > 0" for sign in signs]

    def _like_null(self, text: str) -> list[str]:
        return [f"{text} = {self.literal(self.csv.null)}"] if self.csv.null else []

    def _quoted(self, text: str) -> str:
        once, twice = self.literal(self.csv.quote), self.literal(self.csv.quote * 2)
        return f"{once} || pg_catalog.replace({text}, {once}, {twice}) || {once}"


def _text(column: Column) -> tuple[str, list[str]]:
    """Give the SQL of a value's text as formats/lexical.py writes it, and of what makes it uncertain."""
    value = compose.Identifier(column.name).as_string()
    kind = column.type
    if kinds.is_string(kind):
        if column.oid == BPCHAR:
            value = f"pg_catalog.textin(pg_catalog.bpcharout({value}))"  # the cast to text would cut the blanks at its end
        elif column.oid not in _TEXTS:
            value = f"{value}::text"
        # Bytes are compared and searched, whatever the column's own collation takes for equal.
        return f'({value} COLLATE "C")', []
    if kinds.is_decimal(kind):
        return _decimal(value, kind.scale, measured=column.measured)
    if kinds.is_date(kind):
        return f"{value}::text", [f"{value} < date '0001-01-01'", f"{value} > date '9999-12-31'"]
    if kinds.is_time(kind):
        return f"({_with_fraction(value, _CLOCK, _CLOCK_LONG)})", [f"{value} = time '24:00'"]
    if kinds.is_timestamp(kind):
        moment = f"({value} AT TIME ZONE 'UTC')" if kind.tz else value
        spelt = f"pg_catalog.replace({_with_fraction(moment, _SECOND, _SECOND_LONG)}, ' ', 'T')"
        outside = [
            f"{moment} < timestamp '0001-01-01'",
            f"{moment} > timestamp '9999-12-31 23:59:59.999999'",
        ]
        return (f"({spelt} || 'Z')" if kind.tz else spelt), outside
    if kinds.is_binary(kind):
        return f"pg_catalog.replace(pg_catalog.encode({value}, 'base64'), pg_catalog.chr(10), '')", []
    return f"{value}::text", []  # integers, booleans


def _decimal(value: str, scale: int, *, measured: bool) -> tuple[str, list[str]]:
    """A scale is null for what is not finite; digits that were not declared come with various scales."""
    if measured:
        return f"pg_catalog.round({value}, {scale})::text", [
            f"{value} IS NOT NULL AND (pg_catalog.scale({value}) <= {scale}) IS NOT TRUE"
        ]
    return f"{value}::text", [f"{value} IS NOT NULL AND pg_catalog.scale({value}) IS DISTINCT FROM {scale}"]


def _with_fraction(value: str, whole: int, long: int) -> str:
    """PostgreSQL cuts the zeros of a fraction; we write six digits or none."""
    return f"CASE pg_catalog.length({value}::text) WHEN {whole} THEN {value}::text ELSE pg_catalog.rpad({value}::text, {long}, '0') END"
