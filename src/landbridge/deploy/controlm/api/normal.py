"""What does Control-M add to a definition, or write otherwise, that is no difference?

Seen in definitions that the vendor's own public examples have fetched from a server (`CreatedBy`, `When` of days that are
not limited, the `FTP-` variables, the numeric codes of a transfer, `"*****"`, `IfBase:Folder:CompletionStatus_0`). It is no
complete list, and a server of another release may add more: what it adds to a deployment of ours is remembered (record.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_OWNED = {"CreatedBy", "CreationDate", "LastModified", "ModifiedBy", "VersionSerial"}
"""Keys that Control-M keeps for itself, at any level."""

_DEFAULTS: Mapping[str, tuple[str, ...]] = {
    "SiteStandard": ("", "None"),
    "EndFolder": ("false",),
    "ActiveRetentionPolicy": ("CleanEndedOK",),
    "Description": ("",),
    "Priority": ("Very Low",),
    "DaysKeepActive": ("0", "1"),
    "DaysRelation": ("OR",),
    "Port": ("22",),
    "SSHCompression": ("false",),
    "VerifyDestination": ("false",),
    "VerifyChecksum": ("false",),
    "ABSTIME": ("0",),
    "TIMELIMIT": ("0",),
    "UNIQUE": ("0",),
    "SRCOPT": ("0",),
    "DSTOPT": ("0",),
    "IF_EXIST": ("0",),
    "RECURSIVE": ("0",),
    "EXCLUDE_WILDCARD": ("0",),
    "TRIM": ("1",),
    "NULLFLDS": ("0",),
    "VERNUM": ("0",),
    "CASEIFS": ("0",),
    "VariableType": ("Global",),
    "UnitsOfTimeLimit": ("Minutes",),
    "MaxModificationAgeForFirstRunInHours": ("0",),
    "ModifyCase": ("No",),
}
"""What a key is when nobody says it: it may stand on one side alone."""

_UNLIMITED: Mapping[str, tuple[str, ...]] = {
    "WeekDays": ("NONE",),
    "MonthDays": ("ALL",),
    "SpecificDates": (),
}
"""Lists that say "any day", which Control-M writes where nothing is said."""

_SETS = {
    "WeekDays",
    "MonthDays",
    "Months",
    "SpecificDates",
    "Included",
    "Excluded",
    "WorkloadAutomationUsers",
}
"""Lists whose order means nothing."""

_INHERITED = {"Application", "SubApplication", "RunAs", "Host", "TimeZone", "SiteStandard", "Priority"}
"""Keys of a folder that Control-M writes into each job that has none of its own."""

_OLDER_NAMES = {
    "Resource:Semaphore": "Resource:Pool",
    "Resource:Mutex": "Resource:Lock",
    "If": "If:CompletionStatus",
}
"""Types that older releases still write."""

_NAMELESS = ("If", "Action:", "Event:", "Notify:", "WaitForEvents", "AddEvents", "DeleteEvents")
"""Types of blocks whose name is a label only: Control-M gives them names of its own."""

_OURS_NO_MORE = "FTP-"
"""Variables of a transfer job in which Control-M keeps what the profiles said."""
HIDDEN = "*****"
"""What the API shows of a secret."""


def written(value: object) -> str:
    """Write a single value the way it is compared: 5, "5" and "5 " are one, so are true and "true"."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).strip()


def is_secret(value: object) -> bool:
    """Tell whether a value refers to a secret or hides one; what is behind it cannot be compared."""
    return value == HIDDEN or (
        isinstance(value, Mapping) and set(value) <= {"Secret", "Vault"} and bool(value)
    )


def is_child(value: object) -> bool:
    """Tell whether a value is a job or sub-folder, and not a key of the folder it stands in."""
    kind = value.get("Type") if isinstance(value, Mapping) else None
    return isinstance(kind, str) and kind.startswith(("Job:", "Job", "SubFolder"))


def is_nameless(value: object) -> bool:
    """Tell whether a block's name is a label only."""
    kind = value.get("Type") if isinstance(value, Mapping) else None
    return isinstance(kind, str) and kind.startswith(_NAMELESS)


def kind_of(value: Mapping[str, Any]) -> str:
    """Give the type of a block by the name that newer releases write."""
    kind = str(value.get("Type") or "")
    return _OLDER_NAMES.get(kind, kind)


def same_kind(one: object, other: object) -> bool:
    """Tell whether two blocks are of one type."""
    return isinstance(one, Mapping) and isinstance(other, Mapping) and kind_of(one) == kind_of(other)


def tidy(value: object, key: str = "") -> object:
    """Give a value with the older names of types replaced, variables by name, and sets in order."""
    if isinstance(value, Mapping):
        tidied = {name: tidy(each, name) for name, each in value.items() if name not in _OWNED}
        if "Type" in tidied:
            tidied["Type"] = kind_of(tidied)
        return tidied
    if isinstance(value, str) or not isinstance(value, Sequence):
        return value
    if key == "Variables" and all(isinstance(each, Mapping) for each in value):
        merged = {name: each for one in value for name, each in one.items()}
        return {name: each for name, each in merged.items() if not name.startswith(_OURS_NO_MORE)}
    if key in _SETS:
        return sorted(written(each) for each in value)
    return [tidy(each) for each in value]


def says_nothing(key: str, value: object, folder: Mapping[str, Any]) -> bool:
    """Tell whether a key that stands on one side alone means the same as if it did not stand there.

    `folder` is what the job's folder says on that side; empty for the folder's own keys.
    """
    if isinstance(value, Mapping):
        return not is_secret(value) and all(says_nothing(name, each, {}) for name, each in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        known = _UNLIMITED.get(key)
        return not value or (known is not None and tuple(written(each) for each in value) == known)
    text = written(value)
    if key in _INHERITED and key in folder and written(folder[key]) == text:
        return True
    return text in _DEFAULTS.get(key, ("", "false"))
