"""Which documents does Control-M get for an environment? The declaration, as its Automation API reads it.

Text only: nothing is asked of Control-M, and the same declaration gives the same bytes on any day.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from landbridge.deploy.controlm import calendars
from landbridge.deploy.controlm.documents import (
    CommandJob,
    Folder,
    FolderCalendars,
    Folders,
    FolderWhen,
    JobCalendars,
    JobWhen,
    LocalProfile,
    Pool,
    Profiles,
    RegularCalendar,
    Rerun,
    RuleBasedCalendar,
    SecretName,
    SftpProfile,
    as_json,
    written,
)
from landbridge.deploy.controlm.extra import EVERYWHERE, keys_of, merged
from landbridge.deploy.controlm.jobs import Work, job_stem, not_ok, rerun_limit
from landbridge.deploy.controlm.mistakes import mistakes
from landbridge.deploy.controlm.orders import GREENWICH, Ordered, Zone, ordered, span, zone_of
from landbridge.deploy.controlm.patterns import Inexpressible
from landbridge.deploy.controlm.setting import LONGEST_CALENDAR, fitted, setting
from landbridge.deploy.mistakes import PROJECT_FILE, problem
from landbridge.errors import DeclarationWrong
from landbridge.project import place
from landbridge.schedule import Calendar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landbridge.deploy.controlm.documents import Days, Job
    from landbridge.deploy.controlm.setting import Setting
    from landbridge.feed import Feed
    from landbridge.project import Declaration

PROFILES = "profiles.json"
FOLDER = "folder.json"


@dataclass(frozen=True, slots=True)
class Rendered:
    """The documents of one environment, as JSON."""

    name: str
    """Of the environment: `eidv-prd`."""
    profiles: dict[str, Any]
    folders: dict[str, Any]
    """Calendars by name, then folders by name."""
    warnings: tuple[str, ...]

    @property
    def files(self) -> dict[str, str]:
        """Give both files by their path."""
        return {PROFILES: written(self.profiles), FOLDER: written(self.folders)}


@dataclass(slots=True)
class _Zoned:
    """A folder while it is put together: the rules and jobs of one time zone."""

    rules: dict[str, Days] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)


@dataclass(slots=True)
class _Making:
    setting: Setting
    zones: dict[str, _Zoned] = field(default_factory=dict)
    calendars: dict[str, RegularCalendar] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def render(declaration: Declaration, environment: str, *, sftp_host: str = "") -> Rendered:
    """Render an environment; `sftp_host` is the endpoint that the account gave, in place of `sftp.host`.

    Raises:
        DeclarationWrong: something in the declaration cannot be put into Control-M; all of it at once.
    """
    where = place(declaration.project, environment)
    if where.controlm is None:
        raise DeclarationWrong(
            [
                problem(
                    declaration.folder,
                    PROJECT_FILE,
                    "environments",
                    f"environment `{environment}` has no `controlm`",
                    hint="declare it there or for the whole project: docs/control-m.md",
                )
            ]
        )
    feeds = _feeds(declaration, environment)
    host = sftp_host or where.sftp.host
    made = _Making(setting(where, where.controlm))
    problems = list(mistakes(declaration, made.setting, feeds, host))
    if problems:
        raise DeclarationWrong(problems)
    _add_all(made, declaration, feeds)
    folders = _folders(made)
    return Rendered(
        name=f"{where.project}-{environment.lower()}",
        profiles=as_json(_profiles(made.setting, host)),
        folders=_with_extra(made, as_json(folders), declaration),
        warnings=tuple(made.warnings),
    )


def _feeds(declaration: Declaration, environment: str) -> list[Feed]:
    return [
        feed
        for _, feed in sorted(declaration.feeds.items())
        if not feed.environments or environment in feed.environments
    ]


def _add_all(made: _Making, declaration: Declaration, feeds: list[Feed]) -> None:
    for feed in feeds:
        calendar = Calendar(
            declaration.project.calendars[feed.schedule.calendar] if feed.schedule.calendar else None
        )
        _add(made, feed, calendar)
    _add_rest(made)


def _jobs_elsewhere(declaration: Declaration, environment: str) -> dict[str, str]:
    """Give the jobs of all other environments that Control-M serves, and the first one that has each."""
    found: dict[str, str] = {}
    for other in declaration.project.environments:
        where = place(declaration.project, other)
        if other == environment or where.controlm is None:
            continue
        made, feeds = _Making(setting(where, where.controlm)), _feeds(declaration, other)
        if any(mistakes(declaration, made.setting, feeds, where.sftp.host)):
            continue  # told when that one is rendered
        _add_all(made, declaration, feeds)
        for name in (name for folder in made.zones.values() for name in folder.jobs):
            found.setdefault(name, other)
    return found


def _add(made: _Making, feed: Feed, calendar: Calendar) -> None:
    zone = zone_of(feed, made.setting.declared)
    folder = made.zones.setdefault(zone.label, _Zoned())
    try:
        orders = ordered(feed, calendar, made.setting.declared)
    except Inexpressible as reason:
        made.warnings.append(f"{feed.feed}: {reason}; one cyclic job collects it")
        folder.rules.setdefault("EVERY_DAY", calendars.EVERY_DAY)
        folder.jobs[f"{job_stem(feed.feed)}_COLLECT"] = _cyclic(made.setting, feed, zone)
        return
    if not orders:
        declared = made.setting.declared
        made.warnings.append(
            f"{feed.feed}: no slots from {declared.first_year} to {declared.last_year}; it has no jobs"
        )
        return
    if feed.empty == "skip" and any(one.deadline for one in orders):
        made.warnings.append(
            f"{feed.feed}: no SLA job: `empty: skip` may have no file; `landbridge status` tells late from skipped"
        )
    native = made.setting.declared.style == "native"
    jobs: dict[str, Job] = {}
    try:
        for work in _work(made, feed, orders):
            jobs |= work.native() if native else work.agent()
    except Inexpressible as reason:
        made.warnings.append(f"{feed.feed}: {reason}; landbridge collects it, not managed file transfer")
        jobs = {name: job for work in _work(made, feed, orders) for name, job in work.agent().items()}
    folder.jobs |= jobs


def _work(made: _Making, feed: Feed, orders: list[Ordered]) -> Iterator[Work]:
    first, last = span(made.setting.declared)
    folder = made.zones[orders[0].zone.label]
    for order, suffix in zip(orders, suffixes(orders), strict=True):
        rule = calendars.rule_for(order.days, first, last)
        if rule is None:
            name = fitted(f"{made.setting.folder}_{job_stem(feed.feed)}{suffix}", LONGEST_CALENDAR)
            made.calendars[name] = calendars.regular(
                order.days,
                server=made.setting.declared.server,
                description=calendars.described(f"{feed.feed}{suffix}", first, last),
            )
            rule = calendars.one_by_one(name)
        else:
            name = calendars.name_of(rule)
        folder.rules[name] = rule
        yield Work(made.setting, feed, order, suffix, name)


def suffixes(orders: list[Ordered]) -> list[str]:
    """Tell the groups of a feed's slots apart: by the time in UTC, by the days back (`P`: forward) to the business date, by number."""
    if len(orders) == 1:
        return [""]
    times = {one.since for one in orders}
    by_time = [f"_{one.since:%H%M}Z" if len(times) > 1 else "" for one in orders]
    made = []
    for one, begins in zip(orders, by_time, strict=True):
        same = [other for other, text in zip(orders, by_time, strict=True) if text == begins]
        distances = {other.moment.business for other in same}
        back = one.moment.business
        distance = f"_{'P' if back > 0 else ''}{abs(back)}D" if len(distances) > 1 else ""
        twins = [other for other in same if other.moment.business == one.moment.business]
        number = f"_{twins.index(one) + 1}" if len(twins) > 1 else ""
        made.append(f"{begins}{distance}{number}")
    return made


