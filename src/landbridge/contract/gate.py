"""Do the bytes of a file meet their contract? The strict half first, then one query, then one report."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

from landbridge.contract import plain, results, totals
from landbridge.contract.checks import Contract, KeyCheck, Place, RowCheck, SqlCheck, TotalCheck
from landbridge.contract.columns import StrictReport
from landbridge.contract.failing import first_failing
from landbridge.contract.query import answer, measure
from landbridge.contract.relation import Bytes, inexact, relation
from landbridge.contract.sql import literal, name
from landbridge.errors import DeclarationWrong, DiskFailed, Problem
from landbridge.facts import Defect, GateReport
from landbridge.feed.outputs import Csv, Fixed, Jsonl, Parquet
from landbridge.halted import halted

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

    from landbridge.contract.checks import Check
    from landbridge.contract.columns import StrictGate
    from landbridge.facts import RuleResult
    from landbridge.feed.outputs import File
    from landbridge.ports import Gate, Progress

_NUMBERS = ("integer", "decimal", "float")
_MIB_A_THREAD = 256
"""DuckDB's CSV reader holds some 32 MiB buffers for each thread."""


_BINARY_FORMS = {
    "float": ("finite", "NOT isfinite({column})", "neither NaN nor infinity"),
    "string": ("nul", "contains({column}, chr(0))", "text without a NUL character"),
    "date": (
        "range",
        "{column} NOT BETWEEN DATE '0001-01-01' AND DATE '9999-12-31'",
        "a day of the years 0001 to 9999",
    ),
    "time": (
        "range",
        "{column} NOT BETWEEN TIME '00:00:00' AND TIME '23:59:59.999999'",
        "a time of day before 24:00:00",
    ),
    "timestamp": (
        "range",
        "{column} NOT BETWEEN TIMESTAMP{zone} '0001-01-01 00:00:00' AND TIMESTAMP{zone} '9999-12-31 23:59:59.999999'",
        "an instant of the years 0001 to 9999",
    ),
}
"""Values that Parquet can hold and the spelling of the other formats cannot: rule, condition that breaks it, promise."""


def gate_for(contract: Contract, file: File, *, memory: int, spill: Path) -> Gate:
    """Give the gate that judges files declared as `file` by `contract`.

    `memory` is what the whole process may take, in MiB; more goes to files in the folder `spill`.

    Raises:
        DeclarationWrong: the file's declaration and the contract contradict each other.
    """
    from landbridge.contract.parquet import ParquetGate
    from landbridge.contract.strict import strict_gate

    _agree(contract, file)
    strict: StrictGate
    match file.format:
        case Parquet():
            strict = ParquetGate(contract.columns)
        case Csv() | Fixed() | Jsonl():
            strict = strict_gate(file, contract.columns)
        case _:
            assert_never(file.format)
    checks = (*contract.checks, *_implied(contract, file))
    return TwoHalves(replace(contract, checks=checks), file, strict, memory, spill)


def _agree(contract: Contract, file: File) -> None:
    """Refuse a fixed-width layout of other columns than the contract's, or one in which numbers cannot be read back."""
    if not isinstance(file.format, Fixed):
        return
    for column in contract.columns:
        shape = file.format.columns.get(column.name)
        if (
            shape
            and shape.fill.isdigit()
            and column.kind in _NUMBERS
            and (shape.align, shape.fill) != ("right", "0")
        ):
            raise DeclarationWrong(
                [
                    Problem(
                        "",
                        1,
                        1,
                        f"file.format.columns.{column.name}",
                        "the column is a number, and its digits could not be told from the fill",
                        expected="another `fill`, or zeros with `align: right`",
                        seen=f"fill `{shape.fill}`, align {shape.align}",
                    )
                ]
            )
    laid_out, wanted = list(file.format.columns), [column.name for column in contract.columns]
    if laid_out != wanted:
        raise DeclarationWrong(
            [
                Problem(
                    "",
                    1,
                    1,
                    "file.format.columns",
                    "the layout has other columns than the contract, or another order",
                    expected=", ".join(wanted),
                    seen=", ".join(laid_out),
                )
            ]
        )


def _implied(contract: Contract, file: File) -> Iterator[Check]:
    """Yield what the file's own declaration, or its format, asks for."""
    here = Place("", 0, 0, "file")
    yield from totals.declared(file.format, contract.columns)
    for column in contract.columns:
        quoted = name(column.name)
        if (
            file.formula_injection != "allow"
            and column.kind == "string"
            and isinstance(file.format, Csv | Fixed)
        ):
            starts = f"left({quoted}, 1) IN ('=', '+', '-', '@', chr(9), chr(13))"
            yield RowCheck("formula", column.name, starts, "no text that a spreadsheet would run", here)
        if isinstance(file.format, Jsonl) and inexact(column):
            promise = "a number of at most 15 digits, or the digits as text: JSON readers round longer ones"
            yield RowCheck("exact", column.name, name(inexact(column)), promise, here)
        if isinstance(file.format, Parquet) and column.kind in _BINARY_FORMS:
            rule, breaks, promise = _BINARY_FORMS[column.kind]
            zone = "TZ" if column.zoned else ""
            yield RowCheck(rule, column.name, breaks.format(column=quoted, zone=zone), promise, here)


