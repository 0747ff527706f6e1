"""What does a test of `landbridge deploy controlm` stand on? A project, its rendered documents, a fake Control-M, a typed command."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import dataclass
from functools import cache
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import stamina
from typer.main import get_command

from landbridge import cli, wiring
from tests.servers import controlm
from tests.servers.certificates import Certificates, make

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from landbridge.project import Declaration

EXAMPLE = Path(__file__).parents[2] / "examples" / "eidv"
PASSWORD = "EIDV_CTM_PASSWORD"
TOKEN = "EIDV_CTM_TOKEN"

PROFILES: dict[str, Any] = {
    "EIDV_PRD_SFTP": {
        "Type": "ConnectionProfile:FileTransfer:SFTP",
        "Centralized": True,
        "HostName": "sftp.eidv.prd.example.internal",
        "Port": "22",
        "User": "edbh-controlm",
        "PrivateKeyName": "eidv_prd_1",
        "HomeDirectory": "/outbound/",
        "VerifyBytes": True,
        "SSHCompression": False,
    },
    "EIDV_PRD_SHARE": {
        "Type": "ConnectionProfile:FileTransfer:Local",
        "Centralized": True,
        "OsType": "Unix",
        "User": "edbh",
        "Password": {"Secret": "share-pass"},
    },
}
FOLDER: dict[str, Any] = {
    "EIDV_PRD_HOLIDAYS": {
        "Type": "Calendar:Regular",
        "Server": "ctm",
        "When": {"Years": [{"Year": "2099", "DEC": ["25", "28"]}]},
    },
    "EIDV_PRD": {
        "Type": "Folder",
        "Description": "Reports of eidv",
        "ControlmServer": "ctm",
        "Application": "EIDV",
        "SubApplication": "PRD",
        "OrderMethod": "Automatic",
        "TimeZone": "LON",
        "When": {
            "RuleBasedCalendars": {
                "Included": ["WORKDAYS"],
                "Relationship": "OR",
                "WORKDAYS": {"Type": "Calendar:RuleBased", "When": {"WeekDays": ["MON", "TUE"]}},
            }
        },
        "SUMMARY_PULL": {
            "Type": "Job:FileTransfer",
            "Description": "Takes the summary",
            "Application": "EIDV",
            "SubApplication": "PRD",
            "Host": "mft",
            "ConnectionProfileSrc": "EIDV_PRD_SFTP",
            "ConnectionProfileDest": "EIDV_PRD_SHARE",
            "NumberOfRetries": "5",
            "RerunFromPointOfFailure": True,
            "FileTransfers": [
                {
                    "Src": "/outbound/summary_%%$ODATE.csv",
                    "Dest": "/share/.landbridge/holding/",
                    "TransferType": "Binary",
                    "TransferOption": "SrcToDestFileWatcher",
                    "AddTempFilePrefix": ".part_",
                    "DeleteFileOnDestIfFails": True,
                    "ContinueOnFailure": False,
                    "FileWatcherOptions": {
                        "MinDetectedSizeInBytes": "1",
                        "TimeLimitPolicy": "WaitUntil",
                        "TimeLimitValue": "0630",
                    },
                }
            ],
            "When": {"FromTime": "0500", "ToTime": "0700", "RuleBasedCalendars": {"Included": ["WORKDAYS"]}},
            "EIDV_PRD_SESSIONS": {"Type": "Resource:Pool", "Quantity": "1"},
            "IfFailed": {
                "Type": "If:CompletionStatus",
                "CompletionStatus": "NOTOK",
                "Tell": {
                    "Type": "Action:Mail",
                    "To": "ops@example.org",
                    "Subject": "%%JOBNAME failed",
                    "Message": "See its log",
                    "AttachOutput": True,
                },
            },
            "Done": {"Type": "AddEvents", "Events": [{"Event": "SUMMARY-PULLED"}]},
        },
        "SUMMARY_LAND": {
            "Type": "Job:Command",
            "Description": "Verifies and lands the summary",
            "Application": "EIDV",
            "SubApplication": "PRD",
            "Host": "mft",
            "RunAs": "edbh",
            "Command": "/opt/landbridge/bin/landbridge land --feed summary --environment PRD",
            "When": {"RuleBasedCalendars": {"Included": ["WORKDAYS"]}},
            "Pulled": {"Type": "WaitForEvents", "Events": [{"Event": "SUMMARY-PULLED"}]},
        },
    },
}


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str


@dataclass
class Stage:
    """A project of PRD in front of a fake Control-M."""

    em: controlm.Em
    project: Path
    rendered: Path | None
    """Folder with the two documents; None: they are rendered from the declaration."""
    capsys: pytest.CaptureFixture[str]

    def write(self, profiles: Any = None, folder: Any = None) -> None:
        """Render: as given, or as above."""
        for name, document in (("profiles.json", profiles or PROFILES), ("folder.json", folder or FOLDER)):
            assert self.rendered is not None
            (self.rendered / name).write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")

    def __call__(self, verb: str, *words: str) -> Ended:
        """Type `landbridge deploy controlm VERB ...`."""
        where = ["-p", str(self.project), "-e", "PRD"]
        where += ["--rendered", str(self.rendered)] if self.rendered else []
        self.capsys.readouterr()
        code = cli._run(["deploy", "controlm", verb, *where, *words])
        printed = self.capsys.readouterr()
        return Ended(int(code), printed.out, printed.err)

    def forget_feeds(self) -> None:
        """Leave one feed: each command reads them all, also when both documents are given."""
        for feed in (self.project / "feeds").glob("*.yaml"):
            if feed.stem != "summary":
                feed.unlink()

    def settle(self) -> None:
        """Deploy both documents."""
        for words in (("--profiles",), ()):
            ended = self("apply", "--yes", *words)
            assert ended.code == 0, ended.err
        self.em.asked.clear()


def project(
    folder: Path, em: controlm.Em, certificates: Certificates, *, timeout: str = "2s", api: str = ""
) -> Path:
    """Make a project whose PRD has its Control-M at the fake."""
    made = folder / "eidv"
    shutil.copytree(EXAMPLE, made)
    shutil.copy(certificates.authority, made / "authority.pem")
    api = (
        api
        or f"{{url: '{em.url}', ca: 'file:authority.pem', user: deployer, password: 'env:{PASSWORD}', timeout: {timeout}}}"
    )
    file = made / "landbridge.yaml"
    text = file.read_text(encoding="utf-8")
    own = f"""  PRD:
    controlm:
      server: ctm
      agents: mft
      members: [mft-1, mft-2]
      key: eidv_prd_1
      share: {{user: edbh, password: share-pass}}
      time_zones: {{Europe/London: LON}}
      api: {api}
