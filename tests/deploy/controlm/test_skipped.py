"""Does a feed that may have no file end well when there is none, and loudly when nobody can tell? Executed, as it is rendered."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from landbridge.deploy.controlm.render import render
from landbridge.errors import Unavailable
from landbridge.twin.agenda import Agenda
from landbridge.twin.chronicle import Chronicle
from landbridge.twin.controlm.agents import Agents
from landbridge.twin.controlm.executor import ControlM
from landbridge.twin.controlm.outbox import Outbox
from landbridge.twin.controlm.reading import deployed
from landbridge.twin.controlm.server import Server
from landbridge.twin.workers import Inline
from tests.deploy.controlm.declared import declared
from tests.fakes.mft_source import PlayedSource
from tests.fakes.programs import Played

if TYPE_CHECKING:
    from pathlib import Path

    from landbridge.twin.controlm.sftp import Seen
    from landbridge.twin.programs import Command

LONDON = ZoneInfo("Europe/London")
FRIDAY = date(2026, 11, 20)
MANIFEST = "/outbound/_manifests/2026-11-19/report.2026-11-19.0001.json"


class Away(PlayedSource):
    """A server that does not answer before a time of the day."""

    back: time = time.max

    def listing(self, folder: str) -> list[Seen]:
        if self.now().time() < self.back:
            raise Unavailable("no answer")
        return super().listing(folder)


class Stage:
    """One Friday of a feed that is due at six and may be skipped until half past seven."""

    def __init__(self, where: Path, source: PlayedSource, code: int, style: str = "native") -> None:
        made = render(
            declared(
                {"business_date": "previous_day", "deadline": "90m"},
                empty="skip",
                controlm={"style": style},
            ),
            "PRD",
        )
        sftp = made.profiles["ACME_PRD_SFTP"]
        server = Server(
            "ctm", LONDON, time(0), {"LON": LONDON, "GMT": ZoneInfo("Etc/GMT")}, {"ACME_PRD_SESSIONS": 5}
        )
        self.agenda = Agenda(server.day_begins(FRIDAY), Inline())
        source.now = lambda: self.agenda.now
        self.code, self.looked = code, 0
        self.program = Played(self.ends)
        (where / "share" / ".landbridge" / "prd" / "holding" / "report").mkdir(parents=True)
        agents = Agents(
            names=frozenset({"mft-agents"}),
            accounts=frozenset({"landbridge"}),
            program=self.program,
            installed="/opt/landbridge/bin/landbridge",
            project=("/etc/landbridge/acme", where),
            mounts={"/mnt/acme": where / "share"},
            endpoints={(sftp["HostName"], int(sftp["Port"]), sftp["User"], sftp["PrivateKeyName"]): source},
            environment={},
            folder=where / "agents",
        )
        self.outbox = Outbox()
        self.controlm = ControlM(
            server,
            deployed(made.profiles, made.folders, "ctm"),
            agents,
            self.agenda,
            Chronicle(),
            self.outbox,
        )
        self.controlm.start()

    def ends(self, command: Command) -> int:
        if "--until-deadline" not in command.arguments:
            return 0
        self.looked += 1
        return self.code

    def through(self) -> dict[str, list[str]]:
        """Let the day pass, and give how each job ended."""
        self.agenda.advance(datetime.combine(FRIDAY, time(20), LONDON).astimezone(UTC))
        ended: dict[str, list[str]] = {}
        for one in self.controlm.chronicle.happened:
            if one.what in {"ended ok", "ended not ok"}:
                ended.setdefault(one.who, []).append(one.what)
        return ended

    @property
    def urgent(self) -> set[str]:
        return {one.job for one in self.outbox.told if one.urgency == "Urgent"}


def played() -> PlayedSource:
    return PlayedSource(lambda: datetime.now(UTC))


def test_truly_nothing_is_looked_for_once_and_troubles_nobody(tmp_path: Path) -> None:
    stage = Stage(tmp_path, played(), code=0)
    ended = stage.through()
    assert ended == {"REPORT_WATCH": ["ended ok"], "REPORT_LOOK": ["ended ok"]}
    assert (stage.looked, stage.urgent) == (1, set())


def test_a_server_that_stays_away_ends_loudly(tmp_path: Path) -> None:
    stage = Stage(tmp_path, Away(lambda: datetime.now(UTC)), code=69)
    ended = stage.through()
    assert ended["REPORT_WATCH"] == ["ended ok"]
    assert set(ended["REPORT_LOOK"]) == {"ended not ok"}
    assert stage.urgent == {"REPORT_LOOK"}
    assert any(one.job == "REPORT_LOOK" and one.to == "ops@example.org" for one in stage.outbox.told)


def test_a_file_that_is_seen_needs_no_look(tmp_path: Path) -> None:
    source = played()
    at = datetime.combine(FRIDAY, time(6, 30), LONDON).astimezone(UTC)
    source.files[MANIFEST] = (at, b"manifest")
    source.files["/outbound/reports/REPORT_20261119_001.csv"] = (at - timedelta(minutes=1), b"bytes")
    stage = Stage(tmp_path, source, code=69)
    ended = stage.through()
    steps = ("REPORT_WATCH", "REPORT_MOVE", "REPORT_LAND")
    assert {step: ended.get(step) for step in steps} == {step: ["ended ok"] for step in steps}
    assert "REPORT_LOOK" not in ended
    assert stage.looked == 0


def test_in_the_style_agent_nothing_is_told_softly_and_not_looked_for_again(tmp_path: Path) -> None:
    stage = Stage(tmp_path, played(), code=75, style="agent")
    assert stage.through()["REPORT_COLLECT"] == ["ended ok"]
    assert [(one.job, one.urgency) for one in stage.outbox.told] == [("REPORT_COLLECT", "Regular")]
    assert stage.looked == 1


def test_in_the_style_agent_a_server_that_stays_away_ends_loudly(tmp_path: Path) -> None:
    stage = Stage(tmp_path, played(), code=69, style="agent")
    assert set(stage.through()["REPORT_COLLECT"]) == {"ended not ok"}
    assert stage.urgent == {"REPORT_COLLECT"}
    assert stage.looked == 6


def test_in_the_style_agent_a_file_that_landed_is_no_news(tmp_path: Path) -> None:
    stage = Stage(tmp_path, played(), code=0, style="agent")
    assert stage.through()["REPORT_COLLECT"] == ["ended ok"]
    assert stage.outbox.told == []
