"""`landbridge waive`: a slot's file will not come."""

from __future__ import annotations

from typing import Annotated

import typer

from landbridge import decisions
from landbridge.cli.deciding import ActorOption, ReasonOption, SlotArgument, deciding, say
from landbridge.cli.options import HERE, EnvironmentOption, JsonOption, ProjectFolder, TwinOption


def waive(
    slot: SlotArgument,
    reason: ReasonOption = "",
    actor: ActorOption = "",
    early: Annotated[bool, typer.Option("--early", help="Waive a slot before its scheduled time.")] = False,
    environment: EnvironmentOption = "",
    project: ProjectFolder = HERE,
    twin: TwinOption = False,
    as_json: JsonOption = False,
) -> int:
    """Put on record that a slot's file will not come and is not needed; nobody is told of it any more, and nobody waits for it.

    A slot of which a file has landed, or may land yet, is refused. `run` finds a waived slot decided (0, nothing is made);
    only `landbridge redrive` opens it again. A slot that is not due yet is refused without `--early`: a wrong year is quickly typed.

    Example: landbridge waive flights/2026-11-20 --reason 'the airline did not fly that day' --twin
    """
    with deciding(
        slot,
        reason,
        actor,
        early=early,
        project=project,
        environment=environment,
        twin=twin,
        quiet=as_json,
    ) as (feed, meant, cloud):
        decided = decisions.waive(feed, meant, cloud)
    return say(decided, reason, as_json=as_json)
