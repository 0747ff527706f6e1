"""What does an operator see of init, check, schema and explain: command, output, exit code of the real program?"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from landbridge.declare import load
from tests.core import declared
from tests.core.declared import FILES, changed

EXAMPLES = Path(__file__).parents[2] / "examples"
PROJECT, ORDERS, SALES, CONTRACT = FILES


def landbridge(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "landbridge", *arguments]
    environment = {**os.environ, "LANDBRIDGE_ENVIRONMENT": "DEV"}
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=90, check=False, env=environment
    )


def json_of(*arguments: str, cwd: Path, code: int = 0) -> Any:
    done = landbridge(*arguments, "--json", cwd=cwd)
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


def test_a_newcomer_begins_with_a_project_that_is_sound(tmp_path: Path) -> None:
    begun = landbridge("init", "My Feeds", cwd=tmp_path)
    assert (begun.returncode, begun.stderr.strip()) == (
        0,
        "next: cd 'My Feeds' && landbridge check && landbridge twin up",
    )
    assert "  wrote landbridge.yaml\n  wrote feeds/verifications.yaml\n" in begun.stdout
    folder = tmp_path / "My Feeds"
    checked = landbridge("check", "--project", str(folder), cwd=tmp_path)
    assert checked.returncode == 0, checked.stderr
    assert checked.stderr == ""
    assert checked.stdout.splitlines()[-1] == "OK: project my-feeds, 1 feed, environments DEV"
    assert load(folder).feeds["verifications"].file.folder == "eidv/verifications"
    assert ".landbridge/" in (folder / ".gitignore").read_text(encoding="utf-8")


def test_the_editor_finds_the_schemas_that_the_files_name(tmp_path: Path) -> None:
    landbridge("init", cwd=tmp_path)
    for file in ("landbridge.yaml", "feeds/verifications.yaml"):
        first = (tmp_path / file).read_text(encoding="utf-8").splitlines()[0]
        named = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
        assert named, first
        schema = json.loads(((tmp_path / file).parent / named[1]).read_text(encoding="utf-8"))
        assert schema["additionalProperties"] is False
        assert schema["description"]
        assert schema["title"] in {"Project", "Feed"}


def test_init_twice_changes_nothing(tmp_path: Path) -> None:
    landbridge("init", cwd=tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    again = landbridge("init", cwd=tmp_path)
    assert again.returncode == 0
    assert again.stdout == "everything was there already; nothing was written\n"
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_init_never_overwrites_and_says_what_stands_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "feeds").mkdir()
    (tmp_path / "feeds" / "verifications.yaml").write_text("mine", encoding="utf-8")
    (tmp_path / "landbridge.yaml").write_text("mine", encoding="utf-8")
    refused = landbridge("init", cwd=tmp_path)
    assert refused.returncode == 64
    assert "nothing was written" in refused.stderr
    assert "feeds/verifications.yaml, landbridge.yaml" in refused.stderr
    assert sorted(path.name for path in tmp_path.rglob("*")) == [
        "feeds",
        "landbridge.yaml",
        "verifications.yaml",
    ]


def test_init_leaves_the_readme_of_an_existing_repository_alone(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine", encoding="utf-8")
    (tmp_path / ".gitignore").write_text("mine", encoding="utf-8")
    done = json_of("init", cwd=tmp_path)
    assert done["left_alone"] == [".gitignore", "README.md"]
    assert "landbridge.yaml" in done["written"]
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == "mine"


def test_check_prints_every_mistake_with_its_place_and_exits_78(tmp_path: Path) -> None:
    files, _ = changed(ORDERS, "previous_day", "previous_dya")
    files[PROJECT] = files[PROJECT].replace("version: 1", "version: 9")
    declared.write(tmp_path, files)
    done = landbridge("check", cwd=tmp_path)
    assert done.returncode == 78
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "feeds/orders.yaml:6:18: `business_date` has an unknown value (schedule.business_date)",
        "  expected one of `same_day`, `previous_day`, `previous_business_day`",
        "  seen     previous_dya",
        "  next     did you mean `previous_day`?",
        "landbridge.yaml:1:10: `version` has an unknown value (version)",
        "  expected `1`",
        "  seen     9",
        "error: the declaration has 2 mistakes",
    ]


def test_check_as_json_has_the_same_mistakes_on_standard_output(tmp_path: Path) -> None:
    files, _ = changed(ORDERS, "previous_day", "previous_dya")
    declared.write(tmp_path, files)
    found = json_of("check", cwd=tmp_path, code=78)
    assert found["ok"] is False
    assert [(p["file"], p["line"], p["column"]) for p in found["problems"]] == [("feeds/orders.yaml", 6, 18)]


def test_a_warning_is_printed_and_does_not_fail_the_check(tmp_path: Path) -> None:
    files, _ = changed(ORDERS, '"0 6 * * *"', '"30 1 * * *"')
    declared.write(tmp_path, files)
    done = landbridge("check", cwd=tmp_path)
    assert done.returncode == 0
    assert "warning feeds/orders.yaml:4:9: 01:30 " in done.stderr
    assert "OK: project demo, 2 feeds, environments DEV, PRD" in done.stdout


def test_no_project_is_a_usage_error_that_says_how_to_begin(tmp_path: Path) -> None:
    done = landbridge("check", cwd=tmp_path)
    assert done.returncode == 64
    assert "landbridge init" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("example", ["flights", "eidv"])
def test_the_examples_are_sound(example: str) -> None:
    found = json_of("check", cwd=EXAMPLES / example)
    assert (found["ok"], found["problems"], found["warnings"]) == (True, [], [])
    assert found["project"] == example


def test_the_schema_is_json_schema_of_the_kind_asked_for(tmp_path: Path) -> None:
    schema = json.loads(landbridge("schema", "project", cwd=tmp_path).stdout)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert "environments" in schema["properties"]
    assert "schedule" in json.loads(landbridge("schema", cwd=tmp_path).stdout)["properties"]
    assert landbridge("schema", "contract", cwd=tmp_path).returncode == 64


def test_explain_shows_the_plan_across_a_clock_change(tmp_path: Path) -> None:
    declared.write(tmp_path, FILES)
    done = landbridge("explain", "orders", "--date", "2026-03-26", "-e", "PRD", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    for part in (
        "orders/2026-03-26, revision 1, in PRD",
        "scheduled Fri 2026-03-27 06:00 GMT (2026-03-27 06:00 UTC)",
        "remote key outbound/shop/orders/ORDERS_PRD_20260326_001.csv",
        "commitment 2026-03-26/orders/2026-03-26/0001.json",
        "env:DATABASE_URL",
        "decimal(12,2)",
    ):
        assert part in said


def test_explain_as_json_lists_the_next_slots_with_local_and_utc_times(tmp_path: Path) -> None:
    declared.write(tmp_path, FILES)
    found = json_of("explain", "orders", "--date", "2026-03-26", cwd=tmp_path)
    assert [(each["local"], each["utc"], each["note"]) for each in found["next"]] == [
        ("Sat 2026-03-28 06:00 GMT", "2026-03-28 06:00", ""),
        ("Sun 2026-03-29 06:00 BST", "2026-03-29 05:00", "clocks have changed to BST"),
        ("Mon 2026-03-30 06:00 BST", "2026-03-30 05:00", ""),
        ("Tue 2026-03-31 06:00 BST", "2026-03-31 05:00", ""),
        ("Wed 2026-04-01 06:00 BST", "2026-04-01 05:00", ""),
    ]
    assert found["plan"]["environment"] == "DEV"
    (source,) = found["sources"]
    assert source["parameters"]["business_date"] == "2026-03-26"
    assert {"rule": "primaryKey", "column": "id", "promise": "no two rows the same"} in found["checks"]


def test_explain_says_why_a_day_is_skipped(tmp_path: Path) -> None:
    rule = "previous_business_day\n  calendar: england\n  on_holiday: skip"
    files, _ = changed(ORDERS, "previous_day", rule)
    files[ORDERS] = files[ORDERS].replace("* * *", "* * 1-5")
    declared.write(tmp_path, files)
    found = json_of("explain", "orders", "--date", "2026-12-23", cwd=tmp_path)
    assert [(each["local"][:14], each["business_date"], each["note"]) for each in found["next"]][:3] == [
        ("Fri 2026-12-25", "", "skipped: Christmas Day"),
        ("Mon 2026-12-28", "", "skipped: Boxing Day (observed)"),
        ("Tue 2026-12-29", "2026-12-24", ""),
    ]


def test_explain_does_nothing_but_explain(tmp_path: Path) -> None:
    declared.write(tmp_path, FILES)
    before = sorted(tmp_path.rglob("*"))
    assert json_of("explain", "sales", cwd=tmp_path)["plan"]["slot"]["feed"] == "sales"
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("order",), "did you mean `orders`?"),
        (("orders", "--date", "yesterday"), "names no slot"),
        (("orders", "--environment", "UAT"), "no environment `UAT`"),
    ],
)
def test_explain_refuses_what_is_not_declared(tmp_path: Path, arguments: tuple[str, ...], says: str) -> None:
    declared.write(tmp_path, FILES)
    done = landbridge("explain", *arguments, cwd=tmp_path)
    assert done.returncode == 64
    assert says in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["init", "check", "schema", "explain"])
def test_the_help_of_each_command_has_an_example(command: str, tmp_path: Path) -> None:
    done = landbridge(command, "--help", cwd=tmp_path)
    assert done.returncode == 0
    assert f"Example: landbridge {command}" in done.stdout
