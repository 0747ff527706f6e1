"""`landbridge deploy render`: everything of an environment as files, for the reviewers of AWS and of the cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from landbridge import wiring
from landbridge.cli.options import HERE, EnvironmentOption, JsonOption, ProjectFolder
from landbridge.cli.output import err, out, print_json
from landbridge.declare import load
from landbridge.deploy.hosts.kinds import Kind
from landbridge.errors import DiskFailed, Exit


def render(
    to: Annotated[
        Path, typer.Option("--out", help="Folder that the files are written to.", file_okay=False)
    ] = Path("deploy"),
    schedule: Annotated[
        list[Kind] | None,
        typer.Option("--schedule", help="Also for this scheduler of the hosts; may be given several times."),
    ] = None,
    environment: EnvironmentOption = "",
    project: ProjectFolder = HERE,
    as_json: JsonOption = False,
) -> int:
    """Write all of an environment: CloudFormation stacks, request sheet, Terraform wrapper, manifests, Helm chart.

    Connects to nothing. They go to `OUT/PROJECT-ENVIRONMENT/aws`, `.../kubernetes` and `.../schedule`, as the renderers write them alone.
    Exit code 78 when the environment lacks `aws:` or `kubernetes:`, or declares what cannot be rendered.

    Example: landbridge deploy render --environment PRD --out build --project examples/eidv
    """
    from landbridge.deploy import rendered
    from landbridge.deploy.cloudformation.files import files
    from landbridge.deploy.hosts.kinds import rendered as scheduled
    from landbridge.deploy.kubernetes.package import package, write
    from landbridge.deploy.kubernetes.render import manifests

    declaration = load(project)
    name = wiring.environment_of(declaration, environment)
    stacks, made = files(declaration, name), manifests(declaration, name)
    hosts = {kind: scheduled(declaration, name, kind) for kind in dict.fromkeys(schedule or ())}
    folder = to / made.name
    aws = rendered.write(
        folder / "aws", stacks, of=f"aws {declaration.project.project} {name}", overwrite=False
    )
    try:
        kubernetes = write(package(made), folder / "kubernetes")
    except OSError as error:
        raise DiskFailed(f"writing into {folder} failed: {error.strerror}") from error
    project_name = declaration.project.project
    on_hosts = {
        kind: rendered.write(
            folder / "schedule" / kind, texts, of=f"schedule {kind} {project_name} {name}", overwrite=False
        )
        for kind, texts in hosts.items()
    }
    for warning in made.warnings:
        err().print(f"[yellow]warning[/] {warning}")
    if as_json:
        print_json(
            {
                "folder": folder,
                "aws": aws,
                "kubernetes": kubernetes,
                "schedule": on_hosts,
                "warnings": made.warnings,
            }
        )
        return Exit.DONE
    out().print(f"{len(stacks)} files in {folder / 'aws'}", style="green")
    out().print(f"{len(kubernetes)} files in {folder / 'kubernetes'}", style="green")
    for kind, texts in hosts.items():
        out().print(f"{len(texts)} files in {folder / 'schedule' / kind}", style="green")
    err().print(f"next: read {folder / 'aws' / 'README.md'}; `landbridge deploy aws plan`", style="dim")
    return Exit.DONE
