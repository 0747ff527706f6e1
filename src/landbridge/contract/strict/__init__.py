"""Is this file, byte for byte, what its declaration says?

Structure, encoding, header and the lexical form of every value, with record, physical line and byte offset of each
defect. One thread, a few MiB of memory, whatever the size of the file or of a field.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from landbridge.errors import UsageError
from landbridge.feed.outputs import Csv, Fixed, Jsonl, Parquet

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from landbridge.contract.columns import ColumnRule, StrictGate
    from landbridge.feed.outputs import File


def strict_gate(file: File, columns: Sequence[ColumnRule], scratch: Path | None = None) -> StrictGate:
    """Make the gate of one declared file, for its columns in the file's order.

    `scratch` is a folder for the UTF-8 twin of a UTF-16 file (and of a CSV file whose delimiter or quote is more than
    one byte); the system's own without it.

    Raises:
        UsageError: the format has no bytes of its own to be strict about (Parquet), or its delimiter or quote does
            not exist in its encoding.
    """
    from landbridge.contract.strict.delimited import csv_gate
    from landbridge.contract.strict.fixed import fixed_gate
    from landbridge.contract.strict.jsonl import jsonl_gate
    from landbridge.contract.strict.transcoded import TranscodedGate, needs_transcoding, stand_ins

    match file.format:
        case Csv() as csv if needs_transcoding(csv):
            twin, swaps = stand_ins(csv)
            return TranscodedGate(csv_gate(twin, columns), csv.encoding, swaps, scratch)
        case Csv() as csv:
            return csv_gate(csv, columns)
        case Fixed(encoding="utf-16-le" | "utf-16-be" as encoding) as fixed:
            twin_layout = fixed.model_copy(update={"encoding": "utf-8"})
            return TranscodedGate(fixed_gate(twin_layout, columns), encoding, {}, scratch)
        case Fixed() as fixed:
            return fixed_gate(fixed, columns)
        case Jsonl():
            return jsonl_gate(columns)
        case Parquet():
            raise UsageError("a Parquet file has no strict gate: its form is in its schema")
        case _ as never:
            assert_never(never)
