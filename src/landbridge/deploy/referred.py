"""To what outside the declaration does a feed refer: environment variables, secrets, files?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel

from landbridge.feed.words import is_reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landbridge.feed import Feed


def variables(feed: Feed) -> list[str]:
    """Give the names of the environment variables that a run of the feed reads, in order."""
    return _of("env:", feed)


def secret_ids(part: object) -> list[str]:
    """Give the ids of the Secrets Manager secrets that a part of the declaration (a feed, say) refers to, in order."""
    return sorted({each.partition("#")[0] for each in _of("aws-sm:", part)})


def files(feed: Feed) -> list[str]:
    """Give the files (from the project's folder) that a run of the feed reads as secrets or keys, in order."""
    return _of("file:", feed)


def references(part: object) -> list[str]:
    """Give every reference of a part of the declaration as it is written, in order."""
    return sorted({text for text in _texts(part) if is_reference(text)})


def _of(prefix: str, part: object) -> list[str]:
    return sorted({text.removeprefix(prefix) for text in _texts(part) if text.startswith(prefix)})


def _texts(part: object) -> Iterator[str]:
    match part:
        case str():
            yield part
        case BaseModel():
            for _, value in part:
                yield from _texts(value)
        case dict():
            for value in part.values():
                yield from _texts(value)
        case list() | tuple():
            for value in part:
                yield from _texts(value)
        case _:
            return
