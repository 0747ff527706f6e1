"""`landbridge deploy controlm plan`, `apply`, `status`: the rendered definitions in the declared Control-M."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from landbridge import wiring
from landbridge.cli.deploy import agreed
from landbridge.cli.options import HERE, EnvironmentOption, JsonOption, ProjectFolder
from landbridge.cli.output import err, print_json, tip
from landbridge.errors import Exit, IntegrityBroken, Unavailable, UsageError
from landbridge.project import place as place_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from landbridge.deploy.controlm.api.calls import AutomationApi, Tested
    from landbridge.deploy.controlm.api.given import Given
    from landbridge.deploy.controlm.api.planning import Plan, Step
    from landbridge.project import Declaration

RenderedOption = Annotated[
    Path | None,
    typer.Option(
        "--rendered",
        metavar="FOLDER",
        help="Take `profiles.json` and `folder.json` of this folder, as they were reviewed, instead of rendering now.",
        exists=True,
        file_okay=False,
    ),
]
SftpHostOption = Annotated[
    str, typer.Option("--sftp-host", help="Name of the private endpoint, in place of `sftp.host`.")
]


@dataclass(frozen=True, slots=True)
class _Work:
    declaration: Declaration
    given: Given
    record: Path


def plan(
    environment: EnvironmentOption = "",
    rendered: RenderedOption = None,
    sftp_host: SftpHostOption = "",
    project: ProjectFolder = HERE,
    as_json: JsonOption = False,
) -> int:
    """Show what would change in Control-M, job by job and key by key.

    Changes nothing. Exit code 0 with or without differences.

    Example: landbridge deploy controlm plan --environment PRD
    """
    from landbridge.cli.deploy.controlm.render import ending, warn
    from landbridge.cli.deploy.controlm.shown import plan_document, print_plan, teller
    from landbridge.deploy.controlm.api.planning import plan as look_ahead
    from landbridge.deploy.controlm.api.record import load

    work = _work(project, environment, rendered, sftp_host)
    warn(ending(work.given.folder.definitions))
    with wiring.controlm(work.declaration, work.given.environment, tell=teller(quiet=as_json)) as api:
        found = look_ahead(api, work.given, load(work.record))
    if as_json:
        print_json(plan_document(found))
    else:
        print_plan(found)
    return Exit.DONE


def apply(
    environment: EnvironmentOption = "",
    profiles: Annotated[
        bool,
        typer.Option(
            "--profiles",
            help="Deploy the connection profiles instead of the folder: rarer, and a right of its own.",
        ),
    ] = False,
    again: Annotated[
        bool,
        typer.Option(
            "--again", help="Deploy also where nothing differs: a changed secret cannot be seen from here."
        ),
    ] = False,
    plan: Annotated[
        str,
        typer.Option(
            "--plan", metavar="DIGEST", help="Apply what `plan` showed under this digest, or nothing."
        ),
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; no job is deleted all the same.")] = False,
    yes_destroy: Annotated[
        str,
        typer.Option(
            "--yes-destroy",
            metavar="ENVIRONMENT",
            help="Confirms, where nobody can type it, that jobs are deleted: the environment's name.",
            show_default=False,
        ),
    ] = "",
    rendered: RenderedOption = None,
    sftp_host: SftpHostOption = "",
    project: ProjectFolder = HERE,
    as_json: JsonOption = False,
) -> int:
    """Make Control-M as declared: show, ask, validate, deploy, wait, and have every agent connect.

    Two steps with two rights: `--profiles` first, then the folder. May be interrupted and run again.
    Exit code 69 when an agent fails to connect, 78 when Control-M refuses a definition.

    Example: landbridge deploy controlm apply --environment PRD
    """
    from landbridge.cli.deploy.controlm.render import ending, warn
    from landbridge.cli.deploy.controlm.shown import teller

    work = _work(project, environment, rendered, sftp_host)
    warn(ending(work.given.folder.definitions))
    tell = teller(quiet=as_json)
    agree = _Agreement(profiles, again, plan, yes, yes_destroy)
    try:
        with wiring.controlm(work.declaration, work.given.environment, tell=tell) as api:
            return _apply(work, api, agree, tell, as_json=as_json)
    except KeyboardInterrupt:
        look = f"landbridge deploy controlm status --environment {work.given.environment}"
        tip(f"\nleft alone: Control-M finishes what it has begun. To look: {look}")
        return Exit.INTERRUPTED


def status(
    environment: EnvironmentOption = "",
    test: Annotated[
        bool, typer.Option("--test/--no-test", help="Have every agent connect with every profile.")
    ] = True,
    rendered: RenderedOption = None,
    sftp_host: SftpHostOption = "",
    project: ProjectFolder = HERE,
    as_json: JsonOption = False,
) -> int:
    """Show what is in Control-M, where it differs from the declaration, whether every agent connects, and what ends soon.

    Exit code 69 when something is missing, an agent is away or fails to connect, 78 when a definition differs or a
    regular calendar has less than six months left: its jobs would stop without an alarm.

    Example: landbridge deploy controlm status --environment PRD --json
    """
    from landbridge.cli.deploy.controlm.shown import print_reading, reading_document, teller
    from landbridge.deploy.controlm.api.reading import read
    from landbridge.deploy.controlm.api.record import load

    work = _work(project, environment, rendered, sftp_host)
    tell = teller(quiet=as_json)
    with wiring.controlm(work.declaration, work.given.environment, tell=tell) as api:
        today = wiring.now().date()
        reading = read(api, work.given, load(work.record), tell, today=today, test=test)
    if as_json:
        print_json(reading_document(reading))
    else:
        print_reading(reading)
    if not reading.works:
        return Exit.UNAVAILABLE
    return Exit.DONE if reading.as_declared and not reading.ending else Exit.DECLARATION


@dataclass(frozen=True, slots=True)
class _Agreement:
    """What was asked for on the command line, and what is agreed to already."""

    profiles: bool
    again: bool
    digest: str
    yes: bool
    typed: str

    def step(self, plan: Plan) -> Step:
        """Give the step that is asked for."""
        return plan.profiles if self.profiles else plan.folder


def _work(project: Path, environment: str, rendered: Path | None, sftp_host: str) -> _Work:
    from landbridge.cli.deploy.controlm.render import warn
    from landbridge.deploy.controlm.api import given
    from landbridge.deploy.controlm.api.record import record_file
    from landbridge.deploy.controlm.render import render
    from landbridge.deploy.controlm.setting import setting

    declaration = wiring.declaration(project)
    place = place_of(declaration.project, wiring.environment_of(declaration, environment))
    if place.controlm is None:
        raise UsageError(
            f"{place.environment} has no Control-M",
            expected="`controlm` in landbridge.yaml, for the project or for this environment",
        )
    if rendered is None:
        made = render(declaration, place.environment, sftp_host=sftp_host)
        warn(made.warnings)
        files = made.files
    else:
        files = given.read(rendered)
    found = given.given(setting(place, place.controlm), files)
    return _Work(declaration, found, record_file(declaration.folder, place.environment))


def _apply(
    work: _Work, api: AutomationApi, agree: _Agreement, tell: Callable[[str], None], *, as_json: bool
) -> int:
    from landbridge.cli.deploy.controlm.shown import print_plan
    from landbridge.deploy.controlm.api.planning import plan as look_ahead
    from landbridge.deploy.controlm.api.record import load

    shown = ""
    while True:
        found = look_ahead(api, work.given, load(work.record))
        step = agree.step(found)
        if step.digest == shown:
            break
        if shown:
            err().print("Control-M has changed since this was shown: look again")
        if not as_json:
            print_plan(found)
        _hold(found, agree)
        shown = step.digest
        if not (step.changes or agree.again):
            break
        if not _agreed(work, found, agree):
            break
    return _carry_out(work, api, agree, found, tell, as_json=as_json)


def _hold(found: Plan, agree: _Agreement) -> None:
    """Refuse what makes no sense, or is not what was approved.

    Raises:
        UsageError: the folder would name a profile that does not exist.
        IntegrityBroken: the plan is not the approved one.
    """
    if found.profiles.missing and not agree.profiles:
        raise UsageError(
            "the connection profiles of these jobs do not exist yet",
            expected=", ".join(found.profiles.missing),
            hint=f"first: landbridge deploy controlm apply --profiles --environment {found.given.environment}",
        )
    step = agree.step(found)
    if agree.digest and step.changes and step.digest not in agree.digest.split("-"):
        raise IntegrityBroken(
            "the plan is not the one that was approved, so nothing was done",
            expected=agree.digest,
            seen=found.digest,
            hint="look at it, and approve this one if it is right",
        )


def _agreed(work: _Work, found: Plan, agree: _Agreement) -> bool:
    """Have somebody agree; True when time went by meanwhile, so that it is worth a second look.

    Raises:
        UsageError: nobody did.
    """
    removed = agree.step(found).removed
    if removed:
        return agreed.by_name(work.given.environment, f"deletes {', '.join(removed)}", agree.typed)
    if agree.yes or agree.digest:
        return False
    agreed.to_plan(found.digest, "landbridge deploy controlm plan")
    return True


def _carry_out(
    work: _Work,
    api: AutomationApi,
    agree: _Agreement,
    found: Plan,
    tell: Callable[[str], None],
    *,
    as_json: bool,
) -> int:
    from landbridge.cli.deploy.controlm.shown import next_steps, print_tested
    from landbridge.deploy.controlm.api.applying import deploy, tests
    from landbridge.deploy.controlm.api.planning import look_at_folder, look_at_profiles
    from landbridge.deploy.controlm.api.reading import connects
    from landbridge.deploy.controlm.api.record import learn, load, save

    step = agree.step(found)
    changed = [part.name for part in step.changes] or (list(step.document.definitions) if agree.again else [])
    if changed:
        look = look_at_profiles if agree.profiles else look_at_folder
        shown = deploy(api, work.given, step.document, look, wiring.pause, tell)
        save(work.record, learn(load(work.record), shown.parts))
    tested: list[Tested] = []
    for one in tests(api, work.given, tell):
        tested.append(one)
        if not as_json:
            print_tested(one)
    if as_json:
        print_json({"changed": changed, "tests": tested})
    else:
        err().print(f"deployed; changed: {', '.join(changed) or 'nothing'}", style="green", markup=False)
    if not connects(tuple(tested)):
        raise _unconnected(tested)
    if found.profiles.changes and not agree.profiles:
        names = ", ".join(part.name for part in found.profiles.changes)
        err().print(f"connection profiles differ ({names}): `apply --profiles` deploys them", style="yellow")
        return Exit.DECLARATION
    if not as_json:
        environment = work.given.environment
        step_two = f"landbridge deploy controlm apply --environment {environment}"
        pending = agree.profiles and found.folder.changes
        tip(f"next: {step_two if pending else next_steps(found)}")
    return Exit.DONE


def _unconnected(tested: list[Tested]) -> Unavailable:
    bad = [one for one in tested if one.outcome in {"failed", "no answer"}]
    return Unavailable(
        "deployed, but not every agent connects",
        expected="every profile to connect from every agent",
        seen="; ".join(f"{one.profile} on {one.agent}: {one.words}" for one in bad),
        hint="on that agent: is the key there (`landbridge keys status`), is the SSH host authorised, is the way through the "
        "firewall open? Then: landbridge deploy controlm status",
    )
