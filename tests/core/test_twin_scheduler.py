"""Does the twin's scheduler fire what is due, once each, as CronJobs would?"""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from landbridge.twin.scheduler import CATCH_UP, Dispatcher, due, remembered_until, watch
from tests.servers.declared import declaration, feed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from landbridge.facts import Slot

HOURLY = {"cron": "0 * * * *", "time_zone": "UTC"}
DECLARED = declaration(
    feed(),
    feed(feed="hourly", schedule=HOURLY),
    feed(feed="elsewhere", schedule=HOURLY, environments=["PRD"]),
)


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _names(since: str, until: str, environment: str = "DEV") -> list[str]:
    return [str(slot) for slot in due(DECLARED, environment, _at(since), _at(until))]


def test_what_is_scheduled_up_to_now_is_due_earliest_first() -> None:
    assert _names("2026-11-20T05:30", "2026-11-20T07:00") == [
        "hourly/20261120T0600Z",
        "orders/2026-11-20",
        "hourly/20261120T0700Z",
    ]


def test_times_that_meet_give_each_slot_once() -> None:
    first, second = (
        _names("2026-11-20T05:30", "2026-11-20T06:00"),
        _names("2026-11-20T06:00", "2026-11-20T07:00"),
    )
    assert sorted(first + second) == sorted(_names("2026-11-20T05:30", "2026-11-20T07:00"))


def test_local_time_decides_not_utc() -> None:
    assert "orders/2026-07-01" in _names("2026-07-01T04:30", "2026-07-01T05:00")


def test_a_feed_is_due_in_its_environments_only() -> None:
    assert "elsewhere/20261120T0600Z" in _names("2026-11-20T05:30", "2026-11-20T06:00", "PRD")
    assert not any("elsewhere" in name for name in _names("2026-11-20T05:30", "2026-11-20T06:00"))


class _Clock:
    """Moves only when told."""

    def __init__(self) -> None:
        self.time = _at("2026-11-20T07:00")

    def now(self) -> datetime:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


# Appends "begin" and "end" with its name, and exits with the code that its plan has for this attempt. Where somebody is to
# be met, it waits for a second one to begin: on a busy machine the first may end before.
_RUN = """
import json, pathlib, sys, time
name, folder = sys.argv[1], pathlib.Path(sys.argv[2])
log = folder / "order"
with log.open("a") as file: file.write(f"begin {name}\\n")
time.sleep(0.15)
until = time.monotonic() + 10 * (folder / "meet").exists()
while time.monotonic() < until and log.read_text().count("begin") < 2: time.sleep(0.02)
with log.open("a") as file: file.write(f"end {name}\\n")
plan = json.loads((folder / "plan").read_text()).get(name, [])
attempt = sum(1 for line in log.read_text().splitlines() if line == f"end {name}")
sys.exit(plan[attempt - 1] if attempt <= len(plan) else 0)
"""


class _Bench:
    def __init__(self, folder: Path, plan: dict[str, list[int]], **limits: int) -> None:
        self.folder, self.clock = folder, _Clock()
        (folder / "plan").write_text(json.dumps(plan))
        self.work = Dispatcher(self._command, folder / "runs", self.clock, **limits)

    def _command(self, slot: Slot | None) -> Sequence[str]:
        return (sys.executable, "-S", "-c", _RUN, str(slot or "collect"), str(self.folder))

    def order(self) -> list[str]:
        return (self.folder / "order").read_text().splitlines()

    def count(self, line: str) -> int:
        return self.order().count(line)


def _slots(since: str, until: str) -> list[Slot]:
    return due(DECLARED, "DEV", _at(since), _at(until))


def test_each_slot_runs_once_and_then_the_collector(tmp_path: Path) -> None:
    bench = _Bench(tmp_path, {})
    bench.work.add(_slots("2026-11-20T05:30", "2026-11-20T06:00"))
    ended = bench.work.drain()
    assert sorted(one.slot for one in ended if one.slot) == ["hourly/20261120T0600Z", "orders/2026-11-20"]
    assert all(one.exit == 0 for one in ended)
    assert bench.order()[-1] == "end collect"
    assert bench.work.idle


def test_a_feed_never_runs_twice_at_once(tmp_path: Path) -> None:
    bench = _Bench(tmp_path, {}, at_once=4)
    bench.work.add([slot for slot in _slots("2026-11-20T01:30", "2026-11-20T05:00") if slot.feed == "hourly"])
    bench.work.drain()
    runs = [line.split()[0] for line in bench.order() if "hourly" in line]
    assert runs == ["begin", "end"] * 4


def test_no_more_runs_at_once_than_allowed(tmp_path: Path) -> None:
    many = declaration(*(feed(feed=f"feed{number}") for number in range(5)))
    bench = _Bench(tmp_path, {}, at_once=2)
    (tmp_path / "meet").touch()
    bench.work.add(due(many, "DEV", _at("2026-11-20T05:30"), _at("2026-11-20T06:00")))
    bench.work.drain()
    running, most = 0, 0
    for line in bench.order():
        if "feed" in line:
            running += 1 if line.startswith("begin") else -1
            most = max(most, running)
    assert most == 2


