"""What does a person read when a model refuses what they wrote? Pydantic's errors become Problems, one a mistake."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, cast
from zoneinfo import available_timezones

from pydantic import ValidationError

from landbridge.declare.text import dotted
from landbridge.declare.vocabulary import is_secret, keys, nearest, schema_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pydantic_core import ErrorDetails

    from landbridge.declare.text import Document, Plain, Where
    from landbridge.declare.vocabulary import Schema
    from landbridge.errors import Problem
    from landbridge.feed import Feed
    from landbridge.project import Project

_LONGEST_SEEN = 60
_SAYS_EXPECTED = re.compile(r"^expected (?P<expected>.*?)(?:, seen .*)?$", re.DOTALL)
_SENSITIVE = re.compile(
    r"pass(word|phrase|wd)|secret|token|credential|api[-_]?key|private|authorization|cookie", re.IGNORECASE
)

REFERENCE = "a reference to a secret (`env:NAME`, `file:PATH`, `aws-sm:ID`), never the secret itself"

PATTERNS = {
    r"^[a-z][a-z0-9_-]{0,62}$": "lower-case letters, digits, `-` and `_`, starting with a letter, at most 63",
    r"^[A-Za-z][A-Za-z0-9-]{0,30}$": "letters, digits and `-`, starting with a letter, at most 31",
    r"^([01]\d|2[0-3]):[0-5]\d$": "a time of day such as `07:00`, in quotes",
    r"^[A-Z]{2}$": "a country's two capital letters (ISO 3166-1), such as `GB`",
    r"^[a-z0-9{][a-z0-9.{}-]{1,80}$": "a bucket's name: lower-case letters, digits, `.` and `-`, or `{environment}` in it",
    r"^[A-Za-z0-9_][A-Za-z0-9_@.{}-]{2,99}$": "a user's name of 3 to 100 letters, digits, `_`, `@`, `.` and `-`",
    r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$": "a module and a function in it: `reports.daily:rows`",
    r"^(string|boolean|int32|int64|float64|date|time|timestamp|timestamptz|binary|decimal\(\d{1,2},\s*\d{1,2}\))$": (
        "one of `string`, `boolean`, `int32`, `int64`, `float64`, `date`, `time`, `timestamp`, `timestamptz`, `binary`, "
        "`decimal(12,2)`"
    ),
    r"^arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:\d{0,12}:.+$": "an ARN: `arn:aws:SERVICE:REGION:ACCOUNT:NAME`",
    r"^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:.+$": "the ARN of an SNS topic: `arn:aws:sns:REGION:ACCOUNT:NAME`",
    r"^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/(mrk-)?[0-9a-f-]{32,36}$": (
        "the ARN of a KMS key, not of an alias: `arn:aws:kms:REGION:ACCOUNT:key/ID`"
    ),
    r"^[A-Za-z0-9.-]+:\d{1,5}$": "a host and its port: `mail.example.internal:587`",
    r":oidc-provider/.+": "the ARN of an IAM OIDC provider: `arn:aws:iam::ACCOUNT:oidc-provider/HOST/PATH`",
    r"^[0-9A-Za-z][A-Za-z0-9_-]{0,99}$": "an EKS cluster's name: letters, digits, `_` and `-`, at most 100",
    r"^s-[0-9a-f]{17}$": "the id of a Transfer Family server: `s-` and 17 hexadecimal digits",
    r"^Z[A-Z0-9]{5,31}$": "the id of a Route 53 zone: `Z` and capital letters and digits",
    r"^\d{12}$": "an AWS account's twelve digits, in quotes",
    r"^vpc-[0-9a-f]{8,17}$": "the id of a VPC: `vpc-` and 8 to 17 hexadecimal digits",
    r"^subnet-[0-9a-f]{8,17}$": "the id of a subnet: `subnet-` and 8 to 17 hexadecimal digits",
    r"^rtb-[0-9a-f]{8,17}$": "the id of a route table: `rtb-` and 8 to 17 hexadecimal digits",
    r"^\d{1,3}(\.\d{1,3}){3}$": "an IPv4 address such as `10.20.30.4`",
    r"^TransferSecurityPolicy-[A-Za-z0-9-]+$": "a security policy of Transfer Family: `TransferSecurityPolicy-2025-03`",
    r"^[\w .:/=+@-]{1,128}$": "a tag's key: letters, digits, space and `_.:/=+@-`, at most 128",
    r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$": "a name of Kubernetes: lower-case letters, digits and `-`, at most 63",
    r"^(\d+m|\d+(\.\d{1,3})?)$": "cores as Kubernetes writes them: `500m`, `1` or `1.5`, in quotes",
    r"^\d+(Mi|Gi)$": "an amount of memory or disk: `512Mi` or `2Gi`",
    r"^[a-z0-9][a-z0-9._:/-]*(@sha256:[0-9a-f]{64})$": "an image by its digest: `registry/name@sha256:` and 64 hexadecimal digits",
    r"^[-._a-zA-Z0-9]{1,253}$": "a key of a Kubernetes Secret: letters, digits, `-`, `_` and `.`",
    r"^[A-Za-z_][A-Za-z0-9_]*$": "the name of an environment variable",
    r"^(/[A-Za-z0-9._-]+)+$": "an absolute path of letters, digits, `.`, `_` and `-`: `/mnt/archive`",
    r"^(ssh-rsa|ssh-ed25519|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/]+=*$": (
        "a public key as OpenSSH writes it, without a comment: `ssh-ed25519 AAAA...`"
    ),
    r"^[A-Za-z0-9_][A-Za-z0-9_.{}-]{0,63}$": "a name of Control-M: letters, digits, `_`, `.` and `-`, at most 64",
    r"^[A-Za-z0-9_.{}-]{1,80}$": "a name of hosts: letters, digits, `_`, `.`, `-` and `{environment}`, at most 80",
    r"^[A-Za-z0-9_]([A-Za-z0-9_.$@\\ -]{0,102}[A-Za-z0-9_.$-])?$": (
        "an account: letters, digits, `_`, `.`, `-`, `$`, `@`, a space within, and `DOMAIN\\name` on Windows; not beginning with `-`"
    ),
    r"^[A-Za-z0-9._+=-]{1,64}@[A-Za-z0-9.-]{1,190}$": "a mail address of letters, digits and `._+=-`: `ops@example.org`",
    r"^[A-Z0-9_+-]{3,30}$": "a time zone of Control-M/Server: `GMT`, `LON`, capitals and digits",
    r"^(/|[A-Za-z]:[\\/]|\\\\)[^\"'%`$;&|<>*?\n]*$": (
        "an absolute path without quotes, back-ticks, and any of % $ ; & | < > * ?: `/opt/landbridge`, `C:\\landbridge`"
    ),
    r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$": "a bucket's name: 3 to 63 lower-case letters, digits, `.` and `-`",
}
"""Patterns of the models in words; a test holds that each has some."""

_M = TypeVar("_M", "Feed", "Project")


def validate(model: type[_M], document: Document) -> _M | None:
    """Make the model of a document, or add what is wrong to its problems.

    Plain data goes through JSON text, the only door where strict models take arrays as tuples and text as dates.
    """
    try:
        return model.model_validate_json(json.dumps(document.data))
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=True, include_input=False)
        document.problems += problems(model, document, details)
        return None


def problems(
    model: type[Feed | Project], document: Document, details: Iterable[ErrorDetails]
) -> list[Problem]:
    """Tell each mistake once: of a union only the branch that was meant, of a misspelt key not also its absence."""
    found = [_problem(model, document, place, detail) for place, detail in _meant(document.data, details)]
    misspelt = {
        problem.path.rpartition(".")[0]: problem.hint
        for problem in found
        if problem.what.startswith("unknown key")
    }
    once: dict[tuple[int, int, str], Problem] = {}
    for problem in found:
        above, _, key = problem.path.rpartition(".")
        if problem.what.endswith("is missing") and f"`{key}`" in misspelt.get(above, ""):
            continue
        once.setdefault((problem.line, problem.column, problem.what), problem)
    return list(once.values())


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a pydantic error points, freed of the names of union branches that the person never wrote."""

    where: Where
    branch_at: Where = ()
    branch: str = ""
    about_key: bool = False


