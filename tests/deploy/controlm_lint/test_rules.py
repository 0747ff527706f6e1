"""Does each rule find its own mistakes, and nothing in a folder without them?"""

from __future__ import annotations

import pytest

from landbridge.deploy.controlm.lint import RULES, lint, parse
from tests.deploy.controlm_lint.clean import TODAY, clean, documents
from tests.deploy.controlm_lint.mistakes import ALSO, MISTAKES, Spoil

ELSEWHERE = {"json-broken", "key-twice", "nothing-to-check", "name-twice"}
"""Rules over text and several files: test_reading.py."""


def _found(folder: object, profiles: object) -> set[str]:
    return {one.rule for one in lint(documents(folder, profiles), TODAY).findings}


def test_nothing_is_found_in_a_clean_folder() -> None:
    assert [str(one) for one in lint(documents(*clean()), TODAY).findings] == []


@pytest.mark.parametrize(
    ("rule", "spoil"), MISTAKES, ids=[f"{number}-{rule}" for number, (rule, _) in enumerate(MISTAKES)]
)
def test_a_mistake_is_found_by_its_rule_and_by_no_other(rule: str, spoil: Spoil) -> None:
    folder, profiles = clean()
    spoil(folder, profiles)
    assert _found(folder, profiles) == {rule} | ALSO.get(rule, set())


def test_every_rule_has_a_planted_mistake() -> None:
    planted = {rule for rule, _ in MISTAKES} | ELSEWHERE
    assert planted == {rule.id for rule in RULES if not rule.declared}


def test_rules_that_compare_are_skipped_without_a_declaration() -> None:
    assert set(lint(documents(*clean()), TODAY).skipped) == {rule.id for rule in RULES if rule.declared}


def test_a_finding_says_its_line_and_its_place() -> None:
    folder, profiles = clean()
    profiles["EIDV_PRD_SFTP"]["Port"] = 22
    (one,) = lint(documents(folder, profiles), TODAY).findings
    line = next(n for n, text in enumerate(_lines(profiles), 1) if '"Port"' in text)
    assert (one.file, one.line, one.path) == ("profiles.json", line, "/EIDV_PRD_SFTP/Port")
    assert one.object == "EIDV_PRD_SFTP"


def _lines(document: object) -> list[str]:
    import json

    return json.dumps(document, indent=2).splitlines()


def test_a_secret_is_never_repeated() -> None:
    secret = "hunter22xyzzy"
    folder, profiles = clean()
    profiles["EIDV_PRD_SHARE"]["Password"] = secret
    folder["EIDV_PRD"]["VERIFICATIONS_LAND"]["Command"] = f"x --password {secret}"
    folder["EIDV_PRD"]["VERIFICATIONS_LAND"]["Variables"] = [{"DB_PASSWORD": secret}]
    found = lint(documents(folder, profiles), TODAY).findings
    assert [one.rule for one in found] == ["secret-literal"] * 3
    assert secret not in repr(found)


@pytest.mark.parametrize(
    "value", ["%%PASSWORD", "", "*****", "${PASSWORD}", "{{ password }}", "<YOUR_PASSWORD>"]
)
def test_what_something_else_fills_in_is_no_secret(value: str) -> None:
    folder, profiles = clean()
    profiles["EIDV_PRD_SHARE"]["Password"] = value
    folder["EIDV_PRD"]["VERIFICATIONS_LAND"]["Variables"] = [{"DB_PASSWORD": value}]
    assert _found(folder, profiles) == set()


def test_commands_that_name_where_a_secret_is_are_none() -> None:
    folder, profiles = clean()
    job = folder["EIDV_PRD"]["VERIFICATIONS_LAND"]
    for command in (
        "curl --token %%TOKEN https://x",
        "psql --password $PGPASSWORD",
        "x --passphrase-file /etc/x",
        "x --password-file /etc/x",
        "PGPASSWORD=$(cat /run/x) psql",
        "sshpass -e sftp x",
        "cat secret-report.csv",
    ):
        job["Command"] = command
        assert _found(folder, profiles) == set(), command


def test_what_defaults_say_counts_for_a_job() -> None:
    folder, profiles = clean()
    job = folder["EIDV_PRD"]["VERIFICATIONS_MOVE"]
    held = {key: job.pop(key) for key in ("Host", "FAILED", "EIDV_PRD_SESSIONS", "RerunFromPointOfFailure")}
    zone = folder["EIDV_PRD"].pop("TimeZone")
    assert {"host-missing", "failure-untold", "pool-missing", "rerun-from-start", "zone-missing"} == _found(
        folder, profiles
    )
    assert _found({"Defaults": {"Job:FileTransfer": held, "TimeZone": zone}, **folder}, profiles) == set()
    assert _found({"Defaults": {"Job": held, "TimeZone": zone}, **folder}, profiles) == set()
    assert "host-missing" in _found({"Defaults": {"Job:Command": held, "TimeZone": zone}, **folder}, profiles)


