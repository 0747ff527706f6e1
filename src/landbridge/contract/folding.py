"""Can a contract's own query join the one scan? Most count, add up or bound one column of the rows of a condition; those can."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

_AGGREGATES = {"count_star", "count", "sum", "min", "max", "avg"}
_PLAIN = {"type", "cte_map", "select_list", "from_table", "where_clause", "aggregate_handling"}
"""Parts of a SELECT without grouping, order, limit, sample and the like."""
_TABLE = {"type", "query_location", "query_location_length", "table_name", "qualified_name"}
_CONDITION = re.compile(r"\s+where\s+(.+)", re.IGNORECASE | re.DOTALL)


def folded(connection: duckdb.DuckDBPyConnection, query: str, table: str) -> str:
    """Give the query as one aggregate with a filter over the rows of `table`, or an empty text when it is more than that.

    `SELECT sum(a) FROM t WHERE b > 1` becomes `sum(a) FILTER (WHERE b > 1)`, which is the same value.
    """
    row = connection.execute(
        "SELECT json_serialize_sql(?, skip_null := true, skip_default := true, skip_empty := true)", [query]
    ).fetchone()
    node = json.loads(row[0])["statements"][0]["node"] if row and query.isascii() else {}
    if node.get("type") != "SELECT_NODE" or node.keys() - _PLAIN or node.get("cte_map"):
        return ""
    source, (value, *others) = node["from_table"], node["select_list"]
    if others or source.keys() - _TABLE or source.get("table_name") != table or not _aggregate(value):
        return ""
    begin, length = value["query_location"], value["query_location_length"]
    expression = query[begin : begin + length]
    if "where_clause" not in node:
        return expression
    if '"class": "SUBQUERY"' in json.dumps(node["where_clause"]):
        return ""
    found = _CONDITION.fullmatch(query[source["query_location"] + source["query_location_length"] :])
    # The line end closes a comment that the condition may end in.
    return f"{expression} FILTER (WHERE {found.group(1)}\n)" if found else ""


def _aggregate(value: dict[str, object]) -> bool:
    """Tell whether it is one aggregate over all rows, of bare columns only: an expression might fail on rows left out."""
    arguments = value.get("arguments", [])
    return (
        value.get("class") == "FUNCTION"
        and value.get("function_name") in _AGGREGATES
        and not {"distinct", "filter"} & value.keys()
        and isinstance(arguments, list)
        and all(argument["expression"]["class"] == "COLUMN_REF" for argument in arguments)
    )
