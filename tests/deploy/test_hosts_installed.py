"""Where is the program on a host, and with which words is it called?"""

from __future__ import annotations

import pytest

from landbridge.deploy.hosts.installed import installed
from landbridge.project import place
from tests.servers.declared import declaration, feed


@pytest.mark.parametrize(
    ("host", "words"),
    [
        (
            {},
            (
                "/opt/landbridge/bin/landbridge",
                "collect",
                "--environment",
                "PRD",
                "--project",
                "/etc/landbridge/{project}",
            ),
        ),
        (
            {"command": "/usr/bin/landbridge", "folder": "/srv/{environment}"},
            ("/usr/bin/landbridge", "collect", "--environment", "PRD", "--project", "/srv/prd"),
        ),
        (
            {"os": "windows"},
            (
                r"C:\Program Files\Landbridge\landbridge.exe",
                "collect",
                "--environment",
                "PRD",
                "--project",
                "C:\\ProgramData\\Landbridge\\{project}",
            ),
        ),
    ],
)
def test_what_host_leaves_out_has_one_default(host: dict[str, object], words: tuple[str, ...]) -> None:
    declared = declaration(feed(), project={"host": host, "environments": {"PRD": {}}})
    where = place(declared.project, "PRD")
    name = declared.project.project
    assert installed(where).words("collect") == tuple(word.replace("{project}", name) for word in words)
