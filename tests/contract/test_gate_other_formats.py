"""A defect that CSV does not pass does not pass in another format, in a compressed file, or in a column that nobody asks about."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Literal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from landbridge.contract.columns import ColumnRule
from landbridge.contract.parquet import ParquetGate
from landbridge.errors import DeclarationWrong, DiskFailed
from landbridge.feed.outputs import Csv, Fixed, FixedColumn, Jsonl, Parquet
from tests.contract.odcs_texts import declared, judged, named, written

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from landbridge.feed.outputs import Format

ID = "name: id, logicalType: integer"
TEXT = "name: v, logicalType: string"
JSONL = Jsonl(kind="jsonl")
PARQUET = declared(Parquet(kind="parquet"))


def raw(values: list[int], kind: pa.DataType) -> pa.Table:
    """Give values of a column as the numbers that Parquet keeps."""
    size = pa.int32() if kind.bit_width == 32 else pa.int64()
    return pa.table({"v": pa.array(values, size).view(kind)})


_DAY = 86_400_000_000
_FIRST, _LAST = -719_162, 2_932_896
"""0001-01-01 and 9999-12-31, in days since 1970."""


@pytest.mark.parametrize(
    ("clause", "rule", "good", "bad"),
    [
        ("string", "nul", pa.table({"v": ["a", "", None]}), pa.table({"v": ["a\0b", "\0", "a"]})),
        (
            "date",
            "range",
            raw([_FIRST, 0, _LAST], pa.date32()),
            raw([_FIRST - 1, _LAST + 1, 0, 2**31 - 1, -(2**31) + 1], pa.date32()),
        ),
        (
            "timestamp",
            "range",
            raw([_FIRST * _DAY, (_LAST + 1) * _DAY - 1], pa.timestamp("us")),
            raw([_FIRST * _DAY - 1, (_LAST + 1) * _DAY, 2**63 - 1, 0], pa.timestamp("us")),
        ),
        (
            "timestamp, logicalTypeOptions: {timezone: true}",
            "range",
            raw([_FIRST * _DAY, (_LAST + 1) * _DAY - 1], pa.timestamp("us", "UTC")),
            raw([_FIRST * _DAY - 1, (_LAST + 1) * _DAY, 0], pa.timestamp("us", "UTC")),
        ),
        ("time", "range", raw([0, _DAY - 1], pa.time64("us")), raw([_DAY, 0], pa.time64("us"))),
        (
            "number",
            "finite",
            pa.table({"v": [1.5, -1e308, None]}),
            pa.table({"v": [float("inf"), 1.0, float("-inf"), float("nan")]}),
        ),
    ],
)
def test_parquet_holds_only_what_the_other_formats_can_spell(
    clause: str, rule: str, good: pa.Table, bad: pa.Table, tmp_path: Path
) -> None:
    contract, path = written(tmp_path, [f"name: v, logicalType: {clause}"]), tmp_path / "things.parquet"
    pq.write_table(good, path)
    met = judged(contract, path, PARQUET)
    assert met.passed, met.rules
    pq.write_table(bad, path)
    report = judged(contract, path, PARQUET)
    assert not report.passed
    assert named(report, rule).broken == bad.num_rows - 1
    assert len(report.defects) == bad.num_rows - 1


def test_parquet_that_is_finer_than_a_contract_can_say_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "things.parquet"
    for kind, clause in (("time64[ns]", "time"), ("timestamp[ns]", "timestamp")):
        stored = pa.time64("ns") if clause == "time" else pa.timestamp("ns")
        pq.write_table(pa.table({"v": pa.array([1000], pa.int64()).view(stored)}), path)
        report = judged(written(tmp_path, [f"name: v, logicalType: {clause}"]), path, PARQUET)
        assert named(report, "type").message.startswith(f"first: stored as {kind}")


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        (b'{"id":1,"v":"a\\u0000b"}', "type"),
        (b'{"id":1,"v":"a\0b"}', "structure.json encoding.nul"),
        (b'\xef\xbb\xbf{"id":1,"v":"a"}', "structure.json"),
        (b'{"id":1e0,"v":"a"}', "type"),
        (b'{"id":1.0,"v":"a"}', "type"),
        (b'{"id":+1,"v":"a"}', "structure.json"),
        (b'{"id":01,"v":"a"}', "structure.json"),
        (b'{"id":0x1F,"v":"a"}', "structure.json"),
        (b'{"id":1_000,"v":"a"}', "structure.json"),
        (b'{"id":Infinity,"v":"a"}', "structure.json"),
        (b'{"id":" 1","v":"a"}', "type"),
        (b'{"id":"1 ","v":"a"}', "type"),
        (b'{"id":9223372036854775808,"v":"a"}', "type"),
        (b'{"id":1,"v":"a"}\r', "structure.line_ends"),
        (b'{"id":1,"v":"a"}\n', "structure.blank_line"),
        (b'{"id":1,"v":"a"},', "structure.json"),
        (b'{"id":1,"v":"\xc0\xaf"}', "encoding.bytes"),
        (b'{"id":1,"v":"\xed\xa0\x80"}', "encoding.bytes"),
    ],
)
def test_json_lines_pass_no_defect_of_csv(line: bytes, rule: str, tmp_path: Path) -> None:
    contract, good = written(tmp_path, [ID, TEXT]), b'{"id":1,"v":"a"}\n'
    assert judged(contract, good * 2, declared(JSONL)).passed
    report = judged(contract, line + b"\n" + good, declared(JSONL))
    assert [
        each.rule for each in report.rules if not each.passed and each.severity == "error"
    ] == rule.split()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b'{"v":"x","v":"y","id":1}', "keys twice: 'v'"),
        (b'{"v":"x"}', "keys missing: 'id'"),
        (b'{"v":"x","id":1,"w":1,"\xc3\xa9":1}', "keys not in the contract: 'w', '\\xe9'"),
        (b'{"v":"x","v":"y","w":1}', "keys twice: 'v'; missing: 'id'; not in the contract: 'w'"),
        (
            b'{"id":1,"v":"x",' + b",".join(b'"k%d":1' % n for n in range(9)) + b"}",
            "keys not in the contract: 'k0', 'k1', 'k2', 'k3', 'k4'",
        ),
    ],
)
def test_what_is_wrong_with_the_keys_of_json_is_told(line: bytes, words: str, tmp_path: Path) -> None:
    report = judged(written(tmp_path, [ID, TEXT]), line + b"\n", declared(JSONL))
    assert [defect.message for defect in report.defects] == [words]


STORED: list[tuple[ColumnRule, list[pa.DataType], list[pa.DataType]]] = [
    (
        ColumnRule("v", "string"),
        [pa.string(), pa.large_string(), pa.dictionary(pa.int8(), pa.string())],
        [pa.binary(), pa.int8(), pa.dictionary(pa.int8(), pa.int8()), pa.null(), pa.list_(pa.string())],
    ),
    (ColumnRule("v", "binary"), [pa.binary(), pa.large_binary(), pa.binary(4)], [pa.string(), pa.int8()]),
    (
        ColumnRule("v", "integer", bits=32),
        [pa.int32(), pa.int8(), pa.uint16()],
        [pa.int64(), pa.uint32(), pa.float32()],
    ),
    (
        ColumnRule("v", "integer", bits=32, signed=False),
        [pa.uint32(), pa.uint8()],
        [pa.int8(), pa.int32(), pa.uint64(), pa.bool_()],
    ),
    (
        ColumnRule("v", "decimal", precision=9, scale=2),
        [pa.decimal128(9, 2), pa.decimal128(7, 0), pa.decimal256(8, 1)],
        [pa.decimal128(10, 2), pa.decimal128(8, 0), pa.decimal128(9, 3), pa.float64(), pa.int32()],
    ),
    (ColumnRule("v", "float"), [pa.float64(), pa.float32()], [pa.int32(), pa.decimal128(9, 2)]),
    (ColumnRule("v", "float", bits=32), [pa.float32()], [pa.float64(), pa.int8()]),
    (ColumnRule("v", "boolean"), [pa.bool_()], [pa.int8()]),
    (ColumnRule("v", "date"), [pa.date32(), pa.date64()], [pa.timestamp("s"), pa.int32()]),
    (
        ColumnRule("v", "time"),
        [pa.time32("s"), pa.time32("ms"), pa.time64("us")],
        [pa.time64("ns"), pa.int32()],
    ),
    (
        ColumnRule("v", "timestamp"),
        [pa.timestamp("s"), pa.timestamp("us")],
        [pa.timestamp("ns"), pa.timestamp("us", "UTC"), pa.date32(), pa.time64("us")],
    ),
    (
        ColumnRule("v", "timestamp", zoned=True),
        [pa.timestamp("ms", "UTC")],
        [pa.timestamp("ms"), pa.timestamp("ns", "UTC")],
    ),
]


@pytest.mark.parametrize(
    ("column", "fits", "others"), STORED, ids=lambda p: p.kind if isinstance(p, ColumnRule) else ""
)
def test_a_stored_type_holds_the_values_of_a_column_or_is_refused(
    column: ColumnRule, fits: list[pa.DataType], others: list[pa.DataType]
) -> None:
    def wrong(kind: pa.DataType) -> bool:
        return bool(ParquetGate([column])._defects(pa.schema([("v", kind)])))

    assert [kind for kind in fits if wrong(kind)] == []
    assert [kind for kind in others if not wrong(kind)] == []


def test_the_rules_that_held_of_a_parquet_file_are_listed(tmp_path: Path) -> None:
    path = tmp_path / "things.parquet"
    pq.write_table(pa.table({"v": ["a"]}), path)
    report = judged(written(tmp_path, [TEXT]), path, PARQUET)
    assert [rule.rule for rule in report.rules if rule.passed] == ["structure", "header", "type", "nul"]
    path.write_bytes(b"none")
    report = judged(written(tmp_path, [TEXT]), path, PARQUET)
    assert [(rule.rule, rule.passed) for rule in report.rules][:3] == [
        ("structure", False),
        ("header", True),
        ("type", True),
    ]


def test_a_date_behind_zeros_and_a_text_before_them_are_read(tmp_path: Path) -> None:
    form = Fixed(
        kind="fixed",
        columns={
            "day": FixedColumn(width=12, fill="0", align="right"),
            "v": FixedColumn(width=4, fill="0"),
        },
    )
    rule = "type: sql, query: SELECT count(*) FROM things WHERE v = ''a'' AND day = ''2026-11-20'', mustBe: 1"
    rule = rule.replace("query: ", "query: '").replace(", mustBe", "', mustBe")
    contract = written(tmp_path, ["name: day, logicalType: date", TEXT], [rule])
    report = judged(contract, b"002026-11-20a000\n0000000000000000\n", declared(form))
    assert report.passed, (report.defects, [each for each in report.rules if not each.passed])


@pytest.mark.parametrize("value", [b'"true"', b"1", b"0", b'"false"', b"True", b"[]", b'""'])
def test_only_true_and_false_are_booleans_of_json(value: bytes, tmp_path: Path) -> None:
    contract = written(tmp_path, ["name: ok, logicalType: boolean"])
    assert judged(contract, b'{"ok":true}\n{"ok":false}\n{"ok":null}\n', declared(JSONL)).passed
    assert not judged(contract, b'{"ok":%b}\n' % value, declared(JSONL)).passed


def test_a_parquet_file_that_the_disk_does_not_give_is_not_a_broken_one(tmp_path: Path) -> None:
    with pytest.raises(DiskFailed):
        ParquetGate(()).scan(tmp_path / "nothing.parquet")


def test_a_parquet_column_is_told_with_what_it_should_hold(tmp_path: Path) -> None:
    path = tmp_path / "things.parquet"
    pq.write_table(pa.table({"v": [1.5]}), path)
    for clause, words in (
        ("logicalType: integer, logicalTypeOptions: {format: u16}", "unsigned 16-bit integer"),
        ('physicalType: "DECIMAL(9,2)"', "decimal(9,2)"),
        ("logicalType: timestamp, logicalTypeOptions: {timezone: true}", "timestamp with a zone"),
        ("logicalType: boolean", "boolean"),
    ):
        report = judged(written(tmp_path, [f"name: v, {clause}"]), path, PARQUET)
        assert (
            f"stored as double, which does not hold the contract's {words} exactly"
            in report.defects[0].message
        )


@pytest.mark.parametrize(
    "packed", [gzip.compress, lambda text: pa.Codec("zstd").compress(text, asbytes=True)]
)
@pytest.mark.parametrize("form", [Csv(), Csv(header=False), JSONL])
def test_a_compressed_file_is_whole_or_refused(
    packed: Callable[[bytes], bytes], form: Format, tmp_path: Path
) -> None:
    compression: Literal["gzip", "zstd"] = "gzip" if packed is gzip.compress else "zstd"
    contract, file = written(tmp_path, [ID, TEXT]), declared(form, compression=compression)
    text = b'{"id":1,"v":"a"}\n' if form is JSONL else b"id,v\n" * (form == Csv()) + b"1,a\n"
    whole = packed(text)
    assert judged(contract, whole, file).rows == 1
    assert judged(contract, whole + packed(text if form != Csv() else b"2,b\n"), file).rows == 2
    for cut in (*range(0, len(whole), 4), len(whole) - 1):  # of no bytes at all, too
        assert named(judged(contract, whole[:cut], file), "compression").broken == 1, cut
    for spoiled in (whole + b"garbage", whole + whole[:9], b"x" + whole, text):
        assert named(judged(contract, spoiled, file), "compression").broken == 1
    empty = judged(contract, packed(b""), file)
    assert empty.passed is (form != Csv())


@pytest.mark.parametrize("flip", range(12))
def test_a_flipped_bit_of_a_compressed_file_is_seen(flip: int, tmp_path: Path) -> None:
    contract, file = written(tmp_path, [ID, TEXT]), declared(compression="gzip")
    whole = bytearray(
        gzip.compress(b"id,v\n" + b"".join(b"%d,x%d\n" % (n, n * n) for n in range(60)), mtime=0)
    )
    at = 10 + flip * (len(whole) - 11) // 11
    whole[at] ^= 1 << (flip % 8)
    assert not judged(contract, bytes(whole), file).passed


def test_a_blank_line_of_one_column_is_a_defect(tmp_path: Path) -> None:
    contract = written(tmp_path, [TEXT])
    for end in ("\n", "\r\n"):
        text = f"v{end}a{end}{end}b{end}"
        report = judged(contract, text.encode())
        assert [(each.rule, each.record, each.line) for each in report.defects] == [
            ("structure.blank_line", 2, 3)
        ]
        assert judged(contract, f'v{end}a{end}""{end}'.encode()).passed
        assert judged(contract, f"v{end}a{end}NULL{end}".encode(), declared(Csv(null="NULL"))).passed
        last = judged(contract, f"v{end}a{end}{end}".encode())
        assert named(last, "structure.blank_line").broken == 1


@pytest.mark.parametrize(
    ("fill", "align", "fits"),
    [
        ("0", "right", True),
        (" ", "left", True),
        (" ", "right", True),
        ("0", "left", False),
        ("9", "right", False),
    ],
)
@pytest.mark.parametrize(
    "clause", ["logicalType: integer", "logicalType: number", 'physicalType: "DECIMAL(5,2)"']
)
def test_digits_beside_a_number_of_fixed_width_cannot_be_told_from_it(
    fill: str, align: Literal["left", "right"], fits: bool, clause: str, tmp_path: Path
) -> None:
    form = Fixed(
        kind="fixed", columns={"n": FixedColumn(width=6, fill=fill, align=align), "v": FixedColumn(width=2)}
    )
    contract = written(tmp_path, [f"name: n, {clause}", TEXT])
    if fits:
        assert judged(contract, b"", declared(form)).rows == 0
        return
    with pytest.raises(DeclarationWrong, match="its digits could not be told from the fill"):
        judged(contract, b"", declared(form))


@pytest.mark.parametrize(
    ("clause", "text", "total"),
    [
        ("logicalType: integer", b"000007-00012000000", "-5"),
        ('physicalType: "DECIMAL(7,2)"', b"000.50-01.5000000.", None),
        ('physicalType: "DECIMAL(7,2)"', b"000.50-01.50000000", "-1.00"),
        ("logicalType: number", b"000e02-01.50000000", "-1.5"),
    ],
)
def test_zeros_before_a_number_of_fixed_width_are_its_digits(
    clause: str, text: bytes, total: str | None, tmp_path: Path
) -> None:
    form = Fixed(kind="fixed", columns={"n": FixedColumn(width=6, fill="0", align="right")})
    rule = f"type: sql, name: s, query: SELECT sum(n) FROM things, mustBe: {total or 0}"
    lines = b"".join(text[at : at + 6] + b"\n" for at in range(0, len(text), 6))
    report = judged(written(tmp_path, [f"name: n, {clause}"], [rule]), lines, declared(form))
    assert report.passed is (total is not None)


def test_bytes_of_parquet_are_the_text_that_other_formats_would_hold(tmp_path: Path) -> None:
    contract = written(
        tmp_path,
        ["name: v, logicalType: string, logicalTypeOptions: {format: binary}, enum: [{value: QUI=}]"],
    )
    path = tmp_path / "things.parquet"
    for value, broken in ((b"AB", 0), (b"QUI=", 1), (b"", 1), (None, 0)):
        pq.write_table(pa.table({"v": pa.array([value], pa.binary())}), path)
        assert named(judged(contract, path, PARQUET), "enum").broken == broken


@pytest.mark.parametrize(
    ("line", "fits"),
    [(b"31/12/2026", True), (b"01/01/2027", False), (b"12/31/2026", False), (b"2026-12-31", False)],
)
@pytest.mark.parametrize("exact", [True, False])
def test_a_day_in_a_form_of_its_own_is_compared_in_json_too(
    line: bytes, fits: bool, exact: bool, tmp_path: Path
) -> None:
    """Beside a number that must be looked at twice, and without one: two ways to read a line."""
    day = "name: day, logicalType: date, logicalTypeOptions: {format: dd/MM/yyyy, maximum: 31/12/2026}"
    digits = "DECIMAL(30,2)" if exact else "DECIMAL(9,2)"
    contract = written(tmp_path, [day, f"name: n, logicalType: number, physicalType: '{digits}'"])
    assert judged(contract, b'{"day":"%b","n":1.5}\n' % line, declared(JSONL)).passed is fits


def test_a_line_of_json_as_long_as_may_be_is_read(tmp_path: Path) -> None:
    text = b'{"v":"' + b"x" * ((1 << 24) - 8) + b'"}\n'
    clause = "name: v, logicalType: string, logicalTypeOptions: {maxLength: 9}"
    report = judged(written(tmp_path, [clause]), text, declared(JSONL))
    assert named(report, "maxLength").broken == 1
    longer = judged(written(tmp_path, [clause]), text.replace(b"x", b"xx", 1), declared(JSONL))
    assert named(longer, "structure.json").message == "first: a line of 16777217 bytes, at most 16777216"


@pytest.mark.parametrize(
    "clause", ["logicalType: integer", "physicalType: 'DECIMAL(5,2)'", "logicalType: number"]
)
def test_nothing_but_zeros_is_a_number_and_no_missing_one(clause: str, tmp_path: Path) -> None:
    form = Fixed(kind="fixed", columns={"n": FixedColumn(width=6, fill="0", align="right")})
    contract = written(tmp_path, [f"name: n, {clause}, required: true"])
    assert judged(contract, b"000000\n000007\n", declared(form)).passed
