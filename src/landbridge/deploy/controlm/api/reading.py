"""What is there, does it equal the declaration, does every agent connect, and does a calendar end soon?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from landbridge.deploy.controlm.api.applying import tests
from landbridge.deploy.controlm.api.given import CALENDARS
from landbridge.deploy.controlm.api.planning import plan
from landbridge.deploy.controlm.endings import endings

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from landbridge.deploy.controlm.api.calls import Agent, AutomationApi, Tested
    from landbridge.deploy.controlm.api.given import Given
    from landbridge.deploy.controlm.api.planning import Plan
    from landbridge.deploy.controlm.api.record import Known
    from landbridge.deploy.controlm.endings import Ending

_AT_WORK = {"Available", "not told"}
"""States of an agent that keep nobody from taking files; other words (`Unavailable`, `Disabled`, `Discovering`) do."""


@dataclass(frozen=True, slots=True)
class Reading:
    """All of an environment in Control-M."""

    plan: Plan
    agents: tuple[Agent, ...]
    tests: tuple[Tested, ...]
    ending: tuple[Ending, ...]
    """Calendars that end soon as they are in Control-M: what was rendered meanwhile orders nothing."""

    @property
    def as_declared(self) -> bool:
        """Tell whether nothing differs."""
        return not self.plan.profiles.changes and not self.plan.folder.changes

    @property
    def works(self) -> bool:
        """Tell whether all of it is there and no agent is away or fails to connect."""
        return (
            self.plan.there and all(agent.state in _AT_WORK for agent in self.agents) and connects(self.tests)
        )


def connects(tested: tuple[Tested, ...]) -> bool:
    """Tell whether no test failed or stayed without an answer; a test that may not be made says nothing."""
    return all(one.outcome in {"passed", "unclear"} for one in tested)


def read(
    api: AutomationApi, given: Given, known: Known, tell: Callable[[str], None], *, today: date, test: bool
) -> Reading:
    """Look at everything, as on `today`; changes nothing. Profiles that are not deployed are not tested.

    Raises:
        NotPermitted, Unavailable, TryAgain, UsageError: as failures.refused says.
    """
    planned = plan(api, given, known)
    agents = tuple(api.agent(given.server, name) for name in given.agents)
    tested = tuple(tests(api, given, tell)) if test and not planned.profiles.missing else ()
    there = {
        name: found
        for name, one in given.folder.definitions.items()
        if one["Type"] == CALENDARS and (found := api.calendar(given.server, name)) is not None
    }
    return Reading(planned, agents, tested, endings(there, today))
