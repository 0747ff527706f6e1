"""Does the strict gate know the records around the data, other dialects and encodings, fixed width and JSON lines?"""

from dataclasses import replace
from itertools import product
from pathlib import Path
from types import ModuleType

import pytest

from landbridge.contract.columns import ColumnRule, Kind, Part, StrictReport
from landbridge.contract.strict import jsonl, judge, records, strict_gate, transcoded
from landbridge.contract.strict import window as window_
from landbridge.contract.strict.delimited import csv_gate
from landbridge.contract.strict.fixed import fixed_gate
from landbridge.contract.strict.window import Window
from landbridge.errors import DiskFailed, UsageError
from landbridge.feed.outputs import Csv, File, Fixed, FixedColumn, Format, Jsonl, Parquet, Record

COLUMNS = (
    ColumnRule("id", "integer", bits=32),
    ColumnRule("day", "date"),
    ColumnRule("text", "string", personal=True),
)
HEADER = b"id,day,text\n"
GOOD = b"1,2026-11-20,one\n2,2026-11-21,two\n"


def _scan(
    tmp_path: Path, text: bytes, form: Format, columns: tuple[ColumnRule, ...] = COLUMNS
) -> StrictReport:
    path = tmp_path / "file"
    path.write_bytes(text)
    return strict_gate(File(name="x", folder="x", format=form), columns).scan(path)


def _said(report: StrictReport) -> list[tuple[str, int, int, int]]:
    return [(d.rule, d.record, d.line, d.offset) for d in report.first]


AROUND = Csv(leading=Record(fields=("H", "{feed}")), trailing=Record(fields=("T", "{rows}", "{total:id}")))


def test_the_records_around_the_data_are_read_and_not_counted(tmp_path: Path) -> None:
    text = b"H,flights\n" + HEADER + GOOD + b"T,2,3\n"
    report = _scan(tmp_path, text, AROUND)
    assert (report.rows, report.defects) == (2, {})
    assert (report.header, report.leading, report.trailing) == (
        ("id", "day", "text"),
        ("H", "flights"),
        ("T", "2", "3"),
    )
    assert text[slice(*report.data)] == GOOD
    assert report.longest == 17
    assert {"header", "leading_record", "trailing_record", "type.id", "type.day"} <= set(report.rules)
    assert "type.text" not in report.rules
    assert report.locate([1, 2]) == [(3, 22), (4, 39)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"X,flights\n" + HEADER + GOOD + b"T,2,3\n", [("leading_record", 0, 1, 0)]),
        (b"H,flights\n" + HEADER + GOOD, [("trailing_record", 2, 4, 39)]),
        (b"H,flights\n" + HEADER + GOOD + b"T,two,3\n", [("trailing_record", 3, 5, 58)]),
        (b"H,flights\n" + HEADER + GOOD + b"T,2,3", [("structure.cut", 3, 5, 61)]),
        (b"H,flights\n" + HEADER + GOOD + b"T,2\n", [("trailing_record", 3, 5, 56)]),
        (b"H,flights\n" + HEADER, [("trailing_record", 1, 3, 22)]),
        (b"H,flights\n", [("header", 0, 2, 10), ("trailing_record", 1, 2, 10)]),
        (b"", [("structure.empty_file", 0, 1, 0)]),
        (b"H,flights\n" + HEADER + GOOD + b"\nT,2,3\n", [("structure.blank_line", 3, 5, 56)]),
        (
            b"H,flights\n" + HEADER + GOOD + b"T,2,3\n\n",
            [("type.id", 3, 5, 56), ("type.day", 3, 5, 58), ("trailing_record", 4, 6, 62)],
        ),
    ],
)
def test_the_records_around_the_data_must_be_there(
    tmp_path: Path, text: bytes, said: list[tuple[str, int, int, int]]
) -> None:
    assert _said(_scan(tmp_path, text, AROUND)) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"H,fl\xff\n" + HEADER + GOOD + b"T,2,3\n", [("encoding.bytes", 0, 1, 4)]),
        (b"H,f\0\n" + HEADER + GOOD + b"T,2,3\n", [("encoding.nul", 0, 1, 3)]),
        (b"H,f\rx\n" + HEADER + GOOD + b"T,2,3\n", [("structure.line_ends", 0, 1, 3)]),
        (b'H,"f\n' + HEADER + GOOD + b"T,2,3\n", [("structure.quotes", 0, 1, 2)]),
        (b'H,f\nid,"day,text\n' + GOOD + b"T,2,3\n", [("structure.quotes", 0, 2, 7)]),
        (b"H,f\n" + HEADER.replace(b"\n", b"\r\n") + GOOD + b"T,2,3\n", [("structure.line_ends", 0, 2, 15)]),
        (b"H,f\n" + HEADER + GOOD + b"T,2,3\r\n", [("structure.line_ends", 3, 5, 55)]),
        (b"H,f\n" + HEADER + GOOD + b'T,2,"3\n', [("structure.quotes", 3, 5, 54)]),
        (
            b"H,f\n" + HEADER + GOOD + b"T,2,3\0\n",
            [("encoding.nul", 3, 5, 55), ("trailing_record", 3, 5, 54)],
        ),
    ],
)
def test_the_bytes_of_the_records_around_the_data_are_held_to_the_same_rules(
    tmp_path: Path, text: bytes, said: list[tuple[str, int, int, int]]
) -> None:
    assert sorted(_said(_scan(tmp_path, text, AROUND))) == said


