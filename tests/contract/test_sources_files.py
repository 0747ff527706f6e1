"""Are files read in order of their names, and strictly?"""

from __future__ import annotations

import json
from contextlib import nullcontext
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet
import pytest

from landbridge.errors import ContractBroken, Unavailable, UsageError
from landbridge.sources import reading
from landbridge.sources.files import Found
from landbridge.stores.folder import FolderStore
from tests.contract.bridge import around, declared, read
from tests.fakes.memory_store import MemoryStore

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS = {"id": "int64", "name": "string"}


def _put(folder: Path, **files: str | bytes) -> None:
    for name, content in files.items():
        path = folder / "in" / name.replace("__", ".")
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def _parquet(folder: Path, name: str, rows: list[dict[str, Any]]) -> None:
    (folder / "in").mkdir(exist_ok=True)
    pa.parquet.write_table(pa.Table.from_pylist(rows), folder / "in" / name)


def test_csv_files_come_in_order_of_their_names(tmp_path: Path) -> None:
    _put(
        tmp_path,
        b__csv='name,id,other\n"x\ny",3,1\n',
        a__csv='id,name\n1,""\n2,\n',
        c__txt="no",
        __hidden__csv="no",
    )
    (tmp_path / "in" / "d.csv").mkdir()  # a folder, however it is called
    taken = read(around(tmp_path), kind="files", path="in/*.csv", format="csv", columns=COLUMNS)
    assert taken.rows == [{"id": 1, "name": ""}, {"id": 2, "name": None}, {"id": 3, "name": "x\ny"}]
    assert taken.fact.query == "in/*.csv"
    assert taken.fact.parameters == {"files": "2"}


def test_csv_without_columns_is_text(tmp_path: Path) -> None:
    _put(tmp_path, a__csv="id;when\n007;2026-11-20\n")
    taken = read(around(tmp_path), kind="files", path="in/a.csv", format="csv", delimiter=";")
    assert taken.rows == [{"id": "007", "when": "2026-11-20"}]


def test_csv_in_another_encoding(tmp_path: Path) -> None:
    _put(tmp_path, a__csv="name\nJosé\n".encode("latin-1"))
    keys = {"kind": "files", "path": "in/a.csv", "format": "csv"}
    assert read(around(tmp_path), **keys, encoding="iso-8859-1").rows == [{"name": "José"}]
    with pytest.raises(ContractBroken, match=r"in/a\.csv"):
        read(around(tmp_path), **keys)


def test_declared_types_of_csv(tmp_path: Path) -> None:
    _put(
        tmp_path,
        a__csv="i,d,b,f,day,at,raw\n-1,1.50,true,1e3,2026-11-20,2026-11-20T10:00:00+01:00,AP8=\n,,,,,,\n",
    )
    columns = {
        "i": "int32", "d": "decimal(5,2)", "b": "boolean", "f": "float64", "day": "date", "at": "timestamptz",
        "raw": "binary",
    }  # fmt: skip
    first, second = read(around(tmp_path), kind="files", path="in/a.csv", format="csv", columns=columns).rows
    assert (first["i"], first["d"], first["b"], first["f"]) == (-1, Decimal("1.50"), True, 1000.0)
    assert first["at"].isoformat() == "2026-11-20T09:00:00+00:00"
    assert first["raw"] == b"\x00\xff"
    assert set(second.values()) == {None}


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("int64", "1.5"), ("int64", " 1"), ("int64", "0x1F"), ("int64", "1_000"), ("int64", "9223372036854775808"),
        ("int32", "2147483648"), ("decimal(5,2)", "1.005"), ("decimal(5,2)", "1e1"), ("decimal(5,2)", "1234.5"),
        ("boolean", "1"), ("boolean", "TRUE"), ("float64", "NaN"), ("date", "2026-02-30"), ("date", "20/11/2026"),
        ("timestamp", "2026-11-20"), ("timestamp", "2026-11-20T10:00:00Z"), ("timestamptz", "2026-11-20T10:00:00"),
        ("time", "25:00:00"), ("binary", "A"),
    ],
)  # fmt: skip
def test_a_text_that_is_not_plainly_of_its_type_is_told(tmp_path: Path, word: str, text: str) -> None:
    _put(tmp_path, a__csv=f"id,v\n1,\n2,{text}\n")
    with pytest.raises(ContractBroken) as caught:
        read(around(tmp_path), kind="files", path="in/*", format="csv", columns={"v": word})
    assert f"`in/a.csv`: row 2: `v` is not {word}" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "is empty"),
        ("id,nam\n1,x\n", "`name` is missing"),
        ("id,name,id\n1,x,2\n", "`id` is there twice"),
        ("id,name\n1\n", "cannot be read as csv"),
        ("id,name\n1,x,y\n", "cannot be read as csv"),
        (b"id,name\n1,\xff\n", "cannot be read as csv"),
    ],
)
def test_a_csv_that_is_not_what_was_declared_is_told(tmp_path: Path, content: str | bytes, says: str) -> None:
    _put(tmp_path, a__csv=content)
    with pytest.raises(ContractBroken, match=says):
        read(around(tmp_path), kind="files", path="in/*.csv", format="csv", columns=COLUMNS)


