"""Of which parts does the suite consist?"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from reliability.figures import Figure


@dataclass(frozen=True, slots=True)
class Part:
    """One part, and the function that does it and gives its figure."""

    name: str
    """For `--part`."""
    function: str
    """`module:function`, below this package; imported when it is asked for, since some bring servers along."""

    def loaded(self) -> Callable[[], Figure]:
        """Give the function."""
        module, _, name = self.function.partition(":")
        return cast("Callable[[], Figure]", getattr(import_module(f"reliability.{module}"), name))


PARTS: tuple[Part, ...] = (
    Part("crashes", "crashes:crashes"),
    Part("power", "power:power_cuts"),
    Part("faults", "nth_call:nth_calls"),
    Part("pods", "races:many_pods"),
    Part("collectors", "races:many_collectors"),
    Part("sleepers", "races:many_sleepers"),
    Part("interleavings", "interleavings:interleavings"),
    Part("corrections", "corrections:corrections"),
    Part("landings", "landings:landings"),
    Part("machine", "machine:machines"),
    Part("planted", "planted:planted"),
    Part("landing-faults", "landing_faults:every_call"),
    Part("planted-landings", "landing_bugs:planted"),
    Part("planted-interleavings", "interleaved_bugs:planted"),
    Part("disk", "disk_answers:figure"),
    Part("kills", "kills:killed_on_the_twin"),
    Part("cuts", "cuts:downloads_cut"),
    Part("collections-cut", "cuts:collections_cut"),
    Part("schedules", "schedules:schedules"),
    Part("names", "hostile_names:names"),
    Part("content", "hostile_content:content"),
    Part("canaries", "canaries:canaries"),
)
"""In the order of the report."""