@pytest.mark.parametrize(
    ("kind", "last", "whole"),
    [
        ("date", b"2026-11-20", True),
        ("date", b"2026-11-2", False),
        ("date", b"", False),
        ("boolean", b"true", True),
        ("boolean", b"tru", False),
        ("integer", b"12", False),
        ("integer", b'"12"', True),
        ("string", b"abc", False),
        ("string", b'"abc"', True),
        ("timestamp", b"2026-11-20T10:00:00", False),
    ],
)
def test_a_last_value_shows_that_it_is_whole_or_the_file_may_be_cut(
    tmp_path: Path, kind: Kind, last: bytes, whole: bool
) -> None:
    columns = (COLUMNS[0], ColumnRule("x", kind))
    report = _scan(tmp_path, b"id,x\n1," + last, Csv(), columns)
    assert ("structure.cut" not in report.defects) is whole
    assert "structure.cut" not in _scan(tmp_path, b"id,x\n1," + last + b"\n", Csv(), columns).defects


def test_a_twin_of_a_file_is_gone_when_it_was_judged(tmp_path: Path) -> None:
    form, scratch = Csv.model_validate({"encoding": "utf-16-le"}), tmp_path / "scratch"
    scratch.mkdir()
    (tmp_path / "file").write_bytes("id,day,text\n1,2026-11-20,x\n".encode("utf-16-le"))
    report = strict_gate(File(name="x", folder="x", format=form), COLUMNS, scratch).scan(tmp_path / "file")
    assert report.locate([1]) == [(2, 24)]
    assert list(scratch.iterdir()) == []
    scratch.rmdir()
    with pytest.raises(DiskFailed, match="a scratch file cannot be written"):
        strict_gate(File(name="x", folder="x", format=form), COLUMNS, scratch).scan(tmp_path / "file")


def test_a_value_of_just_eighty_characters_is_shown_whole(tmp_path: Path) -> None:
    columns = tuple(replace(column, personal=False) for column in COLUMNS)
    for size, shown in ((80, "9" * 80), (81, "9" * 79 + "…")):
        report = _scan(tmp_path, HEADER + b"9" * size + b",2026-11-20,x\n", Csv(), columns)
        assert report.first[0].value == shown


def test_a_file_without_header_may_be_empty(tmp_path: Path) -> None:
    empty = [(b"", 0, 1, 0), (b"\xef\xbb\xbf", 0, 1, 0)]
    for text, *place in empty:
        assert _scan(tmp_path, text, Csv(header=False)).defects == {}
        for around in (
            {"header": True},
            {"leading": Record(fields=("H",))},
            {"trailing": Record(fields=("T",))},
        ):
            form = Csv.model_validate({"header": False, **around})
            assert _said(_scan(tmp_path, text, form)) == [("structure.empty_file", *place)]
    assert _scan(tmp_path, GOOD, Csv(header=False)).rows == 2