@dataclass(frozen=True, slots=True)
class TwoHalves:
    """The gate: the strict half over the bytes, and DuckDB over the values of a file whose bytes are sound."""

    contract: Contract
    file: File
    strict: StrictGate
    memory: int
    spill: Path

    @property
    def text(self) -> str:
        """See `ports.Gate`."""
        return self.contract.text

    def judge(self, path: Path, progress: Progress | None = None) -> GateReport:
        """See `ports.Gate`."""
        self.spill.mkdir(parents=True, exist_ok=True)
        with (
            tempfile.TemporaryDirectory(dir=self.spill, prefix="gate-") as scratch,
            plain.decompressed(self.file, path, Path(scratch)) as (readable, broken),
        ):
            if broken:
                defect = Defect("compression", 0, 0, -1, "", broken)
                seen = StrictReport(0, (), {"compression": 1}, (defect,))
            else:
                seen = self.strict.scan(readable, progress)
            structure = results.of_strict(seen)
            if seen.defects:
                return self._report(
                    seen, (*structure, *results.not_judged(self.contract)), results.of_first(seen)
                )
            values, defects = self._query(readable, Path(scratch), seen, progress)
            return self._report(seen, (*structure, *values), defects)

    def _report(
        self, seen: StrictReport, rules: tuple[RuleResult, ...], defects: tuple[Defect, ...]
    ) -> GateReport:
        return GateReport(self.contract.name, self.contract.version, seen.rows, rules, defects)

    def _query(
        self, path: Path, scratch: Path, seen: StrictReport, progress: Progress | None
    ) -> tuple[tuple[RuleResult, ...], tuple[Defect, ...]]:
        import duckdb

        step = "query"
        if progress:
            progress.start(step, None, "rows")
        try:
            data = self._data(plain.without_wildcards(path, scratch), scratch, seen)
            with halted(), self._opened(data.path, scratch) as connection:
                return self._judged(connection, relation(self.file.format, self.contract.columns, data), seen)
        except (duckdb.OutOfMemoryException, duckdb.IOException) as error:
            raise DiskFailed(
                f"the query over {path} ran out of memory or disk",
                seen=str(error).partition("\n")[0],
                hint="raise `memory` of the feed, or give its scratch folder more room",
            ) from error
        except OSError as error:
            raise DiskFailed(f"cannot read {path}", seen=error.strerror or str(error)) from error
        except (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException):
            raise  # a query that we built wrongly: a bug, not the file's fault
        except duckdb.Error as error:
            # The halves disagree: refuse the file. The engine's words may hold a value, so only its kind is told.
            return (results.unreadable(type(error).__name__),), ()
        finally:
            if progress:
                progress.finish(step)

    def _data(self, path: Path, scratch: Path, seen: StrictReport) -> Bytes:
        form = self.file.format
        header = False
        if isinstance(form, Csv | Fixed):
            bare = form.leading is None and form.trailing is None
            if bare and form.encoding in ("utf-8", "utf-8-sig", "ascii"):
                header = form.header
            else:
                path = plain.data_part(form.encoding, path, seen, scratch)
        return Bytes(path, header=header, longest=seen.longest, line_end=seen.line_end)

    def _opened(self, data: Path, scratch: Path) -> duckdb.DuckDBPyConnection:
        """Open an engine that can read this one file, write to `scratch`, and nothing else: a contract brings its own SQL."""
        import duckdb

        spilled = scratch / "spill"
        connection = duckdb.connect(
            config={
                "memory_limit": f"{max(self.memory // 2, 64)}MiB",
                "threads": max(1, min(os.cpu_count() or 1, self.memory // _MIB_A_THREAD)),
                "temp_directory": str(spilled),
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            }
        )
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"SET allowed_paths = [{literal(str(data))}]")
        connection.execute("SET enable_external_access = false")
        return connection

    def _judged(
        self, connection: duckdb.DuckDBPyConnection, table: str, seen: StrictReport
    ) -> tuple[tuple[RuleResult, ...], tuple[Defect, ...]]:
        measures = measure(connection, table, self.contract)
        if measures.rows != seen.rows:
            return (results.disagreement(seen.rows, measures.rows),), ()
        connection.execute(f"CREATE VIEW {name(self.contract.schema_object)} AS SELECT * FROM {table}")
        shy = any(column.personal for column in self.contract.columns)
        found: list[RuleResult] = []
        failed: list[RowCheck | KeyCheck] = []
        for check in self.contract.checks:
            match check:
                case SqlCheck():
                    said = answer(connection, check, measures)
                    # A query may select any column, not only the one whose rule it is.
                    result = results.of_sql(check, said, measures.rows, shown=not shy)
                case TotalCheck():
                    shown = not shy or totals.known_by_its_text(self.file.format, check.record)
                    result = totals.result(check, seen, measures, shown=shown)
                case _:
                    result = results.of_measures(check, measures)
            found.append(result)
            if isinstance(check, RowCheck | KeyCheck) and not result.passed and results.too_many(check):
                failed.append(check)
        return tuple(found), first_failing(connection, table, self.contract.columns, failed, seen.locate)
