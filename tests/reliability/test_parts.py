"""Does every part of the report exist?"""

from __future__ import annotations

import pytest

from reliability.kills import kills_in
from reliability.parts import PARTS

pytestmark = pytest.mark.reliability


def test_every_part_is_a_function_and_has_a_name_of_its_own() -> None:
    assert all(callable(part.loaded()) for part in PARTS)
    assert len({part.name for part in PARTS}) == len(PARTS)


def test_kills_are_counted_by_story_from_a_junit_report() -> None:
    case = '<testcase classname="tests.stories.{}" name="x"><properties><property name="kills" value="{}"/></properties></testcase>'
    report = f"<testsuites><testsuite>{case.format('test_a', 3)}{case.format('test_a', 4)}{case.format('test_b', 5)}</testsuite></testsuites>"
    assert kills_in(report) == {"a": 7, "b": 5}
