"""Which adapter reads which declared kind of source?"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, assert_never

from landbridge.feed.inputs import FilesSource, PythonSource, RestSource, SqlSource
from landbridge.sources.around import Around, Silent
from landbridge.sources.sql.source import Snapshots, Sql

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from landbridge.feed import Feed
    from landbridge.feed.inputs import SourceDeclared
    from landbridge.ports import Clock, Progress, Secrets, Source, Store


@contextmanager
def open_sources(
    feed: Feed,
    *,
    folder: Path,
    secrets: Secrets,
    environment: str,
    variables: Mapping[str, str],
    clock: Clock,
    progress: Progress | None = None,
    stores: Callable[[str], Store] | None = None,
) -> Iterator[dict[str, Source]]:
    """Lend the feed's sources by name, in the declared order. Nothing is asked before a source is opened.

    SQL sources on one URL share one read-only snapshot until the end, and may be read at the same time.
    `folder` is the project's; `stores` gives the store of a bucket (`s3://name`) for files that lie in one.
    """
    around = Around(folder, environment, variables, secrets, clock, progress or Silent(), stores)
    snapshots = Snapshots(around)
    try:
        yield {name: source(name, declared, around, snapshots) for name, declared in feed.sources.items()}
    finally:
        snapshots.close()


def source(name: str, declared: SourceDeclared, around: Around, snapshots: Snapshots) -> Source:
    """Give the adapter; its libraries are imported only now, for the kinds that a feed uses."""
    match declared:
        case RestSource():
            from landbridge.sources.rest.source import Rest

            return Rest(name, declared, around)
        case SqlSource():
            return Sql(name, declared, around, snapshots)
        case FilesSource():
            from landbridge.sources.files import Files

            return Files(name, declared, around)
        case PythonSource():
            from landbridge.sources.python import Python

            return Python(name, declared, around)
        case _ as unknown:
            assert_never(unknown)
