"""Does the twin stand in for exactly the paths, pool and account that the pages tell an administrator to set up?"""

from __future__ import annotations

from typing import Any

import pytest

from landbridge.project import place
from landbridge.twin.controlm.ground import Ground, ground
from tests.deploy.controlm.declared import SHARE, declared

LINUX = Ground(
    command="/opt/landbridge/bin/landbridge",
    folder="/etc/landbridge/acme",
    account="landbridge",
    pool="ACME_PRD_SESSIONS",
    holding="/mnt/acme/.landbridge/prd/holding",
)
WINDOWS = Ground(
    command=r"C:\Program Files\Landbridge\landbridge.exe",
    folder=r"C:\ProgramData\Landbridge\acme",
    account="BANK\\svc",
    pool="ACME_PRD_SESSIONS",
    holding=r"\\files\acme\.landbridge\prd\holding",
)
OWN = Ground("/usr/bin/lb", "/srv/acme", "svc", "MFT", "/srv/in")


@pytest.mark.parametrize(
    ("controlm", "project", "expected"),
    [
        ({}, {}, LINUX),
        (
            {},
            {
                "host": {"os": "windows", "account": "BANK\\svc"},
                "share": {**SHARE, "path": r"\\files\acme"},
            },
            WINDOWS,
        ),
        (
            {"pool": "MFT"},
            {
                "host": {"command": "/usr/bin/lb", "folder": "/srv/acme", "account": "svc"},
                "share": {**SHARE, "holding": "/srv/in"},
            },
            OWN,
        ),
    ],
)
def test_what_is_set_up(controlm: dict[str, Any], project: dict[str, Any], expected: Ground) -> None:
    assert ground(place(declared(controlm=controlm, project=project).project, "PRD")) == expected
