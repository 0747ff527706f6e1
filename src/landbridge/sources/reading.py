"""How is one CSV, JSONL or Parquet file read strictly, in bounded memory?"""

from __future__ import annotations

import re
from collections import Counter
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any, assert_never

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from landbridge.errors import ContractBroken, Unavailable, UsageError
from landbridge.sources import records
from landbridge.sources.columns import arrow_type, times
from landbridge.sources.exact import exactly, loads
from landbridge.sources.stream import BYTES, ROWS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from landbridge.feed.inputs import FilesSource

_LONGEST_LINE = 64 << 20
_LINES = 8192
_SHOWN = 300
_QUOTED = re.compile(r"'[^']*'|: [^:]*$")
# How a value is plainly written; dates and times are left to Arrow, which takes ISO 8601 only.
_PLAIN = {
    "boolean": r"\A(?:true|false)\z",
    "int32": r"\A-?[0-9]+\z",
    "int64": r"\A-?[0-9]+\z",
    "float64": r"\A-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?\z",
    "decimal": r"\A-?[0-9]+(?:\.[0-9]+)?\z",
    "binary": r"\A(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?\z",
    "timestamp": r"\A[^ T]*[ T].*\z",
}

Lent = tuple[str, "AbstractContextManager[Path]"]
"""A file's name, and the file itself for as long as it is read."""


