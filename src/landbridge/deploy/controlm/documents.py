"""Which part of Control-M's JSON do we write? Everything that is not modelled here is never emitted.

Names and spellings are Control-M's own; numbers are strings. Objects that Control-M keys by a name of the author
(a folder's jobs, a job's events, notifications and actions) are held in `parts` and written in place.

Source: BMC, "Control-M Automation API, Code Reference" (folders, jobs, calendars, connection profiles). Only
`ctm build` against an Enterprise Manager is authoritative.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    RootModel,
    SerializerFunctionWrapHandler,
    StrictBool,
    StringConstraints,
    model_serializer,
    model_validator,
)

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema

Name = Annotated[str, StringConstraints(min_length=1, max_length=64)]
"""Job and folder names: 64 characters. Source: BMC, "Job Properties" (9.0.20 and later)."""
Number = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,9}$")]
Clock = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3])[0-5][0-9]$")]
"""`0630`: hours and minutes of the job's time zone."""
ColonClock = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
"""`06:30`: the SLA job alone writes it so."""
WeekDay = Literal["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
Month = Literal["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
MonthDays = Annotated[str, StringConstraints(pattern=r"^(ALL|NONE|[0-9]{1,2}(-[0-9]{1,2})?)$")]
Urgency = Literal["Regular", "Urgent", "VeryUrgent"]


class Document(BaseModel):
    """A piece of Control-M's JSON: no key but its own, in the order in which it is written here."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, serialize_by_alias=True)


class Named(Document):
    """An object that also holds objects under names of the author's choice."""

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, given: object) -> object:
        if not isinstance(given, Mapping) or "parts" in given:
            return given
        own = {info.alias or name for name, info in cls.model_fields.items() if name != "parts"}
        own |= set(cls.model_fields)
        parts = {
            name: part
            for name, part in given.items()
            if name not in own and isinstance(part, Mapping) and "Type" in part
        }
        rest = {name: value for name, value in given.items() if name not in parts}
        return {**rest, "parts": parts} if parts else rest

    @model_serializer(mode="wrap")
    def _in_place(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written: dict[str, Any] = write(self)
        parts = written.pop("parts", None) or {}
        return {**written, **parts}

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Say in the JSON Schema, too, that parts are written in place."""
        schema = handler(core)
        found = handler.resolve_ref_schema(schema)
        part = found.get("properties", {}).pop("parts", None)
        if part is not None:
            found["additionalProperties"] = part["additionalProperties"]
        return schema


class SecretName(Document):
    """A secret of Control-M's own vault; the literal is never written."""

    secret: Name = Field(alias="Secret")


# Connection profiles


class SftpProfile(Document):
    """The private SFTP endpoint."""

    type: Literal["ConnectionProfile:FileTransfer:SFTP"] = Field(
        "ConnectionProfile:FileTransfer:SFTP", alias="Type"
    )
    description: str | None = Field(None, alias="Description")
    centralized: Literal[True] = Field(default=True, alias="Centralized")
    host_name: str = Field(alias="HostName")
    port: Number = Field(alias="Port")
    user: str = Field(alias="User")
    private_key_name: str = Field(alias="PrivateKeyName")
    passphrase: SecretName | None = Field(None, alias="Passphrase")
    home_directory: str = Field(alias="HomeDirectory")
    verify_bytes: StrictBool = Field(default=True, alias="VerifyBytes")
    ssh_compression: StrictBool = Field(default=False, alias="SSHCompression")


class LocalProfile(Document):
    """The share, as the agents reach it."""

    type: Literal["ConnectionProfile:FileTransfer:Local"] = Field(
        "ConnectionProfile:FileTransfer:Local", alias="Type"
    )
    description: str | None = Field(None, alias="Description")
    centralized: Literal[True] = Field(default=True, alias="Centralized")
    os_type: Literal["Unix", "Windows"] = Field(alias="OsType")
    user: str = Field(alias="User")
    password: SecretName = Field(alias="Password")
    verify_bytes: StrictBool = Field(default=True, alias="VerifyBytes")


class Profiles(RootModel[dict[Name, Annotated[SftpProfile | LocalProfile, Field(discriminator="type")]]]):
    """`profiles.json`: rare, and deployed with more rights than the folder."""

    model_config = ConfigDict(frozen=True, title="profiles.json")


# Calendars and times


class Year(Document):
    """The days of one year; a month that has none is left out."""

    year: Annotated[str, StringConstraints(pattern=r"^20[0-9]{2}$")] = Field(alias="Year")
    jan: tuple[MonthDays, ...] | None = Field(None, alias="JAN")
    feb: tuple[MonthDays, ...] | None = Field(None, alias="FEB")
    mar: tuple[MonthDays, ...] | None = Field(None, alias="MAR")
    apr: tuple[MonthDays, ...] | None = Field(None, alias="APR")
    may: tuple[MonthDays, ...] | None = Field(None, alias="MAY")
    jun: tuple[MonthDays, ...] | None = Field(None, alias="JUN")
    jul: tuple[MonthDays, ...] | None = Field(None, alias="JUL")
    aug: tuple[MonthDays, ...] | None = Field(None, alias="AUG")
    sep: tuple[MonthDays, ...] | None = Field(None, alias="SEP")
    oct: tuple[MonthDays, ...] | None = Field(None, alias="OCT")
    nov: tuple[MonthDays, ...] | None = Field(None, alias="NOV")
    dec: tuple[MonthDays, ...] | None = Field(None, alias="DEC")


class Years(Document):
    """What a regular calendar consists of."""

    years: tuple[Year, ...] = Field(alias="Years")


class RegularCalendar(Document):
    """Order dates one by one, where no rule gives them."""

    type: Literal["Calendar:Regular"] = Field("Calendar:Regular", alias="Type")
    description: str | None = Field(None, alias="Description")
    server: Name = Field(alias="Server")
    when: Years = Field(alias="When")


class Confirmed(Document):
    """Of the days of a rule only those that a regular calendar names."""

    calendar: Name = Field(alias="Calendar")
    exception_policy: Literal["DoNotOrder"] = Field("DoNotOrder", alias="ExceptionPolicy")


class Days(Document):
    """A rule for order dates: days of the week, or days of the month; the other one is `NONE`."""

    week_days: tuple[WeekDay | Literal["ALL", "NONE"], ...] = Field(alias="WeekDays")
    months: tuple[Month, ...] | None = Field(None, alias="Months")
    month_days: tuple[MonthDays, ...] = Field(alias="MonthDays")
    confirmation_calendars: Confirmed | None = Field(None, alias="ConfirmationCalendars")


class RuleBasedCalendar(Document):
    """A rule that jobs of the folder name."""

    type: Literal["Calendar:RuleBased"] = Field("Calendar:RuleBased", alias="Type")
    when: Days = Field(alias="When")


class FolderCalendars(Named):
    """The rules of a folder: it is ordered on a day that any of them has."""

    included: tuple[Name, ...] = Field(alias="Included")
    parts: dict[Name, RuleBasedCalendar] = {}


class FolderWhen(Document):
    """When a folder is ordered."""

    rule_based_calendars: FolderCalendars = Field(alias="RuleBasedCalendars")


class JobCalendars(Document):
    """Which of the folder's rules a job follows."""

    included: tuple[Name, ...] = Field(alias="Included")


class JobWhen(Document):
    """On which days a job is ordered, and between which times it may start."""

    from_time: Clock | None = Field(None, alias="FromTime")
    to_time: Clock | None = Field(None, alias="ToTime")
    rule_based_calendars: JobCalendars = Field(alias="RuleBasedCalendars")


class RerunLimit(Document):
    """How often, and how far apart, `Action:Rerun` runs a job again."""

    every: Number = Field(alias="Every")
    units: Literal["Minutes"] = Field("Minutes", alias="Units")
    times: Number = Field(alias="Times")


class Rerun(Document):
    """A cyclic job: runs again whatever came of it, as long as its window is open."""

    every: Number = Field(alias="Every")
    units: Literal["Minutes"] = Field("Minutes", alias="Units")
    start: Literal["Start", "End"] = Field("End", alias="From")
    times: Number | None = Field(None, alias="Times")


# What jobs wait for, tell and do


class Event(Document):
    """An event of the job's own order date."""

    event: str = Field(alias="Event")


class WaitForEvents(Document):
    """A job starts when all of these are there."""

    type: Literal["WaitForEvents"] = Field("WaitForEvents", alias="Type")
    events: tuple[Event, ...] = Field(alias="Events")


class AddEvents(Document):
    """Told when a job ended well."""

    type: Literal["AddEvents"] = Field("AddEvents", alias="Type")
    events: tuple[Event, ...] = Field(alias="Events")


class Pool(Document):
    """Units of a resource pool that a job holds while it runs; the part's name is the pool's."""

    type: Literal["Resource:Pool"] = Field("Resource:Pool", alias="Type")
    quantity: Number = Field(alias="Quantity")


class DoesNotStart(Document):
    """An alert when a job was not submitted by a time."""

    type: Literal["Notify:DoesNotStart"] = Field("Notify:DoesNotStart", alias="Type")
    by: Clock = Field(alias="By")
    days: Number | None = Field(None, alias="Days")
    message: str = Field(alias="Message")
    urgency: Urgency = Field(alias="Urgency")


class DoesNotEnd(Document):
    """An alert when a job still runs at a time."""

    type: Literal["Notify:DoesNotEnd"] = Field("Notify:DoesNotEnd", alias="Type")
    by: Clock = Field(alias="By")
    message: str = Field(alias="Message")
    urgency: Urgency = Field(alias="Urgency")


class Mail(Document):
    """A mail, with the job's output."""

    type: Literal["Action:Mail"] = Field("Action:Mail", alias="Type")
    to: str = Field(alias="To")
    subject: str = Field(alias="Subject")
    message: str = Field(alias="Message")
    urgency: Urgency | None = Field(None, alias="Urgency")
    attach_output: StrictBool = Field(default=True, alias="AttachOutput")


class Alert(Document):
    """An alert to the Alerts window."""

    type: Literal["Action:Notify"] = Field("Action:Notify", alias="Type")
    message: str = Field(alias="Message")
    urgency: Urgency = Field(alias="Urgency")


class RunAgain(Document):
    """Run the job again, at most as its `RerunLimit` says."""

    type: Literal["Action:Rerun"] = Field("Action:Rerun", alias="Type")


class SetToOK(Document):
    """What ended not OK counts as OK."""

    type: Literal["Action:SetToOK"] = Field("Action:SetToOK", alias="Type")


class AddEvent(Document):
    """Add one event."""

    type: Literal["Event:Add"] = Field("Event:Add", alias="Type")
    event: str = Field(alias="Event")


class OnCompletion(Named):
    """What to do when a job ended in a way: `OK`, `NOTOK`, or an exit code."""

    type: Literal["If:CompletionStatus"] = Field("If:CompletionStatus", alias="Type")
    completion_status: Annotated[
        str, StringConstraints(pattern=r"^(OK|NOTOK|ANY|(!=|>=|<=|>|<)?[0-9]{1,3})$")
    ] = Field(alias="CompletionStatus")
    parts: dict[
        Name, Annotated[Mail | Alert | RunAgain | SetToOK | AddEvent, Field(discriminator="type")]
    ] = {}


JobPart = Annotated[
    WaitForEvents | AddEvents | Pool | DoesNotStart | DoesNotEnd | OnCompletion, Field(discriminator="type")
]

# Jobs


class Watcher(Document):
    """How a file watcher waits. A limit of 0 would wait for ever."""

    min_detected_size_in_bytes: Number = Field("1", alias="MinDetectedSizeInBytes")
    time_limit_policy: Literal["WaitUntil", "MinutesToWait"] = Field(alias="TimeLimitPolicy")
    time_limit_value: Annotated[str, StringConstraints(pattern=r"^[0-9]{0,3}[1-9][0-9]{0,3}$")] = Field(
        alias="TimeLimitValue"
    )


class FileTransfer(Document):
    """One transfer of a job."""

    src: str = Field(alias="Src")
    dest: str = Field(alias="Dest")
    src_pattern: Literal["Wildcard"] | None = Field(None, alias="SRC_PATTERN")
    transfer_type: Literal["Binary"] = Field("Binary", alias="TransferType")
    transfer_option: Literal["SrcToDest", "SrcToDestFileWatcher", "FileWatcher"] = Field(
        alias="TransferOption"
    )
    add_temp_file_prefix: str | None = Field(None, alias="AddTempFilePrefix")
    delete_file_on_dest_if_fails: StrictBool | None = Field(None, alias="DeleteFileOnDestIfFails")
    continue_on_failure: StrictBool = Field(default=False, alias="ContinueOnFailure")
    file_watcher_options: Watcher | None = Field(None, alias="FileWatcherOptions")


MOST_TRANSFERS = 5
"""Of one job. Source: BMC, "File Transfer Job"."""


class TransferJob(Named):
    """Managed file transfer: watches and moves."""

    type: Literal["Job:FileTransfer"] = Field("Job:FileTransfer", alias="Type")
    description: str = Field(alias="Description")
    application: str = Field(alias="Application")
    sub_application: str = Field(alias="SubApplication")
    host: str = Field(alias="Host")
    time_zone: str | None = Field(None, alias="TimeZone")
    days_keep_active: Number | None = Field(None, alias="DaysKeepActive")
    variables: tuple[dict[str, str], ...] | None = Field(None, alias="Variables")
    connection_profile_src: Name = Field(alias="ConnectionProfileSrc")
    connection_profile_dest: Name = Field(alias="ConnectionProfileDest")
    number_of_retries: Number = Field(alias="NumberOfRetries")
    rerun_from_point_of_failure: StrictBool = Field(default=True, alias="RerunFromPointOfFailure")
    file_transfers: tuple[FileTransfer, ...] = Field(
        alias="FileTransfers", min_length=1, max_length=MOST_TRANSFERS
    )
    when: JobWhen = Field(alias="When")
    rerun_limit: RerunLimit | None = Field(None, alias="RerunLimit")
    parts: dict[Name, JobPart] = {}


class CommandJob(Named):
    """A command of the agent's operating system: `landbridge land`, or `landbridge collect`."""

    type: Literal["Job:Command"] = Field("Job:Command", alias="Type")
    description: str = Field(alias="Description")
    application: str = Field(alias="Application")
    sub_application: str = Field(alias="SubApplication")
    host: str = Field(alias="Host")
    run_as: str = Field(alias="RunAs")
    time_zone: str | None = Field(None, alias="TimeZone")
    days_keep_active: Number | None = Field(None, alias="DaysKeepActive")
    variables: tuple[dict[str, str], ...] | None = Field(None, alias="Variables")
    command: str = Field(alias="Command")
    when: JobWhen = Field(alias="When")
    rerun_limit: RerunLimit | None = Field(None, alias="RerunLimit")
    rerun: Rerun | None = Field(None, alias="Rerun")
    parts: dict[Name, JobPart] = {}


class CompleteBy(Document):
    """When a service must be complete, counted from the order date."""

    time: ColonClock = Field(alias="Time")
    days: Number = Field(alias="Days")


class SlaJob(Named):
    """The end of a feed's jobs, watched as a service with a deadline."""

    type: Literal["Job:SLAManagement"] = Field("Job:SLAManagement", alias="Type")
    description: str = Field(alias="Description")
    application: str = Field(alias="Application")
    sub_application: str = Field(alias="SubApplication")
    time_zone: str | None = Field(None, alias="TimeZone")
    days_keep_active: Number | None = Field(None, alias="DaysKeepActive")
    service_name: Name = Field(alias="ServiceName")
    service_priority: Annotated[str, StringConstraints(pattern=r"^[1-5]$")] = Field(
        "2", alias="ServicePriority"
    )
    complete_by: CompleteBy = Field(alias="CompleteBy")
    when: JobWhen = Field(alias="When")
    parts: dict[Name, JobPart] = {}


Job = Annotated[TransferJob | CommandJob | SlaJob, Field(discriminator="type")]


class Folder(Named):
    """The jobs of one environment in one time zone: jobs of several zones must not share a folder."""

    type: Literal["Folder"] = Field("Folder", alias="Type")
    description: str = Field(alias="Description")
    controlm_server: Name = Field(alias="ControlmServer")
    application: str = Field(alias="Application")
    sub_application: str = Field(alias="SubApplication")
    order_method: Literal["Automatic"] = Field("Automatic", alias="OrderMethod")
    time_zone: str | None = Field(None, alias="TimeZone")
    days_keep_active: Number | None = Field(None, alias="DaysKeepActive")
    when: FolderWhen = Field(alias="When")
    parts: dict[Name, Job] = {}


class Folders(RootModel[dict[Name, Annotated[Folder | RegularCalendar, Field(discriminator="type")]]]):
    """`folder.json`: the calendars, then the folders that use them; deployed often."""

    model_config = ConfigDict(frozen=True, title="folder.json")


def as_json(document: Profiles | Folders) -> dict[str, Any]:
    """Give a document as Control-M reads it: its own names, nothing that was left out."""
    made: dict[str, Any] = document.model_dump(mode="json", by_alias=True, exclude_none=True)
    return made


def written(document: object) -> str:
    """Give a file's text: the same document gives the same bytes."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
