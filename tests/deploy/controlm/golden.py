"""What is rendered for three environments, as files that a change shows in review; and the published JSON Schema.

After a change that is meant: `.venv/bin/python -m tests.deploy.controlm.golden`, and read the difference.
"""

from __future__ import annotations

import json
import shutil
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from landbridge.declare import load
from landbridge.deploy.controlm.render import render
from landbridge.deploy.controlm.schema import schema
from tests.deploy.controlm.declared import declared

if TYPE_CHECKING:
    from landbridge.deploy.controlm.render import Rendered

GOLDEN = Path(__file__).parent / "golden"
ROOT = Path(__file__).parents[3]
SCHEMA = ROOT / "docs" / "reference" / "control-m.schema.json"


@cache
def rendered() -> dict[str, Rendered]:
    """Give the example as it is, a feed with holidays in the style `agent`, and one on Windows agents."""
    holidays = {
        "cron": "0 7 * * 1-5",
        "business_date": "previous_business_day",
        "calendar": "england",
        "on_holiday": "skip",
        "deadline": {"at": "09:30"},
    }
    years = {"first_year": 2026, "last_year": 2027}
    windows = {"os": "windows", "account": "ACME\\svc_landbridge"}
    share = {"os": "Windows", "user": "ACME\\svc_mft", "password": "acme-share"}
    path = {"path": "\\\\files\\acme", "holding": "\\\\files\\acme\\holding"}
    receipts = {"receipt_key": "file:keys/r.pem", "receipt_public_keys": ["file:keys/r.pub"]}
    return {
        "eidv": render(load(ROOT / "examples" / "eidv"), "PRD"),
        "agent": render(declared(holidays, controlm={"style": "agent", **years}), "PRD"),
        "windows": render(
            declared(
                holidays,
                controlm={"share": share, **years},
                project={"host": windows, "share": path | receipts},
            ),
            "PRD",
        ),
    }


def files() -> dict[Path, str]:
    """Give every kept file and what it ought to be."""
    made = {
        GOLDEN / variant / name: text
        for variant, one in rendered().items()
        for name, text in one.files.items()
    }
    return made | {SCHEMA: json.dumps(schema(), indent=2) + "\n"}


def write() -> None:
    shutil.rmtree(GOLDEN, ignore_errors=True)
    for path, text in files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    write()
