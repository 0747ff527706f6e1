"""`landbridge keys retire`: the old key goes."""

from __future__ import annotations

from typing import Annotated

import typer

from landbridge import wiring
from landbridge.cli.keys.asked import HostOption, ServerOption, TestedOption, world_of
from landbridge.cli.options import HERE, EnvironmentOption, JsonOption, ProjectFolder, duration_of
from landbridge.cli.output import out, print_json
from landbridge.deploy.keys import host as host_keys
from landbridge.deploy.keys import leaving


def retire(
    overlap: Annotated[
        str, typer.Option("--overlap", help="How long both keys must have been valid.")
    ] = "24h",
    fingerprints: Annotated[
        list[str] | None,
        typer.Option(
            "--also",
            metavar="FINGERPRINT",
            help="Fingerprint of a further key to take away; may be repeated.",
        ),
    ] = None,
    tested: TestedOption = None,
    host: HostOption = False,
    server: ServerOption = "",
    environment: EnvironmentOption = "",
    project: ProjectFolder = HERE,
    as_json: JsonOption = False,
) -> None:
    """Take the old key away, after a log-in with the new one.

    Where Control-M's agents log in, the server's log must show log-ins with a key that stays from as many addresses as
    there are agents (and with each agent's own, where it made one), and that no client was last let in with the old one;
    or a person vouches for every agent with `--tested`.
    With `--host` the server shows the new host key from then on; refused while the declaration does not pin it.
    Exit code 75 while the overlap is not over, the old key is in use, or nothing proves that every agent can do without.

    Example: landbridge keys retire --environment PRD --overlap 72h
    """
    both = duration_of(overlap)
    declaration, place, world = world_of(project, environment, server, host=host)
    if host:
        gone = host_keys.switch(world, wiring.pinned(declaration, place))
    else:
        gone = leaving.retire(world, both, fingerprints or (), tested or ())
    if as_json:
        print_json({"retired": gone})
    elif gone:
        out().print(f"taken away: {', '.join(gone)}")
    else:
        out().print("nothing to take away: there is no older key")
