"""Which page comes next?

The five ways in which HTTP APIs page, each a small rule over the page that just came.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, assert_never
from urllib.parse import urlsplit

from landbridge.counted import counted
from landbridge.errors import ContractBroken
from landbridge.feed.inputs import Cursor, LinkHeader, NextUrl, Offset, PageNumber, SinglePage
from landbridge.sources.records import dug
from landbridge.sources.rest.http import led_to

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from landbridge.feed.inputs import Paging
    from landbridge.sources.rest.http import Request

_LINK = re.compile(
    r"""<([^>]*)>((?:\s*;\s*[\w!#$&+.^`|~*'-]+(?:\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^",;\s]+))?)*)"""
)
_PARAMETER = re.compile(r""";\s*([\w!#$&+.^`|~*'-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^",;\s]+)))?""")


@dataclass(frozen=True)
class Page:
    """A page as it came."""

    number: int
    """From 1."""
    headers: Mapping[str, str]
    body: Any
    records: Sequence[Any]
    before: int
    """Records of the pages before it."""


def first(paging: Paging, request: Request) -> Request:
    """Give the request for the first page."""
    match paging:
        case Offset() as offset:
            return _with(request, {offset.offset_parameter: "0", offset.limit_parameter: str(offset.limit)})
        case PageNumber() as page:
            size = {page.size_parameter: str(page.size)} if page.size_parameter and page.size else {}
            return _with(request, {page.parameter: str(page.first), **size})
        case SinglePage() | LinkHeader() | NextUrl() | Cursor():
            return request
        case _ as unknown:
            assert_never(unknown)


def following(  # noqa: C901 - one case a kind of paging
    source: str, paging: Paging, request: Request, page: Page
) -> Request | None:
    """Give the request for the page after `page`, which `request` brought; None after the last.

    Raises:
        ContractBroken: what should say which page is next is not there, or is not what it should be.
    """
    match paging:
        case SinglePage():
            return None
        case LinkHeader(rel=rel):
            url = linked(page.headers.get("Link") or "", rel)
            return _at(source, request, url, page) if url else None
        case NextUrl(path=path):
            url = dug(page.body, path)
            if url is None or url == "":
                return None
            if not isinstance(url, str):
                raise _odd(source, page, path, "a URL, or null after the last page", url)
            return _at(source, request, url, page)
        case Cursor(path=path, parameter=parameter):
            cursor = dug(page.body, path)
            if cursor is None or cursor == "" or cursor is False:
                return None
            if not isinstance(cursor, (str, int)) or isinstance(cursor, bool):
                raise _odd(
                    source, page, path, "a cursor (text or a number), or null after the last page", cursor
                )
            return _with(request, {parameter: str(cursor)})
        case Offset() as offset:
            return _next_offset(source, offset, request, page)
        case PageNumber() as number:
            return _next_number(source, number, request, page)
        case _ as unknown:
            assert_never(unknown)


def linked(header: str, rel: str) -> str:
    """Give the target of the link with the relation `rel` in a `Link` header (RFC 8288), empty for none."""
    for found in _LINK.finditer(header):
        for name, quoted, plain in _PARAMETER.findall(found[2]):
            if name.lower() == "rel" and rel.lower() in (quoted or plain).lower().split():
                return found[1]
    return ""


def _next_offset(source: str, offset: Offset, request: Request, page: Page) -> Request | None:
    done = page.before + len(page.records)
    if offset.total_path is None:
        if len(page.records) < offset.limit:
            return None
    else:
        total = _count(source, page, offset.total_path)
        if done >= total:
            return None
        if not page.records:
            raise ContractBroken(
                f"source `{source}`, page {page.number}: no more records come",
                expected=f"{counted(total, 'record')}, as `{offset.total_path}` says",
                seen=f"{done}",
            )
    return _with(request, {offset.offset_parameter: str(done)})


def _next_number(source: str, number: PageNumber, request: Request, page: Page) -> Request | None:
    if number.total_pages_path is None:
        if not page.records:
            return None
    elif page.number >= _count(source, page, number.total_pages_path):
        return None
    return _with(request, {number.parameter: str(number.first + page.number)})


def _count(source: str, page: Page, path: str) -> int:
    value = dug(page.body, path)
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise _odd(source, page, path, "a whole number", value)
    return value


def _at(source: str, request: Request, url: str, page: Page) -> Request:
    try:
        target = led_to(request.target, url)
    except ValueError as error:
        raise ContractBroken(
            f"source `{source}`, page {page.number}: what should lead to the next page is no URL"
        ) from error
    if urlsplit(request.url).scheme == "https" and urlsplit(target).scheme != "https":
        raise ContractBroken(
            f"source `{source}`, page {page.number}: the next page would leave https",
            hint="the API must give its next page as https, or as a relative URL",
        )
    return replace(request, url=target, parameters={})


def _with(request: Request, parameters: Mapping[str, str]) -> Request:
    return replace(request, parameters={**request.parameters, **parameters})


def _odd(source: str, page: Page, path: str, expected: str, seen: object) -> ContractBroken:
    word = "nothing" if seen is None else f"`{type(seen).__name__}`"
    return ContractBroken(
        f"source `{source}`, page {page.number}: `{path}` does not say which page is next",
        expected=expected,
        seen=word,
    )