def _place(data: Plain, loc: Sequence[str | int], kind_of_error: str) -> _Place:
    where: Where = ()
    branch_at: Where = ()
    branch = ""
    tag_passed = False
    for at, part in enumerate(loc):
        last = at == len(loc) - 1
        if isinstance(data, dict) and data.get("kind") == part and not tag_passed:
            tag_passed = True
        elif _has(data, part):
            data, where, tag_passed = _value(data, (part,)), (*where, part), False
        elif last and kind_of_error == "missing":
            where = (*where, part)
        elif part == "[key]":
            return _Place(where, about_key=True)
        else:
            branch_at, branch = where, str(part)
    return _Place(where, branch_at, branch)


def _has(data: Plain, part: str | int) -> bool:
    if isinstance(data, dict):
        return part in data
    return isinstance(data, list) and isinstance(part, int) and part < len(data)


def _meant(data: Plain, details: Iterable[ErrorDetails]) -> list[tuple[_Place, ErrorDetails]]:
    """Drop the errors of union branches that cannot have been meant: a mapping was no attempt at a duration."""
    placed = [(_place(data, detail["loc"], detail["type"]), detail) for detail in details]
    kept = []
    for place, detail in placed:
        if place.branch:
            is_model = place.branch.isidentifier()
            is_mapping = isinstance(_value(data, place.branch_at), dict)
            rivals = {
                other.branch for other, _ in placed if other.branch and other.branch_at == place.branch_at
            }
            if len(rivals) > 1 and is_model != is_mapping:
                continue
        kept.append((place, detail))
    return kept


