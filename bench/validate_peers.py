"""One validation by one library, as a process of its own: `python -m bench.validate_peers PEER FILE`. Started by bench.validate."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

FLAGS = ("A", "N", "R")
MODES = ("AIR", "RAIL", "SHIP", "TRUCK", "MAIL", "FOB", "REG AIR")
WORDS = "^[A-Z]+( [A-Z]+)*$"
LONGEST = 44
MOST = 100_000_000
NUMBERS = {"l_quantity": ("1", "50"), "l_discount": ("0", "0.1"), "l_tax": ("0", "0.08")}
DAYS = ("1992-01-01", "1998-12-31")
INTEGERS = ("l_orderkey", "l_partkey", "l_suppkey", "l_linenumber")
DECIMALS = ("l_quantity", "l_extendedprice", "l_discount", "l_tax")
DATES = ("l_shipdate", "l_commitdate", "l_receiptdate")
COLUMNS = (
    *INTEGERS,
    *DECIMALS,
    "l_returnflag",
    "l_linestatus",
    *DATES,
    "l_shipinstruct",
    "l_shipmode",
    "l_comment",
)
KEY = ("l_orderkey", "l_linenumber")


def _property(column: str, key: tuple[str, ...]) -> str:
    options, more = "", ""
    if column in INTEGERS:
        kind = "logicalType: integer"
    elif column in DECIMALS:
        kind = 'logicalType: number, physicalType: "DECIMAL(15,2)"'
    else:
        kind = f"logicalType: {'date' if column in DATES else 'string'}"
    if column in NUMBERS:
        options = "minimum: {}, maximum: {}".format(*NUMBERS[column])
    elif column == "l_shipdate":
        options = 'minimum: "{}", maximum: "{}"'.format(*DAYS)
    elif column == "l_shipinstruct":
        options = f'pattern: "{WORDS}"'
    elif column == "l_comment":
        options = f"maxLength: {LONGEST}"
    if column in ("l_returnflag", "l_shipmode"):
        valid = FLAGS if column == "l_returnflag" else MODES
        more = f", quality: [{{metric: invalidValues, arguments: {{validValues: [{', '.join(valid)}]}}, mustBe: 0}}]"
    if column in key:
        more += f", primaryKey: true, primaryKeyPosition: {key.index(column) + 1}"
    options = f", logicalTypeOptions: {{{options}}}" if options else ""
    return f"  - {{name: {column}, {kind}, required: true{options}{more}}}\n"


def _landbridge(file: Path, key: tuple[str, ...]) -> bool:
    from landbridge.contract.gate import gate_for
    from landbridge.contract.odcs import load
    from landbridge.feed.outputs import File

    text = "apiVersion: v3.1.0\nkind: DataContract\nid: lineitem\nversion: 1.0.0\nschema:\n- name: lineitem\n  properties:\n"
    text += "".join(_property(column, key) for column in COLUMNS)
    text += f"  quality:\n  - {{metric: rowCount, mustBeBetween: [1, {MOST}]}}\n"
    text += "  - {type: sql, query: SELECT sum(l_extendedprice) FROM lineitem, mustBeGreaterThan: 0}\n"
    with tempfile.TemporaryDirectory() as folder:
        contract = Path(folder) / "lineitem.odcs.yaml"
        contract.write_text(text, encoding="utf-8")
        declared = File(name="lineitem.csv", folder="bench", formula_injection="allow")
        gate = gate_for(load(contract), declared, memory=512, spill=Path(folder))
        return gate.judge(file).passed


def landbridge(file: Path) -> bool:
    """Judge it as the product does, both halves."""
    return _landbridge(file, KEY)


def landbridge_grouped(file: Path) -> bool:
    """Do the same with a key that does not ascend in the file."""
    return _landbridge(file, KEY[::-1])


def duckdb(file: Path) -> bool:
    """Type the columns and check everything in one statement, with nothing held back."""
    import duckdb as engine

    kinds = dict.fromkeys(COLUMNS, "VARCHAR") | dict.fromkeys(INTEGERS, "BIGINT")
    kinds |= dict.fromkeys(DECIMALS, "DECIMAL(15,2)") | dict.fromkeys(DATES, "DATE")
    source = f"read_csv('{file}', header = true, auto_detect = false, columns = {kinds})"
    broken = [f"NOT {column} BETWEEN {low} AND {high}" for column, (low, high) in NUMBERS.items()]
    broken += ["NOT l_shipdate BETWEEN DATE '{}' AND DATE '{}'".format(*DAYS)]
    broken += [f"l_returnflag NOT IN {FLAGS}", f"l_shipmode NOT IN {MODES}"]
    broken += [f"NOT regexp_matches(l_shipinstruct, '{WORDS}')", f"length(l_comment) > {LONGEST}"]
    measures = ["count(*)", "sum(l_extendedprice)", *(f"count({column})" for column in COLUMNS)]
    measures += [f"count(*) FILTER (WHERE {condition})" for condition in broken]
    repeated = (
        f"SELECT count(*) FROM (SELECT {', '.join(KEY)} FROM {source} GROUP BY ALL HAVING count(*) > 1)"
    )
    ((rows, total, *rest),) = engine.execute(
        f"SELECT {', '.join(measures)}, ({repeated}) FROM {source}"
    ).fetchall()
    filled, bad = rest[: len(COLUMNS)], rest[len(COLUMNS) :]
    return 1 <= rows <= MOST and total > 0 and set(filled) == {rows} and not any(bad)


def dataframely(file: Path) -> bool:
    """Scan lazily into Polars and validate a schema."""
    import datetime as dt
    from decimal import Decimal

    import dataframely as dy
    import polars as pl

    numbers = {column: tuple(map(Decimal, bounds)) for column, bounds in NUMBERS.items()}
    columns: dict[str, object] = {column: dy.String() for column in COLUMNS}
    columns |= {column: dy.Int64(primary_key=column in KEY) for column in INTEGERS}
    columns |= {column: dy.Decimal(15, 2) for column in DECIMALS}
    columns |= {column: dy.Decimal(15, 2, min=low, max=high) for column, (low, high) in numbers.items()}
    columns |= {column: dy.Date() for column in DATES}
    low, high = map(dt.date.fromisoformat, DAYS)
    columns |= {"l_shipdate": dy.Date(min=low, max=high), "l_comment": dy.String(max_length=LONGEST)}
    columns |= {"l_shipinstruct": dy.String(regex=WORDS)}
    columns |= {
        "l_returnflag": dy.String(check=lambda value: value.is_in(FLAGS)),
        "l_shipmode": dy.String(check=lambda value: value.is_in(MODES)),
    }
    schema = type("Lineitem", (dy.Schema,), columns)
    frame = schema.validate(_polars(file))  # type: ignore[attr-defined]
    return bool(1 <= frame.height <= MOST and frame.select(pl.col("l_extendedprice").sum()).item() > 0)


def _polars(file: Path) -> object:
    import polars as pl

    kinds: dict[str, object] = dict.fromkeys(COLUMNS, pl.String) | dict.fromkeys(INTEGERS, pl.Int64)
    kinds |= dict.fromkeys(DECIMALS, pl.Decimal(15, 2)) | dict.fromkeys(DATES, pl.Date)
    return pl.scan_csv(file, schema=kinds).collect()


def pandera(file: Path) -> bool:
    """Read into Polars and validate a schema."""
    import datetime as dt
    from decimal import Decimal

    import pandera.polars as pa
    import polars as pl

    checks: dict[str, object] = {
        column: pa.Check.in_range(*map(Decimal, bounds)) for column, bounds in NUMBERS.items()
    }
    checks |= {
        "l_shipdate": pa.Check.in_range(*map(dt.date.fromisoformat, DAYS)),
        "l_returnflag": pa.Check.isin(FLAGS),
        "l_shipmode": pa.Check.isin(MODES),
        "l_shipinstruct": pa.Check.str_matches(WORDS),
        "l_comment": pa.Check.str_length(max_value=LONGEST),
    }
    kinds: dict[str, object] = dict.fromkeys(COLUMNS, pl.String) | dict.fromkeys(INTEGERS, pl.Int64)
    kinds |= dict.fromkeys(DECIMALS, pl.Decimal(15, 2)) | dict.fromkeys(DATES, pl.Date)
    columns = {column: pa.Column(kinds[column], checks.get(column), nullable=False) for column in COLUMNS}
    frame = pa.DataFrameSchema(columns, unique=list(KEY), strict=True, ordered=True).validate(_polars(file))
    return bool(1 <= frame.height <= MOST and frame.select(pl.col("l_extendedprice").sum()).item() > 0)


def great_expectations(file: Path) -> bool:
    """Read into pandas (through Arrow, its fastest way) and run a suite."""
    import great_expectations as gx
    import pandas as pd

    frame = pd.read_csv(file, engine="pyarrow", dtype_backend="pyarrow")
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    batch = (
        context.data_sources.add_pandas("p")
        .add_dataframe_asset("a")
        .add_batch_definition_whole_dataframe("b")
        .get_batch({"dataframe": frame})
    )
    make = gx.expectations
    expected = [make.ExpectColumnValuesToNotBeNull(column=column) for column in COLUMNS]
    expected += [
        make.ExpectColumnValuesToBeBetween(column=column, min_value=float(low), max_value=float(high))
        for column, (low, high) in NUMBERS.items()
    ]
    expected += [
        make.ExpectCompoundColumnsToBeUnique(column_list=list(KEY)),
        make.ExpectColumnValuesToBeInSet(column="l_returnflag", value_set=list(FLAGS)),
        make.ExpectColumnValuesToBeInSet(column="l_shipmode", value_set=list(MODES)),
        make.ExpectColumnValuesToMatchRegex(column="l_shipinstruct", regex=WORDS),
        make.ExpectColumnValueLengthsToBeBetween(column="l_comment", max_value=LONGEST),
        make.ExpectTableRowCountToBeBetween(min_value=1, max_value=MOST),
        make.ExpectColumnSumToBeBetween(column="l_extendedprice", min_value=1),
    ]
    return bool(batch.validate(gx.ExpectationSuite(name="s", expectations=expected)).success)


RUNNERS: dict[str, Callable[[Path], bool]] = {
    "landbridge": landbridge,
    "landbridge, key in another order": landbridge_grouped,
    "DuckDB by hand": duckdb,
    "dataframely": dataframely,
    "pandera on Polars": pandera,
    "Great Expectations": great_expectations,
}


def main() -> None:
    """Run one peer; a good file that it refuses is a failure of the bench."""
    name, file = sys.argv[1:]
    if not RUNNERS[name](Path(file)):
        raise SystemExit(f"{name} refused a good file")


if __name__ == "__main__":
    main()
