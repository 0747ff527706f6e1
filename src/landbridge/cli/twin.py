"""`landbridge twin`: the whole chain on this machine, with the protocol and the permissions of the real one."""

from __future__ import annotations

import shlex
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from landbridge import wiring
from landbridge.cli.options import HERE, EnvironmentOption, JsonOption, ProjectFolder, duration_of
from landbridge.cli.output import err, print_json, print_pairs, print_table, progress, tip
from landbridge.cli.pasted import pasted
from landbridge.errors import Exit, Unavailable, UsageError
from landbridge.wiring.clock import SystemClock

if TYPE_CHECKING:
    from pathlib import Path

    from landbridge.project import Declaration
    from landbridge.twin.control import Status
    from landbridge.twin.state import TwinState

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)

_GIB, _MIB = 1 << 30, 1 << 20


@app.command()
def up(
    environment: EnvironmentOption = "",
    schedule: Annotated[
        bool, typer.Option("--schedule", help="Fire slots when they are due, and collect.")
    ] = False,
    controlm: Annotated[
        bool,
        typer.Option(
            "--controlm",
            help="Execute the emitted Kubernetes manifests and Control-M folders, and nothing else.",
        ),
    ] = False,
    foreground: Annotated[bool, typer.Option("--foreground", help="Stay here until Ctrl-C.")] = False,
    project: ProjectFolder = HERE,
    as_json: JsonOption = False,
) -> int:
    """Start the twin, with the data of the last time.

    S3, STS and SFTP servers, the token issuer and the declared buckets, on this machine.

    Example: landbridge twin up --environment DEV
    """
    if schedule and controlm:
        raise UsageError(
            "two schedulers would fire the same slots", expected="either `--schedule` or `--controlm`"
        )
    declaration, place = _environment(project, environment)
    if controlm:
        _emit(declaration, place)
    if foreground:
        return _stay(declaration, place, schedule=schedule, controlm=controlm)
    from landbridge.twin.control import up as bring_up

    with progress(quiet=as_json) as bars:
        came = bring_up(declaration, place, schedule=schedule, controlm=controlm, progress=bars)
    if as_json:
        print_json({"already": came.already, "twin": came.state})
        return Exit.DONE
    if came.already:
        err().print(f"the twin of {place} is already running")
    _print_where(came.state)
    for wanted, name, option in (
        (schedule, "scheduler", "--schedule"),
        (controlm, "schedulers", "--controlm"),
    ):
        if wanted and came.already and not _has(came.state, name):
            tip(f"its {name} is not: `landbridge twin down`, then `landbridge twin up {option}`")
    return Exit.DONE


@app.command()
def down(
    environment: EnvironmentOption = "",
    wipe: Annotated[bool, typer.Option("--wipe", help="Remove its data and keys, too.")] = False,
    project: ProjectFolder = HERE,
    as_json: JsonOption = False,
) -> int:
    """Stop every process of the twin; its data stay.

    Without an environment: of all twins of the project.

    Example: landbridge twin down --wipe
    """
    from landbridge.twin.control import down as bring_down

    stopped = {folder.name: bring_down(folder, wipe=wipe) for folder in _folders(project, environment)}
    if as_json:
        print_json({"stopped": stopped, "wiped": wipe})
        return Exit.DONE
    for name, parts in stopped.items():
        what = f"stopped {', '.join(parts)}" if parts else "was not running"
        err().print(f"twin {name}: {what}" + ("; its data are gone" if wipe else ""))
    if not stopped:
        err().print("this project has no twin")
    return Exit.DONE


@app.command()
def status(
    environment: EnvironmentOption = "", project: ProjectFolder = HERE, as_json: JsonOption = False
) -> int:
    """Show what runs, where, and whether it answers.

    Exit code 69 when something is not well.

    Example: landbridge twin status --json
    """
    from landbridge.twin.control import status as look

    twins = {folder.name: look(folder) for folder in _folders(project, environment)}
    well = bool(twins) and all(seen.healthy for seen in twins.values())
    if as_json:
        print_json({"healthy": well, "twins": {name: _document(seen) for name, seen in twins.items()}})
    for name, seen in twins.items() if not as_json else ():
        _print_status(name, seen)
    if not twins and not as_json:
        tip("this project has no twin; start one with `landbridge twin up`")
    return Exit.DONE if well else Exit.UNAVAILABLE


