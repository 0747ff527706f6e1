"""A folder and its profiles in which no rule finds anything: what each rule's mistake is planted into."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import date
from typing import Any

from landbridge.deploy.controlm.lint import Document, parse

TODAY = date(2026, 1, 1)
"""On which the files are looked at."""
JOB = ("EIDV_PRD", "VERIFICATIONS_MOVE")
SLA = ("EIDV_PRD", "VERIFICATIONS_SLA")
LAND = ("EIDV_PRD", "VERIFICATIONS_LAND")

_PROFILES: dict[str, Any] = {
    "EIDV_PRD_SFTP": {
        "Type": "ConnectionProfile:FileTransfer:SFTP",
        "Centralized": True,
        "HostName": "vpce-0a1b2c3d4e5f60718-abcdefgh.server.transfer.eu-west-2.vpce.amazonaws.com",
        "Port": "22",
        "User": "edbh-controlm",
        "PrivateKeyName": "edbh_prd_1",
        "Passphrase": {"Secret": "edbh-prd-key"},
        "HomeDirectory": "/",
        "VerifyBytes": True,
        "SSHCompression": False,
    },
    "EIDV_PRD_SHARE": {
        "Type": "ConnectionProfile:FileTransfer:Local",
        "Centralized": True,
        "OsType": "Unix",
        "User": "landbridge",
        "Password": {"Secret": "edbh-share"},
        "VerifyBytes": True,
    },
}


def _transfer(name: str, option: str) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "Src": f"/outbound/eidv/verifications/{name}",
        "Dest": "/mnt/edbh/.landbridge/holding/",
        "SRC_PATTERN": "Wildcard",
        "TransferType": "Binary",
        "TransferOption": option,
        "AddTempFilePrefix": ".part_",
        "DeleteFileOnDestIfFails": True,
        "ContinueOnFailure": False,
    }
    if "FileWatcher" in option:
        entry["FileWatcherOptions"] = {
            "MinDetectedSizeInBytes": "1",
            "TimeLimitPolicy": "WaitUntil",
            "TimeLimitValue": "0655",
        }
    return entry


_FAILED = {
    "Type": "If:CompletionStatus",
    "CompletionStatus": "NOTOK",
    "TELL": {
        "Type": "Action:Mail",
        "To": "ops@example.org",
        "Subject": "%%JOBNAME failed",
        "Message": "%%JOBNAME of %%ODATE failed",
        "AttachOutput": True,
    },
}
_FOLDER: dict[str, Any] = {
    "EIDV_PRD_DAYS": {
        "Type": "Calendar:Regular",
        "Server": "CTM_PRD",
        "When": {"Years": [{"Year": "2026", "JAN": ["2", "5-9"], "JUL": ["1"]}]},
    },
    "EIDV_PRD": {
        "Type": "Folder",
        "Description": "files of eidv PRD",
        "ControlmServer": "CTM_PRD",
        "Application": "EIDV",
        "SubApplication": "PRD",
        "OrderMethod": "Automatic",
        "TimeZone": "LON",
        "When": {
            "RuleBasedCalendars": {
                "Included": ["VERIFICATIONS"],
                "Relationship": "OR",
                "VERIFICATIONS": {
                    "Type": "Calendar:RuleBased",
                    "When": {"WeekDays": ["MON", "TUE", "WED", "THU", "FRI"]},
                },
            }
        },
        "VERIFICATIONS_MOVE": {
            "Type": "Job:FileTransfer",
            "Description": "verifications: watch, move, manifest last",
            "Host": "MFT_AGENTS",
            "ConnectionProfileSrc": "EIDV_PRD_SFTP",
            "ConnectionProfileDest": "EIDV_PRD_SHARE",
            "NumberOfRetries": "5",
            "RerunFromPointOfFailure": True,
            "FileTransfers": [
                _transfer("eIDV_%%$OYEAR.%%OMONTH.%%ODAY._*.manifest.json", "FileWatcher"),
                _transfer("eIDV_%%$OYEAR.%%OMONTH.%%ODAY._*.csv.gz", "SrcToDest"),
                _transfer("eIDV_%%$OYEAR.%%OMONTH.%%ODAY._*.manifest.json", "SrcToDest"),
            ],
            "When": {
                "FromTime": "0600",
                "ToTime": "0900",
                "RuleBasedCalendars": {"Included": ["VERIFICATIONS"]},
            },
            "RerunLimit": {"Every": "10", "Units": "Minutes", "Times": "6"},
            "FAILED": deepcopy(_FAILED),
            "LATE": {
                "Type": "Notify:DoesNotEnd",
                "By": "0655",
                "Message": "late",
                "Urgency": "VeryUrgent",
            },
            "EIDV_PRD_SESSIONS": {"Type": "Resource:Pool", "Quantity": "1"},
            "ADD": {"Type": "AddEvents", "Events": [{"Event": "VERIFICATIONS_MOVED"}]},
        },
        "VERIFICATIONS_LAND": {
            "Type": "Job:Command",
            "Description": "verify, land, receipt",
            "Host": "MFT_AGENTS",
            "RunAs": "landbridge",
            "Command": "/opt/landbridge/bin/landbridge land --feed verifications --environment PRD",
            "When": {"RuleBasedCalendars": {"Included": ["VERIFICATIONS"]}},
            "FAILED": deepcopy(_FAILED),
            "WAIT": {"Type": "WaitForEvents", "Events": [{"Event": "VERIFICATIONS_MOVED"}]},
            "ADD": {"Type": "AddEvents", "Events": [{"Event": "VERIFICATIONS_LANDED"}]},
        },
        "VERIFICATIONS_SLA": {
            "Type": "Job:SLAManagement",
            "Description": "verifications by seven",
            "ServiceName": "eIDV verifications",
            "ServicePriority": "2",
            "CompleteBy": {"Time": "07:00", "Days": "0"},
            "When": {"RuleBasedCalendars": {"Included": ["VERIFICATIONS"]}},
            "WAIT": {"Type": "WaitForEvents", "Events": [{"Event": "VERIFICATIONS_LANDED"}]},
        },
    },
}


def clean() -> tuple[dict[str, Any], dict[str, Any]]:
    """Give folder and profiles, to be spoilt."""
    return deepcopy(_FOLDER), deepcopy(_PROFILES)


def documents(folder: object, profiles: object) -> list[Document]:
    """Give them as files."""
    return [parse(_text(profiles), "profiles.json"), parse(_text(folder), "folder.json")]


def _text(document: object) -> str:
    return json.dumps(document, indent=2) + "\n"
