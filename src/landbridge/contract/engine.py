"""Which DuckDB answers what a contract asks before there is a file: whether a pattern, or a query, is one?"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def engine() -> DuckDBPyConnection:
    """Give a connection that reads no file and has nothing in it; what it creates as TEMP is gone when it is closed."""
    return _opened().cursor()


@cache
def _opened() -> DuckDBPyConnection:
    """Open one DuckDB for all questions of this process: to open one takes longer than to ask it."""
    import duckdb

    return duckdb.connect(config={"threads": 1, "enable_external_access": False})