def test_jsonl_files_are_read(tmp_path: Path) -> None:
    lines = "\n".join(json.dumps({"id": number, "cost": number / 8}) for number in range(20_000))
    _put(tmp_path, a__jsonl=lines, b__jsonl='{"cost": 12345678901234567.12}\n')
    columns = {"id": "int64", "cost": "decimal(20,3)"}
    taken = read(around(tmp_path), kind="files", path="in/*.jsonl", format="jsonl", columns=columns)
    assert [row["id"] for row in taken.rows] == [*range(20_000), None]
    assert taken.rows[1]["cost"] == Decimal("0.125")
    assert taken.rows[-1]["cost"] == Decimal("12345678901234567.120")


def test_a_jsonl_line_too_deep_to_be_read_exactly_is_told(tmp_path: Path) -> None:
    deep = f'{{"cost": 0.5, "rest": {"[" * 1_010}{"]" * 1_010}}}'
    _put(tmp_path, a__jsonl=f'{{"cost": 1}}\n{deep}\n')
    with pytest.raises(ContractBroken, match="line 2 is not JSON") as caught:
        read(around(tmp_path), kind="files", path="in/*", format="jsonl", columns={"cost": "decimal(5,2)"})
    assert "too many levels" in caught.value.seen


def test_a_jsonl_number_of_more_than_64_bits_is_refused_without_columns(tmp_path: Path) -> None:
    _put(tmp_path, a__jsonl=f'{{"id": 1}}\n{{"id": {2**64 + 1}}}\n')
    with pytest.raises(ContractBroken, match="record 2: `id` is not int64"):
        read(around(tmp_path), kind="files", path="in/*", format="jsonl")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "line 2 is not JSON"),
        ('{"id": "2"}', "`in/a.jsonl`, record 2: `id` is not int64"),
        ("", "line 2 is not"),
    ],
)
def test_a_jsonl_line_that_is_wrong_is_told(tmp_path: Path, line: str, says: str) -> None:
    _put(tmp_path, a__jsonl=f'{{"id": 1}}\n{line}\n{{"id": 3}}\n')
    with pytest.raises(ContractBroken, match=says):
        read(around(tmp_path), kind="files", path="in/*", format="jsonl", columns={"id": "int64"})


def test_parquet_files_are_read(tmp_path: Path) -> None:
    _parquet(tmp_path, "a.parquet", [{"id": 1, "name": "x", "more": 1}])
    _parquet(tmp_path, "b.parquet", [{"more": 2, "name": "y", "id": 2}])
    taken = read(around(tmp_path), kind="files", path="in/*.parquet", format="parquet", columns=COLUMNS)
    assert taken.rows == [{"id": 1, "name": "x"}, {"id": 2, "name": "y"}]
    with pytest.raises(ContractBroken, match=r"`in/b\.parquet` differs from the first file in the order"):
        read(around(tmp_path), kind="files", path="in/*.parquet", format="parquet")


def test_a_parquet_file_of_other_types_is_told(tmp_path: Path) -> None:
    _parquet(tmp_path, "a.parquet", [{"id": "1", "name": "x"}])
    with pytest.raises(
        ContractBroken, match=r"differs from the declared columns in `id`.*expected int64.*seen string"
    ):
        read(around(tmp_path), kind="files", path="in/*", format="parquet", columns=COLUMNS)
    _put(tmp_path, a__parquet="no")
    with pytest.raises(ContractBroken, match="cannot be read as parquet"):
        read(around(tmp_path), kind="files", path="in/*", format="parquet", columns=COLUMNS)


