"""Does a Parquet file have the columns of the contract, by name, in order, in types that hold every value exactly?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from landbridge.contract.columns import StrictReport
from landbridge.errors import DiskFailed
from landbridge.facts import Defect

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pyarrow as pa

    from landbridge.contract.columns import ColumnRule
    from landbridge.ports import Progress

_RULES = ("structure", "header", "type")


class ParquetGate:
    """The strict half for Parquet: a file without lexical form, whose footer says what it holds.

    The pages themselves are read by the query, which touches every column.
    """

    def __init__(self, columns: Sequence[ColumnRule]) -> None:
        """Judge files by these columns."""
        self._columns = tuple(columns)

    def scan(self, path: Path, progress: Progress | None = None) -> StrictReport:
        """Read the footer."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        del progress  # nothing to watch: one read at the end of the file
        try:
            with pq.ParquetFile(path) as opened:
                schema, rows = opened.schema_arrow, opened.metadata.num_rows
        except (pa.ArrowInvalid, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise DiskFailed(f"{path} cannot be read", seen=error.strerror or str(error)) from error
            defect = Defect("structure", 0, 0, -1, "", f"not a whole Parquet file: {error}"[:200])
            return StrictReport(rows=0, header=(), defects={"structure": 1}, first=(defect,), rules=_RULES)
        found = tuple(self._defects(schema))
        counts = {rule: sum(defect.rule == rule for defect in found) for rule in _RULES}
        return StrictReport(
            rows=rows,
            header=tuple(schema.names),
            defects={rule: count for rule, count in counts.items() if count},
            first=found,
            rules=_RULES,
            locate=lambda records: [(0, -1)] * len(records),
        )

    def _defects(self, schema: pa.Schema) -> list[Defect]:
        wanted = [column.name for column in self._columns]
        if list(schema.names) != wanted:
            message = f"the columns are {', '.join(schema.names)}; expected {', '.join(wanted)}"
            return [Defect("header", 0, 0, -1, "", message[:400])]
        return [
            Defect(
                "type",
                0,
                0,
                -1,
                column.name,
                f"stored as {field.type}, which does not hold the contract's {_words(column)} exactly",
            )
            for column, field in zip(self._columns, schema, strict=True)
            if not _fits(column, field.type)
        ]


def _words(column: ColumnRule) -> str:
    if column.kind == "decimal":
        return f"decimal({column.precision},{column.scale})"
    if column.kind == "integer":
        return f"{'' if column.signed else 'unsigned '}{column.bits}-bit integer"
    return f"{column.kind} with a zone" if column.zoned else column.kind


def _fits(column: ColumnRule, stored: pa.DataType) -> bool:
    """Tell whether every value of the stored type is one of the column's."""
    from pyarrow import types

    match column.kind:
        case "string":
            return bool(types.is_string(stored) or types.is_large_string(stored) or _texts(stored))
        case "binary":
            return bool(
                types.is_binary(stored) or types.is_large_binary(stored) or types.is_fixed_size_binary(stored)
            )
        case "integer":
            if not types.is_integer(stored):
                return False
            unsigned = types.is_unsigned_integer(stored)
            return stored.bit_width <= column.bits - (1 if unsigned and column.signed else 0) and (
                unsigned or column.signed
            )
        case "decimal":
            return bool(types.is_decimal(stored)) and bool(
                stored.scale <= column.scale
                and stored.precision - stored.scale <= column.precision - column.scale
            )
        case "float":
            return bool(types.is_floating(stored) and stored.bit_width <= column.bits)
        case "boolean":
            return bool(types.is_boolean(stored))
        case "date":
            return bool(types.is_date(stored))
        case "time":
            return bool(types.is_time(stored) and stored.unit != "ns")
        case _:
            return bool(
                types.is_timestamp(stored) and (stored.tz is not None) == column.zoned and stored.unit != "ns"
            )


def _texts(stored: pa.DataType) -> bool:
    from pyarrow import types

    return bool(types.is_dictionary(stored) and types.is_string(stored.value_type))
