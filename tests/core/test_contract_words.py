"""Which words of types, versions, options and date formats are taken, each one by its name; and which are not?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from landbridge.contract.columns import parts_of
from landbridge.contract.odcs import load
from landbridge.contract.physical import physical
from tests.core.test_odcs import HEAD, OBJECT, problems

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("pattern", "pieces"),
    [
        ("yyyy-MM-dd", [("y", 4, ""), ("", 1, "-"), ("M", 2, ""), ("", 1, "-"), ("d", 2, "")]),
        ("uuuuMMdd", [("y", 4, ""), ("M", 2, ""), ("d", 2, "")]),
        ("HH''mm", [("H", 2, ""), ("", 1, "'"), ("m", 2, "")]),
        ("'it''s' HH", [("", 4, "it's"), ("", 1, " "), ("H", 2, "")]),
        (
            "HH:mm:ss.SSS",
            [
                ("H", 2, ""),
                ("", 1, ":"),
                ("m", 2, ""),
                ("", 1, ":"),
                ("s", 2, ""),
                ("", 1, "."),
                ("S", 3, ""),
            ],
        ),
        (
            "yyyyMMdd'T'HHXXX",
            [("y", 4, ""), ("M", 2, ""), ("d", 2, ""), ("", 1, "T"), ("H", 2, ""), ("X", 0, "")],
        ),
    ],
)
def test_a_date_format_is_taken_apart(pattern: str, pieces: list[tuple[str, int, str]]) -> None:
    assert [(part.letter, part.width, part.literal) for part in parts_of(pattern)] == pieces


@pytest.mark.parametrize(
    ("words", "kind", "bits", "signed"),
    [
        ("tinyint", "integer", 8, True),
        ("smallint int2 smallserial", "integer", 16, True),
        ("int integer int4 serial mediumint", "integer", 32, True),
        ("bigint int8 bigserial long", "integer", 64, True),
        ("hugeint", "integer", 128, True),
        ("utinyint", "integer", 8, False),
        ("usmallint", "integer", 16, False),
        ("uinteger", "integer", 32, False),
        ("ubigint", "integer", 64, False),
        ("uhugeint", "integer", 128, False),
        ("float real float4 float32", "float", 32, True),
        ("double float8 float64 DOUBLE_PRECISION", "float", 64, True),
        ("boolean bool bit", "boolean", 64, True),
        ("date", "date", 64, True),
        ("time time(6)_without_time_zone", "time", 64, True),
        (
            "timestamp datetime datetime2 timestamp_ntz smalldatetime timestamp(3)_without_time_zone",
            "timestamp",
            64,
            True,
        ),
        ("blob binary varbinary bytea bytes varbinary(9)", "binary", 64, True),
        (
            "varchar char character nvarchar nchar varchar2 nvarchar2 bpchar text string clob",
            "string",
            64,
            True,
        ),
        ("tinytext mediumtext longtext character_varying", "string", 64, True),
    ],
)
def test_the_types_of_common_databases_are_known(words: str, kind: str, bits: int, signed: bool) -> None:
    for word in words.split():
        text = word if word == "timestamp_ntz" else word.replace("_", " ")
        for spelt in (text, text.upper(), f" {text} "):
            found = physical(spelt)
            assert found is not None, spelt
            assert (found.kind, found.bits, found.signed, found.zoned) == (kind, bits, signed, False)


@pytest.mark.parametrize(
    "word", ["timestamptz", "timestamp_tz", "timestamp_ltz", "datetimeoffset", "timestamp(6) with time zone"]
)
def test_a_type_with_a_zone_has_one(word: str) -> None:
    found = physical(word)
    assert found is not None
    assert (found.kind, found.zoned) == ("timestamp", True)


def test_digits_and_lengths_of_a_type_are_kept() -> None:
    for word in ("decimal", "numeric", "number", "dec"):
        sizes = [physical(f"{word}{digits}") for digits in ("", "(9)", "( 9 , 2 )")]
        assert [(one.precision, one.scale) for one in sizes if one] == [(None, 0), (9, 0), (9, 2)]
    lengths = [physical(f"varchar{length}") for length in ("", "(7)", "(max)", "(MAX)")]
    assert [one.longest for one in lengths if one] == [None, 7, None, None]
    assert [physical(text) for text in ("", "money", "varchar(x)", "varchar(1", "int)")] == [None] * 5


@pytest.mark.parametrize("version", ["v3.0.0", "v3.0.1", "v3.0.2", "v3.1.0", "v3.2.0"])
def test_a_version_whose_words_mean_the_same_is_read(version: str, tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(HEAD.replace("v3.1.0", version) + OBJECT, encoding="utf-8")
    assert load(path).name == "t"
    for other in ("v3.3.0", "v2.2.2", "3.1.0", "v3"):
        (problem,) = problems(HEAD.replace("v3.1.0", other) + OBJECT, tmp_path)
        assert (problem.what, problem.seen) == ("this version of the standard is not supported", other)


_RANGE = "minimum exclusiveMinimum maximum exclusiveMaximum"


@pytest.mark.parametrize(
    ("kind", "options", "value"),
    [
        ("string", "minLength maxLength", "3"),
        ("string", "pattern", "a"),
        ("string", "format", "email"),
        ("date", _RANGE, "2026-01-01"),
        ("date", "format", "yyyyMMdd"),
        ("time", _RANGE, "'10:00:00'"),
        ("time", "format", "HHmm"),
        ("time", "format", "HH"),
        ("time", "timezone", "false"),
        ("time", "defaultTimezone", "Europe/London"),
        ("timestamp", _RANGE, "'2026-01-01T00:00:00'"),
        ("timestamp", "format", "yyyyMMddHH"),
        ("timestamp", "timezone", "true"),
        ("timestamp", "defaultTimezone", "Europe/London"),
        ("integer", _RANGE, "3"),
        ("integer", "multipleOf", "3"),
        ("integer", "format", "u16"),
        ("number, physicalType: 'DECIMAL(9,2)'", f"{_RANGE} multipleOf", "3"),
        ("number", "format", "f32"),
    ],
)
def test_an_option_of_a_type_is_taken_there_and_nowhere_else(
    kind: str, options: str, value: str, tmp_path: Path
) -> None:
    path = tmp_path / "c.yaml"
    judged = {"minLength", "maxLength", "pattern", "multipleOf", *_RANGE.split()}
    for option in options.split():
        clause = f"logicalTypeOptions: {{{option}: {value}}}"
        text = (
            HEAD + f"schema:\n- name: things\n  properties:\n  - {{name: v, logicalType: {kind}, {clause}}}\n"
        )
        path.write_text(text, encoding="utf-8")
        checks = [check.rule for check in load(path).checks]
        assert checks == ([option] if option in judged or (kind, option) == ("string", "format") else [])
        found = problems(text.replace(f"logicalType: {kind}", "logicalType: boolean"), tmp_path)
        assert f"`{option}` is not supported for logicalType `boolean`" in [problem.what for problem in found]


@pytest.mark.parametrize("size", range(1, 8))
def test_a_fraction_of_a_second_has_at_most_six_digits(size: int) -> None:
    if size <= 6:
        assert parts_of("HH:mm:ss." + "S" * size)[-1].width == size
        return
    with pytest.raises(ValueError, match="`SSSSSSS` of the date format"):
        parts_of("HH:mm:ss." + "S" * size)