def test_no_file_is_an_error_or_empty(tmp_path: Path) -> None:
    keys = {"kind": "files", "path": "in/{business_date:%Y%m%d}/*.csv", "format": "csv", "columns": COLUMNS}
    with pytest.raises(Unavailable, match=r"no file matches.*in/20261120/"):
        read(around(tmp_path), **keys)
    taken = read(around(tmp_path), **keys, none_is="empty")
    assert (taken.rows, taken.types) == ([], {"id": "int64", "name": "string"})


def test_files_of_a_bucket_are_read(tmp_path: Path) -> None:
    bucket = tmp_path / "bucket"
    store = FolderStore(bucket)
    day = "drop/20261120"
    for key in (
        f"{day}/b.csv",
        f"{day}/a.csv",
        f"{day}/x/c.csv",
        "drop/20261121/a.csv",
        f"{day}/c.txt",
        f"{day}/d.csv/e",
    ):
        store.put_new(key, f"id,name\n1,{key}\n".encode())
    asked: list[str] = []

    def stores(name: str) -> FolderStore:
        asked.append(name)
        return store

    keys = {"kind": "files", "path": "s3://b/drop/{business_date:%Y%m%d}/*.csv", "format": "csv"}
    taken = read(around(tmp_path, stores=stores), **keys)
    assert [row["name"] for row in taken.rows] == ["drop/20261120/a.csv", "drop/20261120/b.csv"]
    assert asked == ["s3://b"]
    with pytest.raises(UsageError, match="buckets cannot be reached"):
        read(around(tmp_path), **keys)


def test_a_key_that_points_upwards_is_the_buckets_fault_and_not_the_users(tmp_path: Path) -> None:
    """Whoever may write into the bucket chooses its keys; S3 takes `..` in them."""
    store = MemoryStore()
    store._add("drop/../a.csv", b"id\n1\n")
    with pytest.raises(ContractBroken, match=r"holds a key with `\.\.`"):
        read(around(tmp_path, stores=lambda _: store), kind="files", path="s3://b/drop/*/a.csv", format="csv")


@pytest.mark.parametrize("path", ["in/*/../../x", "ftp://x/y"])
def test_a_path_that_cannot_be_is_told(tmp_path: Path, path: str) -> None:
    with pytest.raises(UsageError):
        read(around(tmp_path), kind="files", path=path, format="csv")


@pytest.mark.parametrize("lead", ["../../secret.csv", "../../elsewhere"])
def test_a_link_that_leads_out_of_the_folder_is_refused_and_one_within_it_is_read(
    tmp_path: Path, lead: str
) -> None:
    project = tmp_path / "project"
    (project / "in" / "..data").mkdir(parents=True)
    (project / "in" / "..data" / "a.csv").write_text("id\n1\n")
    (tmp_path / "secret.csv").write_text("id\nsecret\n")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "x.csv").write_text("id\nsecret\n")
    (project / "in" / "a.csv").symlink_to("..data/a.csv")  # as a mounted ConfigMap has it
    assert read(around(project), kind="files", path="in/*.csv", format="csv").rows == [{"id": "1"}]
    (project / "in" / "link.csv").symlink_to(lead)
    with pytest.raises(ContractBroken, match="leads out"):
        read(
            around(project),
            kind="files",
            path="in/*.csv" if lead.endswith(".csv") else "in/*/x.csv",
            format="csv",
        )


def test_a_name_that_is_no_text_is_told(tmp_path: Path) -> None:
    _put(tmp_path, a__csv="id\n1\n")
    (tmp_path / "in" / "caf\udce9.csv").write_text("id\n1\n")
    with pytest.raises(ContractBroken, match="no text in UTF-8"):
        read(around(tmp_path), kind="files", path="in/*.csv", format="csv")


