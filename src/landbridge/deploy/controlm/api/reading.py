"""What is there, does it equal the declaration, and does every agent connect?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from landbridge.deploy.controlm.api.applying import tests
from landbridge.deploy.controlm.api.planning import plan

if TYPE_CHECKING:
    from collections.abc import Callable

    from landbridge.deploy.controlm.api.calls import Agent, AutomationApi, Tested
    from landbridge.deploy.controlm.api.given import Given
    from landbridge.deploy.controlm.api.planning import Plan
    from landbridge.deploy.controlm.api.record import Known

_AT_WORK = {"Available", "not told"}
"""States of an agent that keep nobody from taking files; other words (`Unavailable`, `Disabled`, `Discovering`) do."""


@dataclass(frozen=True, slots=True)
class Reading:
    """All of an environment in Control-M."""

    plan: Plan
    agents: tuple[Agent, ...]
    tests: tuple[Tested, ...]

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
    api: AutomationApi, given: Given, known: Known, tell: Callable[[str], None], *, test: bool
) -> Reading:
    """Look at everything; changes nothing. Profiles that are not deployed are not tested.

    Raises:
        NotPermitted, Unavailable, TryAgain, UsageError: as failures.refused says.
    """
    planned = plan(api, given, known)
    agents = tuple(api.agent(given.server, name) for name in given.agents)
    tested = tuple(tests(api, given, tell)) if test and not planned.profiles.missing else ()
    return Reading(planned, agents, tested)
