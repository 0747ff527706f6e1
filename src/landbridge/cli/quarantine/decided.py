"""`landbridge quarantine release` and `reject`: a person decides about bytes that broke their contract."""

from __future__ import annotations

from landbridge import decisions
from landbridge.cli.deciding import ActorOption, ReasonOption, SlotArgument, deciding, say
from landbridge.cli.options import HERE, EnvironmentOption, JsonOption, ProjectFolder, TwinOption


def release(
    slot: SlotArgument,
    reason: ReasonOption = "",
    actor: ActorOption = "",
    environment: EnvironmentOption = "",
    project: ProjectFolder = HERE,
    twin: TwinOption = False,
    as_json: JsonOption = False,
) -> int:
    """Release the quarantined bytes all the same, as a new revision. It is never a silent pass.

    Who decided it and why goes on record with the report of the breach; `status`, `trace` and the evidence show all three.
    The very bytes that were judged are released, read back first. Again, after an interruption, it goes on.

    Example: landbridge quarantine release flights/2026-11-20 --reason 'the consumer takes it, ticket 123' --twin
    """
    with deciding(
        slot, reason, actor, project=project, environment=environment, twin=twin, quiet=as_json
    ) as (feed, meant, cloud):
        decided = decisions.release(feed, meant, cloud)
    return say(decided, reason, as_json=as_json)


def reject(
    slot: SlotArgument,
    reason: ReasonOption = "",
    actor: ActorOption = "",
    environment: EnvironmentOption = "",
    project: ProjectFolder = HERE,
    twin: TwinOption = False,
    as_json: JsonOption = False,
) -> int:
    """Put on record that the quarantined file is never released; nobody is told of it any more.

    The slot stays quarantined, rejected. A redrive makes its file anew, a waiver says that none is needed.

    Example: landbridge quarantine reject flights/2026-11-20 --reason 'the source had last week in it' --twin
    """
    with deciding(
        slot, reason, actor, project=project, environment=environment, twin=twin, quiet=as_json
    ) as (_, meant, cloud):
        decided = decisions.reject(meant, cloud)
    return say(decided, reason, as_json=as_json)
