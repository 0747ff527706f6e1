"""The twin's Control-M: days, windows, events, pools, watchers, transfers, reruns, notices, SLA; and what it refuses."""

from __future__ import annotations

import copy
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from landbridge.errors import UsageError
from landbridge.twin.agenda import Agenda
from landbridge.twin.chronicle import Chronicle
from landbridge.twin.controlm.agents import Agents
from landbridge.twin.controlm.executor import ControlM
from landbridge.twin.controlm.outbox import Outbox
from landbridge.twin.controlm.reading import deployed
from landbridge.twin.controlm.server import Server
from landbridge.twin.controlm.variables import own, resolved, system
from landbridge.twin.workers import Inline
from tests.fakes.mft_source import PlayedSource
from tests.fakes.programs import Played

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LONDON = ZoneInfo("Europe/London")
MONDAY = date(2026, 3, 30)
"""The first working day of summer time: midnight is 23:00 UTC of Sunday."""
PROGRAM, PROJECT = "/opt/landbridge/bin/landbridge", "/etc/landbridge/acme"

PROFILES: dict[str, Any] = {
    "ACME_SFTP": {
        "Type": "ConnectionProfile:FileTransfer:SFTP",
        "Centralized": True,
        "HostName": "sftp.example.internal",
        "Port": "22",
        "User": "acme",
        "PrivateKeyName": "acme_1",
        "Passphrase": {"Secret": "acme-pass"},
        "HomeDirectory": "/outbound/",
        "VerifyBytes": True,
        "SSHCompression": False,
    },
    "ACME_SHARE": {
        "Type": "ConnectionProfile:FileTransfer:Local",
        "Centralized": True,
        "OsType": "Unix",
        "User": "svc",
        "Password": {"Secret": "share"},
        "VerifyBytes": True,
    },
}

WHEN = {"RuleBasedCalendars": {"Included": ["USE PARENT"]}}


def command(text: str = f"{PROGRAM} land --project {PROJECT}", **more: object) -> dict[str, Any]:
    job = {"Type": "Job:Command", "Application": "A", "Host": "agents", "RunAs": "svc", "Command": text}
    return {**job, "When": {**WHEN, "FromTime": "0600", "ToTime": "0900"}, **more}


def transfers(*entries: dict[str, Any], **more: object) -> dict[str, Any]:
    return {
        "Type": "Job:FileTransfer",
        "Application": "A",
        "Host": "agents",
        "ConnectionProfileSrc": "ACME_SFTP",
        "ConnectionProfileDest": "ACME_SHARE",
        "NumberOfRetries": "2",
        "RerunFromPointOfFailure": True,
        "FileTransfers": list(entries),
        "When": {**WHEN, "FromTime": "0600", "ToTime": "0900"},
        **more,
    }


def entry(src: str, *, until: str = "", minutes: str = "", **more: object) -> dict[str, Any]:
    made: dict[str, Any] = {
        "Src": src,
        "Dest": "/mnt/share/in/",
        "SRC_PATTERN": "Wildcard",
        "TransferType": "Binary",
        "TransferOption": "SrcToDest",
        "AddTempFilePrefix": ".part_",
        "DeleteFileOnDestIfFails": True,
        "ContinueOnFailure": False,
    }
    if until or minutes:
        made["TransferOption"] = "SrcToDestFileWatcher"
        made["FileWatcherOptions"] = {
            "MinDetectedSizeInBytes": "1",
            "TimeLimitPolicy": "WaitUntil" if until else "MinutesToWait",
            "TimeLimitValue": until or minutes,
        }
    return {**made, **more}


def folder(days: dict[str, Any] | None = None, **jobs: dict[str, Any]) -> dict[str, Any]:
    return {
        "ACME": {
            "Type": "Folder",
            "ControlmServer": "ctm",
            "Application": "A",
            "SubApplication": "B",
            "Description": "d",
            "OrderMethod": "Automatic",
            "TimeZone": "LON",
            "When": {
                "RuleBasedCalendars": {
                    "Included": ["RULE"],
                    "RULE": {
                        "Type": "Calendar:RuleBased",
                        "When": days or {"WeekDays": ["ALL"], "MonthDays": ["NONE"]},
                    },
                }
            },
            **jobs,
        }
    }


