"""Does a rendering say what was declared, and nothing that was not?"""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import Any

import pytest

from landbridge.deploy.controlm.documents import Folders, Profiles
from landbridge.deploy.controlm.expressions import filled
from landbridge.deploy.controlm.render import render
from landbridge.deploy.controlm.schema import schema
from landbridge.errors import DeclarationWrong
from tests.deploy.controlm.declared import declared
from tests.deploy.controlm.golden import files, rendered


def folder_of(*given: Any, name: str = "ACME_PRD", **more: Any) -> dict[str, Any]:
    folder: dict[str, Any] = render(declared(*given, **more), "PRD").folders[name]
    return folder


def test_kept_files_are_what_is_rendered() -> None:
    stale = [path.name for path, text in files().items() if path.read_text(encoding="utf-8") != text]
    assert not stale, "`.venv/bin/python -m tests.deploy.controlm.golden`, and read the difference"


@pytest.mark.parametrize("variant", ["eidv", "agent", "windows"])
def test_models_take_what_is_rendered(variant: str) -> None:
    made = rendered()[variant]
    Folders.model_validate_json(json.dumps(made.folders))
    Profiles.model_validate_json(json.dumps(made.profiles))


@pytest.mark.parametrize("key", ["PostActionSrc", "IF_EXIST", "SRCOPT"])
def test_models_refuse_a_key_that_is_never_written(key: str) -> None:
    folders = deepcopy(rendered()["agent"].folders)
    folders["ACME_PRD"]["REPORT_COLLECT_1D"][key] = "1"
    with pytest.raises(ValueError, match=key):
        Folders.model_validate(folders)


def test_the_schema_knows_every_key_and_no_other() -> None:
    definitions = schema()["$defs"]
    for name, one in definitions.items():
        more = one["additionalProperties"]
        assert more is False or "propertyName" in more.get("discriminator", {}) or "$ref" in more, name
    keys = {key for one in definitions.values() for key in one.get("properties", {})}
    written = _keys(rendered()["eidv"].folders["EIDV_PRD"]["VERIFICATIONS_MOVE"])
    assert written - keys <= {"NotOK", "Mail", "Alert", "Again", "eventsToWaitFor", "eventsToAdd", *_OWN}


_OWN = {"EIDV_PRD_SESSIONS", "BUSINESS_DATE", "BUSINESS_YEAR", "BUSINESS_MONTH", "BUSINESS_DAY"}


def _keys(given: object) -> set[str]:
    if isinstance(given, dict):
        return set(given) | {key for one in given.values() for key in _keys(one)}
    return {key for one in given for key in _keys(one)} if isinstance(given, list) else set()


def test_the_manifest_is_seen_first_and_moved_last() -> None:
    folder = folder_of()
    seen = folder["REPORT_WATCH"]["FileTransfers"][0]
    assert seen["TransferOption"] == "FileWatcher"
    moved = [one["Src"] for one in folder["REPORT_MOVE"]["FileTransfers"]]
    assert moved == ["/outbound/reports/REPORT_%%BUSINESS_DATE._*.csv", seen["Src"]]
    for one in folder["REPORT_MOVE"]["FileTransfers"]:
        assert (one["AddTempFilePrefix"], one["DeleteFileOnDestIfFails"]) == (".part_", True)
        assert one["Dest"] == "/mnt/acme/.landbridge/prd/holding/report/"


def test_each_job_starts_when_the_one_before_has_ended() -> None:
    folder = folder_of({"deadline": "90m"})
    steps = [folder[f"REPORT_{step}"] for step in ("WATCH", "MOVE", "LAND", "SLA")]
    for before, after in pairwise(steps):
        assert before["eventsToAdd"]["Events"] == after["eventsToWaitFor"]["Events"]


def test_a_deadline_is_a_limit_an_alert_and_a_service() -> None:
    folder = folder_of({"deadline": {"at": "07:30", "days": 1}})
    assert folder["REPORT_WATCH"]["FileTransfers"][0]["FileWatcherOptions"]["TimeLimitValue"] == "1530"
    late = folder["REPORT_LAND"]["Late"]
    assert (late["By"], late["Days"]) == ("0730", "1")
    assert folder["REPORT_SLA"]["CompleteBy"] == {"Time": "07:30", "Days": "1"}