def test_what_may_pass_is_tried_again_later(tmp_path: Path) -> None:
    bench = _Bench(tmp_path, {"orders/2026-11-20": [75, 69]})
    bench.work.add([slot for slot in _slots("2026-11-20T05:30", "2026-11-20T06:00") if slot.feed == "orders"])
    ended: list[int] = []
    until = time.monotonic() + 60
    while not bench.work.idle and time.monotonic() < until:
        stepped = [one for one in bench.work.step() if one.slot]
        ended += [one.exit for one in stepped]
        if stepped:
            before = bench.count("begin orders/2026-11-20")
            bench.work.step()
            assert bench.count("begin orders/2026-11-20") == before  # not at once
            bench.clock.sleep(120)
        time.sleep(0.02)
    assert ended == [75, 69, 0]


@pytest.mark.parametrize("code", [65, 70, 76, 77, 78])
def test_what_cannot_pass_by_itself_is_not_tried_again(tmp_path: Path, code: int) -> None:
    bench = _Bench(tmp_path, {"orders/2026-11-20": [code]})
    bench.work.add([slot for slot in _slots("2026-11-20T05:30", "2026-11-20T06:00") if slot.feed == "orders"])
    assert [one.exit for one in bench.work.drain()] == [code]
    assert "begin collect" not in bench.order()


def test_tries_end(tmp_path: Path) -> None:
    bench = _Bench(tmp_path, {"orders/2026-11-20": [75, 75, 75, 75]}, tries=1)
    bench.work.add([slot for slot in _slots("2026-11-20T05:30", "2026-11-20T06:00") if slot.feed == "orders"])
    assert [one.exit for one in bench.work.drain()] == [75]


def test_what_was_cut_off_is_remembered_as_unfinished(tmp_path: Path) -> None:
    bench = _Bench(tmp_path, {})
    bench.work.add(_slots("2026-11-20T05:30", "2026-11-20T06:00"))
    assert bench.work.unfinished_since == _at("2026-11-20T06:00")
    bench.work.step()
    assert bench.work.unfinished_since == _at("2026-11-20T06:00")
    bench.work.drain()
    assert bench.work.unfinished_since is None


def test_stopping_ends_what_runs(tmp_path: Path) -> None:
    bench = _Bench(tmp_path, {})
    bench.work.add(_slots("2026-11-20T05:30", "2026-11-20T06:00"))
    bench.work.step()
    bench.work.stop()
    assert bench.work.unfinished_since is None


def test_the_first_start_catches_nothing_up(tmp_path: Path) -> None:
    now = _at("2026-11-20T07:00")
    assert remembered_until(tmp_path / "schedule.json", now) == now


def test_a_later_start_catches_up_within_the_limit(tmp_path: Path) -> None:
    memory, now = tmp_path / "schedule.json", _at("2026-11-20T07:00")
    memory.write_text(json.dumps({"until": "2026-11-20T03:00:00+00:00"}))
    assert remembered_until(memory, now) == _at("2026-11-20T03:00")
    memory.write_text(json.dumps({"until": "2026-11-01T03:00:00+00:00"}))
    assert remembered_until(memory, now) == now - CATCH_UP


def _watch(bench: _Bench, until: str, *, patient: bool = True) -> None:
    """Watch in virtual time, ten seconds a look, until `until`; time flies only while nothing runs, unless nobody is patient."""
    given_up = time.monotonic() + 60

    def over() -> bool:
        time.sleep(0.01)
        if not patient or bench.work.idle or time.monotonic() > given_up:
            bench.clock.sleep(9)
        return bench.clock.time >= _at(until)

    watch(
        bench.work,
        lambda since, upto: due(DECLARED, "DEV", since, upto),
        bench.folder / "schedule.json",
        over=over,
    )


def test_watching_fires_each_slot_once(tmp_path: Path) -> None:
    bench = _Bench(tmp_path, {})
    _watch(bench, "2026-11-20T08:10")
    assert [line for line in bench.order() if line.startswith("begin") and "collect" not in line] == [
        "begin hourly/20261120T0800Z"
    ]


def test_watching_again_catches_up_what_was_missed_and_what_was_cut_off(tmp_path: Path) -> None:
    bench = _Bench(tmp_path, {})
    (tmp_path / "schedule.json").write_text(json.dumps({"until": "2026-11-20T04:30:00+00:00"}))
    _watch(bench, "2026-11-20T07:00:20", patient=False)  # too short for all of them
    cut_off = json.loads((tmp_path / "schedule.json").read_text())["until"]
    assert datetime.fromisoformat(cut_off) < _at("2026-11-20T07:00")
    later = _Bench(tmp_path, {})
    later.clock.time = _at("2026-11-20T07:01")
    _watch(later, "2026-11-20T07:30")
    ended = {line.removeprefix("end ") for line in later.order() if line.startswith("end")}
    assert ended >= {str(slot) for slot in _slots("2026-11-20T04:30", "2026-11-20T07:00")}
    assert json.loads((tmp_path / "schedule.json").read_text())["until"] == "2026-11-20T07:29:00+00:00"
