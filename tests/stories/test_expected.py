"""Can the comparison of a simulated span fail? What is told too early, too often, not at all or by a wrong deadline is red."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from landbridge import wiring
from tests.stories import expected
from tests.stories.month import laid_out
from tests.stories.test_simulated import LOOK_EVERY, SPRING

if TYPE_CHECKING:
    from datetime import datetime

    from tests.stories.expected import Bounds, News

HOUR = timedelta(hours=1)
LATE_ORDER = "20260331"


@pytest.fixture(scope="module")
def due(tmp_path_factory: pytest.TempPathFactory) -> dict[News, list[Bounds]]:
    declaration = wiring.declaration(laid_out(tmp_path_factory.mktemp("due") / "eidv"))
    came = {(late.feed, late.occurrence): late.came for late in SPRING.late}
    span = expected.Span(declaration, SPRING.since, SPRING.until, came, LOOK_EVERY, "native")
    return span.news()


@pytest.fixture
def told(due: dict[News, list[Bounds]]) -> dict[News, list[datetime]]:
    """Give what was told where all is well."""
    return {key: [first for first, _ in several] for key, several in due.items()}


def test_what_is_due_is_no_difference(
    told: dict[News, list[datetime]], due: dict[News, list[Bounds]]
) -> None:
    assert len(due) > 45
    assert expected.differences(told, due) == []


@pytest.mark.parametrize(
    "key",
    [
        ("verifications", "WATCH", LATE_ORDER, "alert"),
        ("verifications", "WATCH", LATE_ORDER, "mail"),
        ("verifications", "SLA", LATE_ORDER, "alert"),
        ("summary", "WATCH_1005Z", LATE_ORDER, "alert"),
        ("screening", "WATCH", "20260401", "alert"),
    ],
)
def test_the_wrong_number_or_time_of_an_alert_is_red(
    told: dict[News, list[datetime]], due: dict[News, list[Bounds]], key: News
) -> None:
    once = told[key]
    for planted in (once * 5, [], [one - HOUR for one in once], [one + LOOK_EVERY for one in once]):
        assert {wrong[0] for wrong in expected.differences({**told, key: planted}, due)} == {key}


def test_a_service_that_is_complete_too_early_or_two_looks_later_is_red(
    told: dict[News, list[datetime]], due: dict[News, list[Bounds]]
) -> None:
    key = ("verifications", "SLA", "20260330", "service complete")
    for shift in (-HOUR, 2 * LOOK_EVERY):
        planted = {**told, key: [one + shift for one in told[key]]}
        assert [wrong[0] for wrong in expected.differences(planted, due)] == [key]


def test_a_wrong_completeby_is_red(told: dict[News, list[datetime]], due: dict[News, list[Bounds]]) -> None:
    key = ("verifications", "SLA", LATE_ORDER, "service late")
    planted = {**told, key: [told[key][0] - 2 * HOUR]}
    assert expected.differences(planted, due) == [(key, planted[key][0], due[key][0])]
