"""What do `quarantine list` and `show` and `verify SLOT` tell of a history, whichever decisions are in it?"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from landbridge import wiring
from landbridge.cli import verify as verifying
from landbridge.cli.quarantine.shown import list_, show
from landbridge.cli.verify import verify
from landbridge.errors import DiskFailed, IntegrityBroken, UsageError
from landbridge.facts import Verdict
from landbridge.recheck import Finding, Place
from tests.core import declared
from tests.fakes.facts import commitment, slot
from tests.fakes.memory_store import MemoryStore

if TYPE_CHECKING:
    from pathlib import Path

    from landbridge.facts import Commitment

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = date(2026, 11, 20)


class Records:
    """A ledger of some histories, a store that holds some keys, and what was read again."""

    def __init__(self) -> None:
        self.histories: list[list[Commitment]] = []
        self.kept: set[str] = set()
        self.asked: list[date] = []
        self.findings: dict[int, Finding] = {}
        self.read: list[int] = []

    def decided(self, feed: str, *verdicts: str, passed: bool = False) -> list[Commitment]:
        of = slot(feed)
        made = [
            replace(commitment(of, number, verdict=Verdict(verdict)), reason=f"reason {number}")
            for number, verdict in enumerate(verdicts, 1)
        ]
        if not passed:
            rule = replace(made[0].report.rules[0], passed=False, broken=3)
            made = [replace(one, report=replace(one.report, rules=(rule,))) for one in made]
        self.histories.append(made)
        return made

    def day(self, day: date) -> list[Any]:
        self.asked.append(day)
        found = [one for one in self.histories if one[0].slot.business_date == day]
        return [SimpleNamespace(feed=one[0].slot.feed, commitments=one) for one in found]

    def history(self, of: Any) -> list[Commitment]:
        key = (of.feed, of.occurrence)
        return next((one for one in self.histories if (one[0].slot.feed, one[0].slot.occurrence) == key), [])

    def digest(self, one: Commitment) -> str:
        return f"{one.revision}" * 64

    def recheck(self, one: Commitment, *_: object) -> list[Place]:
        self.read.append(one.revision)
        return [Place("reports", "where", self.findings.get(one.revision, Finding.SAME), "seen")]


@pytest.fixture
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Records:
    declared.write(tmp_path, declared.FILES)
    there = Records()
    store = SimpleNamespace(head=lambda key: key if key in there.kept else None)
    evidence = SimpleNamespace(ledger=there, reports=MemoryStore(), store_of=lambda _: store, receipt_keys=())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LANDBRIDGE_ENVIRONMENT", "DEV")
    monkeypatch.setattr(wiring, "evidence", lambda *_, **__: cast("Any", evidence))
    monkeypatch.setattr(wiring, "further", lambda *_, **__: [])
    monkeypatch.setattr(wiring, "now", lambda: NOW)
    monkeypatch.setattr(verifying, "recheck", there.recheck)
    return there


def _listed(capsys: pytest.CaptureFixture[str], **words: Any) -> list[tuple[str, int, Any]]:
    list_(as_json=True, **words)
    found = json.loads(capsys.readouterr().out)
    return [(one["feed"], one["revision"], one["decided"] and one["decided"]["verdict"]) for one in found]


def test_what_waits_for_a_person_is_listed_and_what_was_decided_only_when_asked_for(
    records: Records, capsys: pytest.CaptureFixture[str]
) -> None:
    records.decided("orders", "quarantine")
    records.decided("sales", "quarantine", "quarantine", "reject")
    records.decided("other", "release", passed=True)
    assert _listed(capsys) == [("orders", 1, None)]
    assert _listed(capsys, everything=True) == [
        ("orders", 1, None),
        ("sales", 1, "quarantine"),
        ("sales", 2, "reject"),
    ]
    assert _listed(capsys, everything=True, feed="sales") == [
        ("sales", 1, "quarantine"),
        ("sales", 2, "reject"),
    ]
    assert _listed(capsys, since="2026-11-21") == []
    assert _listed(capsys, until="2026-11-19") == []


def test_a_period_is_looked_at_from_its_first_day_to_its_last(
    records: Records, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _listed(capsys, since="2026-11-19", until="2026-11-21") == []
    assert sorted(records.asked) == [date(2026, 11, 19), DAY, date(2026, 11, 21)]
    records.asked.clear()
    _listed(capsys)
    assert (min(records.asked), max(records.asked)) == (date(2026, 10, 9), date(2026, 11, 24))
    list_()
    assert "nothing is in quarantine from 2026-10-09 to 2026-11-24" in capsys.readouterr().out
    records.decided("orders", "quarantine")
    list_()
    said = " ".join(capsys.readouterr().err.split())
    assert "business dates from 2026-10-09 to 2026-11-24; `--since` looks further back" in said
    with pytest.raises(UsageError, match="is after"):
        list_(since="2026-11-21", until="2026-11-20")
    with pytest.raises(UsageError, match="no feed"):
        list_(feed="order")


def test_a_breach_is_shown_with_where_it_is_and_what_was_decided(
    records: Records, capsys: pytest.CaptureFixture[str]
) -> None:
    (breach,) = records.decided("orders", "quarantine")
    for kept in (False, True):
        records.kept = {breach.staged.key} if kept else set()
        show("orders/2026-11-20", as_json=True)
        told = json.loads(capsys.readouterr().out)
        assert (told["kept"], told["decided"], told["broken"]) == (kept, None, ["unique id"])
        show("orders/2026-11-20")
        out = capsys.readouterr()
        assert ("gone: reaped" in out.out.replace("\n", " ")) is not kept
        assert "quarantine release orders/2026-11-20" in out.err
    records.histories.clear()
    records.decided("orders", "quarantine", "reject")
    show("orders/2026-11-20")
    out = capsys.readouterr()
    assert "rejected by cron@pod" in out.out
    assert "next" not in out.err, "it is decided"


def test_what_was_never_in_quarantine_is_said_to_be_so(records: Records) -> None:
    records.decided("orders", "release", passed=True)
    with pytest.raises(UsageError, match="never in quarantine") as told:
        show("orders/2026-11-20")
    assert told.value.seen == "revision 1: release"


@pytest.mark.parametrize(("different", "read"), [(0, [2, 1]), (1, [2, 1]), (2, [2, 1])])
def test_a_difference_in_any_revision_that_somebody_relies_on_is_an_error(
    records: Records, different: int, read: list[int]
) -> None:
    """The correction that was rejected is not in force; the file before it is, and is read as well."""
    records.decided("orders", "release", "reject", passed=True)
    records.findings = {different: Finding.DIFFERENT}
    if different:
        with pytest.raises(IntegrityBroken, match=f"revision {different}: ") as told:
            verify("orders/2026-11-20")
        assert told.value.seen == "seen"
    else:
        verify("orders/2026-11-20")
    assert sorted(records.read) == sorted(read)


def test_only_the_revision_that_was_named_is_read(records: Records) -> None:
    records.decided("orders", "release", "release", "reject", passed=True)
    verify("orders/2026-11-20", revision=1)
    assert records.read == [1]
    with pytest.raises(UsageError, match="no revision 4"):
        verify("orders/2026-11-20", revision=4)


def test_words_that_do_not_go_together_are_refused_before_anything_is_read(
    tmp_path: Path,
) -> None:
    file = tmp_path / "file"
    refused: tuple[dict[str, Any], ...] = ({"what": "orders"}, {"revision": 1})
    for words in refused:
        with pytest.raises(UsageError, match="says itself which slot"):
            verify(bundle=file, **words)
    for words in (
        {},
        {"what": "x", "file": file},
        {"what": "x", "key": [file]},
        {"what": "x", "receipt_key": [file]},
    ):
        with pytest.raises(UsageError, match="nothing to check"):
            verify(**words)
    with pytest.raises(UsageError, match="there is no "):
        verifying._read(file, 3)
    file.write_bytes(b"abc")
    assert verifying._read(file, 3) == b"abc"
    file.write_bytes(b"abcd")
    with pytest.raises(UsageError, match="too large"):
        verifying._read(file, 3)
    with pytest.raises(DiskFailed, match="cannot be read"):
        verifying._read(tmp_path, 3)
    file.write_bytes(b"\xff")
    with pytest.raises(UsageError, match="no public key"):
        verifying._text(file)
