"""`landbridge explain`: the whole plan of a slot, without doing anything."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from landbridge import wiring
from landbridge.cli import explanation
from landbridge.cli.options import HERE, DateOption, EnvironmentOption, JsonOption, ProjectFolder
from landbridge.cli.output import out, print_json, print_pairs, print_table
from landbridge.contract import odcs
from landbridge.declare import load
from landbridge.project import place as place_of
from landbridge.schedule import next_slots
from landbridge.wiring import choice

if TYPE_CHECKING:
    from landbridge.cli.explanation import Explanation
    from landbridge.facts import Slot
    from landbridge.feed import Feed
    from landbridge.project import Declaration


def explain(
    feed: Annotated[str, typer.Argument(help="Name of the feed.")],
    date: DateOption = "",
    environment: EnvironmentOption = "",
    project: ProjectFolder = HERE,
    as_json: JsonOption = False,
) -> None:
    """Show the whole plan of a slot without doing anything: names, keys, sources, checks, deadline, next slots.

    Without a date it is the next slot. Connects to nothing and resolves no secret; the revision shown is the first.

    Example: landbridge explain verifications --date 2026-11-20 --project examples/eidv
    """
    declaration = load(project, only=feed)
    place = place_of(declaration.project, wiring.environment_of(declaration, environment))
    declared = choice.feed_of(declaration, feed, place.environment)
    slot = _slot(declaration, declared, date)
    contract = odcs.load(project / declared.contract.file, declared.contract.schema_object)
    plan = explanation.explain(declared, slot, place, choice.calendar(declaration, declared), contract)
    if as_json:
        print_json(plan)
    else:
        _print(plan)


def _slot(declaration: Declaration, feed: Feed, wanted: str) -> Slot:
    if not wanted:
        coming = next(next_slots(feed, choice.calendar(declaration, feed), wiring.now()), None)
        if coming is not None:
            return coming
    return wiring.slot_of(declaration, feed, wanted)


def _print(found: Explanation) -> None:
    plan = found.plan
    print_pairs(
        f"{plan.slot}, revision {plan.revision}, in {plan.environment}",
        _present(
            {
                "title": found.title,
                "about": found.description,
                "owner": found.owner,
                "business date": plan.slot.business_date.isoformat(),
                "scheduled": found.scheduled,
                "waits for": found.readiness,
                "deadline": found.deadline,
                "zero rows": plan.empty,
                "order": ", ".join(found.order_by),
            }
        ),
    )
    print_pairs(
        "\nnames",
        _present(
            {
                "remote key": plan.target.key,
                "on the share": plan.target.landed_name,
                "done-file": plan.target.done_name,
                "also to": ", ".join(plan.also_to),
                "commitment": plan.commitment_key,
                "manifest": plan.manifest_key,
                "receipt": plan.receipt_key,
            }
        ),
    )
    settings = ", ".join(f"{key} {_shown(value)}" for key, value in found.format.items() if key != "kind")
    inside = plan.format + (f" ({settings})" if settings else "")
    print_pairs(
        "\nfile",
        _present(
            {
                "format": inside,
                "compression": plan.compression,
                "encrypted": "OpenPGP" if plan.encrypted else "",
            }
        ),
    )
    _print_tables(found)
    print_pairs("\nplan", {"digest": plan.digest})


def _print_tables(found: Explanation) -> None:
    out().print()
    rows = [
        (
            each.name,
            each.kind,
            each.asks,
            ", ".join(f"{name}={value}" for name, value in each.parameters.items()),
        )
        for each in found.sources
    ]
    print_table("sources", ("source", "kind", "asks", "with"), rows)
    if found.transform:
        print_pairs("\ntransform", {"query": " ".join(found.transform.split())})
    out().print()
    checks = [(each.rule, each.column, each.promise) for each in found.checks]
    print_table(f"contract {found.contract}", ("rule", "column", "promise"), checks)
    out().print()
    if not found.next:
        out().print("no further slots: the schedule has ended")
        return
    moments = [
        (each.occurrence or "-", each.local, each.utc, each.deadline, each.note) for each in found.next
    ]
    print_table("next slots", ("slot", "local time", "UTC", "deadline", ""), moments)


def _shown(value: object) -> str:
    """Write a setting of the format in one line; a leading or trailing record by its fields."""
    if isinstance(value, dict) and list(value) == ["fields"]:
        value = value["fields"]
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _present(pairs: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in pairs.items() if value}
