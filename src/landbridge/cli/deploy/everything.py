"""`landbridge deploy render`: everything of an environment as files, for the reviewers of AWS and of the cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from landbridge import wiring
from landbridge.cli.options import HERE, EnvironmentOption, JsonOption, ProjectFolder
from landbridge.cli.output import err, out, print_json
from landbridge.declare import load
from landbridge.errors import DiskFailed, Exit


def render(
    to: Annotated[
        Path, typer.Option("--out", help="Folder that the files are written to.", file_okay=False)
    ] = Path("deploy"),
    environment: EnvironmentOption = "",
    project: ProjectFolder = HERE,
    as_json: JsonOption = False,
) -> int:
    """Write all of an environment: CloudFormation stacks, request sheet, Terraform wrapper, manifests, Helm chart.

    Connects to nothing. They go to `OUT/PROJECT-ENVIRONMENT/aws` and `.../kubernetes`, as the two renderers write them alone.
    Exit code 78 when the environment lacks `aws:` or `kubernetes:`, or declares what cannot be rendered.

    Example: landbridge deploy render --environment PRD --out build --project examples/eidv
    """
    from landbridge.deploy import rendered
    from landbridge.deploy.cloudformation.files import files
    from landbridge.deploy.kubernetes.package import package, write
    from landbridge.deploy.kubernetes.render import manifests

    declaration = load(project)
    name = wiring.environment_of(declaration, environment)
    stacks, made = files(declaration, name), manifests(declaration, name)
    folder = to / made.name
    aws = rendered.write(
        folder / "aws", stacks, of=f"aws {declaration.project.project} {name}", overwrite=False
    )
    try:
        kubernetes = write(package(made), folder / "kubernetes")
    except OSError as error:
        raise DiskFailed(f"writing into {folder} failed: {error.strerror}") from error
    for warning in made.warnings:
        err().print(f"[yellow]warning[/] {warning}")
    if as_json:
        print_json({"folder": folder, "aws": aws, "kubernetes": kubernetes, "warnings": made.warnings})
        return Exit.DONE
    out().print(f"{len(stacks)} files in {folder / 'aws'}", style="green")
    out().print(f"{len(kubernetes)} files in {folder / 'kubernetes'}", style="green")
    err().print(f"next: read {folder / 'aws' / 'README.md'}; `landbridge deploy aws plan`", style="dim")
    return Exit.DONE
