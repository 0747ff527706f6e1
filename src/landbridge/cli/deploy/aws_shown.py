"""How are plans, progress and the state of stacks shown to a person or a pipeline?"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, assert_never

from rich.text import Text

from landbridge.cli.output import err, out, print_pairs, print_table
from landbridge.deploy.aws import guard
from landbridge.deploy.aws.planning import Pending, Shown, Unchanged, digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from landbridge.deploy.aws.account import Note
    from landbridge.deploy.aws.changes import Change, PropertyChange
    from landbridge.deploy.aws.destroying import Demolition
    from landbridge.deploy.aws.planning import Step
    from landbridge.deploy.aws.reading import Reading
    from landbridge.deploy.stack import Kind
    from landbridge.project import Place

_SIGNS = {"Add": ("+", "green"), "Modify": ("~", "yellow"), "Remove": ("-", "red"), "Import": ("<", "cyan")}
_LONGEST = 160
"""Characters of a value that are shown; policies are long."""


def teller(*, quiet: bool) -> Callable[[Note], None]:
    """Give what tells notes on standard error as they come, one a line."""
    console = err()
    console.quiet = quiet

    def tell(note: Note) -> None:
        if note.event is None:
            console.print(
                Text.assemble((f"{note.stack}: ", "bold"), note.text), highlight=False, soft_wrap=True
            )
            return
        event = note.event
        failed = event.status.endswith("_FAILED")
        style = "bold red" if failed else "dim"
        words = "kept" if event.status == "DELETE_SKIPPED" else event.status.lower().replace("_", " ")
        line = f"  {words}  {event.logical_id} ({event.kind})"
        console.print(Text(line + (f": {event.reason}" if event.reason and failed else ""), style=style))

    return tell


def print_steps(place: Place, steps: Sequence[Step], named: Sequence[str]) -> None:
    """Print a plan: stack by stack, resource by resource."""
    console = out()
    account = place.aws.account if place.aws else ""
    console.print(Text(f"{place.environment}: account {account}, {place.region}", style="bold"))
    for step in steps:
        for line in _step_lines(step, named):
            console.print(line, highlight=False)
    console.print(Text(f"plan {digest(steps)}", style="dim"))


def _step_lines(step: Step, named: Sequence[str]) -> Iterator[Text]:
    name = step.stack.name
    match step:
        case Unchanged():
            yield Text.assemble((name, "bold"), "  as declared")
        case Pending():
            verb = "is created" if step.standing.condition != "settled" else "changes"
            yield Text.assemble((name, "bold"), f"  {verb} when its turn comes: {step.why}")
        case Shown():
            verb = "is created" if step.change_set.creates else "changes"
            yield Text.assemble((name, "bold"), f"  {verb}: {_counted(step.change_set.changes)}")
            if not step.change_set.creates:
                for one in step.change_set.parameters:
                    yield Text(f"  parameter {one.name}: {_value(one.before)} -> {_value(one.after)}")
            refused = guard.surprising(step.change_set.changes, named)
            for change in step.change_set.changes:
                yield from _change_lines(change, refused=change in refused)
        case _:
            assert_never(step)


def _change_lines(change: Change, *, refused: bool) -> Iterator[Text]:
    sign, style = _SIGNS.get(change.action, ("?", "yellow"))
    line = Text(f"  {sign} {change.logical_id}", style=style)
    line.append(f"  {change.kind}", style="dim")
    if change.action == "Remove" or change.replacement != "False":
        line.append(f"  {guard.fate(change)}", style="bold red")
    if refused:
        line.append(f"  refused without --replace {change.logical_id}", style="bold red")
    yield line
    for one in change.properties if change.action != "Add" else ():
        yield Text(f"      {_property(one)}")


def _property(one: PropertyChange) -> str:
    values = f": {_value(one.before)} -> {_value(one.after)}" if one.before or one.after else ""
    cause = f" (follows {one.cause})" if one.cause else ""
    makes_new = {"Always": ", makes a new one", "Conditionally": ", may make a new one"}
    return f"{one.path}{values}{cause}{makes_new.get(one.recreates, '')}"


def _value(value: str | None) -> str:
    if value is None:
        return "(not told)"
    return repr(value) if len(value) <= _LONGEST else repr(value[:_LONGEST]) + " ..."


def _counted(changes: Iterable[Change]) -> str:
    counts: dict[str, int] = {}
    for change in changes:
        word = "replace" if change.replacement == "True" else change.action.lower()
        counts[word] = counts.get(word, 0) + 1
    return ", ".join(f"{count} to {word}" for word, count in sorted(counts.items())) or "outputs only"


def plan_document(place: Place, steps: Sequence[Step], named: Sequence[str]) -> dict[str, object]:
    """Give a plan as JSON."""
    return {
        "environment": place.environment,
        "account": place.aws.account if place.aws else "",
        "region": place.region,
        "digest": digest(steps),
        "changes": any(not isinstance(step, Unchanged) for step in steps),
        "stacks": [_step_document(step, named) for step in steps],
    }


def _step_document(step: Step, named: Sequence[str]) -> dict[str, object]:
    about: dict[str, object] = {
        "stack": step.stack.name,
        "kind": step.stack.kind,
        "status": step.standing.status,
        "digest": step.digest,
    }
    match step:
        case Unchanged():
            return {**about, "action": "none"}
        case Pending():
            return {**about, "action": "pending", "why": step.why}
        case Shown():
            refused = guard.surprising(step.change_set.changes, named)
            return {
                **about,
                "action": "create" if step.change_set.creates else "update",
                "change_set": step.change_set.arn,
                "parameters": [asdict(one) for one in step.change_set.parameters],
                "resources": [asdict(change) for change in step.change_set.changes],
                "refused": [change.logical_id for change in refused],
            }
        case _:
            assert_never(step)


def print_outputs(outputs: Mapping[Kind, Mapping[str, str]], file: str) -> None:
    """Print what the account gave back, and where it is written."""
    for kind, found in outputs.items():
        print_pairs(kind, found)
    if file:
        out().print(Text(f"written to {file}", style="dim"))


def print_readings(place: Place, readings: Sequence[Reading], file: str) -> None:
    """Print how the stacks stand, why they failed, and how they differ."""
    rows = [
        (
            each.stack.name,
            each.standing.status or "is not there",
            _differs(each),
            each.standing.changed[:19],
        )
        for each in readings
    ]
    account = place.aws.account if place.aws else ""
    print_table(
        f"{place.environment}: account {account}, {place.region}",
        ("stack", "state", "declaration", "changed"),
        rows,
    )
    for each in readings:
        for difference in each.differences:
            out().print(Text(f"{each.stack.name}: {difference}", style="yellow"))
        if each.cause:
            cause = each.cause
            words = f"{each.stack.name} failed at {cause.logical_id} ({cause.kind}): {cause.reason}"
            err().print(Text(words, style="red"))
    print_outputs(
        {each.stack.kind: each.standing.outputs for each in readings if each.standing.outputs}, file
    )


def _differs(reading: Reading) -> str:
    if reading.standing.condition == "absent":
        return ""
    return "differs" if reading.differences else "as declared"


def reading_document(place: Place, readings: Sequence[Reading], file: str) -> dict[str, object]:
    """Give the state of the stacks as JSON."""
    return {
        "environment": place.environment,
        "account": place.aws.account if place.aws else "",
        "region": place.region,
        "well": all(each.well for each in readings),
        "file": file or None,
        "stacks": [
            {
                "stack": each.stack.name,
                "kind": each.stack.kind,
                "status": each.standing.status or None,
                "reason": each.standing.reason,
                "changed": each.standing.changed,
                "protected": each.standing.protected,
                "differences": each.differences,
                "cause": each.cause,
                "outputs": each.standing.outputs,
            }
            for each in readings
        ],
    }


def print_demolition(place: Place, demolition: Demolition) -> None:
    """Print what deleting the stacks deletes and what it keeps."""
    account = place.aws.account if place.aws else ""
    if not demolition.stacks:
        err().print(f"{place.environment}: there is no stack in account {account}")
        return
    rows = [
        (
            Text(one.fate, style="red" if one.fate == "deleted" else "green"),
            one.stack,
            one.logical_id,
            one.kind,
            f"{one.physical_id}{' - ' if one.why else ''}{one.why}",
        )
        for one in sorted(demolition.resources, key=lambda one: (one.fate, one.stack, one.logical_id))
    ]
    print_table(
        f"{place.environment}: account {account}, {place.region}", ("", "stack", "resource", "type", ""), rows
    )
    if any(one.fate == "kept" for one in demolition.resources):
        out().print(
            "What is kept belongs to no stack then: adopt it later (`aws.adopt`), or delete it yourself."
        )
