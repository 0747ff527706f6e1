"""Every word of the standard is judged, informs, or is refused by name with its line; nothing is passed over in silence."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING

import pytest

from landbridge.contract import standard
from landbridge.contract.checks import KeyCheck
from landbridge.contract.columns import parts_of
from landbridge.contract.odcs import load
from landbridge.contract.places import Document
from landbridge.errors import DeclarationWrong, DiskFailed, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from landbridge.contract.standard import Words

HEAD = "apiVersion: v3.1.0\nkind: DataContract\nid: t\nversion: 1.2.3\n"
OBJECT = "schema:\n- name: things\n  properties:\n  - {name: id, logicalType: integer}\n"


def problems(text: str, folder: Path, chosen: str | None = None) -> tuple[Problem, ...]:
    path = folder / "c.odcs.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DeclarationWrong) as caught:
        load(path, chosen)
    return caught.value.problems


def keys_of(definition: dict[str, object], definitions: dict[str, dict[str, object]]) -> Iterator[str]:
    """Give the keys that a definition of the standard's JSON Schema allows, through its references and branches."""
    properties = definition.get("properties", {})
    assert isinstance(properties, dict)
    yield from properties
    branches: list[object] = [definition]
    for word in ("allOf", "oneOf", "anyOf"):
        listed = definition.get(word, [])
        assert isinstance(listed, list)
        branches += listed
    branches += [definition[word] for word in ("then", "else") if word in definition]
    for branch in branches:
        assert isinstance(branch, dict)
        if isinstance(reference := branch.get("$ref"), str):
            yield from keys_of(definitions[reference.rpartition("/")[2]], definitions)
        if branch is not definition:
            yield from keys_of(branch, definitions)


@pytest.mark.parametrize(
    ("definition", "words"),
    [
        ("", standard.CONTRACT),
        ("SchemaObject", standard.OBJECT),
        ("SchemaProperty", standard.PROPERTY),
        ("DataQuality", standard.QUALITY),
        ("EnumValue", standard.ENUM_VALUE),
    ],
)
def test_every_word_of_the_standard_stands_in_exactly_one_list(definition: str, words: Words) -> None:
    schema = json.loads((files("open_data_contract_standard") / "schema.json").read_text(encoding="utf-8"))
    known = set(keys_of(schema["$defs"][definition] if definition else schema, schema["$defs"]))
    lists: tuple[Iterable[str], ...] = (words.judged, words.informing, words.refused)
    assert set().union(*lists) == known
    assert sum(len(set(each)) for each in lists) == len(known)


def test_informing_words_change_nothing(tmp_path: Path) -> None:
    plain = tmp_path / "plain.yaml"
    plain.write_text(HEAD + OBJECT, encoding="utf-8")
    told = tmp_path / "told.yaml"
    told.write_text(
        HEAD
        + "status: active\ndomain: d\ntenant: x\ntags: [a]\ndescription: {purpose: p}\nteam: {name: t}\n"
        + "slaProperties: [{property: latency, value: 4, unit: d}]\nservers: [{server: s, type: sftp}]\n"
        + "schema:\n- name: things\n  physicalType: file\n  businessName: Things\n  dataGranularityDescription: one\n"
        + "  properties:\n  - name: id\n    logicalType: integer\n    description: x\n    examples: [1]\n"
        + "    transformLogic: a + b\n    criticalDataElement: true\n    partitioned: true\n    encryptedName: e\n",
        encoding="utf-8",
    )
    assert load(told).columns == load(plain).columns
    assert load(told).checks == load(plain).checks == ()


