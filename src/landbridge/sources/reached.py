"""Does a declared source answer with the declared credentials? A question that reads nothing, or the first page alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from landbridge.counted import counted
from landbridge.errors import Unavailable
from landbridge.feed.inputs import FilesSource, PythonSource, RestSource, SqlSource
from landbridge.sources.around import without_user

if TYPE_CHECKING:
    from landbridge.facts import Slot
    from landbridge.feed.inputs import Retries, SourceDeclared
    from landbridge.sources.around import Around

_PATIENCE = 20.0
"""Seconds at most that one answer is waited for, whatever is declared."""


def reached(name: str, declared: SourceDeclared, around: Around, slot: Slot) -> str:
    """Ask a source once, and say what answered, fit to be shown.

    Raises:
        Unavailable, NotPermitted, ContractBroken, UsageError: as opening the source would; see ports.Source.
    """
    match declared:
        case SqlSource():
            return _database(name, declared, around, slot)
        case RestSource():
            return _api(name, declared, around, slot)
        case FilesSource():
            from landbridge.sources.files import matching

            found = matching(name, around.resolved(declared.path, slot), around)
            return f"{counted(len(found), 'file matches', 'files match')} for {slot}"
        case PythonSource():
            from landbridge.sources.python import Python

            Python(name, declared, around).find()
            return declared.function
        case _ as unknown:
            assert_never(unknown)


def _database(name: str, declared: SqlSource, around: Around, slot: Slot) -> str:
    from landbridge.sources.sql.query import Query
    from landbridge.sources.sql.source import snapshot

    url = around.resolved(declared.url, slot)
    nothing = "select 1 from dual" if url.startswith("oracle") else "select 1"
    taken = snapshot(url, around)
    try:
        value = taken.first_value(name, Query(nothing, {}), declared.timeout)
    finally:
        taken.close()
    if value != 1:
        raise Unavailable(f"source `{name}`: the database answers `{nothing}` with something else")
    return around.shown(without_user(url))


def _api(name: str, declared: RestSource, around: Around, slot: Slot) -> str:
    from landbridge.sources.rest.auth import Credentials
    from landbridge.sources.rest.http import Http, Pace
    from landbridge.sources.rest.source import first_request

    request = first_request(name, declared, around, slot)
    once: Retries = declared.retries.model_copy(update={"attempts": 1})
    limit = min(_PATIENCE, declared.timeout.total_seconds())
    with Http(name, around, once, Pace(None, around.clock), limit) as http:
        credentials = Credentials(name, declared.auth, around, slot, http)
        body = http.send(request, credentials.add, credentials.renew).body
    return f"{around.shown(without_user(request.url))}: {len(body):,} bytes"