def test_a_key_of_the_other_kind_is_read_the_other_way_round() -> None:
    folder, profiles = clean()
    job = folder["EIDV_PRD"]["VERIFICATIONS_MOVE"]
    job["FileTransfers"][1].update(TransferOption="DestToSrc", Dest="/outbound/*.csv.gz", Src="/mnt/edbh/in/")
    (one,) = lint(documents(folder, profiles), TODAY).findings
    assert (one.rule, one.path.rsplit("/", 1)[1]) == ("wildcard-bare", "Dest")


@pytest.mark.parametrize(
    "more",
    [
        {"IncrementalTransfer": {"IncrementalTransferEnabled": True}},
        {
            "PostCommandSrc": {"action": "rm", "arg1": "%%FileName"},
            "FailJobOnSourceCommandFailure": True,
        },
    ],
)
def test_a_pattern_that_forgets_nothing_is_fine(more: dict[str, object]) -> None:
    folder, profiles = clean()
    folder["EIDV_PRD"]["VERIFICATIONS_MOVE"]["FileTransfers"][1].update(Src="/outbound/eidv/*.csv.gz", **more)
    assert _found(folder, profiles) == set()


def test_a_bucket_shows_no_half_files() -> None:
    folder, profiles = clean()
    job = folder["EIDV_PRD"]["VERIFICATIONS_MOVE"]
    job["RerunFromPointOfFailure"] = False
    for entry in job["FileTransfers"]:
        entry.pop("AddTempFilePrefix")
    assert "temp-name-missing" in _found(folder, profiles)
    profiles["EIDV_PRD_SHARE"].update(Type="ConnectionProfile:FileTransfer:S3:Amazon")
    assert "temp-name-missing" not in _found(folder, profiles)


def test_the_next_of_a_series_is_no_misspelling() -> None:
    folder, profiles = clean()
    wait = folder["EIDV_PRD"]["VERIFICATIONS_SLA"]["WAIT"]
    folder["EIDV_PRD"]["VERIFICATIONS_LAND"]["ADD"]["Events"].append({"Event": "FILE_1_HERE"})
    wait["Events"].append({"Event": "FILE_2_HERE"})
    assert _found(folder, profiles) == {"event-not-added", "event-not-awaited"}


def test_a_window_over_midnight_is_one() -> None:
    folder, profiles = clean()
    job = folder["EIDV_PRD"]["VERIFICATIONS_MOVE"]
    job["When"].update(FromTime="2200", ToTime="0600")
    job["LATE"]["By"] = "0500"
    job["FileTransfers"][0]["FileWatcherOptions"]["TimeLimitValue"] = "2330"
    assert _found(folder, profiles) == set()
    job["FileTransfers"][0]["FileWatcherOptions"]["TimeLimitValue"] = "2130"
    assert _found(folder, profiles) == {"deadline-before-window"}


def test_both_ends_of_a_dual_profile_are_looked_at() -> None:
    text = """{"BOTH": {"Type": "ConnectionProfile:FileTransfer:DualEndPoint", "VerifyBytes": true,
      "src_endpoint": {"Type": "Endpoint:Src:SFTP", "HostName": "s-0a1b2c3d4e5f60718.server.transfer.eu-west-2.amazonaws.com",
        "User": "x", "Port": "22", "PrivateKeyName": "k_ed25519"},
      "dest_endpoint": {"Type": "Endpoint:Dest:Local", "OsType": "Unix", "User": "x", "Password": "clear"}}}"""
    assert {one.rule for one in lint([parse(text, "x.json")], TODAY).findings} == {
        "host-public",
        "key-ed25519",
        "secret-literal",
    }


@pytest.mark.parametrize(
    "kind",
    [
        "ConnectionProfile:FileTransfer:S3",
        "ConnectionProfile:FileTransfer:GCS",
        "ConnectionProfile:FileTransfer:AS2",
        "ConnectionProfile:FileTransfer:Group",
        "Job:FileWatcher",
        "Job:Database:SQLScript",
        "Endpoint:Src:FTPS",
        "Notify:LateCyclicSubmit",
        "Calendar:Periodic",
    ],
)
def test_a_type_of_the_vendor_is_no_misspelling(kind: str) -> None:
    text = f'{{"A": {{"Type": "Folder", "B": {{"Type": "{kind}"}}}}}}'
    assert "type-misspelt" not in {one.rule for one in lint([parse(text, "x.json")], TODAY).findings}
