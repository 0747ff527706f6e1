"""`landbridge deploy controlm lint`: what goes wrong with these folders and connection profiles in production?"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from landbridge import wiring
from landbridge.cli.options import HERE, EnvironmentOption, JsonOption, ProjectFolder
from landbridge.cli.output import err, out, print_json
from landbridge.counted import counted
from landbridge.errors import Exit, UsageError

if TYPE_CHECKING:
    from landbridge.deploy.controlm.lint import Declared, Result

_STYLES = {"error": "red", "warning": "yellow", "note": "cyan"}


def lint(
    files: Annotated[
        list[Path],
        typer.Argument(help="Folders, connection profiles, public keys.", exists=True, dir_okay=False),
    ],
    environment: EnvironmentOption = "",
    fail_on: Annotated[
        str, typer.Option("--fail-on", help="Least severity that fails: `error`, `warning` or `note`.")
    ] = "error",
    project: ProjectFolder = HERE,
    as_json: JsonOption = False,
) -> int:
    """Hold JSON of the Automation API, rendered or written by hand, against rules of what fails in production.

    Name all files that are deployed together: what one object names, another must be. With `--environment` they are also
    held against the declaration: runs, deadlines, endpoint, feeds. It is not the vendor's validation.
    Exit code 65 when a rule of severity `error` is broken, or the JSON is.

    Example: landbridge deploy controlm lint deploy/eidv-prd/controlm/*.json --environment PRD
    """
    from landbridge.deploy.controlm import lint as linter

    if fail_on not in linter.SEVERITIES:
        raise UsageError(
            f"there is no severity `{fail_on}`", expected=" or ".join(f"`{one}`" for one in linter.SEVERITIES)
        )
    declared = _declared(project, environment) if environment else None
    result = linter.lint([linter.read(file) for file in files], wiring.now().date(), declared)
    failing = linter.SEVERITIES[: linter.SEVERITIES.index(fail_on) + 1]
    ok = not any(one.severity in failing for one in result.findings)
    if as_json:
        print_json(
            {"ok": ok, "findings": [asdict(one) for one in result.findings], "skipped": result.skipped}
        )
    else:
        _tell(result, ok=ok)
    return Exit.DONE if ok else Exit.DATA


def _declared(project: Path, environment: str) -> Declared:
    from landbridge.deploy.controlm.lint import Declared
    from landbridge.project import place

    declaration = wiring.declaration(project)
    name = wiring.environment_of(declaration, environment)
    return Declared(declaration, place(declaration.project, name), wiring.now())


def _tell(result: Result, *, ok: bool) -> None:
    for one in result.findings:
        err().print(str(one), style=_STYLES[one.severity], markup=False, highlight=False)
    if result.skipped:
        err().print(f"skipped without `--environment`: {', '.join(result.skipped)}", style="dim")
    if result.findings:
        counts = [
            counted(count, name)
            for name in _STYLES
            if (count := sum(one.severity == name for one in result.findings))
        ]
        err().print(", ".join(counts), style="red" if not ok else "yellow")
    if ok:
        out().print("OK", style="green")
