"""Has somebody agreed to what a deployment is about to do? Asked on a terminal, or said by an option."""

from __future__ import annotations

import sys

import typer

from landbridge.errors import UsageError


def to_plan(digest: str, look: str) -> None:
    """Ask whether the plan that was just shown is applied; `look` is the command that shows it again.

    Raises:
        UsageError: nobody is there, or it was not agreed to.
    """
    if not sys.stdin.isatty():
        raise UsageError(
            "nobody is here to agree to this plan",
            expected=f"`--plan {digest}`, or `--yes`",
            hint=f"look at the plan first: {look}",
        )
    if not typer.confirm("Apply this?", err=True):
        raise UsageError("not agreed to, so nothing was done")


def by_name(environment: str, what: str, given: str) -> bool:
    """Have the environment's name typed for what cannot be undone, unless it was `given`; tell whether somebody was asked.

    Raises:
        UsageError: nobody is there, or another name was typed.
    """
    asked = not given
    if asked:
        if not sys.stdin.isatty():
            raise UsageError(
                f"this {what}, and nobody is here to confirm it",
                expected=f"`--yes-destroy {environment}`",
                hint="run it in a terminal, or say so where you are sure",
            )
        given = typer.prompt(f"This {what}. Type the name of the environment ({environment})", err=True)
    if given != environment:
        raise UsageError("not confirmed, so nothing was done", expected=f"`{environment}`", seen=f"`{given}`")
    return asked