def test_the_line_end_of_a_file_without_header_is_that_of_its_first_record(tmp_path: Path) -> None:
    report = _scan(tmp_path, GOOD + b"3,,x\r\n" + GOOD, Csv(header=False))
    assert _said(report) == [("structure.line_ends", 3, 3, 38)]


@pytest.mark.parametrize("last", [b'3,2026-11-20,"closed"', b"3,2026-11-20,plain"])
def test_a_last_record_without_line_end_must_show_that_it_is_whole(tmp_path: Path, last: bytes) -> None:
    report = _scan(tmp_path, HEADER + GOOD + last, Csv())
    assert report.rows == 3
    assert set(report.defects) == (set() if last.endswith(b'"') else {"structure.cut"})


def test_other_dialects(tmp_path: Path) -> None:
    semicolons = HEADER.replace(b",", b";") + b"1;2026-11-20;'a;''b'''\n\\N;\\N;\\N\n"
    assert _scan(tmp_path, semicolons, Csv(delimiter=";", quote="'", null="\\N")).defects == {}
    plain = HEADER.replace(b",", b"\t") + b'1\t2026-11-20\ta "quoted" word\n'
    assert _scan(tmp_path, plain, Csv(delimiter="\t", quoting="none")).defects == {}
    report = _scan(tmp_path, plain + b"x\t2026-11-20\ty\n", Csv(delimiter="\t", quoting="none"))
    assert _said(report) == [("type.id", 2, 3, len(plain))]
    report = _scan(tmp_path, HEADER + b"NULL,NULL,NULL\nABCD,2026-11-20,x\n1,NULX,y\n", Csv(null="NULL"))
    assert _said(report) == [("type.id", 2, 3, 27), ("type.day", 3, 4, 47)]
    report = _scan(tmp_path, HEADER + b'"",\\N,x\n,2026-11-20,x\n', Csv(null="\\N"))
    assert _said(report) == [("type.id", 1, 2, 13), ("type.id", 2, 3, 20)]


@pytest.mark.parametrize(
    ("encoding", "good", "bad"),
    [
        ("ascii", b"plain", b"caf\xc3\xa9"),
        ("utf-8", b"caf\xc3\xa9", b"caf\xe9"),
        ("utf-8-sig", b"caf\xc3\xa9", b"\xed\xa0\x80"),
        ("windows-1252", b"caf\xe9 \x80", b"\x81"),
        ("iso-8859-15", b"\xa4", None),
        ("iso-8859-1", b"\x81\xe9", None),
    ],
)
def test_declared_encodings(tmp_path: Path, encoding: str, good: bytes, bad: bytes | None) -> None:
    form = Csv.model_validate({"encoding": encoding})
    assert _scan(tmp_path, HEADER + b"1,2026-11-20," + good + b"\n", form).defects == {}
    if bad is not None:
        report = _scan(tmp_path, HEADER + GOOD + b"1,2026-11-20,ab" + bad + b"\n", form)
        assert [d[:3] for d in _said(report)] == [("encoding.bytes", 3, 4)]
        assert len(HEADER + GOOD) + 15 <= report.first[0].offset <= len(HEADER + GOOD) + 15 + len(bad) - 1
        assert report.first[0].column == "text"


def test_a_personal_value_is_never_shown(tmp_path: Path) -> None:
    columns = (ColumnRule("id", "integer", personal=True), *COLUMNS[1:])
    report = _scan(
        tmp_path, HEADER + b"secret,2026-11-20,x\n1,secret,x\n1,2026-11-20,sec\xffret\n", Csv(), columns
    )
    assert [(d.rule, d.value) for d in report.first] == [
        ("type.id", "***"),
        ("type.day", "***"),  # not personal itself, but a name may have slipped into it
        ("encoding.bytes", ""),
    ]


