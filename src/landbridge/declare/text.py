"""What does a YAML file say, and where does it say each thing?

YAML 1.2 with its core schema: `NO` is text, `2026-01-01` is text, `0600` is the number 600. Anchors, aliases and the merge
key are allowed; tags (`!!python/...`), duplicate keys, several documents and endless aliases are refused.

Source: YAML 1.2.2, chapter 10.3, "Core Schema".
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from landbridge.errors import Problem

if TYPE_CHECKING:
    from pathlib import Path

    from ruamel.yaml.nodes import Node

Plain = str | int | float | bool | None | list["Plain"] | dict[str, "Plain"]
Where = tuple[str | int, ...]
"""Keys and indexes from the root of a document."""

_BARE_TEMPLATE = re.compile(r"[:-] +\{[\w.]+(:[^ }]+)?(\}|$)", re.MULTILINE)
_NAMES_WHAT_IT_FOUND = re.compile("alias|anchor|tag|directive")
"""Such a message repeats a word of the file, which may be the rest of a password that begins with `*` or `!`."""

_MOST_NODES = 200_000
_LONGEST_NUMBER = 300
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_OWN_TAGS = {
    f"tag:yaml.org,2002:{name}"
    for name in ("str", "int", "float", "bool", "null", "map", "seq", "timestamp", "merge")
}


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a key and its value stand; lines and columns count from 1."""

    key: tuple[int, int]
    value: tuple[int, int]
    text: str = ""
    """A scalar as the person wrote it; empty for mappings and sequences."""


@dataclass(slots=True)
class Document:
    """One file as plain data, with the place of everything in it and the mistakes of its form."""

    file: str
    """Path from the project's folder, with `/`."""
    data: Plain = None
    spots: dict[Where, Spot] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    _nodes: int = 0

    def spot(self, where: Where) -> Spot:
        """Give the place of `where`, or of the nearest part above it that exists."""
        while where not in self.spots and where:
            where = where[:-1]
        return self.spots.get(where, Spot((1, 1), (1, 1)))

    def problem(
        self,
        where: Where,
        what: str,
        *,
        at_key: bool = False,
        expected: str = "",
        seen: str = "",
        hint: str = "",
    ) -> Problem:
        """Make a Problem at `where`: at the value, or at the key that introduces it."""
        spot = self.spot(where)
        line, column = spot.key if at_key else spot.value
        return Problem(self.file, line, column, dotted(where), what, expected, seen, hint)


def dotted(where: Where) -> str:
    """Write a place the way a person says it: `sources.api.fields[2]`."""
    text = ""
    for part in where:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def read(path: Path, file: str) -> Document:
    """Read the YAML file at `path`; mistakes of its form are in `problems`, and then `data` is None.

    Raises:
        OSError: the file cannot be read.
    """
    document = Document(file)
    try:
        written = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        document.problems.append(Problem(file, line, 1, "", "the file is not UTF-8 text", "UTF-8"))
        return document
    try:
        root = YAML(typ="rt", pure=True).compose(written)
    except MarkedYAMLError as error:
        document.problems.append(_unreadable(file, written, error))
        return document
    except YAMLError:
        what = "this is not YAML: it has a control character"
        document.problems.append(Problem(file, 1, 1, "", what, "YAML 1.2"))
        return document
    if root is not None:
        document.spots[()] = Spot(_mark(root), _mark(root))
        data = _plain(document, root, (), ())
        document.data = None if document.problems else data
    return document


