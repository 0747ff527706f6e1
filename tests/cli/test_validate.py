"""`landbridge validate`: what a person, a program and a build server see, and the exit codes."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from landbridge.cli import main
from tests.contract.odcs_texts import written
from tests.core.declared import FILES, write

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS = [
    "name: id, logicalType: integer, primaryKey: true",
    "name: name, logicalType: string, classification: restricted, logicalTypeOptions: {maxLength: 5}",
]


def run(*words: str | Path) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["validate", *map(str, words)])
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_a_good_file_meets_its_contract(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    contract, file = written(tmp_path, COLUMNS), tmp_path / "a.csv"
    file.write_text("id,name\n1,Ann\n", encoding="utf-8")
    assert run(file, "--contract", contract) == 0
    assert "met its contract" in capsys.readouterr().out


def test_a_breach_is_a_table_with_the_row_and_no_personal_value(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    contract, file = written(tmp_path, COLUMNS), tmp_path / "a.csv"
    file.write_text("id,name\n1,Ann\n2,Secretive\n", encoding="utf-8")
    assert run(file, "-c", contract) == 65
    said = capsys.readouterr().out
    for words in ("maxLength", "broke its contract", "***", "First failing rows"):
        assert words in said
    assert "Secretive" not in said


def test_json_and_junit_tell_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    contract, file, junit = written(tmp_path, COLUMNS), tmp_path / "a.csv.gz", tmp_path / "out" / "junit.xml"
    file.write_bytes(gzip.compress(b"id,name\n1,Ann\n1,Bob\n"))
    assert run(file, "-c", contract, "--json", "--junit", junit) == 65
    told = json.loads(capsys.readouterr().out)
    assert (told["passed"], told["rows"]) == (False, 2)
    assert [(defect["rule"], defect["record"], defect["line"]) for defect in told["defects"]] == [
        ("primaryKey", 2, 3)
    ]
    assert ET.fromstring(junit.read_bytes()).get("failures") == "1"  # noqa: S314  # our own text


def test_the_options_describe_the_file(tmp_path: Path) -> None:
    contract, file = written(tmp_path, COLUMNS), tmp_path / "a.dat"
    file.write_bytes("1|Zoë\n2|-\n".encode("windows-1252"))
    options = (
        "--format",
        "csv",
        "--delimiter",
        "|",
        "--encoding",
        "windows-1252",
        "--null",
        "-",
        "--no-header",
    )
    assert run(file, "-c", contract, *options) == 0
    assert run(file, "-c", contract, *options[:-1]) == 65
    assert run(file, "-c", contract) == 64


def test_a_contract_that_asks_for_what_is_not_supported_ends_with_78(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    contract, file = written(tmp_path, [*COLUMNS, "name: x, logicalType: vector"]), tmp_path / "a.csv"
    file.write_text("id,name,x\n", encoding="utf-8")
    assert run(file, "-c", contract) == 78
    said = capsys.readouterr().err
    assert "contract.odcs.yaml:11" in said.replace("\n", "")
    assert "`vector` is not supported" in said


def test_a_file_without_a_contract_is_a_usage_error(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("id\n", encoding="utf-8")
    assert run(file) == 64
    assert run(tmp_path / "none.csv", "-c", file) == 64


@pytest.mark.parametrize(
    ("name", "content", "words", "ends"),
    [
        ("a.TSV", "id\tname\n1\tAnn\n", (), 0),
        ("a.tsv", "id,name\n1,Ann\n", (), 65),
        ("a.tsv", "id;name\n1;Ann\n", ("--delimiter", ";"), 0),
        ("a.txt", "id\tname\n1\tAnn\n", ("--delimiter", "\\t"), 0),
        ("a.csv", "1,Ann\n", ("--no-header",), 0),
        ("a.csv", "id,name\n1,-\n", ("--null", "-"), 0),
        ("a.CSV", "id,name\n1,\xe9\n", ("--encoding", "iso-8859-1"), 0),
        ("a.csv", "id,name\n1,\xe9\n", (), 65),
        ("a.ndjson", '{"id":1,"name":"Ann"}\n', (), 0),
        ("a.jsonl", '{"id":1}\n', (), 65),
        ("a", "id,name\n1,Ann\n", ("--format", "csv"), 0),
        ("a", "id,name\n1,Ann\n", (), 64),
        ("a.pdf", "id,name\n1,Ann\n", (), 64),
        ("a.parquet", "none", (), 65),
        ("a.csv.gz", "id,name\n1,Ann\n", (), 65),
        ("a.csv.ZST", "id,name\n1,Ann\n", (), 65),
    ],
)
def test_a_file_is_described_by_its_name_and_the_options(
    name: str, content: str, words: tuple[str, ...], ends: int, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content.encode("iso-8859-1"))
    assert run(tmp_path / name, "-c", written(tmp_path, COLUMNS), *words) == ends


def test_a_file_is_judged_as_a_feed_declares_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, FILES)
    (tmp_path / "a.csv").write_text("nothing,of,it\n", encoding="utf-8")
    where = ("--project", tmp_path)
    assert run(tmp_path / "a.csv", "--feed", "orders", *where) == 65
    assert "header" in capsys.readouterr().out
    assert run(tmp_path / "a.csv", "--feed", "nothing", *where) == 64
    assert "no feed `nothing`" in capsys.readouterr().err
    assert run(tmp_path / "a.csv", *where) == 64
    assert "--contract or --feed" in capsys.readouterr().err


def test_results_that_cannot_be_written_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    contract, file = written(tmp_path, COLUMNS), tmp_path / "a.csv"
    file.write_text("id,name\n1,Ann\n", encoding="utf-8")
    assert run(file, "-c", contract, "--junit", tmp_path / "new" / "and" / "newer" / "x.xml") == 0
    assert run(file, "-c", contract, "--junit", file / "x.xml") in (73, 74)
    assert "x.xml" in capsys.readouterr().err.replace("\n", "")
