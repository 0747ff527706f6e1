"""How does a fact become bytes that never change, and come back as the same fact?

One JSON object: `kind`, `schema`, and the fact's own fields; keys sorted, UTF-8, no spaces, one line end. The same fact
always gives the same bytes. Reading is strict: an unknown field, another kind or a newer schema is refused.
"""

from __future__ import annotations

from typing import TypeVar, cast

import orjson
from pydantic import TypeAdapter, ValidationError

from landbridge.errors import IntegrityBroken

SCHEMA = 1

_T = TypeVar("_T")


_ADAPTERS: dict[type[object], TypeAdapter[object]] = {}


def _adapter(fact: type[object]) -> TypeAdapter[object]:
    """Make it at its first use: that takes some milliseconds."""
    if fact not in _ADAPTERS:
        _ADAPTERS[fact] = TypeAdapter(fact)
    return _ADAPTERS[fact]


def written(kind: str, fact: object) -> bytes:
    """Give the bytes of a fact."""
    fields = _adapter(type(fact)).dump_python(fact, mode="json")
    return canonical({"kind": kind, "schema": SCHEMA, **cast("dict[str, object]", fields)}) + b"\n"


def canonical(document: object) -> bytes:
    """Give the one form of a JSON document that is hashed and signed."""
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)


def read(kind: str, fact: type[_T], body: bytes, where: str, *, most: int) -> _T:
    """Give the fact that `written` made the bytes at `where` of.

    Raises:
        IntegrityBroken: they are more than `most` bytes, or anything else than such a fact.
    """
    if len(body) > most:
        raise broken(where, f"at most {most} bytes", f"{len(body)} bytes")
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise broken(where, "one JSON object", f"line {error.lineno}: {error.msg}") from error
    if not isinstance(document, dict):
        raise broken(where, "one JSON object", f"a {type(document).__name__}")
    seen_kind, schema = document.pop("kind", None), document.pop("schema", None)
    if seen_kind != kind:
        raise broken(where, f"kind `{kind}`", repr(seen_kind)[:80])
    if schema != SCHEMA or isinstance(schema, bool):
        raise broken(where, f"schema {SCHEMA}; a newer Landbridge may have written it", repr(schema)[:80])
    try:
        return cast("_T", _adapter(fact).validate_json(orjson.dumps(document), strict=True, extra="forbid"))
    except ValidationError as error:
        raise broken(where, f"the fields of a {kind}", _first(error)) from error


def broken(where: str, expected: str, seen: str) -> IntegrityBroken:
    """Say that an entry is not what was written there."""
    return IntegrityBroken(
        f"{where} is not readable as evidence",
        expected=expected,
        seen=seen,
        hint="it was never written by Landbridge, or was changed since: look at who can write there",
    )


def _first(error: ValidationError) -> str:
    """Name the first wrong field. Its value is left out: it may be anything, and long."""
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    where = ".".join(str(part)[:40] for part in first["loc"])
    return f"{where}: {first['msg']} ({error.error_count()} in all)"
