"""The page about contracts tells the truth: its example loads and judges, its lists are the program's."""

from __future__ import annotations

import re
from pathlib import Path

from landbridge.contract import standard, texts
from landbridge.contract.gate import gate_for
from landbridge.contract.odcs import load
from landbridge.feed.outputs import Csv, File, Record

PAGE = (Path(__file__).parents[2] / "docs" / "contracts.md").read_text(encoding="utf-8")
GOOD = (
    "verification_id,applicant,outcome,score,completed_at\n"
    "V-00000001,Ann,verified,60.00,2026-11-20T10:00:00Z\n"
    "V-00000002,Bob,referred,,2026-11-20T10:00:01.5+01:00\n"
)


def test_the_example_is_a_contract_that_judges(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    path = tmp_path / "example.odcs.yaml"
    path.write_text(example, encoding="utf-8")
    form = Csv(trailing=Record(fields=("END", "{rows}")))
    gate = gate_for(load(path), File(name="f", folder="f", format=form), memory=512, spill=tmp_path)
    file = tmp_path / "f.csv"
    file.write_text(f"{GOOD}END,2\n", encoding="utf-8")
    report = gate.judge(file)
    assert report.passed
    assert [rule.rule for rule in report.rules if not rule.passed] == ["nullValues"]
    file.write_text(GOOD.replace("60.00", "59.99") + "END,3\n", encoding="utf-8")
    broken = {rule.rule for rule in gate.judge(file).rules if not rule.passed and rule.severity == "error"}
    assert broken == {"sql", "controlTotal", "trailing record"}


def test_every_judged_and_refused_word_is_on_the_page() -> None:
    told = set(re.findall(r"\w+", PAGE))
    options = set().union(*standard.OPTIONS.values())
    words = (
        standard.PROPERTY.judged
        | standard.QUALITY.judged
        | set(standard.PROPERTY.refused)
        | set(standard.QUALITY.refused)
    )
    assert words - {"rule"} <= told | {"name", "properties"}
    assert options <= told
    assert set(texts.FORMATS) <= told
    assert told >= standard.PUBLIC | standard.PERSONAL_TAGS
