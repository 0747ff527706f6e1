"""What does a JSON file say, and where does it say each thing?

Strict JSON (RFC 8259) with the line and column of every key and value, which the standard library's reader does not keep.
A doubled key is remembered: what a reader makes of it is its own affair, and most take the last without a word.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from landbridge.errors import DiskFailed, UsageError

if TYPE_CHECKING:
    from pathlib import Path

_SPACE = re.compile(r"[ \t\n\r]*")
_SPACES = frozenset(" \t\n\r")
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?(?![0-9A-Za-z.])")
_WORD = re.compile(r"(?:true|false|null)\b")
_WORDS = {"true": True, "false": False, "null": None}
_LONGEST_NUMBER = 300
_DEEPEST = 100
"""A folder of sub-folders of jobs is ten deep."""
_LARGEST = 64 << 20
_KEY_FILE = re.compile(r"\s*(?:ssh-|ecdsa-|sk-|-----BEGIN )")
_MAY_REPEAT = {"Comment"}
"""The vendor's own samples write several comments into one object."""


@dataclass(frozen=True, slots=True, order=True)
class Spot:
    """A place in a file; lines and columns count from 1."""

    file: str
    line: int
    column: int


Value = str | int | float | bool | None | dict[str, "Node"] | list["Node"]


@dataclass(frozen=True, slots=True)
class Node:
    """A value, where it stands, and where each of its keys stands."""

    value: Value
    spot: Spot
    path: str = ""
    """From the root, with `/` before each key or number."""
    keys: dict[str, Spot] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Twice:
    """A key that an object has more than once."""

    key: str
    spot: Spot
    path: str
    first: int
    """Line of the one before."""


@dataclass(slots=True)
class Document:
    """One file: its value, or why it has none."""

    file: str
    root: Node | None = None
    broken: tuple[Spot, str] | None = None
    twice: list[Twice] = field(default_factory=list)
    key_text: str = ""
    """The whole text of a file that is no JSON but an SSH key."""


def read(path: Path) -> Document:
    """Read a file; what is wrong with its form is in the document.

    Raises:
        DiskFailed: it cannot be read.
        UsageError: it is not text, or far too large for a folder.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DiskFailed(f"{path} cannot be read", seen=error.strerror or str(error)) from error
    if len(raw) > _LARGEST:
        raise UsageError(
            f"{path} is too large for definitions",
            expected=f"at most {_LARGEST} bytes",
            seen=f"{len(raw)} bytes",
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text", seen=f"byte {error.start}") from error
    return parse(text, str(path))


def parse(text: str, file: str) -> Document:
    """Read a text."""
    document = Document(file)
    if _KEY_FILE.match(text):
        document.key_text = text
        document.root = Node({}, Spot(file, 1, 1))
        return document
    reader = _Reader(text, document)
    try:
        document.root = reader.whole()
    except _Broken as broken:
        document.broken = (reader.spot(broken.at), broken.what)
    return document


class _Broken(Exception):
    def __init__(self, at: int, what: str) -> None:
        super().__init__(what)
        self.at = at
        self.what = what


class _Reader:
    def __init__(self, text: str, document: Document) -> None:
        self._text = text
        self._document = document
        self._lines = [0, *(match.end() for match in re.finditer("\n", text))]

    def spot(self, at: int) -> Spot:
        line = bisect_right(self._lines, at)
        return Spot(self._document.file, line, at - self._lines[line - 1] + 1)

    def whole(self) -> Node:
        node, at = self._value(self._space(0), "", 0)
        at = self._space(at)
        if at < len(self._text):
            brace = self._text[at] == ":"
            raise _Broken(
                at, "the braces around the whole are missing" if brace else "something follows its end"
            )
        return node

    def _space(self, at: int) -> int:
        if self._text[at : at + 1] not in _SPACES:
            return at
        match = _SPACE.match(self._text, at)
        return match.end() if match else at

    def _value(self, at: int, path: str, depth: int) -> tuple[Node, int]:
        if depth > _DEEPEST:
            raise _Broken(at, f"objects are nested more than {_DEEPEST} deep")
        spot = self.spot(at)
        match self._text[at : at + 1]:
            case "{":
                return self._object(at, path, depth)
            case "[":
                return self._list(at, path, depth)
            case '"':
                text, at = self._string(at)
                return Node(text, spot, path), at
            case _:
                pass
        if word := _WORD.match(self._text, at):
            return Node(_WORDS[word[0]], spot, path), word.end()
        number = _NUMBER.match(self._text, at)
        if not number or len(number[0]) > _LONGEST_NUMBER:
            raise _Broken(at, self._unexpected(at, "a value"))
        return Node(json.loads(number[0]), spot, path), number.end()

    def _string(self, at: int) -> tuple[str, int]:
        match = _STRING.match(self._text, at)
        if not match:
            raise _Broken(at, "a text does not end in its line, or has a character that JSON escapes")
        plain = match[0][1:-1]
        return str(json.loads(match[0])) if "\\" in plain else plain, match.end()

    def _object(self, at: int, path: str, depth: int) -> tuple[Node, int]:
        spot = self.spot(at)
        held: dict[str, Node] = {}
        keys: dict[str, Spot] = {}
        at = self._space(at + 1)
        if self._text[at : at + 1] == "}":
            return Node(held, spot, path, keys), at + 1
        while True:
            if self._text[at : at + 1] != '"':
                raise _Broken(at, self._unexpected(at, "a key in double quotes"))
            here = self.spot(at)
            key, at = self._string(at)
            own = f"{path}/{key}"
            if key in keys and key not in _MAY_REPEAT:
                self._document.twice.append(Twice(key, here, own, keys[key].line))
            at = self._space(at)
            if self._text[at : at + 1] != ":":
                raise _Broken(at, self._unexpected(at, f"`:` after the key `{key}`"))
            keys[key] = here
            held[key], at = self._value(self._space(at + 1), own, depth + 1)
            at, more = self._more(at, "}")
            if not more:
                return Node(held, spot, path, keys), at

    def _list(self, at: int, path: str, depth: int) -> tuple[Node, int]:
        spot = self.spot(at)
        held: list[Node] = []
        at = self._space(at + 1)
        if self._text[at : at + 1] == "]":
            return Node(held, spot, path), at + 1
        while True:
            node, at = self._value(at, f"{path}/{len(held)}", depth + 1)
            held.append(node)
            at, more = self._more(at, "]")
            if not more:
                return Node(held, spot, path), at

    def _more(self, at: int, end: str) -> tuple[int, bool]:
        at = self._space(at)
        if self._text[at : at + 1] == end:
            return at + 1, False
        if self._text[at : at + 1] != ",":
            raise _Broken(at, self._unexpected(at, f"`,` or `{end}`"))
        after = self._space(at + 1)
        if self._text[after : after + 1] in {"}", "]"}:
            raise _Broken(at, f"a comma before `{self._text[after]}`, which JSON does not allow")
        return after, True

    def _unexpected(self, at: int, expected: str) -> str:
        """Say what stands there, without repeating it: it may be the rest of a password."""
        rest = self._text[at : at + 2]
        seen = "the end of the file"
        if rest:
            seen = {"//": "a comment", "/*": "a comment", "{{": "a template", "${": "a template"}.get(
                rest, f"`{rest[0]}`" if rest[0] in "'{}[],:" else "something else"
            )
        return f"expected {expected}, seen {seen}"
