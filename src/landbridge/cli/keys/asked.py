"""Which options do all key commands share, and on which world do they stand?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from landbridge import wiring
from landbridge.cli.options import ProjectFolder
from landbridge.cli.output import err

if TYPE_CHECKING:
    from collections.abc import Callable

    from landbridge.deploy.keys.user import World
    from landbridge.project import Declaration

HostOption = Annotated[bool, typer.Option("--host", help="The server's host key instead of the user's key.")]
ServerOption = Annotated[
    str, typer.Option("--server", help="Id of the Transfer Family server; else the deployed or adopted one.")
]

TestedOption = Annotated[
    list[str] | None,
    typer.Option(
        "--tested",
        metavar="AGENT",
        help="Agent whose log-in with the new key a person has seen; every one of them, instead of the server's log.",
    ),
]


def world_of(
    project: ProjectFolder, environment: str, server: str, *, host: bool = False
) -> tuple[Declaration, str, World]:
    """Read the declaration, and fill in the world of the user's key or of the host key."""
    declaration = wiring.declaration(project)
    place = wiring.environment_of(declaration, environment)
    wiring.log(verbose=False, environment=place)
    return declaration, place, wiring.keys(declaration, place, server, host=host, tell=_teller())


def _teller() -> Callable[[str], None]:
    console = err()
    return lambda what: console.print(f"[dim]{escape(what)} ...[/]")
