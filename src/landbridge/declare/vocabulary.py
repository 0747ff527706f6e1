"""Which keys and values does the declaration know at a place? Read off the JSON Schema of the models.

The one schema serves editors, the reference and the hints of error messages, so none of them can disagree.
"""

from __future__ import annotations

import difflib
from functools import cache
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from landbridge.declare.text import Plain, Where
    from landbridge.feed import Feed
    from landbridge.project import Project

Schema = dict[str, object]
_SECRET = "^(env|file|aws-sm):.+"  # noqa: S105 # the pattern of a reference, see feed/words.py


@cache
def schema_of(model: type[Feed | Project]) -> Schema:
    """Give the JSON Schema (draft 2020-12) of one declaration file."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **model.model_json_schema()}


def schema_at(model: type[Feed | Project], data: Plain, where: Where) -> Schema:
    """Give the part of the schema that governs `where` in `data`; empty when nothing does."""
    root = schema_of(model)
    part = _choose(root, root, data)
    for step in where:
        below = _below(part, step)
        data = _step(data, step)
        part = _choose(root, below, data)
    return part


def keys(schema: Schema) -> tuple[str, ...]:
    """Give the keys a mapping with this schema knows, in the order of the model."""
    return tuple(cast("Mapping[str, object]", schema.get("properties", {})))


def is_secret(schema: Schema) -> bool:
    """Tell whether the value here is a reference to a secret, so that whatever stands there must not be repeated."""
    return schema.get("pattern") == _SECRET


def nearest(word: str, known: Iterable[str]) -> str:
    """Give the known word that is most like `word`, or an empty text."""
    by_lower = {each.lower(): each for each in known}
    found = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[found[0]] if found else ""


def _choose(root: Schema, part: Schema, data: Plain) -> Schema:
    """Follow references and pick the branch of a union that fits what stands there."""
    while True:
        if "$ref" in part:
            name = str(part["$ref"]).rsplit("/", 1)[1]
            part = cast("dict[str, Schema]", root["$defs"])[name]
        elif "discriminator" in part:
            mapping = cast("dict[str, dict[str, str]]", part["discriminator"])["mapping"]
            kind = data.get("kind") if isinstance(data, dict) else None
            if not isinstance(kind, str) or kind not in mapping:
                return {"properties": {"kind": {"enum": list(mapping)}}}
            part = {"$ref": mapping[kind]}
        elif "anyOf" in part:
            branches = [_choose(root, each, data) for each in cast("list[Schema]", part["anyOf"])]
            wanted = "object" if isinstance(data, dict) else "array" if isinstance(data, list) else ""
            fitting = [each for each in branches if ("properties" in each or each.get("type") == wanted)]
            scalars = [each for each in branches if each.get("type") not in {"object", "null", "array"}]
            return (fitting if wanted else scalars or branches)[0] if (fitting or not wanted) else {}
        else:
            return part


def _below(part: Schema, step: str | int) -> Schema:
    if isinstance(step, int):
        return cast("Schema", part.get("items", {}))
    properties = cast("dict[str, Schema]", part.get("properties", {}))
    by_pattern = list(cast("dict[str, Schema]", part.get("patternProperties", {})).values())
    more = part.get("additionalProperties")
    return properties.get(step) or (more if isinstance(more, dict) else by_pattern[0] if by_pattern else {})


def _step(data: Plain, step: str | int) -> Plain:
    match data, step:
        case dict(), str():
            return data.get(step)
        case list(), int() if step < len(data):
            return data[step]
        case _:
            return None
