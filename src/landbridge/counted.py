"""How is a number of things said?"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def counted(number: int, one: str, many: str = "") -> str:
    """Say how many there are: `1 slot`, `2 slots`, `1,000 prefixes`; `many` where it is not `one` and an s."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def differing(names: Sequence[str]) -> str:
    """Say that what is named is not what the evidence says: `file differs`, `reports, share differ`."""
    return f"{', '.join(names)} {'differs' if len(names) == 1 else 'differ'} from the evidence"
