"""Who holds how many units of which resource pool?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(slots=True)
class Pools:
    """The pools of a Control-M/Server."""

    units: Mapping[str, int]
    _held: dict[str, Mapping[str, int]] = field(default_factory=dict, init=False)
    """By who holds: pool and units."""

    def take(self, who: str, wanted: Mapping[str, int]) -> bool:
        """Take all that is wanted, or nothing; tell which."""
        if any(self._free(pool) < units for pool, units in wanted.items()):
            return False
        self._held[who] = wanted
        return True

    def give_back(self, who: str) -> None:
        """Give back what `who` holds. Idempotent."""
        self._held.pop(who, None)

    def _free(self, pool: str) -> int:
        return self.units.get(pool, 0) - sum(held.get(pool, 0) for held in self._held.values())
