"""The twin's cluster does what CronJob and Job controllers do, and refuses what it does not know."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from examples.eidv import api
from landbridge.declare import load
from landbridge.deploy.kubernetes.cron import fires_at
from landbridge.deploy.kubernetes.render import manifests
from landbridge.errors import UsageError
from landbridge.twin.agenda import Agenda
from landbridge.twin.chronicle import Chronicle
from landbridge.twin.kubernetes.cronjobs import Cluster
from landbridge.twin.kubernetes.crontab import crontab
from landbridge.twin.kubernetes.manifests import known
from landbridge.twin.kubernetes.pods import Node
from landbridge.twin.workers import Inline
from tests.fakes.programs import Played, well

if TYPE_CHECKING:
    from collections.abc import Callable

    from landbridge.twin.programs import Command

DAY = datetime(2026, 11, 20, tzinfo=UTC)
EXAMPLE = Path(__file__).parents[2] / "examples" / "eidv"


@cache
def _rendered() -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = manifests(load(EXAMPLE), "DEV").objects
    return [
        one for one in made if one["kind"] != "CronJob" or one["metadata"]["name"] == "eidv-dev-verifications"
    ]


def _objects(cron: str = "0 6 * * *") -> list[dict[str, Any]]:
    objects = copy.deepcopy(_rendered())
    _job(objects)["spec"]["schedule"] = cron
    return objects


def _cluster(
    folder: Path, objects: list[dict[str, Any]], program: Played, since: datetime = DAY
) -> tuple[Cluster, Agenda]:
    applied = known(objects)
    accounts = {name: {"AWS_ROLE_ARN": f"arn:{name}"} for name in applied.service_accounts}
    node = Node(folder, program, accounts, api.environment(1), {})
    agenda = Agenda(since, Inline())
    return Cluster(applied, node, agenda, Chronicle()), agenda


def _what(cluster: Cluster) -> list[tuple[str, str]]:
    return [(f"{one.at:%H:%M:%S}", one.what) for one in cluster.chronicle.happened]


def _job(objects: list[dict[str, Any]]) -> dict[str, Any]:
    return next(one for one in objects if one["kind"] == "CronJob")


def test_a_job_is_named_by_its_minute_and_runs_with_what_the_manifest_says(tmp_path: Path) -> None:
    program = Played()
    seen: list[str] = []

    def look(command: Command) -> int:
        project = command.arguments[command.arguments.index("--project") + 1]
        seen.append((tmp_path / project / "landbridge.yaml").read_text())
        return 0

    program.ends = look
    cluster, agenda = _cluster(tmp_path, _objects(), program)
    cluster.start()
    agenda.advance(DAY + timedelta(hours=12))
    assert _what(cluster) == [
        ("06:00:00", "job created"),
        ("06:00:20", "pod ended"),
        ("06:00:20", "job complete"),
    ]
    (command,) = program.asked
    minutes = int((DAY + timedelta(hours=6)).timestamp()) // 60
    assert command.environment["LANDBRIDGE_JOB_NAME"].endswith(f"-{minutes}")
    assert command.environment["AWS_ROLE_ARN"] == "arn:landbridge"
    assert command.arguments[0] == "run"
    assert seen[0].startswith("version:") or "project" in seen[0]
    assert not list((tmp_path / "pods").iterdir())  # what lived as long as the pod is gone


@pytest.mark.parametrize(
    ("code", "ends"),
    [
        (65, [("06:00:20", "pod ended"), ("06:00:20", "job failed")]),
        (
            75,
            [
                ("06:00:20", "pod ended"),
                ("06:00:50", "pod ended"),
                ("06:01:30", "pod ended"),
                ("06:02:30", "pod ended"),
                ("06:02:30", "job failed"),
            ],
        ),
    ],
)
def test_a_failure_is_final_or_tried_again_with_growing_pauses(
    tmp_path: Path, code: int, ends: list[tuple[str, str]]
) -> None:
    cluster, agenda = _cluster(tmp_path, _objects(), Played(lambda _: code))
    cluster.start()
    agenda.advance(DAY + timedelta(hours=12))
    assert _what(cluster)[1:] == ends


def test_a_run_that_goes_well_in_the_end_completes_its_job(tmp_path: Path) -> None:
    codes = iter((75, 0))
    cluster, agenda = _cluster(tmp_path, _objects(), Played(lambda _: next(codes)))
    cluster.start()
    agenda.advance(DAY + timedelta(hours=12))
    assert _what(cluster)[-1] == ("06:00:50", "job complete")


@pytest.mark.parametrize(("hours", "second"), [(1.5, ["07:30:00"]), (3.5, [])])
def test_a_firing_during_a_run_waits_for_it_within_its_starting_deadline(
    tmp_path: Path, hours: float, second: list[str]
) -> None:
    objects = _objects("0 6,7 * * *")
    _job(objects)["spec"]["jobTemplate"]["spec"]["activeDeadlineSeconds"] = 36000
    length = iter((timedelta(hours=hours), timedelta(minutes=1)))
    program = Played(well)
    program.takes = next(length)
    cluster, agenda = _cluster(tmp_path, objects, program)
    cluster.start()
    agenda.advance(DAY + timedelta(hours=7, minutes=1))
    program.takes = next(length)
    agenda.advance(DAY + timedelta(hours=12))
    created = [at for at, what in _what(cluster) if what == "job created"]
    assert created == ["06:00:00", *second]
    assert ("missed" in {what for _, what in _what(cluster)}) is (not second)


def test_a_run_beyond_its_deadline_fails_its_job(tmp_path: Path) -> None:
    objects = _objects()
    _job(objects)["spec"]["jobTemplate"]["spec"]["activeDeadlineSeconds"] = 600
    cluster, agenda = _cluster(tmp_path, objects, Played(takes=timedelta(hours=1)))
    cluster.start()
    agenda.advance(DAY + timedelta(hours=12))
    assert _what(cluster)[-1] == ("06:10:00", "job failed")


@pytest.mark.parametrize(("down", "fires"), [(timedelta(minutes=30), 1), (timedelta(hours=5), 0)])
def test_what_was_missed_is_fired_within_its_starting_deadline(
    tmp_path: Path, down: timedelta, fires: int
) -> None:
    now = DAY + timedelta(hours=6) + down
    cluster, agenda = _cluster(tmp_path, _objects(), Played(), since=now)
    cluster.fired = dict.fromkeys(cluster.applied.cron_jobs, DAY)
    cluster.start()
    agenda.advance(now)
    assert len([one for one in cluster.chronicle.happened if one.what == "job created"]) == fires


def test_a_suspended_job_does_not_fire(tmp_path: Path) -> None:
    objects = _objects()
    _job(objects)["spec"]["suspend"] = True
    cluster, agenda = _cluster(tmp_path, objects, Played())
    cluster.start()
    agenda.advance(DAY + timedelta(hours=12))
    assert cluster.chronicle.happened == []


def _in(path: str, key: str, value: object) -> Callable[[dict[str, Any]], None]:
    def spoil(job: dict[str, Any]) -> None:
        at: Any = job
        for part in path.split("."):
            at = at[int(part) if part.isdigit() else part]
        at[key] = value

    return spoil


POD = "spec.jobTemplate.spec.template.spec"


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_in("spec", "concurrencyPolicy", "Replace"), "concurrencyPolicy"),
        (_in("spec.jobTemplate.spec", "parallelism", 2), "parallelism"),
        (_in("spec.jobTemplate.spec", "completionMode", "Indexed"), "completionMode"),
        (_in(POD, "restartPolicy", "OnFailure"), "restartPolicy"),
        (_in(POD, "initContainers", []), "initContainers"),
        (_in(f"{POD}.containers.0", "command", ["sh"]), "command"),
        (_in(f"{POD}.containers.0", "envFrom", []), "envFrom"),
        (_in(f"{POD}.volumes.0", "hostPath", {"path": "/"}), "hostPath"),
        (_in(POD, "serviceAccountName", "nobody"), "nobody"),
        (_in("spec", "schedule", "61 * * * *"), "61"),
        (_in("spec", "schedule", "0 6 * * *#2"), "cannot be read"),
        (_in("spec", "timeZone", "Europe/Nowhere"), "Nowhere"),
        (_in("metadata", "ownerReferences", []), "ownerReferences"),
    ],
)
def test_what_it_does_not_know_is_refused(
    tmp_path: Path, spoil: Callable[[dict[str, Any]], None], says: str
) -> None:
    objects = _objects()
    spoil(_job(objects))
    with pytest.raises(UsageError) as refused:
        _cluster(tmp_path, objects, Played())[0].start()
    assert says in str(refused.value) + refused.value.seen


def test_an_object_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Deployment"):
        known([*_objects(), {"kind": "Deployment", "metadata": {"name": "x"}}])


@pytest.mark.parametrize(
    "expression", ["0 6 * * *", "45 5 * * 2-6", "30 4 1 * *", "*/20 1-3 * * SUN", "5 * 1 * 1"]
)
@pytest.mark.parametrize("since", [datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 10, 24, tzinfo=UTC)])
def test_two_readings_of_a_schedule_agree(expression: str, since: datetime) -> None:
    """The renderer's reading and the executor's are written apart; the clocks change on the second day."""
    table = crontab(expression, "Europe/London")
    minutes = [since + timedelta(minutes=n) for n in range(1, 3 * 24 * 60)]
    expected = [at for at in minutes if fires_at(expression, "Europe/London", at)]
    found, at = [], table.after(since)
    while at and at <= minutes[-1]:
        found.append(at)
        at = table.after(at)
    assert found == expected
