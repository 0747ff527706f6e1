"""What do the commands do when Control-M refuses, breaks down, lies or does not answer; and does a second run mend it?"""

from __future__ import annotations

import copy
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.deploy.controlm_stage import FOLDER, PASSWORD, PROFILES, Stage, project
from tests.servers import controlm
from tests.servers.certificates import Certificates, make
from tests.servers.controlm import Fault

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers.controlm import What


@pytest.fixture
def stage(controlm_stage: Stage) -> Stage:
    controlm_stage.forget_feeds()
    return controlm_stage


CALLS = (
    "POST /session/login",
    "GET /deploy/connectionprofiles/centralized",
    "GET /deploy/calendars",
    "GET /deploy/jobs",
    "POST /build",
    "POST /deploy/connectionprofile/centralized/test/FileTransfer/EIDV_PRD_SFTP/ctm/mft-2",
    "POST /session/logout",
)
KINDS: tuple[What, ...] = ("cut", "truncated", "503", "500", "html")


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("what", KINDS)
@pytest.mark.parametrize("call", [*CALLS, "POST /deploy"])
def test_one_fault_at_any_call_is_mended_at_the_latest_by_a_second_run(
    stage: Stage, call: str, what: What, after: bool
) -> None:
    assert stage("apply", "--profiles", "--yes").code == 0
    if call == "POST /deploy":  # the call itself, and not those whose path begins with it
        stage.em.faults = [Fault("POST /deploy", what, after)]
        stage.em.fault = _only(stage.em, "POST /deploy")  # type: ignore[method-assign]
    else:
        stage.em.faults = [Fault(call, what, after)]
    stage.em.asked.clear()
    first = stage("apply", "--yes")
    assert stage.em.faults[0].times == 0, "the fault happened"
    assert first.code in {0, 69}, first.err
    assert stage.em.calls.count("POST /deploy") <= 1, "a deployment is sent once"
    assert "Traceback" not in first.err
    assert stage.em.password not in first.out + first.err
    if first.code:
        assert "next" in first.err
    if what in {"cut", "503"} and call not in {"POST /deploy", "POST /session/login"}:
        assert first.code == 0, "asked again by itself"
    second = stage("apply", "--yes")
    assert second.code == 0, second.err
    assert stage.em.folders == {"EIDV_PRD": FOLDER["EIDV_PRD"]}
    assert stage("status").code == 0


def _only(em: controlm.Em, call: str):  # type: ignore[no-untyped-def]
    def fault(asked: controlm.Asked) -> Fault | None:
        one = em.faults[0]
        if asked.call != call or not one.times:
            return None
        one.times -= 1
        return one

    return fault


def test_a_deployment_whose_answer_is_lost_is_looked_for_and_not_sent_again(stage: Stage) -> None:
    assert stage("apply", "--profiles", "--yes").code == 0
    stage.em.asked.clear()
    stage.em.faults = [Fault("POST /deploy", "cut", after=True)]
    ended = stage("apply", "--yes")
    assert ended.code == 0, ended.err
    assert "looking what is there" in ended.err
    assert stage.em.calls.count("POST /deploy") == 1


def test_a_deployment_that_never_arrived_is_told(stage: Stage) -> None:
    assert stage("apply", "--profiles", "--yes").code == 0
    stage.em.faults = [Fault("POST /deploy", "cut")]
    ended = stage("apply", "--yes")
    assert ended.code == 69
    assert "not done twice" in ended.err
    assert stage.em.folders == {}


def test_no_answer_in_time_is_told_with_the_key_that_sets_it(stage: Stage) -> None:
    stage.em.faults = [Fault("POST /session/login", "slow")]
    ended = stage("plan")
    assert ended.code == 69
    assert "no answer within 2 s (`controlm.api.timeout`)" in ended.err
    assert stage.em.calls == ["POST /session/login"], "a log-in is not tried again: accounts get locked"


def test_asked_to_wait_it_waits_and_then_gives_up(stage: Stage) -> None:
    stage.em.faults = [Fault("GET /deploy/jobs", "429", times=3)]
    assert stage("plan").code == 0
    stage.em.faults = [Fault("GET /deploy/jobs", "429", times=4)]
    ended = stage("plan")
    assert ended.code == 75
    assert "left alone" in ended.err


