"""Which texts would a spreadsheet run, and what becomes of them?

Source: OWASP, "CSV Injection": a cell that starts with = + - @, a tab or a carriage return.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, assert_never

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from landbridge.formats.breach import Place

Policy = Literal["reject", "escape", "allow"]

STARTS = b"=+-@\t\r"
"""What the first character of a formula is one of."""
_STARTS = np.zeros(256, np.bool_)
_STARTS[list(STARTS)] = True


def guarded(text: pa.StringArray, policy: Policy, place: Place) -> pa.StringArray:
    """Give the texts of a column back as the policy wants them: refused, with a ' before, or as they are.

    Raises:
        ContractBroken: the policy is `reject` and a text starts a formula.
    """
    if policy == "allow":
        return text
    starts = _start_a_formula(text)
    if starts is None:
        return text
    match policy:
        case "reject":
            place.refuse(
                starts,
                "a spreadsheet would run this text",
                expected="no = + - @, tab or carriage return at its start",
                hint="declare `formula_injection: escape` or `allow` in the feed's `file`",
            )
            return text
        case "escape":
            escaped = pc.binary_join_element_wise("'", text.filter(starts), "")
            return pc.replace_with_mask(text, starts, escaped)
        case _:
            assert_never(policy)


def _start_a_formula(text: pa.StringArray) -> pa.BooleanArray | None:
    _, offsets, content = text.buffers()
    if content is None or not content.size:
        return None
    at = np.frombuffer(offsets, np.int32)[text.offset : text.offset + len(text) + 1]
    filled = at[1:] > at[:-1]
    starts = np.zeros(len(text), np.bool_)
    starts[filled] = _STARTS[np.frombuffer(content, np.uint8)[at[:-1][filled]]]
    if not starts.any():
        return None
    if text.null_count:
        starts &= pc.is_valid(text).to_numpy(zero_copy_only=False)
    return pa.array(starts)
