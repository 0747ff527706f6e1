"""Which options do several commands share?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ProjectFolder = Annotated[
    Path,
    typer.Option(
        "--project", "-p", help="Folder with landbridge.yaml.", file_okay=False, show_default="this folder"
    ),
]
EnvironmentOption = Annotated[
    str,
    typer.Option(
        "--environment", "-e", help="Environment of the declaration; the only one when there is just one."
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
HERE = Path()
