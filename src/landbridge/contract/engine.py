"""Which DuckDB answers what a contract asks before there is a file: whether a pattern, or a query, is one?"""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from landbridge.halted import halted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from duckdb import DuckDBPyConnection


@contextmanager
def engine() -> Iterator[DuckDBPyConnection]:
    """Give a connection that reads no file and has nothing in it; what it creates as TEMP is gone when it is closed."""
    with halted(), _opened().cursor() as connection:
        yield connection


@cache
def _opened() -> DuckDBPyConnection:
    """Open one DuckDB for all questions of this process: to open one takes longer than to ask it."""
    import duckdb

    return duckdb.connect(config={"threads": 1, "enable_external_access": False})