def test_without_a_deadline_nothing_is_late() -> None:
    folder = folder_of()
    assert "REPORT_SLA" not in folder
    assert "REPORT_LOOK" not in folder
    assert "Late" not in folder["REPORT_LAND"]
    assert folder["REPORT_WATCH"]["FileTransfers"][0]["FileWatcherOptions"]["TimeLimitValue"] == "1440"


def test_a_slot_that_may_be_skipped_ends_well_and_starts_nothing() -> None:
    folder = folder_of({"deadline": "90m"}, empty="skip")
    watch = folder["REPORT_WATCH"]
    assert watch["Nothing"]["Fine"] == {"Type": "Action:SetToOK"}
    assert watch["Nothing"]["Told"]["Urgency"] == "Regular"
    assert "eventsToAdd" not in watch, "it would be added after SetToOK, too"
    assert watch["Seen"]["CompletionStatus"] == "OK"
    assert watch["Seen"]["Event"]["Event"] == folder["REPORT_MOVE"]["eventsToWaitFor"]["Events"][0]["Event"]
    assert "REPORT_SLA" not in folder, "it would be late for every skipped slot"
    look = folder["REPORT_LOOK"]
    assert watch["Nothing"]["Event"]["Event"] == look["eventsToWaitFor"]["Events"][0]["Event"]
    assert " collect --feed report --until-deadline " in look["Command"]
    assert look["NotOK"]["Alert"]["Urgency"] == "Urgent"


def test_waiting_holds_no_session_and_transfers_do() -> None:
    folder = folder_of()
    holds = {name for name, job in folder.items() if isinstance(job, dict) and "ACME_PRD_SESSIONS" in job}
    assert holds == {"REPORT_MOVE", "REPORT_LAND", "REST"}


def test_the_land_job_names_its_slot() -> None:
    job = folder_of()["REPORT_LAND"]
    variables = {key: value for one in job["Variables"] for key, value in one.items()}
    assert filled(job["Command"], variables, date(2026, 11, 20)) == (
        "/opt/landbridge/bin/landbridge land --feed report --scheduled 20261120"
        " --environment PRD --project /etc/landbridge/acme"
    )


def test_the_style_agent_moves_nothing_by_managed_file_transfer() -> None:
    made = render(declared({"deadline": "90m"}, controlm={"style": "agent", "share": None}), "PRD")
    assert [one["Type"] for one in made.profiles.values()] == ["ConnectionProfile:FileTransfer:SFTP"]
    jobs = {
        name: one["Type"]
        for name, one in made.folders["ACME_PRD"].items()
        if isinstance(one, dict) and name != "When"
    }
    assert jobs == {
        "REPORT_COLLECT": "Job:Command",
        "REPORT_SLA": "Job:SLAManagement",
        "REST": "Job:Command",
    }
    collect, sla = (made.folders["ACME_PRD"][name] for name in ("REPORT_COLLECT", "REPORT_SLA"))
    assert sla["eventsToWaitFor"]["Events"] == collect["eventsToAdd"]["Events"]
    assert "--scheduled %%SCHEDULED_DATE --until-deadline" in collect["Command"]


def test_of_a_feed_that_may_skip_the_style_agent_tells_softly_that_nothing_came() -> None:
    made = render(declared({"deadline": "90m"}, empty="skip", controlm={"style": "agent"}), "PRD")
    collect = made.folders["ACME_PRD"]["REPORT_COLLECT"]
    assert collect["Nothing"]["CompletionStatus"] == "75"
    assert {one["Type"] for one in collect["Nothing"].values() if isinstance(one, dict)} == {
        "Action:Notify",
        "Action:SetToOK",
    }
    assert "eventsToAdd" not in collect
    assert "REPORT_SLA" not in made.folders["ACME_PRD"]


def test_what_control_m_cannot_say_is_collected_with_a_warning() -> None:
    made = render(declared(name="REPORT_{business_date:%j}_{revision:03d}.csv"), "PRD")
    assert "REPORT_COLLECT" in made.folders["ACME_PRD"]
    assert made.warnings == (
        "report: Control-M has no variable for `%j` of the business date; landbridge collects it, not managed file transfer",
    )


