"""`landbridge keys create` and `rotate`: a new key comes in beside the old one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from landbridge import wiring
from landbridge.cli.keys.asked import HostOption, ServerOption, world_of
from landbridge.cli.options import HERE, EnvironmentOption, JsonOption, ProjectFolder
from landbridge.cli.output import print_json, print_pairs, tip
from landbridge.deploy.keys import handed
from landbridge.deploy.keys import host as host_keys
from landbridge.deploy.keys import user as user_keys
from landbridge.deploy.keys.pair import Kind, fingerprint, same

if TYPE_CHECKING:
    from landbridge.deploy.keys.agents import Agents
    from landbridge.deploy.keys.handed import Begun
    from landbridge.deploy.keys.user import World
    from landbridge.project import Declaration

KindOption = Annotated[
    Kind, typer.Option("--kind", help="RSA of 4,096 bits is what every Control-M release reads.")
]


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
    Where Control-M's agents are handed the key (`controlm.key_born: cloud`), it stays pending until `promote`.
    With `--host` a host key is made and kept, and the line to pin is printed; no client notices.
    After a crash, or on a host that cannot reach the endpoint, the same command goes on where it stopped.

    Example: landbridge keys create --environment PRD
    """
    if host:
        _prepare_host(kind, server, environment, project, as_json=as_json)
        return
    _, _, world = world_of(project, environment, server)
    _bring("created", world, kind, as_json=as_json)


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
    Where Control-M's agents are handed the key (`controlm.key_born: cloud`), it stays pending until `promote`.
    With `--host` as `create --host`: the new key is made and has to be pinned before the switch.

    Example: landbridge keys rotate --environment PRD
    """
    if host:
        _prepare_host(kind, server, environment, project, as_json=as_json)
        return
    _, _, world = world_of(project, environment, server)
    _bring("rotated", world, kind, as_json=as_json)


_WAYS = {"created": (user_keys.create, handed.create), "rotated": (user_keys.rotate, handed.rotate)}
"""How a key of the SFTP user comes in: at once, or handed over to agents first."""


def _bring(what: Literal["created", "rotated"], world: World, kind: Kind, *, as_json: bool) -> None:
    at_once, begin = _WAYS[what]
    if world.agents and world.agents.born == "cloud":
        _print_begun(begin(world, kind), world, world.agents, what, as_json=as_json)
        return
    _print_key(at_once(world, kind), world, what, as_json=as_json)


def _prepare_host(
    kind: Kind, server: str, environment: str, project: ProjectFolder, *, as_json: bool
) -> None:
    """Make the next host key, be it the first of ours or not: nobody meets it before `retire --host`."""
    declaration, place, world = world_of(project, environment, server, host=True)
    _print_pin(declaration, place, host_keys.prepare(world, kind), as_json=as_json)


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


def _print_begun(begun: Begun, world: World, agents: Agents, what: str, *, as_json: bool) -> None:
    public = begun.version.pair.public
    name = agents.name_for(public)
    if as_json:
        print_json(
            {
                what: fingerprint(public),
                "public_key": public,
                "secret": world.custody.name,
                "name": name,
                "tried": begun.tried,
            }
        )
        return
    print_pairs(
        f"the key is {what}, and pending until every agent has it",
        {
            "fingerprint": fingerprint(public),
            "private key": f"aws-sm:{world.custody.name} (AWSPENDING)",
            "public key": public,
            "log-in": "succeeded" if begun.tried else "not tried: the endpoint cannot be reached from here",
            "name on the agents": name,
            "agents": ", ".join(agents.members),
        },
    )
    tip("next: landbridge keys hand-over --out FOLDER")


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
    tip(f"next: {step}")