@pytest.mark.parametrize(
    ("right", "verb", "words"),
    [
        ("read", "plan", "reading the connection profile EIDV_PRD_SFTP was denied"),
        ("folders", "apply", "deploying folder.json was denied"),
    ],
)
def test_a_missing_right_is_named_by_what_was_tried(stage: Stage, right: str, verb: str, words: str) -> None:
    stage.settle()
    folder = copy.deepcopy(FOLDER)
    folder["EIDV_PRD"]["Description"] = "Other"
    stage.write(folder=folder)
    stage.em.rights.remove(right)
    ended = stage(verb, *(["--yes"] if verb == "apply" else []))
    assert ended.code == 77
    assert words in ended.err
    assert stage.em.folders["EIDV_PRD"]["Description"] == "Reports of eidv"
    assert stage.em.open_sessions == 0


def test_who_may_not_ask_for_agents_or_test_is_told_so_and_no_more(stage: Stage) -> None:
    stage.settle()
    stage.em.rights -= {"agents", "test"}
    ended = stage("status")
    assert ended.code == 0
    assert "mft-1  not told" in ended.out
    assert "may not test" in ended.err


def test_credentials_that_are_refused(stage: Stage) -> None:
    stage.em.password = "changed-meanwhile"
    ended = stage("plan")
    assert ended.code == 77
    assert "does not accept the credentials" in ended.err
    # The server repeats the password in its complaint; we do not.
    assert os.environ[PASSWORD] not in ended.out + ended.err
    assert "***" in ended.err
    assert stage.em.calls == ["POST /session/login"]


def test_a_session_that_ended_is_begun_anew(stage: Stage) -> None:
    stage.em.session_calls = 3
    assert stage("apply", "--profiles", "--yes").code == 0
    assert stage("apply", "--yes").code == 0
    assert stage.em.calls.count("POST /session/login") > 4
    assert stage("status").code == 0


def test_a_release_that_is_too_old(stage: Stage) -> None:
    for release in ("9.0.19.200", "9.18.1"):
        stage.em.release = release
        ended = stage("plan")
        assert ended.code == 64
        assert "9.0.20 or later" in ended.err
    for release in ("9.0.20", "9.21.300", "", "10.0.1"):
        stage.em.release = release
        assert stage("plan").code == 0


def test_an_api_token_needs_no_session(
    stage: Stage, certificates: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = f"{{url: '{stage.em.url}/', ca: 'file:authority.pem', token: 'env:EIDV_CTM_TOKEN'}}"
    stage.project = project(tmp_path / "token", stage.em, certificates, api=api)
    ended = stage("plan")
    assert ended.code == 0, ended.err
    assert not any("session" in call for call in stage.em.calls)
    assert stage.em.asked[0].headers["x-api-key"] == stage.em.api_token
    assert stage.em.api_token not in ended.out + ended.err
    monkeypatch.setenv("EIDV_CTM_TOKEN", "expired-token")
    assert stage("plan").code == 77
    monkeypatch.setenv("EIDV_CTM_TOKEN", "two\nlines")
    assert stage("plan").code == 64
    monkeypatch.delenv("EIDV_CTM_TOKEN")
    ended = stage("plan")
    assert ended.code == 64
    assert "EIDV_CTM_TOKEN" in ended.err


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("other authority", "an authority that is not trusted here"),
        ("other name", "its certificate is for another name"),
        ("expired", "its certificate has expired"),
    ],
)
def test_a_server_that_cannot_prove_who_it_is_gets_no_password(
    certificates: Certificates,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    case: str,
    words: str,
) -> None:
    name = "em.example.internal" if case == "other name" else "127.0.0.1"
    shown = make(tmp_path / "shown", name=name, expired=case == "expired")
    trusted = certificates if case == "other authority" else shown
    with controlm.running(shown) as em:
        monkeypatch.setenv(PASSWORD, em.password)
        rendered = tmp_path / "rendered"
        rendered.mkdir()
        stage = Stage(em, project(tmp_path, em, trusted), rendered, capsys)
        stage.write()
        ended = stage("plan")
        assert ended.code == 77
        assert words in ended.err
        assert em.asked == []


