"""How does a slot's file come to be?"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import structlog

from landbridge.facts import Draft
from landbridge.formats import suffix
from landbridge.formats.write import Words, write
from landbridge.steps.transform import shaped

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from landbridge.facts import Slot, SourceFact
    from landbridge.feed import Feed
    from landbridge.ports import Extract, Progress, Source

log = structlog.get_logger()


def generate(
    feed: Feed,
    slot: Slot,
    *,
    environment: str,
    variables: Mapping[str, str],
    revision: int,
    sources: Mapping[str, Source],
    scratch: Path,
    progress: Progress,
) -> Draft:
    """Read the sources, shape and order the rows as declared, and write them into a new file in `scratch`.

    Memory stays within what the feed declares. On any error nothing is left in `scratch`.

    Raises:
        ContractBroken: a source or the rows are not what the declaration says.
        DeclarationWrong: the transform is not SQL over these sources; names the line.
        Unavailable, NotPermitted: from a source.
    """
    path = scratch / f"draft{suffix(feed.file)}"
    words = Words(slot, environment, revision, variables)
    with ExitStack() as opened, ExitStack() as unless_whole:
        extracts = {name: opened.enter_context(source.open(slot)) for name, source in sources.items()}
        with shaped(feed, slot, extracts, scratch) as rows:
            written = write(feed.file, rows.schema, rows.batches, path, words, progress=progress)
            unless_whole.callback(path.unlink)
        facts = tuple(_fact(extract) for extract in extracts.values())
        unless_whole.pop_all()
    log.info("generated", size=written.content.size, rows=written.content.rows, sources=len(facts))
    return Draft(slot=slot, path=path, content=written.content, sources=facts, totals=written.totals)


def _fact(extract: Extract) -> SourceFact:
    """Give the fact of a source; what the transform left unread (a LIMIT) is read to its end first."""
    for _ in extract.batches:
        pass
    return extract.fact[0]
