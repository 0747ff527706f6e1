"""`landbridge verify`: read the bytes again wherever they are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from landbridge import wiring
from landbridge.cli.options import HERE, EnvironmentOption, JsonOption, ProjectFolder, TwinOption
from landbridge.cli.output import print_json, print_table, progress
from landbridge.cli.which import commitments_of
from landbridge.counted import counted, differing
from landbridge.errors import DiskFailed, IntegrityBroken, UsageError
from landbridge.facts import Verdict
from landbridge.recheck import Finding, recheck, worth_reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from landbridge.facts import Commitment
    from landbridge.recheck import Place


def verify(
    what: Annotated[
        str, typer.Argument(help="A slot (flights/2026-11-20), a feed (its newest slot) or a file's name.")
    ] = "",
    bundle: Annotated[
        Path | None,
        typer.Option("--bundle", help="Check this evidence bundle instead, offline.", dir_okay=False),
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", help="With --bundle: the file that it is about.", dir_okay=False)
    ] = None,
    key: Annotated[
        list[Path] | None,
        typer.Option(
            "--key",
            help="With --bundle: public key (PEM) of who signs bundles; those declared without it. Repeatable.",
            dir_okay=False,
        ),
    ] = None,
    receipt_key: Annotated[
        list[Path] | None,
        typer.Option(
            "--receipt-key",
            help="With --bundle: public key (PEM) of a collector; those that the bundle names without it. Repeatable.",
            dir_okay=False,
        ),
    ] = None,
    environment: EnvironmentOption = "",
    project: ProjectFolder = HERE,
    twin: TwinOption = False,
    as_json: JsonOption = False,
) -> None:
    """Read a slot's bytes again wherever they are, and compare with the evidence; exit 76 on a difference.

    What is gone (expired in staging, taken by the consumer) is said, and is no difference. Of a slot whose correction was
    rejected or skipped, the file before it is read as well. With `--bundle`, check an
    evidence bundle instead: nothing but the bundle, the public keys and the file is read.

    Example: landbridge verify flights/2026-11-20
    """
    if bundle is not None:
        if what:
            raise UsageError("a bundle says itself which slot it is about", hint="leave out the slot")
        _verify_bundle(
            bundle, file, key or [], receipt_key or [], environment, project, twin, as_json=as_json
        )
        return
    if not what or file or key or receipt_key:
        raise UsageError(
            "there is nothing to check",
            expected="a slot, a feed or a file's name; or `--bundle`, and with it `--file`, `--key`, `--receipt-key`",
        )
    _verify_slot(what, environment, project, twin=twin, as_json=as_json)


def _verify_bundle(
    path: Path,
    file: Path | None,
    keys: list[Path],
    receipt_keys: list[Path],
    environment: str,
    project: Path,
    twin: bool,
    *,
    as_json: bool,
) -> None:
    from landbridge.bundle import check, check_file

    if keys:
        trusted = tuple(map(_text, keys))
        collectors = tuple(map(_text, receipt_keys))
    else:
        declaration = wiring.declaration(project)
        place = wiring.environment_of(declaration, environment)
        trusted = wiring.bundle_keys(declaration, place, twin=twin)
        collectors = tuple(map(_text, receipt_keys)) or wiring.collector_keys(declaration, place, twin=twin)
    made, checked = check(_read(path), trusted, collectors)
    if file is not None:
        checked.append(check_file(made, file))
    if as_json:
        print_json(
            {
                "slot": str(made.slot),
                "revision": made.revision,
                "environment": made.environment,
                "verdict": made.verdict,
                "made_at": made.made_at,
                "made_by": made.made_by,
                "checked": checked,
            }
        )
    else:
        print_table(
            f"{made.slot}  revision {made.revision}  {made.environment}: {made.verdict}, "
            + ("no file" if made.verdict is Verdict.WAIVE else f"sha256 {made.delivered.sha256}"),
            ("what", "finding", "seen"),
            ((one.what, "holds" if one.holds else "different", one.seen) for one in checked),
        )
    if wrong := [one for one in checked if not one.holds]:
        raise IntegrityBroken(
            differing([one.what for one in wrong]),
            expected=f"{made.name}, sha256 {made.delivered.sha256}, {counted(made.delivered.size, 'byte')}",
            seen=wrong[0].seen,
        )


def _text(path: Path) -> str:
    try:
        return _read(path).decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is no public key", expected="PEM") from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise UsageError(f"there is no {path}") from error
    except OSError as error:
        raise DiskFailed(f"{path} cannot be read", seen=error.strerror or str(error)) from error


def _verify_slot(what: str, environment: str, project: Path, *, twin: bool, as_json: bool) -> None:
    declaration = wiring.declaration(project)
    place = wiring.environment_of(declaration, environment)
    evidence = wiring.evidence(declaration, place, twin=twin)
    history = commitments_of(what, declaration, place, evidence, wiring.now())
    with progress(quiet=as_json) as bars:
        read = [
            (one, recheck(one, evidence, wiring.further(declaration, place, one, twin=twin), bars))
            for one in worth_reading(history)
        ]
    if as_json:
        (newest, places), *before = read
        print_json(
            {
                "slot": str(newest.slot),
                "revision": newest.revision,
                "places": places,
                "before": [{"revision": one.revision, "places": found} for one, found in before],
            }
        )
    else:
        for one, places in read:
            _print_places(one, places)
    for commitment, places in read:
        if different := [one for one in places if one.finding is Finding.DIFFERENT]:
            raise IntegrityBroken(
                f"{commitment.slot} revision {commitment.revision}: {differing([one.name for one in different])}",
                expected=f"sha256 {commitment.delivered.sha256}, {counted(commitment.delivered.size, 'byte')}",
                seen=different[0].seen,
                hint=f"`landbridge trace {commitment.slot}` shows who wrote what; nothing was changed by this check",
            )


def _print_places(commitment: Commitment, places: Sequence[Place]) -> None:
    is_waived = commitment.verdict is Verdict.WAIVE
    print_table(
        f"{commitment.slot}  revision {commitment.revision}  "
        + ("no file: it is waived" if is_waived else f"sha256 {commitment.delivered.sha256}"),
        ("place", "finding", "where", "seen"),
        ((one.name, one.finding, one.where, one.seen) for one in places),
    )
