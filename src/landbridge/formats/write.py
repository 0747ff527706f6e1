"""How do batches of rows become one file, in one pass and in bounded memory?"""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Protocol, assert_never

from landbridge.errors import ContractBroken
from landbridge.facts import Content
from landbridge.feed.outputs import Csv, Fixed, Jsonl, Parquet
from landbridge.formats import lexical
from landbridge.formats.compression import compressed
from landbridge.formats.encoding import Page
from landbridge.formats.records import Around, Words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

    from landbridge.feed.outputs import File
    from landbridge.formats.compression import Piece, Sink
    from landbridge.formats.records import Totals
    from landbridge.ports import Lines, Progress

__all__ = ["Unsure", "Words", "Written", "write", "write_lines"]

STEP = "write"
_FEWEST_ROWS = 4_096
_MOST_ROWS = 16_384
_MOST_BYTES = 8 << 20
_COPY = 1 << 20


@dataclass(frozen=True, slots=True)
class Written:
    """What one pass over the rows tells of the file."""

    content: Content
    """Size and sha256 of the bytes as they lie in the file, compressed ones included."""
    totals: Mapping[str, str]
    """Exact sums of the columns that the records around the data ask for, with each column's scale."""


class Layout(Protocol):
    """How one format puts a row on a line."""

    def heading(self) -> str | None:
        """Give the header's line, None where there is none."""
        ...

    def around(self, fields: Sequence[str]) -> str:
        """Give the line of a leading or trailing record."""
        ...

    def lines(self, batch: pa.RecordBatch, before: int) -> pa.StringArray:
        """Give one line a row, without line ends; `before` rows came before this batch.

        Raises:
            ContractBroken: a value that this format cannot hold; names row and column.
        """
        ...


def write(
    file: File,
    schema: pa.Schema,
    batches: Iterator[pa.RecordBatch],
    path: Path,
    words: Words,
    *,
    progress: Progress,
) -> Written:
    """Write all rows into the new file `path`: the same rows always give the same bytes, however they were batched.

    Reads each batch once. On any error `path` is removed.

    Raises:
        ContractBroken: a value that the format cannot hold; names row and column.
        UsageError: the declared format does not fit the columns, or a record's words cannot be filled.
        DiskFailed: the disk refused.
    """
    return _written(file, schema, _Rows(batches, progress), path, words, _Spelling)


def write_lines(file: File, lines: Lines, path: Path, words: Words, *, progress: Progress) -> Written:
    """Write rows that come as lines of CSV: the file is that which `write` makes of the rows.

    On any error `path` is removed.

    Raises:
        Unsure: a line is null, or holds a character that the encoding does not have; `write` says what there is to say.
        ContractBroken, UsageError, DiskFailed: as `write`.
    """
    return _written(file, lines.columns, _Rows(lines.batches, progress), path, words, _Ready)


class Unsure(Exception):  # nobody's error yet: the rows are read again, by their values
    """A line that its source does not vouch for."""


def _written(
    file: File, schema: pa.Schema, rows: _Rows, path: Path, words: Words, spelling: type[_Spelling | _Ready]
) -> Written:
    _refuse_twice(schema)
    form = file.format
    rows.progress.start(STEP, None, "rows")
    with ExitStack() as undo:
        undo.callback(rows.progress.finish, STEP)
        around = _around(form, words)
        totals = around.totals(schema)
        with compressed(path, file.compression) as (sink, digest):
            if isinstance(form, Parquet):
                from landbridge.formats.parquet import write_parquet

                write_parquet(form, schema, iter(rows), sink)
            else:
                layout, page = _layout(form, schema, file), _page(form)
                _Text(layout, page, spelling(layout, page), around, totals).write(rows, sink, path.parent)
    return Written(Content(digest.size, digest.sha256, rows.count), totals.texts())


@dataclass(frozen=True, slots=True)
class _Spelling:
    """Turns values into the bytes of their lines."""

    layout: Layout
    page: Page

    def pieces(self, batch: pa.RecordBatch, before: int) -> Sequence[Piece]:
        return self.page.lines(self.layout.lines(batch, before), batch, before)


