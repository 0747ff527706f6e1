"""How does a slot's file come to be?"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from landbridge.events import log
from landbridge.facts import Draft
from landbridge.feed.outputs import Csv
from landbridge.formats import suffix
from landbridge.formats.records import summed
from landbridge.formats.write import Unsure, write, write_lines
from landbridge.ports import SourceLines
from landbridge.steps.transform import shaped

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from landbridge.facts import Slot, SourceFact
    from landbridge.feed import Feed
    from landbridge.formats.records import Words
    from landbridge.formats.write import Written
    from landbridge.ports import Extract, Progress, Source


def generate(
    feed: Feed, words: Words, sources: Mapping[str, Source], scratch: Path, progress: Progress
) -> Draft:
    """Read the sources, shape and order the rows as declared, and write them into a new file in `scratch`.

    `words` say of which slot and revision. Memory stays within what the feed declares. On any error nothing is left in `scratch`.

    Raises:
        ContractBroken: a source or the rows are not what the declaration says.
        DeclarationWrong: the transform is not SQL over these sources; names the line.
        Unavailable, NotPermitted: from a source.
    """
    slot, path = words.slot, scratch / f"draft{suffix(feed.file)}"
    made = _from_lines(feed, slot, sources, path, words, progress)
    written, facts = made or _from_values(feed, slot, sources, path, words, progress)
    log.info("generated", size=written.content.size, rows=written.content.rows, sources=len(facts))
    return Draft(slot=slot, path=path, content=written.content, sources=facts, totals=written.totals)


def _from_lines(
    feed: Feed, slot: Slot, sources: Mapping[str, Source], path: Path, words: Words, progress: Progress
) -> tuple[Written, tuple[SourceFact, ...]] | None:
    """Let the source itself write the lines, where the file is its rows as they come; None where it cannot, or is not sure."""
    form, source = feed.file.format, next(iter(sources.values()))
    as_they_come = len(sources) == 1 and feed.transform is None and not feed.order_by
    if not (as_they_come and isinstance(form, Csv) and isinstance(source, SourceLines)):
        return None
    with ExitStack() as unless_whole:
        with source.open_lines(slot, form, feed.file.formula_injection, summed(form)) as lines:
            if lines is None:
                return None
            try:
                written = write_lines(feed.file, lines, path, words, progress=progress)
            except Unsure:
                log.info("lines of the source are not certain, its values are read")
                return None
            unless_whole.callback(path.unlink)
        unless_whole.pop_all()
    return written, tuple(lines.fact)


def _from_values(
    feed: Feed, slot: Slot, sources: Mapping[str, Source], path: Path, words: Words, progress: Progress
) -> tuple[Written, tuple[SourceFact, ...]]:
    with ExitStack() as opened, ExitStack() as unless_whole:
        extracts = {name: opened.enter_context(source.open(slot)) for name, source in sources.items()}
        with shaped(feed, slot, extracts, path.parent) as rows:
            written = write(feed.file, rows.schema, rows.batches, path, words, progress=progress)
            unless_whole.callback(path.unlink)
        facts = tuple(_fact(extract) for extract in extracts.values())
        unless_whole.pop_all()
    return written, facts


def _fact(extract: Extract) -> SourceFact:
    """Give the fact of a source; what the transform left unread (a LIMIT) is read to its end first."""
    for _ in extract.batches:
        pass
    return extract.fact[0]