class Stage:
    """A server with one agent, and a clock that jumps."""

    def __init__(
        self, where: Path, folders: dict[str, Any], *, new_day: time = time(0), since: date = MONDAY
    ) -> None:
        zones = {
            "LON": LONDON,
            "GMT": ZoneInfo("Etc/GMT"),
            "TYO": ZoneInfo("Asia/Tokyo"),
            "HNL": ZoneInfo("Pacific/Honolulu"),
        }
        server = Server("ctm", LONDON, new_day, zones, {"SESSIONS": 1})
        self.agenda = Agenda(server.day_begins(since), Inline())
        self.program = Played()
        self.source = PlayedSource(lambda: self.agenda.now)
        self.share = where / "share"
        (self.share / "in").mkdir(parents=True)
        agents = Agents(
            names=frozenset({"agents"}),
            accounts=frozenset({"svc"}),
            program=self.program,
            installed=PROGRAM,
            project=(PROJECT, where),
            mounts={"/mnt/share": self.share},
            endpoints={("sftp.example.internal", 22, "acme", "acme_1"): self.source},
            environment={},
            folder=where / "agents",
        )
        self.controlm = ControlM(
            server, deployed(PROFILES, folders, "ctm"), agents, self.agenda, Chronicle(), Outbox()
        )
        self.controlm.start()

    def appears(self, path: str, at: str, body: bytes = b"0123456789") -> None:
        self.source.files[path] = (_at(at), body)

    def until(self, at: str) -> list[str]:
        """Go on, and give what happened: `06:00 JOB started` in local time."""
        self.agenda.advance(_at(at))
        return [
            f"{one.at.astimezone(LONDON):%H:%M} {one.who} {one.what}"
            for one in self.controlm.chronicle.happened
            if one.what not in {"ordered", "event added"}
        ]

    @property
    def ordered(self) -> list[tuple[str, str]]:
        return [
            (one.who, one.order_date) for one in self.controlm.chronicle.happened if one.what == "ordered"
        ]


def _at(text: str) -> datetime:
    """Read `0600`, of Monday, or a local date and time."""
    local = (
        datetime.combine(MONDAY, time(int(text[:2]), int(text[2:])))
        if len(text) == 4
        else datetime.fromisoformat(text)
    )
    return local.replace(tzinfo=LONDON).astimezone(UTC)


def test_a_job_starts_when_its_window_opens_and_not_after_it_closed(tmp_path: Path) -> None:
    late = {"Type": "WaitForEvents", "Events": [{"Event": "NEVER"}]}
    stage = Stage(tmp_path, folder(J=command(), K=command(W=late)))
    assert stage.until("2359") == ["06:00 J started", "06:00 J ended ok"]
    assert stage.program.asked[0].arguments == ("land", "--project", str(tmp_path), "--twin")
    assert "00:00 K removed" in stage.until("2026-03-31T00:30")


def test_new_day_orders_by_the_calendars(tmp_path: Path) -> None:
    stage = Stage(tmp_path, folder({"WeekDays": ["MON", "WED"], "MonthDays": ["2"]}, J=command()))
    stage.until("2026-04-09T12:00")
    assert [on for _, on in stage.ordered] == ["20260330", "20260401", "20260402", "20260406", "20260408"]


def test_a_regular_calendar_names_the_days(tmp_path: Path) -> None:
    confirmed = {"Calendar": "CAL", "ExceptionPolicy": "DoNotOrder"}
    calendar = {
        "Type": "Calendar:Regular",
        "Server": "ctm",
        "Description": "d",
        "When": {"Years": [{"Year": "2026", "MAR": ["31"], "APR": ["2-3", "7"]}]},
    }
    stage = Stage(
        tmp_path,
        {
            "CAL": calendar,
            **folder(
                {"WeekDays": ["NONE"], "MonthDays": ["ALL"], "ConfirmationCalendars": confirmed}, J=command()
            ),
        },
    )
    stage.until("2026-04-09T12:00")
    assert [on for _, on in stage.ordered] == ["20260331", "20260402", "20260403", "20260407"]


