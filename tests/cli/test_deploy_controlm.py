"""What does `landbridge deploy controlm plan|apply|status` do, print and end with, in front of a Control-M that is a fake?"""

from __future__ import annotations

import copy
import json
import sys
from io import StringIO

import pytest

from tests.deploy.controlm_stage import FOLDER, PROFILES, Stage


@pytest.fixture
def stage(controlm_stage: Stage) -> Stage:
    controlm_stage.forget_feeds()
    return controlm_stage


TEST = "POST /deploy/connectionprofile/centralized/test"


class _Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def _folder() -> dict[str, dict[str, object]]:
    return copy.deepcopy(FOLDER)


def test_an_empty_control_m_becomes_as_declared_in_two_steps(stage: Stage) -> None:
    shown = stage("plan")
    assert shown.code == 0
    assert "profiles.json  connection profiles: 2 to add" in shown.out
    assert "  + SUMMARY_PULL  Job:FileTransfer" in shown.out
    assert [call for call in stage.em.calls if call in {"POST /build", "POST /deploy"}] == []

    first = stage("apply", "--profiles", "--yes")
    assert first.code == 0, first.err
    assert stage.em.profiles == PROFILES
    assert stage.em.folders == {}
    assert first.err.count("passed") == 4, "every profile on every agent"
    assert "next: landbridge deploy controlm apply --environment PRD" in first.err

    second = stage("apply", "--yes")
    assert second.code == 0, second.err
    assert stage.em.folders == {"EIDV_PRD": FOLDER["EIDV_PRD"]}
    assert set(stage.em.calendars) == {"EIDV_PRD_HOLIDAYS"}
    assert "next: Control-M orders EIDV_PRD from its next new day on" in second.err

    calls = [call for call in stage.em.calls if call.startswith("POST") and "session" not in call]
    steps = ["POST /build", "POST /deploy", *[call for call in calls if call.startswith(TEST)][:4]]
    assert calls == [*steps, *steps], "validated, deployed, tested"
    assert stage("status").code == 0
    assert stage.em.open_sessions == 0


def test_what_is_as_declared_is_not_deployed_again(stage: Stage) -> None:
    stage.settle()
    for words in ((), ("--profiles",)):
        ended = stage("apply", *words)
        assert ended.code == 0, ended.err
        assert "deployed; changed: nothing" in ended.err
    assert "POST /deploy" not in stage.em.calls
    assert stage("apply", "--profiles", "--again", "--yes").code == 0
    assert stage.em.calls.count("POST /deploy") == 1


def test_a_folder_without_its_profiles_is_not_deployed(stage: Stage) -> None:
    ended = stage("apply", "--yes")
    assert ended.code == 64
    assert "apply --profiles --environment PRD" in ended.err
    assert "POST /deploy" not in stage.em.calls


def test_a_profile_that_differs_waits_for_its_own_step(stage: Stage) -> None:
    stage.settle()
    profiles = copy.deepcopy(PROFILES)
    profiles["EIDV_PRD_SFTP"]["PrivateKeyName"] = "eidv_prd_2"
    stage.write(profiles=profiles)
    assert "PrivateKeyName: 'eidv_prd_1' -> 'eidv_prd_2'" in stage("plan").out
    ended = stage("apply", "--yes")
    assert ended.code == 78
    assert "EIDV_PRD_SFTP" in ended.err
    assert stage.em.profiles["EIDV_PRD_SFTP"]["PrivateKeyName"] == "eidv_prd_1"
    assert stage("apply", "--profiles", "--yes").code == 0
    assert stage("status").code == 0


