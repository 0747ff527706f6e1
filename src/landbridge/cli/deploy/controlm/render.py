"""`landbridge deploy controlm render`: profiles.json and folder.json of an environment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from landbridge import wiring
from landbridge.cli.options import HERE, EnvironmentOption, JsonOption, ProjectFolder
from landbridge.cli.output import err, out, print_json, tip
from landbridge.errors import Exit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def render(
    to: Annotated[
        Path, typer.Option("--out", help="Folder that the files are written into.", file_okay=False)
    ] = Path("deploy"),
    environment: EnvironmentOption = "",
    sftp_host: Annotated[
        str, typer.Option("--sftp-host", help="Name of the private endpoint, in place of `sftp.host`.")
    ] = "",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files that were changed by hand, too.")
    ] = False,
    project: ProjectFolder = HERE,
    as_json: JsonOption = False,
) -> int:
    """Write the connection profiles and the folder of an environment for Control-M.

    Connects to nothing, and the same declaration gives the same bytes. They go to `OUT/controlm`; rendering again
    replaces what was rendered before and nothing else. Only `ctm build` against an Enterprise Manager tells whether
    Control-M takes them. Exit code 78 when something declared cannot be put into Control-M.

    Example: landbridge deploy controlm render --environment PRD --out build/prd
    """
    from landbridge.deploy.controlm.render import render as rendering
    from landbridge.deploy.rendered import write

    declaration = wiring.declaration(project)
    name = wiring.environment_of(declaration, environment)
    made = rendering(declaration, name, sftp_host=sftp_host)
    folder = to / "controlm"
    came = write(folder, made.files, of=f"controlm {declaration.project.project} {name}", overwrite=overwrite)
    warnings = (*made.warnings, *ending(made.folders))
    warn(warnings)
    if as_json:
        print_json({"folder": folder, "environment": name, "files": came, "warnings": warnings})
        return Exit.DONE
    for path in came.written:
        out().print(f"  wrote {folder / path}")
    if not came.written:
        out().print("everything was there already; nothing was written")
    tip(
        f"next: `landbridge deploy controlm lint {folder}/*.json`; `ctm build` on each file is the only judge"
    )
    return Exit.DONE


def ending(folders: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    """Give a warning for each calendar of `folder.json` that ends soon."""
    from landbridge.deploy.controlm.endings import EXPECTED, endings

    found = endings(folders, wiring.now().date())
    return tuple(f"{one.calendar}: {one.what}; expected {EXPECTED}" for one in found)


def warn(warnings: Sequence[str]) -> None:
    """Tell on stderr what somebody must know who deploys this."""
    for warning in warnings:
        err().print(f"[yellow]warning[/] {warning}", highlight=False)