def test_a_long_value_is_shortened(tmp_path: Path) -> None:
    columns = tuple(replace(column, personal=False) for column in COLUMNS)
    report = _scan(tmp_path, HEADER + b"9" * 5000 + b",2026-11-20,x\n", Csv(), columns)
    assert (report.first[0].rule, len(report.first[0].value)) == ("type.id", 80)


def test_only_the_first_defects_are_kept_and_all_are_counted(tmp_path: Path) -> None:
    report = _scan(tmp_path, HEADER + b"x,2026-11-20,t\n" * 3000, Csv())
    assert (report.defects, len(report.first)) == ({"type.id": 3000}, 20)
    assert [d.record for d in report.first] == list(range(1, 21))


def test_a_record_with_a_flood_of_fields_ends(tmp_path: Path) -> None:
    report = _scan(tmp_path, HEADER + b"," * 3_000_000 + b"\n" + GOOD, Csv())
    assert (report.rows, report.defects) == (3, {"structure.columns": 1})
    assert report.first[0].message == "more than 1003 fields, expected 3"
    report = _scan(tmp_path, HEADER + b"," * 1002 + b"\n" + b"," * 1003 + b"\n" + GOOD, Csv())
    assert [d.message for d in report.first] == [
        "1,003 fields, expected 3",
        "more than 1003 fields, expected 3",
    ]


@pytest.mark.parametrize("form", [Csv(), Csv(header=False), Csv(quoting="all")])
def test_a_name_with_quotes_in_it_is_read_without_those_around_it(tmp_path: Path, form: Csv) -> None:
    columns = (ColumnRule('say "id"', "integer"), ColumnRule("x", "string"))
    head = b'"say ""id""",x\n' if form.header else b""
    report = _scan(tmp_path, head + b'"1","a"\n', form, columns)
    assert (report.defects, report.header) == ({}, ('say "id"', "x") if form.header else ())


@pytest.mark.parametrize(
    ("form", "line", "module", "rule"),
    [
        (Jsonl(kind="jsonl"), b'{"id":7,"day":"2026-11-20","text":"%b"}', jsonl, "structure.json"),
        (Csv(header=False), b'%b"1",2026-11-20,"x\n"', judge, "type.id"),
    ],
)
def test_a_value_beyond_what_is_held_to_a_form_is_a_defect(
    tmp_path: Path, form: Format, line: bytes, module: ModuleType, rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for size, broken in ((100, {}), (101, {rule: 1})):
        text = line.replace(b"%b", b"x" * (size - len(line) + 2)) if rule == "structure.json" else b""
        text = text or b'"' + b"0" * (size - 1) + b'1",2026-11-20,"x\ny\r"'
        with monkeypatch.context() as patch:
            patch.setattr(module, "LONGEST_VALUE", 100)
            (tmp_path / "file").write_bytes(text + b"\n")
            gate = jsonl.jsonl_gate(COLUMNS, 64) if rule == "structure.json" else csv_gate(form, COLUMNS, 64)  # type: ignore[arg-type] # a CSV
            assert gate.scan(tmp_path / "file").defects == broken


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DiskFailed):
        strict_gate(File(name="x", folder="x"), COLUMNS).scan(tmp_path / "nothing")


def test_parquet_has_no_strict_gate() -> None:
    with pytest.raises(UsageError):
        strict_gate(File(name="x", folder="x", format=Parquet(kind="parquet")), COLUMNS)


FIXED = Fixed(
    kind="fixed",
    columns={
        "id": FixedColumn(width=6, align="right", fill="0"),
        "day": FixedColumn(width=10),
        "text": FixedColumn(width=5, align="left"),
    },
)


