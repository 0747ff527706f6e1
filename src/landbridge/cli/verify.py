"""`landbridge verify`: read the bytes again wherever they are."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from landbridge import wiring
from landbridge.cli.options import (
    HERE,
    EnvironmentOption,
    JsonOption,
    ProjectFolder,
    RevisionOption,
    TwinOption,
)
from landbridge.cli.output import print_json, print_pairs, print_table, progress
from landbridge.cli.which import chosen, commitments_of
from landbridge.counted import counted, differing
from landbridge.errors import DiskFailed, IntegrityBroken, UsageError
from landbridge.facts import Verdict
from landbridge.recheck import Finding, recheck, worth_reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from landbridge.facts import Commitment
    from landbridge.recheck import Place
    from landbridge.world import Evidence

_LONGEST_KEY = 64 << 10
"""Bytes of a public key in PEM, and then some."""


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
            metavar="FILE",
            help="With --bundle: public key (PEM) of who signs bundles; those declared without it. Repeatable.",
            dir_okay=False,
        ),
    ] = None,
    receipt_key: Annotated[
        list[Path] | None,
        typer.Option(
            "--receipt-key",
            metavar="FILE",
            help="With --bundle: public key (PEM) of a collector; those that the bundle names without it. Repeatable.",
            dir_okay=False,
        ),
    ] = None,
    revision: RevisionOption = None,
    environment: EnvironmentOption = "",
    project: ProjectFolder = HERE,
    twin: TwinOption = False,
    as_json: JsonOption = False,
) -> None:
    """Read a slot's bytes again wherever they are, and compare with the evidence; exit 76 on a difference.

    What is gone (expired in staging, taken by the consumer) is said, and is no difference. It is about the file in force; where
    a correction of it was rejected, skipped, or is in quarantine, that is read as well. With `--bundle`, check an
    evidence bundle instead: nothing but the bundle, the public keys and the file is read.

    Example: landbridge verify flights/2026-11-20
    """
    if bundle is not None:
        if what or revision:
            raise UsageError(
                "a bundle says itself which slot and revision it is about",
                hint="leave out the slot, and `--revision`",
            )
        _verify_bundle(
            bundle, file, key or [], receipt_key or [], environment, project, twin, as_json=as_json
        )
        return
    if not what or file or key or receipt_key:
        raise UsageError(
            "there is nothing to check",
            expected="a slot, a feed or a file's name; or `--bundle`, and with it `--file`, `--key`, `--receipt-key`",
        )
    _verify_slot(what, revision, environment, project, twin=twin, as_json=as_json)


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
    from landbridge.bundle import MOST, check, check_file

    body = _read(path, MOST)
    if keys:
        trusted = tuple(map(_text, keys))
        collectors = tuple(map(_text, receipt_keys))
    else:
        trusted, collectors = _declared_keys(path, body, environment, project, twin=twin)
        collectors = tuple(map(_text, receipt_keys)) or collectors
    made, checked = check(body, trusted, collectors)
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


def _declared_keys(
    path: Path, body: bytes, environment: str, project: Path, *, twin: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Give the public keys that the project declares: of who signs bundles, and of its collectors.

    Raises:
        UsageError: there is no project here, or it declares none; whoever received the bundle needs the key from who made it.
    """
    from landbridge.declare import PROJECT_FILE

    if (project / PROJECT_FILE).is_file():
        declaration = wiring.declaration(project)
        place = wiring.environment_of(declaration, environment)
        if trusted := wiring.bundle_keys(declaration, place, twin=twin):
            return trusted, wiring.collector_keys(declaration, place, twin=twin)
        lacking = f"`{place}` declares no `evidence.public_keys`"
    else:
        lacking = f"there is no {PROJECT_FILE} in {project.resolve()}"
    from landbridge.bundle import key_asked_for

    raise UsageError(
        f"which public key is the bundle checked with? {lacking}",
        expected=f"the key of whoever made the bundle; it says that it is signed with the key {key_asked_for(body)}",
        seen="no `--key`",
        hint="get the key (PEM) from them, by another way than the bundle came, and compare its id "
        "(`openssl pkey -pubin -in FILE -outform DER | sha256sum`): "
        f"landbridge verify --bundle {shlex.quote(str(path))} --key FILE",
    )


def _text(path: Path) -> str:
    try:
        return _read(path, _LONGEST_KEY).decode()
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{path} is no public key", expected="PEM text: `-----BEGIN PUBLIC KEY-----`"
        ) from error


def _read(path: Path, most: int) -> bytes:
    """Read no more than is believed to be what it is said to be."""
    try:
        with path.open("rb") as file:
            body = file.read(most + 1)
    except FileNotFoundError as error:
        raise UsageError(f"there is no {path}") from error
    except OSError as error:
        raise DiskFailed(f"{path} cannot be read", seen=error.strerror or str(error)) from error
    if len(body) > most:
        raise UsageError(
            f"{path} is too large for what it is given as",
            expected=f"at most {counted(most, 'byte')}",
            seen="more",
        )
    return body


def _verify_slot(
    what: str, revision: int | None, environment: str, project: Path, *, twin: bool, as_json: bool
) -> None:
    declaration = wiring.declaration(project)
    place = wiring.environment_of(declaration, environment)
    evidence = wiring.evidence(declaration, place, twin=twin)
    history = commitments_of(what, declaration, place, evidence, wiring.now())
    with progress(quiet=as_json) as bars:
        read = [
            (one, recheck(one, evidence, wiring.further(declaration, place, one, twin=twin), bars))
            for one in _worth_reading(what, history, revision, evidence)
        ]
    if as_json:
        (about, places), *beside = read
        print_json(
            {
                "slot": str(about.slot),
                "revision": about.revision,
                "verdict": about.verdict,
                "places": places,
                "beside": [
                    {"revision": one.revision, "verdict": one.verdict, "places": found}
                    for one, found in beside
                ],
            }
        )
    else:
        for one, places in read:
            _print_places(one, places, in_force=len(read) > 1 and one is read[0][0])
    for commitment, places in read:
        if different := [one for one in places if one.finding is Finding.DIFFERENT]:
            raise IntegrityBroken(
                f"{commitment.slot} revision {commitment.revision}: {differing([one.name for one in different])}",
                expected=f"sha256 {commitment.delivered.sha256}, {counted(commitment.delivered.size, 'byte')}",
                seen=different[0].seen,
                hint=f"`landbridge trace {commitment.slot}` shows who wrote what; nothing was changed by this check",
            )


def _worth_reading(
    what: str, history: Sequence[Commitment], revision: int | None, evidence: Evidence
) -> list[Commitment]:
    """Give the revision that is meant, and, where none was named, the others whose bytes somebody relies on."""
    if revision is not None:
        return [chosen(what, history, revision, evidence)]
    others = worth_reading(history)
    try:
        about = chosen(what, history, None, evidence)
    except IntegrityBroken:  # a receipt: it is among what is read, and found to differ
        return others
    return [about, *(one for one in others if one is not about)]


def _print_places(commitment: Commitment, places: Sequence[Place], *, in_force: bool) -> None:
    if not places:
        print_pairs(
            f"{commitment.slot}  revision {commitment.revision}: {commitment.verdict}",
            {"nothing to read": "no file will come, and none is needed", "reason": commitment.reason},
        )
        return
    print_table(
        f"{commitment.slot}  revision {commitment.revision}{' (in force)' if in_force else ''}: {commitment.verdict}  "
        f"sha256 {commitment.delivered.sha256}",
        ("place", "finding", "where", "seen"),
        ((one.name, one.finding, one.where, one.seen) for one in places),
    )