def _value(data: Plain, where: Where) -> Plain:
    for part in where:
        data = cast("dict[str | int, Plain]", data)[part]
    return data


def _problem(model: type[Feed | Project], document: Document, place: _Place, detail: ErrorDetails) -> Problem:
    where, context = place.where, detail.get("ctx", {})
    name = (
        f"`{where[-1]}`"
        if where and isinstance(where[-1], str)
        else f"`{dotted(where)}`"
        if where
        else "the file"
    )
    schema = schema_at(model, document.data, where)
    match detail["type"]:
        case "missing":
            return document.problem(
                where, f"{name} is missing", expected=_described(schema), hint=f"add `{where[-1]}: ...`"
            )
        case "extra_forbidden":
            known_keys = keys(schema_at(model, document.data, where[:-1]))
            return _unknown(document, where, f"unknown key {name}", known_keys, at_key=True)
        case "union_tag_not_found":
            kinds = _kinds(schema)
            return document.problem(
                (*where, "kind"), "`kind` is missing", expected=_one_of(kinds), hint="add `kind: ...`"
            )
        case "union_tag_invalid":
            return _unknown(document, (*where, "kind"), "unknown `kind`", _kinds(schema))
        case "literal_error":
            known = [
                str(each) for each in cast("list[object]", schema.get("enum", [schema.get("const", "")]))
            ]
            return _unknown(document, where, f"{name} has an unknown value", known)
        case _ if is_secret(schema):
            return document.problem(where, f"{name} cannot be used", expected=REFERENCE)
        case "value_error":
            return _refused(document, place, name, str(context.get("error", detail["msg"])))
        case kind:
            expected = _expected(kind, detail["msg"], str(context.get("pattern", "")))
            what = f"the name {name} cannot be used" if place.about_key else f"{name} {_complaint(kind)}"
            return document.problem(
                where,
                what,
                at_key=place.about_key,
                expected=expected,
                seen="" if place.about_key else _seen(document, where, schema),
                hint=_hint(document, where, schema, kind),
            )


