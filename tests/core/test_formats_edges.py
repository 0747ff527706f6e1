"""Edges of what is written: blocks of a compressor, bounds of what is read back, nulls with bytes behind them, headers, line breaks."""

from __future__ import annotations

import gzip
import io
import random
import tempfile
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from landbridge.errors import ContractBroken, UsageError
from landbridge.formats import compression, lexical, write
from landbridge.formats.breach import Place
from landbridge.formats.compression import Bounded, Compression, Stream, compressed, decompressed
from landbridge.formats.formulas import guarded
from landbridge.formats.write import Unsure, write_lines
from landbridge.ports import Lines
from tests.core.formats import WORDS, Silent, declared, text, written

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class Told(list[bytes]):
    """A sink that remembers each piece."""

    def write(self, piece: bytes | bytearray | memoryview) -> int:
        self.append(bytes(piece))
        return len(piece)


@pytest.mark.parametrize(
    "sizes", [[40], [1] * 40, [7, 33], [8, 8, 8, 16], [15, 1, 24], [16, 24], [3, 29, 8], [0, 40, 0], [39, 1]]
)
def test_a_compressor_sees_the_same_blocks_however_the_bytes_came(
    sizes: Sequence[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compression, "_BLOCK", 8)
    content, told = bytes(range(40)), Told()
    blocks, at = compression._Blocks(told), 0
    for size in sizes:
        assert blocks.write(memoryview(content)[at : at + size]) == size
        at += size
    blocks.finish()
    assert told == [content[start : start + 8] for start in range(0, 40, 8)]
    blocks = compression._Blocks(told := Told())
    blocks.write(content[:9])
    blocks.finish()
    assert told == [content[:8], content[8:9]]


def test_no_more_is_read_than_was_asked_for_or_allowed() -> None:
    source = Bounded(io.BytesIO(b"x" * 100), "it", 100)
    assert [len(source.read(30)) for _ in range(5)] == [30, 30, 30, 10, 0]
    for most, fits in ((100, True), (99, False)):
        source = Bounded(io.BytesIO(b"x" * 100), "it", most)
        if fits:
            assert len(source.read()) == 100
            continue
        with pytest.raises(ContractBroken, match="more than was allowed"):
            source.read()
    asked: list[int] = []

    class Asked(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            asked.append(size or 0)
            return super().read(size)

    with pytest.raises(ContractBroken):
        Bounded(Asked(b"x" * 100), "it", 10).read(1 << 20)
    assert asked == [11], "one byte more than allowed tells that there are more"


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_what_is_cut_or_damaged_is_told_with_its_name(kind: str, tmp_path: Path) -> None:
    body = b"n\n" * 4000
    packed = gzip.compress(body) if kind == "gzip" else bytes(pa.compress(body, codec="zstd", asbytes=True))
    for name, spoilt in (("cut", packed[:-3]), ("none", b"none at all")):
        (tmp_path / name).write_bytes(spoilt)
        with (
            decompressed(tmp_path / name, kind, most=1 << 20) as source,  # type: ignore[arg-type] # listed above
            pytest.raises(ContractBroken, match=f"{name} cannot be decompressed"),
        ):
            list(iter(source.read, b""))


def hidden(values: bytes, offsets: list[int], valid: int) -> pa.StringArray:
    """Make texts of which those that are null have bytes behind them, as a mask over computed texts leaves."""
    ends = pa.py_buffer(b"".join(at.to_bytes(4, "little") for at in offsets))
    return pa.StringArray.from_buffers(
        len(offsets) - 1, ends, pa.py_buffer(values), pa.py_buffer(bytes([valid]))
    )


def test_a_null_is_no_formula_whatever_lies_behind_it() -> None:
    values = hidden(b"=1ab=2", [0, 2, 4, 6], 0b010)
    assert values.to_pylist() == [None, "ab", None]
    for policy in ("reject", "escape"):
        assert guarded(values, policy, Place("c", 0)).to_pylist() == [None, "ab", None]
    with pytest.raises(ContractBroken, match="row 8, column `c`: a spreadsheet"):
        guarded(hidden(b"=1ab=2", [0, 2, 4, 6], 0b110), "reject", Place("c", 5))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
@pytest.mark.parametrize("form", [{"kind": "csv"}, {"kind": "fixed", "columns": {"v": {"width": 4}}}])
def test_each_start_of_a_formula_is_refused(start: str, form: dict[str, object], tmp_path: Path) -> None:
    table = pa.table({"v": ["a" + start, start + "a"]})
    with pytest.raises(ContractBroken, match="row 2, column `v`: a spreadsheet would run this text"):
        written(declared(form, formula_injection="reject"), table, tmp_path / "out")
    if start != "\r":
        assert f"'{start}a" in text(
            {"kind": "csv"}, pa.table({"v": [start + "a"]}), tmp_path, formula_injection="escape"
        )


@pytest.mark.parametrize(
    ("quoting", "lines"),
    [
        ("all", ['"n","t"', '"1","a"']),
        ("strings", ['"n","t"', '1,"a"']),
        ("minimal", ["n,t", "1,a"]),
        ("none", ["n,t", "1,a"]),
    ],
)
def test_which_fields_are_quoted(quoting: str, lines: list[str], tmp_path: Path) -> None:
    table = pa.table({"n": [1], "t": ["a"]})
    assert text({"kind": "csv", "quoting": quoting}, table, tmp_path).splitlines() == lines
    around = {"leading": {"fields": ["H", "x"]}, "trailing": {"fields": ["T"]}}
    first, *_, last = text({"kind": "csv", "quoting": quoting, **around}, table, tmp_path).splitlines()
    assert (first, last) == (('"H","x"', '"T"') if quoting == "all" else ("H,x", "T"))


def test_a_uuid_is_text_and_its_storage_is_not(tmp_path: Path) -> None:
    value = UUID("123e4567-e89b-12d3-a456-426614174000")
    table = pa.table({"u": pa.array([value.bytes, None], pa.uuid())})
    assert text({"kind": "csv", "null": "-"}, table, tmp_path).splitlines() == ["u", str(value), "-"]
    assert text({"kind": "jsonl"}, table, tmp_path).splitlines() == [f'{{"u":"{value}"}}', '{"u":null}']


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
@pytest.mark.parametrize("where", ["leading", "trailing"])
def test_a_record_around_the_data_of_fixed_width_is_one_line(where: str, end: str, tmp_path: Path) -> None:
    form = {"kind": "fixed", "columns": {"v": {"width": 4}}, where: {"fields": [f"T{end}x"]}}
    with pytest.raises(ContractBroken, match="holds a line break"):
        written(declared(form), pa.table({"v": ["a"]}), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("column", "values", "lines"),
    [
        ({"width": 4, "align": "right", "fill": "0"}, [-7, 12], ["-007", "0012"]),
        ({"width": 4, "align": "right", "fill": "0"}, ["-7", "ab"], ["00-7", "00ab"]),
        ({"width": 4, "align": "right", "fill": "*"}, [-7, 12], ["**-7", "**12"]),
        ({"width": 4}, ["ab", "abcd"], ["ab  ", "abcd"]),
    ],
)
def test_where_the_fill_goes(
    column: dict[str, object], values: list[object], lines: list[str], tmp_path: Path
) -> None:
    form = {"kind": "fixed", "columns": {"v": column}}
    assert text(form, pa.table({"v": values}), tmp_path, formula_injection="allow").splitlines() == lines


@pytest.mark.parametrize(("name", "fits"), [("abcd", True), ("abcde", False)])
def test_the_name_of_a_column_is_as_long_as_its_column_or_shorter(
    name: str, fits: bool, tmp_path: Path
) -> None:
    form = {"kind": "fixed", "header": True, "columns": {name: {"width": 4}}}
    if fits:
        assert text(form, pa.table({name: ["x"]}), tmp_path).splitlines() == ["abcd", "x   "]
        return
    with pytest.raises(UsageError, match="longer than its 4 characters"):
        written(declared(form), pa.table({name: ["x"]}), tmp_path / "out")


@pytest.mark.parametrize("value", ['"', "\\", "\n", "\x00", "\x1f", " ", "é", '\\"', "\x7f"])
def test_a_text_of_one_sign_is_the_same_in_json(value: str, tmp_path: Path) -> None:
    import json

    (line,) = text({"kind": "jsonl"}, pa.table({"v": [value]}), tmp_path).split("\n")[:-1]
    assert json.loads(line) == {"v": value}


def test_the_rows_of_many_small_batches_are_written_together(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = pa.record_batch({"v": ["x" * 10]})
    monkeypatch.setattr(write, "_FEWEST_ROWS", 3)
    assert [len(one) for one in write._gathered(iter([batch] * 7))] == [3, 3, 1]
    monkeypatch.setattr(write, "_FEWEST_ROWS", 100)
    monkeypatch.setattr(write, "_MOST_BYTES", 2 * batch.nbytes)
    assert [len(one) for one in write._gathered(iter([batch] * 5))] == [2, 2, 1]
    assert [len(one) for one in write._pieces(pa.record_batch({"v": ["x" * 10] * 5}))] == [2, 2, 1]


def test_rows_without_columns_are_no_file(tmp_path: Path) -> None:
    with pytest.raises(ContractBroken, match="the rows have no columns"):
        written(declared({"kind": "csv"}), pa.table({}), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("form", "lines"),
    [
        ({"delimiter": "."}, ["n.d.t", '1."2.5".a']),
        ({"quote": "1"}, ["n,d,t", "1111,2.5,a"]),
        ({"quote": "5", "quoting": "all"}, ["5n5,5d5,5t5", "515,52.555,5a5"]),
        ({"delimiter": "2"}, ["n2d2t", '12"2.5"2a']),
    ],
)
def test_a_dialect_of_signs_that_numbers_are_written_with(
    form: dict[str, object], lines: list[str], tmp_path: Path
) -> None:
    table = pa.table({"n": [1], "d": [2.5], "t": ["a"]})
    assert text({"kind": "csv", **form}, table, tmp_path).splitlines() == lines


@pytest.mark.parametrize(
    ("field", "said"), [("{rows}", "2"), ("{records}", "3"), ("{total:n}", "5"), ("{feed}", "trades")]
)
def test_a_leading_record_that_counts_waits_for_the_rows(field: str, said: str, tmp_path: Path) -> None:
    form = {"kind": "csv", "header": False, "leading": {"fields": [field]}}
    assert text(form, pa.table({"n": [2, 3]}), tmp_path).splitlines() == [said, "2", "3"]


def test_a_total_of_nothing_but_nulls_is_nothing(tmp_path: Path) -> None:
    form = {"kind": "csv", "null": "-", "trailing": {"fields": ["{total:n}", "{rows}"]}}
    table = pa.table({"n": pa.array([None, None], pa.decimal128(9, 2))})
    assert text(form, table, tmp_path).splitlines() == ["n", "-", "-", "0.00,2"]


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        (pa.large_string(), "=a", "'=a"),
        (pa.string_view(), "=a", "'=a"),
        (pa.dictionary(pa.int8(), pa.string()), "=a", "'=a"),
        (pa.binary(), b"ab", "YWI="),
        (pa.large_binary(), b"ab", "YWI="),
        (pa.binary(2), b"ab", "YWI="),
        (pa.binary_view(), b"ab", "YWI="),
        (pa.dictionary(pa.int8(), pa.int16()), 7, "7"),
        (pa.decimal128(20, 10), "0.0000000001", "0.0000000001"),
        (pa.decimal128(20, 7), "0", "0.0000000"),
        (pa.decimal128(9, -2), "1200", "1200"),
        (pa.decimal128(9, -1), "1200", "1200"),
        (pa.float32(), 0.5, "0.5"),
        (pa.bool_(), True, "true"),
    ],
)
def test_a_value_of_each_kind_has_one_text(
    kind: pa.DataType, value: object, said: str, tmp_path: Path
) -> None:
    values = [Decimal(value) if pa.types.is_decimal(kind) else value, None]  # type: ignore[arg-type] # as text above
    table = pa.table({"v": pa.array(values, kind)})
    form = {"kind": "csv", "null": "-"}
    assert text(form, table, tmp_path, formula_injection="escape").splitlines() == ["v", said, "-"]


@pytest.mark.parametrize("value", ["abcde", 12345, "\u00e9\u00e9\u00e9\u00e9\u00e9"])
def test_a_value_longer_than_its_column_is_never_cut(value: object, tmp_path: Path) -> None:
    form = {"kind": "fixed", "columns": {"v": {"width": 4, "align": "right"}}}
    with pytest.raises(ContractBroken, match="row 2, column `v`: longer than the 4 characters"):
        written(declared(form), pa.table({"v": [None, value]}), tmp_path / "out")


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_what_is_compressed_leaves_memory_as_it_comes(kind: Compression, tmp_path: Path) -> None:
    with compressed(tmp_path / "out", kind) as (sink, digest):
        sink.write(random.Random(1).randbytes(4 << 20))
        assert digest.size > 2 << 20


def test_a_stream_knows_how_many_bytes_went_by_and_keeps_its_sink_open() -> None:
    stream = Stream(told := Told())
    assert (stream.tell(), stream.closed) == (0, False)
    assert (stream.write(b"ab"), stream.write(memoryview(b"cde")), stream.tell()) == (2, 3, 5)
    stream.close()
    assert (stream.closed, told) == (True, [b"ab", b"cde"])


def test_no_more_rows_or_bytes_are_held_than_were_meant() -> None:
    """However few or wide the rows are: what is kept back, and what is worked on at once, is bounded."""
    thousand = pa.record_batch({"n": pa.array([1] * 1000, pa.int8())})
    assert [len(one) for one in write._gathered(iter([thousand] * 6))] == [5000, 1000]
    wide = pa.record_batch({"t": ["x" * (3 << 20)]})
    assert [len(one) for one in write._gathered(iter([wide] * 4))] == [3, 1]
    whole = pa.record_batch({"n": pa.array([1] * 40_000, pa.int8())})
    assert [len(one) for one in write._pieces(whole)] == [16_384, 16_384, 7232]
    assert [len(one) for one in write._pieces(pa.record_batch({"t": ["x" * (3 << 20)] * 5}))] == [2, 2, 1]
    huge = pa.record_batch({"t": ["x" * (9 << 20)] * 2})
    assert [len(one) for one in write._pieces(huge)] == [1, 1]
    empty = pa.record_batch({"n": pa.array([], pa.int8())})
    assert list(write._pieces(empty)) == []


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_plain_letters_have_two_bytes_too_where_every_letter_has(encoding: str, tmp_path: Path) -> None:
    written(
        declared({"kind": "csv", "encoding": encoding}), pa.table({"n": [1], "t": ["a"]}), tmp_path / "out"
    )
    assert (tmp_path / "out").read_bytes() == "n,t\n1,a\n".encode(encoding)


def test_bytes_of_no_length_are_no_null(tmp_path: Path) -> None:
    table = pa.table({"n": [1, 2], "b": pa.array([b"", None], pa.binary())})
    assert text({"kind": "csv"}, table, tmp_path) == 'n,b\n1,""\n2,\n'
    slashes = pa.table({"n": [1], "b": [b"\xff\xff\xff"]})
    assert text({"kind": "csv", "delimiter": "/"}, slashes, tmp_path) == 'n/b\n1/"////"\n'


@pytest.mark.parametrize("values", [[], [None, None], ["", ""]])
def test_texts_without_any_bytes_hold_nothing(values: list[str | None]) -> None:
    array = pa.array(values, pa.string())
    assert lexical.content(array) == b""
    assert guarded(array, "reject", Place("c", 0)).to_pylist() == values


def test_only_the_bytes_of_a_slice_are_looked_at() -> None:
    assert lexical.content(pa.array(["ab", "", "cd", "ef"]).slice(1, 2)) == b"cd"


@pytest.mark.parametrize(
    "kind",
    [
        pa.fixed_shape_tensor(pa.int32(), [2]),
        pa.dictionary(pa.int8(), pa.list_(pa.int8())),
        pa.list_(pa.int8()),
    ],
)
@pytest.mark.parametrize("form", [{"kind": "csv"}, {"kind": "fixed", "columns": {"v": {"width": 4}}}])
def test_what_holds_several_values_has_no_text_however_it_is_wrapped(
    kind: pa.DataType, form: dict[str, object], tmp_path: Path
) -> None:
    schema = pa.schema([("v", kind)])
    with pytest.raises(ContractBroken, match=r"`v` is .* which has no form as text"):
        write.write(declared(form), schema, iter(()), tmp_path / "out", WORDS, progress=Silent())
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        (pa.dictionary(pa.int8(), pa.int16()), 7, "7"),
        (pa.dictionary(pa.int8(), pa.string()), 'a"', '"a\\""'),
        (pa.large_string(), "a", '"a"'),
        (pa.bool_(), False, "false"),
        (pa.int8(), -1, "-1"),
        (pa.decimal128(20, 7), "0", "0.0000000"),
        (pa.date32(), 0, '"1970-01-01"'),
        (pa.binary(), b"ab", '"YWI="'),
        (pa.list_(pa.int8()), [1, None], "[1,null]"),
        (pa.null(), None, "null"),
    ],
)
def test_a_value_of_each_kind_is_a_number_a_text_or_null_in_json(
    kind: pa.DataType, value: object, said: str, tmp_path: Path
) -> None:
    one = Decimal(value) if pa.types.is_decimal(kind) else value  # type: ignore[arg-type] # as text above
    table = pa.table({"v": pa.array([one, None], kind)})
    assert text({"kind": "jsonl"}, table, tmp_path).splitlines() == [f'{{"v":{said}}}', '{"v":null}']


