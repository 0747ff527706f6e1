"""Is this file, byte for byte, what its declaration says?

Structure, encoding, header and the lexical form of every value, with record, physical line and byte offset of each
defect. One thread, a few MiB of memory, whatever the size of the file or of a field.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from landbridge.errors import UsageError
from landbridge.feed.outputs import Csv

if TYPE_CHECKING:
    from collections.abc import Sequence

    from landbridge.contract.columns import ColumnRule, StrictGate
    from landbridge.feed.outputs import File


def strict_gate(file: File, columns: Sequence[ColumnRule]) -> StrictGate:
    """Make the gate of one declared file, for its columns in the file's order."""
    from landbridge.contract.strict.delimited import CsvGate

    match file.format:
        case Csv() as csv:
            return CsvGate(csv, tuple(columns))
        case _:
            raise UsageError(f"a {file.format.kind} file has no strict gate", expected="csv")
