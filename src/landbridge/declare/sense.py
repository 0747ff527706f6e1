"""Do the parts of a declaration fit each other, and is no secret written out where a reference belongs?"""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING

from landbridge.declare.collisions import where_of
from landbridge.declare.mistakes import REFERENCE
from landbridge.errors import UsageError
from landbridge.feed.inputs import FilesSource, RestReady, RestSource, SqlSource
from landbridge.feed.outputs import Csv, Parquet
from landbridge.feed.words import is_reference, names_something
from landbridge.naming import CANARY_FEED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from landbridge.declare.text import Document, Where
    from landbridge.feed import Feed
    from landbridge.project import Holidays, Place, Project
    from landbridge.schedule import Calendar

_SECRET_HEADER = re.compile(r"authorization|cookie|token|secret|password|api-?key", re.IGNORECASE)
_SECRET_PARAMETER = re.compile(
    r"api_?key|apikey|access_token|client_secret|secret|password|passwd|authorization", re.IGNORECASE
)
_PASSWORD_IN_URL = re.compile(r"^[\w+.-]+://[^/@:]*:[^/@]+@")
_HTTP = re.compile(r"https?://|\{", re.IGNORECASE)
"""A template may bring the beginning."""
_DECIMAL = re.compile(r"decimal\((\d+),\s*(\d+)\)")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_REGION = re.compile(r"[a-z]+(-[a-z]+)+-[0-9]+")
_MOST_DIGITS = 38


def check_feed(feed: Feed, document: Document) -> None:
    """Note what cannot be together in one feed."""
    if feed.feed == CANARY_FEED:
        what = f"`{CANARY_FEED}` is the feed of `landbridge canary`"
        document.problems.append(document.problem(("feed",), what, expected="another name"))
    for name, source in feed.sources.items():
        where: Where = ("sources", name)
        if isinstance(source, RestSource):
            _check_rest(document, where, source)
        if not isinstance(source, SqlSource):
            _check_types(document, (*where, "columns"), source.columns)
        if isinstance(source, FilesSource):
            _check_encoding(document, (*where, "encoding"), source.encoding)
        if isinstance(source, RestSource | SqlSource) and not source.timeout:
            document.problems.append(
                document.problem((*where, "timeout"), "`timeout` must be longer than 0s")
            )
    ready = feed.schedule.ready
    if ready and isinstance(ready.signal, RestReady):
        _check_url(document, ("schedule", "ready", "signal", "url"), ready.signal.url)
    _check_file(feed, document)


def _check_rest(document: Document, where: Where, source: RestSource) -> None:
    _check_url(document, (*where, "url"), source.url)
    for key, values, secret in (
        ("headers", source.headers, _SECRET_HEADER.search),
        ("parameters", source.parameters, _SECRET_PARAMETER.fullmatch),
    ):
        for name, value in values.items():
            if secret(name) and not is_reference(value):
                document.problems.append(
                    document.problem(
                        (*where, key, name),
                        f"`{name}` looks like a secret that is written out",
                        expected=REFERENCE,
                        hint="declare it under `auth`",
                    )
                )


def _check_url(document: Document, where: Where, url: str) -> None:
    if is_reference(url):
        if not names_something(url):
            document.problems.append(
                document.problem(where, "the reference names nothing", expected=REFERENCE)
            )
    elif _PASSWORD_IN_URL.match(url):
        what = "the URL has a password in it"
        document.problems.append(document.problem(where, what, expected=REFERENCE))
    elif not _HTTP.match(url):
        expected = "http://... or https://..., or a reference such as `env:NAME`"
        document.problems.append(document.problem(where, "this is no URL of an API", expected=expected))


def _check_types(document: Document, where: Where, columns: Mapping[str, str]) -> None:
    for name, kind in columns.items():
        found = _DECIMAL.fullmatch(kind)
        if found and not (1 <= int(found[1]) <= _MOST_DIGITS and int(found[2]) <= int(found[1])):
            expected = f"at most {_MOST_DIGITS} digits, and no more after the point than all together"
            document.problems.append(
                document.problem((*where, name), f"no such type `{kind}`", expected=expected)
            )


def _check_encoding(document: Document, where: Where, encoding: str) -> None:
    try:
        codecs.lookup(encoding)
    except LookupError:
        document.problems.append(
            document.problem(where, f"no encoding `{encoding}`", expected="such as `utf-8`")
        )


