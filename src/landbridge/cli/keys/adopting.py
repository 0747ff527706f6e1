"""`landbridge keys adopt`: keys that Control-M made on its agents become known to the server."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from landbridge.cli.keys.asked import ServerOption, world_of
from landbridge.cli.options import HERE, EnvironmentOption, JsonOption, ProjectFolder
from landbridge.cli.output import err, print_json, print_table, tip
from landbridge.deploy.keys import adopted
from landbridge.deploy.keys.public import read_public
from landbridge.errors import UsageError

if TYPE_CHECKING:
    from landbridge.deploy.keys.agents import Agents

_LONGEST = 64 << 10
"""Bytes; no public key comes near."""


def adopt(
    public_keys: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[AGENT=]FILE...",
            help="File with one public key, and the agent that made it; `-` is standard input.",
            show_default=False,
        ),
    ] = None,
    server: ServerOption = "",
    environment: EnvironmentOption = "",
    project: ProjectFolder = HERE,
    as_json: JsonOption = False,
) -> None:
    """Tell the server public keys that Control-M made on its agents; the ones that are valid stay so.

    Each agent of a host group makes a pair of its own under one name, and hands over its public half. A private key is
    refused and not repeated. Without a file: what to do on each agent.

    Example: landbridge keys adopt edge1=edge1.pub edge2=edge2.pub --environment PRD
    """
    _, _, world = world_of(project, environment, server)
    if not public_keys:
        _print_steps(world.agents)
        return
    offered = [_offered(word, world.agents) for word in public_keys]
    done = adopted.adopt(world, offered)
    if as_json:
        print_json({"adopted": done})
        return
    print_table(
        "",
        ("key", "kind", "agent", "is"),
        [
            (each.fingerprint, each.strength, each.agent or "-", "known already" if each.was_there else "new")
            for each in done
        ],
    )
    for each in offered:
        if each.key.weak:
            err().print(f"[yellow]warning[/] {each.key.fingerprint}: {each.key.strength}; 4,096 are better")
    _print_next(world.agents)


def _offered(word: str, agents: Agents | None) -> adopted.Offered:
    """Read one word of the command line; a path may hold a `=`, so what stands before it must be an agent that is declared."""
    agent, found, path = word.partition("=")
    if not found or (Path(word).exists() and (agents is None or agent not in agents.members)):
        agent, path = "", word
    where = "standard input" if path == "-" else path
    try:
        text = (sys.stdin.buffer.read(_LONGEST) if path == "-" else _beginning(Path(path))).decode(
            errors="replace"
        )
    except OSError as error:
        raise UsageError(f"{where} cannot be read", seen=error.strerror or "") from error
    return adopted.Offered(read_public(text, where), agent)


def _beginning(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_LONGEST)


def _print_steps(agents: Agents | None) -> None:
    if agents is None or agents.born != "agent":
        raise UsageError(
            "no file, and no agents that make their own key",
            expected="`controlm` with `style: native` and `key_born: agent`, or public keys to tell the server",
        )
    for agent in agents.members:
        err().print(
            f"[dim]on {escape(agent)}[/] ctm config server:agent:mft:ssh:key::generate {agents.server} {agent} {agents.key} "
            "PASSPHRASE 4096"
        )
    err().print(
        "[dim]or[/] in Control-M's web: Configuration, Plug-ins, File Transfer, Generate SSH Key (RSA, 4096); the public "
        f"halves are cm/AFT/data/Keys/{escape(agents.key)}.pub on the agents"
    )
    words = " ".join(f"{agent}={agent}.pub" for agent in agents.members)
    tip(f"next: landbridge keys adopt {words}")


def _print_next(agents: Agents | None) -> None:
    if agents is None:
        return
    tip(
        f"next: deploy the connection profile with `{agents.key}` and test it on every agent: `landbridge deploy controlm apply`; "
        "then `landbridge keys status` shows the log-ins, and `landbridge keys retire --also SHA256:...` takes the old keys away"
    )
