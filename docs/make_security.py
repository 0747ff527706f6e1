# ruff: noqa: INP001 # a script, no package
"""Writes the table of docs/security.md from the needs of the example and the table of calls, so that it cannot fall behind.

Run it after a change of a permission or of a call: `.venv/bin/python docs/make_security.py`. A test compares.
"""

from __future__ import annotations

from pathlib import Path

from landbridge.declare import load
from landbridge.deploy.needs import needs
from landbridge.deploy.review import Permission, permissions

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "security.md"
BEGIN, END = "<!-- permissions: made by docs/make_security.py -->", "<!-- end of permissions -->"

_ROLES = {
    "pod": "The pod: runs feeds",
    "operator": "The operator: looks, changes nothing",
    "watch": "The watch: what it has beside the pod's and the operator's",
    "reaper": "The reaper: what it has beside the operator's",
    "sftp-user": "The SFTP user, as Transfer Family acts for it",
    "rotator": "The rotator: whoever runs `landbridge keys`",
}


def table() -> str:
    """Give the tables of all roles."""
    reviewed = permissions(needs(load(ROOT / "examples" / "eidv"), "PRD"))
    known = {(one.statement, one.action) for one in reviewed if one.role in {"pod", "operator"}}
    parts = []
    for role, title in _ROLES.items():
        rows = [
            _row(one)
            for one in reviewed
            if one.role == role
            and (role not in {"watch", "reaper"} or (one.statement, one.action) not in known)
        ]
        head = "| step | permission | why | called by | proof |\n|---|---|---|---|---|"
        parts.append(f"### {title}\n\n{head}\n" + "\n".join(rows))
    return "\n\n".join(parts)


def _row(one: Permission) -> str:
    apis = ", ".join(sorted({use.api.partition(":")[2] for use in one.uses}))
    proofs = ", ".join(sorted({use.proof for use in one.uses}))
    return f"| {one.statement} | `{one.action}` | {one.why} | {apis} | {proofs} |"


def written(page: str) -> str:
    """Give the page with its tables made anew."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
