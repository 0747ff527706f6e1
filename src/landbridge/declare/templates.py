"""Can every template of a feed be filled, and does it give names that every file system takes?"""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

from landbridge.declare.mistakes import is_sensitive
from landbridge.declare.vocabulary import nearest
from landbridge.errors import UsageError
from landbridge.feed.inputs import FilesSource, PythonSource, RestSource, SqlReady, SqlSource
from landbridge.feed.outputs import Csv, Fixed, StorePlace
from landbridge.feed.words import is_reference
from landbridge.naming import WORDS, plain_name, render

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from landbridge.declare.text import Document, Where
    from landbridge.facts import Slot
    from landbridge.feed import Feed
    from landbridge.feed.inputs import FileReady, RestReady, SourceDeclared

Template = tuple["Where", str]
_RECORD_WORDS = ("rows", "records", "total")


def check(feed: Feed, document: Document, slot: Slot, variables: Mapping[str, Mapping[str, str]]) -> bool:
    """Note each template that cannot be filled in one of the environments; `variables` are theirs, by name.

    Gives whether the file's names can be rendered, so that they can be compared with those of others.
    """
    before = len(document.problems)
    for where, template in _names(feed):
        _check_one(
            document, where, template, slot, variables, more={"name": "x"} if where[-1] == "done_file" else {}
        )
    usable = len(document.problems) == before
    for where, template in (*_inputs(feed), *_places(feed)):
        _check_one(document, where, template, slot, variables, more={})
    for where, template in _records(feed):
        plain = _without_counts(template)
        if plain is None:
            what = "the count or total has a format that does not fit"
            document.problems.append(document.problem(where, what, seen=template))
        else:
            _check_one(document, where, plain, slot, variables, more={})
    return usable


def _names(feed: Feed) -> Iterator[Template]:
    for key in ("name", "folder", "landed_name", "landed_folder", "done_file"):
        template = getattr(feed.file, key)
        if template:
            yield ("file", key), template


def _inputs(feed: Feed) -> Iterator[Template]:
    for name, source in feed.sources.items():
        yield from _source(("sources", name), source)
    if feed.schedule.ready:
        yield from _signal(("schedule", "ready", "signal"), feed.schedule.ready.signal)


def _source(where: Where, source: SourceDeclared) -> Iterator[Template]:
    match source:
        case RestSource():
            yield (*where, "url"), source.url
            if source.path:
                yield (*where, "path"), source.path
            yield from _each((*where, "parameters"), source.parameters)
            yield from _each((*where, "body"), source.body or {})
        case SqlSource():
            yield (*where, "url"), source.url
            yield from _each((*where, "parameters"), source.parameters)
        case FilesSource():
            yield (*where, "path"), source.path
        case PythonSource():
            yield from _each((*where, "parameters"), source.parameters)


def _signal(where: Where, signal: SqlReady | RestReady | FileReady) -> Iterator[Template]:
    if isinstance(signal, SqlReady):
        yield from _each((*where, "parameters"), signal.parameters)
    elif signal.kind == "rest":
        yield (*where, "url"), signal.url
    else:
        yield (*where, "path"), signal.path


def _places(feed: Feed) -> Iterator[Template]:
    for index, place in enumerate(feed.file.also_to):
        where: Where = ("file", "also_to", index)
        if isinstance(place, StorePlace):
            yield (*where, "bucket"), place.bucket
            if place.prefix:
                yield (*where, "prefix"), place.prefix
        else:
            yield (*where, "path"), place.path


def _records(feed: Feed) -> Iterator[Template]:
    declared = feed.file.format
    if isinstance(declared, Csv | Fixed):
        for key, record in (("leading", declared.leading), ("trailing", declared.trailing)):
            for index, template in enumerate(record.fields if record else ()):
                yield ("file", "format", key, "fields", index), template


def _each(where: Where, templates: Mapping[str, str]) -> Iterator[Template]:
    for name, template in templates.items():
        yield (*where, name), template


def totals(feed: Feed) -> Iterator[tuple[Where, str]]:
    """Give each `{total:COLUMN}` of the leading and trailing records with its place."""
    for where, template in _records(feed):
        for _, word, spec, _ in _parsed(template):
            if word == "total":
                yield where, spec


def _without_counts(template: str) -> str | None:
    """Take the words that only a record has out of a template; None when one has a format that does not fit."""
    text = ""
    for literal, word, spec, conversion in _parsed(template):
        text += literal.replace("{", "{{").replace("}", "}}")
        if word in ("rows", "records"):
            try:
                format(1, spec)
            except ValueError:
                return None
        elif word is not None and word != "total":
            text += "{" + word + (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "") + "}"
    return text


def _parsed(template: str) -> list[tuple[str, str | None, str, str]]:
    try:
        return [(a, b, c or "", d or "") for a, b, c, d in string.Formatter().parse(template)]
    except ValueError:
        return []  # render says why


def _check_one(
    document: Document,
    where: Where,
    template: str,
    slot: Slot,
    variables: Mapping[str, Mapping[str, str]],
    *,
    more: Mapping[str, str],
) -> None:
    if is_reference(template) and where[-1] in ("url", "path"):
        return
    known = [*(word for word in WORDS if word != "variables"), *more]
    known += [*_RECORD_WORDS] if "fields" in where else []
    for environment, own in variables.items():
        words = [*known, *(f"variables.{name}" for name in own)]
        unknown = [word for _, word, _, _ in _parsed(template) if word is not None and word not in words]
        if unknown:
            near = nearest(unknown[0], words)
            what = f"unknown word `{{{unknown[0]}}}`"
            if unknown[0].startswith("variables."):
                what += f" in environment `{environment}`"
            expected = "one of " + ", ".join(f"`{{{word}}}`" for word in words)
            hint = f"did you mean `{{{near}}}`?" if near else ""
            document.problems.append(document.problem(where, what, expected=expected, hint=hint))
            return
        try:
            _checked(where, render(template, slot, environment=environment, variables=own, more=more))
        except UsageError as error:
            what = "the template cannot be filled" if is_sensitive(where) else error.what
            document.problems.append(document.problem(where, what, expected=error.expected, hint=error.hint))
            return


def _checked(where: Where, text: str) -> None:
    """Refuse text that is no name where a name is wanted."""
    match where:
        case ("file", "folder" | "landed_folder"):
            for part in text.strip("/").split("/"):
                plain_name(part)
        case ("file", "name" | "landed_name" | "done_file"):
            plain_name(text)
        case _:
            pass