# What is refused; the words of the problem; the text on the line it must point at.
REFUSED_PROPERTIES = [
    ("relationships: [{to: a.b}]", "`relationships` is not supported", "relationships"),
    ("logicalType: object", "logicalType `object` is not supported", "logicalType"),
    ("logicalType: array", "logicalType `array` is not supported", "logicalType"),
    ("logicalType: vector", "logicalType `vector` is not supported", "logicalType"),
    ("logicalType: map", "logicalType `map` is not supported", "logicalType"),
    ("properties: [{name: x}]", "`properties` is not supported", "properties"),
    ("items: {logicalType: string}", "`items` is not supported", "items"),
    ("map: {}", "`map` is not supported", "map"),
    ("semanticType: measure", "only columns can be in a file", "semanticType"),
    ("requird: true", "`requird` is no word of the standard", "requird"),
    (
        "logicalTypeOptions: {minItems: 1}",
        "`minItems` is not supported for logicalType `integer`",
        "minItems",
    ),
    ("logicalTypeOptions: {pattern: a}", "`pattern` is not supported for logicalType `integer`", "pattern"),
    ("logicalTypeOptions: {format: i12}", "integer format `i12` is not supported", "format"),
    ("logicalTypeOptions: {minimum: many}", "`many` is no integer", "minimum"),
    (
        "logicalType: string, logicalTypeOptions: {format: iban}",
        "string format `iban` is not supported",
        "format",
    ),
    (
        "logicalType: string, logicalTypeOptions: {pattern: '(?=a)b'}",
        "the pattern is not supported",
        "pattern",
    ),
    (
        "logicalType: string, logicalTypeOptions: {minLength: x}",
        "`minLength` cannot be `x` here",
        "minLength",
    ),
    (
        "logicalType: number, logicalTypeOptions: {multipleOf: 2}",
        "`multipleOf` cannot be `2` here",
        "multipleOf",
    ),
    (
        "logicalType: string, logicalTypeOptions: {minLength: -1}",
        "`minLength` cannot be `-1` here",
        "minLength",
    ),
    (
        "logicalType: string, logicalTypeOptions: {maxLength: true}",
        "`maxLength` cannot be `True` here",
        "maxLength",
    ),
    ("logicalTypeOptions: {multipleOf: 0}", "`multipleOf` cannot be `0` here", "multipleOf"),
    ("logicalTypeOptions: {multipleOf: -5}", "`multipleOf` cannot be `-5` here", "multipleOf"),
    ('logicalType: number, logicalTypeOptions: {maximum: "1e400"}', "is beyond a float", "maximum"),
    ("logicalType: number, logicalTypeOptions: {minimum: many}", "`many` is no number", "minimum"),
    (
        "logicalType: number, physicalType: 'DECIMAL(5,2)', enum: [{value: 0.125}]",
        "`0.125` is no decimal of 5 digits, 2 of them after the point",
        "enum",
    ),
    (
        "logicalType: number, physicalType: 'DECIMAL(5,2)', enum: [{value: 1000}]",
        "`1000` is no decimal of 5 digits",
        "enum",
    ),
    ("logicalType: number, physicalType: DECIMAL", "a decimal without its digits", "physicalType"),
    ("logicalType: number, physicalType: 'DECIMAL(39,2)'", "these digits are not supported", "physicalType"),
    ("logicalType: number, physicalType: 'DECIMAL(5,6)'", "these digits are not supported", "physicalType"),
    ("logicalType: date, logicalTypeOptions: {format: yyyy-MM-dd HH}", "does not spell a date", "format"),
    ("logicalType: time, logicalTypeOptions: {format: yyyy-MM-dd HH}", "does not spell a time", "format"),
    ("logicalType: time, logicalTypeOptions: {format: yyyy-MM-dd}", "does not spell a time", "format"),
    ("logicalType: timestamp, logicalTypeOptions: {format: HH:mm}", "does not spell a timestamp", "format"),
    (
        "logicalType: timestamp, logicalTypeOptions: {format: yyyy-MM-dd}",
        "does not spell a timestamp",
        "format",
    ),
    ("logicalType: number, physicalType: 'DECIMAL(50,2)'", "these digits are not supported", "physicalType"),
    (
        "logicalType: date, logicalTypeOptions: {format: MMM-yy}",
        "`MMM` of the date format `MMM-yy` is not supported",
        "format",
    ),
    ("logicalType: date, logicalTypeOptions: {format: HH:mm}", "this format does not spell a date", "format"),
    ("logicalType: date, logicalTypeOptions: {minimum: soon}", "`soon` is no date", "minimum"),
    (
        "logicalType: time, logicalTypeOptions: {timezone: true}",
        "a time with a zone is not supported",
        "timezone",
    ),
    ("enum: [{value: a}]", "`a` is no integer", "enum"),
    ("enum: [{value: 1, meaning: one}]", "`meaning` is no word of the standard", "enum"),
    ("logicalTypeOptions: {minimum: null}", "`minimum` cannot be `None` here", "minimum"),
    ("enum: [{value: true}]", "`True` is no integer", "enum"),
    ("logicalType: string, enum: [{value: true}]", "`True` is no string", "enum"),
    ("logicalType: boolean, enum: [{value: 1}]", "`1` is no boolean", "enum"),
    ("logicalType: number, physicalType: 'DECIMAL(5,2)', enum: [{value: true}]", "`True` is no", "enum"),
    ("quality: [{metric: nullValues, mustBe: 0, mustbe: 1}]", "`mustbe` is no word", "quality"),
    ("primaryKeyPosition: 1", "a position in the primary key without", "primaryKeyPosition"),
    ("required: perhaps", "valid boolean", "required"),
    ("classification: '${LEVEL}'", "variables", "classification"),
]
REFUSED_RULES = [
    ("type: text, description: The address was verified.", "type `text` are not supported", "type"),
    ("type: custom, engine: soda, implementation: x", "engine `soda` are not supported", "engine"),
    ("type: custom, engine: landbridge, implementation: x", "a control total is a mapping", "implementation"),
    (
        "type: custom, engine: landbridge, implementation: {field: 0, equals: rows}",
        "`field` is the position",
        "field",
    ),
    ("type: custom, engine: landbridge, implementation: {field: 1, equals: all}", "`equals` is", "equals"),
    (
        "type: custom, engine: landbridge, implementation: {field: 1, equals: total, column: x}",
        "`column` names",
        "column",
    ),
    (
        "type: custom, engine: landbridge, implementation: {field: 1, equals: rows, colum: x}",
        "`colum` is no word of a control total",
        "colum",
    ),
    (
        "type: custom, engine: landbridge, implementation: {record: last, field: 1, equals: rows}",
        "`record` is `leading` or `trailing`",
        "record",
    ),
    (
        "type: custom, engine: landbridge, implementation: {field: true, equals: rows}",
        "`field` is the position",
        "field",
    ),
    ("metric: freshness, mustBe: 1", "metric `freshness` is not supported", "metric"),
    ("metric: nullValues", "a rule without an operator", "metric"),
    ("metric: nullValues, mustBe: none", "`mustBe` must be a number", "mustBe"),
    ("metric: nullValues, mustBe: [1, 2]", "`mustBe` must be a number", "mustBe"),
    ("metric: nullValues, mustBe: true", "`mustBe` must be a number", "mustBe"),
    ("metric: nullValues, mustBeBetween: [1]", "at least 2 items", "mustBeBetween"),
    ("metric: nullValues, mustBeBetween: [1, 2, 3]", "at most 2 items", "mustBeBetween"),
    (
        "type: sql, query: SELECT 'a', mustBe: a, mustBeGreaterThan: 9",
        "`mustBe` with a text, true or false stands alone",
        "mustBe",
    ),
    (
        "type: sql, query: SELECT true, mustBe: true, mustNotBe: false",
        "`mustBe` with a text, true or false stands alone",
        "mustBe",
    ),
    ("metric: nullValues, mustBeBetween: [9, 1]", "the smaller number first", "mustBeBetween"),
    ("metric: nullValues, mustBe: 0, unit: bytes", "unit `bytes` is not supported", "unit"),
    ("metric: nullValues, mustBe: 0, severity: dire", "severity `dire` is not supported", "severity"),
    ("metric: nullValues, mustBe: 0, method: reconciliation", "`method` is not supported", "method"),
    ("metric: nullValues, mustBe: 0, arguments: {x: 1}", "`x` is no argument of `nullValues`", "x"),
    ("metric: rowCount, mustBe: 0", "`rowCount` is not supported here", "metric"),
    ("metric: missingValues, mustBe: 0", "`missingValues` must be a list", "metric"),
    ("metric: missingValues, mustBe: 0, arguments: {missingValues: 1}", "must be a list", "missingValues"),
    ("metric: invalidValues, mustBe: 0, arguments: {validValues: []}", "must be a list", "validValues"),
    (
        "type: custom, engine: landbridge, implementation: {field: one, equals: rows}",
        "`field` is the position",
        "field",
    ),
    (
        "metric: invalidValues, mustBe: 0, arguments: {pattern: a}",
        "a pattern of a integer is not supported",
        "pattern",
    ),
    ("type: strange, mustBe: 0", "quality rules of type `strange` are not supported", "type"),
    ("metric: invalidValues, mustBe: 0", "needs `validValues` or `pattern`", "metric"),
    ("metric: invalidValues, mustBe: 0, arguments: {validValues: [a]}", "`a` is no integer", "arguments"),
    (
        "metric: duplicateValues, mustBe: 0, arguments: {properties: [id]}",
        "belongs to a rule of the object",
        "properties",
    ),
    ("type: sql, mustBe: 0", "a `sql` rule without a `query`", "type"),
    (
        "type: sql, query: SELECT nothing FROM things, mustBe: 0",
        "the query does not fit the columns",
        "query",
    ),
    ("type: sql, query: 'SELECT 1; SELECT 2', mustBe: 0", "one SELECT", "query"),
    ("type: sql, query: DROP TABLE things, mustBe: 0", "one SELECT", "query"),
    ("type: sql, query: 'SELECT 1, 2', mustBe: 0", "one value", "query"),
    ("type: sql, query: 'SELECT {depth}', mustBe: 0", "`{depth}` is not supported here", "query"),
    ("type: sql, query: SELECT 1, mustBe: 0, unit: percent", "a plain number", "unit"),
    ("type: sql, query: SELECT 1", "a rule without an operator", "type"),
]


