"""What do the checks across files know of a feed?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from landbridge.declare.text import Document
    from landbridge.facts import Slot
    from landbridge.feed import Feed


@dataclass(frozen=True, slots=True)
class WrittenFeed:
    """A feed whose own text is right, with the document it stands in."""

    feed: Feed
    document: Document
    environments: tuple[str, ...]
    """Known environments it exists in."""
    slots: tuple[Slot, ...]
    """A sample that shows every kind of slot; empty when the schedule is wrong."""
