"""What is the whole plan of a slot, in words? Data only; nothing is connected to, no secret is resolved."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, assert_never
from zoneinfo import ZoneInfo

from landbridge.contract.checks import CountCheck, KeyCheck, RowCheck, SqlCheck, TotalCheck
from landbridge.declare.mistakes import is_sensitive
from landbridge.feed.inputs import FilesSource, PythonSource, RestReady, RestSource, SqlReady, SqlSource
from landbridge.feed.words import duration_text, is_reference
from landbridge.naming import render
from landbridge.plan import plan
from landbridge.schedule import firings, next_slots

if TYPE_CHECKING:
    from collections.abc import Mapping

    from landbridge.contract.checks import Check, Contract
    from landbridge.facts import Slot
    from landbridge.feed import Feed
    from landbridge.feed.inputs import SourceDeclared
    from landbridge.plan import Plan
    from landbridge.project import Place
    from landbridge.schedule import Calendar

_NEXT = 5


@dataclass(frozen=True, slots=True)
class Asked:
    """One source as this slot would ask it; references stay references."""

    name: str
    kind: str
    asks: str
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Checked:
    """One rule of the contract, or of a column's form."""

    rule: str
    column: str
    promise: str


@dataclass(frozen=True, slots=True)
class Moment:
    """One firing of the schedule: a slot, or the reason why there is none."""

    local: str
    utc: str
    occurrence: str
    business_date: str
    deadline: str
    note: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything about one slot that is known before it runs; its first revision, as offline nobody knows of others."""

    plan: Plan
    title: str
    description: str
    owner: str
    scheduled: str
    deadline: str
    readiness: str
    sources: tuple[Asked, ...]
    transform: str
    order_by: tuple[str, ...]
    format: Mapping[str, object]
    contract: str
    checks: tuple[Checked, ...]
    next: tuple[Moment, ...]


def explain(feed: Feed, slot: Slot, place: Place, calendar: Calendar, contract: Contract) -> Explanation:
    """Work out the plan of a slot.

    Raises:
        UsageError: a template of the feed cannot be filled for this slot.
    """
    zone = ZoneInfo(feed.schedule.time_zone)
    return Explanation(
        plan=plan(feed, slot, environment=place.environment, variables=place.variables),
        title=feed.title,
        description=" ".join(feed.description.split()),
        owner=feed.owner,
        scheduled=_both(slot.scheduled_at, zone),
        deadline=_both(slot.deadline, zone) if slot.deadline else "",
        readiness=_readiness(feed),
        sources=tuple(_asked(name, source, slot, place) for name, source in feed.sources.items()),
        transform=(feed.transform or "").strip(),
        order_by=feed.order_by,
        format=feed.file.format.model_dump(mode="json", exclude_defaults=True)
        | {"kind": feed.file.format.kind},
        contract=f"{contract.name} {contract.version}".strip(),
        checks=(*_forms(contract), *(_checked(check) for check in contract.checks)),
        next=tuple(_moments(feed, slot, calendar)),
    )


def _both(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%a %Y-%m-%d %H:%M %Z} ({at.astimezone(UTC):%Y-%m-%d %H:%M} UTC)"


def _readiness(feed: Feed) -> str:
    ready = feed.schedule.ready
    if ready is None:
        return ""
    match ready.signal:
        case SqlReady(url=url):
            signal = f"a query on {url}"
        case RestReady(url=url, path=path, equals=equals):
            signal = url + (f", `{path}`" if path else "") + (f" equals {equals}" if equals else "")
        case file_ready:
            signal = file_ready.path
    limit = f"for at most {duration_text(ready.limit)}" if ready.limit else f"until {ready.until}"
    return f"{signal}; asked every {duration_text(ready.every)}, {limit}"


def _asked(name: str, source: SourceDeclared, slot: Slot, place: Place) -> Asked:
    def fill(template: str) -> str:
        if is_reference(template):
            return template
        return render(template, slot, environment=place.environment, variables=place.variables)

    def fill_all(templates: Mapping[str, str]) -> dict[str, str]:
        return {key: "***" if is_sensitive((key,)) else fill(value) for key, value in templates.items()}

    match source:
        case RestSource():
            asks = f"{source.method} {fill(source.url)}" + (f" + {fill(source.path)}" if source.path else "")
            return Asked(name, source.kind, asks, fill_all(source.parameters) | fill_all(source.body or {}))
        case SqlSource():
            bound = {
                "business_date": slot.business_date.isoformat(),
                "scheduled_at": slot.scheduled_at.isoformat(),
            }
            asks = f"{fill(source.url)}: {' '.join(source.query.split())}"
            return Asked(name, source.kind, asks, bound | fill_all(source.parameters))
        case FilesSource():
            return Asked(name, source.kind, fill(source.path), {})
        case PythonSource():
            return Asked(name, source.kind, source.function, fill_all(source.parameters))
        case _:
            assert_never(source)


def _forms(contract: Contract) -> list[Checked]:
    """Say the form of each column: what the strict half of the gate checks of every value."""
    forms = []
    for column in contract.columns:
        match column.kind:
            case "decimal":
                form = f"decimal({column.precision},{column.scale})"
            case "timestamp" if column.zoned:
                form = "timestamp with zone"
            case kind:
                form = kind
        more = (", required" if column.required else "") + (", personal: masked" if column.personal else "")
        forms.append(Checked("form", column.name, (column.format or form) + more))
    return forms


def _checked(check: Check) -> Checked:
    match check:
        case RowCheck(rule, column, _, promise, _, bounds):
            few = " and ".join(str(bound) for bound in bounds)
            return Checked(rule, column, promise + ("" if few == "= 0" else f" (rows that are not: {few})"))
        case KeyCheck(rule, columns):
            return Checked(rule, ", ".join(columns), "no two rows the same")
        case CountCheck(rule, bounds):
            return Checked(rule, "", "rows " + " and ".join(str(bound) for bound in bounds))
        case SqlCheck(rule, column, query, _, bounds):
            return Checked(
                rule,
                column,
                f"{' '.join(query.split())} {' and '.join(str(bound) for bound in bounds)}".strip(),
            )
        case TotalCheck(rule, record, number, measure, column):
            return Checked(
                rule, column, f"field {number} of the {record} record is the {measure} of the data"
            )
        case _:
            assert_never(check)


def _moments(feed: Feed, slot: Slot, calendar: Calendar) -> list[Moment]:
    """Give the five slots after this one, with the holidays in between that have none."""
    after = slot.scheduled_at + timedelta(seconds=1)
    coming = {each.scheduled_at: each for each in islice(next_slots(feed, calendar, after), _NEXT)}
    if not coming:
        return []
    zone = ZoneInfo(feed.schedule.time_zone)
    moments = []
    offset = slot.scheduled_at.astimezone(zone).utcoffset()
    for at in firings(feed.schedule, after, max(coming) + timedelta(seconds=1)):
        found = coming.get(at.astimezone(UTC))
        holiday = calendar.holiday_name(at.date())
        note = f"skipped: {holiday}" if found is None else holiday
        if at.utcoffset() != offset:
            offset = at.utcoffset()
            note = ", ".join(part for part in (note, f"clocks have changed to {at:%Z}") if part)
        moments.append(
            Moment(
                local=f"{at:%a %Y-%m-%d %H:%M %Z}",
                utc=f"{at.astimezone(UTC):%Y-%m-%d %H:%M}",
                occurrence=found.occurrence if found else "",
                business_date=found.business_date.isoformat() if found else "",
                deadline=f"{found.deadline.astimezone(zone):%a %Y-%m-%d %H:%M}"
                if found and found.deadline
                else "",
                note=note,
            )
        )
    return moments
