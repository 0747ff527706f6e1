"""Does everything exist that a feed names: calendar, environments, parameters, sources in the transform, functions, columns?"""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from landbridge.declare.templates import totals
from landbridge.declare.vocabulary import nearest
from landbridge.errors import DeclarationWrong, DiskFailed
from landbridge.feed.inputs import PythonSource, SqlReady, SqlSource
from landbridge.feed.outputs import Fixed
from landbridge.halted import halted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from landbridge.contract.checks import Contract
    from landbridge.declare.text import Document, Where
    from landbridge.feed import Feed
    from landbridge.project import Project

_ALWAYS_BOUND = ("business_date", "scheduled_at")
_SQL_PIECES = re.compile(
    r"""'(?:[^']|'')*' | "(?:[^"]|"")*" | --[^\n]* | /\*.*?\*/ | (?P<dollar>\$\w*\$).*?(?P=dollar) | ::
    | (?<![\w:]):(?P<name>[A-Za-z_]\w*)""",
    re.VERBOSE | re.DOTALL,
)
_EXACT = {"integer", "decimal"}


def unknown(document: Document, where: Where, what: str, word: str, known: Iterable[str]) -> None:
    """Note a word that nothing declares."""
    words = sorted(known)
    near = nearest(word, words)
    document.problems.append(
        document.problem(
            where,
            f"{what} `{word}`",
            expected="one of " + ", ".join(f"`{each}`" for each in words) if words else "none is declared",
            hint=f"did you mean `{near}`?" if near else "",
        )
    )


def check_project(feed: Feed, document: Document, project: Project) -> None:
    """Note a calendar or an environment that the project has not."""
    calendar = feed.schedule.calendar
    if calendar is not None and calendar not in project.calendars:
        unknown(document, ("schedule", "calendar"), "no calendar", calendar, project.calendars)
    for index, environment in enumerate(feed.environments):
        if environment not in project.environments:
            unknown(document, ("environments", index), "no environment", environment, project.environments)


def check_sources(feed: Feed, document: Document, folder: Path) -> None:
    """Note parameters, tables and functions that are named but not declared."""
    for name, source in feed.sources.items():
        if isinstance(source, SqlSource):
            _check_query(document, ("sources", name), source.query, source.parameters)
        elif isinstance(source, PythonSource):
            _check_function(document, ("sources", name, "function"), source.function, folder)
    ready = feed.schedule.ready
    if ready and isinstance(ready.signal, SqlReady):
        _check_query(document, ("schedule", "ready", "signal"), ready.signal.query, ready.signal.parameters)
    if feed.transform:
        _check_transform(document, feed.transform, feed.sources)


def sql_parameters(query: str) -> list[str]:
    """Give the names of a query's `:name` parameters, outside of texts, comments, quoted names and casts."""
    return [found["name"] for found in _SQL_PIECES.finditer(query) if found["name"]]


def _check_query(document: Document, where: Where, query: str, parameters: Mapping[str, str]) -> None:
    used = dict.fromkeys(sql_parameters(query))
    known = {*parameters, *_ALWAYS_BOUND}
    for name in used:
        if name not in known:
            unknown(
                document, (*where, "query"), "the query has a parameter that is not declared,", name, known
            )
    for name in parameters:
        if name not in used:
            document.warnings.append(
                document.problem(
                    (*where, "parameters", name), f"the query has no parameter `:{name}`", at_key=True
                )
            )


def _check_transform(document: Document, transform: str, sources: Iterable[str]) -> None:
    import json

    import duckdb

    with halted(), duckdb.connect() as connection:
        row = connection.execute("SELECT json_serialize_sql(?::VARCHAR)", [transform]).fetchone()
    parsed: dict[str, object] = json.loads(row[0]) if row else {}
    where: Where = ("transform",)
    statements = parsed.get("statements", [])
    if not isinstance(statements, list) or len(statements) != 1:
        what = "the transform has several statements" if statements else "the transform cannot be read"
        # Its own message is about JSON when the statement is no SELECT.
        seen = "" if parsed.get("error_type") == "not implemented" else str(parsed.get("error_message", ""))
        document.problems.append(
            document.problem(where, what, expected="one SELECT of DuckDB's SQL", seen=seen)
        )
        return
    tables, own = _tables(parsed)
    declared = {source.lower(): source for source in sources}
    named = {table.lower() for table in tables}
    for table in dict.fromkeys(tables):
        if table.lower() not in declared and table.lower() not in own:
            unknown(document, where, "the transform reads what is no source:", table, declared.values())
    for source in declared.values():
        if source.lower() not in named:
            document.warnings.append(
                document.problem(where, f"the transform does not use the source `{source}`")
            )


