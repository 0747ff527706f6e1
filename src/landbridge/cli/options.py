"""Which options do several commands share?"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

import typer

from landbridge.errors import UsageError

ProjectFolder = Annotated[
    Path,
    typer.Option(
        "--project", "-p", help="Folder with landbridge.yaml.", file_okay=False, show_default="this folder"
    ),
]
EnvironmentOption = Annotated[
    str,
    typer.Option(
        "--environment",
        "-e",
        help="Environment of the declaration; without it LANDBRIDGE_ENVIRONMENT, or the only one there is.",
    ),
]
TwinOption = Annotated[
    bool, typer.Option("--twin", help="Use the twin of this project (`landbridge twin up`).")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]
DateOption = Annotated[
    str,
    typer.Option(
        "--date", "-d", help="The slot: a business date (2026-11-20), or an instant (20261120T1000Z)."
    ),
]
RevisionOption = Annotated[
    int | None,
    typer.Option("--revision", help="This revision; the one in force without it.", min=1, show_default=False),
]
HERE = Path()
LOOK_BACK = timedelta(days=45)
"""How far back `collect` and `land` look without `--since`: a monthly feed's newest file is about a day that lies a month
back, and a week or two may pass."""


def duration_of(text: str) -> timedelta:
    """Read a duration that was typed: `30s`, `90m`, `2h`, `1h30m`.

    Raises:
        UsageError: it is none.
    """
    from pydantic import TypeAdapter, ValidationError

    from landbridge.feed.words import Duration

    try:
        return TypeAdapter[timedelta](Duration).validate_python(text)
    except ValidationError as error:
        raise UsageError(f"`{text}` is not a duration", expected="`30s`, `90m`, `2h` or `1h30m`") from error


def day_of(text: str, option: str) -> date:
    """Read a business date that was typed.

    Raises:
        UsageError: it is none.
    """
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"`{option} {text}` is not a date", expected="a business date, for instance 2026-11-01"
        ) from error