def test_windows_are_in_the_zone_of_the_job_and_follow_its_clock_changes(tmp_path: Path) -> None:
    stage = Stage(tmp_path, folder(L=command(), G=command(TimeZone="GMT")), since=date(2026, 3, 28))
    stage.until("2026-03-30T23:00")
    began = [
        f"{one.at:%d %H:%M} {one.who}" for one in stage.controlm.chronicle.happened if one.what == "started"
    ]
    assert began == ["28 06:00 L", "28 06:00 G", "29 05:00 L", "29 06:00 G", "30 05:00 L", "30 06:00 G"]


def test_the_working_day_begins_at_new_day(tmp_path: Path) -> None:
    early = {**command(), "When": {**WHEN, "FromTime": "0300", "ToTime": "0400"}}
    stage = Stage(tmp_path, folder(J=early), new_day=time(6))
    stage.until("2026-03-31T07:00")
    (began,) = [one for one in stage.controlm.chronicle.happened if one.what == "started"]
    assert (began.at.astimezone(LONDON).day, began.order_date) == (31, "20260330")


@pytest.mark.parametrize(
    ("zone", "new_day", "opens", "began", "order_date"),
    [
        # Tokyo is eight hours before London in summer: its Tuesday has begun there on Monday afternoon.
        ("TYO", time(0), "0600", "2026-03-30T22:00", "20260331"),
        ("TYO", time(6), "0300", "2026-03-30T19:00", "20260330"),
        ("TYO", time(6), "0600", "2026-03-30T22:00", "20260331"),
        ("HNL", time(0), "2300", "2026-03-31T10:00", "20260330"),
        ("HNL", time(6), "0300", "2026-03-31T14:00", "20260330"),
    ],
)
def test_the_working_day_is_that_of_the_jobs_own_zone(
    tmp_path: Path, zone: str, new_day: time, opens: str, began: str, order_date: str
) -> None:
    far = {**command(), "When": {**WHEN, "FromTime": opens}}
    document = folder(J=far)
    document["ACME"]["TimeZone"] = zone
    stage = Stage(tmp_path, document, new_day=new_day)
    stage.until("2026-04-03T12:00")
    starts = {one.order_date: one.at for one in stage.controlm.chronicle.happened if one.what == "started"}
    assert starts[order_date] == _at(began)
    assert {"20260330", "20260331", "20260401"} <= starts.keys()


@pytest.mark.parametrize("zone", ["TYO", "HNL"])
def test_a_job_is_kept_until_the_day_is_over_in_its_own_zone(tmp_path: Path, zone: str) -> None:
    never = {"Type": "WaitForEvents", "Events": [{"Event": "NEVER"}]}
    document = folder(J={**command(W=never), "When": WHEN})
    document["ACME"]["TimeZone"] = zone
    stage = Stage(tmp_path, document)
    stage.until("2026-04-02T12:00")
    removed = {one.order_date: one.at for one in stage.controlm.chronicle.happened if one.what == "removed"}
    over = datetime(2026, 3, 31, tzinfo=ZoneInfo({"TYO": "Asia/Tokyo", "HNL": "Pacific/Honolulu"}[zone]))
    assert removed["20260330"] == over


def test_events_carry_one_job_to_the_next_within_an_order_date(tmp_path: Path) -> None:
    first = command(Add={"Type": "AddEvents", "Events": [{"Event": "DONE"}]})
    second = command(Wait={"Type": "WaitForEvents", "Events": [{"Event": "DONE"}]})
    stage = Stage(tmp_path, folder(B=second, A=first))
    stage.program.takes = timedelta(minutes=2)
    codes = iter((0, 0, 1))
    stage.program.ends = lambda _: next(codes)
    assert stage.until("0700") == [
        "06:00 A started",
        "06:02 A ended ok",
        "06:02 B started",
        "06:04 B ended ok",
    ]
    after = stage.until("2026-03-31T08:00")[4:]  # yesterday's event is not today's
    assert after == ["06:00 A started", "06:02 A ended not ok"]


