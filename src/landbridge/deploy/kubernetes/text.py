"""How is a manifest written so that every reader of YAML, 1.1 or 1.2, takes it for the same, and people can read it?"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Object = dict[str, object]
"""A Kubernetes object, as JSON."""

_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9_./@-]*(:[A-Za-z0-9_./@-]+)*")
_WORDS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "none"}
"""Not texts to somebody: YAML 1.1 takes `no` for false."""
_BLOCK = re.compile(r"[^\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]*")
_UNPRINTABLE = re.compile(r"[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
"""Refused or taken for line breaks by readers of YAML, and left as they are by JSON."""


def written(objects: Mapping[str, Object] | list[Object], *, comment: str = "") -> str:
    """Write objects as one YAML file, each a document of its own."""
    several = list(objects.values()) if isinstance(objects, dict) else list(objects)
    head = "".join(f"# {line}".rstrip() + "\n" for line in comment.splitlines())
    return head + "".join("---\n" + "\n".join(_lines(each, "")) + "\n" for each in several)


def _lines(value: object, indent: str) -> Iterator[str]:
    match value:
        case dict() if value:
            for key, below in value.items():
                yield from _entry(f"{indent}{_scalar(str(key))}:", below, indent)
        case list() if value:
            for each in value:
                if isinstance(each, dict | list) and each:
                    first, *rest = _lines(each, f"{indent}  ")
                    yield f"{indent}- {first.removeprefix(indent + '  ')}"
                    yield from rest
                else:
                    yield from _entry(f"{indent}-", each, indent)
        case _:
            yield f"{indent}{_scalar(value)}"


def _entry(head: str, value: object, indent: str) -> Iterator[str]:
    match value:
        case dict() | list() if value:
            yield head
            yield from _lines(value, indent if isinstance(value, list) else f"{indent}  ")
        case str() if "\n" in value and _is_block(value):
            ends = len(value) - len(value.rstrip("\n"))
            yield f"{head} |{('-', '', '+')[min(ends, 2)]}"
            body = value[:-1] if ends else value
            yield from (f"{indent}  {line}" if line else "" for line in body.split("\n"))
        case _:
            yield f"{head} {_scalar(value)}"


def _is_block(text: str) -> bool:
    return bool(_BLOCK.fullmatch(text)) and not text.startswith((" ", "\n", "\t"))


def _scalar(value: object) -> str:
    match value:
        case str() if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
            return value
        case str():
            quoted = json.dumps(value, ensure_ascii=False)
            return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)
        case dict() | list():
            return json.dumps(value)  # empty
        case _:
            return json.dumps(value)
