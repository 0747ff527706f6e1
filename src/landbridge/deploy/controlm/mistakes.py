"""What in a declaration cannot be put into Control-M, and where does it stand?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from landbridge.deploy.controlm.extra import literal_secrets
from landbridge.deploy.controlm.jobs import job_stem
from landbridge.deploy.mistakes import PROJECT_FILE, feed_file, problem
from landbridge.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landbridge.controlm import ControlM
    from landbridge.deploy.controlm.setting import Setting
    from landbridge.errors import Problem
    from landbridge.feed import Feed
    from landbridge.project import Declaration

_REFERENCES = ("env:", "file:", "aws-sm:")


def mistakes(declaration: Declaration, setting: Setting, feeds: list[Feed], host: str) -> Iterator[Problem]:
    """Give all of them, each at the key that it stands at."""
    folder, declared = declaration.folder, setting.declared
    if host.startswith(_REFERENCES):
        yield problem(
            folder,
            PROJECT_FILE,
            "sftp.host",
            f"the endpoint is a reference (`{host}`), and Control-M needs its name",
            expected="a host name",
            hint="write it, or give it with `--sftp-host`",
        )
    if declared.style == "native":
        if declared.share is None:
            yield problem(
                folder,
                PROJECT_FILE,
                "controlm",
                "managed file transfer needs an account for the share",
                expected="`share: {os, user, password}`, the password by the name of its secret",
                hint="or `style: agent`",
            )
        try:
            setting.holding("")
        except UsageError as error:
            yield problem(folder, PROJECT_FILE, "share.path", error.what, expected=error.expected)
    yield from _extra_mistakes(declaration, declared)
    stems: dict[str, str] = {}
    for feed in feeds:
        other = stems.setdefault(job_stem(feed.feed), feed.feed)
        if other != feed.feed:
            yield problem(
                folder,
                feed_file(folder, feed.feed),
                "feed",
                f"the jobs of `{feed.feed}` and `{other}` would have the same names in Control-M",
                hint="name one of them differently",
            )


def _extra_mistakes(declaration: Declaration, declared: ControlM) -> Iterator[Problem]:
    for name, more in sorted(declared.extra.items()):
        for path in literal_secrets(more):
            yield problem(
                declaration.folder,
                PROJECT_FILE,
                f"controlm.extra.{name}",
                f"`{path}` would carry a secret",
                expected='{"Secret": name}: the name of a secret in Control-M\'s own vault',
            )