def test_somebody_must_agree(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = stage("apply", "--profiles")
    assert ended.code == 64
    assert "nobody is here" in ended.err
    monkeypatch.setattr(sys, "stdin", _Terminal("n\n"))
    assert stage("apply", "--profiles").code == 64
    assert stage.em.profiles == {}
    monkeypatch.setattr(sys, "stdin", _Terminal("y\n"))
    ended = stage("apply", "--profiles")
    assert ended.code == 0, ended.err
    assert set(stage.em.profiles) == set(PROFILES)


def test_what_changed_while_somebody_thought_is_shown_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.settle()
    folder = _folder()
    folder["EIDV_PRD"]["SUMMARY_LAND"]["RunAs"] = "other"  # type: ignore[index]
    stage.write(folder=folder)

    class Slow(_Terminal):
        def readline(self, *size: int) -> str:  # type: ignore[override]
            # Meanwhile a person works in the Planning domain.
            stage.em.folders["EIDV_PRD"] = {**_folder()["EIDV_PRD"], "Application": "BY-HAND"}
            return super().readline(*size)

    monkeypatch.setattr(sys, "stdin", Slow("y\ny\n"))
    ended = stage("apply")
    assert ended.code == 0, ended.err
    assert "look again" in ended.err
    assert "Application: 'BY-HAND' -> 'EIDV'" in ended.out


def test_only_the_approved_plan_is_applied(stage: Stage) -> None:
    digest = stage("plan").out.split()[-1]
    assert stage("apply", "--profiles", "--plan", digest).code == 0
    stage.em.folders["EIDV_PRD"] = {**FOLDER["EIDV_PRD"], "Application": "BY-HAND"}
    ended = stage("apply", "--plan", digest)
    assert ended.code == 76
    assert stage.em.folders["EIDV_PRD"]["Application"] == "BY-HAND"
    digest = stage("plan").out.split()[-1]
    assert stage("apply", "--plan", digest).code == 0
    assert stage("status").code == 0


def test_jobs_are_deleted_only_where_somebody_types_it(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.settle()
    folder = _folder()
    del folder["EIDV_PRD"]["SUMMARY_LAND"]
    stage.write(folder=folder)
    assert "  - SUMMARY_LAND  Job:Command  is deleted" in stage("plan").out
    ended = stage("apply", "--yes")
    assert ended.code == 64
    assert "--yes-destroy PRD" in ended.err
    monkeypatch.setattr(sys, "stdin", _Terminal("DEV\n"))
    assert stage("apply").code == 64
    assert "SUMMARY_LAND" in stage.em.folders["EIDV_PRD"]
    monkeypatch.setattr(sys, "stdin", _Terminal("PRD\n"))
    assert stage("apply").code == 0
    assert "SUMMARY_LAND" not in stage.em.folders["EIDV_PRD"]


def test_status_tells_what_was_done_by_hand(stage: Stage) -> None:
    stage.settle()
    job = copy.deepcopy(FOLDER["EIDV_PRD"]["SUMMARY_LAND"])
    deployed = stage.em.folders["EIDV_PRD"]
    cases: list[tuple[dict[str, object], str]] = [
        ({"EXTRA": {**job, "Type": "Job:Command"}}, "is not declared"),
        ({"SUMMARY_LAND": {**job, "Command": "rm"}}, "SUMMARY_LAND: Command: 'rm' -> '/opt"),
        ({"SUMMARY_LAND": {**job, "Confirm": True}}, "SUMMARY_LAND: Confirm: - 'true'"),
        ({"SUMMARY_LAND": {**job, "When": {}}}, "When.RuleBasedCalendars.Included[0]: + 'WORKDAYS'"),
        ({"OrderMethod": "Manual"}, "EIDV_PRD: OrderMethod: 'Manual' -> 'Automatic'"),
    ]
    for change, words in cases:
        stage.em.folders["EIDV_PRD"] = {**deployed, **change}
        ended = stage("status", "--no-test")
        assert ended.code == 78
        assert words in ended.out
    del stage.em.folders["EIDV_PRD"]
    ended = stage("status", "--no-test")
    assert ended.code == 69
    assert ended.out.count("is not there") == 3
    assert stage("apply", "--yes").code == 0
    assert stage("status").code == 0


def test_status_tells_of_every_agent(stage: Stage) -> None:
    stage.settle()
    stage.em.broken["EIDV_PRD_SFTP", "mft-2"] = "Authentication failed for edbh-controlm"
    ended = stage("status")
    assert ended.code == 69
    assert "failed  EIDV_PRD_SFTP on mft-2: Authentication failed" in ended.err
    stage.em.broken.clear()
    stage.em.agents["mft-1"] = "Unavailable"
    assert "mft-1  Unavailable" in (ended := stage("status")).out
    assert ended.code == 69
    del stage.em.agents["mft-1"]
    assert "mft-1  unknown" in stage("status").out


def test_status_tells_of_a_calendar_that_ends_in_control_m(stage: Stage) -> None:
    ends = _folder()
    ends["EIDV_PRD_HOLIDAYS"]["When"] = {"Years": [{"Year": "2025", "DEC": ["25", "26"]}]}
    stage.write(folder=ends)
    for words in (("plan",), ("apply", "--profiles", "--yes"), ("apply", "--yes")):
        ended = stage(*words)
        assert ended.code == 0, ended.err
        assert "EIDV_PRD_HOLIDAYS: the calendar ended with 2025-12-26" in ended.err
    ended = stage("status", "--json")
    document = json.loads(ended.out)
    assert (ended.code, document["well"], document["changes"]) == (78, False, False)
    assert document["ending"] == [{"calendar": "EIDV_PRD_HOLIDAYS", "last": "2025-12-26", "over": True}]
    stage.write()  # the declaration was mended; Control-M has the old calendar still
    ended = stage("status")
    assert ended.code == 78
    assert "EIDV_PRD_HOLIDAYS: the calendar ended with 2025-12-26" in ended.err
    assert stage("apply", "--yes").code == 0
    assert json.loads(stage("status", "--json").out)["ending"] == []


def test_a_deployment_whose_agents_do_not_connect_is_told(stage: Stage) -> None:
    stage.em.broken["EIDV_PRD_SFTP", "mft-2"] = "Host key is not trusted"
    ended = stage("apply", "--profiles", "--yes")
    assert ended.code == 69
    assert set(stage.em.profiles) == set(PROFILES), "deployed all the same"
    assert "EIDV_PRD_SFTP on mft-2: Host key is not trusted" in ended.err
    assert "passed  EIDV_PRD_SHARE on mft-2" in ended.err, "the others are tested, too"


def test_json_is_alone_on_standard_output(stage: Stage) -> None:
    document = json.loads(stage("plan", "--json").out)
    assert document["changes"] is True
    assert [part["action"] for part in document["profiles"]] == ["add", "add"]
    stage.settle()
    ended = stage("status", "--json")
    document = json.loads(ended.out)
    assert document["well"] is True
    assert len(document["tests"]) == 4
    assert ended.err == ""
    stage.em.broken["EIDV_PRD_SFTP", "mft-1"] = "x failed"
    ended = stage("apply", "--json")
    assert json.loads(ended.out)["changed"] == []
    assert json.loads(ended.err)["exit"] == 69


def test_the_example_is_rendered_deployed_and_found_as_declared(stage: Stage) -> None:
    stage.rendered = None
    assert stage("plan").code == 0
    for words in (("--profiles",), ()):
        ended = stage("apply", "--yes", *words)
        assert ended.code == 0, ended.err
    shown = stage("plan")
    assert shown.out.count("as declared") == 2, shown.out
    assert stage("status").code == 0
    assert set(stage.em.profiles) == {"EIDV_PRD_SFTP", "EIDV_PRD_SHARE"}
    record = stage.project / ".landbridge" / "controlm-prd.json"
    assert json.loads(record.read_text()) == {"made_otherwise": {}}, "all that the server adds is known"
    file = stage.project / "landbridge.yaml"
    file.write_text(file.read_text().replace("key: eidv_prd_1", "key: eidv_prd_2"))
    assert "PrivateKeyName: 'eidv_prd_1' -> 'eidv_prd_2'" in stage("plan").out