"""
    assert "  PRD: {}\n" in text
    file.write_text(text.replace("  PRD: {}\n", own), encoding="utf-8")
    return made


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Make an authority and a certificate for the fake, once."""
    return make(tmp_path_factory.mktemp("certificates"))


_APP = cli._app


@cache
def _commands(asked: str) -> object:
    """Give all commands with those of one group, which a process makes once."""
    return get_command(_APP([asked]))


def _read_once(load: Callable[..., Declaration]) -> Callable[..., Declaration]:
    """Load a declaration again only when one of its files is another: a test types many commands for one project."""
    known: dict[tuple[object, ...], Declaration] = {}

    def declaration(folder: Path, **words: object) -> Declaration:
        files = [path for path in folder.rglob("*") if path.is_file() and ".landbridge" not in path.parts]
        key = (*sorted(words.items()), *sorted((str(path), path.read_bytes()) for path in files))
        if key not in known:
            known[key] = load(folder, **words)
        return known[key]

    return declaration


@pytest.fixture
def controlm_stage(
    certificates: Certificates,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Stage]:
    """Give a stage; repeats and waits take no time on it."""
    with controlm.running(certificates) as em, stamina.set_testing(True, attempts=4, cap=True):
        monkeypatch.setenv(PASSWORD, em.password)
        monkeypatch.setenv(TOKEN, em.api_token)
        monkeypatch.setattr(wiring, "pause", lambda seconds: None)
        monkeypatch.setattr(wiring, "declaration", _read_once(wiring.declaration))
        monkeypatch.setattr(cli, "_app", lambda words: _commands(words[0]))
        monkeypatch.setattr(sys, "stdin", StringIO())
        rendered = tmp_path / "rendered"
        rendered.mkdir()
        stage = Stage(em, project(tmp_path, em, certificates), rendered, capsys)
        stage.write()
        yield stage
