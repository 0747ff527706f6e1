"""What does an Open Data Contract Standard document promise of a file? Every clause is judged, informs, or is refused by name."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import TYPE_CHECKING

from landbridge.contract import standard
from landbridge.contract.checks import Contract, KeyCheck
from landbridge.contract.clauses import Clauses, checks_of
from landbridge.contract.places import Document, Spelled, nearest
from landbridge.contract.quality import check_of
from landbridge.contract.rules import Rule
from landbridge.contract.shapes import column_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from open_data_contract_standard.model import (
        DataQuality,
        OpenDataContractStandard,
        SchemaObject,
        SchemaProperty,
    )

    from landbridge.contract.checks import Check
    from landbridge.contract.columns import ColumnRule
    from landbridge.contract.places import Path_
    from landbridge.contract.standard import Words


_OURS = "landbridge "
"""How the gate calls what it puts beside the columns of a file."""


def load(path: Path, schema_object: str | None = None) -> Contract:
    """Read the contract at `path` and take the object named `schema_object` (needed when it holds several).

    Raises:
        DeclarationWrong: with every mistake and every clause that is not supported, each with its line.
        DiskFailed: the file cannot be read.

    Source: Open Data Contract Standard v3.1 (and the words that v3.0 and v3.2 share with it, and v3.2's `enum`).
    """
    document = Document(path)
    _check_words(document)
    document.settle()
    contract = _modelled(document)
    index, chosen = _chosen(document, contract, schema_object)
    base: Path_ = ("schema", index)
    columns = _columns(document, base, chosen)
    checks = tuple(_checks(document, base, chosen, columns))
    document.settle()
    return Contract(
        name=contract.name or contract.id or "",
        version=contract.version or "",
        schema_object=chosen.name or "",
        columns=tuple(columns.values()),
        checks=checks,
        text=document.text,
    )


def _check_words(document: Document) -> None:
    """Note every key that the standard does not know, or that is refused; in all objects, chosen or not."""
    _check_keys(document, (), standard.CONTRACT)
    tree = document.tree
    version, kind = document.at(("apiVersion",)), document.at(("kind",))
    if kind != "DataContract":
        document.wrong(("kind",), "not a data contract", expected="DataContract", seen=str(kind))
    if version not in standard.VERSIONS:
        document.wrong(
            ("apiVersion",),
            "this version of the standard is not supported",
            expected=" or ".join(standard.VERSIONS),
            seen=str(version),
        )
    for index, _ in _items(document, ("schema",)):
        place: Path_ = ("schema", index)
        _check_keys(document, place, standard.OBJECT)
        _check_rules(document, (*place, "quality"))
        for number, _ in _items(document, (*place, "properties")):
            inner = (*place, "properties", number)
            _check_keys(document, inner, standard.PROPERTY)
            _check_rules(document, (*inner, "quality"))
            for entry, _ in _items(document, (*inner, "enum")):
                _check_keys(document, (*inner, "enum", entry), standard.ENUM_VALUE)
    _check_variables(document, tree, ())


def _items(document: Document, path: Path_) -> Iterator[tuple[int, object]]:
    found = document.at(path)
    yield from enumerate(found if isinstance(found, list) else ())


def _check_rules(document: Document, path: Path_) -> None:
    for index, _ in _items(document, path):
        _check_keys(document, (*path, index), standard.QUALITY)


def _check_keys(document: Document, path: Path_, words: Words) -> None:
    node = document.at(path)
    for key in node if isinstance(node, dict) else ():
        if key in words.refused:
            document.wrong((*path, key), f"`{key}` is not supported: {words.refused[key]}")
        elif key not in words.judged | words.informing:
            known = words.judged | words.informing
            document.wrong(
                (*path, key), f"`{key}` is no word of the standard here", hint=nearest(str(key), known)
            )


def _check_variables(document: Document, node: object, path: Path_) -> None:
    """Refuse `${NAME}` (ODCS 3.2 variables) where it would decide something; a SQL rule has words of its own."""
    if path and path[0] not in standard.CONTRACT.judged:
        return
    match node:
        case dict():
            for key, value in node.items():
                _check_variables(document, value, (*path, key))
        case list():
            for index, value in enumerate(node):
                _check_variables(document, value, (*path, index))
        case str() if "${" in node and path[-1] not in ("query", "pattern", "description"):
            document.wrong(path, "variables (`${...}`) are not supported in a contract", seen=node)
        case _:
            pass


def _plain(node: object) -> object:
    """Give what the YAML holds without its places, as the standard's models take it."""
    match node:
        case dict():
            return {str(key): _plain(value) for key, value in node.items()}
        case list():
            return [_plain(value) for value in node]
        case bool() | None:
            return node
        case int():
            return int(node)
        case Spelled():
            return node
        case datetime() | date() | time():
            return node.isoformat()
        case _:
            return str(node)


def _modelled(document: Document) -> OpenDataContractStandard:
    from open_data_contract_standard.model import OpenDataContractStandard
    from pydantic import ValidationError

    try:
        return OpenDataContractStandard.model_validate(_plain(document.tree))
    except ValidationError as error:
        for wrong in error.errors():
            document.wrong(wrong["loc"], wrong["msg"], seen=_brief(wrong["input"]))
        document.settle()
        raise


def _brief(value: object) -> str:
    return str(value) if isinstance(value, str | int | float | bool) else ""


def _chosen(
    document: Document, contract: OpenDataContractStandard, wanted: str | None
) -> tuple[int, SchemaObject]:
    objects = contract.schema_ or []
    names = [declared.name or "" for declared in objects]
    for required, value in (("version", contract.version), ("id", contract.id)):
        if not value:
            document.wrong((), f"a contract without `{required}`")
    matching = [
        index
        for index, declared in enumerate(objects)
        if wanted == declared.name or (wanted is None and len(objects) == 1)
    ]
    listed = ", ".join(names)
    if not objects:
        document.wrong(("schema",), "a contract without an object in its `schema`")
    elif not matching and wanted is None:
        hint = "name one: `schema_object` in the feed, `--object` on the command line"
        document.wrong(("schema",), "the contract holds several objects", seen=listed, hint=hint)
    elif not matching:
        document.wrong(
            ("schema",),
            f"the contract holds no object `{wanted}`",
            seen=listed,
            hint=nearest(wanted or "", names),
        )
    elif len(matching) > 1:
        document.wrong(("schema", matching[1], "name"), f"two objects are called `{wanted}`")
    document.settle()
    return matching[0], objects[matching[0]]


def _columns(document: Document, base: Path_, declared: SchemaObject) -> dict[str, ColumnRule]:
    """Give the columns by their names in the contract, in order."""
    found: dict[str, ColumnRule] = {}
    if declared.logicalType not in (None, "object"):
        document.wrong(
            (*base, "logicalType"), "an object of the schema is an `object`", seen=declared.logicalType
        )
    if not declared.name:
        document.wrong(base, "an object without a `name`, which `sql` rules select from")
    if not declared.properties:
        document.wrong(base, "an object without `properties` says nothing about a file")
    for index, clauses in _properties(document, base, declared):
        name = clauses.declared.name or ""
        if not name:
            clauses.wrong(what="a property without a `name`")
        elif name in found:
            clauses.wrong("name", what=f"two properties are called `{name}`")
        elif any(each.casefold().startswith(_OURS) for each in (name, clauses.declared.physicalName or "")):
            clauses.wrong(
                "name", what="names that begin with `landbridge ` are those of the gate's own columns"
            )
        column = column_of(clauses)
        if column is not None and column.name.casefold() in {o.name.casefold() for o in found.values()}:
            what = f"two columns of the file are called `{column.name}`, whatever the case of its letters"
            clauses.wrong("physicalName", what=what, hint="SQL does not tell names apart by case")
        elif column is not None:
            found[name or str(index)] = column
    return found


def _properties(document: Document, base: Path_, declared: SchemaObject) -> Iterator[tuple[int, Clauses]]:
    for index, prop in enumerate(declared.properties or ()):
        yield index, Clauses(document, (*base, "properties", index), prop)


def _checks(
    document: Document, base: Path_, declared: SchemaObject, columns: dict[str, ColumnRule]
) -> Iterator[Check]:
    table = declared.name or ""
    for _, clauses in _properties(document, base, declared):
        column = columns.get(clauses.declared.name or "")
        if column is None:
            continue
        yield from checks_of(clauses, column)
        if clauses.declared.unique:
            yield KeyCheck("unique", (column.name,), document.place((*clauses.path, "unique")))
        yield from _rules(
            document, (*clauses.path, "quality"), clauses.declared.quality, column, columns, table
        )
    yield from _primary_key(document, base, declared, columns)
    yield from _rules(document, (*base, "quality"), declared.quality, None, columns, table)


def _rules(
    document: Document,
    path: Path_,
    declared: list[DataQuality] | None,
    column: ColumnRule | None,
    columns: dict[str, ColumnRule],
    table: str,
) -> Iterator[Check]:
    for index, quality in enumerate(declared or ()):
        check = check_of(Rule(document, (*path, index), quality, column, columns, table))
        if check is not None:
            yield check


def _primary_key(
    document: Document, base: Path_, declared: SchemaObject, columns: dict[str, ColumnRule]
) -> Iterator[KeyCheck]:
    keyed: list[tuple[int, int, SchemaProperty]] = []
    for index, prop in enumerate(declared.properties or ()):
        position = prop.primaryKeyPosition if prop.primaryKeyPosition not in (None, -1) else None
        path = (*base, "properties", index, "primaryKeyPosition")
        if not prop.primaryKey:
            if position is not None:
                document.wrong(path, "a position in the primary key without `primaryKey: true`")
            continue
        if position in {other for other, _, _ in keyed}:
            document.wrong(path, f"two properties have position {position} in the primary key")
        keyed.append((position if position is not None else len(keyed) + 1, index, prop))
    if keyed:
        order = sorted(keyed, key=lambda entry: entry[:2])
        names = tuple(columns[prop.name or ""].name for _, _, prop in order if prop.name in columns)
        yield KeyCheck("primaryKey", names, document.place((*base, "properties", order[0][1], "primaryKey")))