def _unknown(
    document: Document, where: Where, what: str, known: Sequence[str], *, at_key: bool = False
) -> Problem:
    word = str(where[-1]) if at_key else document.spot(where).text
    near = nearest(word, known)
    return document.problem(
        where,
        what,
        at_key=at_key,
        expected=_one_of(known),
        seen="" if at_key else _shortened(word),
        hint=f"did you mean `{near}`?" if near else "",
    )


def _refused(document: Document, place: _Place, name: str, message: str) -> Problem:
    """Make a Problem of what one of our own validators said; only what the validator repeats is shown as seen."""
    found = _SAYS_EXPECTED.match(message)
    if not found:
        return document.problem(place.where, message)
    seen = message.partition(", seen ")[2].strip("`")
    near = nearest(seen, available_timezones()) if name == "`time_zone`" else ""
    hint = f"did you mean `{near}`?" if near else ""
    return document.problem(
        place.where, f"{name} cannot be used", expected=found["expected"], seen=seen, hint=hint
    )


def _kinds(schema: Schema) -> tuple[str, ...]:
    properties = cast("dict[str, Schema]", schema.get("properties", {}))
    return tuple(cast("list[str]", properties.get("kind", {}).get("enum", [])))


def _one_of(known: Sequence[str]) -> str:
    return ("one of " if len(known) > 1 else "") + ", ".join(f"`{each}`" for each in known) if known else ""


def _described(schema: Schema) -> str:
    return str(schema.get("description", "")).split("\n", 1)[0]


def _complaint(kind: str) -> str:
    if kind in {"too_short", "string_too_short"}:
        return "is empty or too short"
    if kind.endswith("_type"):
        return "has the wrong type"
    return "has a value that cannot be used"


def _expected(kind: str, message: str, pattern: str) -> str:
    if pattern:
        return PATTERNS.get(pattern, f"text that matches `{pattern}`")
    if kind.startswith("date_"):
        return "a date such as `2026-11-20`"
    if kind in {"model_type", "model_attributes_type", "dict_type"}:
        return "a mapping (`key: value`)"
    for pydantics, ours in _PHRASES:
        message = message.replace(pydantics, ours)
    return message


_PHRASES = (
    ("Input should be a valid string", "text"),
    ("Input should be a valid array", "a list (`[item, item]`, or lines of `- item`)"),
    ("Input should be a valid boolean", "`true` or `false`"),
    ("Input should be a valid integer", "a whole number"),
    ("Input should be a valid number", "a number"),
    ("Input should be ", "a number "),
    ("String should have ", ""),
    ("Tuple should have ", ""),
    ("Dictionary should have ", ""),
    (" after validation, not 0", ""),
)


def _seen(document: Document, where: Where, schema: Schema) -> str:
    """Give what was written, shortened; nothing where it may be a secret, whatever is wrong with it."""
    if is_secret(schema) or is_sensitive(where):
        return ""
    data = _value(document.data, where)
    if isinstance(data, dict):
        return "a mapping"
    if isinstance(data, list):
        return "a list" if data else "an empty list"
    return _shortened(document.spot(where).text) or "nothing"


def is_sensitive(where: Where) -> bool:
    """Tell whether a place is called like a secret, so that what stands there must not be repeated."""
    return any(_SENSITIVE.search(str(part)) for part in where)


def _shortened(text: str) -> str:
    line = text.replace("\n", " ")
    return line if len(line) <= _LONGEST_SEEN else line[: _LONGEST_SEEN - 3] + "..."


def _hint(document: Document, where: Where, schema: Schema, kind: str) -> str:
    data = _value(document.data, where)
    if is_secret(schema):
        return ""
    if kind == "string_type" and isinstance(data, int | float):
        return "put it in quotes" + ("" if is_sensitive(where) else f': "{document.spot(where).text}"')
    if kind == "tuple_type" and isinstance(data, str | int | float):
        return "put it in brackets: `[...]`"
    return ""
