"""How does a breach of contract look to the person who has to mend it?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from landbridge.cli.output import print_pairs, print_table, tip

if TYPE_CHECKING:
    from landbridge.facts import Commitment, GateReport


def print_breach(commitment: Commitment) -> None:
    """Show why a slot is in quarantine, where its file is kept, and the first failing rows."""
    print_pairs(
        f"{commitment.slot} is in quarantine: the data broke its contract",
        {
            "kept at": str(commitment.staged),
            "contract": f"{commitment.report.contract} {commitment.report.contract_version}",
            "rows": f"{commitment.report.rows:,}",
            "released": "nothing",
        },
    )
    print_rules(commitment.report)
    tip(
        f"next: mend the source or the contract; `landbridge quarantine show {commitment.slot}` shows this again and what may be decided"
    )


def print_rules(report: GateReport) -> None:
    """Show the broken rules, then the first defects with their place in the file."""
    broken = [rule for rule in report.rules if not rule.passed]
    print_table(
        "\nBroken rules",
        ("rule", "column", "broken", "allowed", "severity", "what"),
        ((r.rule, r.column, f"{r.broken:,}", r.threshold, r.severity, r.message) for r in broken),
    )
    if report.defects:
        print_table(
            "\nFirst failing rows",
            ("record", "line", "byte", "column", "value", "what"),
            (
                (
                    f"{d.record:,}",
                    f"{d.line:,}" if d.line else "",
                    f"{d.offset:,}" if d.offset >= 0 else "",
                    d.column,
                    d.value,
                    d.message,
                )
                for d in report.defects[:20]
            ),
        )
