"""How do the pages of one declared API become batches?"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson

from landbridge.errors import ContractBroken, UsageError
from landbridge.feed.inputs import Cursor, LinkHeader, NextUrl, Offset, PageNumber
from landbridge.sources import records, stream
from landbridge.sources.around import without_user
from landbridge.sources.exact import exactly, loads
from landbridge.sources.rest import paging
from landbridge.sources.rest.auth import Credentials
from landbridge.sources.rest.detail import Details
from landbridge.sources.rest.http import Answer, Http, Pace, Request, led_to, same_host

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pyarrow as pa

    from landbridge.facts import Slot
    from landbridge.feed.inputs import RestSource
    from landbridge.ports import Extract
    from landbridge.sources.around import Around

_SHOWN = 60


class Rest:
    """One declared JSON API."""

    def __init__(self, name: str, declared: RestSource, around: Around) -> None:
        self._name = name
        self._declared = declared
        self._around = around

    @contextmanager
    def open(self, slot: Slot) -> Iterator[Extract]:
        """Ask for the first page now, for the others as the batches are taken; see ports.Source."""
        declared, around = self._declared, self._around
        request = first_request(self._name, declared, around, slot)
        began = around.clock.now()
        pace = Pace(declared.requests_per_second, around.clock)
        with Http(self._name, around, declared.retries, pace, declared.timeout.total_seconds()) as http:
            pages = _Pages(self._name, declared, around, slot, http)
            try:
                with stream.asking(self._name, around.progress):
                    shape, batches = _shaped(self._name, declared, pages.all(request))
                asked = stream.Asked(
                    self._name,
                    "rest",
                    around.shown(f"{declared.method} {without_user(request.url)}"),
                    {key: around.shown(value) for key, value in request.parameters.items()},
                    began,
                )
                yield stream.extract(asked, shape.schema, batches, around.clock, around.progress)
            finally:
                pages.close()


def first_request(name: str, declared: RestSource, around: Around, slot: Slot) -> Request:
    """Give the request for the first page, with everything of the slot filled in.

    Raises:
        UsageError: a template cannot be filled, or the URL is none.
    """
    url = around.resolved(declared.url, slot)
    if declared.path:
        url = joined(url, around.text(declared.path, slot))
    if not _is_url(url):
        raise UsageError(
            f"source `{name}`: `{around.shown(url)}` is no URL of an API",
            expected="http://... or https://...",
        )
    parameters = {key: around.text(value, slot) for key, value in declared.parameters.items()}
    headers = dict(declared.headers)
    body = None
    if declared.body is not None:
        body = orjson.dumps({key: around.text(value, slot) for key, value in declared.body.items()})
        headers.setdefault("Content-Type", "application/json")
    plain = Request(url, parameters, headers, declared.method, body)
    return paging.first(declared.paging, plain)


def _is_url(url: str) -> bool:
    try:
        parts = urlsplit(led_to(url, ""))
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def joined(base: str, path: str) -> str:
    """Put a path below a base URL; a path that is a whole URL stays what it is."""
    return path if urlsplit(path).scheme else f"{base.rstrip('/')}/{path.lstrip('/')}"


class _Pages:
    """The pages of one opened source, in order."""

    def __init__(self, name: str, declared: RestSource, around: Around, slot: Slot, http: Http) -> None:
        self._name = name
        self._declared = declared
        self._around = around
        self._http = http
        self._credentials = Credentials(name, declared.auth, around, slot, http)
        base = around.resolved(declared.url, slot)
        self._home = base
        self._details = (
            Details(name, declared.detail, base, declared.headers, slot, around, self.ask)
            if declared.detail is not None
            else None
        )

    def ask(self, request: Request) -> Answer:
        """Send a request, with credentials and declared headers only to the declared host."""
        if same_host(request.url, self._home):
            return self._http.send(request, self._credentials.add, self._credentials.renew)
        return self._http.send(replace(request, headers={}))

    def all(self, request: Request) -> Iterator[_Read]:
        """Give every page with its records, details joined.

        Raises:
            ContractBroken: a page is not what was declared, or the paging goes in circles or does not end.
        """
        asked: set[bytes] = set()
        last_body = b""
        before = 0
        for number in range(1, self._declared.most_pages + 1):
            answer = self.ask(request)
            read = _Read(self._name, self._declared, number, answer.body)
            self._look_for_circle(
                asked, request, number, same_body=bool(read.records) and answer.body == last_body
            )
            page = paging.Page(number, answer.headers, read.body, read.records, before)
            following = paging.following(self._name, self._declared.paging, request, page)
            before += len(read.records)
            last_body = answer.body
            if self._details is not None:
                read.joins(self._details)
            yield read
            if following is None:
                return
            request = following
        raise ContractBroken(
            f"source `{self._name}`: there is a page after page {self._declared.most_pages}",
            expected=f"at most {self._declared.most_pages} pages (`most_pages`)",
        )

    def close(self) -> None:
        """Stop what still runs for details."""
        if self._details is not None:
            self._details.close()

    def _look_for_circle(self, asked: set[bytes], request: Request, number: int, *, same_body: bool) -> None:
        mark = hashlib.blake2b(request.target.encode(), digest_size=12).digest()
        if mark in asked:
            what = "which was read before"
        elif same_body and isinstance(self._declared.paging, (Offset, PageNumber)):
            what = "which has the same records as the one before: the API does not heed the paging parameter"
        else:
            asked.add(mark)
            return
        where = {
            NextUrl: "the next URL",
            LinkHeader: "the next link",
            Cursor: "the cursor",
        }.get(type(self._declared.paging), "the paging parameter")
        raise ContractBroken(
            f"source `{self._name}`: the paging goes in circles: {where} leads to page {number}, {what}",
            expected="every page once",
        )


class _Read:
    """One page, read as JSON; once more, with exact decimals, when a column needs them."""

    def __init__(self, name: str, declared: RestSource, number: int, content: bytes) -> None:
        self._name = name
        self._declared = declared
        self._content = content
        self._details: Details | None = None
        self.number = number
        self.body = self._parsed()
        self.records = self._found(self.body)

    def joins(self, details: Details) -> None:
        """Add the detail of each record."""
        self._details = details

    def batch(self, shape: records.Shape) -> pa.RecordBatch:
        """Convert the page's records."""
        place = f"page {self.number}"
        rows = self.joined(exact=False)
        try:
            return shape.batch(rows, place)
        except records.FloatInDecimal:
            return shape.batch(self.joined(exact=True), place)

    def joined(self, *, exact: bool) -> Sequence[Any]:
        """Give the page's records with their details; `exact` reads fractions as decimals, not floats."""
        rows = self._found(self._parsed(exactly)) if exact else self.records
        return self._details.of(rows, self.number, exact=exact) if self._details is not None else rows

    def _parsed(self, read: Callable[[bytes], Any] = loads) -> Any:  # noqa: ANN401 - JSON is anything
        try:
            return read(self._content)
        except orjson.JSONDecodeError as error:
            start = self._content[:_SHOWN].decode("utf-8", "replace").lstrip()
            kind = "HTML" if start.startswith("<") else "nothing" if not self._content.strip() else str(error)
            raise ContractBroken(
                f"source `{self._name}`, page {self.number}: the answer is not JSON",
                expected="JSON",
                seen=kind,
            ) from error

    def _found(self, body: object) -> list[Any]:
        path = self._declared.records
        found = records.dug(body, path) if path else body
        if isinstance(found, list):
            return found
        if found is None and path:
            near = sorted(body) if isinstance(body, Mapping) else []
            outer, _, last = path.rpartition(".")
            holder = records.dug(body, outer) if outer else body
            nothing = isinstance(holder, Mapping) and last in holder
            raise ContractBroken(
                f"source `{self._name}`, page {self.number}: no records at `{path}`",
                expected=f"a list at `{path}` (`records`)",
                seen="null there"
                if nothing
                else f"an object with {', '.join(f'`{key}`' for key in near[:10])}"
                if near
                else type(body).__name__,
            )
        raise ContractBroken(
            f"source `{self._name}`, page {self.number}: the records are no list",
            expected="a list"
            + (f" at `{path}` (`records`)" if path else "; declare `records`, the path of the list"),
            seen="an object" if isinstance(found, dict) else type(found).__name__,
        )


def _shaped(
    name: str, declared: RestSource, pages: Iterator[_Read]
) -> tuple[records.Shape, Iterator[pa.RecordBatch]]:
    """Give the shape, and the batches: the first page has been asked for when this returns."""
    first = next(pages)
    if declared.columns:
        shape = records.declared(name, declared.columns)
        return shape, (page.batch(shape) for page in chain([first], pages))
    skipped = [first]
    while not skipped[-1].records and (more := next(pages, None)) is not None:
        skipped.append(more)
    last = skipped[-1]
    shape = records.inferred(name, last.joined(exact=False), f"page {last.number}")
    return shape, (page.batch(shape) for page in chain([last], pages))