def _spread(flow: str, indent: str) -> str:
    """Write a flow mapping's keys one a line, so that lines tell them apart."""
    from ruamel.yaml import YAML

    loaded = YAML(typ="safe").load("{" + flow + "}")
    return "".join(f"{indent}{key}: {json.dumps(value)}\n" for key, value in loaded.items())


@pytest.mark.parametrize(("clause", "what", "at"), REFUSED_PROPERTIES)
def test_a_clause_that_is_not_supported_is_named_with_its_line(
    clause: str, what: str, at: str, tmp_path: Path
) -> None:
    head = HEAD + "schema:\n- name: things\n  properties:\n  - name: id\n"
    typed = "" if "logicalType:" in clause else "    logicalType: integer\n"
    text = head + typed + _spread(clause, "    ")
    found = problems(text, tmp_path)
    matching = [problem for problem in found if what in problem.what]
    assert matching, found
    assert f"{at}" in text.splitlines()[matching[0].line - 1]
    assert at in matching[0].path


@pytest.mark.parametrize(("rule", "what", "at"), REFUSED_RULES)
def test_a_quality_rule_that_is_not_supported_is_named_with_its_line(
    rule: str, what: str, at: str, tmp_path: Path
) -> None:
    head = (
        HEAD
        + "schema:\n- name: things\n  properties:\n  - name: id\n    logicalType: integer\n    quality:\n    -\n"
    )
    text = head + _spread(rule, "      ")
    found = problems(text, tmp_path)
    matching = [problem for problem in found if what in problem.what]
    assert matching, found
    line = text.splitlines()[matching[0].line - 1]
    assert at in line or line.strip() == "-"
    assert matching[0].path.startswith("schema[0].properties[0].quality[0]")


