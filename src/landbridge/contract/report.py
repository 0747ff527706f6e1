"""How does a gate's report leave the program? Table rows for people, JSON for programs, JUnit XML for a build server."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import asdict
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from landbridge.counted import counted

if TYPE_CHECKING:
    from landbridge.facts import Defect, GateReport, RuleResult

RULE_COLUMNS = ("", "rule", "column", "broken", "allowed", "what")
DEFECT_COLUMNS = ("rule", "record", "line", "byte", "column", "value", "what")

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def verdict(rule: RuleResult) -> str:
    """Give `ok`, `broken`, or `warning` for a broken rule that lets the file pass."""
    return "ok" if rule.passed else "warning" if rule.severity == "warning" else "broken"


def rule_rows(report: GateReport) -> list[tuple[str, ...]]:
    """Give the rows of a table under RULE_COLUMNS: every broken rule, then the rules that held, gathered over their columns."""
    rows: list[tuple[str, ...]] = [
        (verdict(rule), rule.rule, rule.column, f"{rule.broken:,}", rule.threshold, rule.message)
        for rule in report.rules
        if not rule.passed
    ]
    held: dict[tuple[str, str], list[str]] = defaultdict(list)
    for rule in report.rules:
        if rule.passed:
            held[rule.rule, rule.threshold].append(rule.column)
    for (name, threshold), columns in held.items():
        where = columns[0] if len(columns) == 1 else counted(len(columns), "column")
        rows.append(("ok", name, where, "", threshold, ""))
    return rows


def defect_rows(report: GateReport) -> list[tuple[str, ...]]:
    """Give one row for each defect, under DEFECT_COLUMNS; a line or byte that the format does not have is empty."""
    return [
        (
            defect.rule,
            f"{defect.record:,}",
            f"{defect.line:,}" if defect.line else "",
            f"{defect.offset:,}" if defect.offset >= 0 else "",
            defect.column,
            defect.value,
            defect.message,
        )
        for defect in report.defects
    ]


def as_json(report: GateReport) -> dict[str, object]:
    """Give plain data: the verdict, the counts, every rule, the first defects."""
    return {
        "passed": report.passed,
        "contract": report.contract,
        "contract_version": report.contract_version,
        "rows": report.rows,
        "rules": [asdict(rule) for rule in report.rules],
        "defects": [asdict(defect) for defect in report.defects],
    }


def junit(report: GateReport, file: str) -> str:
    """Write the report as a JUnit XML document: one test case a rule; a warning is skipped, not failed.

    Source: the JUnit XML that Jenkins, GitLab and GitHub actions read (testsuites, testsuite, testcase, failure, skipped).
    """
    places: dict[tuple[str, str], list[Defect]] = defaultdict(list)
    for defect in report.defects:
        places[defect.rule, defect.column].append(defect)
    failures = sum(verdict(rule) == "broken" for rule in report.rules)
    skipped = sum(verdict(rule) == "warning" for rule in report.rules)
    counts = {
        "tests": str(len(report.rules)),
        "failures": str(failures),
        "skipped": str(skipped),
        "errors": "0",
    }
    suites = ET.Element("testsuites", {"name": "landbridge validate", **counts})
    name = f"{report.contract} {report.contract_version}: {file}"
    suite = ET.SubElement(suites, "testsuite", {"name": _xml(name), **counts})
    for rule in report.rules:
        title = f"{rule.rule} {rule.column}".strip()
        case = ET.SubElement(suite, "testcase", {"classname": _xml(report.contract), "name": _xml(title)})
        if rule.passed:
            continue
        what = f"{rule.broken} of {rule.checked} broken, allowed {rule.threshold}"
        what = f"{what}: {rule.message}" if rule.message else what
        lines = [_place(defect) for defect in places[rule.rule, rule.column]]
        kind = "skipped" if rule.severity == "warning" else "failure"
        ET.SubElement(case, kind, {"message": _xml(what)}).text = _xml("\n".join(lines))
    ET.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(suites, encoding="unicode") + "\n"


def _place(defect: Defect) -> str:
    where = f"record {defect.record}"
    where += f", line {defect.line}" if defect.line else ""
    where += f", byte {defect.offset}" if defect.offset >= 0 else ""
    value = f": {defect.value!r}" if defect.value else ""
    return f"{where}: {defect.message}{value}"


def _xml(text: str) -> str:
    """Replace what XML 1.0 cannot hold (control characters, lone surrogates)."""
    return _NOT_XML.sub("\ufffd", text)
