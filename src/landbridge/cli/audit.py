"""`landbridge audit`: all slots of a period, for an auditor."""

from __future__ import annotations

import csv
import io
import sys
from collections import Counter
from dataclasses import asdict, fields
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, assert_never

import typer

from landbridge import wiring
from landbridge.audit import Proof, Row
from landbridge.audit import audit as audited
from landbridge.cli.options import HERE, EnvironmentOption, JsonOption, ProjectFolder, TwinOption, day_of
from landbridge.cli.output import out, print_json, print_table, progress
from landbridge.counted import counted
from landbridge.errors import Exit, UsageError
from landbridge.facts import SlotState, Verdict
from landbridge.survey import survey
from landbridge.wiring import choice

if TYPE_CHECKING:
    from collections.abc import Sequence

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would run. Source: OWASP, "CSV Injection"."""


class Form(StrEnum):
    """How the rows are printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def audit(
    since: Annotated[str, typer.Option("--from", help="First business date.")],
    until: Annotated[str, typer.Option("--to", help="Last business date.")],
    feed: Annotated[str, typer.Option("--feed", "-f", help="Only this feed.")] = "",
    form: Annotated[Form, typer.Option("--format", help="How the rows are printed.")] = Form.TABLE,
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Exit 65 when a slot is late, missing or quarantined; 76 when evidence does not hold.",
        ),
    ] = False,
    environment: EnvironmentOption = "",
    project: ProjectFolder = HERE,
    twin: TwinOption = False,
    as_json: JsonOption = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV on standard output.")] = False,
) -> int:
    """List all slots of a period with end state, lateness, who decided and why, digests, receipt and evidence.

    Example: landbridge audit --from 2026-11-01 --to 2026-11-30 --csv
    """
    form = _form(form, as_json=as_json, as_csv=as_csv)
    first, last = day_of(since, "--from"), day_of(until, "--to")
    if first > last:
        raise UsageError(f"`--from {first}` is after `--to {last}`")
    declaration = wiring.declaration(project)
    place = wiring.environment_of(declaration, environment)
    feeds = choice.feeds_in(declaration, place)
    feeds = [choice.feed_of(declaration, feed, place)] if feed else feeds
    evidence = wiring.evidence(declaration, place, twin=twin)
    with progress(quiet=form is not Form.TABLE) as bars:
        bars.start("reading the ledger", None, "")
        seen = survey(declaration.project, feeds, first, last, evidence, wiring.now())
        rows = audited(seen, evidence)
        bars.finish("reading the ledger")
    match form:
        case Form.JSON:
            print_json(rows)
        case Form.CSV:
            _csv(rows)
        case Form.TABLE:
            _table(f"{declaration.project.project} {place}, {first} to {last}", rows)
        case _:
            assert_never(form)
    if check and any(row.evidence is Proof.BROKEN for row in rows):
        return Exit.INTEGRITY
    return Exit.DATA if check and any(one.alarming for one in seen) else Exit.DONE


def _form(form: Form, *, as_json: bool, as_csv: bool) -> Form:
    asked = {one for one, wanted in ((Form.JSON, as_json), (Form.CSV, as_csv)) if wanted}
    asked |= {form} - {Form.TABLE}
    if len(asked) > 1:
        raise UsageError("the rows are printed in one format", expected="one of --format, --json, --csv")
    return asked.pop() if asked else form


def _csv(rows: Sequence[Row]) -> None:
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")  # a program reads it, whatever a terminal here would show
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow([each.name for each in fields(Row)])
    writer.writerows([_cell(value) for value in asdict(row).values()] for row in rows)


def _cell(value: object) -> str:
    """Write a value as text; what a person typed is kept from running in a spreadsheet."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case datetime() | date():
            return value.isoformat()
        case str():
            return f"'{value}" if value.startswith(_FORMULA) else value
        case _:
            return str(value)


def _table(title: str, rows: Sequence[Row]) -> None:
    print_table(
        title,
        ("slot", "state", "rev", "decided", "by", "reason", "rows", "sha256", "landed", "evidence"),
        (
            (
                row.slot,
                f"{row.state} late" if row.late else row.state.value,
                f"{row.revision or ''}",
                _moment(row.decided_at),
                row.actor,
                _why(row),
                f"{row.rows:,}" if row.rows is not None else "",
                row.sha256[:12],
                _moment(row.landed_at),
                f"{row.evidence}: {row.doubt}" if row.doubt else row.evidence.value,
            )
            for row in rows
        ),
    )
    states = Counter(row.state for row in rows)
    proofs = Counter(row.evidence for row in rows)
    out().print(
        f"{counted(len(rows), 'slot')}: {', '.join(f'{count} {state}' for state, count in states.items()) or 'none'}; "
        f"{sum(row.late for row in rows)} late; "
        f"evidence: {', '.join(f'{count} {proof}' for proof, count in proofs.items()) or 'none'}",
        style="dim",
    )


def _why(row: Row) -> str:
    """Say what a person decided, or why no run came to its end, in the words of `landbridge status`."""
    if row.failed_at:
        return f"{row.failed_step} failed, exit code {row.failed_exit}: {row.failed_reason}"
    match row.verdict:
        case Verdict.RELEASE if row.contract_met is False:
            return f"released from quarantine: {row.reason}"
        case Verdict.REJECT:
            what = "correction rejected" if row.state is SlotState.DELIVERED else "rejected"
            return f"{what}: {row.reason}"
        case _:
            return row.reason


def _moment(instant: datetime | None) -> str:
    return f"{instant:%Y-%m-%d %H:%M}Z" if instant else ""
