"""A month of the example from emitted artefacts alone: clocks go forward, bank holidays, two late files, a breach a day.

`make month` runs it (minutes) and prints what came of it; six days of it, with the same late files and breaches, are among the
stories of every run of the tests.
"""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

from tests.stories import report
from tests.stories.month import at
from tests.stories.test_simulated import SPRING, compare, played

pytestmark = [pytest.mark.story, pytest.mark.timeout(3600)]


def test_a_month(tmp_path_factory: pytest.TempPathFactory) -> None:
    month = replace(SPRING, since=at("2026-03-15T00:00"), until=at("2026-04-15T12:00"))
    with played(month, tmp_path_factory.mktemp("month")) as ended:
        made = ended.month.made
        for line in report.lines(ended.seen, made.outbox.told, made.chronicle.happened):
            sys.stdout.write(f"{line}\n")
        compare(ended)