@pytest.mark.parametrize(
    ("line", "rule", "offset"),
    [
        (b"0000072026-11-20hello", "", 0),
        (b"-000072026-11-20     ", "", 0),
        (b"000007          hello", "", 0),
        ("0000072026-11-20é€x  ".encode(), "", 0),
        (b"0000072026-11-20hell", "structure.width", 22),
        (b"0000072026-11-20hello!", "structure.width", 22),
        (b"", "structure.blank_line", 22),
        (b" 000072026-11-20hello", "type.id", 22),
        (b"0000-72026-11-20hello", "type.id", 22),
        (b"00000-2026-11-20hello", "type.id", 22),
        ("0000072026-11-20h\u00e9ll".encode(), "structure.width", 22),
        ("0000072026-11-20h\u00e9llo!".encode(), "structure.width", 22),
        (b"0000072026-02-30hello", "type.day", 28),
        ("00000x2026-11-20é€x  ".encode(), "type.id", 22),
        (b"0000072026-11-20h\0llo", "encoding.nul", 39),
        (b"0000072026-11-20h\xffllo", "encoding.bytes", 39),
        (b"0000072026-11-20h\rllo", "structure.line_ends", 39),
    ],
)
@pytest.mark.parametrize("form", [FIXED, FIXED.model_copy(update={"encoding": "utf-8-sig"})])
def test_fixed_width(tmp_path: Path, line: bytes, rule: str, offset: int, form: Fixed) -> None:
    good = b"0000012026-11-20one  \n"
    report = _scan(tmp_path, good + line + b"\n" + good, form)
    assert report.rows == 3
    assert _said(report) == ([(rule, 2, 2, offset)] if rule else [])


def test_fixed_width_with_records_around_it(tmp_path: Path) -> None:
    form = FIXED.model_copy(
        update={
            "header": True,
            "leading": Record(fields=("HDR", "{business_date:%Y%m%d}")),
            "trailing": Record(fields=("TRL", "{rows:06d}", "{total:id}")),
        }
    )
    text = b"HDR20261120\nid    day       text \n0000012026-11-20one  \nTRL0000011\n"
    report = _scan(tmp_path, text, form)
    assert report.defects == {}
    assert (report.leading, report.trailing) == (("HDR", "20261120"), ("TRL", "000001", "1"))
    assert _scan(tmp_path, text.replace(b"day", b"dax"), form).defects == {"header": 1}
    assert _scan(tmp_path, text.replace(b"TRL", b"XRL"), form).defects == {"trailing_record": 1}


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        (b'{"id":7,"day":"2026-11-20","text":"x"}', ""),
        (b'{"text":null,"day":null,"id":null}', ""),
        (b'{"id":"7","day":"2026-11-20","text":"\\ud83d\\udea2"}', ""),
        (b'{"id":7,"day":"2026-11-20"}', "structure.keys"),
        (b'{"id":7,"day":"2026-11-20","text":"x","more":1}', "structure.keys"),
        (b'{"id":7,"id":8,"day":"2026-11-20","text":"x"}', "structure.keys"),
        (b'{"id":7,"day":"2026-11-20","text":"x"} {}', "structure.json"),
        (b'{"id":7,"day":"2026-11-20","text":"x"', "structure.json"),
        (b'{"id":NaN,"day":"2026-11-20","text":"x"}', "structure.json"),
        (b'{"id":07,"day":"2026-11-20","text":"x"}', "structure.json"),
        (b"[1]", "structure.json"),
        (b"[" * 100_000, "structure.json"),
        (b"", "structure.blank_line"),
        (b" \t", "structure.blank_line"),
        (b'{"id":7.0,"day":"2026-11-20","text":"x"}', "type.id"),
        (b'{"id":1e3,"day":"2026-11-20","text":"x"}', "type.id"),
        (b'{"id":3000000000,"day":"2026-11-20","text":"x"}', "type.id"),
        (b'{"id":true,"day":"2026-11-20","text":"x"}', "type.id"),
        (b'{"id":7,"day":20261120,"text":"x"}', "type.day"),
        (b'{"id":7,"day":"2026-11-31","text":"x"}', "type.day"),
        (b'{"id":7,"day":"2026-11-20","text":7}', "type.text"),
        (b'{"id":7,"day":"2026-11-20","text":["x"]}', "type.text"),
        (b'{"id":7,"day":"2026-11-20","text":"\\ud800"}', "type.text"),
        (b'{"id":7,"day":"2026-11-20","text":"\xff"}', "encoding.bytes"),
    ],
)
def test_json_lines(tmp_path: Path, line: bytes, rule: str) -> None:
    good = b'{"id":1,"day":"2026-11-20","text":"one"}\n'
    report = _scan(tmp_path, good + line + b"\n" + good, Jsonl(kind="jsonl"))
    assert report.rows == 3
    assert [d[:3] for d in _said(report)] == ([(rule, 2, 2)] if rule else [])


