"""`landbridge evidence`: one signed file that proves a slot."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from landbridge import bundle, dsse, wiring
from landbridge.cli.options import (
    HERE,
    EnvironmentOption,
    JsonOption,
    ProjectFolder,
    RevisionOption,
    TwinOption,
)
from landbridge.cli.output import print_json, print_pairs, tip
from landbridge.cli.which import beside, chosen, commitments_of
from landbridge.counted import counted
from landbridge.errors import IntegrityBroken, UsageError, disk_refused
from landbridge.facts import Verdict

if TYPE_CHECKING:
    from landbridge.bundle.gathering import Declared
    from landbridge.facts import Commitment
    from landbridge.project import Declaration


def evidence(
    what: Annotated[
        str, typer.Argument(help="A slot (flights/2026-11-20), a feed (its newest slot) or a file's name.")
    ],
    to: Annotated[
        Path, typer.Option("--out", "-o", help="File to write; it must not be there.", dir_okay=False)
    ],
    revision: RevisionOption = None,
    environment: EnvironmentOption = "",
    project: ProjectFolder = HERE,
    twin: TwinOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write one signed bundle: the contract, the verdict, every fact of the slot, and the receipt as it was signed.

    It is about the file in force: the one that landed last, also when a correction of it was rejected, or is in quarantine.
    What was decided after it is in the bundle as well. Anybody can check it with the public key: `landbridge verify --bundle FILE`, or with openssl and jq.

    Example: landbridge evidence flights/2026-11-20 --out flights-2026-11-20.evidence.json
    """
    declaration = wiring.declaration(project)
    place = wiring.environment_of(declaration, environment)
    signer = wiring.evidence_signer(declaration, place, twin=twin)
    keys = wiring.bundle_keys(declaration, place, twin=twin)
    seen = wiring.evidence(declaration, place, twin=twin)
    history = commitments_of(what, declaration, place, seen, wiring.now())
    about = chosen(what, history, revision, seen)
    made = bundle.gather(
        about,
        history,
        seen,
        project=declaration.project.project,
        declared=_declared(declaration, about),
        made_at=wiring.now(),
        made_by=wiring.who(),
    )
    body = dsse.sealed(bundle.payload_of(made), signer)
    _, checked = bundle.check(body, keys, seen.receipt_keys)
    if wrong := [one for one in checked if not one.holds]:
        raise IntegrityBroken(
            f"what is on record of {made.slot} does not hold: {', '.join(one.what for one in wrong)}",
            seen=wrong[0].seen,
            hint=f"no bundle was written; `landbridge trace {made.slot}` shows every hop",
        )
    _write(to, body)
    if as_json:
        later = [{"revision": one.revision, "verdict": one.verdict} for one in history[about.revision :]]
        document = {
            "slot": str(made.slot),
            "revision": made.revision,
            "verdict": made.verdict,
            "later": later,
        }
        print_json({**document, "file": to, "checked": checked})
        return
    after = "; ".join(beside(about, history))
    print_pairs(
        f"{made.slot}  revision {made.revision}  {place}: {made.verdict}",
        {
            "written": f"{to}, {counted(len(body), 'byte')}",
            **({"decided after it": after} if after else {}),
            **{one.what: one.seen for one in checked},
        },
    )
    file = "" if made.verdict is Verdict.WAIVE else f" --file {shlex.quote(made.name)}"
    tip(f"next: landbridge verify --bundle {shlex.quote(str(to))}{file}")


def _declared(declaration: Declaration, commitment: Commitment) -> Declared | None:
    """Give the contract as it is declared now; entries of before the ledger kept texts have no other."""
    from landbridge.bundle.gathering import Declared
    from landbridge.contract.odcs import load

    feed = declaration.feeds.get(commitment.slot.feed)
    if feed is None:
        return None
    contract = load(declaration.folder / feed.contract.file, feed.contract.schema_object)
    return Declared(contract.name, contract.version, contract.text)


def _write(path: Path, body: bytes) -> None:
    """Write a new file, whole; what is there already is never overwritten."""
    try:
        with path.open("xb") as file:
            file.write(body)
    except FileExistsError as error:
        raise UsageError(f"{path} is already there", hint="name another file with `--out`") from error
    except OSError as error:
        raise disk_refused(error, f"writing {path}") from error
