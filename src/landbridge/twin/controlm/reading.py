"""What do the deployed documents say? A reading of its own, apart from the models that wrote them.

Each key is taken by the part that executes it, or named here with the reason why it means nothing on the twin; any other
is refused, and so is a value that the twin cannot execute.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal

from landbridge.errors import UsageError
from landbridge.twin.controlm.definitions import (
    AddEvent,
    Alert,
    Days,
    Deployed,
    Folder,
    If,
    Job,
    LocalProfile,
    Mail,
    Mft,
    Notice,
    Os,
    Rerun,
    RerunLimit,
    RunAgain,
    SetToOk,
    SftpProfile,
    Sla,
    Transfer,
    Watch,
    Window,
)
from landbridge.twin.controlm.events import Event
from landbridge.twin.controlm.keys import Keys

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from landbridge.twin.controlm.definitions import Action, Work

_WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_URGENCIES = ("Regular", "Urgent", "VeryUrgent")
_EVERY_DAY = Days(weekdays=frozenset(range(7)))
_OF_PEOPLE = {
    "Description": "for people",
    "SubApplication": "groups jobs in the views",
}

Calendars = dict[str, frozenset[date]]


def deployed(profiles: object, folders: object, server: str) -> Deployed:
    """Read both documents, as they were deployed to `server`.

    Raises:
        UsageError: a key, type or value that the twin does not know; a name that nothing has; another server.
    """
    known = dict(_profiles(Keys("the profiles", profiles)))
    document = Keys("the folders", folders)
    parts = list(document.typed())
    document.done()
    calendars = {name: _calendar(keys, server) for name, kind, keys in parts if kind == "Calendar:Regular"}
    made = []
    for name, kind, keys in parts:
        if kind == "Folder":
            made.append(_folder(name, keys, server, calendars))
        elif kind != "Calendar:Regular":
            raise _unknown(kind, keys.where)
    for folder in made:
        for job in folder.jobs:
            _has_profiles(job, known)
    return Deployed(tuple(made), known)


def _unknown(kind: str, where: str) -> UsageError:
    return UsageError(
        f"the twin cannot execute `Type: {kind}` of {where}",
        expected="only what it knows, so that nothing is passed over in silence",
    )


def _profiles(document: Keys) -> Iterable[tuple[str, SftpProfile | LocalProfile]]:
    for name, kind, keys in list(document.typed()):
        keys.ignored({"Description": "for people"})
        if not keys.flag("Centralized"):
            raise UsageError(f"{keys.where} is not centralized", expected="`Centralized: true`")
        match kind:
            case "ConnectionProfile:FileTransfer:SFTP":
                _secret(keys, "Passphrase")
                profile: SftpProfile | LocalProfile = SftpProfile(
                    name,
                    keys.text("HostName"),
                    keys.number("Port", 22),
                    keys.text("User"),
                    keys.text("PrivateKeyName"),
                    keys.text("HomeDirectory"),
                    keys.flag("VerifyBytes"),
                )
                keys.flag("SSHCompression")  # changes how the bytes travel, not which
            case "ConnectionProfile:FileTransfer:Local":
                _secret(keys, "Password")
                windows = keys.one_of("OsType", ("Unix", "Windows")) == "Windows"
                profile = LocalProfile(name, windows, keys.text("User"), keys.flag("VerifyBytes"))
            case _:
                raise _unknown(kind, keys.where)
        keys.done()
        yield name, profile
    document.done()


def _secret(keys: Keys, key: str) -> None:
    """Take the name of a secret; its value is in a vault that the twin has not."""
    if secret := keys.inner(key):
        secret.text("Secret")
        secret.done()


def _has_profiles(job: Job, known: Mapping[str, SftpProfile | LocalProfile]) -> None:
    if not isinstance(job.work, Mft):
        return
    for name, kind in ((job.work.source_profile, SftpProfile), (job.work.destination_profile, LocalProfile)):
        if not isinstance(known.get(name), kind):
            raise UsageError(
                f"the job {job.name} wants the connection profile {name}, which is not deployed",
                expected=f"one of {', '.join(known) or 'none'}",
            )


def _calendar(keys: Keys, server: str) -> frozenset[date]:
    keys.ignored({"Description": "for people"})
    _of_server(keys, "Server", server)
    found: set[date] = set()
    when = keys.inner("When")
    if when is None:
        raise UsageError(f"{keys.where} has no `When`")
    for number, each in enumerate(when.several("Years")):
        year = Keys(f"{when.where}, year {number + 1}", each)
        of = int(year.text("Year"))
        for month, word in enumerate(_MONTHS, 1):
            days = _month_days(year.texts(word), year.where)
            found |= {day for number in days if (day := _day(of, month, number))}
        year.done()
    when.done()
    keys.done()
    return frozenset(found)


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None  # `ALL` in a month of thirty days


def _of_server(keys: Keys, key: str, server: str) -> None:
    if (named := keys.text(key)) != server:
        raise UsageError(f"{keys.where} is for Control-M/Server {named}, and this one is {server}")


def _folder(name: str, keys: Keys, server: str, calendars: Calendars) -> Folder:
    keys.ignored(_OF_PEOPLE)
    _of_server(keys, "ControlmServer", server)
    keys.one_of("OrderMethod", ("Automatic",))
    application = keys.text("Application")
    zone = keys.optional("TimeZone")
    keep = keys.number("DaysKeepActive", 0)
    when = keys.inner("When")
    rules = _rules(when, calendars) if when else {"every day": _EVERY_DAY}
    jobs = tuple(_job(each, kind, part, rules, zone, keep) for each, kind, part in list(keys.typed()))
    keys.done()
    return Folder(name, application, tuple(rules.values()), jobs)


def _rules(when: Keys, calendars: Calendars) -> dict[str, Days]:
    rules = when.inner("RuleBasedCalendars")
    if rules is None:
        raise UsageError(f"{when.where} has no `RuleBasedCalendars`")
    included = rules.texts("Included")
    found: dict[str, Days] = {}
    for name, kind, keys in list(rules.typed()):
        if kind != "Calendar:RuleBased":
            raise _unknown(kind, keys.where)
        inner = keys.inner("When")
        if inner is None:
            raise UsageError(f"{keys.where} has no `When`")
        found[name] = _days(inner, calendars)
        keys.done()
    rules.done()
    when.done()
    if set(included) != set(found):
        raise UsageError(f"{rules.where}: `Included` and the rules differ", seen=", ".join(included))
    return found


def _days(keys: Keys, calendars: Calendars) -> Days:
    weekdays, month_days = keys.texts("WeekDays"), keys.texts("MonthDays")
    if not weekdays and not month_days:
        raise UsageError(f"{keys.where} says neither `WeekDays` nor `MonthDays`", expected="one, and `NONE`")
    confirmed = keys.inner("ConfirmationCalendars")
    days = Days(
        weekdays=frozenset(range(7))
        if weekdays == ("ALL",)
        else _indexes([each for each in weekdays if each != "NONE"], _WEEKDAYS, keys.where),
        month_days=_month_days([each for each in month_days if each != "NONE"], keys.where),
        months=frozenset(index + 1 for index in _indexes(keys.texts("Months"), _MONTHS, keys.where)),
        confirmed=_confirmed(confirmed, calendars) if confirmed else None,
    )
    keys.done()
    return days


def _confirmed(keys: Keys, calendars: Calendars) -> frozenset[date]:
    name = keys.text("Calendar")
    keys.one_of("ExceptionPolicy", ("DoNotOrder",))
    keys.done()
    if name not in calendars:
        raise UsageError(f"{keys.where} names the calendar {name}, which is not deployed")
    return calendars[name]


def _indexes(words: Iterable[str], known: tuple[str, ...], where: str) -> frozenset[int]:
    try:
        return frozenset(known.index(word) for word in words)
    except ValueError as error:
        raise UsageError(f"{where}: the twin does not know this day or month", seen=str(error)) from error


def _month_days(words: Iterable[str], where: str) -> frozenset[int]:
    found: set[int] = set()
    for word in words:
        first, dash, last = word.partition("-")
        if word == "ALL":
            found.update(range(1, 32))
        elif first.isdigit() and (last.isdigit() or not dash):
            found.update(range(int(first), int(last or first) + 1))
        else:
            raise UsageError(f"{where}: the twin does not know the day of the month `{word}`")
    return frozenset(found)


def _job(name: str, kind: str, keys: Keys, rules: Mapping[str, Days], zone: str | None, keep: int) -> Job:
    keys.ignored({**_OF_PEOPLE, "Application": "groups jobs in the views"})
    host = "" if kind == "Job:SLAManagement" else keys.text("Host")
    when = keys.inner("When")
    if when is None:
        raise UsageError(f"{keys.where} has no `When`")
    days, window = _job_when(when, rules)
    variables = tuple(
        (key, str(value))
        for each in keys.several("Variables")
        for key, value in (each.items() if isinstance(each, dict) else ())
    )
    rerun, limit = keys.inner("Rerun"), keys.inner("RerunLimit")
    parts = _parts(keys)
    job = Job(
        name=name,
        work=_work(kind, keys),
        host=host,
        zone=keys.optional("TimeZone") or zone,
        days=days,
        window=window,
        rerun=_rerun(rerun) if rerun else None,
        limit=_limit(limit) if limit else None,
        variables=variables,
        waits=parts.waits,
        adds=parts.adds,
        pools=parts.pools,
        ifs=tuple(parts.ifs),
        notices=tuple(parts.notices),
        keep_days=keys.number("DaysKeepActive", keep),
    )
    keys.done()
    if any(isinstance(action, RunAgain) for one in job.ifs for action in one.actions) and job.limit is None:
        raise UsageError(
            f"the job {name} has `Action:Rerun` and no `RerunLimit`: it would run again for ever"
        )
    return job


def _job_when(keys: Keys, rules: Mapping[str, Days]) -> tuple[tuple[Days, ...], Window]:
    window = Window(keys.optional("FromTime"), keys.optional("ToTime"))
    named = keys.inner("RuleBasedCalendars")
    if named is None:
        raise UsageError(f"{keys.where} has no `RuleBasedCalendars`")
    included = named.texts("Included")
    named.done()
    keys.done()
    if included == ("USE PARENT",):
        return tuple(rules.values()), window
    if unknown := [each for each in included if each not in rules]:
        raise UsageError(f"{keys.where} names rules that the folder has not", seen=", ".join(unknown))
    return tuple(rules[each] for each in included), window


def _work(kind: str, keys: Keys) -> Work:
    match kind:
        case "Job:FileTransfer":
            return Mft(
                keys.text("ConnectionProfileSrc"),
                keys.text("ConnectionProfileDest"),
                keys.number("NumberOfRetries", 0),
                keys.flag("RerunFromPointOfFailure"),
                tuple(_transfer(Keys(keys.where, each)) for each in keys.several("FileTransfers")),
            )
        case "Job:Command":
            return Os(keys.text("Command"), keys.text("RunAs"))
        case "Job:SLAManagement":
            service = keys.text("ServiceName")
            keys.ignored({"ServicePriority": "orders services in a view"})
            by = keys.inner("CompleteBy")
            if by is None:
                raise UsageError(f"{keys.where} has no `CompleteBy`")
            sla = Sla(service, by.text("Time").replace(":", ""), by.number("Days", 0))
            by.done()
            return sla
        case _:
            raise _unknown(kind, keys.where)


def _transfer(keys: Keys) -> Transfer:
    option = keys.one_of("TransferOption", ("SrcToDest", "SrcToDestFileWatcher", "FileWatcher"))
    keys.one_of("TransferType", ("Binary",))
    watcher = keys.inner("FileWatcherOptions")
    if (watcher is None) == option.endswith("FileWatcher"):
        raise UsageError(f"{keys.where}: `{option}` does not go with these `FileWatcherOptions`")
    made = Transfer(
        source=keys.text("Src"),
        destination=keys.text("Dest"),
        wildcard=keys.one_of("SRC_PATTERN", ("Wildcard", "none"), "none") == "Wildcard",
        watch=_watch(watcher) if watcher else None,
        move=option != "FileWatcher",
        prefix=keys.optional("AddTempFilePrefix") or "",
        delete_on_failure=keys.flag("DeleteFileOnDestIfFails"),
        go_on=keys.flag("ContinueOnFailure"),
    )
    keys.done()
    return made


def _watch(keys: Keys) -> Watch:
    policy = keys.one_of("TimeLimitPolicy", ("WaitUntil", "MinutesToWait"))
    value = keys.text("TimeLimitValue")
    size = keys.number("MinDetectedSizeInBytes", 0)
    keys.done()
    if policy == "WaitUntil":
        return Watch(size, value, None)
    return Watch(size, None, timedelta(minutes=int(value)))


def _rerun(keys: Keys) -> Rerun:
    every = _length(keys)
    since = keys.one_of("From", ("Start", "End"))
    rerun = Rerun(every, "Start" if since == "Start" else "End", keys.number("Times", 0))
    keys.done()
    return rerun


def _limit(keys: Keys) -> RerunLimit:
    limit = RerunLimit(_length(keys), keys.number("Times", 0))
    keys.done()
    return limit


def _length(keys: Keys) -> timedelta:
    keys.one_of("Units", ("Minutes",))
    return timedelta(minutes=int(keys.text("Every")))


class _Parts:
    """What a job's own objects say."""

    def __init__(self) -> None:
        self.waits: tuple[Event, ...] = ()
        self.adds: tuple[Event, ...] = ()
        self.pools: dict[str, int] = {}
        self.ifs: list[If] = []
        self.notices: list[Notice] = []


