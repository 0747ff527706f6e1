"""Does an `If:CompletionStatus` apply to a run that ended with this exit code?"""

from __future__ import annotations

import operator
import re
from typing import TYPE_CHECKING

from landbridge.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

_COMPARED = re.compile(r"(!=|>=|<=|>|<|)(\d{1,3})")
_BY: dict[str, Callable[[int, int], bool]] = {
    "": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}


def applies(status: str, code: int) -> bool:
    """Tell whether it does; 0 is OK, everything else is not.

    Raises:
        UsageError: the status is not one that the twin knows.
    """
    match status:
        case "OK":
            return code == 0
        case "NOTOK":
            return code != 0
        case "ANY":
            return True
        case _:
            found = _COMPARED.fullmatch(status)
            if found is None:
                raise UsageError(f"the twin cannot execute `CompletionStatus: {status}`")
            return _BY[found[1]](code, int(found[2]))
