"""`landbridge deploy aws render`: the templates, their parameters, and what goes with them, as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from landbridge import wiring
from landbridge.cli.options import HERE, EnvironmentOption, JsonOption, ProjectFolder
from landbridge.cli.output import err, out, print_json
from landbridge.declare import load
from landbridge.errors import Exit


def render(
    folder: Annotated[
        Path, typer.Option("--out", help="Folder that the files are written into.", file_okay=False)
    ],
    environment: EnvironmentOption = "",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files that were changed by hand, too.")
    ] = False,
    project: ProjectFolder = HERE,
    as_json: JsonOption = False,
) -> int:
    """Write the CloudFormation templates of an environment, their parameters, and the network team's request sheet.

    Asks nothing of AWS. All environments have the same templates; only parameters differ. Rendering again into the
    same folder replaces what was rendered before and nothing else. Exit code 78: the environment has no `aws:` section.

    Example: landbridge deploy aws render --environment PRD --out build/aws-prd
    """
    from landbridge.deploy.cloudformation.files import files
    from landbridge.deploy.rendered import write

    declaration = load(project)
    name = wiring.environment_of(declaration, environment)
    of = f"aws {declaration.project.project} {name}"
    came = write(folder, files(declaration, name), of=of, overwrite=overwrite)
    if as_json:
        print_json({"folder": str(folder.resolve()), "environment": name, "files": came})
        return Exit.DONE
    for path in came.written:
        out().print(f"  wrote {folder / path}")
    for path in came.removed:
        out().print(f"  removed {folder / path}, which is rendered no more")
    if not came.written and not came.removed:
        out().print("everything was there already; nothing was written")
    err().print(
        f"next: read {folder / 'README.md'}; send {folder / 'request-sheet.md'} to the network team",
        style="dim",
    )
    return Exit.DONE
