"""What in a declaration cannot be put into Control-M, and where does it stand?"""

from __future__ import annotations

import re
import string
from bisect import bisect_left
from datetime import UTC, datetime
from itertools import islice, permutations
from typing import TYPE_CHECKING

from landbridge.deploy.controlm.extra import literal_secrets
from landbridge.deploy.controlm.jobs import job_stem
from landbridge.deploy.mistakes import PROJECT_FILE, feed_file, problem
from landbridge.errors import UsageError
from landbridge.schedule import Calendar, slots

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landbridge.controlm import ControlM
    from landbridge.deploy.controlm.setting import Setting
    from landbridge.errors import Problem
    from landbridge.facts import Slot
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
    """Find a feed whose transfer, with its wildcard for the revision, would bring the file of another one, too.

    On whatever day: all names of a year are compared, for a date in one name may be another date in the other.
    """
    for feed, other in permutations(feeds, 2):
        if not _may_meet(feed, other, setting):
            continue
        names = sorted({_named(other, setting, 1, slot) for slot in _year(declaration, other, setting)})
        found = (
            (wild, name)
            for wild in dict.fromkeys(
                _named(feed, setting, None, slot) for slot in _year(declaration, feed, setting)
            )
            for name in _matching(wild, names)
        )
        first = next(found, None)
        if first is not None:
            wild, name = first
            yield problem(
                declaration.folder,
                feed_file(declaration.folder, feed.feed),
                "file.name",
                f"`{wild.replace(chr(0), '*')}`, which Control-M looks for, is also the file `{name}` of `{other.feed}`",
                expected="names of which none begins and ends as another with a revision between",
                hint="another `file.folder`, or a word of its own before the date",
            )


def _may_meet(feed: Feed, other: Feed, setting: Setting) -> bool:
    """Tell whether their names begin alike as far as neither depends on the slot: cheap, and true for few."""
    one, two = _fixed(feed, setting), _fixed(other, setting)
    return one.startswith(two) or two.startswith(one)


def _fixed(feed: Feed, setting: Setting) -> str:
    made = ""
    for literal, word, spec, _ in string.Formatter().parse(_template(feed)):
        made += literal
        if word in {"business_date", "scheduled_at", "revision"}:
            break
        if word is not None:
            made += format(_words(feed, setting)[word], spec or "")
    return made


def _year(declaration: Declaration, feed: Feed, setting: Setting) -> list[Slot]:
    year = setting.declared.first_year
    named = feed.schedule.calendar
    calendar = Calendar(declaration.project.calendars[named] if named else None)
    return list(slots(feed, calendar, datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)))


def _matching(wild: str, names: list[str]) -> Iterator[str]:
    """Give which of the sorted names a pattern stands for."""
    parts = wild.split("\0")
    pattern = re.compile("[^/]*".join(map(re.escape, parts)))
    for name in islice(names, bisect_left(names, parts[0]), None):
        if not name.startswith(parts[0]):
            return
        if pattern.fullmatch(name):
            yield name


def _template(feed: Feed) -> str:
    return f"{feed.file.folder.strip('/')}/{feed.file.name}"


def _words(feed: Feed, setting: Setting) -> dict[str, object]:
    return {
        "ENVIRONMENT": setting.where.environment,
        "environment": setting.where.environment.lower(),
        "feed": feed.feed,
        **{f"variables.{name}": value for name, value in setting.where.variables.items()},
    }


def _named(feed: Feed, setting: Setting, revision: int | None, slot: Slot) -> str:
    """Write folder and name of a slot; without a revision NUL stands in its place."""
    words: dict[str, object] = {
        **_words(feed, setting),
        "business_date": slot.business_date,
        "scheduled_at": slot.scheduled_at.astimezone(UTC),
    }
    made = ""
    for literal, word, spec, _ in string.Formatter().parse(_template(feed)):
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
