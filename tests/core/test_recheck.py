"""Which revisions of a slot are read again?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from landbridge.facts import Verdict
from landbridge.recheck import worth_reading
from tests.fakes.facts import commitment


@pytest.mark.parametrize(
    ("verdicts", "read"),
    [
        (["release"], [1]),
        (["quarantine"], [1]),
        (["release", "release"], [2]),
        (["release", "quarantine", "reject"], [3, 1]),
        (["release", "release", "skip"], [3, 2]),
        (["quarantine", "release"], [2]),
        (["quarantine", "waive"], [2]),
    ],
)
def test_the_newest_and_the_file_that_it_left_in_force(verdicts: list[str], read: list[int]) -> None:
    history = [
        replace(commitment(), revision=number, verdict=Verdict(verdict))
        for number, verdict in enumerate(verdicts, 1)
    ]
    assert [one.revision for one in worth_reading(history)] == read
