"""What is said of the records around the data that are not as declared: the first difference, and nothing that may be data."""

from __future__ import annotations

import pytest

from landbridge.contract.strict.heading import header_faults, record_faults

COLUMNS = ("id", "day", "text")


@pytest.mark.parametrize(
    ("seen", "at", "open_words", "shy_words"),
    [
        ("id day text", -1, "", ""),
        ("1 2026 x", 0, "the header is missing: expected `id`, `day`, `text`", None),
        ("", 0, "the header is missing: expected `id`, `day`, `text`", None),
        ("id id text", 1, "the column `id` is there twice", None),
        ("day id day text", 2, "the column `day` is there twice", None),
        ("id x x", 2, "the column `x` is there twice", "expected the column `day`"),
        ("id text day", 1, "the columns are in another order: expected `day` here, seen `text`", None),
        ("id dey text", 1, "expected the column `day`, seen `dey`", "expected the column `day`"),
        ("id day", 2, "2 columns in the header, expected 3", None),
        ("id day text more", 3, "4 columns in the header, expected 3", None),
        ("id dey text more", 1, "expected the column `day`, seen `dey`", "expected the column `day`"),
    ],
)
def test_the_first_difference_of_a_header(seen: str, at: int, open_words: str, shy_words: str | None) -> None:
    names = seen.split(" ")
    assert header_faults(names, COLUMNS, shy=False) == ([(at, open_words)] if at >= 0 else [])
    shy = open_words if shy_words is None else shy_words
    said = header_faults(names, COLUMNS, shy=True)
    assert [words for _, words in said] == ([shy] if at >= 0 else [])


def test_a_column_that_the_contract_has_twice_is_not_said_to_be_there_twice() -> None:
    assert header_faults(["a", "a", "c"], ["a", "a", "b"], shy=False) == [
        (2, "expected the column `b`, seen `c`")
    ]


def test_a_header_without_any_name_is_no_line_of_the_layout() -> None:
    for shy in (True, False):
        assert header_faults([], COLUMNS, shy=shy) == [
            (0, "the header is not as long as a record: expected `id`, `day`, `text`")
        ]


def test_many_columns_are_not_all_listed() -> None:
    five, six = [f"c{n}" for n in range(5)], [f"c{n}" for n in range(6)]
    assert header_faults(["x"], five, shy=False)[0][1].endswith("`c3`, `c4`")
    assert header_faults(["x"], six, shy=False)[0][1].endswith("`c4` and 1 more")


@pytest.mark.parametrize(
    ("declared", "good", "bad"),
    [
        ("T", ["T"], ["", "t", "TT", " T"]),
        ("{rows}", ["0", "12", "0012"], ["", "-1", "1.0", "1,000", "x", "٣"]),
        ("{records:05d}", ["00012", "99999"], ["12", "000012", "0001x"]),
        ("{rows:012d}", ["000000000012"], ["12"]),
        ("{rows:,}", ["1,000", "7", "1_000", " 12"], ["", "x", "1.0", "-1"]),
        ("{rows:5d}", ["   12"], ["x"]),
        ("{total:amount}", ["0", "-1.50", "007"], ["", "1.", ".5", "1e3", "+1", "1,5", "NaN"]),
        ("n={rows};s={total:a}.", ["n=1;s=-2.5."], ["n=1;s=2", "n=;s=2.", "n=1;s=2.5.x", "1;s=2."]),
        ("{business_date:%Y%m%d}", ["20261120", "", "anything\nat all"], []),
        ("H{feed}", ["H", "Hx"], ["", "x", "h"]),
        ("a.c", ["a.c"], ["abc"]),
    ],
)
def test_literal_text_is_compared_and_counts_and_totals_are_numbers(
    declared: str, good: list[str], bad: list[str]
) -> None:
    for text in good:
        assert record_faults([text], [declared], shy=False) == []
    for text in bad:
        assert record_faults([text], [declared], shy=False) == [(0, f"expected `{declared}`, seen `{text}`")]
        assert record_faults([text], [declared], shy=True) == [(0, f"expected `{declared}`")]


def test_the_first_difference_of_a_record_is_told_shortened() -> None:
    assert record_faults(["T", "y"], ["T"], shy=False) == [(-1, "2 fields, expected 1")]
    assert record_faults(["T", "x" * 99, "y"], ["T", "1", "2"], shy=False) == [
        (1, f"expected `1`, seen `{'x' * 80}`")
    ]
