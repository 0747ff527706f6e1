"""`landbridge deploy aws plan`, `apply`, `status`, `destroy`: the declared stacks in the declared account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from landbridge import wiring
from landbridge.cli.deploy import agreed
from landbridge.cli.options import HERE, EnvironmentOption, JsonOption, ProjectFolder
from landbridge.cli.output import err, out, print_json, tip
from landbridge.errors import Exit, IntegrityBroken
from landbridge.project import place as place_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from landbridge.deploy.aws.account import Account
    from landbridge.deploy.aws.planning import Step
    from landbridge.deploy.stack import Kind, Stack
    from landbridge.project import Declaration, Place

ReplaceOption = Annotated[
    list[str],
    typer.Option(
        "--replace",
        metavar="LOGICAL_ID",
        help="This server, user, bucket, key, secret or log group may be replaced or removed; may be repeated.",
        show_default=False,
    ),
]
YesDestroyOption = Annotated[
    str,
    typer.Option(
        "--yes-destroy",
        metavar="ENVIRONMENT",
        help="Confirms, where nobody can type it, that something is lost: the environment's name.",
        show_default=False,
    ),
]


@dataclass(frozen=True, slots=True)
class _Work:
    declaration: Declaration
    place: Place
    stacks: tuple[Stack, ...]
    account: Account


def plan(
    environment: EnvironmentOption = "",
    replace: ReplaceOption = [],  # noqa: B006 - typer copies it
    project: ProjectFolder = HERE,
    as_json: JsonOption = False,
) -> int:
    """Show what would change in the account, property by property.

    Leaves change sets behind, executes none. What apply would refuse ends with exit code 64.

    Example: landbridge deploy aws plan --environment PRD
    """
    from landbridge.cli.deploy.aws_shown import plan_document, print_steps, teller
    from landbridge.deploy.aws.planning import plan as look_ahead

    work = _open(project, environment)
    steps = look_ahead(work.account, work.stacks, teller(quiet=as_json))
    if as_json:
        print_json(plan_document(work.place, steps, replace))
    else:
        print_steps(work.place, steps, replace)
    _hold(steps, replace)
    return Exit.DONE


def apply(
    environment: EnvironmentOption = "",
    plan: Annotated[
        str,
        typer.Option(
            "--plan", metavar="DIGEST", help="Apply what `plan` showed under this digest, or nothing."
        ),
    ] = "",
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask; nothing guarded is lost all the same.")
    ] = False,
    replace: ReplaceOption = [],  # noqa: B006 - typer copies it
    yes_destroy: YesDestroyOption = "",
    project: ProjectFolder = HERE,
    as_json: JsonOption = False,
) -> int:
    """Make the account as declared: show, ask, execute exactly that, wait.

    May be interrupted and run again: it takes up what runs. Writes the outputs to `.landbridge/aws-ENVIRONMENT.json`.

    Example: landbridge deploy aws apply --environment PRD
    """
    from landbridge.cli.deploy.aws_shown import print_steps, teller
    from landbridge.deploy.aws.applying import Applied
    from landbridge.deploy.aws.applying import apply as carry_out
    from landbridge.deploy.aws.planning import plan as look_ahead

    work = _open(project, environment)
    tell = teller(quiet=as_json)
    changed: list[str] = []
    try:
        while True:
            steps = look_ahead(work.account, work.stacks, tell)
            if not as_json:
                print_steps(work.place, steps, replace)
            _hold(steps, replace)
            approved = _agreed(work, steps, replace, digest=plan, yes=yes, typed=yes_destroy)
            result = carry_out(work.account, work.stacks, approved, replace, tell)
            changed += result.changed
            if isinstance(result, Applied):
                return _applied(work, changed, result.outputs, as_json=as_json)
            if plan:
                raise IntegrityBroken(
                    f"{result.step.stack.name} would now change otherwise than was shown",
                    expected=f"the plan {plan}",
                    hint="the stacks before it are done; plan again and look at the rest",
                )
            err().print(f"{result.step.stack.name} would now change otherwise than was shown: look again")
    except KeyboardInterrupt:
        return _left_alone(work)


def status(
    environment: EnvironmentOption = "", project: ProjectFolder = HERE, as_json: JsonOption = False
) -> int:
    """Show how the stacks stand, and where they differ from the declaration.

    Writes the outputs as apply does. Exit code 69 when a stack is missing, busy or broken, 78 when one differs.

    Example: landbridge deploy aws status --environment PRD --json
    """
    from landbridge.cli.deploy.aws_shown import print_readings, reading_document
    from landbridge.deploy.aws.reading import read

    work = _open(project, environment)
    readings = read(work.account, work.stacks)
    there = all(each.standing.condition == "settled" for each in readings)
    file = ""
    if there:
        file = _save(work, {each.stack.kind: each.standing.outputs for each in readings})
    if as_json:
        print_json(reading_document(work.place, readings, file))
    else:
        print_readings(work.place, readings, file)
    if not there:
        return Exit.UNAVAILABLE
    return Exit.DONE if all(each.well for each in readings) else Exit.DECLARATION


def destroy(
    environment: EnvironmentOption = "",
    yes_destroy: YesDestroyOption = "",
    project: ProjectFolder = HERE,
    as_json: JsonOption = False,
) -> int:
    """Delete the stacks, the last one first; buckets, keys, secrets and logs are kept.

    Asks for the environment's name. A bucket that holds data is never deleted.

    Example: landbridge deploy aws destroy --environment DEV
    """
    from landbridge.cli.deploy.aws_shown import print_demolition, teller
    from landbridge.deploy.aws.destroying import destroy as carry_out
    from landbridge.deploy.aws.destroying import survey
    from landbridge.deploy.outputs import forget

    work = _open(project, environment)
    tell = teller(quiet=as_json)
    try:
        demolition = survey(work.account, work.stacks, tell)
        if not as_json:
            print_demolition(work.place, demolition)
        if demolition.stacks:
            agreed.by_name(work.place.environment, "deletes these stacks", yes_destroy)
            carry_out(work.account, demolition, tell)
    except KeyboardInterrupt:
        return _left_alone(work)
    forget(work.declaration.folder, work.place.environment)
    if as_json:
        print_json(demolition)
    elif demolition.stacks:
        err().print("deleted", style="green")
    return Exit.DONE


def _open(project: ProjectFolder, environment: str) -> _Work:
    from landbridge.deploy.cloudformation import stacks

    declaration = wiring.declaration(project)
    place = place_of(declaration.project, wiring.environment_of(declaration, environment))
    rendered = stacks(declaration, place.environment)
    account = wiring.aws_account(declaration, place.environment)
    account.prove()
    return _Work(declaration, place, rendered, account)


def _hold(steps: Sequence[Step], replace: Sequence[str]) -> None:
    from landbridge.deploy.aws import guard
    from landbridge.deploy.aws.planning import Shown

    for step in steps:
        if isinstance(step, Shown):
            guard.hold(step.stack.name, step.change_set.changes, replace)


def _agreed(
    work: _Work, steps: Sequence[Step], replace: Sequence[str], *, digest: str, yes: bool, typed: str
) -> Mapping[str, str]:
    """Give the digest of each step that somebody has agreed to.

    Raises:
        UsageError: nobody did.
        IntegrityBroken: the plan is not the one that was agreed to.
    """
    from landbridge.deploy.aws import guard
    from landbridge.deploy.aws.planning import Shown, Unchanged
    from landbridge.deploy.aws.planning import digest as digest_of

    approved = {step.stack.name: step.digest for step in steps}
    needed = [step for step in steps if not isinstance(step, Unchanged)]
    if digest:
        parts = digest.split("-")
        asked = dict(zip(approved, parts, strict=False)) if len(parts) == len(steps) else {}
        if any(step.digest != asked.get(step.stack.name) for step in needed):
            raise IntegrityBroken(
                "the plan is not the one that was approved, so nothing was done",
                expected=digest,
                seen=digest_of(steps),
                hint="look at it, and approve this one if it is right",
            )
    lost = [
        change.logical_id
        for step in needed
        if isinstance(step, Shown)
        for change in guard.lossy(step.change_set.changes)
        if change.logical_id in replace
    ]
    if lost:
        agreed.by_name(work.place.environment, f"replaces or removes {', '.join(lost)}", typed)
    elif needed and not digest and not yes:
        agreed.to_plan(digest_of(steps), "landbridge deploy aws plan")
    return approved


def _applied(
    work: _Work, changed: Sequence[str], outputs: Mapping[Kind, Mapping[str, str]], *, as_json: bool
) -> int:
    from landbridge.cli.deploy.aws_shown import print_outputs
    from landbridge.deploy.cloudformation.handover import fix_addresses

    file = _save(work, outputs)
    sftp = next(stack for stack in work.stacks if stack.kind == "sftp")
    new = sftp.name in changed
    command = fix_addresses(sftp, work.place.region, outputs["sftp"]["ServerId"]) if new else ""
    if as_json:
        print_json({"changed": changed, "outputs": outputs, "file": file, "fix_addresses": command})
        return Exit.DONE
    print_outputs(outputs, file)
    err().print(f"as declared; changed: {', '.join(changed) or 'nothing'}", style="green")
    if command:
        err().print(
            "next: give the endpoint its declared addresses, which CloudFormation cannot", style="dim"
        )
        out().print(command, markup=False, highlight=False, soft_wrap=True)
    return Exit.DONE


def _save(work: _Work, outputs: Mapping[Kind, Mapping[str, str]]) -> str:
    from landbridge.deploy.outputs import Outputs, save

    found = Outputs(
        work.place.environment,
        work.account.number,
        work.place.region,
        {stack.kind: outputs[stack.kind] for stack in work.stacks},
    )
    return str(save(work.declaration.folder, found))


def _left_alone(work: _Work) -> int:
    again = f"landbridge deploy aws status --environment {work.place.environment}"
    tip(f"\nleft alone: AWS finishes what it has begun. To look: {again}")
    return Exit.INTERRUPTED
