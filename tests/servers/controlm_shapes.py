"""What does an Enterprise Manager refuse, and how does it give back what it has taken?

As far as the vendor's documentation and public examples tell it, and no further: it is not the vendor's validation. What it
adds to a definition (`CreatedBy`, days that are not limited, `FTP-` variables, numeric codes, names of its own for actions,
`"*****"`) is as it stands in the definitions that those examples have fetched from servers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Definition = dict[str, Any]
MOST_TRANSFERS = 5
JOBS = {
    "Job:FileTransfer": {"FileTransfers", "ConnectionProfileSrc", "ConnectionProfileDest"},
    "Job:Command": {"Command", "RunAs"},
    "Job:SLAManagement": {"ServiceName", "ServicePriority"},
}
"""Types of jobs, and what each must have."""
PROFILES = {
    "ConnectionProfile:FileTransfer:SFTP": {"HostName", "User"},
    "ConnectionProfile:FileTransfer:Local": {"User"},
}
BLOCKS = (
    "If",
    "Action:",
    "Notify:",
    "Event:",
    "WaitForEvents",
    "AddEvents",
    "DeleteEvents",
    "Resource:",
    "Calendar:",
    "Flow",
)
INVENTED = {"PrivateKeyFile", "PostActionSrc", "PreActionSrc", "DestPath", "SourceFile"}
"""Keys that circulate and that no release knows; an unknown key is refused."""


def complaints(definitions: Mapping[str, Any], servers: set[str], secrets: set[str]) -> list[tuple[str, str]]:
    """Give every complaint as message and item; none for what is taken."""
    return list(_complaints(definitions, servers, secrets))


def _complaints(
    definitions: Mapping[str, Any], servers: set[str], secrets: set[str]
) -> Iterator[tuple[str, str]]:
    for name, one in definitions.items():
        kind = one.get("Type") if isinstance(one, dict) else None
        if kind is None:
            yield "Missing mandatory property 'Type'", name
        elif kind == "Folder":
            yield from _folder(name, one, servers)
        elif kind == "Calendar:Regular":
            if one.get("Server") not in servers:
                yield f"Control-M/Server '{one.get('Server')}' was not found", name
        elif kind in PROFILES:
            yield from (
                (f"Missing mandatory property '{key}'", name) for key in sorted(PROFILES[kind] - set(one))
            )
            yield from _secrets(one, name, secrets)
        else:
            yield f"Unknown type: {kind}", name
        yield from _numbers(one, name)


def _folder(name: str, folder: Definition, servers: set[str]) -> Iterator[tuple[str, str]]:
    if not folder.get("ControlmServer"):
        yield "Missing mandatory property 'ControlmServer'", name
    elif folder["ControlmServer"] not in servers:
        yield f"Control-M/Server '{folder['ControlmServer']}' was not found", name
    for key, value in folder.items():
        kind = value.get("Type") if isinstance(value, dict) else None
        if not isinstance(kind, str) or kind.startswith(BLOCKS):
            continue
        if kind not in JOBS:
            yield f"Unknown type: {kind}", key
            continue
        yield from ((f"Missing mandatory property '{need}'", key) for need in sorted(JOBS[kind] - set(value)))
        if len(value.get("FileTransfers", ())) > MOST_TRANSFERS:
            yield f"'FileTransfers' may hold up to {MOST_TRANSFERS} transfers", key
        yield from ((f"Unknown property '{bad}'", key) for bad in sorted(INVENTED & set(value)))


def _numbers(value: object, item: str) -> Iterator[tuple[str, str]]:
    """Numbers are strings in this JSON."""
    if isinstance(value, dict):
        for key, each in value.items():
            if isinstance(each, int) and not isinstance(each, bool):
                yield f"Property '{key}' must be a string", item
            yield from _numbers(each, item)
    elif isinstance(value, list):
        for each in value:
            yield from _numbers(each, item)


def _secrets(one: Definition, item: str, known: set[str]) -> Iterator[tuple[str, str]]:
    for value in one.values():
        if isinstance(value, dict) and "Secret" in value and value["Secret"] not in known:
            yield f"Secret '{value['Secret']}' does not exist", item


def given_back(definition: Definition, user: str) -> Definition:
    """Give a definition the way a server answers with it: other order, its own additions, secrets hidden."""
    kind = definition["Type"]
    if kind.startswith("ConnectionProfile:"):
        made = {key: "*****" if _hidden(value) else value for key, value in definition.items()}
        made = {
            key: value
            for key, value in made.items()
            if not (key == "Port" and value == "22") and value is not False
        }
        return _reordered({**made, "Description": made.get("Description", "")})
    if kind != "Folder":
        return _reordered(definition)
    own = {key: value for key, value in definition.items() if not _is_job(value)}
    made = {
        **own,
        "SiteStandard": "",
        "ActiveRetentionPolicy": "CleanEndedOK",
        "CreatedBy": user,
    }
    for name, job in definition.items():
        if _is_job(job):
            made[name] = _job(job, own, user)
    return _reordered(made)


def _job(job: Definition, folder: Definition, user: str) -> Definition:
    made: Definition = {
        "Application": folder.get("Application"),
        "SubApplication": folder.get("SubApplication"),
    }
    made |= {"EndFolder": False, "CreatedBy": user, "Priority": "Very Low"}
    numbers = {"Mail": 0, "If": 0}
    for key, value in job.items():
        if isinstance(value, dict) and str(value.get("Type", "")).startswith("If"):
            made[f"IfBase:Folder:CompletionStatus_{numbers['If']}"] = _actions(value)
            numbers["If"] += 1
        elif value is not False:
            made[key] = value
    if "RuleBasedCalendars" not in job.get("When", {}):
        unlimited = {"WeekDays": ["NONE"], "MonthDays": ["ALL"], "SpecificDates": [], "DaysRelation": "OR"}
        made["When"] = {**unlimited, **job.get("When", {})}
    if job["Type"] == "Job:FileTransfer":
        variables = [{"FTP-LOSTYPE": "Unix"}, {"FTP-CONNTYPE1": "SFTP"}, {"FTP-CM_VER": "9.0.00"}]
        made["Variables"] = [*job.get("Variables", ()), *variables]
        made["FileTransfers"] = [_transfer(each) for each in job["FileTransfers"]]
    return {key: value for key, value in made.items() if value is not None}


def _transfer(transfer: Definition) -> Definition:
    watcher = {
        "VariableType": "Global",
        "UnitsOfTimeLimit": "Minutes",
        **transfer.get("FileWatcherOptions", {}),
    }
    codes = dict.fromkeys(
        ("ABSTIME", "UNIQUE", "SRCOPT", "DSTOPT", "IF_EXIST", "RECURSIVE", "VERNUM", "CASEIFS"), "0"
    )
    return _reordered(
        {
            **codes,
            "TRIM": "1",
            **{key: value for key, value in transfer.items() if value is not False},
            "FileWatcherOptions": watcher,
            "IncrementalTransfer": {"MaxModificationAgeForFirstRunInHours": "0"},
            "DestinationFilename": {"ModifyCase": "No"},
        }
    )


def _actions(block: Definition) -> Definition:
    made: Definition = {}
    for key, value in block.items():
        named = isinstance(value, dict) and "Type" in value
        made[f"{value['Type'].rpartition(':')[2]}_0" if named else key] = value
    return made


def _is_job(value: object) -> bool:
    return isinstance(value, dict) and str(value.get("Type", "")).startswith("Job:")


def _hidden(value: object) -> bool:
    return isinstance(value, dict) and "Secret" in value


def _reordered(made: Definition) -> Definition:
    kind = {"Type": made["Type"]} if "Type" in made else {}
    return {**kind, **{key: made[key] for key in sorted(made, reverse=True)}}
