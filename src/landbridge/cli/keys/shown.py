"""`landbridge keys status`: which keys are there, and what is to be done?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape

from landbridge import wiring
from landbridge.cli.keys.asked import HostOption, ServerOption, world_of
from landbridge.cli.options import HERE, EnvironmentOption, JsonOption, ProjectFolder
from landbridge.cli.output import err, out, print_json, print_table, tip
from landbridge.deploy.keys import host as host_keys
from landbridge.deploy.keys import user as user_keys
from landbridge.deploy.keys.pair import same
from landbridge.errors import Unavailable

if TYPE_CHECKING:
    from landbridge.deploy.keys.agents import Agents
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
        print_json({"secret": world.custody.name, "agents": world.agents, "keys": rows})
        return
    handed = world.agents is not None
    print_table(
        world.custody.name,
        ("key", "kind", "is", "valid since", *(("on agents as", "last log-in") if handed else ())),
        [(*_told(row), *(_told_of_agents(row, world.agents) if world.agents else ())) for row in rows],
    )
    tip(f"next: {next_step(rows, world.agents)}")


def _told(row: user_keys.Row) -> tuple[str, str, str, str]:
    since = f"{row.announced.since:%Y-%m-%d %H:%M} UTC" if row.announced else "not on the server"
    return row.fingerprint, row.algorithm, row.standing, since


def _told_of_agents(row: user_keys.Row, agents: Agents) -> tuple[str, str]:
    declared = " (declared)" if row.name.split("@")[0] == agents.key else ""
    seen = f"{row.seen.at:%Y-%m-%d %H:%M} UTC from {row.seen.address}" if row.seen else "none that is known"
    return f"{row.name}{declared}" if row.name else "-", seen


def next_step(rows: list[user_keys.Row], agents: Agents | None) -> str:
    """Say what is to be done next, in words that begin with a command where there is one."""
    known = {row.standing: row for row in rows}
    standing = user_keys.Standing
    pending = known.get(standing.PENDING)
    if agents and agents.born == "agent" and not (known.keys() & {standing.PENDING, standing.CURRENT}):
        return _next_of_agents(rows, agents)
    if pending and agents and agents.born == "cloud":
        if pending.announced is None:
            return "landbridge keys rotate, or create for the first key (it was not finished)"
        if pending.name != agents.key:
            return f"landbridge keys hand-over; then declare `controlm.key: {pending.name}` and deploy the profile"
        return "landbridge keys promote (once every agent has logged in with it)"
    if pending:
        return "landbridge keys rotate (a new key is on its way)"
    if standing.CURRENT not in known:
        return "landbridge keys create"
    if known[standing.CURRENT].announced is None:
        return "landbridge keys create (the server does not know the current key)"
    if (old := known.get(standing.PREVIOUS)) and old.announced:
        return "landbridge keys retire (once every client has the new key)"
    return _next_of_agents(rows, agents) if agents and agents.born == "agent" else "nothing to do"


def _next_of_agents(rows: list[user_keys.Row], agents: Agents) -> str:
    of_agents = [row for row in rows if row.standing is user_keys.Standing.AGENT]
    now = [row for row in of_agents if row.name.split("@")[0] == agents.key]
    old = [row for row in of_agents if row not in now]
    if len(now) < len(agents.members):
        return f"landbridge keys adopt (a key named {agents.key} of each of {', '.join(agents.members)})"
    if unseen := [row.name for row in now if row.seen is None]:
        return f"test the connection profile: no log-in is known yet with {', '.join(unseen)}"
    if old:
        return "landbridge keys retire " + " ".join(f"--also {row.fingerprint}" for row in old)
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
