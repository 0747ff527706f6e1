"""Where in the contract's text does each clause stand? Keeps line and column of every key, for errors that point."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from landbridge.contract.checks import Place
from landbridge.errors import DeclarationWrong, DiskFailed, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ruamel.yaml import YAML
    from ruamel.yaml.nodes import ScalarNode

Step = str | int
Path_ = tuple[Step, ...]


class Spelled(float):
    """A number with a fraction as the contract spells it, because a float would round a bound of twenty digits."""

    text: str

    def __str__(self) -> str:
        """Give the digits as they were written."""
        return self.text


class Document:
    """A YAML text with the place of every key, and the problems found in it so far."""

    def __init__(self, path: Path) -> None:
        """Read the file.

        Raises:
            DeclarationWrong: it is not there, not UTF-8, or no YAML mapping.
            DiskFailed: it cannot be read.
        """
        self.file = str(path)
        self.problems: list[Problem] = []
        self.text = ""
        self.tree = self._parsed(path)

    def _parsed(self, path: Path) -> object:
        from ruamel.yaml.error import MarkedYAMLError, YAMLError

        try:
            self.text = path.read_bytes().decode("utf-8")
            tree = _reader().load(self.text)
        except FileNotFoundError as error:
            raise DeclarationWrong(
                [
                    Problem(
                        self.file,
                        1,
                        1,
                        "",
                        "no such contract",
                        "a file in the Open Data Contract Standard (ODCS)",
                    )
                ]
            ) from error
        except UnicodeDecodeError as error:
            raise DeclarationWrong(
                [Problem(self.file, 1, 1, "", "the contract is not UTF-8 text", "UTF-8")]
            ) from error
        except OSError as error:
            raise DiskFailed(f"cannot read the contract {path}", seen=error.strerror or "") from error
        except MarkedYAMLError as error:
            mark = error.problem_mark
            line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
            raise DeclarationWrong(
                [Problem(self.file, line, column, "", f"not YAML: {error.problem or error.context}")]
            ) from error
        except YAMLError as error:
            raise DeclarationWrong([Problem(self.file, 1, 1, "", f"not YAML: {error}")]) from error
        if not isinstance(tree, dict):
            raise DeclarationWrong(
                [
                    Problem(
                        self.file,
                        1,
                        1,
                        "",
                        "the contract is not a mapping of keys",
                        "`apiVersion: v3.1.0`, `kind: DataContract`, `schema: ...`",
                    )
                ]
            )
        return tree

    def at(self, path: Path_) -> object:
        """Give the part of the tree at `path`, None when there is none."""
        node: object = self.tree
        for step in path:
            match node, step:
                case dict(), str():
                    node = node.get(step)
                case list(), int() if step < len(node):
                    node = node[step]
                case _:
                    return None
        return node

    def place(self, path: Path_) -> Place:
        """Say where the key (or item) at `path` begins; the nearest thing above it when it is not there."""
        line, column, node = 0, 0, self.tree
        for step in path:
            marks = getattr(node, "lc", None)
            match node, step:
                case dict(), str() if step in node and marks is not None:
                    line, column = marks.key(step)
                    node = node[step]
                case list(), int() if step < len(node) and marks is not None:
                    line, column = marks.item(step)
                    node = node[step]
                case _:
                    break
        return Place(self.file, line + 1, column + 1, dotted(path))

    def wrong(self, path: Path_, what: str, *, expected: str = "", seen: str = "", hint: str = "") -> None:
        """Note a problem at `path`."""
        place = self.place(path)
        self.problems.append(
            Problem(self.file, place.line, place.column, place.path, what, expected, seen, hint)
        )

    def settle(self) -> None:
        """End here if anything is wrong.

        Raises:
            DeclarationWrong: with every problem noted so far.
        """
        if self.problems:
            raise DeclarationWrong(self.problems)


def _reader() -> YAML:
    """Give a reader that keeps places, and numbers as they are spelled."""
    from ruamel.yaml import YAML
    from ruamel.yaml.constructor import RoundTripConstructor

    class Exact(RoundTripConstructor):
        def construct_yaml_float(self, node: ScalarNode) -> float:
            number = Spelled(super().construct_yaml_float(node))
            number.text = node.value
            return number

    Exact.add_constructor("tag:yaml.org,2002:float", Exact.construct_yaml_float)
    reader = YAML(typ="rt")
    reader.Constructor = Exact
    return reader


def dotted(path: Path_) -> str:
    """Write a path the way the documentation does: `schema[0].properties[2].quality[0].mustBe`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def nearest(word: str, known: Iterable[str]) -> str:
    """Give a hint with the nearest known word, or an empty one."""
    found = get_close_matches(word, list(known), 1)
    return f"did you mean `{found[0]}`?" if found else ""