def _unreadable(file: str, written: str, error: MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    message = str(error.problem or error.context or "unreadable")
    if _NAMES_WHAT_IT_FOUND.search(message):
        message = message.partition("'")[0].strip()
    around = "\n".join(written.splitlines()[max(line - 2, 0) : line])
    hint = "put text that begins with `{` in quotes" if _BARE_TEMPLATE.search(around) else ""
    return Problem(file, line, column, "", f"this is not YAML: {message}", "YAML 1.2", hint=hint)


def _mark(node: Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _plain(document: Document, node: Node, where: Where, above: tuple[Node, ...]) -> Plain:
    if _endless(document, where, inside=any(node is outer for outer in above)):
        return None
    if str(node.tag) not in _OWN_TAGS:
        document.problems.append(
            document.problem(
                where, "tags are not allowed in a declaration", expected="plain YAML without `!`"
            )
        )
        return None
    match node:
        case MappingNode():
            return _mapping(document, node, where, (*above, node))
        case SequenceNode():
            items: list[Plain] = []
            for index, child in enumerate(node.value):
                document.spots[*where, index] = Spot(_mark(child), _mark(child), _written(child))
                items.append(_plain(document, child, (*where, index), (*above, node)))
            return items
        case ScalarNode():
            return _scalar(node)
        case _:
            raise AssertionError(node)  # YAML has no fourth kind


def _absent(node: Node) -> bool:
    """Tell whether nothing is written after a key: the reader finds that nothing only before the next key, lines below."""
    return isinstance(node, ScalarNode) and not node.value and node.style is None


def _endless(document: Document, where: Where, *, inside: bool = False) -> bool:
    """Count one node more; note once that there are too many, or that this one is inside itself."""
    document._nodes += 1  # noqa: SLF001 # the document being built here
    if not inside and document._nodes <= _MOST_NODES:  # noqa: SLF001
        return False
    if not document.problems:
        document.problems.append(document.problem(where, "the aliases of this document never end"))
    return True


def _mapping(
    document: Document, node: MappingNode, where: Where, above: tuple[Node, ...]
) -> dict[str, Plain]:
    own: dict[str, Plain] = {}
    merged: dict[str, Plain] = {}
    for key, child in node.value:
        if not isinstance(key, ScalarNode):
            line, column = _mark(key)
            what = "a key must be one word or text"
            document.problems.append(Problem(document.file, line, column, dotted(where), what))
        elif str(key.tag).endswith(":merge"):
            merged.update(_merged(document, child, where, above))
        elif key.value in own:
            line, column = _mark(key)
            first = document.spots[*where, key.value].key[0]
            what = f"the key `{key.value}` is there twice"
            path = dotted((*where, key.value))
            document.problems.append(
                Problem(document.file, line, column, path, what, "each key once", f"first in line {first}")
            )
        else:
            document.spots[*where, key.value] = Spot(
                _mark(key), _mark(key if _absent(child) else child), _written(child)
            )
            own[key.value] = _plain(document, child, (*where, key.value), above)
    return {**{key: value for key, value in merged.items() if key not in own}, **own}


def _merged(document: Document, node: Node, where: Where, above: tuple[Node, ...]) -> dict[str, Plain]:
    """Give what the merge key brings; its places are those of the anchor, and never replace a key's own."""
    parts = list(node.value) if isinstance(node, SequenceNode) else [node]
    brought: dict[str, Plain] = {}
    for part in reversed(parts):
        if not isinstance(part, MappingNode):
            document.problems.append(
                document.problem(where, "`<<` can only bring in a mapping", expected="an alias of a mapping")
            )
            continue
        if _endless(document, where):
            break
        # The problems are the document's, so that one which says that it never ends is said once.
        aside = Document(document.file, problems=document.problems, _nodes=document._nodes)  # noqa: SLF001
        brought.update(_mapping(aside, part, where, (*above, part)) if part not in above else {})
        document._nodes = aside._nodes  # noqa: SLF001
        for spot, place in aside.spots.items():
            document.spots.setdefault(spot, place)
    return brought


def _written(node: Node) -> str:
    return node.value if isinstance(node, ScalarNode) else ""


def _scalar(node: ScalarNode) -> Plain:
    text: str = node.value
    if node.style not in (None, "") or str(node.tag).endswith(":str"):
        return text
    if text in _WORDS:
        return _WORDS[text]
    if len(text) > _LONGEST_NUMBER:
        return text
    if _INTEGER.fullmatch(text):
        return int(text, 0) if text[:2] in {"0o", "0x"} else int(text)
    if _FLOAT.fullmatch(text) and math.isfinite(number := float(text)):
        return number
    return text