def test_all_mistakes_are_told_at_once_in_order(tmp_path: Path) -> None:
    found = problems(
        "apiVersion: v2.2.2\nkind: DataProduct\nid: t\nversion: 1\nschemas: []\nschema:\n- name: x\n  propertys: []\n",
        tmp_path,
    )
    assert [(problem.line, problem.path) for problem in found] == [
        (1, "apiVersion"),
        (2, "kind"),
        (5, "schemas"),
        (8, "schema[0].propertys"),
    ]
    assert found[3].hint == "did you mean `properties`?"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "the contract is not a mapping of keys"),
        ("a: [1", "not YAML"),
        ("a: 1\na: 2\n", "not YAML"),
        (HEAD, "a contract without an object"),
        (HEAD + "schema:\n- name: a\n- name: b\n", "the contract holds several objects"),
        (HEAD + "schema:\n- name: a\n", "without `properties`"),
        (HEAD + OBJECT + "  relationships: []\n", "`relationships` is not supported"),
        (HEAD + OBJECT + "  - {name: id, logicalType: date}\n", "two properties are called `id`"),
        (HEAD + OBJECT + "  - {name: b, physicalName: id, logicalType: date}\n", "two columns of the file"),
        (
            HEAD + OBJECT + "  quality: [{metric: rowCount, mustBe: 1, mustbe: 1}]\n",
            "`mustbe` is no word of the standard",
        ),
        (
            HEAD
            + OBJECT.replace("integer}", "integer, primaryKey: true, primaryKeyPosition: 1}")
            + "  - {name: b, logicalType: date, primaryKey: true, primaryKeyPosition: 1}\n",
            "two properties have position 1 in the primary key",
        ),
        (HEAD + OBJECT + "  - {name: b, logicalType: array, primaryKey: true}\n", "logicalType `array`"),
        (
            HEAD
            + OBJECT
            + "  - {name: v, logicalType: string, quality:"
            + " [{metric: invalidValues, mustBe: 0, arguments: {pattern: '(?=a)'}}]}\n",
            "the pattern is not supported",
        ),
        (
            HEAD + OBJECT.replace("name: id", "name: ID") + "  - {name: id, logicalType: date}\n",
            "two columns of the file are called `id`",
        ),
        (HEAD + OBJECT + "  - {name: ID, logicalType: date}\n", "two columns of the file are called `ID`"),
        (
            HEAD + OBJECT + "  - {name: Landbridge record, logicalType: date}\n",
            "names that begin with `landbridge `",
        ),
        (
            HEAD + OBJECT + "  - {name: b, physicalName: landbridge line, logicalType: date}\n",
            "names that begin with `landbridge `",
        ),
        (HEAD + OBJECT.replace("name: things", "description: x"), "an object without a `name`"),
        (HEAD + OBJECT + "  - {logicalType: date}\n", "a property without a `name`"),
        (HEAD + OBJECT + "  logicalType: array\n", "an object of the schema is an `object`"),
        (HEAD.replace("id: t\n", "") + OBJECT, "a contract without `id`"),
        (HEAD.replace("version: 1.2.3\n", "") + OBJECT, "a contract without `version`"),
        (HEAD + OBJECT + "  - {name: b}\n", "a property without a type"),
        (
            HEAD + OBJECT + "  quality: [{metric: nullValues, mustBe: 0}]\n",
            "`nullValues` is not supported here",
        ),
        (
            HEAD + OBJECT + "  quality: [{metric: rowCount, mustBe: 1, unit: percent}]\n",
            "a row count in percent",
        ),
        (
            HEAD
            + OBJECT
            + "  quality: [{metric: duplicateValues, mustBe: 0, arguments: {properties: [idd]}}]\n",
            "no property `idd`",
        ),
    ],
)
def test_a_contract_that_is_none(text: str, what: str, tmp_path: Path) -> None:
    assert any(what in problem.what for problem in problems(text, tmp_path))


