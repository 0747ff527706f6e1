"""Is the JIL well formed, and does it start everything in time? By a reader of our own: no AutoSys was at hand."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time
from itertools import product
from zoneinfo import ZoneInfo

import pytest

from landbridge.deploy.clocks import changes_of
from landbridge.deploy.hosts import autosys
from landbridge.deploy.hosts.jobs import Collecting, Timed
from tests.deploy import hosts

KNOWN = {
    *(
        "insert_job",
        "job_type",
        "description",
        "owner",
        "date_conditions",
        "days_of_week",
        "start_times",
        "start_mins",
        "timezone",
    ),
    *(
        "must_start_times",
        "must_complete_times",
        "box_success",
        "box_failure",
        "box_name",
        "command",
        "machine",
        "term_run_time",
    ),
    *(
        "std_out_file",
        "std_err_file",
        "success_codes",
        "alarm_if_fail",
        "alarm_if_terminated",
        "condition",
        "n_retrys",
    ),
    *("send_notification", "notification_emailaddress"),
}
"""Attributes of JIL that a rendering may use."""
_WEEKDAYS = ("su", "mo", "tu", "we", "th", "fr", "sa")
_CONDITION = re.compile(
    r"(?:[sftn]\([A-Z0-9-]+\)|e\([A-Z0-9-]+\) = \d+)(?: \| (?:[sft]\([A-Z0-9-]+\)|e\([A-Z0-9-]+\) = \d+))*"
)


@dataclass(frozen=True)
class Read:
    """A job as it was read."""

    name: str
    attributes: dict[str, str]

    def starts_at(self, instant: datetime) -> bool:
        """Tell whether AutoSys starts it then: days and times in its own time zone."""
        zone = self.attributes["timezone"]
        local = instant.astimezone(ZoneInfo(zone))
        days = self.attributes["days_of_week"]
        on_day = days == "all" or _WEEKDAYS[local.isoweekday() % 7] in days.split(",")
        if "start_mins" in self.attributes:
            return on_day and str(local.minute) in self.attributes["start_mins"].split(",")
        times = [time.fromisoformat(one) for one in self.attributes["start_times"].strip('"').split(",")]
        return on_day and local.time() in times


def read(text: str) -> dict[str, Read]:
    """Read JIL: comments, then `attribute: value` lines; each job begins with `insert_job`."""
    jobs: dict[str, Read] = {}
    attributes: dict[str, str] = {}
    for line in re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL).splitlines():
        if not line.strip():
            continue
        name, colon, value = line.partition(": ")
        assert colon, line
        assert name in KNOWN, line
        if name == "insert_job":
            assert value not in jobs, f"{value} twice"
            attributes = {}
            jobs[value] = Read(value, attributes)
        assert name not in attributes, f"{name} twice"
        attributes[name] = value
    return jobs


def jil(**host: object) -> dict[str, Read]:
    return read(autosys.files(hosts.on(**host))["acme-prd.jil"])


JIL = jil()


def _of(job: Timed, jobs: dict[str, Read]) -> Read:
    prefix = "BOX" if isinstance(job, Collecting) else "LATE"
    return jobs[f"ACME-PRD-{prefix}-{job.feed.upper()}"]


@pytest.mark.parametrize("job", hosts.timed(), ids=lambda job: job.name)
def test_everything_that_is_due_in_a_year_is_started(job: Timed) -> None:
    found = _of(job, JIL)
    missed = [at for at in hosts.due(job) if not found.starts_at(at)]
    assert missed == []


def test_no_start_lies_in_an_hour_that_its_zone_skips_or_repeats() -> None:
    for one in jil().values():
        zone = one.attributes.get("timezone", "UTC")
        if "start_mins" in one.attributes:
            assert changes_of(zone) == (), one.name
        times = one.attributes.get("start_times", "").strip('"').split(",")
        for change, at in product(changes_of(zone), filter(None, times)):
            day = change.astimezone(ZoneInfo(zone)).date()
            local = datetime.combine(day, time.fromisoformat(at), tzinfo=ZoneInfo(zone))
            assert local.utcoffset() == local.replace(fold=1).utcoffset(), one.name


def test_every_condition_names_jobs_that_are_there() -> None:
    jobs = jil()
    for one in jobs.values():
        for attribute in ("condition", "box_success", "box_failure"):
            text = one.attributes.get(attribute, "")
            assert not text or _CONDITION.fullmatch(text), text
            assert set(re.findall(r"\(([A-Z0-9-]+)\)", text)) <= set(jobs), text
        box = one.attributes.get("box_name")
        assert box is None or jobs[box].attributes["job_type"] == "box"


def test_what_may_pass_starts_the_second_job_and_nothing_else_does() -> None:
    jobs = jil()
    first, second = jobs["ACME-PRD-COLLECT-DAILY"].attributes, jobs["ACME-PRD-AGAIN-DAILY"].attributes
    assert first["success_codes"] == "0,69,73,74,75,130"
    assert re.findall(r"= (\d+)", second["condition"]) == ["69", "73", "74", "75", "130"]
    assert "box_name" not in second  # a box would wait for it for ever
    assert "date_conditions" not in second
    assert "success_codes" not in second
    assert (first["alarm_if_fail"], second["alarm_if_fail"]) == ("1", "1")
    assert "n_retrys" not in first
    assert jobs["ACME-PRD-BOX-DAILY"].attributes["condition"] == "n(ACME-PRD-AGAIN-DAILY)"


def test_the_sweep_is_tried_again_before_it_is_told_and_a_check_at_a_deadline_is_not() -> None:
    jobs = jil()
    first, second = jobs["ACME-PRD-SWEEP"].attributes, jobs["ACME-PRD-AGAIN-SWEEP"].attributes
    assert first["success_codes"] == "0,69,73,74,75,130"
    assert set(re.findall(r"e\((\S+)\)", second["condition"])) == {"ACME-PRD-SWEEP"}
    assert (second["n_retrys"], second["alarm_if_fail"]) == ("2", "1")
    assert second["command"].startswith("sleep 300; exec ")
    assert {"success_codes", "n_retrys"} & set(jobs["ACME-PRD-LATE-DAILY"].attributes) == set()


def test_a_job_that_has_times_is_told_to_mind_them() -> None:
    for one in jil().values():
        timed = {"start_times", "start_mins"} & set(one.attributes)
        assert bool(timed) == (one.attributes.get("date_conditions") == "1"), one.name
        assert len(timed) <= 1
        assert len(one.name) <= autosys.LONGEST_NAME


def test_hosts_account_and_mail_are_the_declared_ones() -> None:
    job = jil(group="edge", account="svc-land", mail=["ops@example.org"])["ACME-PRD-SWEEP"].attributes
    assert (job["machine"], job["owner"], job["notification_emailaddress"]) == (
        "edge",
        "svc-land",
        "ops@example.org",
    )


def test_on_windows_every_word_is_quoted() -> None:
    command = jil(os="windows", account="CORP\\svc")["ACME-PRD-SWEEP"].attributes["command"]
    assert command.startswith('"C:\\Program Files\\Landbridge\\landbridge.exe" "collect"')


def test_what_was_loaded_can_be_deleted() -> None:
    files = autosys.files(hosts.on())
    deleted = re.findall(r"delete_(?:job|box): (\S+)", files["acme-prd-delete.jil"])
    inside = {one.name for one in read(files["acme-prd.jil"]).values() if "box_name" in one.attributes}
    assert set(deleted) | inside == set(read(files["acme-prd.jil"]))
