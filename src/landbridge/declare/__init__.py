"""What has this folder declared? landbridge.yaml, feeds and contracts become one checked Declaration, or all its mistakes.

load(Path("."))            # the Declaration, or DeclarationWrong with every mistake
examine(Path("."))         # the same for `check`, with warnings
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from landbridge.declare import text
from landbridge.declare.mistakes import validate
from landbridge.declare.text import Document
from landbridge.errors import DeclarationWrong, Problem, UsageError
from landbridge.feed import Feed
from landbridge.project import Declaration, Project

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["Examination", "examine", "load"]

PROJECT_FILE = "landbridge.yaml"
FEEDS = "feeds"


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found in a folder: the declaration if it has no mistakes, else the mistakes; and warnings."""

    declaration: Declaration | None
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...] = field(default=())


def load(folder: Path) -> Declaration:
    """Read and check the declaration in `folder`.

    Raises:
        DeclarationWrong: mistakes, all of them, sorted by file and line.
        UsageError: there is no landbridge.yaml.
    """
    found = examine(folder)
    if found.declaration is None:
        raise DeclarationWrong(found.problems)
    return found.declaration


def examine(folder: Path) -> Examination:
    """Read and check the declaration in `folder`, with warnings.

    Raises:
        UsageError: there is no landbridge.yaml.
    """
    if not (folder / PROJECT_FILE).is_file():
        raise UsageError(
            f"no {PROJECT_FILE} in {folder.resolve()}",
            expected="a folder with a declaration",
            hint="run `landbridge init` to write a small project here, or name its folder with `--project`",
        )
    document = _read(folder, folder / PROJECT_FILE)
    project = None if document.problems else validate(Project, document)
    feeds: dict[str, Feed] = {}
    documents = [document]
    for path in _feed_files(folder):
        documents.append(document := _read(folder, path))
        feed = None if document.problems else validate(Feed, document)
        if feed is not None:
            feeds[feed.feed] = feed
    problems = tuple(sorted(problem for each in documents for problem in each.problems))
    if problems or project is None:
        return Examination(None, problems)
    digest = _digest(folder, [PROJECT_FILE, *(each.file for each in documents), *_contracts(feeds.values())])
    return Examination(Declaration(folder, project, feeds, digest), ())


def _read(folder: Path, path: Path) -> Document:
    file = path.relative_to(folder).as_posix()
    try:
        return text.read(path, file)
    except OSError as error:
        problem = Problem(file, 1, 1, "", f"the file cannot be read: {error.strerror}")
        return Document(file, problems=[problem])


def _feed_files(folder: Path) -> list[Path]:
    feeds = folder / FEEDS
    return sorted(
        path for path in feeds.glob("*") if path.suffix in {".yaml", ".yml"} and path.name[0] != "."
    )


def _contracts(feeds: Iterable[Feed]) -> list[str]:
    return [feed.contract.file for feed in feeds]


def _digest(folder: Path, files: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for file in sorted(set(files)):
        content = (folder / file).read_bytes() if (folder / file).is_file() else b""
        digest.update(f"{file}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()
