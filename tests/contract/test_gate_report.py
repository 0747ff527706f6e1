"""The report leaves as a table, as JSON and as JUnit XML, whatever the values hold."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from landbridge.contract.report import DEFECT_COLUMNS, RULE_COLUMNS, as_json, defect_rows, junit, rule_rows
from landbridge.facts import Defect, GateReport, RuleResult

RULES = (
    RuleResult("required", "a", passed=True, checked=9, broken=0, threshold="= 0"),
    RuleResult("required", "b", passed=True, checked=9, broken=0, threshold="= 0"),
    RuleResult("enum", "c", passed=False, checked=9, broken=2, threshold="= 0", message="expected one of x"),
    RuleResult("rowCount", "", passed=False, checked=9, broken=1, threshold="> 10", severity="warning"),
)


def report(value: str = "<v>", message: str = "no & none") -> GateReport:
    defect = Defect("enum", 3, 4, 17, "c", message, value)
    return GateReport("contract", "1.0.0", 9, RULES, (defect,))


def test_the_table_tells_what_broke_first_and_gathers_what_held() -> None:
    rows = rule_rows(report())
    assert [row[:3] for row in rows] == [
        ("broken", "enum", "c"),
        ("warning", "rowCount", ""),
        ("ok", "required", "2 columns"),
    ]
    assert {len(row) for row in rows} == {len(RULE_COLUMNS)}
    assert defect_rows(report()) == [("enum", "3", "4", "17", "c", "<v>", "no & none")]
    first = GateReport("c", "1", 1, RULES, (Defect("enum", 1, 1, 0, "c", "m"),))
    assert defect_rows(first) == [("enum", "1", "1", "0", "c", "", "m")]
    assert "record 1, line 1, byte 0: m" in junit(first, "a.csv")
    nowhere = GateReport("c", "1", 1, RULES, (Defect("enum", 3, 0, -1, "c", "m"),))
    assert "record 3: m" in junit(nowhere, "a.csv")
    (row,) = defect_rows(nowhere)
    assert row[1:4] == ("3", "", "")
    assert len(row) == len(DEFECT_COLUMNS)


def test_json_tells_everything() -> None:
    told = json.loads(json.dumps(as_json(report())))
    assert told["passed"] is False
    assert [rule["rule"] for rule in told["rules"]] == ["required", "required", "enum", "rowCount"]
    assert told["defects"][0]["offset"] == 17
    assert {word: told[word] for word in told if word not in ("rules", "defects")} == {
        "passed": False,
        "contract": "contract",
        "contract_version": "1.0.0",
        "rows": 9,
    }


def test_junit_counts_failures_and_warnings_apart() -> None:
    suites = ET.fromstring(junit(report(), "a.csv"))  # noqa: S314  # our own text
    assert (suites.get("tests"), suites.get("failures"), suites.get("skipped")) == ("4", "1", "1")
    (suite,) = suites
    assert [len(case) for case in suite] == [0, 0, 1, 1]
    failure = suite[2][0]
    assert failure.tag == "failure"
    assert failure.text == "record 3, line 4, byte 17: no & none: '<v>'"
    assert suite[3][0].tag == "skipped"
    assert (suites.get("name"), suite.get("name")) == ("landbridge validate", "contract 1.0.0: a.csv")
    assert [(case.get("classname"), case.get("name")) for case in list(suite)[2:]] == [
        ("contract", "enum c"),
        ("contract", "rowCount"),
    ]
    assert [case[0].get("message") for case in list(suite)[2:]] == [
        "2 of 9 broken, allowed = 0: expected one of x",
        "1 of 9 broken, allowed > 10",
    ]


@given(value=st.text(), message=st.text())
def test_junit_is_well_formed_whatever_the_values_hold(value: str, message: str) -> None:
    suites = ET.fromstring(junit(report(value, message), value))  # noqa: S314  # our own text
    assert len(suites[0]) == len(RULES)
