"""Facts of one ordinary slot, for tests that need some."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from landbridge.facts import (
    Commitment,
    Content,
    Defect,
    Download,
    GateReport,
    Location,
    RuleResult,
    Server,
    Slot,
    SourceFact,
    Staged,
    Target,
    Verdict,
)

DAY = date(2026, 11, 20)
AT = datetime(2026, 11, 21, 5, 30, tzinfo=UTC)


def slot(feed: str = "flights", occurrence: str = "2026-11-20", day: date = DAY) -> Slot:
    return Slot(feed, occurrence, day, AT, AT + timedelta(hours=2))


def content(letter: str = "a") -> Content:
    return Content(1234, letter * 64, 10)


def commitment(
    of: Slot | None = None, revision: int = 1, *, run_id: str = "run-1", verdict: Verdict = Verdict.RELEASE
) -> Commitment:
    of = of or slot()
    return Commitment(
        slot=of,
        revision=revision,
        verdict=verdict,
        environment="UAT",
        plain=content("a"),
        delivered=content("b"),
        staged=Location("s3://staging", f"drafts/{of.feed}/{of.occurrence}/{'b' * 64}.csv", "v1", '"etag"'),
        target=Target(f"outbound/flights/{of.feed}_{of.occurrence}.csv", f"{of.feed}.csv", f"{of.feed}.done"),
        report=GateReport(
            "flights",
            "1.0.0",
            10,
            (RuleResult("unique", "id", passed=True, checked=10, broken=0, threshold="= 0"),),
            (Defect("type", 3, 4, 120, "id", "not a number: é", "x"),),
        ),
        sources=(
            SourceFact("flights", "rest", "https://api/x", {"date": "2026-11-20"}, 10, AT, AT, "c" * 64),
        ),
        run_id=run_id,
        actor="cron@pod",
        committed_at=AT,
        plan="d" * 64,
        reason="late correction" if revision > 1 else "",
        recipients=("FPR1",),
    )


def downloaded(size: int, sha256: str, commitment: str = "c" * 64, *, path: str = "/outbound/x") -> Download:
    server = Server("sftp.example.org", 22, "SHA256:" + "s" * 43, "collector")
    began = AT + timedelta(minutes=5)
    return Download(
        server, path, 0, size, sha256, 1, began, began + timedelta(seconds=2), "edge1", commitment
    )


def staged(of: Slot | None = None, letter: str = "a") -> Staged:
    return Staged(of or slot(), content(letter), Location("s3://staging", f"drafts/{letter}"))
