"""`landbridge redrive`: make a slot's file anew."""

from __future__ import annotations

from landbridge import decisions
from landbridge.cli.deciding import ActorOption, ReasonOption, SlotArgument, deciding, say
from landbridge.cli.options import HERE, EnvironmentOption, JsonOption, ProjectFolder, TwinOption


def redrive(
    slot: SlotArgument,
    reason: ReasonOption = "",
    actor: ActorOption = "",
    environment: EnvironmentOption = "",
    project: ProjectFolder = HERE,
    twin: TwinOption = False,
    as_json: JsonOption = False,
) -> int:
    """Make a slot's file anew from its sources, as a new revision that supersedes the ones before.

    For a source that was wrong, a file that staging forgot before it was released, a slot that was quarantined or waived.
    The new file is judged as any other (65 when it breaks the contract), and comes under a name of its own;
    what has landed stays where it is. The same command with the same reason goes on with what it has begun.

    Example: landbridge redrive flights/2026-11-20 --reason 'ticket 123: the source had double rows' --twin
    """
    with deciding(
        slot, reason, actor, project=project, environment=environment, twin=twin, quiet=as_json
    ) as (feed, meant, cloud):
        decided = decisions.redrive(feed, meant, cloud)
    return say(decided, reason, as_json=as_json)
