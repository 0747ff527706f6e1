"""Does the watch tell each thing once, make good what was missed, and never more, on real servers and with its own role?"""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from landbridge import wiring
from landbridge.alarms import Watch
from landbridge.cli.output import Silent
from landbridge.errors import Unavailable
from landbridge.naming import WATCH
from landbridge.notices import Kind
from landbridge.run import run
from landbridge.watch import Look, look
from landbridge.wiring import choice
from tests.fakes.memory_store import MemoryStore
from tests.fakes.set_clock import SetClock
from tests.servers import api as apis
from tests.stories.conftest import played

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landbridge.feed import Feed
    from landbridge.notices import Notice
    from landbridge.world import Watching
    from tests.stories.conftest import Stage

pytestmark = [pytest.mark.story, pytest.mark.slow]

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A stage of its own: what other stories left open, or refused, would be told here."""
    with played(tmp_path_factory.mktemp("watch")) as stage:
        yield stage


DECLARED = Watch.model_validate_json(
    json.dumps({"look_back": "2d", "remind": "1d", "catch_up": "6h", "catch_up_after": "30m"})
)


@dataclass
class Reader:
    """A teller that listens, and can be away."""

    name: str = "reader"
    heard: list[Notice] = field(default_factory=list)
    away: bool = False

    def tell(self, notice: Notice) -> None:
        if self.away:
            raise Unavailable("nobody listens")
        self.heard.append(notice)


@dataclass
class Meter:
    """A meter that keeps what it was given."""

    counts: list[int] = field(default_factory=list)

    def measure(self, count: int) -> None:
        self.counts.append(count)


@dataclass
class Scene:
    """One feed, a clock, and who listens."""

    stage: Stage
    feed: Feed
    clock: SetClock
    reader: Reader = field(default_factory=Reader)
    meter: Meter = field(default_factory=Meter)
    memory: MemoryStore = field(default_factory=MemoryStore)
    declared: Watch = DECLARED

    def watching(self) -> Watching:
        made = wiring.watching(self.stage.declaration, "DEV", twin=True, progress=Silent())
        return replace(
            made,
            declared=self.declared,
            memory=self.memory,
            tellers=(self.reader,),
            meter=self.meter,
            clock=self.clock,
        )

    def look(self, *, dry: bool = False) -> Look:
        return look(self.stage.declaration.project, [self.feed], self.watching(), dry=dry)


def scene(stage: Stage, name: str, at: datetime) -> Scene:
    """Look at a feed from a day of its own: it begins the day before, at six in London."""
    feed = stage.declaration.feeds[name]
    starts = feed.schedule.model_copy(update={"starts": at.date()})
    return Scene(stage, feed.model_copy(update={"schedule": starts}), SetClock(at))


def test_a_slot_that_no_job_ran_is_run_and_the_deadline_told_once(stage: Stage) -> None:
    here = scene(stage, "good", datetime(2025, 1, 14, 6, 10, tzinfo=UTC))
    seen = here.look()
    assert (seen.open, seen.missed, here.reader.heard) == ((), (), []), "its own job may still be at it"
    here.clock.sleep(55 * 60)
    seen = here.look()
    assert [one.kind for one in here.reader.heard[0].news] == [Kind.LATE]
    assert [one.error for one in seen.caught_up] == [None]
    assert [(str(one.slot), one.came_to) for one in seen.caught_up] == [("good/2025-01-14", "released")]
    seen = here.look()
    assert len(here.reader.heard) == 1, "told once"
    assert (seen.missed, seen.caught_up) == ((), ())
    assert here.meter.counts == [0, 1, 1], "told after every look, 0 as well"
    assert len(stage.commitments("good", "2025-01-14")) == 1


def test_what_is_open_is_told_again_after_a_while_and_cleared_once(stage: Stage) -> None:
    here = scene(stage, "good", datetime(2025, 1, 21, 8, 0, tzinfo=UTC))
    here.declared = DECLARED.model_copy(update={"catch_up": None, "remind": timedelta(hours=12)})
    for _ in range(4):
        here.look()
        here.clock.sleep(900)
    assert [len(one.news) for one in here.reader.heard] == [1]
    here.clock.sleep(12 * 3600)
    here.feed = here.feed.model_copy(
        update={"schedule": here.feed.schedule.model_copy(update={"ends": date(2025, 1, 21)})}
    )
    here.look()
    assert [len(one.reminders) for one in here.reader.heard] == [0, 1]
    slot = choice.slot_of(stage.declaration, here.feed, "2025-01-21", now=here.clock.now())
    run(here.feed, slot, wiring.cloud(stage.declaration, "DEV", twin=True, progress=Silent()))
    subprocess.run(
        [
            sys.executable,
            "-m",
            "landbridge",
            "collect",
            "--twin",
            "-p",
            str(stage.folder),
            "--since",
            "2025-01-20",
        ],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=120,
    )
    here.look()
    assert [one.says.partition(" ")[0] for one in here.reader.heard[2].cleared] == ["delivered"]
    here.look()
    assert len(here.reader.heard) == 3


def test_a_file_that_breaks_its_contract_is_told_and_not_run_again(stage: Stage) -> None:
    here = scene(stage, "broken", datetime(2025, 2, 4, 6, 40, tzinfo=UTC))
    assert [one.came_to for one in here.look().caught_up] == ["quarantine"]
    seen = here.look()
    assert [one.kind for one in here.reader.heard[0].news] == [Kind.QUARANTINED]
    assert seen.missed == ()


def test_a_validated_file_that_nobody_released_is_told_long_before_staging_forgets_it(stage: Stage) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    here = scene(stage, "good", datetime(2025, 2, 11, 6, 40, tzinfo=UTC))
    assert stage.order("good 2025-02-11 0 generate")[0].startswith("0 staged")
    assert "release" in stage.order("good 2025-02-11 0 validate")[0]
    here.declared = DECLARED.model_copy(update={"look_back": now - here.clock.now() + timedelta(days=2)})
    here.feed = here.feed.model_copy(
        update={"schedule": here.feed.schedule.model_copy(update={"ends": date(2025, 2, 11)})}
    )
    here.clock = SetClock(now + timedelta(hours=2))  # it was validated just now, by the machine's own clock
    here.look()
    # Other tests' slots are told as well, if they came first: so long is its look back.
    told = [one.kind for one in here.reader.heard[0].news if f"{one.slot}" == "good/2025-02-11"]
    assert told == [Kind.STUCK]
    assert here.declared.stuck_after < timedelta(days=stage.declaration.project.staging_days) / 10


def test_a_reader_that_was_away_hears_it_at_the_next_look(stage: Stage) -> None:
    here = scene(stage, "good", datetime(2025, 2, 18, 8, 0, tzinfo=UTC))
    here.declared = DECLARED.model_copy(update={"catch_up": None})
    here.reader.away = True
    assert [one.what for one in here.look().failures] == ["reader"]
    here.reader.away = False
    assert here.look().failures == ()
    assert [len(one.news) for one in here.reader.heard] == [1]


def test_a_dry_run_says_everything_and_does_nothing(stage: Stage) -> None:
    here = scene(stage, "good", datetime(2025, 2, 25, 8, 0, tzinfo=UTC))
    seen = here.look(dry=True)
    assert [str(slot) for slot in seen.missed] == ["good/2025-02-25"]
    assert [name for name, _ in seen.notices] == ["reader"]
    assert (here.reader.heard, here.meter.counts, list(here.memory.list(""))) == ([], [], [])
    assert stage.commitments("good", "2025-02-25") == ()


def test_nothing_is_run_beyond_the_declared_limits(stage: Stage) -> None:
    here = scene(stage, "good", datetime(2025, 3, 4, 12, 30, tzinfo=UTC))
    assert here.look().missed == (), "due more than six hours ago"
    here = scene(stage, "good", datetime(2025, 3, 5, 5, 59, tzinfo=UTC))
    assert here.look().missed == (), "not due yet"
    assert stage.commitments("good", "2025-03-05") == ()


def test_no_more_slots_than_declared_are_run_in_one_look(stage: Stage) -> None:
    feed = stage.declaration.feeds["empty"]
    hourly = feed.schedule.model_copy(update={"cron": "0 * * * *", "starts": date(2025, 3, 11)})
    here = Scene(
        stage,
        feed.model_copy(update={"schedule": hourly}),
        SetClock(datetime(2025, 3, 11, 5, 45, tzinfo=UTC)),
        declared=DECLARED.model_copy(update={"catch_up_most": 2}),
    )
    assert [one.slot.scheduled_at.hour for one in here.look().caught_up] == [0, 1], "the oldest first"
    assert [one.slot.scheduled_at.hour for one in here.look().caught_up] == [2, 3]


def test_racing_the_job_itself_is_harmless(stage: Stage) -> None:
    here = scene(stage, "good", datetime(2025, 3, 18, 6, 40, tzinfo=UTC))
    with ThreadPoolExecutor(3) as pool:
        looks = [pool.submit(here.look) for _ in range(2)]
        other = pool.submit(stage.order, "good 2025-03-18 0 all")
        assert other.result(100)[0].startswith("0 released")
        assert all(one.error is None for each in looks for one in each.result(100).caught_up)
    assert len(stage.commitments("good", "2025-03-18")) == 1


def test_a_feed_that_fails_does_not_keep_the_others_from_being_run(stage: Stage) -> None:
    feed = stage.declaration.feeds["good"]
    gone = feed.sources["rows"].model_copy(update={"function": "rows:nowhere"})
    failing = scene(stage, "good", datetime(2025, 3, 25, 6, 40, tzinfo=UTC)).feed.model_copy(
        update={"feed": "good", "sources": {"rows": gone}}
    )
    other = scene(stage, "sent", datetime(2025, 3, 25, 6, 40, tzinfo=UTC))
    seen = look(stage.declaration.project, [failing, other.feed], other.watching())
    assert [(one.slot.feed, one.came_to) for one in seen.caught_up] == [
        ("good", "failed"),
        ("sent", "released"),
    ]


def test_with_its_own_role_it_remembers_in_staging_and_nowhere_else(stage: Stage) -> None:
    here = scene(stage, "good", datetime(2025, 4, 1, 8, 0, tzinfo=UTC))
    here.declared = DECLARED.model_copy(update={"catch_up": None})
    watching = here.watching()
    own = wiring.watching(stage.declaration, "DEV", twin=True, progress=Silent()).memory
    real = replace(watching, memory=own)
    look(stage.declaration.project, [here.feed], real)
    look(stage.declaration.project, [here.feed], real)
    assert len(here.reader.heard) == 1
    listed = stage.admin.list_objects_v2(Bucket="story-staging", Prefix=f"{WATCH}/")["Contents"]
    assert [one["Key"].rpartition("/")[0] for one in listed] == ["watch/dev"]


def test_what_cannot_be_read_of_the_memory_is_told_again_rather_than_not_at_all(stage: Stage) -> None:
    here = scene(stage, "good", datetime(2025, 4, 8, 8, 0, tzinfo=UTC))
    here.declared = DECLARED.model_copy(update={"catch_up": None})
    here.memory.put_new("watch/dev/20250101T000000.000000Z.json", b"damaged")
    here.look()
    here.look()
    assert len(here.reader.heard) == 1


def test_the_command_tells_a_webhook_and_ends_well(stage: Stage, tmp_path: Path) -> None:
    with apis.running() as api:
        api.routes["/hook"] = lambda _: apis.as_json({})
        text = (stage.folder / "landbridge.yaml").read_text()
        (stage.folder / "landbridge.yaml").write_text(
            text.replace("catch_up: 6h", "webhook: 'file:keys/hook', look_back: 1d")
        )
        (stage.folder / "keys" / "hook").write_text(f"{api.url}/hook\n")
        try:
            command = [sys.executable, "-m", "landbridge", "watch", "--twin", "-p", str(stage.folder)]
            done = subprocess.run(
                [*command, "--json"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
            )
            assert done.returncode == 0, done.stderr
            told = json.loads(done.stdout)["told"]["webhook"]
            (asked,) = api.asked
            assert json.loads(asked.body) == told
            again = subprocess.run(
                [*command, "--check"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
            )
            assert again.returncode == 65, "what is open is open, told or not"
            assert "told nobody" in again.stdout
            assert len(api.asked) == 1
        finally:
            (stage.folder / "landbridge.yaml").write_text(text)
