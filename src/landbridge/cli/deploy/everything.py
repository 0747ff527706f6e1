"""`landbridge deploy render`: everything of an environment as files, for the reviewers of AWS and of the cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from landbridge import wiring
from landbridge.cli.options import HERE, EnvironmentOption, JsonOption, ProjectFolder
from landbridge.cli.output import err, out, print_json, tip
from landbridge.counted import counted
from landbridge.declare import load
from landbridge.deploy.hosts.kinds import Kind
from landbridge.errors import Exit
from landbridge.project import place


def render(
    to: Annotated[
        Path, typer.Option("--out", help="Folder that the files are written to.", file_okay=False)
    ] = Path("deploy"),
    schedule: Annotated[
        list[Kind] | None,
        typer.Option(
            "--schedule",
            metavar="|".join(Kind),
            help="Also for this scheduler of the hosts; may be given several times.",
        ),
    ] = None,
    environment: EnvironmentOption = "",
    project: ProjectFolder = HERE,
    as_json: JsonOption = False,
) -> int:
    """Write all of an environment: CloudFormation stacks, request sheet, Terraform wrapper, manifests, Helm chart, Control-M.

    Connects to nothing. They go to `OUT/PROJECT-ENVIRONMENT/aws`, `.../kubernetes`, `.../controlm` where `controlm:` is
    declared, and `.../schedule` for the schedulers that are asked for, as the renderers write them alone.
    Exit code 78 when the environment lacks `aws:` or `kubernetes:`, or declares what cannot be rendered.

    Example: landbridge deploy render --environment PRD --out build --project examples/eidv
    """
    from landbridge.deploy import rendered
    from landbridge.deploy.cloudformation.files import files
    from landbridge.deploy.controlm.render import render as for_controlm
    from landbridge.deploy.hosts.kinds import rendered as scheduled
    from landbridge.deploy.kubernetes.package import package, write
    from landbridge.deploy.kubernetes.render import manifests

    declaration = load(project)
    name = wiring.environment_of(declaration, environment)
    made = manifests(declaration, name)
    parts = {"aws": files(declaration, name)}
    warnings = made.warnings
    if place(declaration.project, name).controlm:
        jobs = for_controlm(declaration, name)
        parts["controlm"] = jobs.files
        warnings = (*warnings, *jobs.warnings)
    for kind in dict.fromkeys(schedule or ()):
        parts[f"schedule/{kind}"] = scheduled(declaration, name, kind)
    folder = to / made.name
    written: dict[str, object] = {
        part: rendered.write(
            folder / part,
            texts,
            of=f"{part.replace('/', ' ')} {declaration.project.project} {name}",
            overwrite=False,
        )
        for part, texts in parts.items()
    }
    parts["kubernetes"] = package(made)
    written["kubernetes"] = write(parts["kubernetes"], folder / "kubernetes")
    for warning in warnings:
        err().print(f"[yellow]warning[/] {warning}")
    if as_json:
        print_json({"folder": folder, **written, "warnings": warnings})
        return Exit.DONE
    for part, texts in parts.items():
        out().print(f"{counted(len(texts), 'file')} in {folder / part}", style="green")
    tip(f"next: read {folder / 'aws' / 'README.md'}; `landbridge deploy aws plan`")
    return Exit.DONE