def test_more_than_a_slot_an_hour_is_one_cyclic_job() -> None:
    made = render(declared({"cron": "*/15 * * * *"}), "PRD")
    job = made.folders["ACME_PRD_GMT"]["REPORT_COLLECT"]
    assert job["Rerun"] == {"Every": "5", "Units": "Minutes", "From": "End"}
    assert "96 slots a day" in made.warnings[0]


def test_zones_do_not_share_a_folder() -> None:
    made = render(declared({"cron": "0 */6 * * *"}), "PRD")
    folder = made.folders["ACME_PRD_GMT"]
    zones = {job["TimeZone"] for job in folder.values() if isinstance(job, dict) and "TimeZone" in job}
    assert zones == {folder["TimeZone"]} == {"GMT"}


def test_a_slot_is_two_transfers_and_the_models_refuse_a_sixth() -> None:
    folders = deepcopy(rendered()["eidv"].folders)
    moves = [job for one in folders.values() for name, job in one.items() if "_MOVE" in name]
    assert {len(job["FileTransfers"]) for job in moves} == {2}
    moves[0]["FileTransfers"] *= 3
    with pytest.raises(ValueError, match="at most 5 items"):
        Folders.model_validate(folders)


def test_what_cycles_ends_before_the_next_day_begins() -> None:
    for new_day, ends in (("00:00", "2359"), ("06:00", "0559")):
        made = render(
            declared({"cron": "*/15 * * * *"}, controlm={"style": "agent", "new_day": new_day}), "PRD"
        )
        jobs = [job for one in made.folders.values() for job in one.values() if isinstance(job, dict)]
        cyclic = [job for job in jobs if "Rerun" in job]
        assert [job["When"].get("ToTime") for job in cyclic] == [ends, ends]


def test_extra_of_a_job_of_another_environment_is_warned_of() -> None:
    extra = {"REPORT_MOVE": {"Priority": "High"}}
    of_prd = declared(environments=["PRD"], controlm={"extra": extra})
    other = of_prd.feeds["report"].model_copy(update={"feed": "other", "environments": ()})
    both = replace(
        of_prd,
        feeds={
            **of_prd.feeds,
            "other": other.model_copy(update={"file": other.file.model_copy(update={"folder": "elsewhere"})}),
        },
    )
    (warning,) = render(both, "DEV").warnings
    assert warning == "`controlm.extra` of REPORT_MOVE is not used: the job is of PRD, not of DEV"
    with pytest.raises(DeclarationWrong, match="REPORT_MOEV"):
        render(
            replace(
                both,
                project=declared(
                    environments=["PRD"], controlm={"extra": {"REPORT_MOEV": {"X": "1"}}}
                ).project,
            ),
            "DEV",
        )


def test_extra_is_merged_deep_and_warned_of() -> None:
    extra = {
        "REPORT_MOVE": {"Priority": "High", "NotOK": {"Mail": {"CC": "x@example.org"}}},
        "*": {"BusinessFields": []},
    }
    made = render(declared(controlm={"extra": extra}), "PRD")
    job = made.folders["ACME_PRD"]["REPORT_MOVE"]
    assert (job["Priority"], job["NotOK"]["Mail"]["CC"]) == ("High", "x@example.org")
    assert job["NotOK"]["Mail"]["To"] == "ops@example.org"
    assert [one.split(";")[0] for one in made.warnings] == [
        "`controlm.extra` sets BusinessFields of the folder",
        "`controlm.extra` sets NotOK, Priority of REPORT_MOVE",
    ]


@pytest.mark.parametrize(
    "more",
    [
        {"Password": "hunter2"},
        {"Pre": {"args": [{"apiKey": "abc"}]}},
        {"Passphrase": {"Secret": "x", "Value": "y"}},
        {"Variables": [{"DB_PASSWORD": "hunter2"}]},
        {"Variables": [{"DBPWD": "hunter2"}]},
        {"FileTransfers": [{"PreCommandSrc": {"action": "run", "arg1": "--password=hunter2"}}]},
        {"AdditionalParameters": [{"Name": "password", "Value": "hunter2"}]},
        {"AdditionalParameters": [{"name": "DBPWD", "value": "hunter2"}]},
    ],
)
def test_extra_may_not_carry_a_secret(more: dict[str, Any]) -> None:
    with pytest.raises(DeclarationWrong) as refused:
        render(declared(controlm={"extra": {"REPORT_MOVE": more}}), "PRD")
    (problem,) = refused.value.problems
    assert problem.file == "landbridge.yaml"
    assert "hunter2" not in str(refused.value) + problem.what
    assert "Secret" in problem.expected


