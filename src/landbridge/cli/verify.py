"""`landbridge verify`: read the bytes again wherever they are."""

from __future__ import annotations

from typing import Annotated

import typer

from landbridge import wiring
from landbridge.cli.options import HERE, EnvironmentOption, JsonOption, ProjectFolder, TwinOption
from landbridge.cli.output import print_json, print_table, progress
from landbridge.cli.which import commitments_of
from landbridge.errors import IntegrityBroken
from landbridge.recheck import Finding, recheck


def verify(
    what: Annotated[
        str, typer.Argument(help="A slot (flights/2026-11-20), a feed (its newest slot) or a file's name.")
    ],
    environment: EnvironmentOption = "",
    project: ProjectFolder = HERE,
    twin: TwinOption = False,
    as_json: JsonOption = False,
) -> None:
    """Read a slot's bytes again wherever they are, and compare with the evidence; exit 76 on a difference.

    What is gone (expired in staging, taken by the consumer) is said, and is no difference.

    Example: landbridge verify flights/2026-11-20
    """
    declaration = wiring.declaration(project)
    place = wiring.environment_of(declaration, environment)
    evidence = wiring.evidence(declaration, place, twin=twin)
    commitment = commitments_of(what, declaration, place, evidence, wiring.now())[-1]
    with progress(quiet=as_json) as bars:
        places = recheck(
            commitment, evidence, wiring.further(declaration, place, commitment, twin=twin), bars
        )
    if as_json:
        print_json({"slot": str(commitment.slot), "revision": commitment.revision, "places": places})
    else:
        print_table(
            f"{commitment.slot}  revision {commitment.revision}  sha256 {commitment.delivered.sha256}",
            ("place", "finding", "where", "seen"),
            ((one.name, one.finding, one.where, one.seen) for one in places),
        )
    different = [one for one in places if one.finding is Finding.DIFFERENT]
    if different:
        raise IntegrityBroken(
            f"{commitment.slot}: {', '.join(one.name for one in different)} differ from the evidence",
            expected=f"sha256 {commitment.delivered.sha256}, {commitment.delivered.size:,} bytes",
            seen=different[0].seen,
            hint=f"`landbridge trace {commitment.slot}` shows who wrote what; nothing was changed by this check",
        )
