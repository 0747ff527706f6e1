"""What has this folder declared? landbridge.yaml, feeds and contracts become one checked Declaration, or all its mistakes.

load(Path("."))            # the Declaration, or DeclarationWrong with every mistake
examine(Path("."))         # the same for `check`, with warnings
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from landbridge.declare import collisions, references, sense, templates, text, times
from landbridge.declare.mistakes import validate
from landbridge.declare.text import Document
from landbridge.declare.vocabulary import nearest
from landbridge.declare.written import WrittenFeed
from landbridge.errors import DeclarationWrong, Problem, UsageError
from landbridge.feed import Feed
from landbridge.project import Declaration, Project, place
from landbridge.schedule import Calendar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from landbridge.project import Place

__all__ = ["Examination", "examine", "load"]

PROJECT_FILE = "landbridge.yaml"
FEEDS = "feeds"


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found in a folder: the declaration if it has no mistakes, else the mistakes; and warnings."""

    declaration: Declaration | None
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


def load(folder: Path, *, only: str | None = None, now: datetime | None = None) -> Declaration:
    """Read and check the declaration in `folder`; slots are looked at from `now` on (by default from this instant).

    With `only`, nothing but the project and that feed: what a run needs, however many feeds there are.

    Raises:
        DeclarationWrong: mistakes, all of them, sorted by file and line.
        UsageError: there is no landbridge.yaml, or no such feed.
    """
    found = examine(folder, only=only, now=now)
    if found.declaration is None:
        raise DeclarationWrong(found.problems)
    return found.declaration


def examine(folder: Path, *, only: str | None = None, now: datetime | None = None) -> Examination:
    """Read and check the declaration in `folder`, with warnings.

    Raises:
        UsageError: there is no landbridge.yaml, or no feed `only`.
    """
    if not (folder / PROJECT_FILE).is_file():
        raise UsageError(
            f"no {PROJECT_FILE} in {folder.resolve()}",
            expected="a folder with a declaration",
            hint="run `landbridge init` to write a small project here, or name its folder with `--project`",
        )
    document = _read(folder, folder / PROJECT_FILE)
    project = None if document.problems else validate(Project, document)
    documents = [document]
    feeds: list[tuple[Feed, Document]] = []
    for path in _feed_files(folder, only):
        documents.append(written := _read(folder, path))
        feed = None if written.problems else validate(Feed, written)
        if feed is not None:
            feeds.append((feed, written))
    _check(folder, project, document, feeds, now or datetime.now(UTC))
    problems = tuple(sorted(problem for each in documents for problem in each.problems))
    warnings = tuple(sorted(problem for each in documents for problem in each.warnings))
    if problems or project is None:
        return Examination(None, problems, warnings)
    by_name = {feed.feed: feed for feed, _ in feeds}
    digest = _digest(folder, [*(each.file for each in documents), *(f.contract.file for f, _ in feeds)])
    return Examination(Declaration(folder, project, by_name, digest), (), warnings)


def _check(
    folder: Path,
    project: Project | None,
    document: Document,
    feeds: Sequence[tuple[Feed, Document]],
    now: datetime,
) -> None:
    """Note what is wrong across files. What depends on a part with mistakes of its own is left out: one message a mistake."""
    _check_feed_names(feeds)
    noted: set[str] = set()
    for feed, written in feeds:
        sense.check_feed(feed, written)
        references.check_sources(feed, written, folder)
        references.check_contract(feed, written, folder, noted)
        if project is not None:
            references.check_project(feed, written, project)
    if project is None:
        return
    places = [place(project, environment) for environment in project.environments]
    sense.check_places(project, document, places)
    used = {feed.schedule.calendar for feed, _ in feeds} & set(project.calendars)
    calendars = {name: Calendar(project.calendars[name]) for name in project.calendars if name in used}
    sound = sense.check_calendars(project, document, calendars)
    known = []
    for feed, written in feeds:
        name = feed.schedule.calendar
        if name is None or name in sound:
            slots = times.check(feed, written, calendars[name] if name else Calendar(), now)
            own = tuple(e for e in project.environments if not feed.environments or e in feed.environments)
            known.append(WrittenFeed(feed, written, own, slots))
    _check_names(project, document, places, known)


def _check_feed_names(feeds: Sequence[tuple[Feed, Document]]) -> None:
    taken = {feed.feed: written.file for feed, written in feeds if _stem(written) == feed.feed}
    for feed, written in feeds:
        first = taken.setdefault(feed.feed, written.file)
        if first != written.file:
            what = f"the feed `{feed.feed}` is already in {first}"
            written.problems.append(written.problem(("feed",), what, hint="give it a name of its own"))
        elif _stem(written) != feed.feed:
            what = f"the feed `{feed.feed}` stands in a file of another name"
            expected = f"{FEEDS}/{feed.feed}.yaml"
            written.problems.append(written.problem(("feed",), what, expected=expected, seen=written.file))


def _stem(document: Document) -> str:
    return PurePosixPath(document.file).stem


def _check_names(
    project: Project, document: Document, places: Sequence[Place], feeds: Sequence[WrittenFeed]
) -> None:
    variables = {each.environment: each.variables for each in places}
    comparable = []
    for each in feeds:
        own = {environment: variables[environment] for environment in each.environments}
        if each.slots and own and templates.check(each.feed, each.document, each.slots[0], own):
            comparable.append(each)
    collisions.check_places(project, document, places, feeds)
    collisions.check_names(places, comparable)


def _read(folder: Path, path: Path) -> Document:
    file = path.relative_to(folder).as_posix()
    try:
        return text.read(path, file)
    except OSError as error:
        problem = Problem(file, 1, 1, "", f"the file cannot be read: {error.strerror}")
        return Document(file, problems=[problem])


def _feed_files(folder: Path, only: str | None) -> list[Path]:
    """Give the feeds' files, all or the one of feed `only`: a feed stands in the file of its name."""
    files = sorted(
        path
        for path in (folder / FEEDS).glob("*")
        if path.suffix in {".yaml", ".yml"} and not path.name.startswith(".")
    )
    if only is None:
        return files
    chosen = [path for path in files if path.stem == only]
    if not chosen:
        names = [path.stem for path in files]
        near = nearest(only, names)
        raise UsageError(
            f"no feed `{only}` in {(folder / FEEDS).resolve()}",
            expected="one of " + ", ".join(f"`{name}`" for name in names) if names else "a file in `feeds/`",
            hint=f"did you mean `{near}`?" if near else "",
        )
    return chosen


def _digest(folder: Path, files: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for file in sorted(set(files)):
        content = (folder / file).read_bytes() if (folder / file).is_file() else b""
        digest.update(f"{file}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()
