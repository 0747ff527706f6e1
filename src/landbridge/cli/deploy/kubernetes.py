"""`landbridge deploy kubernetes`: the CronJobs of an environment and all around them, rendered, compared, applied."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from landbridge import wiring
from landbridge.cli.options import HERE, EnvironmentOption, JsonOption, ProjectFolder
from landbridge.cli.output import err, out, print_json, tip
from landbridge.counted import counted
from landbridge.errors import Exit, UsageError

if TYPE_CHECKING:
    from landbridge.deploy.kubernetes.kubectl import Cluster, Leftover
    from landbridge.deploy.kubernetes.render import Manifests

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)

ContextOption = Annotated[
    str, typer.Option("--context", help="Context of kubectl's configuration; asked for when it is left out.")
]


@app.command()
def render(
    environment: EnvironmentOption = "",
    to: Annotated[
        Path, typer.Option("--out", help="Folder that the files are written to.", file_okay=False)
    ] = Path("deploy"),
    project: ProjectFolder = HERE,
    as_json: JsonOption = False,
) -> int:
    """Write manifests, a kustomization and a Helm chart that says the same.

    Connects to nothing. They go to `OUT/ENVIRONMENT/kubernetes`; an earlier rendering there is replaced.
    Exit code 78 when something declared cannot be put on a cluster.

    Example: landbridge deploy kubernetes render --environment PRD --out deploy
    """
    from landbridge.deploy.kubernetes.package import package, write

    made = _made(project, environment)
    folder = to / made.name / "kubernetes"
    paths = write(package(made), folder)
    _warn(made)
    if as_json:
        print_json({"folder": folder, "files": paths, "warnings": made.warnings})
        return Exit.DONE
    out().print(f"{counted(len(paths), 'file')} in {folder}", style="green")
    tip(f"next: kubectl diff --server-side -k {folder}, or `landbridge deploy kubernetes diff`")
    return Exit.DONE


@app.command()
def lint(
    files: Annotated[
        list[Path], typer.Argument(help="Manifests of one environment.", exists=True, dir_okay=False)
    ],
    as_json: JsonOption = False,
) -> int:
    """Hold manifests that were edited by hand against the rules that every rendering meets.

    Name all files of the environment: what one object names, another must be.
    Exit code 65 when a rule is broken.

    Example: landbridge deploy kubernetes lint deploy/eidv-prd/kubernetes/*.yaml
    """
    from landbridge.deploy.kubernetes.checks import findings
    from landbridge.deploy.kubernetes.reading import objects_in

    found = findings([one for file in files for one in objects_in(file)])
    if as_json:
        print_json({"ok": not found, "findings": [asdict(one) for one in found]})
    for one in found if not as_json else ():
        err().print(str(one), markup=False, highlight=False)
    if not as_json and not found:
        out().print("OK", style="green")
    return Exit.DATA if found else Exit.DONE


@app.command()
def diff(
    environment: EnvironmentOption = "",
    context: ContextOption = "",
    project: ProjectFolder = HERE,
) -> int:
    """Show what an apply would change on the cluster, as its API server sees it.

    Changes nothing. Exit code 0 with or without differences.

    Example: landbridge deploy kubernetes diff --environment PRD --context eidv-prd
    """
    made = _made(project, environment)
    cluster = _cluster(context or _current(made), made)
    text = cluster.diff(made)
    out().print(text, markup=False, highlight=False, end="")
    leftovers = cluster.leftovers(made)
    _tell(leftovers)
    if not text and not leftovers:
        out().print(f"{made.name} is on `{cluster.context}` as it is declared", style="green")
    else:
        tip(f"next: {_apply(made, cluster.context)}")
    return Exit.DONE


@app.command()
def apply(
    environment: EnvironmentOption = "",
    context: ContextOption = "",
    prune: Annotated[
        bool,
        typer.Option(
            "--prune", help="Also delete what is no longer declared; asks for the environment's name."
        ),
    ] = False,
    project: ProjectFolder = HERE,
) -> int:
    """Put the objects of an environment on its cluster: server-side apply, which may be repeated at no harm.

    The namespace and the Secrets must exist. Exit code 76 when somebody else owns a field, 77 when a right is missing.

    Example: landbridge deploy kubernetes apply --environment PRD --context eidv-prd
    """
    made = _made(project, environment)
    if not context:
        context = _current(made)
        _confirm(
            f"{made.name} to the cluster `{context}`? Type the context's name", context, _apply(made, context)
        )
    cluster = _cluster(context, made)
    out().print(cluster.apply(made), markup=False, highlight=False, end="")
    leftovers = cluster.leftovers(made)
    if leftovers and prune:
        _tell(leftovers)
        _confirm(f"Type `{made.name}` to delete these", made.name, "prune from a terminal")
        out().print(cluster.delete(made, leftovers), markup=False, highlight=False, end="")
    elif leftovers:
        _tell(leftovers)
        err().print("they stay; `--prune` deletes them", style="dim")
    look = f"kubectl --context {cluster.context} --namespace {made.namespace} get cronjobs"
    tip(f"next: {look}")
    return Exit.DONE


def _made(project: Path, environment: str) -> Manifests:
    from landbridge.deploy.kubernetes.package import package
    from landbridge.deploy.kubernetes.render import manifests

    declaration = wiring.declaration(project)
    made = manifests(declaration, wiring.environment_of(declaration, environment))
    package(made)  # nothing that breaks a rule goes any further
    return made


def _current(made: Manifests) -> str:
    from landbridge.deploy.kubernetes.kubectl import current_context

    context = current_context()
    if not context:
        raise UsageError(
            "which cluster?",
            expected="`--context`, or a current context of kubectl",
            hint=f"`kubectl config get-contexts` lists them; then {_apply(made, 'NAME')}",
        )
    return context


def _apply(made: Manifests, context: str) -> str:
    return f"landbridge deploy kubernetes apply --environment {made.environment} --context {context}"


def _cluster(context: str, made: Manifests) -> Cluster:
    from landbridge.deploy.kubernetes.kubectl import Cluster

    _warn(made)
    return Cluster(context)


def _confirm(question: str, word: str, instead: str) -> None:
    if not sys.stdin.isatty():
        raise UsageError(f"nobody is there to be asked: {question}", hint=instead)
    if typer.prompt(question, err=True) != word:
        raise UsageError("not confirmed; nothing was changed")


def _warn(made: Manifests) -> None:
    for warning in made.warnings:
        err().print(f"[yellow]warning[/] {warning}")


def _tell(leftovers: list[Leftover]) -> None:
    if leftovers:
        err().print("no longer declared: " + ", ".join(map(str, leftovers)), style="yellow")