class Reader:
    """Reads the files of one source; they must have the same columns."""

    def __init__(self, source: str, declared: FilesSource) -> None:
        self._source = source
        self._declared = declared
        self._schema: pa.Schema | None = None
        if declared.columns:
            self._schema = pa.schema([(name, arrow_type(word)) for name, word in declared.columns.items()])

    def all(self, files: Sequence[Lent]) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
        """Give the schema of the declared columns, else of the first file, and the batches of all files in order.

        Raises:
            ContractBroken: a file is not what was declared, or has other columns than the first.
        """
        batches = self._batches(files)
        if self._schema is not None:
            return self._schema, batches
        first = next(batches, None)
        schema = first.schema if first is not None else pa.schema([])
        return schema, _after(first, batches)

    def _batches(self, files: Sequence[Lent]) -> Iterator[pa.RecordBatch]:
        for name, lent in files:
            with lent as path, self._named(name):
                for batch in self._of(path, name):
                    if self._schema is None:
                        self._schema = batch.schema
                    yield self._same(batch, name)

    def _of(self, path: Path, name: str) -> Iterator[pa.RecordBatch]:
        match self._declared.format:
            case "csv":
                return self._csv(path)
            case "jsonl":
                return self._jsonl(path, name)
            case "parquet":
                return self._parquet(path)
            case _ as unknown:
                assert_never(unknown)

    def _csv(self, path: Path) -> Iterator[pa.RecordBatch]:
        """Read every field as text and convert it here: Arrow's own conversion trims spaces and reads hex and `007` as numbers."""
        declared = self._declared
        if path.stat().st_size == 0:
            raise ContractBroken("it is empty", expected="a header at least")
        with self._opened(path, {}) as reader:
            names = reader.schema.names
        doubled = sorted(name for name, often in Counter(names).items() if often > 1)
        missing = [name for name in declared.columns if name not in names]
        if doubled or missing:
            said = f"`{doubled[0]}` is there twice" if doubled else f"`{missing[0]}` is missing"
            raise ContractBroken(f"the header is wrong: {said}", seen=", ".join(names))
        words = dict(declared.columns) or dict.fromkeys(names, "string")
        schema = pa.schema([(name, arrow_type(word)) for name, word in words.items()])
        yield pa.RecordBatch.from_pylist([], schema=schema)
        before = 0
        with self._opened(path, dict.fromkeys(names, pa.string())) as reader:
            for batch in reader:
                arrays = [typed(batch.column(name), name, word, before) for name, word in words.items()]
                before += batch.num_rows
                yield pa.RecordBatch.from_arrays(arrays, schema=schema)

    def _opened(self, path: Path, types: dict[str, pa.DataType]) -> pa.csv.CSVStreamingReader:
        return pa.csv.open_csv(
            path,
            read_options=pa.csv.ReadOptions(
                block_size=BYTES, use_threads=False, encoding=self._declared.encoding
            ),
            parse_options=pa.csv.ParseOptions(
                delimiter=self._declared.delimiter, newlines_in_values=True, ignore_empty_lines=False
            ),
            convert_options=pa.csv.ConvertOptions(
                column_types=types,
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )

    def _jsonl(self, path: Path, name: str) -> Iterator[pa.RecordBatch]:
        shape = records.declared(self._source, self._declared.columns) if self._declared.columns else None
        before = 0
        with path.open("rb") as file:
            lines = _lines(file)
            while page := list(islice(lines, _LINES)):
                place = f"`{name}`"
                found = [_parsed(line, before + number) for number, line in enumerate(page, start=1)]
                shape = shape or records.inferred(self._source, found, place)
                try:
                    yield shape.batch(found, place, before + 1)
                except records.FloatInDecimal:
                    exact = [
                        _parsed(line, before + number, exactly) for number, line in enumerate(page, start=1)
                    ]
                    yield shape.batch(exact, place, before + 1)
                before += len(page)

    def _parquet(self, path: Path) -> Iterator[pa.RecordBatch]:
        with pa.parquet.ParquetFile(path, memory_map=False, pre_buffer=False) as file:
            widest = max(1, file.metadata.row_group(0).total_byte_size) if file.num_row_groups else 1
            rows = max(1, file.metadata.row_group(0).num_rows) if file.num_row_groups else 1
            size = max(256, min(BYTES, ROWS * rows // widest))
            wanted = list(self._declared.columns) or None
            schema = file.schema_arrow if wanted is None else _picked(file.schema_arrow, wanted)
            yield pa.RecordBatch.from_pylist([], schema=schema.remove_metadata())
            for batch in file.iter_batches(batch_size=size, columns=wanted, use_threads=False):
                yield (
                    batch.select(wanted).replace_schema_metadata(None)
                    if wanted
                    else batch.replace_schema_metadata(None)
                )

    def _same(self, batch: pa.RecordBatch, name: str) -> pa.RecordBatch:
        """Give the batch if its columns are those of the schema; differences of nullability and metadata do not count."""
        schema = self._schema
        if schema is None or batch.schema.equals(schema):
            return batch
        had = {field.name: field.type for field in schema}
        has = {field.name: field.type for field in batch.schema}
        if list(had) == list(has) and all(had[column] == has[column] for column in had):
            return pa.RecordBatch.from_arrays(batch.columns, schema=schema)
        differs = next((column for column in [*had, *has] if had.get(column) != has.get(column)), "")
        against = "the declared columns" if self._declared.columns else "the first file"
        raise ContractBroken(
            f"source `{self._source}`: `{name}` differs from {against}"
            + (f" in `{differs}`" if differs else " in the order of its columns"),
            expected=f"{had.get(differs, 'no such column')}" if differs else ", ".join(had),
            seen=f"{has.get(differs, 'no such column')}" if differs else ", ".join(has),
        )

    @contextmanager
    def _named(self, name: str) -> Iterator[None]:
        try:
            yield
        except pa.ArrowInvalid as error:
            raise self._unreadable(name, str(error)) from error
        except (KeyError, pa.ArrowKeyError) as error:
            raise self._unreadable(name, f"a declared column is missing: {error}") from error
        except LookupError as error:
            raise UsageError(
                f"source `{self._source}`: the encoding is not known", seen=str(error)
            ) from error
        except UnicodeDecodeError as error:
            raise self._unreadable(name, f"it is not {self._declared.encoding}") from error
        except FileNotFoundError as error:
            raise Unavailable(
                f"source `{self._source}`: `{name}` was taken away while it was read"
            ) from error
        except OSError as error:
            if error.errno is not None:
                raise
            # Arrow's word for bytes that cannot be decompressed or are no pages: the disk did what it was asked to.
            raise self._unreadable(name, str(error)) from error
        except ContractBroken as error:
            if error.what.startswith("source "):
                raise
            raise ContractBroken(
                f"source `{self._source}`: `{name}`: {error.what}", expected=error.expected, seen=error.seen
            ) from error

    def _unreadable(self, name: str, said: str) -> ContractBroken:
        return ContractBroken(
            f"source `{self._source}`: `{name}` cannot be read as {self._declared.format}",
            seen=" ".join(_QUOTED.sub("(hidden)", said).split())[:_SHOWN],
        )


def typed(texts: pa.Array, name: str, word: str, before: int) -> pa.Array:
    """Convert text to a declared type, refusing what is not plainly written; `before` rows of the file came before.

    Raises:
        ContractBroken: a text is no value of the type.
    """
    kind = word.partition("(")[0]
    if kind == "string":
        return texts
    pattern = _PLAIN.get(kind)
    try:
        _all_plain(texts, pattern)
        if kind == "binary":
            rows = [{name: text} for text in texts.to_pylist()]
            return records.declared(name, {name: word}).batch(rows, "").column(0)
        return times(texts) if kind == "time" else texts.cast(arrow_type(word))
    except pa.ArrowInvalid as error:
        row = next(row for row in range(len(texts)) if not _is_typed(texts[row : row + 1], pattern, word))
        shape = re.sub(r"[^\W\d_]", "a", re.sub(r"\d", "9", texts[row].as_py()))[:40]
        raise ContractBroken(
            f"row {before + row + 1}: `{name}` is not {word}", expected=word, seen=f"text like `{shape}`"
        ) from error


def _all_plain(texts: pa.Array, pattern: str | None) -> None:
    if pattern and pc.any(pc.invert(pc.match_substring_regex(texts, pattern))).as_py():
        raise pa.ArrowInvalid("not plainly written")


def _is_typed(text: pa.Array, pattern: str | None, word: str) -> bool:
    if text.null_count:
        return True
    if pattern and not pc.match_substring_regex(text, pattern)[0].as_py():
        return False
    try:
        _ = times(text) if word == "time" else text.cast(arrow_type(word))
    except pa.ArrowInvalid:
        return False
    return True


def _after(first: pa.RecordBatch | None, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    if first is not None:
        yield first
    yield from batches


def _picked(schema: pa.Schema, wanted: Sequence[str]) -> pa.Schema:
    for name in wanted:
        if name not in schema.names:
            raise ContractBroken(f"the declared column `{name}` is missing", seen=", ".join(schema.names))
    return pa.schema([schema.field(name) for name in wanted])


def _lines(file: Any) -> Iterator[bytes]:  # noqa: ANN401 - a binary file
    while line := file.readline(_LONGEST_LINE + 1):
        if len(line) > _LONGEST_LINE:
            raise ContractBroken(f"a line is longer than {_LONGEST_LINE >> 20} MiB")
        yield line


def _parsed(line: bytes, number: int, read: Callable[[bytes], Any] = loads) -> Any:  # noqa: ANN401 - JSON is anything
    try:
        return read(line)
    except orjson.JSONDecodeError as error:
        raise ContractBroken(f"line {number} is not JSON", seen=str(error)) from error
