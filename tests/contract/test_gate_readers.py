"""Does the gate read a file as a plain reader does, wherever the pieces end in which it looks at it?"""

from __future__ import annotations

import gzip
import json
import os
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal, localcontext
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from landbridge.contract import plain
from landbridge.contract.columns import ColumnRule
from landbridge.contract.strict import encodings, strict_gate, window
from landbridge.contract.strict.delimited import csv_gate
from landbridge.contract.strict.fixed import fixed_gate
from landbridge.contract.strict.jsonl import jsonl_gate
from landbridge.feed.outputs import Csv, File, Fixed, FixedColumn, Jsonl, Record
from tests.contract import plain_reader, strict_oracle
from tests.contract.odcs_texts import declared, judged, written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from landbridge.contract.columns import StrictReport
    from landbridge.feed.outputs import Format

COLUMNS = (
    ColumnRule("id", "integer", bits=16),
    ColumnRule("amount", "decimal", precision=5, scale=2),
    ColumnRule("text", "string"),
    ColumnRule("day", "date"),
)
FIXED = Fixed(
    kind="fixed",
    columns={
        "id": FixedColumn(width=5, align="right", fill="0"),
        "amount": FixedColumn(width=6, align="right"),
        "text": FixedColumn(width=4),
        "day": FixedColumn(width=10),
    },
)
JSONL = Jsonl(kind="jsonl")

_FIXED_LINES = st.sampled_from(
    [
        b"00001  1.50ab  2026-11-20\n",
        b"-0007 -0.05    2024-02-29\n",
        "00003      é€ x          \n".encode(),
        b"40000  1.50ab  2026-11-20\n",
        b"00001 1.505ab  2026-11-20\n",
        b"00001  1.50ab  2025-02-29\n",
        b"     1  1.50ab 2026-11-20\n",
        b"00001  1.50ab  2026-11-2\n",
        b"00001  1.50ab  2026-11-20 \n",
        b"00001  1.50a\xff  2026-11-20\n",
        b"00001  1.50a\0  2026-11-20\n",
        b"00001  1.50a\r  2026-11-20\n",
        b"00001  1.50ab  2026-11-20\r\n",
        b"\n",
        b"\r\n",
        b"00001  1.50ab  2026-11-20",
        b"00001  1.50ab  2026-11-3",
    ]
)
_JSON_LINES = st.sampled_from(
    [
        b'{"id":1,"amount":1.50,"text":"ab","day":"2026-11-20"}\n',
        b'{"day":null,"text":"\\u00e9\\n\\"","amount":"-0.05","id":"7"}\n',
        '{"id": 3, "amount": null, "text": "é€\U0001d11e", "day": null} \n'.encode(),
        b'{"id":40000,"amount":1.505,"text":7,"day":"2025-02-29"}\n',
        b'{"id":true,"amount":[1],"text":{},"day":20261120}\n',
        b'{"id":1,"id":2,"amount":1,"text":"x","day":null}\n',
        b'{"id":1,"amount":1,"text":"x"}\n',
        b'{"id":1,"amount":NaN,"text":"x","day":null}\n',
        b'{"id":1,"amount":1,"text":"\\u0000","day":null}\n',
        b'{"id":1,"amount":1,"text":"\\ud800","day":null}\n',
        b'{"id":1,"amount":1,"text":"a\xff","day":null}\n',
        b'{"id":1,"amount":1,"text":"a","day":null}\r\n',
        b'{"id":1,"amount":1,"text":"a\rb","day":null}\n',
        b"\n",
        b"[]\n",
        b" \t\n",
        b'{"id":1,"amount":1,"text":"a","day":null',
        b'{"id":1,"amount":1,"text":"a","day":null}',
    ]
)
_WILD = st.text(alphabet='012.-{}":,[]tn\r\n\0 \u00e9', max_size=40).map(str.encode)
_PIECES = st.sampled_from([(64, 1, 1), (64, 7, 16), (100, 13, 32), (256, 8192, 1 << 20), (1 << 16, 64, 64)])