def test_groups_of_parquet_are_as_long_as_declared_whatever_the_library_thinks_long(tmp_path: Path) -> None:
    for rows, group, groups in ((6, 3, [3, 3]), (1_100_001, 1_100_000, [1_100_000, 1])):
        table = pa.table({"v": pa.array([None] * rows, pa.bool_())})
        file = declared({"kind": "parquet", "row_group_rows": group})
        written(file, table, tmp_path / "out", [rows])
        read = pq.ParquetFile(tmp_path / "out").metadata
        assert [read.row_group(at).num_rows for at in range(read.num_row_groups)] == groups
        (tmp_path / "out").unlink()


@pytest.mark.parametrize(
    ("kind", "values", "said"),
    [
        (pa.decimal256(76, 0), [10**76 - 1], "9" * 76),
        (pa.decimal256(76, 40), ["0." + "3" * 40, "1" * 36], "1" * 36 + "." + "3" * 40),
        (pa.decimal128(38, 0), [10**38 - 1] * 2, "1" + "9" * 37 + "8"),
        (pa.decimal128(38, 38), ["0." + "0" * 37 + "1"] * 3, "0." + "0" * 37 + "3"),
        (pa.decimal128(9, -2), ["1200", "-100"], "1100"),
    ],
)
def test_a_total_keeps_every_digit(
    kind: pa.DataType, values: list[str | int], said: str, tmp_path: Path
) -> None:
    form = {"kind": "csv", "header": False, "trailing": {"fields": ["T{total:n}"]}}
    with localcontext(prec=80):
        table = pa.table({"n": pa.array([Decimal(value) for value in values], kind)})
    assert text(form, table, tmp_path).splitlines()[-1] == f"T{said}"


