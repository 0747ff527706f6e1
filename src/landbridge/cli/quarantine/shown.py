"""`landbridge quarantine list` and `show`: what broke its contract, why, and where its bytes are."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated

import typer

from landbridge import wiring
from landbridge.cli.options import (
    HERE,
    LOOK_BACK,
    EnvironmentOption,
    JsonOption,
    ProjectFolder,
    TwinOption,
    day_of,
)
from landbridge.cli.output import out, print_json, print_pairs, print_table, tip
from landbridge.cli.report import print_rules
from landbridge.cli.which import commitments_of
from landbridge.counted import counted
from landbridge.errors import UsageError
from landbridge.facts import Verdict
from landbridge.wiring import choice

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from landbridge.facts import Commitment
    from landbridge.world import Evidence

_AT_ONCE = 16
"""Days looked at together; each is one listing."""


def list_(
    feed: Annotated[str, typer.Option("--feed", "-f", help="Only this feed.")] = "",
    since: Annotated[str, typer.Option(help="First business date; 45 days ago without it.")] = "",
    until: Annotated[str, typer.Option(help="Last business date; tomorrow without it.")] = "",
    everything: Annotated[
        bool, typer.Option("--all", help="Also what was decided: released, rejected, made anew, waived.")
    ] = False,
    environment: EnvironmentOption = "",
    project: ProjectFolder = HERE,
    twin: TwinOption = False,
    as_json: JsonOption = False,
) -> None:
    """List what is in quarantine and waits for somebody to decide about it.

    Example: landbridge quarantine list --twin
    """
    declaration = wiring.declaration(project)
    place = wiring.environment_of(declaration, environment)
    if feed:
        choice.feed_of(declaration, feed, place)
    now = wiring.now()
    first = day_of(since, "--since") if since else (now - LOOK_BACK).date()
    last = day_of(until, "--until") if until else (now + timedelta(days=1)).date()
    if first > last:
        raise UsageError(f"`--since {first}` is after `--until {last}`")
    evidence = wiring.evidence(declaration, place, twin=twin)
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        entries = [one for day in pool.map(evidence.ledger.day, days) for one in day]
    found = [
        (breach, after)
        for one in entries
        if not feed or one.feed == feed
        for breach, after in breaches(one.commitments)
        if everything or after is None
    ]
    if as_json:
        print_json([_plain(*each) for each in found])
        return
    if not found:
        out().print(f"nothing is in quarantine from {first} to {last}", highlight=False)
        return
    print_table(
        "",
        ("slot", "revision", "since (UTC)", "rows", "broken rules", "decided"),
        (
            (
                str(breach.slot),
                f"{breach.revision}",
                f"{breach.committed_at:%Y-%m-%d %H:%M}",
                f"{breach.report.rows:,}",
                ", ".join(_broken(breach)),
                _after(after) if after else "",
            )
            for breach, after in found
        ),
    )
    tip(f"business dates from {first} to {last}; `--since` looks further back")
    tip(f"next: landbridge quarantine show {found[0][0].slot}")


def show(
    what: Annotated[
        str, typer.Argument(metavar="SLOT", help="A slot (flights/2026-11-20), or a feed (its newest slot).")
    ],
    environment: EnvironmentOption = "",
    project: ProjectFolder = HERE,
    twin: TwinOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show what a quarantined file broke: the rules, how often, the first failing rows, and where its bytes are.

    Values of columns that are classified as personal are masked, as everywhere.

    Example: landbridge quarantine show flights/2026-11-20 --twin
    """
    declaration = wiring.declaration(project)
    place = wiring.environment_of(declaration, environment)
    evidence = wiring.evidence(declaration, place, twin=twin)
    history = commitments_of(what, declaration, place, evidence, wiring.now())
    found = list(breaches(history))
    if not found:
        raise UsageError(
            f"{history[-1].slot} was never in quarantine",
            seen=f"revision {history[-1].revision}: {history[-1].verdict}",
            hint="see `landbridge quarantine list --all`",
        )
    breach, after = found[-1]
    kept = _is_kept(breach, evidence)
    if as_json:
        print_json({**_plain(breach, after), "kept": kept, "report": breach.report})
        return
    print_pairs(
        f"{breach.slot} revision {breach.revision} broke its contract",
        {
            "since": f"{breach.committed_at:%Y-%m-%d %H:%M:%S} UTC",
            "kept at": f"{breach.staged}{'' if kept else ' (gone: reaped)'}",
            "contract": f"{breach.report.contract} {breach.report.contract_version}",
            "rows": f"{breach.report.rows:,}",
            "size": f"{counted(breach.plain.size, 'byte')}",
            "sha256": breach.plain.sha256,
            "decided": _after(after) if after else "not yet",
        },
    )
    print_rules(breach.report)
    if after is None:
        tip(
            f"next, once the source or the contract is mended: landbridge redrive {breach.slot} --reason ...\n"
            f"  or, as it is: landbridge quarantine release {breach.slot} --reason ...\n"
            f"  or never: landbridge quarantine reject {breach.slot} --reason ..."
        )


def breaches(history: Sequence[Commitment]) -> Iterator[tuple[Commitment, Commitment | None]]:
    """Give each quarantined revision with the decision that came after it, if any."""
    for one, following in pairwise((*history, None)):
        if one is not None and one.verdict is Verdict.QUARANTINE:
            yield one, following


def _is_kept(breach: Commitment, evidence: Evidence) -> bool:
    return evidence.store_of(breach.staged).head(breach.staged.key) is not None


def _broken(breach: Commitment) -> list[str]:
    return [f"{rule.rule} {rule.column}".strip() for rule in breach.report.rules if not rule.passed]


def _after(after: Commitment) -> str:
    kept = after.verdict is Verdict.RELEASE and not after.report.passed
    did = (
        "released"
        if kept
        else {Verdict.REJECT: "rejected", Verdict.WAIVE: "waived"}.get(after.verdict, "made anew")
    )
    return f"{did} by {after.actor} at {after.committed_at:%Y-%m-%d %H:%M} UTC: {after.reason}"


def _plain(breach: Commitment, after: Commitment | None) -> dict[str, object]:
    return {
        "slot": str(breach.slot),
        "feed": breach.slot.feed,
        "business_date": breach.slot.business_date,
        "revision": breach.revision,
        "quarantined_at": breach.committed_at,
        "kept_at": str(breach.staged),
        "rows": breach.report.rows,
        "size": breach.plain.size,
        "sha256": breach.plain.sha256,
        "broken": _broken(breach),
        "decided": {
            "revision": after.revision,
            "verdict": after.verdict,
            "actor": after.actor,
            "reason": after.reason,
            "at": after.committed_at,
        }
        if after
        else None,
    }