def test_extra_may_name_a_secret() -> None:
    more = {"REPORT_MOVE": {"Password": {"Secret": "in-the-vault"}, "Variables": [{"DBPWD": "%%DB_PWD"}]}}
    made = render(declared(controlm={"extra": more}), "PRD")
    assert made.folders["ACME_PRD"]["REPORT_MOVE"]["Password"] == {"Secret": "in-the-vault"}


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"controlm": {"share": None}}, "managed file transfer needs an account for the share"),
        ({"controlm": {"extra": {"REPROT_MOVE": {"Priority": "1"}}}}, "there is no job `REPROT_MOVE`"),
        (
            {
                "project": {
                    "share": {"path": "env:SHARE", "receipt_key": "file:k", "receipt_public_keys": ["file:p"]}
                }
            },
            "the folder on the share is a reference",
        ),
    ],
)
def test_mistakes_name_their_place(given: dict[str, Any], what: str) -> None:
    with pytest.raises(DeclarationWrong) as refused:
        render(declared(**given), "PRD")
    (problem,) = refused.value.problems
    assert what in problem.what
    assert problem.file == "landbridge.yaml"


def test_the_endpoint_can_be_given() -> None:
    made = render(declared(), "PRD", sftp_host="vpce-1.example.internal")
    assert made.profiles["ACME_PRD_SFTP"]["HostName"] == "vpce-1.example.internal"


@pytest.mark.parametrize(
    ("folder", "refused"), [("reports", ["feeds/report.yaml"]), ("elsewhere", [])], ids=["same", "another"]
)
def test_a_wildcard_may_not_be_the_file_of_another_feed(folder: str, refused: list[str]) -> None:
    made = declared()
    other = made.feeds["report"].model_copy(
        update={
            "feed": "short",
            "file": made.feeds["report"].file.model_copy(
                update={"folder": folder, "name": "REPORT_{business_date:%Y%m%d}_S_{revision:03d}.csv"}
            ),
        }
    )
    both = replace(made, feeds={**made.feeds, "short": other})
    problems = []
    try:
        render(both, "PRD")
    except DeclarationWrong as wrong:
        problems = list(wrong.problems)
    assert [one.file for one in problems] == refused
    assert all("of `short`" in one.what for one in problems)


def test_a_wildcard_is_held_against_the_other_feed_on_every_day() -> None:
    """On any one day the dates differ; the other feed's file of the next day is what is looked for."""
    made = declared(name="REPORT_{business_date:%Y%m%d}_{revision:03d}.csv")
    other = made.feeds["report"].model_copy(
        update={
            "feed": "ahead",
            "schedule": made.feeds["report"].schedule.model_copy(update={"business_date": "previous_day"}),
            "file": made.feeds["report"].file.model_copy(
                update={"name": "REPORT_{business_date:%Y%m%d}_A_{revision:03d}.csv"}
            ),
        }
    )
    with pytest.raises(DeclarationWrong) as refused:
        render(replace(made, feeds={**made.feeds, "ahead": other}), "PRD")
    assert any("of `ahead`" in one.what for one in refused.value.problems)


def test_a_deadline_without_a_service_is_warned_of() -> None:
    assert render(declared({"deadline": "90m"}), "PRD").warnings == ()
    (warning,) = render(declared({"deadline": "90m"}, empty="skip"), "PRD").warnings
    assert warning.startswith("report: no SLA job")


def test_a_mail_says_what_to_do_and_names_no_page_that_its_reader_does_not_have() -> None:
    message = folder_of()["REPORT_MOVE"]["NotOK"]["Mail"]["Message"]
    assert "docs/" not in message
    assert "run the job again" in message
