"""`landbridge needs`: what an environment needs, for a security review."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from landbridge import wiring
from landbridge.cli.options import HERE, EnvironmentOption, JsonOption, ProjectFolder
from landbridge.cli.output import out, print_json, print_pairs, print_table
from landbridge.deploy.needs import Needs
from landbridge.deploy.needs import needs as derived
from landbridge.deploy.review import Permission, permissions, policies

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Table = tuple[str, tuple[str, ...], list[tuple[str, ...]]]
"""Title, columns, rows."""


def needs(
    environment: EnvironmentOption = "",
    project: ProjectFolder = HERE,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print Markdown tables, to paste into a ticket.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Print what an environment needs: buckets, key, roles with each permission, ports, user, schedules, secrets.

    Every permission names the call that it is for, the code that makes the call, and whether the need was observed
    (without it exactly that step fails) or is derived from AWS's documentation. Nothing is connected to.

    Example: landbridge needs --environment PRD --markdown > review.md
    """
    declaration = wiring.declaration(project)
    place = wiring.environment_of(declaration, environment)
    needed = derived(declaration, place)
    reviewed = permissions(needed)
    if as_json:
        print_json(_document(needed, reviewed))
        return
    title = f"{needed.project} {needed.environment}: what it needs"
    if markdown:
        out().print(f"# {title}\n", markup=False, highlight=False)
        _tables(needed, reviewed, _markdown)
        return
    print_pairs(title, {"region": needed.region, "key": needed.key_alias})
    out().print()
    _tables(needed, reviewed, _plain)


def _document(needed: Needs, reviewed: Sequence[Permission]) -> dict[str, object]:
    documents = {role: policy.document() for role, policy in policies(needed).items()}
    return {
        **asdict(needed),
        "permissions": [asdict(one) for one in reviewed],
        "policies": documents,
    }


def _tables(needed: Needs, reviewed: Sequence[Permission], show: Callable[[Table], None]) -> None:
    for table in (*_things(needed), *_roles(needed, reviewed), *_around(needed)):
        show(table)


def _things(needed: Needs) -> Iterable[Table]:
    yield (
        "Buckets",
        ("bucket", "for", "versions", "expires", "written once", "SFTP folders"),
        [
            (
                one.name,
                one.purpose,
                "yes" if one.versioned else "no",
                ", ".join(f"{prefix} after {one.days} d" for prefix in one.expiring) or "never",
                ", ".join(prefix or "everything" for prefix in one.created_once),
                ", ".join(one.folders),
            )
            for one in needed.buckets
        ],
    )
    yield (
        "Key",
        ("alias", "encrypts"),
        [
            (
                needed.key_alias,
                "every bucket above (SSE-KMS by the bucket's default), and the SFTP user's secret",
            )
        ],
    )


def _roles(needed: Needs, reviewed: Sequence[Permission]) -> Iterable[Table]:
    names = {
        "pod": f"Role {needed.pod.name}, taken by {needed.pod.trust.subject}: runs feeds",
        "operator": f"Role {needed.operator.name}, taken by {needed.operator.trust.subject}: people who look",
        "watch": f"Role {needed.watch.name}, taken by {needed.watch.trust.subject}: the look at all slots",
        "reaper": f"Role {needed.reaper.name}, taken by {needed.reaper.trust.subject}: whoever runs `landbridge reap`",
        "sftp-user": f"Role of the SFTP user {needed.sftp.name}, taken by Transfer Family: the collector",
        "rotator": f"Policy {needed.rotator.name}, for whoever runs `landbridge keys`",
    }
    for role, title in names.items():
        yield (
            title,
            ("step", "may", "on", "only if", "why", "used by", "proof"),
            [_permission(one) for one in reviewed if one.role == role],
        )


def _permission(one: Permission) -> tuple[str, ...]:
    conditions = (
        f"{key} {operator} {' | '.join(values)}"
        for operator, keys in one.conditions.items()
        for key, values in keys.items()
    )
    return (
        one.statement,
        one.action,
        ", ".join(one.resources),
        "; ".join(conditions),
        one.why,
        ", ".join(dict.fromkeys(use.code.removeprefix("landbridge.") or use.by for use in one.uses)),
        ", ".join(sorted({use.proof for use in one.uses})),
    )


def _around(needed: Needs) -> Iterable[Table]:
    yield (
        "SFTP user",
        ("user", "folder", "reads", "adds", "deletes"),
        [
            (
                needed.sftp.name,
                f"/{one.name}",
                "yes" if one.may_read else "no",
                "yes" if one.may_add else "no",
                "yes" if _deletes(needed, one.name) else "no",
            )
            for one in needed.sftp.folders
        ],
    )
    yield (
        "Connections",
        ("name", "from", "to", "port", "why"),
        [(one.name, one.source, one.destination, str(one.port), one.why) for one in needed.flows],
    )
    yield (
        "Secrets",
        ("secret", "made by", "read by", "why"),
        [(one.name, one.made_by, one.read_by, one.why) for one in needed.secrets],
    )
    yield (
        "Schedules",
        ("feed", "cron", "time zone", "memory", "variables"),
        [
            (one.feed, one.cron, one.time_zone, f"{one.memory} MiB", ", ".join(one.variables))
            for one in needed.jobs
        ],
    )


def _deletes(needed: Needs, folder: str) -> bool:
    return any(
        "s3:DeleteObject" in one.actions and any(f"/{folder}/" in resource for resource in one.resources)
        for one in needed.sftp.policy.statements
    )


def _plain(table: Table) -> None:
    title, columns, rows = table
    print_table(title, columns, _folded(rows))
    out().print()


def _folded(rows: Iterable[tuple[str, ...]]) -> Iterable[tuple[str, ...]]:
    """Leave out what a row says again about the thing of the row above."""
    above: tuple[str, ...] = ()
    for row in rows:
        same = bool(above) and row[0] == above[0]
        yield tuple("" if same and cell == above[n] else cell for n, cell in enumerate(row))
        above = row


def _markdown(table: Table) -> None:
    title, columns, rows = table
    lines = [f"## {title}", "", "| " + " | ".join(columns) + " |", "|---" * len(columns) + "|"]
    lines += ["| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows]
    out().print("\n".join([*lines, ""]), markup=False, highlight=False)


def _cell(text: str) -> str:
    """Keep `*` and `|` as they are: an ARN must survive the pasting."""
    escaped = text.replace("|", "\\|")
    return f"`{escaped}`" if "*" in text or "$" in text else escaped
