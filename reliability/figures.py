"""What did a part of the reliability suite reach?"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """The counts of one part, as the report prints them. A part that found something broken raises instead of counting it."""

    part: str
    """What was done, in words of the report: `crash at every step, simulated`."""
    asked: int
    """Cases that the part must reach."""
    reached: int
    """Cases that were done and judged."""
    seconds: float
    """Wall time."""
    seed: int
    """Of the first case; 0 where nothing is drawn by chance."""
    note: str = ""
    """What the cases were, in a few words; names, where they are listed."""

    @property
    def is_reached(self) -> bool:
        """Tell whether as many were done as were asked."""
        return self.reached >= self.asked
