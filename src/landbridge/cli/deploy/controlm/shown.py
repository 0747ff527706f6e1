"""How are differences, progress and the state of Control-M shown to a person or a pipeline?"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.text import Text

from landbridge.cli.output import err, out, print_table
from landbridge.deploy.controlm.api.given import FOLDERS
from landbridge.deploy.controlm.endings import EXPECTED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from landbridge.deploy.controlm.api.calls import Tested
    from landbridge.deploy.controlm.api.difference import KeyChange, Part
    from landbridge.deploy.controlm.api.planning import Plan, Step
    from landbridge.deploy.controlm.api.reading import Reading

_SIGNS = {"Add": ("+", "green"), "Modify": ("~", "yellow"), "Remove": ("-", "red")}
_OUTCOMES = {"passed": "green", "failed": "bold red", "unclear": "yellow", "no answer": "red"}
_LONGEST = 160
"""Characters of a value that are shown."""


def teller(*, quiet: bool) -> Callable[[str], None]:
    """Give what tells on standard error what is being done, one line each."""
    console = err()
    console.quiet = quiet
    return lambda text: console.print(Text(text, style="dim"), soft_wrap=True)


def print_plan(plan: Plan) -> None:
    """Print a plan: profile by profile, job by job, key by key."""
    console = out()
    console.print(Text(f"{plan.given.environment}: Control-M/Server {plan.given.server}", style="bold"))
    for step, words in ((plan.profiles, "connection profiles"), (plan.folder, "folders and calendars")):
        console.print(Text.assemble((step.document.file, "bold"), f"  {words}: {_counted(step)}"))
        for line in _lines(step):
            console.print(line, highlight=False)
    console.print(Text(f"plan {plan.digest}", style="dim"))


def _counted(step: Step) -> str:
    counts: dict[str, int] = {}
    for part in step.changes:
        word = part.action.lower()
        counts[word] = counts.get(word, 0) + 1
    return ", ".join(f"{count} to {word}" for word, count in sorted(counts.items())) or "as declared"


def _lines(step: Step) -> Iterator[Text]:
    for part in step.parts:
        if part.action != "None":
            sign, style = _SIGNS[part.action]
            line = Text(f"  {sign} {part.name}", style=style)
            line.append(f"  {part.kind}", style="dim")
            if part.action == "Remove":
                line.append("  is deleted", style="bold red")
            yield line
        yield from (Text(f"      {_key(one)}") for one in part.keys)
        yield from (
            Text(f"      {part.name}: Control-M keeps {_key(one)}", style="yellow") for one in part.kept
        )


def _key(one: KeyChange) -> str:
    if one.before is None:
        return f"{one.path}: + {_value(one.after)}"
    if one.after is None:
        return f"{one.path}: - {_value(one.before)}"
    return f"{one.path}: {_value(one.before)} -> {_value(one.after)}"


def _value(value: str | None) -> str:
    text = repr(value or "")
    return text if len(text) <= _LONGEST else text[:_LONGEST] + " ..."


def plan_document(plan: Plan) -> dict[str, object]:
    """Give a plan as JSON."""
    return {
        "environment": plan.given.environment,
        "server": plan.given.server,
        "digest": plan.digest,
        "changes": bool(plan.profiles.changes or plan.folder.changes),
        "profiles": [_part(part) for part in plan.profiles.parts],
        "folder": [_part(part) for part in plan.folder.parts],
    }


def _part(part: Part) -> dict[str, object]:
    return {**asdict(part), "action": part.action.lower()}


def print_tested(one: Tested) -> None:
    """Print what came of one test of a profile."""
    style = _OUTCOMES[one.outcome]
    err().print(
        Text.assemble((f"  {one.outcome}", style), f"  {one.profile} on {one.agent}: {one.words}"),
        soft_wrap=True,
    )


def print_reading(reading: Reading) -> None:
    """Print how everything stands: definitions, agents, and whether they connect."""
    plan = reading.plan
    rows = [
        (part.name, part.kind, _stands(part)) for step in (plan.profiles, plan.folder) for part in step.parts
    ]
    print_table(
        f"{plan.given.environment}: Control-M/Server {plan.given.server}",
        ("definition", "type", "in Control-M"),
        rows,
    )
    for step in (plan.profiles, plan.folder):
        for part in step.parts:
            for one in part.keys:
                out().print(Text(f"{part.name}: {_key(one)}", style="yellow"), highlight=False)
            for one in part.kept:
                out().print(Text(f"{part.name}: Control-M keeps {_key(one)}", style="dim"), highlight=False)
    print_table(
        "",
        ("agent", "state", "version", *plan.given.profiles.definitions),
        [
            (agent.name, agent.state, agent.version, *_tests_of(agent.name, plan, reading.tests))
            for agent in reading.agents
        ],
    )
    for tested in reading.tests:
        if tested.outcome != "passed":
            print_tested(tested)
    for ending in reading.ending:
        err().print(
            Text(f"{ending.calendar}: {ending.what}; expected {EXPECTED}", style="yellow"), soft_wrap=True
        )


def _stands(part: Part) -> str:
    match part.action:
        case "Add":
            return "is not there"
        case "Remove":
            return "is not declared"
        case "Modify":
            return "differs"
        case "None":
            return "as declared"


def _tests_of(agent: str, plan: Plan, tested: Sequence[Tested]) -> tuple[Text, ...]:
    found = {one.profile: one.outcome for one in tested if one.agent == agent}
    return tuple(
        Text(found.get(profile, "not tested"), style=_OUTCOMES.get(found.get(profile, ""), "dim"))
        for profile in plan.given.profiles.definitions
    )


def reading_document(reading: Reading) -> dict[str, object]:
    """Give the state as JSON."""
    return {
        **plan_document(reading.plan),
        "well": reading.works and reading.as_declared and not reading.ending,
        "ending": [{"calendar": one.calendar, "last": one.last, "over": one.over} for one in reading.ending],
        "agents": [asdict(agent) for agent in reading.agents],
        "tests": [asdict(one) for one in reading.tests],
    }


def next_steps(plan: Plan) -> str:
    """Say what to do after a folder was deployed."""
    names = [name for name, one in plan.given.folder.definitions.items() if one["Type"] == FOLDERS]
    return (
        f"Control-M orders {', '.join(names)} from its next new day on; to run it today, order it by hand. "
        f"Look with: landbridge deploy controlm status --environment {plan.given.environment}"
    )
