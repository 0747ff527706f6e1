"""How does the Task Scheduler of Windows say the jobs of an environment?

A trigger's time is the host's own local time, or UTC when it ends in `Z`; there is no other zone. So every trigger is in
UTC, at each difference to UTC that the feed's zone has: of two starts around the change of a season the program knows
which one is due, and ends the other at once. A day of the month or the week that UTC puts on another day becomes every day.

A program's exit code is no failure to the Task Scheduler: it does not run the task again for one. A script around the
program tries again, and writes to the event log.

Source: MS-TSCH 2.5 and the pages "Task Scheduler Schema" of the Win32 documentation.
"""

from __future__ import annotations

from datetime import time, timedelta
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from landbridge.deploy.clocks import YEARS
from landbridge.deploy.hosts import powershell
from landbridge.deploy.hosts.endings import PAUSE, TRIES
from landbridge.deploy.hosts.jobs import Checking, Sweeping
from landbridge.deploy.hosts.moments import EVERY_DAY, EVERY_MONTH, Days, shortest_gap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landbridge.deploy.hosts.jobs import Ground, Job
    from landbridge.deploy.hosts.moments import Moments

NAMESPACE = "http://schemas.microsoft.com/windows/2004/02/mit/task"
MOST_TRIGGERS = 48
"""Triggers of one task that Windows takes. Source: MS-TSCH 2.5.3, triggersType."""
_WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


def files(ground: Ground) -> dict[str, str]:
    """Give a task for each job, the script that runs it, and the one that registers all of them."""
    tasks = {f"{job.name}.xml": _task(ground, job) for job in ground.jobs}
    return {
        "README.md": powershell.readme(ground),
        **tasks,
        powershell.RUN: powershell.run(ground),
        powershell.INSTALL: powershell.install(ground, [job.name for job in ground.jobs]),
        powershell.UNINSTALL: powershell.uninstall(ground, [job.name for job in ground.jobs]),
    }


def passed(job: Checking) -> timedelta:
    """Give how long ago a deadline may be that a check looks at: each is seen by one of the starts."""
    return shortest_gap(_times(job.starts))


def _times(moments: Moments) -> tuple[time, ...]:
    """Give the times in UTC; where they are too many for triggers of their own, all minutes that repeat evenly."""
    times = moments.utc().times
    if len(times) <= MOST_TRIGGERS:
        return times
    minutes = sorted({one.minute for one in times})
    if len(minutes) <= MOST_TRIGGERS:
        return tuple(time(hour, minute) for hour in range(24) for minute in minutes)
    return tuple(time(hour, minute) for hour in range(24) for minute in range(60))


def _triggers(job: Job) -> Iterator[str]:
    if isinstance(job, Sweeping):
        yield _daily(time(), job.every)
        return
    times = _times(job.starts)
    minutes = sorted({one.minute for one in times})
    if len(times) == 24 * 60:
        yield _daily(time(), timedelta(minutes=1))
    elif len(times) == 24 * len(minutes):
        for minute in minutes:
            yield _daily(time(0, minute), timedelta(hours=1))
    else:
        for at in times:
            for days in job.starts.utc().days:
                yield _calendar(at, days)


def _daily(at: time, every: timedelta) -> str:
    repetition = (
        f"      <Repetition>\n        <Interval>{_duration(every)}</Interval>\n"
        "        <Duration>P1D</Duration>\n        <StopAtDurationEnd>false</StopAtDurationEnd>\n      </Repetition>\n"
        if every < timedelta(days=1)
        else ""
    )
    return _trigger(at, repetition, "<ScheduleByDay><DaysInterval>1</DaysInterval></ScheduleByDay>")


def _calendar(at: time, days: Days) -> str:
    if days.any:
        return _daily(at, timedelta(days=1))
    months = "".join(f"<{_MONTHS[n - 1]} />" for n in sorted(days.months))
    if days.days == EVERY_DAY and days.months == EVERY_MONTH:
        names = "".join(f"<{_WEEKDAYS[n]} />" for n in sorted(days.weekdays))
        rule = f"<ScheduleByWeek><WeeksInterval>1</WeeksInterval><DaysOfWeek>{names}</DaysOfWeek></ScheduleByWeek>"
    else:
        # Days of the week and of the month together have no words here: the program leaves out what is not due.
        numbers = "".join(f"<Day>{n}</Day>" for n in sorted(days.days))
        rule = f"<ScheduleByMonth><DaysOfMonth>{numbers}</DaysOfMonth><Months>{months}</Months></ScheduleByMonth>"
    return _trigger(at, "", rule)


def _trigger(at: time, repetition: str, rule: str) -> str:
    # A past day: the first start is the next time that comes. `Z`: UTC, whatever the host's zone.
    return (
        "    <CalendarTrigger>\n      <Enabled>true</Enabled>\n"
        f"      <StartBoundary>{YEARS.start}-01-01T{at:%H:%M}:00Z</StartBoundary>\n"
        f"{repetition}      {rule}\n    </CalendarTrigger>\n"
    )


def _task(ground: Ground, job: Job) -> str:
    words = ground.words(job, passed(job)) if isinstance(job, Checking) else ground.words(job)
    zone = (
        ""
        if isinstance(job, Sweeping)
        else f" Times are in UTC, at every difference that {job.starts.zone} has to it."
    )
    arguments = powershell.arguments(ground, job, words)
    account = escape(ground.program.account)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<!-- Rendered by `landbridge deploy schedule render`.{zone} The program ends at once when nothing is due. -->
<Task version="1.3" xmlns="{NAMESPACE}">
  <RegistrationInfo>
    <Description>{escape(f"Landbridge {ground.name}: {job.title}")}</Description>
    <URI>{escape(powershell.task_path(ground) + job.name)}</URI>
  </RegistrationInfo>
  <Triggers>
{"".join(_triggers(job))}  </Triggers>
  <Principals>
    <Principal id="Account">
      <UserId>{account}</UserId>
      <LogonType>Password</LogonType>
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <AllowHardTerminate>true</AllowHardTerminate>
    <StartWhenAvailable>true</StartWhenAvailable>
    <RunOnlyIfNetworkAvailable>false</RunOnlyIfNetworkAvailable>
    <AllowStartOnDemand>true</AllowStartOnDemand>
    <Enabled>true</Enabled>
    <Hidden>false</Hidden>
    <WakeToRun>false</WakeToRun>
    <ExecutionTimeLimit>{_duration(job.limit + TRIES * PAUSE)}</ExecutionTimeLimit>
    <Priority>6</Priority>
    <RestartOnFailure>
      <Interval>PT5M</Interval>
      <Count>3</Count>
    </RestartOnFailure>
  </Settings>
  <Actions Context="Account">
    <Exec>
      <Command>%SystemRoot%\\System32\\WindowsPowerShell\\v1.0\\powershell.exe</Command>
      <Arguments>{escape(arguments)}</Arguments>
      <WorkingDirectory>{escape(ground.program.folder)}</WorkingDirectory>
    </Exec>
  </Actions>
</Task>
"""


def _duration(duration: timedelta) -> str:
    """Write a duration as XML Schema does."""
    minutes = int(duration.total_seconds()) // 60
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    clock = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    return "P" + (f"{days}D" if days else "") + (f"T{clock}" if clock else "")