def test_an_event_that_comes_after_the_window_starts_nothing(tmp_path: Path) -> None:
    first = command(Add={"Type": "AddEvents", "Events": [{"Event": "DONE"}]})
    second = command(Wait={"Type": "WaitForEvents", "Events": [{"Event": "DONE"}]})
    stage = Stage(tmp_path, folder(A=first, B=second))
    stage.program.takes = timedelta(hours=3)
    assert stage.until("2300") == ["06:00 A started", "09:00 A ended ok"]


def test_a_pool_lets_so_many_run_at_once(tmp_path: Path) -> None:
    one = command(SESSIONS={"Type": "Resource:Pool", "Quantity": "1"})
    stage = Stage(tmp_path, folder(A=one, B=copy.deepcopy(one)))
    stage.program.takes = timedelta(minutes=3)
    assert stage.until("0700") == [
        "06:00 A started",
        "06:03 A ended ok",
        "06:03 B started",
        "06:06 B ended ok",
    ]


def test_a_watcher_waits_for_the_file_and_the_file_lands_whole(tmp_path: Path) -> None:
    src = "/outbound/acme/F_%%$ODATE._*.csv"
    stage = Stage(tmp_path, folder(J=transfers(entry(src, until="0800"))))
    stage.appears("/outbound/acme/F_20260329_001.csv", "0000", b"yesterday's")
    stage.appears("/outbound/acme/F_20260330_001.csv", "0717")
    assert stage.until("0716") == ["06:00 J started"]
    assert stage.until("0900")[1:] == ["07:17 J ended ok"]
    assert {path.name: path.read_bytes() for path in (stage.share / "in").iterdir()} == {
        "F_20260330_001.csv": b"0123456789"
    }


@pytest.mark.parametrize(("limit", "ends"), [({"until": "0800"}, "08:00"), ({"minutes": "45"}, "06:45")])
def test_a_watcher_gives_up_at_its_limit(tmp_path: Path, limit: dict[str, str], ends: str) -> None:
    stage = Stage(tmp_path, folder(J=transfers(entry("/outbound/F*", **limit))))
    stage.appears("/outbound/F", "0800" if ends == "06:45" else "0801")
    assert stage.until("0900") == ["06:00 J started", f"{ends} J ended not ok"]
    assert "time limit" in stage.controlm.orders[0].output


def test_a_watcher_takes_the_first_match_and_a_plain_transfer_all(tmp_path: Path) -> None:
    watched, plain = transfers(entry("/outbound/F*", until="0800")), transfers(entry("/outbound/F*"))
    for name, job, landed in (("w", watched, ["F1"]), ("p", plain, ["F1", "F2"])):
        stage = Stage(tmp_path / name, folder(J=job))
        stage.appears("/outbound/F2", "0000")
        stage.appears("/outbound/F1", "0000")
        assert stage.until("0700")[-1] == "06:00 J ended ok"
        assert sorted(path.name for path in (stage.share / "in").iterdir()) == landed


def test_a_file_that_is_too_small_is_not_seen(tmp_path: Path) -> None:
    stage = Stage(tmp_path, folder(J=transfers(entry("/outbound/F*", until="0800"))))
    stage.appears("/outbound/F", "0000", b"")
    assert stage.until("0900")[-1] == "08:00 J ended not ok"


def test_a_transfer_goes_on_where_it_broke(tmp_path: Path) -> None:
    stage = Stage(tmp_path, folder(J=transfers(entry("/outbound/F*"))))
    stage.appears("/outbound/F", "0000")
    stage.source.breaks = [5, 5]
    assert stage.until("0700")[-1] == "06:01 J ended ok"
    assert stage.source.reads == [("/outbound/F", 0), ("/outbound/F", 4), ("/outbound/F", 8)]
    assert (stage.share / "in" / "F").read_bytes() == b"0123456789"


