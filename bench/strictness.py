"""How strict is each reader: which of 34 planted defects does it refuse, at which record and line, and which of 7 oddities does it accept?

Must: Landbridge refuses all 34 with the right record and physical line, and accepts all 7. The peers are used as their
documentation shows for a typed CSV: pandera and dataframely over Polars, frictionless with a Table Schema, DuckDB with
`store_rejects`. In the table `R` stands for a right record, `L` for a right physical line; DuckDB's and frictionless's
one number is held against both, and pandera and dataframely are not asked for a place: their 0 means just that.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.installed import installed
from bench.planted import COLUMNS, ROWS, cases

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.planted import Planted


@dataclass(frozen=True, slots=True)
class Answer:
    """What a reader said of a file: nothing wrong, or something, at a record or line if it knows one (-1 when not)."""

    refused: bool
    record: int = -1
    line: int = -1


def landbridge(path: Path) -> Answer:
    """Ask our own strict gate."""
    from landbridge.contract.strict import strict_gate
    from landbridge.feed.outputs import File

    report = strict_gate(File(name="planted.csv", folder="bench"), COLUMNS).scan(path)
    first = report.first[:1]
    return (
        Answer(refused=True, record=first[0].record, line=first[0].line)
        if first
        else Answer(refused=report.rows != ROWS)
    )


def pandera(path: Path) -> Answer:
    """Read typed with Polars, then validate with pandera."""
    import pandera.errors
    import pandera.polars as pa
    import polars as pl

    types = _polars_types()
    schema = pa.DataFrameSchema(
        {name: pa.Column(kind, nullable=True) for name, kind in types.items()}, strict=True, ordered=True
    )
    try:
        schema.validate(pl.read_csv(path, schema_overrides=types), lazy=True)
    except (pl.exceptions.PolarsError, pandera.errors.SchemaErrors, pandera.errors.SchemaError):
        return Answer(refused=True)
    return Answer(refused=False)


def dataframely(path: Path) -> Answer:
    """Read typed with Polars, then validate with dataframely."""
    import dataframely as dy
    import polars as pl

    class Accounts(dy.Schema):  # type: ignore[misc]  # a peer without types
        id = dy.Int64(nullable=True)
        account = dy.Int64(nullable=True)
        amount = dy.Decimal(15, 2, nullable=True)
        rate = dy.Float64(nullable=True)
        flag = dy.String(nullable=True)
        opened = dy.Date(nullable=True)
        note = dy.String(nullable=True)

    try:
        Accounts.validate(pl.read_csv(path, schema_overrides=_polars_types()))
    except (pl.exceptions.PolarsError, dy.exc.ValidationError, dy.exc.SchemaError):
        return Answer(refused=True)
    return Answer(refused=False)


def frictionless(path: Path) -> Answer:
    """Validate with a Table Schema."""
    from frictionless import Resource, Schema, system

    types = {"integer": "integer", "decimal": "number", "float": "number", "date": "date", "string": "string"}
    fields = [{"name": c.name, "type": types[c.kind]} for c in COLUMNS]
    with system.use_context(trusted=True):
        resource = Resource(path=str(path), schema=Schema.from_descriptor({"fields": fields}))
        found = resource.validate().flatten(["rowNumber"])
    if not found:
        return Answer(refused=False)
    (number,) = found[0]
    return Answer(
        refused=True, record=-1 if number is None else number - 1, line=-1 if number is None else number
    )


def duckdb(path: Path) -> Answer:
    """Read typed with DuckDB, rejects kept."""
    import duckdb as engine

    kinds = {
        "integer": "BIGINT",
        "decimal": "DECIMAL(15,2)",
        "float": "DOUBLE",
        "date": "DATE",
        "string": "VARCHAR",
    }
    columns = ", ".join(f"'{c.name}': '{kinds[c.kind]}'" for c in COLUMNS)
    query = (
        f"SELECT {', '.join(f'max({c.name})' for c in COLUMNS)} FROM read_csv('{path}', columns = {{{columns}}}, "
        "header = true, auto_detect = false, delim = ',', quote = '\"', store_rejects = true, max_line_size = 100000000)"
    )
    with engine.connect() as connection:
        try:
            connection.execute(query).fetchall()
        except engine.Error:
            return Answer(refused=True)
        found = connection.execute("SELECT line FROM reject_errors ORDER BY line LIMIT 1").fetchone()
    return Answer(refused=True, record=found[0] - 1, line=found[0]) if found else Answer(refused=False)


def main(_: Sequence[str] = ()) -> None:
    """Print one row a case and the sums."""
    print(__doc__)
    everybody = (landbridge, pandera, dataframely, frictionless, duckdb)
    peers = {reader.__name__: reader for reader in everybody}
    readers = installed(peers, {name: name for name in peers}).values()
    print(f"| planted | {' | '.join(reader.__name__ for reader in readers)} |")
    print(f"|---|{'---|' * len(readers)}")
    sums: dict[str, list[int]] = {reader.__name__: [0, 0, 0, 0] for reader in readers}
    with tempfile.TemporaryDirectory(prefix="landbridge-bench-") as folder:
        path = Path(folder) / "planted.csv"
        for case in cases():
            path.write_bytes(case.make())
            print(f"| {case.name} | {' | '.join(_cell(case, r, path, sums[r.__name__]) for r in readers)} |")
    for at, label in enumerate(
        ("refused of 34", "with the right record", "with the right line", "accepted of 7")
    ):
        print(f"| **{label}** | {' | '.join(str(count[at]) for count in sums.values())} |")


def _cell(case: Planted, reader: Callable[[Path], Answer], path: Path, sums: list[int]) -> str:
    answer = reader(path)
    if not case.defect:
        sums[3] += not answer.refused
        return "refused" if answer.refused else "accepted"
    right = (answer.refused and answer.record == case.record, answer.refused and answer.line == case.line)
    sums[0] += answer.refused
    sums[1] += right[0]
    sums[2] += right[1]
    marks = "".join(letter for letter, yes in zip("RL", right, strict=True) if yes)
    return f"refused {marks}".rstrip() if answer.refused else "**missed**"


def _polars_types() -> dict[str, object]:
    import polars as pl

    types = {
        "integer": pl.Int64(),
        "decimal": pl.Decimal(15, 2),
        "float": pl.Float64(),
        "date": pl.Date(),
        "string": pl.String(),
    }
    return {c.name: types[c.kind] for c in COLUMNS}


if __name__ == "__main__":
    main()