def test_what_is_declared_of_the_api_is_looked_at(
    stage: Stage, certificates: Certificates, tmp_path: Path
) -> None:
    login = f"user: deployer, password: 'env:{PASSWORD}'"
    cases = [
        (f"{{url: 'http://127.0.0.1:{stage.em.port}/automation-api', {login}}}", 64, "https://HOST:8443"),
        (f"{{url: '{stage.em.url}', ca: 'no certificate', {login}}}", 64, "holds no certificates"),
        ("{url: 'https://127.0.0.1:1/automation-api', " + login + "}", 69, "cannot be reached"),
        (f"{{url: 'https://127.0.0.1:{stage.em.port}', ca: 'file:authority.pem', {login}}}", 64, "ends in /automation-api"),
    ]  # fmt: skip
    for number, (api, code, words) in enumerate(cases):
        stage.project = project(tmp_path / str(number), stage.em, certificates, api=api)
        ended = stage("plan")
        assert (ended.code, words in ended.err) == (code, True), ended.err


def test_what_control_m_refuses_is_told_with_its_line_and_nothing_is_deployed(stage: Stage) -> None:
    stage.settle()
    cases = [
        (("SUMMARY_LAND", "Type", "Job:Invented"), "Unknown type: Job:Invented (SUMMARY_LAND)"),
        (("SUMMARY_PULL", "NumberOfRetries", 5), "must be a string"),
        (("SUMMARY_PULL", "FileTransfers", [{"Src": "x"}] * 6), "up to 5 transfers"),
        (("SUMMARY_PULL", "PostActionSrc", "x"), "Unknown property 'PostActionSrc'"),
    ]
    for (job, key, value), words in cases:
        folder = copy.deepcopy(FOLDER)
        folder["EIDV_PRD"][job][key] = value
        folder["EIDV_PRD"]["Description"] = "Other"
        stage.write(folder=folder)
        ended = stage("apply", "--yes", "--yes-destroy", "PRD")
        assert ended.code == 78
        assert words in ended.err
        assert "folder.json:" in ended.err
    profiles = copy.deepcopy(PROFILES)
    profiles["EIDV_PRD_SHARE"]["Password"]["Secret"] = "nobody-made-it"
    stage.write(profiles=profiles)
    ended = stage("apply", "--profiles", "--again", "--yes")
    assert ended.code == 78
    assert "Secret 'nobody-made-it' does not exist" in ended.err
    assert "POST /deploy" not in stage.em.calls


def test_documents_of_something_else_are_not_sent(stage: Stage) -> None:
    other = {"EIDV_PRD": {**FOLDER["EIDV_PRD"], "ControlmServer": "other"}}
    dev = {"EIDV_DEV": FOLDER["EIDV_PRD"]}
    local = {"X": {**PROFILES["EIDV_PRD_SFTP"], "Centralized": False}}
    literal = {"X": {**PROFILES["EIDV_PRD_SHARE"], "Password": "hunter2-hunter2"}}
    cases = [
        ({"folder": other}, "another Control-M/Server"),
        ({"folder": dev}, "of another environment"),
        ({"folder": {"EIDV_PRD2": FOLDER["EIDV_PRD"]}}, "of another environment"),
        ({"folder": PROFILES}, "more than folders"),
        ({"profiles": FOLDER}, "more than connection profiles"),
        ({"profiles": local}, "only centralized"),
        ({"profiles": literal}, "X.Password"),
        ({"folder": {"X": 1}}, "holds no definitions"),
    ]
    for documents, words in cases:
        stage.write(**documents)
        ended = stage("plan")
        assert ended.code == 64
        assert words in ended.err
        assert "hunter2" not in ended.err
    assert stage.rendered is not None
    (stage.rendered / "folder.json").write_text("{")
    assert stage("plan").code == 64
    (stage.rendered / "folder.json").unlink()
    assert "is not there" in stage("plan").err
    assert stage.em.asked == []