def _check_file(feed: Feed, document: Document) -> None:
    declared, where = feed.file.format, ("file", "format")
    if isinstance(declared, Parquet) and feed.file.compression != "none":
        what = "Parquet is compressed inside"
        document.problems.append(
            document.problem(
                ("file", "compression"), what, hint=f"use `codec: {feed.file.compression}` of the format"
            )
        )
    if not isinstance(declared, Csv):
        return
    if declared.delimiter == declared.quote:
        document.problems.append(document.problem((*where, "delimiter"), "the delimiter is the quote too"))
    for key in ("delimiter", "quote"):
        if getattr(declared, key) in "\r\n":
            document.problems.append(document.problem((*where, key), f"the {key} cannot end a line"))
    if declared.delimiter in declared.null or declared.quote in declared.null:
        what = "the text of a missing value has the delimiter or the quote in it"
        document.problems.append(document.problem((*where, "null"), what))


def check_calendars(project: Project, document: Document, calendars: Mapping[str, Calendar]) -> set[str]:
    """Give the names of the calendars that can be used, and note the others; `holidays` is only loaded for those in `calendars`."""
    sound = set()
    for name, calendar in calendars.items():
        declared: Holidays = project.calendars[name]
        where: Where = ("calendars", name)
        if declared.subdivision and not declared.country:
            document.problems.append(
                document.problem((*where, "subdivision"), "a subdivision needs its `country`")
            )
            continue
        try:
            calendar.check()
        except UsageError as error:
            at = "subdivision" if declared.subdivision else "country"
            document.problems.append(document.problem((*where, at), error.what, expected=error.expected))
            continue
        sound.add(name)
    return sound


def check_places(project: Project, document: Document, places: Sequence[Place]) -> None:
    """Note texts of an environment that are still templates once it is filled in, and regions and buckets that AWS would refuse."""
    noted: set[Where] = set()
    for place in places:
        _check_region(project, document, place, noted)
        for part, key, value in _texts(place):
            where = where_of(project, place.environment, part, key)
            if where in noted:
                continue
            if "{" in value or "}" in value:
                what = f"only `{{environment}}` and `{{ENVIRONMENT}}` can be used in `{key}`"
                document.problems.append(document.problem(where, what, seen=value))
                noted.add(where)
            elif part == "buckets" and key in {"staging", "reports", "ledger"} and not _is_bucket(value):
                what = f"S3 takes no bucket `{value}`"
                expected = "3 to 63 lower-case letters, digits, `.` and `-`"
                document.problems.append(document.problem(where, what, expected=expected))
                noted.add(where)
        _check_shared_bucket(project, document, place, noted)


def _check_region(project: Project, document: Document, place: Place, noted: set[Where]) -> None:
    own = project.environments[place.environment].region is not None
    where: Where = ("environments", place.environment, "region") if own else ("region",)
    if where not in noted and not _REGION.fullmatch(place.region):
        what = f"`{place.region}` is no region of AWS"
        document.problems.append(document.problem(where, what, expected="one such as `eu-west-2`"))
        noted.add(where)


def _check_shared_bucket(project: Project, document: Document, place: Place, noted: set[Where]) -> None:
    """Note a ledger that would lie among files: its keys are written once and never expire, receipts and drafts are not and do."""
    where = where_of(project, place.environment, "buckets", "ledger")
    own = place.buckets
    if where in noted or own.ledger_prefix.strip("/") or own.ledger not in {own.staging, own.reports}:
        return
    other = "staging" if own.ledger == own.staging else "reports"
    what = f"the ledger shares the {other} bucket without a prefix of its own"
    hint = "give it a bucket, or say `ledger_prefix: ledger`"
    document.problems.append(document.problem(where, what, seen=own.ledger, hint=hint))
    noted.add(where)


def _texts(place: Place) -> Iterator[tuple[str, str, str]]:
    for part, model in (("buckets", place.buckets), ("sftp", place.sftp), ("share", place.share)):
        for key, value in model:
            if isinstance(value, str):
                yield part, key, value


def _is_bucket(name: str) -> bool:
    return _BUCKET.fullmatch(name) is not None and ".." not in name
