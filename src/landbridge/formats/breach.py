"""Where in the rows is the value that the file cannot hold?

Values never enter a message: a column may be personal, and the writer does not know.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow.compute as pc

from landbridge.errors import ContractBroken

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Place:
    """One column of one batch."""

    column: str
    before: int
    """Data rows before the batch."""

    def refuse(self, bad: pa.BooleanArray, what: str, *, expected: str = "", hint: str = "") -> None:
        """Do nothing when no value is `bad` (null counts as good).

        Raises:
            ContractBroken: names the first bad row (data rows count from 1) and the column.
        """
        index = pc.index(bad, True).as_py()
        if index >= 0:
            raise self.broken(index, what, expected=expected, hint=hint)

    def broken(self, index: int, what: str, *, expected: str = "", hint: str = "") -> ContractBroken:
        """Make the error for the value at `index` of the batch."""
        return ContractBroken(
            f"row {self.before + index + 1}, column `{self.column}`: {what}", expected=expected, hint=hint
        )
