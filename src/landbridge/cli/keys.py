"""`landbridge keys`: the SSH keys of the SFTP side, made, changed and taken away without a gap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from landbridge import wiring
from landbridge.cli.options import HERE, EnvironmentOption, JsonOption, ProjectFolder, duration_of
from landbridge.cli.output import err, out, print_json, print_pairs, print_table
from landbridge.deploy.keys import host as host_keys
from landbridge.deploy.keys import user as user_keys
from landbridge.deploy.keys.pair import Kind, fingerprint, same
from landbridge.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from landbridge.deploy.keys.user import World
    from landbridge.project import Declaration

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)

KindOption = Annotated[
    Kind, typer.Option("--kind", help="RSA of 4,096 bits is what every Control-M release reads.")
]
HostOption = Annotated[bool, typer.Option("--host", help="The server's host key instead of the user's key.")]
ServerOption = Annotated[
    str, typer.Option("--server", help="Id of the Transfer Family server; else the deployed or adopted one.")
]


@app.command()
def create(
    kind: KindOption = Kind.RSA,
    host: HostOption = False,
    server: ServerOption = "",
    environment: EnvironmentOption = "",
    project: ProjectFolder = HERE,
    as_json: JsonOption = False,
) -> None:
    """Make the first key.

    The private key goes to Secrets Manager, the public key to the server; then a log-in is tried.
    With `--host` a host key is made and kept, and the line to pin is printed; no client notices.
    After a crash, or on a host that cannot reach the endpoint, the same command goes on where it stopped.

    Example: landbridge keys create --environment PRD
    """
    declaration, place, world = _world(project, environment, server, host=host)
    if host:
        _print_pin(declaration, place, host_keys.prepare(world, kind), as_json=as_json)
    else:
        _print_key(user_keys.create(world, kind), world, "created", as_json=as_json)


@app.command()
def rotate(
    kind: KindOption = Kind.RSA,
    host: HostOption = False,
    server: ServerOption = "",
    environment: EnvironmentOption = "",
    project: ProjectFolder = HERE,
    as_json: JsonOption = False,
) -> None:
    """Bring a new key in; the old one stays valid until `retire`.

    Pending in Secrets Manager, announced to the server, tried by a log-in, then current.
    With `--host` as `create --host`: the new key is made and has to be pinned before the switch.

    Example: landbridge keys rotate --environment PRD
    """
    declaration, place, world = _world(project, environment, server, host=host)
    if host:
        _print_pin(declaration, place, host_keys.prepare(world, kind), as_json=as_json)
    else:
        _print_key(user_keys.rotate(world, kind), world, "rotated", as_json=as_json)


@app.command()
def retire(
    overlap: Annotated[
        str, typer.Option("--overlap", help="How long both keys must have been valid.")
    ] = "24h",
    fingerprints: Annotated[
        list[str] | None,
        typer.Option("--also", help="Fingerprint of a further key to take away; may be repeated."),
    ] = None,
    host: HostOption = False,
    server: ServerOption = "",
    environment: EnvironmentOption = "",
    project: ProjectFolder = HERE,
    as_json: JsonOption = False,
) -> None:
    """Take the old key away, after a log-in with the new one.

    With `--host` the server shows the new host key from then on; refused while the declaration does not pin it.
    Exit code 75 while the overlap is not over.

    Example: landbridge keys retire --environment PRD --overlap 72h
    """
    both = duration_of(overlap)
    declaration, place, world = _world(project, environment, server, host=host)
    if host:
        gone = host_keys.switch(world, wiring.pinned(declaration, place))
    else:
        gone = user_keys.retire(world, both, fingerprints or ())
    if as_json:
        print_json({"retired": gone})
    elif gone:
        out().print(f"taken away: {', '.join(gone)}")
    else:
        out().print("nothing to take away: there is no older key")


@app.command()
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
    declaration, place, world = _world(project, environment, server, host=host)
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


def _print_key(public: str, world: World, what: str, *, as_json: bool) -> None:
    if as_json:
        print_json({what: fingerprint(public), "public_key": public, "secret": world.custody.name})
        return
    print_pairs(
        f"the key is {what}, and a log-in with it succeeded",
        {
            "fingerprint": fingerprint(public),
            "private key": f"aws-sm:{world.custody.name}",
            "public key": public,
        },
    )


def _print_pin(declaration: Declaration, place: str, public: str, *, as_json: bool) -> None:
    pinned = any(same(public, line) for line in wiring.pinned(declaration, place))
    if as_json:
        print_json({"fingerprint": fingerprint(public), "public_key": public, "pinned": pinned})
        return
    print_pairs("the host key is made and kept", {"fingerprint": fingerprint(public), "public key": public})
    step = (
        "it is pinned: `landbridge keys retire --host` lets the server show it"
        if pinned
        else "pin this line under `sftp.host_keys`, beside the old one, on every client; then `landbridge keys retire --host`"
    )
    err().print(f"[dim]next[/] {escape(step)}")


def _world(
    project: ProjectFolder, environment: str, server: str, *, host: bool
) -> tuple[Declaration, str, World]:
    declaration = wiring.declaration(project)
    place = wiring.environment_of(declaration, environment)
    wiring.log(verbose=False, environment=place)
    return declaration, place, wiring.keys(declaration, place, server, host=host, tell=_teller())


def _teller() -> Callable[[str], None]:
    console = err()
    return lambda what: console.print(f"[dim]{escape(what)} ...[/]")