def test_without_restart_a_transfer_begins_anew(tmp_path: Path) -> None:
    stage = Stage(tmp_path, folder(J=transfers(entry("/outbound/F*"), RerunFromPointOfFailure=False)))
    stage.appears("/outbound/F", "0000")
    stage.source.breaks = [5]
    stage.until("0700")
    assert stage.source.reads == [("/outbound/F", 0), ("/outbound/F", 0)]
    assert (stage.share / "in" / "F").read_bytes() == b"0123456789"


def test_retries_end_and_nothing_of_the_file_is_left(tmp_path: Path) -> None:
    stage = Stage(tmp_path, folder(J=transfers(entry("/outbound/F*"))))
    stage.appears("/outbound/F", "0000")
    stage.source.breaks = [4, 0, 0]
    assert stage.until("0700")[-1] == "06:01 J ended not ok"
    assert len(stage.source.reads) == 3
    assert list((stage.share / "in").iterdir()) == []


def test_a_rerun_begins_at_the_entry_that_failed(tmp_path: Path) -> None:
    again = {"Type": "If:CompletionStatus", "CompletionStatus": "NOTOK", "Again": {"Type": "Action:Rerun"}}
    job = transfers(
        entry("/outbound/A*"),
        entry("/outbound/B*"),
        IfFail=again,
        RerunLimit={"Every": "10", "Units": "Minutes", "Times": "3"},
    )
    stage = Stage(tmp_path, folder(J=job))
    stage.appears("/outbound/A", "0000")
    stage.appears("/outbound/B", "0615")
    assert stage.until("0700") == [
        "06:00 J started",
        "06:00 J ended not ok",
        "06:10 J started",
        "06:10 J ended not ok",
        "06:20 J started",
        "06:20 J ended ok",
    ]
    assert [path for path, _ in stage.source.reads] == ["/outbound/A", "/outbound/B"]


def test_reruns_end_with_their_number_or_with_the_window(tmp_path: Path) -> None:
    again = {"Type": "If:CompletionStatus", "CompletionStatus": "75", "Again": {"Type": "Action:Rerun"}}
    limit = {"Every": "80", "Units": "Minutes"}
    few, short = (command(I=again, RerunLimit={**limit, "Times": times}) for times in ("1", "9"))
    stage = Stage(tmp_path, folder(FEW=few, SHORT=short))
    stage.program.ends = lambda _: 75
    said = stage.until("2300")
    assert [one for one in said if "FEW" in one] == [
        "06:00 FEW started",
        "06:00 FEW ended not ok",
        "07:20 FEW started",
        "07:20 FEW ended not ok",
        "07:20 FEW no rerun left",
    ]
    assert "no rerun in its window" in next(one for one in reversed(said) if "SHORT" in one)


def test_a_cyclic_job_runs_whatever_came_of_it(tmp_path: Path) -> None:
    job = command(Rerun={"Every": "60", "Units": "Minutes", "From": "Start"})
    stage = Stage(tmp_path, folder(J=job))
    stage.program.ends = lambda asked: len(stage.program.asked) % 2
    assert [one for one in stage.until("2300") if "started" in one] == [
        "06:00 J started",
        "07:00 J started",
        "08:00 J started",
    ]


