"""Which values of a declaration are just inside what is allowed, and which just outside? One row for each bound of the models."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from landbridge.feed import Deadline, Feed, Schedule, inputs, outputs, words
from landbridge.project import BucketName, EvidenceDeclared, Holidays, Project, Sftp, SftpUser, ShareDeclared

ARN = "arn:aws:kms:eu-west-2:123456789012:key/"
SQL = {"kind": "sql", "url": "env:U", "query": "SELECT 1"}
REST = {"kind": "rest", "url": "env:U"}
FILES = {"kind": "files", "path": "in/*", "format": "csv"}
PYTHON = {"kind": "python", "function": "m:f"}
SFTP = {"host": "h", "user": "collector", "private_key": "env:K", "host_keys": ["file:k"]}
SHARE = {"path": "p", "receipt_key": "env:K", "receipt_public_keys": ["file:k"]}
FEED = {
    "feed": "orders",
    "owner": "team",
    "schedule": {"cron": "0 6 * * *"},
    "sources": {"orders": SQL},
    "file": {"name": "x", "folder": "y"},
    "contract": {"file": "c"},
}
PROJECT = {
    "version": 1,
    "project": "demo",
    "buckets": {"staging": "demo-staging", "reports": "demo-reports", "ledger": "demo-ledger"},
    "sftp": SFTP,
    "share": SHARE,
    "environments": {"DEV": {}},
}

TEXTS: list[tuple[Any, list[object], list[object]]] = [
    (words.Name, ["a", "a" * 63, "a_b-1"], ["", "a" * 64, "Upper", "1x", "a b", "../x", "a/b", "ä", "x\n"]),
    (words.EnvironmentName, ["D", "D" * 31, "PRD-2"], ["", "D" * 32, "2PRD", "a_b", "a/b", "PRD\n"]),
    (words.Column, ["c", "c" * 200], ["", "c" * 201]),
    (words.TimeOfDay, ["00:00", "19:59", "23:59"], ["24:00", "7:00", "07:60", "07:00:00", "07:00\n"]),
    (words.Resolvable, ["x", "x" * 2000], ["", "x" * 2001]),
    (words.Template, ["x", "x" * 1000], ["", "x" * 1001]),
    (words.Text, ["x"], [""]),
    (words.SecretReference, ["env:X", "file:a/b", "aws-sm:a/b"], ["", "env:", "hunter2", "a:b", "ENV:X", " env:X"]),
    (words.Duration, ["30s", "1h30m", "3660d"], ["", "30", "30 s", "-30s", "1.5h", "3661d", 30, "h1"]),
    (inputs.ColumnType, ["int64", "decimal(12,2)", "decimal(38, 0)"], ["text", "decimal(123,2)", "decimal(1)", " int64", "int64\n"]),
    (BucketName, ["demo-{environment}", "ab", "a" * 81], ["a", "a" * 82, "Demo", "-x", "a_b", "a/b", "ab\n"]),
    (SftpUser, ["abc", "a" * 100, "x{environment}", "a.b@c"], ["ab", "a" * 101, "root", "a b", "-abc", "abc\n"]),
]  # fmt: skip

MODELS: list[tuple[Any, dict[str, Any], list[dict[str, Any]], list[dict[str, Any]]]] = [
    (inputs.Offset, {"kind": "offset", "limit": 1}, [{}], [{"limit": 0}, {"limit": "1"}]),
    (inputs.PageNumber, {"kind": "page"}, [{"size": 1}], [{"size": 0}]),
    (inputs.Retries, {}, [{"attempts": 1}, {"attempts": 50}], [{"attempts": 0}, {"attempts": 51}]),
    (inputs.Detail, {"url": "/x"}, [{"concurrency": 1}, {"concurrency": 32}], [{"concurrency": 0}, {"concurrency": 33}]),
    (
        inputs.RestSource, REST,
        [{"requests_per_second": 0.1}, {"most_pages": 1}, {"method": "POST"}],
        [{"requests_per_second": 0}, {"most_pages": 0}, {"method": "PUT"}, {"follow": True}],
    ),
    (inputs.SqlSource, SQL, [{"url": "postgresql://u@h/d"}], [{"url": "postgresql://u:p@h/d"}, {"query": ""}, {"timeout": 1}]),
    (inputs.FilesSource, FILES, [{"delimiter": ";"}], [{"delimiter": ""}, {"delimiter": ";;"}, {"none_is": "fine"}]),
    (
        inputs.PythonSource, PYTHON, [{"function": "a.b_1:f2"}],
        [{"function": one} for one in ("m", "m:", ":f", "m:f()", "1m:f", "../m:f", "m:f.g", "m:f\n")],
    ),
    (outputs.Record, {"fields": ["T"]}, [{}], [{"fields": []}]),
    (
        outputs.Csv, {"kind": "csv"}, [{"delimiter": "|"}, {"quote": "'"}],
        [{"delimiter": ""}, {"delimiter": "||"}, {"quote": ""}, {"quote": "''"}],
    ),
    (outputs.FixedColumn, {"width": 1}, [{"width": 10_000}, {"fill": "0"}], [{"width": 0}, {"width": 10_001}, {"fill": ""}, {"fill": "00"}]),
    (outputs.Fixed, {"kind": "fixed", "columns": {"a": {"width": 1}}}, [{}], [{"columns": {}}]),
    (
        outputs.Parquet, {"kind": "parquet"}, [{"row_group_rows": 1}, {"row_group_rows": 10_000_000}],
        [{"row_group_rows": 0}, {"row_group_rows": 10_000_001}],
    ),
    (outputs.Encryption, {"recipients": ["file:k"]}, [{}], [{"recipients": []}, {"recipients": ["pasted"]}]),
    (Deadline, {"at": "07:00"}, [{"days": 0}, {"days": 31}], [{"days": -1}, {"days": 32}, {"at": "25:00"}]),
    (Schedule, {"cron": "0 6 * * *"}, [{}], [{"cron": "* * * * "}, {"time_zone": "Europe/Lodon"}]),
    (
        Feed, FEED, [{"memory": 128}, {"memory": 1_048_576}],
        [{"memory": 127}, {"memory": 1_048_577}, {"sources": {}}, {"owner": ""}, {"sources": {"a": SQL, "b": SQL}}],
    ),
    (
        Sftp, SFTP, [{"port": 1}, {"port": 65535}],
        [{"port": 0}, {"port": 65536}, {"host_keys": []}, {"private_key": "pasted"}, {"port": "22"}],
    ),
    (
        ShareDeclared, SHARE, [{"parallel": 1}, {"parallel": 10}, {"bandwidth": 1}],
        [{"parallel": 0}, {"parallel": 11}, {"bandwidth": 0}, {"receipt_public_keys": []}, {"receipt_key": "pasted"}],
    ),
    (
        EvidenceDeclared, {"kms_key": f"{ARN}{'0' * 32}", "public_keys": ["file:k"]},
        [{"kms_key": f"{ARN}mrk-{'a' * 32}"}, {"kms_key": f"arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/{'-' * 36}"}],
        [
            {"kms_key": f"{ARN}{'0' * 31}"}, {"kms_key": f"{ARN}{'0' * 37}"}, {"kms_key": "alias/x"},
            {"kms_key": f"{ARN.replace('123456789012', '12345678901')}{'0' * 32}"}, {"public_keys": []},
            {"signing_key": "env:K"}, {"kms_key": None},
        ],
    ),
    (Holidays, {}, [{"country": "GB"}], [{"country": "gb"}, {"country": "GBR"}, {"country": "G"}]),
    (
        Project, PROJECT, [{"staging_days": 1}, {"staging_days": 365}],
        [{"staging_days": 0}, {"staging_days": 366}, {"environments": {}}, {"environments": {"2X": {}}}, {"version": 2}, {"share": None}],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "inside", "outside"), TEXTS)
def test_a_text_is_taken_or_refused(kind: Any, inside: list[object], outside: list[object]) -> None:
    one = TypeAdapter[Any](kind)
    for value in inside:
        one.validate_json(json.dumps(value))
    for value in outside:
        with pytest.raises(ValidationError):
            one.validate_json(json.dumps(value))


@pytest.mark.parametrize(
    ("kind", "sound", "inside", "outside"), MODELS, ids=[kind.__name__ for kind, *_ in MODELS]
)
def test_a_setting_is_taken_or_refused(
    kind: Any, sound: dict[str, Any], inside: list[dict[str, Any]], outside: list[dict[str, Any]]
) -> None:
    one = TypeAdapter[Any](kind)
    for keys in [{}, *inside]:
        one.validate_json(json.dumps(sound | keys))
    for keys in [*outside, {"no_such_key": 1}]:
        with pytest.raises(ValidationError):
            one.validate_json(json.dumps(sound | keys))


def test_what_was_declared_is_not_changed_afterwards() -> None:
    one = Deadline.model_validate_json('{"at": "07:00"}')
    with pytest.raises(ValidationError):
        one.days = 3  # type: ignore[misc] # which is refused when it runs, too
