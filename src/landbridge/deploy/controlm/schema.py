"""How does the JSON Schema of the documents that we write look?"""

from __future__ import annotations

from typing import Any

from landbridge.deploy.controlm.documents import Folders, Profiles

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """Give one schema for both documents: `$defs` holds each, and either is accepted."""
    definitions: dict[str, Any] = {}
    roots = []
    for document in (Profiles, Folders):
        made = document.model_json_schema(by_alias=True)
        definitions |= made.pop("$defs")
        definitions[document.__name__] = made
        roots.append({"$ref": f"#/$defs/{document.__name__}"})
    return {
        "$schema": DIALECT,
        "title": "What Landbridge writes for Control-M",
        "description": "The subset of Control-M's Automation API JSON that is ever emitted. Only `ctm build` is authoritative.",
        "anyOf": roots,
        "$defs": dict(sorted(definitions.items())),
    }
