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
from landbridge.project import place


def render(
    to: Annotated[
        Path, typer.Option("--out", help="Folder that the files are written to.", file_okay=False)
    ] = Path("deploy"),
    environment: EnvironmentOption = "",
    project: ProjectFolder = HERE,
    as_json: JsonOption = False,
) -> int:
    """Write all of an environment: CloudFormation stacks, request sheet, Terraform wrapper, manifests, Helm chart, Control-M.

    Connects to nothing. They go to `OUT/PROJECT-ENVIRONMENT/aws`, `.../kubernetes` and, where `controlm:` is declared,
    `.../controlm`, as the renderers write them alone.
    Exit code 78 when the environment lacks `aws:` or `kubernetes:`, or declares what cannot be rendered.

    Example: landbridge deploy render --environment PRD --out build --project examples/eidv
    """
    from landbridge.deploy import rendered
    from landbridge.deploy.cloudformation.files import files
    from landbridge.deploy.controlm.render import render as for_controlm
    from landbridge.deploy.kubernetes.package import package, write
    from landbridge.deploy.kubernetes.render import manifests

    declaration = load(project)
    name = wiring.environment_of(declaration, environment)
    stacks, made = files(declaration, name), manifests(declaration, name)
    jobs = for_controlm(declaration, name) if place(declaration.project, name).controlm else None
    folder = to / made.name
    aws = rendered.write(
        folder / "aws", stacks, of=f"aws {declaration.project.project} {name}", overwrite=False
    )
    try:
        kubernetes = write(package(made), folder / "kubernetes")
    except OSError as error:
        raise DiskFailed(f"writing into {folder} failed: {error.strerror}") from error
    of = f"controlm {declaration.project.project} {name}"
    controlm = rendered.write(folder / "controlm", jobs.files, of=of, overwrite=False) if jobs else None
    warnings = (*made.warnings, *(jobs.warnings if jobs else ()))
    for warning in warnings:
        err().print(f"[yellow]warning[/] {warning}")
    if as_json:
        print_json(
            {
                "folder": folder,
                "aws": aws,
                "kubernetes": kubernetes,
                "controlm": controlm,
                "warnings": warnings,
            }
        )
        return Exit.DONE
    out().print(f"{len(stacks)} files in {folder / 'aws'}", style="green")
    out().print(f"{len(kubernetes)} files in {folder / 'kubernetes'}", style="green")
    if jobs:
        out().print(f"{len(jobs.files)} files in {folder / 'controlm'}", style="green")
    err().print(f"next: read {folder / 'aws' / 'README.md'}; `landbridge deploy aws plan`", style="dim")
    return Exit.DONE
