"""How does a function of the user's project become a source?"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
import traceback
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from landbridge.errors import ContractBroken, LandbridgeError, UsageError
from landbridge.sources import records, stream

if TYPE_CHECKING:
    from types import TracebackType

    from landbridge.facts import Slot
    from landbridge.feed.inputs import PythonSource
    from landbridge.ports import Extract
    from landbridge.sources.around import Around

_ROWS = 8192
_FRAMES = 3
_IMPORTING = threading.Lock()


class Python:
    """One declared function: called with the slot and the parameters by name, it yields mappings, lists of them, or Arrow."""

    def __init__(self, name: str, declared: PythonSource, around: Around) -> None:
        self._name = name
        self._declared = declared
        self._around = around

    @contextmanager
    def open(self, slot: Slot) -> Iterator[Extract]:
        """Import and call the function and take its first piece now; see ports.Source.

        Raises:
            ContractBroken: the function failed (its own file and line are named), or yielded what is no record.
            UsageError: there is no such module or function in the project.
        """
        declared, around = self._declared, self._around
        began = around.clock.now()
        parameters = {key: around.text(value, slot) for key, value in declared.parameters.items()}
        with _project_first(around.folder):
            with self._blamed():
                function = self._found()
                given = function(slot, **parameters)
            pieces = self._pieces(given)
            try:
                schema, batches = self._shaped(pieces)
                asked = stream.Asked(self._name, "python", declared.function, parameters, began)
                yield stream.extract(asked, schema, batches, around.clock, around.progress)
            finally:
                pieces.close()

    def find(self) -> None:
        """See that the module can be imported and has the function; nothing is called.

        Raises:
            ContractBroken, UsageError: as `open`.
        """
        with _project_first(self._around.folder), self._blamed():
            self._found()

    def _found(self) -> Any:  # noqa: ANN401 - the user's own function
        module_name, _, function_name = self._declared.function.partition(":")
        try:
            module = importlib.import_module(module_name)
        except ModuleNotFoundError as error:
            if error.name != module_name and not module_name.startswith(f"{error.name}."):
                raise
            raise UsageError(
                f"source `{self._name}`: there is no module `{module_name}`",
                expected=f"{module_name.replace('.', '/')}.py in the project's folder",
            ) from error
        function = getattr(module, function_name, None)
        if not callable(function):
            raise UsageError(f"source `{self._name}`: `{module_name}` has no function `{function_name}`")
        return function

    def _pieces(self, given: object) -> Generator[pa.RecordBatch | list[Any]]:
        """Give what the function yields, one batch or list of records at a time, its single records gathered."""
        gathered: list[Any] = []
        items = self._items(given)
        while True:
            with self._blamed():
                item = next(items, _END)
            if gathered and (len(gathered) >= _ROWS or not isinstance(item, Mapping)):
                yield gathered
                gathered = []
            if item is _END:
                return
            if isinstance(item, Mapping):
                gathered.append(item)
            else:
                yield from self._cut(item)

    def _items(self, given: object) -> Iterator[object]:
        if isinstance(given, (pa.Table, pa.RecordBatch)):
            return iter([given])
        if isinstance(given, Iterable) and not isinstance(given, (str, bytes, Mapping)):
            return iter(given)
        raise ContractBroken(
            f"source `{self._name}`: `{self._declared.function}` gives {type(given).__name__}",
            expected="records (mappings), lists of them, or Arrow batches, one after another",
        )

    def _cut(self, item: object) -> Iterator[pa.RecordBatch | list[Any]]:
        if isinstance(item, pa.Table):
            yield from item.to_batches(stream.ROWS)
        elif isinstance(item, pa.RecordBatch):
            yield item
        elif isinstance(item, Sequence) and not isinstance(item, (str, bytes)):
            rows = iter(item)
            while part := list(islice(rows, _ROWS)):
                yield part
        else:
            raise ContractBroken(
                f"source `{self._name}`: `{self._declared.function}` yields {type(item).__name__}",
                expected="a record (mapping), a list of them, or an Arrow batch",
            )

    def _shaped(
        self, pieces: Iterator[pa.RecordBatch | list[Any]]
    ) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
        shape = records.declared(self._name, self._declared.columns) if self._declared.columns else None
        first = next(pieces, None)
        if shape is None and isinstance(first, list):
            shape = records.inferred(self._name, first, "the first records")
        if shape is not None:
            schema = shape.schema
        else:
            schema = pa.schema([]) if first is None or isinstance(first, list) else first.schema
        every = pieces if first is None else chain([first], pieces)
        return schema, self._converted(every, schema, shape)

    def _converted(
        self, pieces: Iterable[pa.RecordBatch | list[Any]], schema: pa.Schema, shape: records.Shape | None
    ) -> Iterator[pa.RecordBatch]:
        before = 0
        for piece in pieces:
            if isinstance(piece, list):
                if shape is None:
                    raise ContractBroken(f"source `{self._name}`: records come after Arrow batches")
                try:
                    batch = shape.batch(piece, "the function's records", before + 1)
                except records.FloatInDecimal as error:
                    raise ContractBroken(
                        f"source `{self._name}`: a float cannot be an exact decimal",
                        expected="decimal.Decimal, a whole number, or text",
                    ) from error
            elif piece.schema.equals(schema):
                batch = piece.cast(schema)
            else:
                raise ContractBroken(
                    f"source `{self._name}`: an Arrow batch has another schema than "
                    + ("the declared columns" if self._declared.columns else "the first"),
                    expected=_listed(schema),
                    seen=_listed(piece.schema),
                )
            before += batch.num_rows
            yield batch

    def _blamed(self) -> _Blamed:
        return _Blamed(self._failed)

    def _failed(self, error: BaseException) -> ContractBroken:
        folder = self._around.folder.resolve()
        frames = traceback.extract_tb(error.__traceback__)
        theirs = [f for f in frames if Path(f.filename).resolve().is_relative_to(folder)]
        tail = [
            f"{Path(frame.filename).resolve().relative_to(folder)}:{frame.lineno} in {frame.name}: {frame.line}"
            for frame in theirs[-_FRAMES:]
        ]
        return ContractBroken(
            f"source `{self._name}`: `{self._declared.function}` failed with {type(error).__name__}: "
            + self._around.shown(str(error)),
            seen=" > ".join(tail) or "no line of the project's own",
        )


class _Blamed:
    """Turns whatever the user's code raises into an error that names its file and line; ours pass.

    Its `sys.exit` too: with code 0 a run would end as done, without a file.
    """

    def __init__(self, failed: Callable[[BaseException], LandbridgeError]) -> None:
        self._failed = failed

    def __enter__(self) -> None:
        """Begin to watch."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, (Exception, SystemExit)) and not isinstance(error, LandbridgeError):
            raise self._failed(error) from error


_END = object()


def _listed(schema: pa.Schema) -> str:
    return ", ".join(f"{field.name} {field.type}" for field in schema)


@contextmanager
def _project_first(folder: Path) -> Iterator[None]:
    """Let imports find the project's folder first while the source is open, and forget its modules afterwards."""
    entry = str(folder.resolve())
    with _IMPORTING:
        before = set(sys.modules)
        sys.path.insert(0, entry)
        importlib.invalidate_caches()
    try:
        yield
    finally:
        with _IMPORTING:
            sys.path.remove(entry)
            for name in set(sys.modules) - before:
                place = getattr(sys.modules[name], "__file__", None)
                if place and Path(place).resolve().is_relative_to(entry) and "site-packages" not in place:
                    del sys.modules[name]