@dataclass(frozen=True, slots=True)
class _Ready:
    """Takes lines as they come; the layout has written none of them."""

    layout: Layout
    page: Page

    def pieces(self, batch: pa.RecordBatch, before: int) -> Sequence[Piece]:  # noqa: ARG002 # as _Spelling
        lines = batch.column(0)
        if lines.null_count:
            raise Unsure
        try:
            return [self.page.encoded(lexical.span(lines))]
        except UnicodeEncodeError as error:
            raise Unsure from error


class _Rows:
    """Counts the rows that pass, in pieces of bounded size."""

    def __init__(self, batches: Iterator[pa.RecordBatch], progress: Progress) -> None:
        self._batches = batches
        self.progress = progress
        self.count = 0

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        for batch in _gathered(self._batches):
            for piece in _pieces(batch):
                yield piece
                self.count += len(piece)
                self.progress.advance(STEP, len(piece))


def _gathered(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Put small batches together: each one costs, and a page of an API has few rows."""
    import pyarrow as pa

    kept: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in batches:
        kept.append(batch)
        rows, size = rows + len(batch), size + batch.nbytes
        if rows >= _FEWEST_ROWS or size >= _MOST_BYTES:
            yield pa.concat_batches(kept) if len(kept) > 1 else batch
            kept, rows, size = [], 0, 0
    if kept:
        yield pa.concat_batches(kept)


def _pieces(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    rows = len(batch)
    most = max(1, min(_MOST_ROWS, rows * _MOST_BYTES // max(1, batch.nbytes)))
    for at in range(0, rows, most):
        yield batch.slice(at, most)


@dataclass(frozen=True, slots=True)
class _Text:
    """Writes a file of lines."""

    layout: Layout
    page: Page
    spelling: _Spelling | _Ready
    around: Around
    totals: Totals

    def write(self, rows: _Rows, sink: Sink, scratch: Path) -> None:
        """Write leading record, header, rows, trailing record; a leading record that counts the rows waits for them."""
        sink.write(self.page.mark)
        if self.around.leading_knows_the_data:
            with TemporaryFile(dir=scratch) as body:
                self._body(rows, body)
                self._leading(rows.count, sink)
                body.seek(0)
                shutil.copyfileobj(body, sink, _COPY)
        else:
            self._leading(0, sink)
            self._body(rows, sink)
        if self.around.trailing:
            fields = self.around.fields(self.around.trailing, rows.count, self.totals)
            sink.write(self.page.line(self.layout.around(fields)))

    def _leading(self, rows: int, sink: Sink) -> None:
        if self.around.leading:
            fields = self.around.fields(self.around.leading, rows, self.totals)
            sink.write(self.page.line(self.layout.around(fields)))

    def _body(self, rows: _Rows, sink: Sink) -> None:
        heading = self.layout.heading()
        if heading is not None:
            sink.write(self.page.line(heading))
        for batch in rows:
            for piece in self.spelling.pieces(batch, rows.count):
                sink.write(piece)
            self.totals.add(batch)


def _around(form: Csv | Fixed | Jsonl | Parquet, words: Words) -> Around:
    match form:
        case Csv() | Fixed():
            return Around(form.leading, form.trailing, words)
        case Jsonl() | Parquet():
            return Around(None, None, words)
        case _:
            assert_never(form)


def _layout(form: Csv | Fixed | Jsonl, schema: pa.Schema, file: File) -> Layout:
    match form:
        case Csv():
            from landbridge.formats.delimited import Delimited

            return Delimited(form, schema, file.formula_injection)
        case Fixed():
            from landbridge.formats.fixed import FixedWidth

            return FixedWidth(form, schema, file.formula_injection)
        case Jsonl():
            from landbridge.formats.jsonl import Jsonl as JsonLines

            return JsonLines(schema)
        case _:
            assert_never(form)


def _page(form: Csv | Fixed | Jsonl) -> Page:
    match form:
        case Csv() | Fixed():
            return Page(form.encoding, form.line_end)
        case Jsonl():
            return Page()
        case _:
            assert_never(form)


def _refuse_twice(schema: pa.Schema) -> None:
    twice = sorted({name for name in schema.names if schema.names.count(name) > 1})
    if twice or not schema.names:
        raise ContractBroken(
            f"two columns are called `{twice[0]}`" if twice else "the rows have no columns",
            hint="name the columns in `transform` or in the source's query",
        )