@pytest.mark.parametrize(
    ("status", "code", "acts"),
    [
        ("NOTOK", 65, True),
        ("NOTOK", 0, False),
        ("OK", 0, True),
        ("ANY", 3, True),
        ("65", 65, True),
        ("65", 66, False),
        (">=70", 76, True),
        ("!=0", 0, False),
    ],
)
def test_mails_and_alerts_follow_the_status(tmp_path: Path, status: str, code: int, acts: bool) -> None:
    tells = {
        "Type": "If:CompletionStatus",
        "CompletionStatus": status,
        "Mail": {
            "Type": "Action:Mail",
            "To": "ops@example.org",
            "Subject": "%%JOBNAME of %%$ODATE. failed",
            "Message": "look",
            "AttachOutput": True,
        },
        "Tell": {"Type": "Action:Notify", "Message": "m", "Urgency": "Urgent"},
    }
    stage = Stage(tmp_path, folder(J=command(IfFail=tells)))
    stage.program.ends = lambda _: code
    stage.until("0700")
    told = stage.controlm.outbox.told
    assert bool(told) is acts
    if acts:
        assert told[0].to == "ops@example.org"
        assert told[0].text == "J of 20260330 failed\n\nlook"
        assert told[0].attached == f"exit {code}"
        assert (told[1].to, told[1].urgency) == ("", "Urgent")


def test_set_to_ok_lets_the_job_end_well(tmp_path: Path) -> None:
    job = command(
        Skip={"Type": "If:CompletionStatus", "CompletionStatus": "10", "Ok": {"Type": "Action:SetToOK"}},
        Bad={
            "Type": "If:CompletionStatus",
            "CompletionStatus": "NOTOK",
            "E": {"Type": "Event:Add", "Event": "BAD"},
        },
        Add={"Type": "AddEvents", "Events": [{"Event": "GOOD"}]},
    )
    stage = Stage(tmp_path, folder(J=job))
    stage.program.ends = lambda _: 10
    assert "06:00 J ended ok" in stage.until("0700")
    assert [name for name, _ in stage.controlm.events.there] == ["GOOD"]


@pytest.mark.parametrize(("at", "late"), [("0659", []), ("0700", ["07:00 J late", "07:00 J alert"])])
def test_a_job_that_has_not_ended_in_time_is_late(tmp_path: Path, at: str, late: list[str]) -> None:
    notice = {"Type": "Notify:DoesNotEnd", "By": "0700", "Message": "late", "Urgency": "VeryUrgent"}
    stage = Stage(tmp_path, folder(J=transfers(entry("/outbound/F*", until="0800"), Late=notice)))
    stage.appears("/outbound/F", "0630" if not late else "0730")
    assert [one for one in stage.until("0900") if "late" in one or "alert" in one] == late


def test_a_job_that_has_not_started_in_time_is_told(tmp_path: Path) -> None:
    notice = {"Type": "Notify:DoesNotStart", "By": "0630", "Message": "not started", "Urgency": "Urgent"}
    waits = {"Type": "WaitForEvents", "Events": [{"Event": "NEVER"}]}
    stage = Stage(tmp_path, folder(J=command(W=waits, N=notice), K=command(N=copy.deepcopy(notice))))
    stage.until("0900")
    assert [told.job for told in stage.controlm.outbox.told] == ["J"]


@pytest.mark.parametrize(
    ("appears", "expected"),
    [
        ("0630", ["06:30 SLA service complete"]),
        ("0730", ["07:00 SLA service late", "07:00 SLA alert", "07:30 SLA service complete"]),
        ("0930", ["07:00 SLA service late", "07:00 SLA alert"]),
    ],
)
def test_a_service_is_complete_or_late(tmp_path: Path, appears: str, expected: list[str]) -> None:
    pull = transfers(
        entry("/outbound/F*", until="0800"), Add={"Type": "AddEvents", "Events": [{"Event": "OK"}]}
    )
    sla = {
        "Type": "Job:SLAManagement",
        "Application": "A",
        "ServiceName": "acme",
        "ServicePriority": "2",
        "CompleteBy": {"Time": "07:00", "Days": "0"},
        "When": WHEN,
        "W": {"Type": "WaitForEvents", "Events": [{"Event": "OK"}]},
    }
    stage = Stage(tmp_path, folder(J=pull, SLA=sla))
    stage.appears("/outbound/F", appears)
    said = stage.until("1200")
    assert [one for one in said if "service" in one or "alert" in one] == expected