def _cyclic(setting: Setting, feed: Feed, zone: Zone) -> Job:
    every = setting.where.host.every or timedelta(minutes=5)
    return _collecting(
        setting,
        f"{feed.title or feed.feed}: fetches, verifies and lands what is released",
        setting.command("collect", "--feed", feed.feed),
        zone.label,
        every,
    )


def _add_rest(made: _Making) -> None:
    """Add the job that fetches what came later than the jobs of its slot: a correction, a file after the deadline."""
    if not made.zones:
        return
    declared = made.setting.declared
    own = declared.time_zones.get(declared.server_time_zone, GREENWICH)
    zone = own if own in made.zones else min(made.zones)
    folder = made.zones[zone]
    folder.rules.setdefault("EVERY_DAY", calendars.EVERY_DAY)
    hourly = declared.style == "agent"
    folder.jobs["REST"] = _collecting(
        made.setting,
        "Everything that was released and no other job has landed: late files, corrections",
        made.setting.command("collect"),
        zone,
        timedelta(hours=1) if hourly else None,
    )


def _collecting(
    setting: Setting,
    description: str,
    command: str,
    zone: str,
    every: timedelta | None,
) -> Job:
    hour, minute = map(int, setting.declared.new_day.split(":"))
    new_day = datetime(2000, 1, 2, hour, minute)  # noqa: DTZ001 - only its time of day is meant
    return CommandJob(
        description=description,
        application=setting.application,
        sub_application=setting.sub_application,
        host=setting.declared.agents,
        run_as=setting.installed.account,
        time_zone=zone,
        command=command,
        when=JobWhen(
            from_time=None if every else f"{new_day - timedelta(hours=1):%H%M}",
            # Without it what cycles would go on beside that of the next day.
            to_time=f"{new_day - timedelta(minutes=1):%H%M}",
            rule_based_calendars=JobCalendars(included=("EVERY_DAY",)),
        ),
        rerun=Rerun(every=str(max(1, int(every.total_seconds()) // 60))) if every else None,
        rerun_limit=None if every else rerun_limit(setting),
        parts={
            setting.pool: Pool(quantity="1"),
            "NotOK": not_ok(setting, "the collection failed", again=every is None),
        },
    )


def _folders(made: _Making) -> Folders:
    documents: dict[str, Folder | RegularCalendar] = dict(sorted(made.calendars.items()))
    for label, folder in sorted(made.zones.items()):
        if folder.jobs:
            documents[folder_name(made.setting, label)] = Folder(
                description=f"Files of {made.setting.where.project} {made.setting.where.environment}, by Landbridge",
                controlm_server=made.setting.declared.server,
                application=made.setting.application,
                sub_application=made.setting.sub_application,
                time_zone=label,
                days_keep_active="3",
                when=_folder_when(folder),
                parts=folder.jobs,
            )
    return Folders(documents)


def folder_name(setting: Setting, label: str) -> str:
    """Name the folder of a time zone: the declared name for that of the server, with the label behind it for every other."""
    own = setting.declared.time_zones.get(setting.declared.server_time_zone, GREENWICH)
    return setting.folder if label == own else f"{setting.folder}_{label}"


def _folder_when(folder: _Zoned) -> FolderWhen:
    rules = {name: RuleBasedCalendar(when=rule) for name, rule in sorted(folder.rules.items())}
    return FolderWhen(rule_based_calendars=FolderCalendars(included=tuple(rules), parts=rules))


def _profiles(setting: Setting, host: str) -> Profiles:
    declared, sftp = setting.declared, setting.where.sftp
    profiles: dict[str, SftpProfile | LocalProfile] = {
        setting.source: SftpProfile(
            description=f"Private SFTP endpoint of {setting.where.project} {setting.where.environment}",
            host_name=host,
            port=str(sftp.port),
            user=sftp.user,
            private_key_name=declared.key,
            passphrase=SecretName(secret=declared.passphrase) if declared.passphrase else None,
            home_directory="/",
        )
    }
    if declared.style == "native" and declared.share is not None:
        profiles[setting.destination] = LocalProfile(
            description=f"Holding folder on the share of {setting.where.project} {setting.where.environment}",
            os_type=declared.share.os,
            user=declared.share.user,
            password=SecretName(secret=declared.share.password),
        )
    return Profiles(profiles)


def _with_extra(made: _Making, document: dict[str, Any], declaration: Declaration) -> dict[str, Any]:
    extra = made.setting.declared.extra
    used: set[str] = set()
    result: dict[str, Any] = {}
    for name, one in document.items():
        if one["Type"] != "Folder":
            result[name] = one
            continue
        changed = {
            key: merged(one[key], extra[key]) if key in extra and key in one else one[key] for key in one
        }
        used |= {key for key in extra if key in one and key != EVERYWHERE}
        result[name] = merged(changed, extra.get(EVERYWHERE, {}))
    unused = sorted(set(extra) - used - {EVERYWHERE})
    here = made.setting.where.environment
    elsewhere = _jobs_elsewhere(declaration, here) if unused else {}
    unknown = [name for name in unused if name not in elsewhere]
    if unknown:
        raise DeclarationWrong(
            [
                problem(
                    declaration.folder,
                    PROJECT_FILE,
                    f"controlm.extra.{name}",
                    f"there is no job `{name}`",
                    expected="a job's name as it is rendered, or `*` for the folder",
                )
                for name in unknown
            ]
        )
    made.warnings += [
        f"`controlm.extra` sets {keys_of(more)} of {'the folder' if name == EVERYWHERE else name}; nothing checks it"
        for name, more in sorted(extra.items())
        if name not in unused
    ]
    made.warnings += [
        f"`controlm.extra` of {name} is not used: the job is of {elsewhere[name]}, not of {here}"
        for name in unused
    ]
    return result