def test_a_contract_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DeclarationWrong, match="no such contract"):
        load(tmp_path / "nowhere.yaml")


@pytest.mark.parametrize(
    ("content", "what", "place"),
    [
        (b"id: caf\xe9\n", "the contract is not UTF-8 text", (1, 1)),
        (b"id: t\nname: \x00\n", "not YAML: ", (1, 1)),
        (b"id: t\nname: [1\n", "not YAML: ", (3, 1)),
        (b"id: t\nid: u\n", "not YAML: found duplicate key", (2, 1)),
        (b"- id\n", "the contract is not a mapping of keys", (1, 1)),
    ],
)
def test_what_is_no_yaml_is_told_with_its_place(
    content: bytes, what: str, place: tuple[int, int], tmp_path: Path
) -> None:
    path = tmp_path / "c.yaml"
    path.write_bytes(content)
    with pytest.raises(DeclarationWrong) as caught:
        load(path)
    (problem,) = caught.value.problems
    assert problem.what.startswith(what)
    assert (problem.file, problem.line, problem.column) == (str(path), *place)


def test_a_contract_that_the_disk_does_not_give_is_no_wrong_one(tmp_path: Path) -> None:
    with pytest.raises(DiskFailed, match="cannot read the contract"):
        load(tmp_path)