def _parts(keys: Keys) -> _Parts:
    found = _Parts()
    for name, kind, part in list(keys.typed()):
        match kind:
            case "WaitForEvents":
                found.waits += _events(part)
            case "AddEvents":
                found.adds += _events(part)
            case "Resource:Pool":
                found.pools[name] = part.number("Quantity", 1)
            case "If:CompletionStatus":
                status = part.text("CompletionStatus")
                actions = tuple(_action(each, inner) for _, each, inner in list(part.typed()))
                found.ifs.append(If(status, actions))
            case "Notify:DoesNotStart" | "Notify:DoesNotEnd":
                what: Literal["start", "end"] = "start" if kind == "Notify:DoesNotStart" else "end"
                by, later = part.text("By"), part.number("Days", 0)
                found.notices.append(Notice(what, by, later, _alert(part)))
            case _:
                raise _unknown(kind, part.where)
        part.done()
    return found


def _events(keys: Keys) -> tuple[Event, ...]:
    found = []
    for each in keys.several("Events"):
        event = Keys(keys.where, each)
        found.append(Event(event.text("Event")))
        event.done()
    return tuple(found)


def _alert(keys: Keys) -> Alert:
    return Alert(keys.text("Message"), keys.one_of("Urgency", _URGENCIES))


def _action(kind: str, keys: Keys) -> Action:
    match kind:
        case "Action:Mail":
            keys.one_of("Urgency", _URGENCIES, "Regular")
            action: Action = Mail(
                keys.text("To"), keys.text("Subject"), keys.text("Message"), keys.flag("AttachOutput")
            )
        case "Action:Notify":
            action = _alert(keys)
        case "Action:SetToOK":
            action = SetToOk()
        case "Action:Rerun":
            action = RunAgain()
        case "Event:Add":
            action = AddEvent(Event(keys.text("Event")))
        case _:
            raise _unknown(kind, keys.where)
    keys.done()
    return action
