"""What in a declaration cannot be put into Control-M, and where does it stand?"""

from __future__ import annotations

import re
import string
from datetime import UTC, datetime
from itertools import permutations
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
    if declared.style == "native":
        yield from _overlaps(declaration, setting, feeds)


def _overlaps(declaration: Declaration, setting: Setting, feeds: list[Feed]) -> Iterator[Problem]:
    """Find a feed whose transfer, with its wildcard for the revision, would bring the file of another one, too."""
    for feed, other in permutations(feeds, 2):
        wild, name = _named(feed, setting, None), _named(other, setting, 1)
        if re.fullmatch("[^/]*".join(map(re.escape, wild.split("\0"))), name):
            yield problem(
                declaration.folder,
                feed_file(declaration.folder, feed.feed),
                "file.name",
                f"`{wild.replace(chr(0), '*')}`, which Control-M looks for, is also the file `{name}` of `{other.feed}`",
                expected="names of which none begins and ends as another with a revision between",
                hint="another `file.folder`, or a word of its own before the date",
            )


def _named(feed: Feed, setting: Setting, revision: int | None) -> str:
    """Write folder and name at one instant; without a revision NUL stands in its place."""
    at = datetime(2026, 11, 20, 6, tzinfo=UTC)
    words: dict[str, object] = {
        "ENVIRONMENT": setting.where.environment,
        "environment": setting.where.environment.lower(),
        "feed": feed.feed,
        **{f"variables.{name}": value for name, value in setting.where.variables.items()},
        "business_date": at.date(),
        "scheduled_at": at,
    }
    made = ""
    for literal, word, spec, _ in string.Formatter().parse(f"{feed.file.folder.strip('/')}/{feed.file.name}"):
        made += literal
        if word == "revision":
            made += "\0" if revision is None else format(revision, spec or "")
        elif word is not None:
            made += format(words[word], spec or "")
    return made


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