def _tables(tree: object) -> tuple[list[str], set[str]]:
    """Give the tables a serialized query reads, and the names of its own WITH clauses in lower case."""
    tables: list[str] = []
    own: set[str] = set()
    pending = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            if node.get("type") == "BASE_TABLE":
                tables.append(str(node["table_name"]))
            clauses = node.get("cte_map", {}).get("map", [])
            own |= {str(clause["key"]).lower() for clause in clauses}
            pending += node.values()
        elif isinstance(node, list):
            pending += node
    return tables[::-1], own


def _check_function(document: Document, where: Where, function: str, folder: Path) -> None:
    module, _, name = function.partition(":")
    stem = folder.joinpath(*module.split("."))
    file = next((path for path in (stem.with_suffix(".py"), stem / "__init__.py") if path.is_file()), None)
    if file is None:
        expected = f"a file {module.replace('.', '/')}.py in the project's folder"
        document.problems.append(document.problem(where, f"no module `{module}`", expected=expected))
        return
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        what = f"`{module}` is not Python" + (f": line {line}" if line else "")
        document.problems.append(document.problem(where, what))
        return
    offered = {each for statement in tree.body for each in _defined(statement)}
    if "*" not in offered and name not in offered:
        unknown(document, where, f"`{module}` has no", name, offered)


def _defined(statement: ast.stmt) -> list[str]:
    match statement:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.Assign(targets=targets):
            return [node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr()):
            return [name]
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            return [alias.asname or alias.name for alias in names]
        case ast.If() | ast.Try():
            return ["*"]  # whatever it defines
        case _:
            return []


def check_contract(feed: Feed, document: Document, folder: Path, noted: set[str]) -> None:
    """Load the contract, and hold the feed's columns against it; what is wrong in it is noted once, for the first feed."""
    from landbridge.contract import odcs

    reference = feed.contract
    if not (folder / reference.file).is_file():
        document.problems.append(
            document.problem(
                ("contract", "file"),
                "no such contract",
                expected=f"a file {reference.file} in the project's folder",
                hint=_nearest_file(folder, reference.file),
            )
        )
        return
    try:
        contract = odcs.load(folder / reference.file, reference.schema_object)
    except DeclarationWrong as wrong:
        if reference.file not in noted:
            noted.add(reference.file)
            document.problems += [replace(problem, file=reference.file) for problem in wrong.problems]
        return
    except DiskFailed as error:
        document.problems.append(document.problem(("contract", "file"), error.what))
        return
    _check_columns(feed, document, contract)


def _nearest_file(folder: Path, file: str) -> str:
    known = [path.relative_to(folder).as_posix() for path in (folder / "contracts").glob("*.yaml")]
    near = nearest(file, known)
    return f"did you mean `{near}`?" if near else ""


def _check_columns(feed: Feed, document: Document, contract: Contract) -> None:
    columns = {column.name: column for column in contract.columns}
    where: Where = ("order_by",)
    for index, name in enumerate(feed.order_by):
        if name not in columns:
            unknown(document, (*where, index), "the contract has no column", name, columns)
    for where, name in totals(feed):
        if name not in columns:
            unknown(document, where, "the contract has no column", name, columns)
        elif columns[name].kind not in _EXACT:
            what = f"`{name}` is a {columns[name].kind} and has no exact total"
            document.problems.append(document.problem(where, what, expected="an integer or a decimal"))
    declared = feed.file.format
    if isinstance(declared, Fixed):
        where = ("file", "format", "columns")
        for name in declared.columns:
            if name not in columns:
                unknown(document, (*where, name), "the contract has no column", name, columns)
        missing = [name for name in columns if name not in declared.columns]
        if missing and all(name in columns for name in declared.columns):
            what = f"the contract's column `{missing[0]}` has no width"
            document.problems.append(document.problem(where, what, at_key=True))