@pytest.mark.parametrize("name", ["a.csv.gz", "a.csv.zst"])
def test_a_file_that_cannot_be_decompressed_is_wrong_and_not_away(tmp_path: Path, name: str) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / name).write_bytes(b"id\n1\n" * 100)
    with pytest.raises(ContractBroken, match="cannot be read as csv"):
        read(around(tmp_path), kind="files", path="in/*", format="csv")


def test_what_is_too_deep_to_be_written_again_is_told(tmp_path: Path) -> None:
    _put(tmp_path, a__jsonl='{"id":' + "[" * 500 + "]" * 500 + "}\n")
    with pytest.raises(ContractBroken, match=r"250 levels|cannot be written as JSON"):
        read(around(tmp_path), kind="files", path="in/*", format="jsonl")


def test_a_parquet_file_whose_pages_are_not_what_the_footer_says_is_wrong_and_not_away(
    tmp_path: Path,
) -> None:
    _parquet(tmp_path, "a.parquet", [{"id": f"n{number}"} for number in range(50)])
    body = bytearray((tmp_path / "in" / "a.parquet").read_bytes())
    body[4:40] = bytes(36)
    (tmp_path / "in" / "a.parquet").write_bytes(body)
    with pytest.raises(ContractBroken, match="cannot be read as parquet"):
        read(around(tmp_path), kind="files", path="in/*", format="parquet")


def test_a_line_break_in_quotes_may_lie_where_a_block_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "BYTES", 40)
    rows = [{"id": f"{number}", "name": f"a\n{'b' * (number % 30)}\nc"} for number in range(200)]
    text = "id,name\n" + "".join(f'{row["id"]},"{row["name"]}"\n' for row in rows)
    _put(tmp_path, a__csv=text)
    assert read(around(tmp_path), kind="files", path="in/*", format="csv").rows == rows


def test_an_empty_line_of_a_csv_is_a_record_too(tmp_path: Path) -> None:
    """In a file of one column it is a value that is missing: left out, a row would be lost."""
    _put(tmp_path, a__csv="id\n1\n\n2\n")
    assert read(around(tmp_path), kind="files", path="in/*", format="csv").rows == [
        {"id": "1"},
        {"id": None},
        {"id": "2"},
    ]


def test_without_columns_every_line_of_the_first_jsonl_file_counts_too(tmp_path: Path) -> None:
    _put(tmp_path, a__jsonl='{"id": 1}\n{"id": 2}\n', b__jsonl='{"id": 3}\n')
    taken = read(around(tmp_path), kind="files", path="in/*", format="jsonl")
    assert taken.rows == [{"id": 1}, {"id": 2}, {"id": 3}]


def test_parquet_files_may_differ_in_what_may_be_null(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name, nullable in (("a", True), ("b", False)):
        schema = pa.schema([pa.field("id", pa.int64(), nullable=nullable)], {"from": name})
        pa.parquet.write_table(pa.Table.from_pylist([{"id": 1}], schema), tmp_path / "in" / f"{name}.parquet")
    taken = read(around(tmp_path), kind="files", path="in/*", format="parquet")
    assert taken.rows == [{"id": 1}, {"id": 1}]


def test_a_jsonl_line_is_at_most_as_long_as_it_may_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_LONGEST_LINE", 20)
    _put(tmp_path, a__jsonl='{"id": "123456789"}\n')
    assert read(around(tmp_path), kind="files", path="in/*", format="jsonl").rows == [{"id": "123456789"}]
    _put(tmp_path, a__jsonl='{"id": "1234567890"}\n')
    with pytest.raises(ContractBroken, match="a line is longer"):
        read(around(tmp_path), kind="files", path="in/*", format="jsonl")


def test_a_disk_that_fails_while_a_file_is_read_is_no_fault_of_the_file(tmp_path: Path) -> None:
    reader = reading.Reader("s", declared(kind="files", path="x", format="jsonl"))  # type: ignore[arg-type] # of files
    with pytest.raises(IsADirectoryError):
        reader.all([("x", nullcontext(tmp_path))])


def test_a_copy_of_an_object_is_gone_once_it_is_read(tmp_path: Path) -> None:
    store = MemoryStore()
    store.put_new("a", b"x")
    (blob,) = store.list("")
    found = Found("s3://b/a", store=store, at=blob.at)
    with found.local(tmp_path) as path:
        assert path.read_bytes() == b"x"
    assert list(tmp_path.iterdir()) == []