@pytest.mark.parametrize(
    ("field", "words"),
    [("{total}", "names no column"), ("{feed!r}", "not allowed"), ("{revision:x!}", "revision")],
)
def test_a_word_that_is_not_whole_fills_no_field(field: str, words: str, tmp_path: Path) -> None:
    form = {"kind": "csv", "leading": {"fields": [field]}}
    with pytest.raises(UsageError, match=words):
        written(declared(form), pa.table({"n": [1]}), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_rows_that_wait_for_a_leading_record_wait_beside_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system's own folder for scratch files may be small, or not there."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    form = {"kind": "csv", "header": False, "leading": {"fields": ["{rows}"]}}
    assert text(form, pa.table({"n": [7, 8]}), tmp_path) == "2\n7\n8\n"


class Counted(Silent):
    """Remembers what was said, and in which order."""

    def __init__(self) -> None:
        self.said: list[tuple[object, ...]] = []

    def start(self, step: str, total: int | None, unit: str) -> None:
        self.said.append(("start", step, total, unit))

    def advance(self, step: str, amount: int) -> None:
        self.said.append(("advance", step, amount))

    def finish(self, step: str) -> None:
        self.said.append(("finish", step))


@pytest.mark.parametrize("value", ["a", "=a"])
def test_who_watches_is_told_of_the_rows_and_of_the_end_however_it_ends(value: str, tmp_path: Path) -> None:
    watch = Counted()
    batch = pa.record_batch({"t": [value, value]})
    try:
        write.write(declared(), batch.schema, iter([batch]), tmp_path / "out", WORDS, progress=watch)
    except ContractBroken:
        assert watch.said == [("start", "write", None, "rows"), ("finish", "write")]
    else:
        assert watch.said == [("start", "write", None, "rows"), ("advance", "write", 2), ("finish", "write")]


def lines(*texts: str | None) -> Lines:
    """Give lines of CSV with one column, as a source writes them."""
    batch = pa.record_batch({"": pa.array(texts, pa.string())})
    return Lines(pa.schema([("t", pa.string())]), iter([batch]), [])


def test_lines_of_a_source_are_written_as_they_are_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "out"
    file = declared({"kind": "csv", "encoding": "iso-8859-1", "trailing": {"fields": ["{rows}"]}})
    done = write_lines(file, lines("a\n", "\u00e9\n"), path, WORDS, progress=Silent())
    assert (path.read_bytes(), done.content.rows) == (b"t\na\n\xe9\n2\n", 2)
    path.unlink()
    for unsure in (lines("a\n", None), lines("a\n", "\u20ac\n")):
        with pytest.raises(Unsure):
            write_lines(file, unsure, path, WORDS, progress=Silent())
        assert not path.exists()
