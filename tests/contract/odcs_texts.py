"""Small contracts and files for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from landbridge.contract.gate import gate_for
from landbridge.contract.odcs import load
from landbridge.feed.outputs import Csv, File

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from landbridge.facts import GateReport, RuleResult
    from landbridge.feed.outputs import Format

HEAD = "apiVersion: v3.1.0\nkind: DataContract\nid: t\nversion: 1.2.3\nname: test\nschema:\n- name: things\n  properties:\n"


def written(folder: Path, properties: Sequence[str], quality: Sequence[str] = ()) -> Path:
    """Write a contract with one property, or one rule of the object, a line; properties begin in line 9."""
    text = HEAD + "".join(f"  - {{{entry}}}\n" for entry in properties)
    text += "  quality:\n" + "".join(f"  - {{{entry}}}\n" for entry in quality) if quality else ""
    path = folder / "contract.odcs.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def declared(
    form: Format | None = None,
    *,
    compression: Literal["none", "gzip", "zstd"] = "none",
    formula_injection: Literal["reject", "escape", "allow"] = "allow",
) -> File:
    return File(
        name="things.csv",
        folder="test",
        format=form or Csv(),
        compression=compression,
        formula_injection=formula_injection,
    )


def judged(
    contract: Path, content: bytes | Path, file: File | None = None, *, memory: int = 512
) -> GateReport:
    path = content if not isinstance(content, bytes) else contract.parent / "things"
    if isinstance(content, bytes):
        path.write_bytes(content)
    gate = gate_for(load(contract), file or declared(), memory=memory, spill=contract.parent / "spill")
    report = gate.judge(path)
    assert list((contract.parent / "spill").iterdir()) == []
    return report


def named(report: GateReport, rule: str, column: str | None = None) -> RuleResult:
    """Give the one result of that name."""
    (found,) = [each for each in report.rules if each.rule == rule and column in (None, each.column)]
    return found
