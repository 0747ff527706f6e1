"""One set of values in every format and spelling: the same rules hold and break, and the place of a row is right."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from landbridge.contract import plain
from landbridge.contract.parquet import ParquetGate
from landbridge.errors import DeclarationWrong
from landbridge.feed.outputs import Csv, Fixed, FixedColumn, Jsonl, Parquet, Record
from tests.contract.odcs_texts import declared, judged, named, written

if TYPE_CHECKING:
    from landbridge.feed.outputs import Format

COLUMNS = [
    "name: id, logicalType: integer, primaryKey: true",
    "name: name, logicalType: string, required: true, logicalTypeOptions: {maxLength: 6}",
    'name: amount, logicalType: number, physicalType: "DECIMAL(9,2)", logicalTypeOptions: {maximum: 99.5}',
    "name: day, logicalType: date",
    "name: ok, logicalType: boolean",
]
ROWS: list[tuple[str, ...]] = [
    ("1", "Zoë", "1.50", "2026-11-20", "true"),
    ("2", "A, B", "99.50", "", "false"),
    ("3", 'q"q', "", "2026-02-28", ""),
    ("4", "", "-0.01", "2026-11-21", "true"),
]
LATE: tuple[str, ...] = ("5", "toolong", "99.51", "2026-11-22", "false")


def field(text: str, form: Csv, name: str) -> str:
    if form.quoting == "none":
        return text or form.null
    if not text and name != "name":
        return form.null
    double = text.replace(form.quote, form.quote * 2)
    plain = text and not any(sign in text for sign in (form.delimiter, form.quote, "\n", form.null or "\n"))
    return text if plain and form.quoting == "minimal" else f"{form.quote}{double}{form.quote}"


def csv(rows: list[tuple[str, ...]], form: Csv) -> bytes:
    names = ("id", "name", "amount", "day", "ok")
    end = "\r\n" if form.line_end == "crlf" else "\n"
    lines = [form.delimiter.join(form.leading.fields)] if form.leading else []
    lines += [form.delimiter.join(names)] if form.header else []
    lines += [
        form.delimiter.join(field(text, form, name) for name, text in zip(names, row, strict=True))
        for row in rows
    ]
    lines += [form.delimiter.join(form.trailing.fields)] if form.trailing else []
    return "".join(line + end for line in lines).encode(form.encoding)


CSVS = {
    "plain": Csv(),
    "all quoted": Csv(quoting="all"),
    "semicolon": Csv(delimiter=";"),
    "tab": Csv(delimiter="\t"),
    "pipe, crlf": Csv(delimiter="|", line_end="crlf"),
    "broken bar": Csv(delimiter="¦"),
    "other quote": Csv(quote="'"),
    "null word": Csv(null="NULL"),
    "null \\N": Csv(null="\\N"),
    "no header": Csv(header=False),
    "with a BOM": Csv(encoding="utf-8-sig"),
    "latin-1": Csv(encoding="iso-8859-1"),
    "latin-9": Csv(encoding="iso-8859-15"),
    "windows": Csv(encoding="windows-1252"),
    "utf-16-le": Csv(encoding="utf-16-le", line_end="crlf"),
    "utf-16-be, no header": Csv(encoding="utf-16-be", header=False),
    "leading": Csv(leading=Record(fields=("H", "x", "20261120"))),
    "trailing": Csv(trailing=Record(fields=("T", "end"))),
    "both, no header": Csv(
        header=False, leading=Record(fields=("H",)), trailing=Record(fields=("T", "1", "2", "3", "4"))
    ),
    "both, utf-16": Csv(encoding="utf-16-le", leading=Record(fields=("H",)), trailing=Record(fields=("T",))),
}


@pytest.mark.parametrize("form", CSVS.values(), ids=CSVS.keys())
def test_every_spelling_of_csv_gives_the_same_verdict(form: Csv, tmp_path: Path) -> None:
    contract = written(tmp_path, COLUMNS)
    good = judged(contract, csv(ROWS, form), declared(form))
    assert good.passed, ([rule for rule in good.rules if not rule.passed], good.defects)
    assert good.rows == 4
    content = csv([*ROWS, LATE], form)
    report = judged(contract, content, declared(form))
    assert {rule.rule for rule in report.rules if not rule.passed} == {"maxLength", "maximum"}
    lines = 4 + 1 + form.header + (form.leading is not None)
    width = 2 if form.encoding.startswith("utf-16") else 1
    expected = (
        "'5'" if form.quoting == "all" and form.quote == "'" else '"5"' if form.quoting == "all" else "5"
    )
    for defect in report.defects:
        assert (defect.record, defect.line) == (5, lines)
        assert (
            content[defect.offset : defect.offset + width * len(expected)].decode(form.encoding) == expected
        )
    assert {defect.value for defect in report.defects} == {"toolong", "99.51"}


@pytest.mark.parametrize(
    ("null", "value", "missing"),
    [
        ("", '""', 0),
        ("", "", 1),
        ("NULL", "NULL", 1),
        ("NULL", '"NULL"', 0),
        ("NULL", "", 0),
        ("NULL", '""', 0),
        ("NULL", "null", 0),
    ],
)
def test_a_missing_value_stays_apart_from_an_empty_text(
    null: str, value: str, missing: int, tmp_path: Path
) -> None:
    contract = written(
        tmp_path, ["name: id, logicalType: integer", "name: v, logicalType: string, required: true"]
    )
    report = judged(contract, f"id,v\n1,{value}\n".encode(), declared(Csv(null=null)))
    assert named(report, "required").broken == missing


def test_text_without_quoting_keeps_its_quotes(tmp_path: Path) -> None:
    clause = "name: v, logicalType: string, enum: [{value: '\"a\"'}]"
    contract = written(tmp_path, ["name: id, logicalType: integer", clause])
    assert judged(contract, b'id,v\n1,"a"\n', declared(Csv(quoting="none"))).passed


def test_a_very_long_field_is_judged(tmp_path: Path) -> None:
    clause = "name: v, logicalType: string, logicalTypeOptions: {maxLength: 39999999}"
    contract = written(tmp_path, ["name: id, logicalType: integer", clause])
    long = b"x" * 40_000_000
    report = judged(contract, b"id,v\n1,a\n2," + long + b"\n3,b\n")
    assert named(report, "maxLength").broken == 1
    assert [(defect.record, defect.value) for defect in report.defects] == [(2, "x" * 80)]


def test_a_text_over_several_lines_does_not_shift_the_line(tmp_path: Path) -> None:
    contract = written(
        tmp_path, ["name: id, logicalType: integer", "name: v, logicalType: string, required: true"]
    )
    report = judged(contract, b'id,v\n1,"a\n\nb"\n2,"c\nd"\n3,\n')
    assert [(defect.record, defect.line, defect.offset) for defect in report.defects] == [(3, 7, 22)]


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_a_compressed_file_is_judged_as_the_plain_one(
    compression: Literal["gzip", "zstd"], tmp_path: Path
) -> None:
    contract = written(tmp_path, COLUMNS)
    content = csv([*ROWS, LATE], Csv())
    plain = judged(contract, content)
    packed = (
        gzip.compress(content) if compression == "gzip" else pa.Codec("zstd").compress(content, asbytes=True)
    )
    assert judged(contract, packed, declared(compression=compression)) == plain
    for cut in (packed[:-5], b"no compression at all", packed[:3]):
        report = judged(contract, cut, declared(compression=compression))
        assert not report.passed
        assert named(report, "compression").broken == 1


def table(types: dict[str, pa.DataType] | None = None, rows: list[tuple[str, ...]] | None = None) -> pa.Table:
    chosen = rows or [*ROWS, LATE]
    wanted = {
        "id": pa.int64(),
        "name": pa.string(),
        "amount": pa.decimal128(9, 2),
        "day": pa.date32(),
        "ok": pa.bool_(),
    }
    columns = {}
    for position, (name, kind) in enumerate((wanted | (types or {})).items()):
        texts = [row[position] if row[position] or name == "name" else None for row in chosen]
        columns[name] = pa.array(texts, pa.string()).cast(wanted[name]).cast(kind)
    return pa.table(columns)


def test_parquet_is_judged_by_the_same_rules(tmp_path: Path) -> None:
    contract = written(tmp_path, COLUMNS)
    file = declared(Parquet(kind="parquet"))
    path = tmp_path / "things.parquet"
    pq.write_table(table(rows=ROWS), path)
    assert judged(contract, path, file).passed
    pq.write_table(table(), path, row_group_size=2)
    report = judged(contract, path, file)
    assert {rule.rule for rule in report.rules if not rule.passed} == {"maxLength", "maximum"}
    assert {(defect.record, defect.line, defect.offset) for defect in report.defects} == {(5, 0, -1)}


@pytest.mark.parametrize(
    ("name", "kind", "rule"),
    [
        ("id", pa.int32(), ""),
        ("id", pa.uint64(), "type"),
        ("id", pa.float64(), "type"),
        ("amount", pa.decimal128(12, 2), "type"),
        ("amount", pa.decimal128(5, 2), ""),
        ("amount", pa.decimal128(9, 3), "type"),
        ("amount", pa.float64(), "type"),
        ("day", pa.timestamp("us"), "type"),
        ("name", pa.large_string(), ""),
        ("name", pa.binary(), "type"),
        ("ok", pa.string(), "type"),
    ],
)
def test_parquet_types_must_hold_the_contracts_exactly(
    name: str, kind: pa.DataType, rule: str, tmp_path: Path
) -> None:
    path = tmp_path / "things.parquet"
    pq.write_table(table({name: kind}, ROWS), path)
    report = judged(written(tmp_path, COLUMNS), path, declared(Parquet(kind="parquet")))
    broken = [each for each in report.rules if not each.passed and each.severity == "error"]
    assert [each.rule for each in broken] == ([rule] if rule else [])
    if rule:
        assert [defect.column for defect in report.defects] == [name]


def test_parquet_columns_must_be_the_contracts_in_order(tmp_path: Path) -> None:
    path = tmp_path / "things.parquet"
    pq.write_table(table().select(["name", "id", "amount", "day", "ok"]), path)
    report = judged(written(tmp_path, COLUMNS), path, declared(Parquet(kind="parquet")))
    assert named(report, "header").broken == 1


def test_parquet_that_is_cut_or_damaged_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "things.parquet"
    pq.write_table(table(rows=ROWS), path, compression="none")
    contract, file, whole = written(tmp_path, COLUMNS), declared(Parquet(kind="parquet")), path.read_bytes()
    path.write_bytes(whole[:-9])
    assert named(judged(contract, path, file), "structure").broken == 1
    path.write_bytes(whole[:4] + b"\xff" * 60 + whole[64:])
    assert not judged(contract, path, file).passed


def test_a_number_that_is_none_is_refused_in_parquet(tmp_path: Path) -> None:
    path = tmp_path / "things.parquet"
    pq.write_table(pa.table({"v": pa.array([1.0, float("nan"), float("inf"), None])}), path)
    report = judged(
        written(tmp_path, ["name: v, logicalType: number"]), path, declared(Parquet(kind="parquet"))
    )
    assert named(report, "finite").broken == 2


def test_a_fixed_layout_of_other_columns_is_a_mistake(tmp_path: Path) -> None:
    form = Fixed(kind="fixed", columns={"id": FixedColumn(width=3), "nam": FixedColumn(width=3)})
    contract = written(tmp_path, ["name: id, logicalType: integer", "name: name, logicalType: string"])
    with pytest.raises(DeclarationWrong, match="other columns than the contract"):
        judged(contract, b"", declared(form))


def fixed(rows: list[tuple[str, ...]]) -> bytes:
    return "".join(f"{int(i):04d}{n:<7}{a:>7}{d:<10}{o:<5}\n" for i, n, a, d, o in rows).encode()


FIXED = Fixed(
    kind="fixed",
    columns={
        "id": FixedColumn(width=4, align="right", fill="0"),
        "name": FixedColumn(width=7),
        "amount": FixedColumn(width=7, align="right"),
        "day": FixedColumn(width=10),
        "ok": FixedColumn(width=5),
    },
)


def jsonl(rows: list[tuple[str, ...]]) -> bytes:
    import json

    def line(row: tuple[str, ...]) -> str:
        number, name, amount, day, ok = row
        parts = [f'"id": {number}', f'"name": {json.dumps(name)}', f'"amount": {amount or "null"}']
        parts += [f'"day": {json.dumps(day or None)}', f'"ok": {ok or "null"}']
        return "{" + ", ".join(parts) + "}\n"

    return "".join(map(line, rows)).encode()


@pytest.mark.parametrize(
    ("form", "good", "bad"),
    [
        (FIXED, fixed([row for row in ROWS if row[1]]), fixed([row for row in ROWS if row[1]] + [LATE])),
        (Jsonl(kind="jsonl"), jsonl(ROWS[:3]), jsonl([*ROWS[:3], LATE])),
    ],
    ids=["fixed", "jsonl"],
)
def test_other_texts_are_judged_by_the_same_rules(
    form: Format, good: bytes, bad: bytes, tmp_path: Path
) -> None:
    contract = written(tmp_path, COLUMNS)
    met = judged(contract, good, declared(form))
    assert met.passed, ([rule for rule in met.rules if not rule.passed], met.defects)
    report = judged(contract, bad, declared(form))
    assert {rule.rule for rule in report.rules if not rule.passed} == {"maxLength", "maximum"}
    assert {(defect.record, defect.line, defect.offset) for defect in report.defects} == {(4, 4, len(good))}


def test_a_number_that_json_readers_round_is_still_judged_exactly(tmp_path: Path) -> None:
    bound = "maximum: 1234567890123456.25, minimum: -12345678901234567890.12"
    clause = f'name: v, logicalType: number, physicalType: "DECIMAL(30,2)", logicalTypeOptions: {{{bound}}}'
    contract = written(tmp_path, [clause, "name: w, logicalType: string"])
    file = declared(Jsonl(kind="jsonl"))
    good = [
        '"v": 1.25',
        '"v": "1234567890123456.25"',
        '"v":1234567890123456.25',
        '"v": -12345678901234567890.12',
        '"v": null',
    ]
    content = "".join(f'{{{value}, "w": "x"}}\n' for value in good)
    met = judged(contract, content.encode(), file)
    assert met.passed, (met.defects, [rule for rule in met.rules if not rule.passed])
    broken = judged(contract, f'{content}{{"v": 1234567890123456.26, "w": ""}}\n'.encode(), file)
    assert named(broken, "maximum").broken == 1
    hidden = '{"w": "\\"v\\": 1.0", "\\u0076": 1234567890123456.25}\n'
    doubtful = judged(
        contract, hidden.replace('"w": "\\"v\\": 1.0", ', "").replace("}", ', "w": ""}').encode(), file
    )
    assert named(doubtful, "exact").broken == 1


@pytest.mark.parametrize("name", ["[1].csv", "a*b?.csv", "plain.csv.gz", "it's.csv", "sp ace;--.csv"])
def test_the_name_of_a_file_means_nothing_to_the_query(name: str, tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_bytes(b"other")
    path = tmp_path / name
    path.write_bytes(b"id\n1\n")
    assert judged(written(tmp_path, ["name: id, logicalType: integer"]), path).passed


def test_a_file_may_be_named_from_where_one_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a*b.csv", "plain.csv"):
        Path(name).write_bytes(b"id\n1\n")
        assert judged(written(tmp_path, ["name: id, logicalType: integer"]), Path(name)).passed


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_a_file_that_decompresses_to_more_than_can_be_is_broken_before_it_fills_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compression: Literal["gzip", "zstd"]
) -> None:
    monkeypatch.setattr(plain, "_ANYWAY", 1 << 20)
    body = b"id\n" + b"1\n" * (16 << 20)
    squeezed = (
        gzip.compress(body) if compression == "gzip" else bytes(pa.compress(body, codec="zstd", asbytes=True))
    )
    (tmp_path / "bomb").write_bytes(squeezed)
    file = declared(Csv(), compression=compression)
    with plain.decompressed(file, tmp_path / "bomb", tmp_path) as (readable, wrong):
        assert wrong == "it decompresses to more than 500 times its size"
        assert readable.stat().st_size <= max(1 << 20, 500 * len(squeezed))
    (tmp_path / "fine").write_bytes(
        gzip.compress(b"id\n1\n")
        if compression == "gzip"
        else bytes(pa.compress(b"id\n1\n", codec="zstd", asbytes=True))
    )
    with plain.decompressed(file, tmp_path / "fine", tmp_path) as (readable, wrong):
        assert (readable.read_bytes(), wrong) == (b"id\n1\n", "")


@pytest.mark.parametrize("spoiled", [b"PAR1" + bytes(60), b"PAR1" + b"\xff" * 60])
def test_a_parquet_footer_that_cannot_be_read_is_a_broken_file(tmp_path: Path, spoiled: bytes) -> None:
    path = tmp_path / "x.parquet"
    path.write_bytes(spoiled + (40).to_bytes(4, "little") + b"PAR1")
    report = ParquetGate(()).scan(path)
    assert report.defects == {"structure": 1}


@pytest.mark.parametrize(
    ("size", "anyway", "fine"), [(4000, 4000, True), (4001, 4000, False), (60_000, 100, True)]
)
def test_a_file_may_decompress_to_so_much_anyway_and_to_more_in_proportion(
    size: int, anyway: int, fine: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plain, "_ANYWAY", anyway)
    monkeypatch.setattr(plain, "_MOST_TIMES", 5000 if size == 60_000 else 1)
    (tmp_path / "file").write_bytes(
        gzip.compress(b"id\n" + b"1\n" * ((size - 3) // 2) + b"\n" * ((size - 3) % 2))
    )
    with plain.decompressed(declared(compression="gzip"), tmp_path / "file", tmp_path) as (readable, wrong):
        assert (wrong == "") is fine
        assert (readable.stat().st_size == size) is fine
