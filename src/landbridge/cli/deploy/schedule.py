"""`landbridge deploy schedule`: the collections of an environment for schedulers on premises, where there is no Control-M."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from landbridge import wiring
from landbridge.cli.options import HERE, EnvironmentOption, JsonOption, ProjectFolder
from landbridge.cli.output import err, out, print_json
from landbridge.counted import counted
from landbridge.declare import load
from landbridge.deploy.hosts.kinds import Kind
from landbridge.errors import Exit

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)


@app.callback()
def _schedule() -> None:
    """Collections on a schedule, for hosts without Control-M."""


@app.command()
def render(
    kind: Annotated[
        list[Kind],
        typer.Option("--kind", metavar="|".join(Kind), help="Scheduler; may be given several times."),
    ],
    to: Annotated[
        Path, typer.Option("--out", help="Folder that the files are written to.", file_okay=False)
    ] = Path("deploy"),
    checks: Annotated[
        bool,
        typer.Option(help="Also check at each deadline; the hosts then need to read ledger and reports."),
    ] = True,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files that were changed by hand, too.")
    ] = False,
    environment: EnvironmentOption = "",
    project: ProjectFolder = HERE,
    as_json: JsonOption = False,
) -> int:
    """Write units, tables, tasks, DAGs or JIL that run `landbridge collect` for each feed's window.

    Connects to nothing. They go to `OUT/PROJECT-ENVIRONMENT/schedule/KIND`, each with a README; rendering again replaces
    what was rendered before and nothing else. Host, account and folder come from `host:`.

    Example: landbridge deploy schedule render --kind systemd --kind cron --environment PRD --out build
    """
    from landbridge.deploy.hosts.kinds import name_of, rendered
    from landbridge.deploy.rendered import write

    declaration = load(project)
    name = wiring.environment_of(declaration, environment)
    made = {each: rendered(declaration, name, each, checks=checks) for each in dict.fromkeys(kind)}
    folder = to / name_of(declaration, name) / "schedule"
    for each, texts in made.items():
        of = f"schedule {each} {declaration.project.project} {name}"
        write(folder / each, texts, of=of, overwrite=overwrite)
    if as_json:
        print_json({"folder": folder, "files": {each: sorted(texts) for each, texts in made.items()}})
        return Exit.DONE
    for each, texts in made.items():
        out().print(f"{counted(len(texts), 'file')} in {folder / each}", style="green")
    for each in made:
        err().print(f"next: read {folder / each / 'README.md'}", style="dim")
    return Exit.DONE