def test_a_place_that_is_not_there_is_the_nearest_above_it(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(HEAD + OBJECT, encoding="utf-8")
    document = Document(path)
    assert document.at(("schema", 0, "properties", 0, "name")) == "id"
    assert document.at(("schema", 1)) is None
    assert document.at(("schema", "properties")) is None
    assert document.at(("schema", 0, "quality")) is None
    place = document.place(("schema", 0, "properties", 7, "name"))
    assert (place.line, place.column, place.path) == (7, 3, "schema[0].properties[7].name")
    assert document.place(("nothing",)).line == 1


def test_a_contract_without_a_name_goes_by_its_id(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(HEAD + OBJECT, encoding="utf-8")
    assert (load(path).name, load(path).version, load(path).schema_object) == ("t", "1.2.3", "things")
    path.write_text(HEAD + "name: Things of a day\n" + OBJECT, encoding="utf-8")
    assert load(path).name == "Things of a day"


def test_variables_are_refused_where_they_decide_and_nowhere_else(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    told = (
        "  - {name: v, logicalType: string, description: '${WHY}', logicalTypeOptions: {pattern: '[${]+'}}\n"
    )
    path.write_text(HEAD + "description: {purpose: '${WHY}'}\n" + OBJECT + told, encoding="utf-8")
    assert load(path).name == "t"
    for clause in ("name: '${V}'", "name: v, enum: [{value: '${V}'}]", "name: v, tags: ['${V}']"):
        (problem,) = problems(HEAD + OBJECT + f"  - {{{clause}, logicalType: string}}\n", tmp_path)
        assert problem.what.startswith("variables (`${...}`) are not supported")


def test_one_object_of_several_is_taken_by_name(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(
        HEAD + OBJECT + "- name: others\n  properties:\n  - {name: day, logicalType: date}\n",
        encoding="utf-8",
    )
    assert [column.name for column in load(path, "others").columns] == ["day"]
    (problem,) = problems(path.read_text(encoding="utf-8"), tmp_path, "other")
    assert (problem.what, problem.hint) == ("the contract holds no object `other`", "did you mean `others`?")
    (problem,) = problems(HEAD + OBJECT, tmp_path, "other")
    assert problem.what == "the contract holds no object `other`", "also where it holds but one"
    twice = HEAD + OBJECT + OBJECT.removeprefix("schema:\n")
    (problem,) = problems(twice, tmp_path, "things")
    assert (problem.what, problem.line) == ("two objects are called `things`", 9)


def test_the_primary_key_follows_its_positions(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(
        HEAD
        + "schema:\n- name: t\n  properties:\n"
        + "  - {name: b, logicalType: integer, primaryKey: true, primaryKeyPosition: 2}\n"
        + "  - {name: a, physicalName: A, logicalType: integer, primaryKey: true, primaryKeyPosition: 1}\n",
        encoding="utf-8",
    )
    (key,) = [check for check in load(path).checks if isinstance(check, KeyCheck)]
    assert key.columns == ("A", "b")
    bare = "".join(f"  - {{name: {name}, logicalType: integer, primaryKey: true}}\n" for name in "cab")
    path.write_text(HEAD + "schema:\n- name: t\n  properties:\n" + bare, encoding="utf-8")
    (key,) = [check for check in load(path).checks if isinstance(check, KeyCheck)]
    assert key.columns == ("c", "a", "b"), "without positions in the order of the file"


def test_what_the_standard_takes_for_unsaid_is_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    unsaid = OBJECT.replace("integer}", "integer, primaryKeyPosition: -1, semanticType: column}")
    unsaid += "  logicalType: object\n"
    path.write_text(HEAD + unsaid, encoding="utf-8")
    assert load(path).checks == ()


@pytest.mark.parametrize(
    ("clause", "seen"),
    [
        ("logicalType: integer", ("integer", 64, True)),
        ("logicalType: integer, logicalTypeOptions: {format: u8}", ("integer", 8, False)),
        ("logicalType: integer, physicalType: INT", ("integer", 32, True)),
        ("logicalType: integer, physicalType: bigint", ("integer", 64, True)),
        ("logicalType: integer, physicalType: 'NUMERIC(10)'", ("decimal", 10, 0)),
        ("logicalType: integer, physicalType: NUMERIC", ("integer", 64, True)),
        (
            "logicalType: number, physicalType: 'decimal(15, 2)', logicalTypeOptions: {format: f32}",
            ("decimal", 15, 2),
        ),
        ("logicalType: number, logicalTypeOptions: {format: f32}", ("float", 32, True)),
        ("logicalType: number", ("float", 64, True)),
        ("logicalType: number, physicalType: real", ("float", 32, True)),
        ("logicalType: number, physicalType: smallint", ("integer", 16, True)),
        ("logicalType: number, logicalTypeOptions: {format: f64}", ("float", 64, True)),
        ("logicalType: string, physicalType: bytea", ("binary",)),
        ("logicalType: boolean, physicalType: char(1)", ("boolean",)),
        ("logicalType: time, physicalType: timestamp", ("time",)),
        ("logicalType: timestamp, physicalType: date", ("timestamp", False)),
        ("logicalType: integer, logicalTypeOptions: {format: i128}", ("integer", 128, True)),
        ("logicalType: number, physicalType: 'decimal(15, 2)'", ("decimal", 15, 2)),
        ("physicalType: 'numeric(5,2)'", ("decimal", 5, 2)),
        ("physicalType: timestamp(6) with time zone", ("timestamp", True)),
        ("physicalType: timestamp(6) without time zone", ("timestamp", False)),
        ("physicalType: timestamptz", ("timestamp", True)),
        ("logicalType: timestamp, physicalType: datetimeoffset", ("timestamp", True)),
        ("physicalType: datetime2", ("timestamp", False)),
        ("physicalType: usmallint", ("integer", 16, False)),
        ("physicalType: tinyint", ("integer", 8, True)),
        ("logicalType: date, physicalType: 'VARCHAR(10)'", ("date",)),
        ("logicalType: string, physicalType: uuid", ("string",)),
        ("logicalType: string, logicalTypeOptions: {format: binary}", ("binary",)),
        ("logicalType: string, logicalTypeOptions: {format: byte}", ("binary",)),
        ("logicalType: string, logicalTypeOptions: {format: password}", ("string",)),
        ("logicalType: timestamp, logicalTypeOptions: {timezone: true}", ("timestamp", True)),
    ],
)
def test_types_follow_the_logical_and_the_physical_type(
    clause: str, seen: tuple[object, ...], tmp_path: Path
) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(
        HEAD + f"schema:\n- name: t\n  properties:\n  - {{name: v, {clause}}}\n", encoding="utf-8"
    )
    (column,) = load(path).columns
    shapes: dict[str, tuple[object, ...]] = {
        "integer": (column.bits, column.signed),
        "float": (column.bits, True),
        "decimal": (column.precision, column.scale),
        "timestamp": (column.zoned,),
    }
    assert (column.kind, *shapes.get(column.kind, ())) == seen
    assert (column.format, column.form) == ("", ()), "a size is no form"


def test_the_form_of_a_day_is_that_of_the_contract(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    clause = "logicalType: date, logicalTypeOptions: {format: dd/MM/yyyy}"
    path.write_text(
        HEAD + f"schema:\n- name: t\n  properties:\n  - {{name: v, {clause}}}\n", encoding="utf-8"
    )
    (column,) = load(path).columns
    assert (column.format, column.form) == ("dd/MM/yyyy", parts_of("dd/MM/yyyy"))


@pytest.mark.parametrize(
    "pattern",
    [
        "yy-MM-dd",
        "dd/MM",
        "HH:ss",
        "yyyy-MM-dd'T",
        "yyyy-MM-dd XXX HH",
        "[yyyy]",
        "",
        "dddd",
        "yyyy-MM-dd-dd",
        "HH:mm:mm",
    ],
)
def test_a_date_format_that_is_not_supported_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="date format"):
        parts_of(pattern)
