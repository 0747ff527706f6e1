"""`landbridge keys hand-over` and `promote`: a key that was born in the cloud comes to Control-M's agents."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from landbridge import wiring
from landbridge.cli.keys.asked import ServerOption, TestedOption, world_of
from landbridge.cli.options import HERE, EnvironmentOption, JsonOption, ProjectFolder
from landbridge.cli.output import err, out, print_json, tip
from landbridge.deploy.keys import handed
from landbridge.deploy.keys.pair import fingerprint
from landbridge.deploy.keys.script import scripts
from landbridge.errors import disk_refused


def hand_over(
    to: Annotated[
        Path, typer.Option("--out", help="Folder that the scripts are written to.", file_okay=False)
    ] = Path("deploy"),
    server: ServerOption = "",
    environment: EnvironmentOption = "",
    project: ProjectFolder = HERE,
    as_json: JsonOption = False,
) -> None:
    """Write the scripts that put the pending key onto Control-M's agents; without one, the current key.

    One for a POSIX shell, one for PowerShell; the same on every agent. They hold no secret: each fetches the key with the
    agent's own right to read it, or takes it from standard input. They replace no other key and may be run again.

    Example: landbridge keys hand-over --environment PRD --out deploy
    """
    declaration, place, world = world_of(project, environment, server)
    agents = handed.born_in_the_cloud(world)
    version = handed.to_install(world)
    made = wiring.installation(declaration, place, version, world)
    written = []
    for name, text in scripts(made).items():
        path = to / name
        try:
            to.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
            if path.suffix == ".sh":
                path.chmod(0o755)
        except OSError as error:
            raise disk_refused(error, f"writing {path}") from error
        written.append(path)
    if as_json:
        print_json(
            {
                "name": made.name,
                "fingerprint": fingerprint(made.public),
                "declared": agents.key == made.name,
                "agents": agents.members,
                "files": written,
            }
        )
        return
    for path in written:
        out().print(str(path), style="green")
    steps = [f"run it on {', '.join(agents.members)}, as the account that the agent runs as"]
    if agents.key != made.name:
        steps.append(f"declare `controlm.key: {made.name}` (now: {agents.key})")
    steps += [
        "deploy the connection profile, and test it on every agent: landbridge deploy controlm apply",
        "landbridge keys promote",
    ]
    for number, step in enumerate(steps, 1):
        err().print(f"[dim]next {number}[/] {escape(step)}")


def promote(
    tested: TestedOption = None,
    server: ServerOption = "",
    environment: EnvironmentOption = "",
    project: ProjectFolder = HERE,
    as_json: JsonOption = False,
) -> None:
    """Make the pending key the current one, once every agent has logged in with it.

    The server's log proves it: log-ins with that key from as many addresses as there are agents. Where there is no log, or
    agents share an address, a person who tested the connection profile on every agent says so with `--tested`.
    Exit code 75 while an agent is missing; the old key stays valid until `retire`.

    Example: landbridge keys promote --environment PRD
    """
    _, _, world = world_of(project, environment, server)
    done = handed.promote(world, tested or ())
    if as_json:
        print_json(
            {
                "current": fingerprint(done.public),
                "proof": done.proof,
                "secret": world.custody.name,
            }
        )
    elif done.proof:
        out().print(f"{fingerprint(done.public)} is the current key: {done.proof}")
        tip("next: landbridge keys retire, once the overlap is over")
    else:
        out().print(f"nothing to promote: {fingerprint(done.public)} is the current key already")