def test_a_job_that_failed_stays_as_long_as_it_is_kept(tmp_path: Path) -> None:
    stage = Stage(tmp_path, folder(J=command(DaysKeepActive="1"), K=command()))
    stage.program.ends = lambda _: 65
    stage.until("2026-03-31T05:00")
    assert {(one.job.name, one.order_date.day) for one in stage.controlm.orders} == {
        ("J", 30),
        ("J", 31),
        ("K", 31),
    }


def test_what_an_earlier_start_saw_to_its_end_does_not_run_again(tmp_path: Path) -> None:
    first = command(Add={"Type": "AddEvents", "Events": [{"Event": "DONE"}]})
    second = command(Wait={"Type": "WaitForEvents", "Events": [{"Event": "DONE"}]})
    stage = Stage(tmp_path, folder(A=first, B=second))
    stage.controlm.orders.clear()
    stage.controlm.start({("A", MONDAY): True})
    assert [one for one in stage.until("0700") if "started" in one] == ["06:00 B started"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("F_%%$ODATE._*.csv", "F_20260330_*.csv"),
        ("F_%%$ODATE..csv", "F_20260330.csv"),
        ("%%DAY.-%%MONTH", "29-03"),
        ("%%BEFORE", "20260329"),
        ("%%JOBNAME.%%ODATE", "J260330"),
    ],
)
def test_variables(text: str, expected: str) -> None:
    declared = [
        ("BEFORE", "%%$CALCDATE %%$ODATE -1"),
        ("DAY", "%%SUBSTR %%BEFORE 7 2"),
        ("MONTH", "%%SUBSTR %%BEFORE 5 2"),
    ]
    assert resolved(text, own(declared, system("J", MONDAY))) == expected


def test_an_unknown_variable_is_refused() -> None:
    with pytest.raises(UsageError, match="NEXTDAY"):
        resolved("%%NEXTDAY", system("J", MONDAY))


def _in_job(key: str, value: object) -> Callable[[dict[str, Any]], None]:
    return lambda document: document["ACME"]["J"].__setitem__(key, value)


def _in_entry(key: str, value: object) -> Callable[[dict[str, Any]], None]:
    return lambda document: document["ACME"]["J"]["FileTransfers"][0].__setitem__(key, value)


def _in_watcher(key: str, value: object) -> Callable[[dict[str, Any]], None]:
    return lambda document: document["ACME"]["J"]["FileTransfers"][0]["FileWatcherOptions"].__setitem__(
        key, value
    )