@pytest.mark.parametrize("nothing_is", ["404", "empty", "400", "500"])
def test_however_it_says_that_there_is_nothing(stage: Stage, nothing_is: str) -> None:
    stage.em.nothing_is = nothing_is  # type: ignore[assignment]
    ended = stage("plan")
    assert ended.code == 0, ended.err
    assert "+ EIDV_PRD  Folder" in ended.out


def test_a_deployment_that_goes_on_behind_the_answer_is_waited_for(stage: Stage) -> None:
    stage.em.polls = 3
    assert stage("apply", "--profiles", "--yes").code == 0
    ended = stage("apply", "--yes")
    assert ended.code == 0, ended.err
    assert "DEPLOYING FOLDERS 0/1" in ended.err
    assert stage("status").code == 0


def test_an_older_release_tests_the_definition(stage: Stage) -> None:
    stage.em.has_centralized_test = False
    stage.settle()
    ended = stage("status")
    assert ended.code == 0
    files = [
        one.files["definitionsFile"] for one in stage.em.asked if one.path == "/deploy/connectionprofile/test"
    ]
    assert [name for name, _ in files] == ["profiles.json"] * 4
    stage.em.has_older_test = False
    ended = stage("status")
    assert ended.code == 0
    assert "unclear" in ended.out


def test_a_failed_test_is_one_whatever_its_status_is(stage: Stage) -> None:
    stage.settle()
    stage.em.broken["EIDV_PRD_SHARE", "mft-1"] = "permission problem"
    for status in (200, 400, 500):
        stage.em.fails_with = status
        ended = stage("status")
        assert ended.code == 69
        assert "permission problem" in ended.err


def test_what_a_release_adds_by_itself_is_learnt_and_a_later_change_is_not(stage: Stage) -> None:
    stage.em.adds = {"NewInThisRelease": "42"}
    stage.em.keeps = {"TimeZone": "GMT"}
    stage.settle()
    ended = stage("plan")
    assert "1 to modify" not in ended.out
    assert "Control-M keeps TimeZone: 'GMT' -> 'LON'" in ended.out
    assert stage("status").code == 0
    stage.em.adds = {"NewInThisRelease": "43"}
    ended = stage("status")
    assert ended.code == 78
    assert "NewInThisRelease: - '43'" in ended.out
    # On a machine that has not deployed nothing is known of it; deploying once more is harmless.
    stage.em.adds = {"NewInThisRelease": "42"}
    (stage.project / ".landbridge" / "controlm-prd.json").unlink()
    assert "NewInThisRelease: - '42'" in stage("plan").out
    assert stage("apply", "--yes").code == 0
    assert stage("status").code == 0
    (stage.project / ".landbridge" / "controlm-prd.json").write_text("[]")
    assert stage("plan").code == 64


def test_without_an_api_or_a_control_m_there_is_nothing_to_ask(stage: Stage) -> None:
    file = stage.project / "landbridge.yaml"
    text = file.read_text()
    line = next(line for line in text.splitlines() if line.startswith("      api: "))
    file.write_text(text.replace(line, ""))
    ended = stage("plan")
    assert ended.code == 64
    assert "controlm.api" in ended.err


@pytest.mark.slow
@pytest.mark.parametrize(
    "call", ["POST /build", "POST /deploy", "POST /deploy/connectionprofile", "GET /deploy/jobs"]
)
def test_interrupted_anywhere_it_logs_out_and_can_be_run_again(stage: Stage, call: str) -> None:
    assert stage("apply", "--profiles", "--yes").code == 0
    stage.em.faults = [Fault(call, "slow")]
    stage.em.asked.clear()
    arguments = ["-p", stage.project, "-e", "PRD", "--rendered", stage.rendered, "--yes"]
    command = [sys.executable, "-m", "landbridge", "deploy", "controlm", "apply", *map(str, arguments)]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        until = time.monotonic() + 60
        while not any(one.startswith(call) for one in stage.em.calls) and time.monotonic() < until:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"left alone" in said
    assert b"status --environment PRD" in said
    assert stage.em.open_sessions == 0
    assert stage("apply", "--yes").code == 0
    assert stage("status").code == 0