def test_a_declared_form_of_a_date(tmp_path: Path) -> None:
    form = (Part("d", 2), Part("", 1, "/"), Part("M", 2), Part("", 1, "/"), Part("y", 4))
    columns = (COLUMNS[0], ColumnRule("day", "date", format="dd/MM/yyyy", form=form), COLUMNS[2])
    report = _scan(tmp_path, HEADER + b"1,29/02/2024,x\n2,2026-11-20,x\n3,31/11/2026,x\n", Csv(), columns)
    assert [(d.record, d.message) for d in report.first] == [
        (2, "not a date: expected dd/MM/yyyy"),
        (3, "not a date: no such day"),
    ]


def test_data_in_the_place_of_a_record_around_it_is_not_shown(tmp_path: Path) -> None:
    report = _scan(tmp_path, b"H,flights\nsecret,secret,secret\nsecret,secret,secret\n", AROUND)
    assert {d.rule for d in report.first} == {"header", "trailing_record"}
    assert "secret" not in str(report.first)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_utf_16(tmp_path: Path, encoding: str, mark: str) -> None:
    form = Csv.model_validate({"encoding": encoding, "line_end": "crlf"})
    good = 'id,day,text\r\n1,2026-11-20,🚢 €\r\n2,2026-11-20,"two\r\nlines"\r\n'
    report = _scan(tmp_path, (mark + good).encode(encoding), form)
    assert (report.rows, report.defects) == (2, {})
    assert report.data == (2 * len(mark) + 2 * 13, len((mark + good).encode(encoding)))
    broken = mark + good + "3,2026-13-20,x\r\n4,2026-11-20,"
    half = b"\x00\xd8" if encoding == "utf-16-le" else b"\xd8\x00"
    report = _scan(tmp_path, broken.encode(encoding) + half + "\r\n".encode(encoding) + b"\0", form)
    size = len(broken.encode(encoding))
    assert _said(report) == [
        ("type.day", 3, 5, len((mark + good + "3,").encode(encoding))),
        ("encoding.bytes", 4, 6, size),
        ("encoding.bytes", 5, 7, size + 6),
        ("structure.cut", 5, 7, size + 7),
    ]
    assert report.locate([4]) == [(6, len((mark + good + "3,2026-13-20,x\r\n").encode(encoding)))]


def test_fixed_width_in_utf_16(tmp_path: Path) -> None:
    form = FIXED.model_copy(update={"encoding": "utf-16-le"})
    text = "0000012026-11-20é€x  \n00000x2026-11-20hello\n"
    report = _scan(tmp_path, text.encode("utf-16-le"), form)
    assert _said(report) == [("type.id", 2, 2, 44)]


def test_a_delimiter_and_a_quote_of_several_bytes(tmp_path: Path) -> None:
    form = Csv(delimiter="¦", quote="þ")
    good = 'id¦day¦text\n1¦2026-11-20¦a,b\x1c\n2¦2026-11-20¦þx¦y þþ "\x1d\nzþ\n'
    assert _scan(tmp_path, good.encode(), form).defects == {}
    report = _scan(
        tmp_path, good.encode() + b"3\xc2\xa62026-11-20\xc2\xa6caf\xe9\n" + "4¦x¦y\n".encode(), form
    )
    size = len(good.encode())
    assert _said(report) == [("encoding.bytes", 3, 5, size + 18), ("type.day", 4, 6, size + 23)]