def _in_folder(key: str, value: object) -> Callable[[dict[str, Any]], None]:
    return lambda document: document["ACME"].__setitem__(key, value)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_in_job("Confirm", True), "Confirm"),
        (_in_job("Priority", "High"), "Priority"),
        (_in_job("NumberOfRetries", 5), "NumberOfRetries"),
        (_in_job("NumberOfRetries", "many"), "many"),
        (_in_job("Host", "elsewhere"), "elsewhere"),
        (_in_job("TimeZone", "PAR"), "PAR"),
        (_in_job("ConnectionProfileSrc", "NONE"), "NONE"),
        (_in_job("ConnectionProfileDest", "ACME_SFTP"), "ACME_SFTP"),
        (_in_job("Dup", {"Type": "Resource:Lock", "LockType": "Shared"}), "Resource:Lock"),
        (_in_job("Pool", {"Type": "Resource:Pool", "Quantity": "1"}), "for ever"),
        (_in_job("If", {"Type": "If:Output", "Code": "x"}), "If:Output"),
        (
            _in_job(
                "If",
                {
                    "Type": "If:CompletionStatus",
                    "CompletionStatus": "NOTOK",
                    "A": {"Type": "Action:Run", "Folder": "F"},
                },
            ),
            "Action:Run",
        ),
        (
            _in_job(
                "If",
                {"Type": "If:CompletionStatus", "CompletionStatus": "NOTOK", "A": {"Type": "Action:Rerun"}},
            ),
            "RerunLimit",
        ),
        (
            _in_job("N", {"Type": "Notify:DoesNotEnd", "By": "0700", "Message": "m", "Urgency": "Soon"}),
            "Soon",
        ),
        (_in_job("E", {"Type": "WaitForEvents", "Events": [{"Event": "E", "Date": "AnyDate"}]}), "Date"),
        (
            _in_job("E", {"Type": "WaitForEvents", "Events": [{"Event": "E"}, "OR", {"Event": "F"}]}),
            "no object",
        ),
        (_in_job("When", {"WeekDays": ["MON"]}), "RuleBasedCalendars"),
        (_in_job("When", {"RuleBasedCalendars": {"Included": ["OTHER"]}}), "OTHER"),
        (_in_job("When", {**WHEN, "FromTime": "6am"}), "6am"),
        (_in_job("Rerun", {"Every": "1", "Units": "Hours", "From": "End"}), "Hours"),
        (_in_job("Type", "Job:Script"), "Job:Script"),
        (_in_entry("PostActionSrc", "Rename"), "PostActionSrc"),
        (_in_entry("TransferOption", "DestToSrc"), "DestToSrc"),
        (_in_entry("TransferOption", "SrcToDest"), "FileWatcherOptions"),
        (_in_entry("TransferType", "Ascii"), "Ascii"),
        (_in_entry("SRC_PATTERN", "Regex"), "Regex"),
        (_in_entry("DeleteFileOnDestIfFails", "yes"), "yes"),
        (_in_watcher("MinFileAge", "2Min"), "MinFileAge"),
        (_in_watcher("TimeLimitPolicy", "Never"), "Never"),
        (_in_folder("ControlmServer", "other"), "other"),
        (_in_folder("OrderMethod", "Manual"), "Manual"),
        (_in_folder("ActiveRetentionPolicy", "KeepAll"), "ActiveRetentionPolicy"),
        (_in_folder("When", {"WeekDays": ["MON"]}), "RuleBasedCalendars"),
        (_in_folder("Type", "SimpleFolder"), "SimpleFolder"),
    ],
)
def test_what_it_does_not_know_is_refused(
    tmp_path: Path, spoil: Callable[[dict[str, Any]], None], says: str
) -> None:
    document = folder(J=transfers(entry("/outbound/F*", until="0800")))
    spoil(document)
    with pytest.raises(UsageError) as refused:
        Stage(tmp_path, document)
    assert says in f"{refused.value} {refused.value.seen} {refused.value.expected}"


@pytest.mark.parametrize(
    ("text", "says"),
    [("/bin/rm -r /", "/bin/rm"), ("%%UNKNOWN", "UNKNOWN"), ("", "no program")],
)
def test_a_command_that_is_not_landbridge_is_refused(tmp_path: Path, text: str, says: str) -> None:
    stage = Stage(tmp_path, folder(J=command(text)))
    with pytest.raises(UsageError, match=says):
        stage.until("0700")


@pytest.mark.parametrize("dest", ["/etc/", "/mnt/share/../", "/mnt/shared/"])
def test_a_path_that_the_agents_have_not_is_no_destination(tmp_path: Path, dest: str) -> None:
    stage = Stage(tmp_path, folder(J=transfers(entry("/outbound/F*", Dest=dest))))
    stage.appears("/outbound/F", "0000")
    assert stage.until("0700")[-1] == "06:00 J ended not ok"
    assert "have no path" in stage.controlm.orders[0].output


def test_a_profile_that_leads_nowhere_is_refused(tmp_path: Path) -> None:
    profiles = copy.deepcopy(PROFILES)
    profiles["ACME_SFTP"]["PrivateKeyName"] = "acme_2"
    stage = Stage(tmp_path, folder(J=command()))
    stage.controlm.deployed = deployed(profiles, folder(J=command()), "ctm")
    with pytest.raises(UsageError, match="leads nowhere"):
        stage.controlm.start()


def test_an_unknown_key_of_a_profile_is_refused() -> None:
    profiles = copy.deepcopy(PROFILES)
    profiles["ACME_SFTP"]["PrivateKeyFile"] = "keys/id"
    with pytest.raises(UsageError, match="PrivateKeyFile"):
        deployed(profiles, {}, "ctm")
