"""How are the outcomes of a collection or a landing said, and which exit code do they make together?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape

from landbridge.cli.output import err, print_error, print_table
from landbridge.cli.pasted import pasted
from landbridge.errors import Exit

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from landbridge.released import Outcome

_WORST_FIRST = (
    Exit.INTEGRITY,
    Exit.PERMISSION,
    Exit.CANNOT_CREATE,
    Exit.IO,
    Exit.DATA,
    Exit.UNAVAILABLE,
    Exit.TRY_AGAIN,
)


def exit_of(outcomes: Sequence[Outcome]) -> Exit:
    """Give the code of the worst: first what a person must look at, last what mends itself."""
    return worst({one.error.exit for one in outcomes if one.error})


def worst(codes: Collection[Exit]) -> Exit:
    """Give the most serious of several codes."""
    return next((code for code in _WORST_FIRST if code in codes), max(codes, default=Exit.DONE))


def print_outcomes(outcomes: Sequence[Outcome]) -> None:
    """Print a table, and on standard error each thing that went wrong, once."""
    print_table(
        "",
        ("slot", "revision", "state", "bytes", "on the share"),
        (
            (
                one.what,
                f"{one.revision or ''}",
                one.state.value,
                f"{one.size:,}" if one.size else "",
                one.path,
            )
            for one in outcomes
        ),
    )
    print_errors(outcomes)


def print_errors(outcomes: Sequence[Outcome]) -> None:
    """Print on standard error each thing that went wrong, once."""
    said: set[str] = set()
    for outcome in outcomes:
        if outcome.error is not None and str(outcome.error) not in said:
            said.add(str(outcome.error))
            print_error(outcome.error)
        if outcome.warning:
            err().print(f"[yellow]warning[/]: {escape(outcome.warning)}")


def plain(outcome: Outcome) -> dict[str, object]:
    """Give an outcome as JSON has it."""
    return {
        "slot": outcome.what,
        "revision": outcome.revision,
        "state": outcome.state.value,
        "path": outcome.path,
        "size": outcome.size,
        "error": pasted(str(outcome.error)) if outcome.error else None,
        "warning": outcome.warning or None,
    }
