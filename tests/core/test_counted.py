"""Are numbers of things said as people say them?"""

import pytest

from landbridge.counted import counted, differing


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 slots"), (1, "1 slot"), (2, "2 slots"), (1200, "1,200 slots")]
)
def test_one_is_no_plural(number: int, said: str) -> None:
    assert counted(number, "slot") == said


def test_an_irregular_plural_is_given() -> None:
    assert [counted(number, "prefix is", "prefixes are") for number in (1, 2)] == [
        "1 prefix is",
        "2 prefixes are",
    ]


def test_one_thing_differs_and_two_differ() -> None:
    assert differing(["file"]) == "file differs from the evidence"
    assert differing(["reports", "share"]) == "reports, share differ from the evidence"
