"""Is every planted bug caught, and does a safeguard that is there stay?"""

from __future__ import annotations

import pytest

from landbridge.steps.promote import promote
from reliability.altered import altered
from reliability.crashes import broken_by
from reliability.planted import BUGS, Bug, caught

pytestmark = [pytest.mark.reliability, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_planted_bug_is_caught(bug: Bug) -> None:
    assert caught(bug, first=bug.near).runs > 0


def test_there_are_as_many_as_were_asked_for_and_each_has_its_name() -> None:
    assert len({bug.name for bug in BUGS}) == len(BUGS) >= 20


def test_an_altered_function_is_itself_again_afterwards() -> None:
    with altered(promote, ("blob = _there(", "reports.put_new(name, manifest)\n    blob = _there(")):
        assert broken_by(0)
    assert not broken_by(0)


def test_a_bug_that_fits_no_line_any_more_is_told() -> None:
    with pytest.raises(LookupError, match="0 times"), altered(promote, ("no such line", "pass")):
        pass
