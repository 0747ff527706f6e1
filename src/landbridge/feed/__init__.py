"""What is a feed? The one model that is the YAML, the JSON Schema, the documentation and the domain type at once."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from landbridge.feed.inputs import Readiness, SourceDeclared
from landbridge.feed.outputs import ContractReference, File
from landbridge.feed.words import Column, Declared, Duration, Name, Text, TimeOfDay

__all__ = ["Deadline", "Feed", "Schedule"]


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        message = f"expected a time zone of the IANA database such as `Europe/London`, seen `{text}`"
        raise ValueError(message) from error
    return text


TimeZone = Annotated[str, AfterValidator(_zone)]


class Deadline(Declared):
    """When the file must be on the share."""

    at: TimeOfDay
    """Local time in the schedule's zone."""
    days: Annotated[int, Field(ge=0, le=31)] = 0
    """Days after the scheduled day."""


class Schedule(Declared):
    """When slots exist, and which day each is about."""

    cron: Annotated[str, StringConstraints(min_length=9)]
    """Five fields, as in cron: `0 6 * * 1-5`. One hour and one minute make a daily (or rarer) feed, whose slots are
    named by business date; more make a frequent feed, whose slots are named by the scheduled instant in UTC."""
    time_zone: TimeZone = "Europe/London"
    """Of the cron expression, of the scheduled day and of local times."""
    business_date: Literal["same_day", "previous_day", "previous_business_day"] = "same_day"
    """The day the data is about, from the scheduled local day."""
    calendar: Name | None = None
    """A holiday calendar of the project. Business days are Monday to Friday without its holidays."""
    on_holiday: Literal["run", "skip"] = "run"
    """Whether a slot exists when the scheduled day is a holiday of the calendar."""
    starts: date | None = None
    """No slots before this scheduled day."""
    ends: date | None = None
    """No slots after this scheduled day."""
    deadline: Deadline | Duration | None = None
    """When the file must be on the share: `{at: "07:00"}`, or a duration after the scheduled time: `90m`."""
    ready: Readiness | None = None
    """Wait for an upstream first."""


class Feed(Declared):
    """A declared, scheduled file with an owner, a contract and a deadline."""

    feed: Name
    """The feed's name, unique in the project; part of keys, jobs and labels."""
    title: str = ""
    """One line for people."""
    description: str = ""
    """What its reader must know."""
    owner: Text
    """Who answers for the feed: a mail address or a team."""
    schedule: Schedule
    """When slots exist."""
    sources: Annotated[dict[Name, SourceDeclared], Field(min_length=1)]
    """Where the rows come from, by the names that `transform` uses."""
    transform: str | None = None
    """One SQL query (DuckDB) over the sources by name; not needed with a single source.
    `$business_date` and `$scheduled_at` are bound."""
    order_by: tuple[Column, ...] = ()
    """Columns that give the rows a fixed order, so that the same data gives the same bytes."""
    file: File
    """What the file is called and looks like."""
    contract: ContractReference
    """What must be true of it."""
    empty: Literal["deliver", "skip", "fail"] = "fail"
    """What zero rows mean: deliver an empty file, skip the slot with a record, or quarantine."""
    environments: tuple[str, ...] = ()
    """Environments this feed exists in; all of them when empty."""
    memory: Annotated[int, Field(ge=128, le=1_048_576)] = 512
    """Memory the run may use, in MiB; more data goes to scratch files."""

    @model_validator(mode="after")
    def _several_sources_need_a_transform(self) -> Feed:
        if len(self.sources) > 1 and not self.transform:
            message = f"expected `transform`: {len(self.sources)} sources need one query that joins them"
            raise ValueError(message)
        return self
