"""`landbridge keys status`: which keys are there, and what is to be done?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape

from landbridge import wiring
from landbridge.cli.keys.asked import HostOption, ServerOption, world_of
from landbridge.cli.options import HERE, EnvironmentOption, JsonOption, ProjectFolder
from landbridge.cli.output import err, out, print_json, print_table
from landbridge.deploy.keys import host as host_keys
from landbridge.deploy.keys import user as user_keys
from landbridge.deploy.keys.pair import same
from landbridge.errors import Unavailable

if TYPE_CHECKING:
    from landbridge.deploy.keys.user import World
    from landbridge.project import Declaration


def status(
    host: HostOption = False,
    server: ServerOption = "",
    environment: EnvironmentOption = "",
    project: ProjectFolder = HERE,
    as_json: JsonOption = False,
) -> None:
    """Show every key that Secrets Manager or the server knows, and what is to be done.

    With `--host` also the lines to pin, where the endpoint can be reached from here.

    Example: landbridge keys status --environment PRD
    """
    declaration, place, world = world_of(project, environment, server, host=host)
    if host:
        _print_host_status(world, declaration, place, as_json=as_json)
        return
    rows = user_keys.status(world)
    if as_json:
        print_json({"secret": world.custody.name, "keys": rows})
        return
    print_table(
        world.custody.name,
        ("key", "kind", "is", "valid since"),
        [
            (
                row.fingerprint,
                row.algorithm,
                row.standing,
                f"{row.announced.since:%Y-%m-%d %H:%M} UTC" if row.announced else "not on the server",
            )
            for row in rows
        ],
    )
    err().print(f"[dim]next[/] {_next(rows)}")


def _next(rows: list[user_keys.Row]) -> str:
    known = {row.standing for row in rows}
    standing = user_keys.Standing
    if not rows or (standing.CURRENT not in known and standing.PENDING not in known):
        return "landbridge keys create"
    if standing.PENDING in known:
        return "landbridge keys rotate (a new key is on its way)"
    if any(row.standing is standing.CURRENT and row.announced is None for row in rows):
        return "landbridge keys create (the server does not know the current key)"
    if any(row.standing is standing.PREVIOUS and row.announced for row in rows):
        return "landbridge keys retire (once every client has the new key)"
    return "nothing to do"


def _print_host_status(world: World, declaration: Declaration, place: str, *, as_json: bool) -> None:
    pinned = wiring.pinned(declaration, place)
    rows = host_keys.status(world, pinned)
    lines, away = _lines(world)
    if as_json:
        print_json({"secret": world.custody.name, "keys": rows, "lines": lines})
        return
    print_table(
        world.custody.name,
        ("host key", "kind", "clients see", "pinned", "kept", "on the server"),
        [
            (row.fingerprint, row.algorithm, *map(_yes, (row.shown, row.pinned, row.ours, row.on_server)))
            for row in rows
        ],
    )

    if away:
        err().print(f"[dim]the lines to pin are not known here[/] {escape(away)}")
    for line in lines:
        out().print(f"{line}  {'(pinned)' if any(same(line, pin) for pin in pinned) else '(not pinned)'}")
    if lines and not pinned:
        err().print("[dim]next[/] pin these lines under `sftp.host_keys`; AWS names the same fingerprints")


def _lines(world: World) -> tuple[list[str], str]:
    """Give the public host keys as the endpoint shows them, or why it cannot be asked from here."""
    try:
        return host_keys.lines(world), ""
    except Unavailable as error:
        return [], str(error)


def _yes(is_so: bool) -> str:
    return "yes" if is_so else "no"