def body(lines: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    pieces = st.one_of(st.lists(lines, max_size=9).map(b"".join), _WILD, st.binary(max_size=20))
    return st.lists(pieces, max_size=3).map(b"".join)


@contextmanager
def read_in(smallest: int, largest: int) -> Iterator[None]:
    """Let the exact half see the file through pieces of these sizes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(window, "_SMALLEST", smallest)
        patch.setattr(window, "_LARGEST", largest)
        patch.setattr(encodings, "_SHORT", 0)
        yield


def scanned(gate: Callable[[int], object], text: bytes, sizes: tuple[int, int, int]) -> StrictReport:
    block, smallest, largest = sizes
    with TemporaryDirectory() as folder, read_in(smallest, largest):
        path = Path(folder) / "file"
        path.write_bytes(text)
        report: StrictReport = gate(block).scan(path)  # type: ignore[attr-defined]
        wanted = sorted({defect.record for defect in report.first if 0 < defect.record <= report.rows})
        places = dict(zip(wanted, report.locate(wanted), strict=True))
        for defect in report.first:
            if defect.record in places:
                assert places[defect.record][0] == defect.line
                assert places[defect.record][1] <= defect.offset
        return replace(report, locate=_nowhere)


def _nowhere(_: Sequence[int]) -> list[tuple[int, int]]:
    return []


def agree(report: StrictReport, rows: int, expected: list[plain_reader.Seen]) -> None:
    counts: dict[str, int] = {}
    for rule, *_ in expected:
        counts[rule] = counts.get(rule, 0) + 1
    assert (report.rows, dict(report.defects)) == (rows, counts)
    seen = sorted((d.rule, d.record, d.line) for d in report.first)
    if all(count <= 20 for count in counts.values()):
        assert seen == [one[:3] for one in expected]
        named = {(d.rule, d.record): d.column for d in report.first}
        assert all(column in ("?", named[rule, record]) for rule, record, _, column in expected)


@settings(max_examples=60, deadline=None)
@given(text=body(_FIXED_LINES), mark=st.sampled_from([b"", b"\xef\xbb\xbf"]), sizes=_PIECES)
def test_fixed_width_is_read_as_by_a_plain_reader(
    text: bytes, mark: bytes, sizes: tuple[int, int, int]
) -> None:
    rows, expected = plain_reader.fixed(mark + text, FIXED, COLUMNS)
    agree(scanned(lambda block: fixed_gate(FIXED, COLUMNS, block), mark + text, sizes), rows, expected)


@settings(max_examples=60, deadline=None)
@given(text=body(_JSON_LINES), sizes=_PIECES)
@example(text=b'\xef\xbb\xbf{"id":1,"amount":1,"text":"a","day":null}\n', sizes=(64, 1, 1))
def test_json_lines_are_read_as_by_a_plain_reader(text: bytes, sizes: tuple[int, int, int]) -> None:
    rows, expected = plain_reader.jsonl(text, COLUMNS)
    agree(scanned(lambda block: jsonl_gate(COLUMNS, block), text, sizes), rows, expected)


# Records that lie across the end of what is looked at, at every byte of them

_TRAILED = Csv(leading=Record(fields=("H", "x")), trailing=Record(fields=("T", "{rows}")))
_SAMPLE = (
    b'7,1.50,"a ""b""\r\n,c",2026-11-20\n8,,\xe2\x82\xac,\n9,2.5,"",2026-11-21\r\n10,x,\xff\0,2025-02-29\n'
    b'11,1,"open\n12,1.505,a"b,2026-11-20\n13,1,a,2026-11-20,\n\n14,1,a\rb,2026-11-20\n15,1,a,2026-11-20\n'
)
_SAMPLES: dict[str, tuple[Format, bytes, bytes, bytes]] = {
    "csv": (Csv(), b"id,amount,text,day\n", b"1,0.5,%b,2026-11-20\n", _SAMPLE),
    "csv, crlf": (
        Csv(line_end="crlf"),
        b"id,amount,text,day\r\n",
        b"1,0.5,%b,2026-11-20\r\n",
        _SAMPLE.replace(b"\n", b"\r\n"),
    ),
    "csv, cut": (Csv(), b"id,amount,text,day\n", b"1,0.5,%b,2026-11-20\n", _SAMPLE[:-4]),
    "csv, around": (
        _TRAILED,
        b"\xef\xbb\xbfH,x\nid,amount,text,day\n",
        b"1,0.5,%b,2026-11-20\n",
        b'7,1.50,"a ""b""\r\n,c",2026-11-20\n' * 2 + b"T,3\n",
    ),
    "csv, no trailer": (_TRAILED, b"H,x\nid,amount,text,day\n", b"1,0.5,%b,2026-11-20\n", _SAMPLE),
    "json": (
        JSONL,
        b"",
        b'{"id":1,"amount":1,"text":"%b","day":null}\n',
        b'{"id":1,"amount":1.50,"text":"\xc3\xa9\\u00e9","day":"2026-11-20"}\n{"id":x}\r\n[]\n\n{"id":"\xff"}\n{"id":1',
    ),
    "fixed": (
        FIXED,
        b"",
        b"00001  1.50a%bb2026-11-20\n",
        b"00001  1.50ab  2026-11-20\n\xef\xbb\xbf\n00001  1.50\xe2\x82\xacb  2026-11-20\n00001  1.50ab  2026-11-2\n\n",
    ),
}


@pytest.mark.parametrize("name", _SAMPLES)
def test_a_record_across_two_pieces_is_read_as_in_one(name: str) -> None:
    form, head, filler, sample = _SAMPLES[name]

    def gate(block: int) -> object:
        match form:
            case Csv():
                return csv_gate(form, COLUMNS, block)
            case Fixed():
                return fixed_gate(form, COLUMNS, block)
            case _:
                return jsonl_gate(COLUMNS, block)

    for shift in range(0, 64, 1 if name == "csv" else 3):
        text = head + filler % (b"x" * (shift if name != "fixed" else 2)) + sample
        if name == "fixed":
            text = text[:-1] + b"\n" * (shift % 2) + b"z" * shift + b"\n"
        whole = scanned(gate, text, (1 << 16, 8192, 1 << 20))
        assert scanned(gate, text, (64, 1 + shift % 9, 2 + shift)) == whole


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_across_two_pieces_is_read_as_in_one(encoding: str) -> None:
    form = Csv.model_validate({"encoding": encoding})
    text = "id,amount,text,day\n1,0.5,🚢€,2026-11-20\n2,x,🚢\nü,2026-13-20\n".encode(encoding) + b"\0\xd8\n\0"

    def gate(_: int) -> object:
        return strict_gate(File(name="x", folder="x", format=form), COLUMNS)

    whole = scanned(gate, text, (0, 8192, 1 << 20))
    assert whole.defects
    for size in range(1, 40, 3):
        assert scanned(gate, text, (0, size, size)) == whole


# One byte of a sound file, at every place: changed, doubled, taken out; and the file cut there

_WHOLE: dict[str, bytes] = {
    "csv": b'id,amount,text,day\n7,1.50,"a ""b"",\nc",2026-11-20\n-8,,\xe2\x82\xac,\n9,2.5,"",2026-11-21\n',
    "fixed": b"00001  1.50ab  2026-11-20\n-0007 -0.05    2024-02-29\n00003      \xc3\xa9\xe2\x82\xac x2026-01-01\n",
    "jsonl": b'{"id":1,"amount":1.50,"text":"\xc3\xa9","day":"2026-11-20"}\n'
    b'{"day":null,"text":"\\u00e9\\n","amount":"-0.05","id":"7"}\n{"id":3,"amount":1,"text":"","day":null}\n',
}


def spoilt(whole: bytes) -> Iterator[bytes]:
    for at in range(len(whole)):
        yield from (whole[:at] + bytes([byte]) + whole[at + 1 :] for byte in b'\0\r\n,"\xff')
        yield whole[:at] + whole[at:][:1] * 2 + whole[at + 1 :]
        yield whole[:at] + whole[at + 1 :]
        yield whole[:at]
    yield whole


@pytest.mark.parametrize(("size", "every"), [(64, 5), (1 << 12, 4)])
@pytest.mark.parametrize("name", _WHOLE)
def test_a_byte_that_is_spoilt_is_seen_wherever_it_is(
    name: str, size: int, every: int, tmp_path: Path
) -> None:
    gates = {
        "csv": csv_gate(Csv(), COLUMNS, size),
        "fixed": fixed_gate(FIXED, COLUMNS, size),
        "jsonl": jsonl_gate(COLUMNS, size),
    }
    with (tmp_path / "file").open("wb", buffering=0) as file:
        for text in islice(spoilt(_WHOLE[name]), 0, None, every):
            os.pwrite(file.fileno(), text, 0)  # in place: to make a file anew takes longer than to judge it
            file.truncate(len(text))
            agree(gates[name].scan(tmp_path / "file"), *read_plainly(name, text))


def read_plainly(name: str, text: bytes) -> tuple[int, list[plain_reader.Seen]]:
    match name:
        case "fixed":
            return plain_reader.fixed(text, FIXED, COLUMNS)
        case "jsonl":
            return plain_reader.jsonl(text, COLUMNS)
        case _:
            rows, found = strict_oracle.read(text, COLUMNS)
            return rows, sorted(
                (rule, record, line, column or "?") for rule, record, line, _, column in found
            )


# The whole gate: what is delivered is what a plain reader reads

_VALUES = st.one_of(st.none(), st.integers(-999, 9999))
_TEXTS = st.one_of(
    st.none(),
    st.text(alphabet="ab\u00e9\u20ac\U0001d11e,;\"'\n\r |0", max_size=6),
    st.sampled_from(["NULL", "\\N", "''"]),
)
_ROWS = st.lists(st.tuples(_VALUES, _TEXTS), max_size=7)
_CSVS = st.sampled_from(
    [
        Csv(),
        Csv(line_end="crlf"),
        Csv(delimiter=";", quote="'"),
        Csv(null="NULL", header=False),
        Csv(encoding="utf-8-sig", null="\\N"),
        Csv(encoding="utf-16-le"),
        Csv(delimiter="¦"),
        Csv(leading=Record(fields=("H", "x")), trailing=Record(fields=("T", "{rows}", "{total:n}"))),
        Csv(line_end="crlf", encoding="utf-16-be", trailing=Record(fields=("T{rows}",))),
    ]
)


def spelled(rows: list[tuple[int | None, str | None]], form: Csv) -> bytes:
    """Write rows as CSV, every text quoted."""
    end = {"lf": "\n", "crlf": "\r\n"}[form.line_end]

    def field(value: int | str | None) -> str:
        if value is None:
            return form.null
        return (
            str(value)
            if isinstance(value, int)
            else f"{form.quote}{value.replace(form.quote, form.quote * 2)}{form.quote}"
        )

    total = sum(n or 0 for n, _ in rows)

    def around(record: Record) -> str:
        return form.delimiter.join(record.fields)

    lines = [around(form.leading)] if form.leading else []
    lines += [f"n{form.delimiter}t"] if form.header else []
    lines += [form.delimiter.join(map(field, row)) for row in rows]
    lines += (
        [around(form.trailing).format(rows=len(rows), total=total)] if form.trailing else []
    )  # `:n` is its own text
    return "".join(line + end for line in lines).encode(form.encoding)


@settings(max_examples=12, deadline=None)
@given(
    rows=_ROWS, form=_CSVS, off=st.sampled_from([0, 0, 1]), packed=st.sampled_from(["none", "gzip", "zstd"])
)
def test_what_the_query_reads_is_what_was_written(
    rows: list[tuple[int | None, str | None]], form: Csv, off: int, packed: str
) -> None:
    total, texts = sum(n or 0 for n, _ in rows), [t for _, t in rows if t is not None]
    rules = [
        f"type: sql, query: 'SELECT coalesce(sum(n), 0) FROM things', mustBe: {total + off}",
        f"type: sql, query: 'SELECT count(t) FROM things', mustBe: {len(texts)}",
        f"type: sql, query: 'SELECT coalesce(sum(length(t)), 0) FROM things', mustBe: {sum(map(len, texts))}",
        f"metric: rowCount, mustBe: {len(rows)}",
    ]
    text = spelled(rows, form)
    content = text
    if packed == "gzip":
        content = gzip.compress(text, 1)
    elif packed == "zstd":
        content = bytes(pa.compress(text, codec="zstd", asbytes=True))
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(plain, "_PIECE", 5)
        contract = written(
            Path(folder), ["name: n, logicalType: integer", "name: t, logicalType: string"], rules
        )
        report = judged(contract, content, declared(form, compression=packed))  # type: ignore[arg-type] # drawn above
    assert report.rows == len(rows)
    assert report.passed is (off == 0), [rule for rule in report.rules if not rule.passed]


_FIXED_TEXTS = st.one_of(st.none(), st.text(alphabet="ab \u00e9\u00fc\"',;1|", min_size=1, max_size=5))


def padded(value: object, column: FixedColumn) -> str:
    text = "" if value is None else str(value)
    if column.fill == "0" and text.startswith("-"):
        return "-" + padded(text[1:], FixedColumn(width=column.width - 1, fill="0", align="right"))
    return (
        text.ljust(column.width, column.fill)
        if column.align == "left"
        else text.rjust(column.width, column.fill)
    )


@settings(max_examples=8, deadline=None)
@given(
    rows=st.lists(st.tuples(st.integers(-99999, 999999), _FIXED_TEXTS), max_size=6),
    number=st.sampled_from([("right", "0"), ("right", " "), ("left", " "), ("right", "*")]),
    fill=st.sampled_from([("left", "_"), ("right", "*"), ("left", "\u00b7")]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "iso-8859-1", "utf-16-le"]),
    header=st.booleans(),
    around=st.booleans(),
    off=st.sampled_from([0, 0, 1]),
)
def test_what_the_query_reads_of_fixed_width_is_what_was_written(
    rows: list[tuple[int, str | None]],
    number: tuple[str, str],
    fill: tuple[str, str],
    encoding: str,
    header: bool,
    around: bool,
    off: int,
) -> None:
    n = FixedColumn(width=7, align=number[0], fill=number[1])  # type: ignore[arg-type] # drawn above
    t = FixedColumn(width=5, align=fill[0], fill=fill[1])  # type: ignore[arg-type] # drawn above
    declares: dict[str, object] = {"encoding": encoding, "header": header, "columns": {"n": n, "t": t}}
    if around:
        declares |= {"leading": Record(fields=("HDR",)), "trailing": Record(fields=("T{rows:05d}",))}
    lines = ["HDR"] * around
    lines += [
        padded("n", n.model_copy(update={"fill": " "})) + padded("t", t.model_copy(update={"fill": " "}))
    ] * header
    lines += [padded(number, n) + padded(text, t) for number, text in rows]
    lines += [f"T{len(rows):05d}"] * around
    texts = [text for _, text in rows if text is not None]
    rules = [
        f"type: sql, query: 'SELECT coalesce(sum(n), 0) FROM things', mustBe: {sum(n for n, _ in rows) + off}",
        f"type: sql, query: 'SELECT count(t) FROM things', mustBe: {len(texts)}",
        f"type: sql, query: 'SELECT coalesce(sum(length(t)), 0) FROM things', mustBe: {sum(map(len, texts))}",
    ]
    form = Fixed.model_validate({"kind": "fixed", **declares})
    with TemporaryDirectory() as folder:
        contract = written(
            Path(folder), ["name: n, logicalType: integer", "name: t, logicalType: string"], rules
        )
        report = judged(contract, "".join(f"{line}\n" for line in lines).encode(encoding), declared(form))
    assert (report.rows, report.passed) == (len(rows), off == 0), [r for r in report.rules if not r.passed]


_SPELLED = st.text(alphabet='ab"\\/\n\t\u00e9\u20ac\U0001f600,:{}1.', max_size=7)


def in_json(text: str, escaped: bool) -> str:
    """Spell a text, and where asked every sign of it by its number."""
    return (
        json.dumps(text, ensure_ascii=False)
        if not escaped
        else '"' + "".join(f"\\u{unit:04X}" for unit in memoryview(text.encode("utf-16-le")).cast("H")) + '"'
    )


@settings(max_examples=8, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.integers(-(2**63), 2**63 - 1) | st.integers(-9, 9),
            st.decimals(-(10**20), 10**20, places=10, allow_nan=False) | st.none(),
            _SPELLED | st.none(),
            st.booleans(),
        ),
        max_size=6,
    ),
    quoted=st.booleans(),
    off=st.sampled_from([0, 0, 1]),
)
def test_what_the_query_reads_of_json_is_what_was_written(
    rows: list[tuple[int, Decimal | None, str | None, bool]], quoted: bool, off: int
) -> None:
    mark = '"' if quoted else ""
    with localcontext(prec=60):
        total = sum((d for _, d, _, _ in rows if d is not None), Decimal(off))
    lines = [
        "{"
        + ", ".join(
            (
                f'"n":{mark}{n}{mark}',
                f'"the d" : {"null" if d is None else f"{mark}{d:f}{mark}"}',
                f'"t": {"null" if t is None else in_json(t, escaped)}',
            )
        )
        + "}\n"
        for n, d, t, escaped in rows
    ]
    texts = [t for _, _, t, _ in rows if t is not None]
    rules = [
        f"type: sql, query: 'SELECT coalesce(sum(n::HUGEINT), 0) FROM things', mustBe: {sum(n for n, *_ in rows)}",
        f"type: sql, query: 'SELECT coalesce(sum(\"the d\"), 0) FROM things', mustBe: {total:f}",
        f"type: sql, query: 'SELECT count(t) FROM things', mustBe: {len(texts)}",
        f"type: sql, query: 'SELECT coalesce(sum(length(t)), 0) FROM things', mustBe: {sum(map(len, texts))}",
    ]
    columns = ["name: n, logicalType: integer", "name: t, logicalType: string"]
    columns.insert(1, "name: the d, logicalType: number, physicalType: 'DECIMAL(38,10)'")
    with TemporaryDirectory() as folder:
        report = judged(written(Path(folder), columns, rules), "".join(lines).encode(), declared(JSONL))
    assert (report.rows, report.passed) == (len(rows), off == 0), [r for r in report.rules if not r.passed]
