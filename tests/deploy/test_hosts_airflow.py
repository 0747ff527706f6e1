"""Does Airflow import the DAGs without an error, start them in time, and end a task by its exit code?

Airflow is in `.venv-airflow` (`make .venv-airflow/installed`, part of `make test`); without it these tests skip.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cronsim import CronSim

from landbridge.deploy.hosts import airflow
from tests.deploy import hosts

if TYPE_CHECKING:
    from landbridge.deploy.hosts.jobs import Timed

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-airflow" / "bin" / "python"
needs_airflow = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not PYTHON.exists(), reason="no .venv-airflow: `make .venv-airflow/installed`"),
]
JOBS = hosts.timed()

IMPORT = """
import json, sys
try:
    from airflow.dag_processing.dagbag import DagBag
except ImportError:
    from airflow.models import DagBag
bag = DagBag(sys.argv[1])
tasks = {d: [(t.retries, t.pool, t.queue, t.run_as_user, str(t.execution_timeout)) for t in dag.tasks] for d, dag in bag.dags.items()}
print(json.dumps({"errors": bag.import_errors, "tasks": tasks}))
"""
FIRE = """
import json, sys
import pendulum
from airflow.timetables.base import TimeRestriction
from airflow.timetables.trigger import CronTriggerTimetable
first, last = pendulum.parse(sys.argv[2]), pendulum.parse(sys.argv[3])
fired = {}
for name, (expression, zone) in json.loads(sys.argv[1]).items():
    table, interval, fired[name] = CronTriggerTimetable(expression, timezone=zone), None, []
    while True:
        info = table.next_dagrun_info(last_automated_data_interval=interval, restriction=TimeRestriction(first, None, True))
        if info is None or info.run_after >= last:
            break
        interval = info.data_interval
        fired[name].append(info.run_after.in_tz("UTC").isoformat())
print(json.dumps(fired))
"""
RUN = """
import json, runpy, sys
run = runpy.run_path(sys.argv[1])["run"]
ends = {}
for code in (0, 64, 65, 69, 70, 73, 74, 75, 76, 77, 78, 130):
    try:
        run([sys.executable, "-c", f"print('line'); raise SystemExit({code})"], 900)
        ends[code] = ""
    except Exception as error:
        ends[code] = type(error).__name__
print(json.dumps(ends))
"""


def _asked(code: str, home: Path, *words: str) -> Any:
    ended = subprocess.run(
        [PYTHON, "-W", "ignore", "-c", code, *words],
        check=False,
        capture_output=True,
        text=True,
        timeout=250,
        env={**os.environ, "AIRFLOW_HOME": str(home), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"},
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    return json.loads(ended.stdout.splitlines()[-1])


def _written(folder: Path, **host: object) -> Path:
    dags = folder / "dags"
    dags.mkdir()
    for name, text in airflow.files(hosts.on(folder=str(folder), **host)).items():
        if name.endswith(".py"):
            (dags / name).write_text(text)
    return dags


def _values(text: str) -> dict[str, Any]:
    return {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in ast.parse(text).body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }


def test_the_table_of_jobs_is_plain_python() -> None:
    values = _values(
        airflow.files(hosts.on(group="edge", account="svc", mail=["ops@example.org"]))["acme_prd.py"]
    )
    assert (values["QUEUE"], values["RUN_AS"], values["POOL"]) == ("edge", "svc", "acme-prd")
    assert values["MAIL"] == ["ops@example.org"]
    assert (values["DONE"], values["AGAIN"]) == ([0], [69, 73, 74, 75, 130])
    assert set(values["JOBS"]) == {f"acme-prd-{job.name}" for job in hosts.on().jobs}
    daily = values["JOBS"]["acme-prd-collect-daily"]
    assert (daily["cron"], daily["time_zone"]) == ("0 6 * * *", "Europe/London")


def test_the_pool_holds_a_waiting_collection_of_each_feed() -> None:
    pools = json.loads(airflow.files(hosts.on())["pools.json"])
    assert pools["acme-prd"]["slots"] == len(hosts.on().jobs)


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_an_expression_can_be_read_and_never_restricts_day_and_weekday_together(
    job: Timed,
) -> None:
    expression, zone = airflow.timetable(job)
    CronSim(expression, datetime(2026, 1, 1, tzinfo=UTC))
    _, _, days, _, weekdays = expression.split()
    assert "*" in {days, weekdays}
    assert zone in {job.starts.zone, "UTC"}


class TestInAirflow:
    """What Airflow itself says."""

    pytestmark = needs_airflow

    def test_it_imports_the_dags_without_an_error(self, tmp_path: Path) -> None:
        found = _asked(IMPORT, tmp_path, str(_written(tmp_path, group="edge", account="svc")))
        assert found["errors"] == {}
        assert set(found["tasks"]) == {f"acme-prd-{job.name}" for job in hosts.on().jobs}
        assert found["tasks"]["acme-prd-late-daily"] == [[3, "acme-prd", "edge", "svc", "0:15:00"]]

    def test_it_starts_everything_that_is_due_when_clocks_change(self, tmp_path: Path) -> None:
        tables = {job.name: airflow.timetable(job) for job in JOBS}
        for first, last in (
            (datetime(2026, 2, 27, tzinfo=UTC), datetime(2026, 4, 30, tzinfo=UTC)),
            (datetime(2026, 9, 25, tzinfo=UTC), datetime(2026, 11, 9, tzinfo=UTC)),
        ):
            fired = _asked(FIRE, tmp_path, json.dumps(tables), first.isoformat(), last.isoformat())
            for job in JOBS:
                due = {at for at in hosts.due(job) if first < at < last - timedelta(days=1)}
                assert due <= {datetime.fromisoformat(at) for at in fired[job.name]}, job.name

    def test_a_task_ends_by_its_exit_code(self, tmp_path: Path) -> None:
        ends = _asked(RUN, tmp_path, str(_written(tmp_path) / "acme_prd.py"))
        assert ends["0"] == ""
        assert {code for code, name in ends.items() if name == "MayPass"} == {"69", "73", "74", "75", "130"}
        assert {code for code, name in ends.items() if name == "AirflowFailException"} == {
            "64",
            "65",
            "70",
            "76",
            "77",
            "78",
        }