def test_a_delimiter_that_the_encoding_does_not_have() -> None:
    with pytest.raises(UsageError):
        strict_gate(File(name="x", folder="x", format=Csv(delimiter="¦", encoding="ascii")), COLUMNS)


def test_no_more_of_a_value_is_read_than_is_held_to_a_form(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "LONGEST_VALUE", 10)
    (tmp_path / "file").write_bytes(b"x" * 100)
    with Window(tmp_path / "file") as window:
        reader = records.Records(window, records.Dialect(44, 34, b"", "utf-8"))
        found = records.Record(0, 100)
        assert [len(reader.value(found, records.Field(0, end, quoted=False))) for end in (9, 10, 100)] == [
            9,
            10,
            10,
        ]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-8"])
def test_the_way_back_from_a_twin_is_a_piece_long(
    encoding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(window_, "_LARGEST", 7)
    text = "a\u00e9|\U0001f6a2b\x1c\n" * 20
    (tmp_path / "file").write_bytes(text.encode(encoding))
    twin = transcoded._Twin(tmp_path / "twin", encoding, {"|": "\x1c", "\x1c": "\ufdd0"})
    with Window(tmp_path / "file") as window:
        twin.write(window)
    assert len(twin._starts) > len(text.encode(encoding)) // 7, "else all before it would be read each time"
    begun = begun_twin = 0
    for sign in text:
        assert twin.original(begun_twin) == begun
        begun += len(sign.encode(encoding))
        begun_twin += len({"|": "\x1c", "\x1c": "\ufdd0"}.get(sign, sign).encode())
    assert (twin.original(begun_twin), twin.original(-1)) == (begun, -1)


@pytest.mark.parametrize(
    ("line", "offset"),
    [
        (b'{"text":"x","id":x}', 17),
        (b'{"text":"\xc3\xa9","id":x}', 18),
        (b'{"text":"x"', 11),
        (b"x", 0),
        (b"{} {}", 3),
    ],
)
def test_what_is_no_json_is_told_with_its_byte(line: bytes, offset: int, tmp_path: Path) -> None:
    good = b'{"id":1,"day":"2026-11-20","text":"one"}\n'
    report = _scan(tmp_path, good + line + b"\n", Jsonl(kind="jsonl"))
    assert _said(report)[0] == ("structure.json", 2, 2, len(good) + offset)


def test_bytes_of_the_first_column_are_shown_where_nothing_is_personal(tmp_path: Path) -> None:
    columns = (ColumnRule("a", "string"), ColumnRule("b", "string"))
    report = _scan(tmp_path, b'a,b\nx\xffy,z\n"p"q,z\nq,z\n', Csv(), columns)
    assert [(d.rule, d.column, d.value[:7]) for d in report.first] == [
        ("encoding.bytes", "a", "\\xffy,z"),
        ("structure.quotes", "a", "q,z\\nq,"),
    ]


@pytest.mark.parametrize(
    ("form", "rules"),
    [
        (Csv(header=False), set()),
        (Csv(), {"header"}),
        (Csv(header=False, leading=Record(fields=("H",))), {"leading_record"}),
        (Csv(header=False, trailing=Record(fields=("T",))), {"trailing_record"}),
    ],
)
def test_only_what_was_looked_at_is_listed_as_held(form: Csv, rules: set[str], tmp_path: Path) -> None:
    report = _scan(tmp_path, b"", form)
    assert {"header", "leading_record", "trailing_record"} & set(report.rules) == rules
    own = {"structure.quotes", "structure.columns", "structure.empty_file", "structure.blank_line"}
    own |= {"structure.line_ends", "structure.cut", "encoding.bytes", "encoding.nul", "type.id", "type.day"}
    assert sorted(report.rules) == sorted(own | rules)


@pytest.mark.parametrize(
    "kind", ["integer", "decimal", "float", "boolean", "date", "time", "timestamp", "binary"]
)
@pytest.mark.parametrize("line", [b"\n", b"1,2,3\n", b'"a"b,1\n', b"\xff\0\n"])
def test_a_block_without_one_regular_record_is_read(line: bytes, kind: Kind, tmp_path: Path) -> None:
    columns = (ColumnRule("x", kind), ColumnRule("y", kind))
    (tmp_path / "file").write_bytes(line * 9)
    report = csv_gate(Csv(header=False), columns, 64).scan(tmp_path / "file")
    assert (report.rows, {d.record for d in report.first}) == (9, set(range(1, 10)))


@pytest.mark.parametrize("bad", [b"\0", b"\xff"])
@pytest.mark.parametrize("form", [Csv(header=False), FIXED, Jsonl(kind="jsonl")], ids=lambda form: form.kind)
def test_a_bad_byte_in_every_record_is_counted_in_every_record(
    form: Format, bad: bytes, tmp_path: Path
) -> None:
    line = {
        "csv": b"1,2026-11-20,%b\n",
        "fixed": b"0000012026-11-20%b    \n",
        "jsonl": b'{"id":1,"day":null,"text":"%b"}\n',
    }
    text = line[form.kind] % bad
    for head, block in product((b"", line[form.kind] % b"x"), range(64, 84)):  # wherever the last one is cut
        report = _scan_in(tmp_path, head + text * 9, form, block)
        rule = "encoding.nul" if bad == b"\0" else "encoding.bytes"
        assert (report.rows, report.defects[rule]) == (9 + bool(head), 9)
        assert [d.record for d in report.first if d.rule == rule] == list(
            range(1 + bool(head), 10 + bool(head))
        )


def _scan_in(tmp_path: Path, text: bytes, form: Format, block: int) -> StrictReport:
    (tmp_path / "file").write_bytes(text)
    match form:
        case Csv():
            return csv_gate(form, COLUMNS, block).scan(tmp_path / "file")
        case Fixed():
            return fixed_gate(form, COLUMNS, block).scan(tmp_path / "file")
        case _:
            return jsonl.jsonl_gate(COLUMNS, block).scan(tmp_path / "file")


def test_a_file_without_quotes_may_end_in_a_delimiter(tmp_path: Path) -> None:
    for text in (HEADER + b"1,2026-11-20,", HEADER + GOOD + b"1,2026-11-20,"):
        report = _scan(tmp_path, text, Csv(quoting="none"))
        assert set(report.defects) == {"structure.cut"}


def test_a_mark_of_utf_8_is_text_in_another_encoding(tmp_path: Path) -> None:
    text = b"\xef\xbb\xbf" + HEADER + GOOD
    assert _scan(tmp_path, text, Csv()).defects == {}
    report = _scan(tmp_path, text, Csv(encoding="iso-8859-1"))
    assert (report.defects, report.header[0]) == ({"header": 1}, "\xef\xbb\xbfid")


@pytest.mark.parametrize("long", [10, 90, 300])
def test_the_longest_record_is_known_wherever_it_is(long: int, tmp_path: Path) -> None:
    rows = [b"1,2026-11-20,%b\n" % (b"x" * size) for size in (3, long, 2, 1)]
    for turn in range(len(rows)):
        (tmp_path / "file").write_bytes(b"".join(rows[turn:] + rows[:turn]))
        report = csv_gate(Csv(header=False), COLUMNS, 64).scan(tmp_path / "file")
        assert report.longest >= len(rows[1]), "else the query cannot hold it"
        assert report.longest <= max(64, len(rows[1])) + 64


@pytest.mark.parametrize(("field", "whole"), [("x", True), ("{feed}", False), ("{rows}", False)])
@pytest.mark.parametrize("where", ["leading", "trailing"])
def test_a_record_around_the_data_that_ends_the_file_may_be_cut(
    where: str, field: str, whole: bool, tmp_path: Path
) -> None:
    form = Csv.model_validate({"header": False, where: Record(fields=("H", field))})
    said = field if whole else "1"
    report = _scan(tmp_path, f"H,{said}".encode(), form)
    assert report.defects == ({} if whole else {"structure.cut": 1})
    assert _scan(tmp_path, f"H,{said}\n".encode(), form).defects == {}
