"""One realistic mistake, or more, for each rule: what is done to a clean folder and its profiles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Spoil = Callable[[Any, Any], object]


def folder_of(folder: Any) -> Any:
    """Give the folder that has an SLA job."""
    folders = [one for one in folder.values() if one["Type"] in {"Folder", "SimpleFolder"}]
    return next(one for one in folders if "Job:SLAManagement" in str(one))


def move(folder: Any) -> Any:
    """Give the first job that moves files."""
    return _first(folder, "Job:FileTransfer", lambda job: any(_moves(one) for one in job["FileTransfers"]))


def watch(folder: Any) -> Any:
    """Give the first entry that watches."""
    return _entry(folder, lambda one: "FileWatcher" in one.get("TransferOption", ""))


def data(folder: Any) -> Any:
    """Give the first entry that moves data."""
    return _entry(folder, lambda one: _moves(one) and "manifest" not in one["Src"])


def sla(folder: Any) -> Any:
    """Give the first SLA job."""
    return _first(folder, "Job:SLAManagement", lambda _: True)


def part(job: Any, kind: str) -> Any:
    """Give the first part of a type."""
    return next(one for one in job.values() if isinstance(one, dict) and one.get("Type") == kind)


def sftp(profiles: Any) -> Any:
    """Give the profile of the endpoint."""
    return next(one for one in profiles.values() if one["Type"].endswith(":SFTP"))


def local(profiles: Any) -> Any:
    """Give the profile of the share."""
    return next(one for one in profiles.values() if one["Type"].endswith(":Local"))


def regular(years: Any) -> Any:
    """Give a regular calendar."""
    return {"Type": "Calendar:Regular", "Server": "CTM_PRD", "When": {"Years": years}}


def _moves(entry: Any) -> bool:
    return entry.get("TransferOption", "SrcToDest") not in {"FileWatcher", "DirectoryListing"}


def _first(folder: Any, kind: str, fits: Callable[[Any], bool]) -> Any:
    jobs = [one for one in folder_of(folder).values() if isinstance(one, dict) and one.get("Type") == kind]
    return next(one for one in jobs if fits(one))


def _entry(folder: Any, fits: Callable[[Any], bool]) -> Any:
    jobs = [one for one in folder_of(folder).values() if isinstance(one, dict) and "FileTransfers" in one]
    return next(entry for job in jobs for entry in job["FileTransfers"] if fits(entry))


def _drop(job: Any, kind: str) -> None:
    for name in [
        name for name, one in job.items() if isinstance(one, dict) and str(one.get("Type")).startswith(kind)
    ]:
        del job[name]


def _jobs(folder: Any) -> list[Any]:
    return [
        one
        for one in folder_of(folder).values()
        if isinstance(one, dict) and str(one.get("Type")).startswith("Job:")
    ]


def _alone(folder: Any, _: Any) -> None:
    _drop(sla(folder), "WaitForEvents")
    for job in _jobs(folder):
        if job["Type"] == "Job:Command":
            _drop(job, "AddEvents")


def _swap(folder: Any, _: Any) -> None:
    entries = move(folder)["FileTransfers"]
    first = next(n for n, one in enumerate(entries) if _moves(one))
    entries[first], entries[-1] = entries[-1], entries[first]


def _sixth(folder: Any, _: Any) -> None:
    entries = move(folder)["FileTransfers"]
    at = next(n for n, one in enumerate(entries) if _moves(one) and "manifest" not in one["Src"])
    while len(entries) < 6:
        entries.insert(at, dict(entries[at]))


def _no_sla(folder: Any, _: Any) -> None:
    held, moving = folder_of(folder), move(folder)
    for job in _jobs(folder):
        _drop(job, "Notify:")
    moving["FileTransfers"] = [one for one in moving["FileTransfers"] if _moves(one)]
    _drop(held, "Job:SLAManagement")


def _calendars_gone(folder: Any, _: Any) -> None:
    del folder_of(folder)["When"]
    for job in _jobs(folder):
        job["When"]["RuleBasedCalendars"]["Included"] = ["VERIFICATIONS"]
    move(folder)["When"]["RuleBasedCalendars"]["Included"] = ["USE PARENT"]


def _twin_job(folder: Any, _: Any) -> None:
    """A second job of the same name, in the array form."""
    held = folder_of(folder)
    name = next(name for name, one in held.items() if one is move(folder))
    held["Jobs"] = [
        {**{key: one for key, one in held[name].items() if key != "ADD"}, "Name": name},
    ]


def _cyclic(folder: Any, _: Any) -> None:
    job = move(folder)
    job.pop("RerunLimit", None)
    job["Rerun"] = {"Every": "10", "Units": "Minutes", "From": "End"}
    job["When"]["ToTime"] = ">"
    job["DaysKeepActive"] = "2"


MISTAKES: list[tuple[str, Spoil]] = [
    ("key-invented", lambda _, p: sftp(p).update(PrivateKeyFile="/home/ctm/.ssh/id_rsa")),
    ("key-invented", lambda f, _: data(f).update(PostActionSrc="Rename")),
    ("key-invented", lambda _, p: sftp(p).update(DirectoryListingOptimization="ENABLED")),
    ("key-misspelt", lambda f, _: data(f).update(AddTempFilePrefx=".part_")),
    ("key-misspelt", lambda f, _: watch(f)["FileWatcherOptions"].update(MinFileAges="2Min")),
    ("key-misspelt", lambda f, _: move(f).update(NumberOfRetrys="3")),
    ("key-misspelt", lambda _, p: sftp(p).update(hostname="x")),
    ("key-unknown", lambda f, _: data(f).update(Zebra=True)),
    ("key-unknown", lambda f, _: move(f)["When"].update(Quagga="MON")),
    ("type-misspelt", lambda f, _: part(move(f), "Resource:Pool").update(Type="Resource:Pools")),
    ("type-misspelt", lambda _, p: local(p).update(Type="ConnectionProfile:FileTransfer:Locale")),
    ("value-kind", lambda f, _: move(f).update(NumberOfRetries=5)),
    ("value-kind", lambda _, p: sftp(p).update(Port=22)),
    ("value-kind", lambda f, _: data(f).update(DeleteFileOnDestIfFails="true")),
    ("value-kind", lambda f, _: part(move(f), "Resource:Pool").update(Quantity=1)),
    ("value-unknown", lambda f, _: data(f).update(TransferOption="Binary")),
    ("value-unknown", lambda f, _: data(f).update(TransferType="binary")),
    ("code-unconfirmed", lambda f, _: data(f).update(IF_EXIST="2")),
    ("code-unconfirmed", lambda f, _: data(f).update(DSTOPT="1")),
    ("form-old", lambda f, _: part(move(f), "Resource:Pool").update(Type="Resource:Semaphore")),
    ("form-old", lambda f, _: part(move(f), "If:CompletionStatus").update(Type="If")),
    ("simple-folder-when", lambda f, _: folder_of(f).update(Type="SimpleFolder")),
    ("watcher-no-limit", lambda f, _: watch(f)["FileWatcherOptions"].pop("TimeLimitValue")),
    (
        "watcher-no-limit",
        lambda f, _: watch(f)["FileWatcherOptions"].update(
            TimeLimitPolicy="MinutesToWait", TimeLimitValue="0"
        ),
    ),
    ("watcher-not-watching", lambda f, _: data(f).update(FileWatcherOptions={"MinFileAge": "2Min"})),
    (
        "watcher-first-file-only",
        lambda f, _: data(f).update(
            TransferOption="SrcToDestFileWatcher",
            FileWatcherOptions={
                "MinDetectedSizeInBytes": "1",
                "TimeLimitPolicy": "MinutesToWait",
                "TimeLimitValue": "30",
                "TransferAllMatchingFiles": True,
            },
        ),
    ),
    ("watcher-empty-file", lambda f, _: watch(f)["FileWatcherOptions"].update(MinDetectedSizeInBytes="0")),
    ("transfers-too-many", _sixth),
    ("wildcard-bare", lambda f, _: data(f).update(Src="/outbound/eidv/*.csv.gz")),
    ("many-into-one", lambda f, _: data(f).update(Dest="/mnt/edbh/in/verifications.csv")),
    ("manifest-first", _swap),
    ("temp-name-missing", lambda f, _: data(f).pop("AddTempFilePrefix")),
    ("clean-up-missing", lambda f, _: data(f).update(DeleteFileOnDestIfFails=False)),
    ("continue-on-failure", lambda f, _: data(f).update(ContinueOnFailure=True)),
    ("transfer-ascii", lambda f, _: data(f).update(TransferType="Ascii")),
    ("retries-none", lambda f, _: move(f).update(NumberOfRetries="0")),
    ("rerun-from-start", lambda f, _: move(f).pop("RerunFromPointOfFailure")),
    ("rerun-on-bucket", lambda f, _: move(f).update(S3BucketNameSrc="edbh-eidv-prd-reports")),
    (
        "command-failure-ignored",
        lambda f, _: data(f).update(PostCommandSrc={"action": "rm", "arg1": "/outbound/x"}),
    ),
    ("secret-literal", lambda _, p: local(p).update(Password="correct horse")),
    ("secret-literal", lambda _, p: sftp(p).update(Passphrase="battery staple")),
    ("secret-literal", lambda f, _: move(f).update(Variables=[{"API_TOKEN": "abc123def"}])),
    (
        "secret-literal",
        lambda f, _: data(f).update(
            PostCommandDest={"action": "curl -H 'Authorization: Bearer abcdefgh12345'", "arg1": "x"},
            FailJobOnDestCommandFailure=True,
        ),
    ),
    ("secret-literal", lambda f, _: move(f).update(PreCommand="export PGPASSWORD=hunter22; psql")),
    ("secret-literal", lambda f, _: move(f).update(PostCommand="curl https://bob:hunter22@example.org/")),
    ("secret-literal", lambda f, _: move(f).update(PreCommand="notify --token abcdef123")),
    ("secret-literal", lambda f, _: move(f).update(Variables=[{"Name": "DBPWD", "Value": "hunter22"}])),
    ("secret-literal", lambda f, _: move(f).update(PreCommand="aws configure set k AKIAABCDEFGHIJKLMNOP")),
    ("key-ed25519", lambda _, p: sftp(p).update(PrivateKeyName="edbh_prd_ed25519")),
    ("key-ed25519", lambda _, p: sftp(p).update(Description="ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIexample")),
    (
        "login-by-password",
        lambda _, p: sftp(p).update(
            HostName="vpce-0a1b2c3d.vpce-svc-0a1b.eu-west-2.vpce.amazonaws.com",
            Password={"Secret": "x"},
            PrivateKeyName="",
        ),
    ),
    (
        "host-public",
        lambda _, p: sftp(p).update(HostName="s-0a1b2c3d4e5f60718.server.transfer.eu-west-2.amazonaws.com"),
    ),
    ("variable-period-lost", lambda f, _: data(f).update(Src="/outbound/a_%%$ODATE.csv.gz")),
    ("variable-runs-on", lambda f, _: data(f).update(Src="/outbound/a_%%$ODATE_001.csv")),
    ("variable-short-year", lambda f, _: data(f).update(Src="/outbound/a_%%ODATE..csv")),
    ("profile-of-one-agent", lambda _, p: (local(p).pop("Centralized"), local(p).update(TargetAgent="x"))),
    ("bytes-unverified", lambda _, p: sftp(p).update(VerifyBytes=False)),
    ("bytes-unverified", lambda _, p: sftp(p).pop("VerifyBytes")),
    ("time-form", lambda f, _: move(f)["When"].update(ToTime="09:00")),
    ("time-form", lambda f, _: move(f)["When"].update(FromTime="2460")),
    ("time-form", lambda f, _: sla(f)["CompleteBy"].update(Time="0700")),
    ("zone-missing", lambda f, _: folder_of(f).pop("TimeZone")),
    ("zone-mixed", lambda f, _: sla(f).update(TimeZone="GMT")),
    ("zone-label", lambda f, _: folder_of(f).update(TimeZone="Europe/London")),
    ("window-empty", lambda f, _: move(f)["When"].update(FromTime="0600", ToTime="0600")),
    (
        "deadline-before-window",
        lambda f, _: watch(f)["FileWatcherOptions"].update(TimeLimitValue="0530"),
    ),
    ("rerun-endless", _cyclic),
    ("schedule-never-ordered", lambda f, _: folder_of(f).update(OrderMethod="Manual")),
    (
        "event-misspelt",
        lambda f, _: part(sla(f), "WaitForEvents").update(Events=[{"Event": "verifications-landed"}]),
    ),
    (
        "event-misspelt",
        lambda f, _: part(sla(f), "WaitForEvents").update(Events=[{"Event": "VERIFICATIONS_LANDD"}]),
    ),
    (
        "event-not-added",
        lambda f, _: part(sla(f), "WaitForEvents")["Events"].append({"Event": "HOLIDAY-OVER"}),
    ),
    ("event-not-awaited", lambda f, _: part(move(f), "AddEvents")["Events"].append({"Event": "READY"})),
    (
        "flow-unknown-job",
        lambda f, _: folder_of(f).update(FLOW={"Type": "Flow", "Sequence": ["VERIFICATION_MOVE", "NEVER"]}),
    ),
    ("job-twice", _twin_job),
    ("profile-not-given", lambda f, _: move(f).update(ConnectionProfileSrc="EIDV_DEV_SFTP")),
    ("sla-alone", _alone),
    ("sla-without-target", lambda f, _: sla(f).pop("CompleteBy")),
    ("calendar-of-no-parent", _calendars_gone),
    ("host-missing", lambda f, _: move(f).pop("Host")),
    ("pool-missing", lambda f, _: _drop(move(f), "Resource:")),
    ("late-untold", _no_sla),
    ("failure-untold", lambda f, _: _drop(move(f), "If:")),
    ("dummy", lambda f, _: move(f).update(RunAsDummy=True)),
    ("confirm", lambda f, _: move(f).update(Confirm=True)),
    (
        "calendar-ends",
        lambda f, _: f.update(DAYS=regular([{"Year": "2026", "JAN": ["2"], "JUN": ["1", "29-30"]}])),
    ),
    ("calendar-ends", lambda f, _: f.update(DAYS=regular([{"Year": "2025", "DEC": ["ALL"]}]))),
    (
        "set-to-ok",
        lambda f, _: part(move(f), "If:CompletionStatus").update(FINE={"Type": "Action:SetToOK"}),
    ),
]
"""Mistakes in one folder and its profiles. What needs text, several files or a declaration is tested by itself."""


ALSO: dict[str, set[str]] = {
    "late-untold": {"event-not-awaited"},  # of the SLA job that went with it
}
"""Other findings that are true of the same mistake."""
