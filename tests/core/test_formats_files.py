"""Parquet, compression, and the promise of one pass: same rows, same bytes, known size and hash, nothing left on error."""

import gzip
import hashlib
import itertools
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landbridge.errors import ContractBroken
from landbridge.formats import suffix
from landbridge.formats.compression import Compression, compressed, decompressed
from landbridge.formats.write import write
from tests.core.formats import WORDS, Silent, declared, written

TABLE = pa.table(
    {
        "n": pa.array(range(50_000)),
        "t": pa.array([f"text {i % 977}" if i % 5 else None for i in range(50_000)]),
        "f": pa.array([i / 7 for i in range(50_000)]),
    }
)
FORMS: dict[str, dict[str, object]] = {
    "csv": {"kind": "csv", "trailing": {"fields": ["{rows}", "{total:n}"]}},
    "counted": {"kind": "csv", "leading": {"fields": ["{rows}", "{total:n}"]}},
    "jsonl": {"kind": "jsonl"},
    "fixed": {"kind": "fixed", "columns": {c: {"width": 20} for c in ("n", "t", "f")}},
    "parquet": {"kind": "parquet", "row_group_rows": 10_000},
}


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
@pytest.mark.parametrize("form", FORMS)
def test_the_same_rows_give_the_same_bytes_however_they_came(
    form: str, compression: Compression, tmp_path: Path
) -> None:
    file = declared(FORMS[form], compression=compression)
    seen = [
        written(file, TABLE, tmp_path / f"{number}", sizes)
        for number, sizes in enumerate([[50_000], [1000], [7, 30_000, 999], [50_000]])
    ]
    assert len({done.content.sha256 for done in seen}) == 1
    body = (tmp_path / "0").read_bytes()
    assert seen[0].content.sha256 == hashlib.sha256(body).hexdigest()
    assert seen[0].content.size == len(body)
    assert seen[0].content.rows == TABLE.num_rows


def test_another_row_gives_other_bytes(tmp_path: Path) -> None:
    one = written(declared(), TABLE, tmp_path / "one")
    other = written(declared(), TABLE.slice(0, 49_999), tmp_path / "other")
    assert one.content.sha256 != other.content.sha256


@pytest.mark.parametrize("codec", ["zstd", "snappy", "gzip", "none"])
def test_parquet_reads_back_the_same_in_groups_of_the_declared_size(codec: str, tmp_path: Path) -> None:
    file = declared({"kind": "parquet", "codec": codec, "row_group_rows": 12_345})
    written(file, TABLE, tmp_path / "out", [5000])
    read = pq.ParquetFile(tmp_path / "out")
    groups = [read.metadata.row_group(i) for i in range(read.metadata.num_row_groups)]
    assert [group.num_rows for group in groups] == [12_345] * 4 + [620]
    assert groups[0].column(0).compression == {"none": "UNCOMPRESSED"}.get(codec, codec.upper())
    assert read.read().equals(TABLE)


def test_an_empty_parquet_has_its_columns(tmp_path: Path) -> None:
    assert written(declared(FORMS["parquet"]), TABLE.slice(0, 0), tmp_path / "out").content.rows == 0
    assert pq.read_table(tmp_path / "out").schema.names == ["n", "t", "f"]


def test_gzip_has_neither_name_nor_time_and_any_gunzip_reads_it(tmp_path: Path) -> None:
    written(declared(), TABLE, tmp_path / "plain")
    written(declared(compression="gzip"), TABLE, tmp_path / "out")
    body = (tmp_path / "out").read_bytes()
    assert body[:8] == b"\x1f\x8b\x08\x00\x00\x00\x00\x00"
    assert gzip.decompress(body) == (tmp_path / "plain").read_bytes()


def _read(path: Path, compression: Compression, most: int, size: int = 1000) -> bytes:
    with decompressed(path, compression, most=most) as stream:
        return b"".join(iter(lambda: stream.read(size), b""))


@given(pieces=st.lists(st.binary(max_size=3000).map(lambda b: b * 900), max_size=5))
@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
def test_compressed_bytes_come_back(
    pieces: list[bytes], compression: Compression, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("c") / "out"
    with compressed(path, compression) as (sink, _):
        for piece in pieces:
            sink.write(piece)
    whole = b"".join(pieces)
    assert _read(path, compression, most=len(whole), size=1 << 20) == whole
    path.unlink()


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
def test_a_bomb_is_refused_before_it_fills_memory(compression: Compression, tmp_path: Path) -> None:
    with compressed(tmp_path / "bomb", compression) as (sink, _):
        for _ in range(20):
            sink.write(b"\0" * (1 << 20))
    assert len(_read(tmp_path / "bomb", compression, most=20 << 20)) == 20 << 20
    with pytest.raises(ContractBroken, match="more than was allowed"):
        _read(tmp_path / "bomb", compression, most=(20 << 20) - 1, size=1 << 20)


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_cut_and_damaged_bytes_are_a_breach(compression: Compression, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    written(declared(compression=compression), TABLE, whole)
    body = whole.read_bytes()
    damaged = [body[: len(body) // 2], b"no such thing" + body]
    # Our zstd frames carry no checksum: what became of their middle is for the sha256 to tell.
    damaged += [body[:100] + b"\xff" * 999 + body[1099:]] if compression == "gzip" else []
    for number, bad in enumerate(damaged):
        path = tmp_path / str(number)
        path.write_bytes(bad)
        with pytest.raises(ContractBroken, match="cannot be decompressed"):
            _read(path, compression, most=1 << 30)


@pytest.mark.parametrize("form", FORMS)
def test_a_source_that_fails_half_way_leaves_nothing(form: str, tmp_path: Path) -> None:
    def failing() -> Iterator[pa.RecordBatch]:
        yield from itertools.islice(TABLE.to_batches(1000), 20)
        raise LookupError("the source is gone")

    with pytest.raises(LookupError):
        write(declared(FORMS[form]), TABLE.schema, failing(), tmp_path / "out", WORDS, progress=Silent())
    assert not list(tmp_path.iterdir())


def test_a_file_that_exists_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("somebody's")
    with pytest.raises(FileExistsError):
        written(declared(), TABLE, tmp_path / "out")
    assert (tmp_path / "out").read_text() == "somebody's"


@pytest.mark.parametrize(
    ("form", "compression", "ending"),
    [
        (None, "none", ".csv"),
        (None, "gzip", ".csv.gz"),
        ({"kind": "jsonl"}, "zstd", ".jsonl.zst"),
        (FORMS["fixed"], "none", ".txt"),
        (FORMS["parquet"], "none", ".parquet"),
    ],
)
def test_a_file_has_its_usual_ending(form: dict[str, object] | None, compression: str, ending: str) -> None:
    assert suffix(declared(form, compression=compression)) == ending
