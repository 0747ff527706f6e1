# ruff: noqa: INP001 # a script, no package
"""Writes docs/reference/declaration.md from the models, so that no key, default or description can be forgotten.

Run it after a change of a model: `.venv/bin/python docs/make_reference.py`. A test compares the page with the models.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from landbridge.declare.vocabulary import schema_of
from landbridge.feed import Feed
from landbridge.project import Project

PAGE = Path(__file__).parent / "reference" / "declaration.md"

_HEAD = """\
# The declaration, key by key

Made from the models by `docs/make_reference.py`; `landbridge schema project` and `landbridge schema feed` print the same
as JSON Schema. Every key that is not listed here is refused, with the nearest one that is. YAML is 1.2: `NO` and
`2026-11-20` are text, anchors and the merge key `<<` may be used, tags may not.

Durations are written `30s`, `90m`, `2h` or `1h30m`; a time of day is `"07:00"`, in quotes. A secret is always a reference:
`env:NAME`, `file:PATH` (from the project's folder) or `aws-sm:ID`.

Templates know these words: `{ENVIRONMENT}` and `{environment}` (the name as declared, and in lower case), `{business_date}`,
`{scheduled_at}` (UTC), `{revision}`, `{feed}` and `{variables.NAME}`. After a colon stands a format: `{business_date:%Y%m%d}`,
`{scheduled_at:%H%M}`, `{revision:03d}`. A brace of the text itself is written twice.
"""


def page() -> str:
    """Give the whole page."""
    project, feed = schema_of(Project), schema_of(Feed)
    definitions: dict[str, Any] = {**_defs(project), **_defs(feed)}
    parts = [_HEAD]
    for title, schema in (("landbridge.yaml", project), ("feeds/NAME.yaml", feed)):
        parts.append(f"## {title}\n\n{schema.get('description', '')}\n\n{_table(schema)}")
        parts += [_section(name, definitions[name]) for name in _reached(schema, definitions)]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _defs(schema: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = schema.get("$defs", {})
    return found


def _reached(schema: dict[str, Any], definitions: dict[str, Any]) -> list[str]:
    """Give the names of all models below, in the order in which a reader meets them."""
    found: dict[str, None] = {}

    def visit(node: object) -> None:
        if isinstance(node, dict):
            reference = node.get("$ref")
            if isinstance(reference, str):
                name = reference.rsplit("/", 1)[1]
                if name not in found:
                    found[name] = None
                    visit(definitions[name])
            for key, value in node.items():
                if key not in {"$defs", "discriminator"}:
                    visit(value)
        elif isinstance(node, list):
            for value in node:
                visit(value)

    visit(schema)
    return list(found)


def _section(name: str, schema: dict[str, Any]) -> str:
    kind = schema.get("properties", {}).get("kind", {}).get("const")
    title = f"{name} (`kind: {kind}`)" if kind else name
    return f"### {title} {{ #{name.lower()} }}\n\n{schema.get('description', '')}\n\n{_table(schema)}"


def _table(schema: dict[str, Any]) -> str:
    required = set(schema.get("required", ()))
    lines = ["| key | value | default | |", "|---|---|---|---|"]
    for key, part in schema.get("properties", {}).items():
        default = "required" if key in required else _default(part)
        lines.append(f"| `{key}` | {_value(part)} | {default} | {_cell(part.get('description', ''))} |")
    return "\n".join(lines)


def _default(part: dict[str, Any]) -> str:
    default = part.get("default")
    if default is None or default in ("", {}, []):
        return ""
    return f"`{default if isinstance(default, str) else json.dumps(default, ensure_ascii=False)}`".replace(
        "|", "\\|"
    )


def _value(part: dict[str, Any]) -> str:
    """Say what may stand there, with links to the models."""
    match part:
        case {"$ref": str(reference)}:
            name = reference.rsplit("/", 1)[1]
            return f"[{name}](#{name.lower()})"
        case {"const": constant}:
            return f"`{constant}`"
        case {"enum": [*words]}:
            return ", ".join(f"`{word}`" for word in words)
        case {"anyOf": [*branches]} | {"oneOf": [*branches]}:
            return " or ".join(_value(branch) for branch in branches if branch != {"type": "null"})
        case {"type": "array", "items": dict(items)}:
            return f"list of {_value(items)}"
        case {"type": "object", **rest}:
            below: object = (
                rest.get("additionalProperties") or [*rest.get("patternProperties", {}).values(), {}][0]
            )
            return f"mapping of names to {_value(below) if isinstance(below, dict) else 'text'}"
        case {"type": str(kind)}:
            return _NAMES.get(part.get("format", ""), _NAMES.get(kind, kind)) + _limits(part)
        case _:
            return "text"


_NAMES = {"string": "text", "integer": "whole number", "boolean": "`true` or `false`", "date": "date"}


def _limits(part: dict[str, Any]) -> str:
    """Say bounds and examples; a pattern is the business of the error messages and of editors."""
    low, high, above = part.get("minimum"), part.get("maximum"), part.get("exclusiveMinimum")
    text = (
        f" {low} to {high}"
        if low is not None and high is not None
        else f" from {low}"
        if low is not None
        else ""
    )
    text += f" above {above}" if above is not None else ""
    examples = part.get("examples", [])
    return text + (", such as " + ", ".join(f"`{example}`" for example in examples) if examples else "")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
