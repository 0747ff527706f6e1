"""`landbridge waive`: a slot's file will not come."""

from __future__ import annotations

from landbridge import decisions
from landbridge.cli.deciding import ActorOption, ReasonOption, SlotArgument, deciding, say
from landbridge.cli.options import HERE, EnvironmentOption, JsonOption, ProjectFolder, TwinOption


def waive(
    slot: SlotArgument,
    reason: ReasonOption = "",
    actor: ActorOption = "",
    environment: EnvironmentOption = "",
    project: ProjectFolder = HERE,
    twin: TwinOption = False,
    as_json: JsonOption = False,
) -> int:
    """Put on record that a slot's file will not come and is not needed; nobody is told of it any more.

    A slot of which a file has landed, or may land yet, is refused. `run` finds a waived slot decided (0, nothing is made);
    only `landbridge redrive` opens it again.

    Example: landbridge waive flights/2026-11-20 --reason 'the airline did not fly that day' --twin
    """
    with deciding(
        slot, reason, actor, project=project, environment=environment, twin=twin, quiet=as_json
    ) as (feed, meant, cloud):
        decided = decisions.waive(feed, meant, cloud)
    return say(decided, as_json=as_json, twin=twin)