@app.command()
def tick(
    environment: EnvironmentOption = "",
    now: Annotated[
        str, typer.Option("--now", help="The virtual time: 2026-11-20T07:00 (UTC, or with an offset).")
    ] = "",
    within: Annotated[str, typer.Option("--within", help="How far back slots count as due.")] = "24h",
    project: ProjectFolder = HERE,
    as_json: JsonOption = False,
) -> int:
    """Fire the slots that are due at a time.

    Then collect what they released; waits for all of it.

    Exit code 65 when data broke a contract, 69 when anything else failed.

    Example: landbridge twin tick --now 2026-11-20T07:00
    """
    from landbridge.twin import scheduler

    declaration, place = _environment(project, environment)
    at = _instant(now) if now else wiring.now()
    fired = scheduler.tick(
        declaration,
        wiring.twin_of(declaration, place),
        at,
        clock=SystemClock(),
        within=duration_of(within),
    )
    if as_json:
        print_json(fired)
    elif not fired:
        err().print(f"nothing was due in the {within} before {at:%Y-%m-%dT%H:%M}Z")
    else:
        rows = [(one.slot or "collect", str(one.exit), f"{one.seconds:.1f} s", one.log) for one in fired]
        print_table("", ("what", "exit", "took", "log"), rows)
    codes = {one.exit for one in fired} - {Exit.DONE}
    if not codes:
        return Exit.DONE
    return Exit.DATA if codes == {Exit.DATA} else Exit.UNAVAILABLE


def _environment(project: ProjectFolder, environment: str) -> tuple[Declaration, str]:
    declaration = wiring.declaration(project)
    return declaration, wiring.environment_of(declaration, environment)


def _folders(project: ProjectFolder, environment: str) -> list[Path]:
    """Give the folders that are meant, without reading the declaration: a twin can be stopped whatever it says now."""
    from landbridge.twin.state import folder_of, folders

    return [folder_of(project, environment)] if environment else folders(project)


def _stay(declaration: Declaration, environment: str, *, schedule: bool, controlm: bool) -> int:
    from landbridge.deploy.needs import needs
    from landbridge.twin.control import clear_remains
    from landbridge.twin.keeper import Errand, keep
    from landbridge.twin.state import load, make_folder

    folder = make_folder(declaration.folder, environment)
    clear_remains(folder)

    with ExitStack() as drawing:
        bars = drawing.enter_context(progress())

        def ready() -> None:
            drawing.close()
            _print_where(load(folder))
            err().print("Ctrl-C stops it")

        errand = Errand(
            needs(declaration, environment), folder, declaration.folder.resolve(), schedule, controlm
        )
        well = keep(errand, progress=bars, ready=ready)
    if not well:
        raise Unavailable("a part of the twin ended by itself", hint=f"see the logs in {folder}")
    err().print("stopped; its data stay")
    return Exit.DONE


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"`{text}` is no time", expected="2026-11-20T07:00, or 2026-11-20T07:00+01:00"
        ) from error
    return at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC)


def _has(twin: TwinState, name: str) -> bool:
    return any(service.name == name for service in twin.services)


def _emit(declaration: Declaration, environment: str) -> None:
    """Render what the twin is to execute; a twin that runs already keeps what it has read."""
    from landbridge.twin.emitted import emit
    from landbridge.twin.state import make_folder

    for warning in emit(declaration, environment, make_folder(declaration.folder, environment)):
        err().print(f"[yellow]warning[/] {warning}")


def _print_where(twin: TwinState) -> None:
    ground = twin.ground
    print_pairs(
        f"twin of {twin.project} {twin.environment}",
        {
            "S3, STS": twin.endpoint,
            "SFTP": f"sftp -P {ground.port} -i {shlex.quote(str(ground.private_key_file))} {ground.user}@{ground.host}",
            "share": str(ground.share),
            "role": twin.pod.role_arn,
        },
    )


def _print_status(environment: str, seen: Status) -> None:
    if seen.state is None:
        print_pairs(
            f"no twin of {environment}", {"disk": _size(seen.data), "next": pasted("landbridge twin up")}
        )
        return
    _print_where(seen.state)
    parts = [
        (part.name, str(part.pid), "running" if part.running else "gone", _size(part.memory), part.log)
        for part in seen.parts
    ]
    print_table("", ("process", "pid", "state", "memory", "log"), parts)
    if seen.checks:
        rows = [(check.name, "well" if check.passed else "unwell", check.answer) for check in seen.checks]
        print_table("", ("asked", "is", "answer"), rows)
    _print_jobs(seen)
    print_pairs("", {"disk": f"{_size(seen.data)} used, {_size(seen.free)} free"})
    if not seen.up:
        tip("it stopped without `landbridge twin down`; `landbridge twin up` brings it back")


def _print_jobs(seen: Status) -> None:
    if not seen.jobs:
        return
    rows = [
        (
            one.job,
            one.order_date,
            f"{one.state}, late" if one.late else one.state,
            f"{one.runs or ''}",
            "" if one.exit is None else str(one.exit),
        )
        for one in seen.jobs
    ]
    print_table("", ("job", "order date", "state", "runs", "exit"), rows)
    if seen.told:
        print_pairs("", {"mails, alerts": seen.told})


def _document(seen: Status) -> dict[str, object]:
    return {
        "healthy": seen.healthy,
        "up": seen.up,
        "twin": seen.state,
        "parts": seen.parts,
        "checks": seen.checks,
        "data_bytes": seen.data,
        "free_bytes": seen.free,
        "jobs": seen.jobs,
        "told": seen.told,
    }


def _size(size: int) -> str:
    return f"{size / _GIB:.1f} GiB" if size >= _GIB else f"{size / _MIB:.1f} MiB"
