"""How does AutoSys (Workload Automation AE) say the jobs of an environment, in JIL?

A box for each feed starts at the times of its slots and holds the collection. A second job, outside of the box, is started
by the exit codes that may pass, and tries again, as behind the sweep; a third one checks at the deadlines. What JIL has no words for is widened:
days of the month become all days, and times that a change of the clocks moves are said in UTC.

Source: the attributes of JIL as Broadcom documents them for AE 12; no AutoSys was at hand, so none of it was loaded.
"""

from __future__ import annotations

import shlex
from datetime import timedelta
from typing import TYPE_CHECKING

from landbridge.deploy.hosts.endings import CHECK_AT_ONCE, PAUSE, TRIES, Ending, codes, table
from landbridge.deploy.hosts.installed import ending_well
from landbridge.deploy.hosts.jobs import Checking, Collecting, Sweeping, short
from landbridge.deploy.hosts.moments import EVERY_DAY, EVERY_MONTH, EVERY_WEEKDAY

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from landbridge.deploy.hosts.jobs import Ground, Job
    from landbridge.deploy.hosts.moments import Moments

LONGEST_NAME = 64
"""Characters of a job's name."""
_WEEKDAYS = ("su", "mo", "tu", "we", "th", "fr", "sa")
_MOST_TIMES = 24
"""Times of a day that are listed; more are said as minutes of every hour."""
_HANGING = timedelta(minutes=10)
"""A job that has not started so long after its time is told."""


def files(ground: Ground) -> dict[str, str]:
    """Give the JIL of an environment, and how to load it."""
    return {
        "README.md": _readme(ground),
        f"{ground.name}.jil": _jil(ground),
        f"{ground.name}-delete.jil": _delete(ground),
    }


def said(moments: Moments) -> Moments:
    """Give the moments as AutoSys is told them."""
    return moments.utc() if moments.moved or moments.every_hour else moments


def _jil(ground: Ground) -> str:
    listed = "\n".join(f"   {line}" for line in table(CHECK_AT_ONCE).splitlines())
    head = f"""/* Landbridge, {ground.name}: rendered by `landbridge deploy schedule render`; load it with `jil < {ground.name}.jil`.
   The program ends at once when nothing is due: holidays, and days that AutoSys has no words for, need no calendar here.
   Exit codes:
{listed} */
"""
    return head + "".join(f"\n{text}" for job in ground.jobs for text in _of(ground, job))


def _of(ground: Ground, job: Job) -> Iterator[str]:
    match job:
        case Collecting():
            yield from _collecting(ground, job)
        case Checking():
            times = said(job.starts)
            words = ground.words(job, times.gap)
            yield _job(ground, job.name, [*_command(ground, job, words), *_when(job.starts), *_alarm(ground)])
        case Sweeping():
            minutes = int(job.every.total_seconds()) // 60
            often = (
                f"start_mins: {','.join(map(str, range(0, 60, minutes)))}"
                if minutes < 60  # noqa: PLR2004 - an hour
                else f'start_times: "{",".join(f"{hour:02d}:00" for hour in range(0, 24, minutes // 60))}"'
            )
            when = ["date_conditions: 1", "days_of_week: all", often, "timezone: UTC"]
            yield from _tried_again(ground, job, _name(ground, "again-sweep"), when)


def _collecting(ground: Ground, job: Collecting) -> Iterator[str]:
    box, again = _name(ground, f"box-{job.feed}"), _name(ground, f"again-{job.feed}")
    collect = _name(ground, job.name)
    minutes = int(job.limit.total_seconds()) // 60
    yield _insert(
        box,
        "box",
        [
            f'description: "{job.title}"',
            f"owner: {ground.program.account}",
            *_when(job.starts),
            f"condition: n({again})",
            f"must_start_times: +{int(_HANGING.total_seconds()) // 60}",
            f"must_complete_times: +{minutes}",
            f"box_success: s({collect})",
            f"box_failure: f({collect}) | t({collect})",
        ],
    )
    yield from _tried_again(ground, job, again, [f"box_name: {box}"])


def _tried_again(
    ground: Ground, job: Collecting | Sweeping, again: str, more: Sequence[str]
) -> Iterator[str]:
    """Give a job, and the one that its codes that may pass start."""
    first, passing, words = _name(ground, job.name), codes(Ending.AGAIN), ground.words(job)
    yield _insert(
        first,
        "cmd",
        [
            *more,
            *_command(ground, job, words),
            f"/* {', '.join(map(str, passing))} may pass: they are no failure here, but start {again} */",
            f"success_codes: {','.join(map(str, (*codes(Ending.DONE), *passing)))}",
            *_alarm(ground),
        ],
    )
    # With a time limit of its own and a pause before each try, so that a service that is away has time to come back.
    pause = f"sleep {int(PAUSE.total_seconds())}; exec " if ground.program.os == "linux" else ""
    yield _insert(
        again,
        "cmd",
        [
            f"condition: {' | '.join(f'e({first}) = {code}' for code in passing)}",
            *_command(ground, job, words, before=pause),
            f"n_retrys: {TRIES - 2}",
            *_alarm(ground),
        ],
    )


def _when(moments: Moments) -> list[str]:
    told = said(moments)
    weekdays = set[int]().union(*(one.weekdays for one in told.days))
    plain = all(one.days == EVERY_DAY and one.months == EVERY_MONTH for one in told.days)
    lines = ["date_conditions: 1"]
    if not plain:
        lines.append(
            "/* days of the month need a calendar in AutoSys: it starts on more days, and ends at once when nothing is due */"
        )
    every = weekdays >= EVERY_WEEKDAY
    lines.append(f"days_of_week: {'all' if every else ','.join(_WEEKDAYS[n] for n in sorted(weekdays))}")
    minutes = sorted({one.minute for one in told.times})
    if told.every_hour or len(told.times) > _MOST_TIMES:
        lines.append(f"start_mins: {','.join(map(str, minutes))}")
    else:
        lines.append(f'start_times: "{",".join(f"{one:%H:%M}" for one in told.times)}"')
    if told is not moments:
        lines.append(
            f"/* in UTC at every difference that {moments.zone} has to it: AutoSys moves times of the hour that changes */"
        )
    lines.append(f"timezone: {told.zone}")
    return lines


def _command(ground: Ground, job: Job, words: Sequence[str], before: str = "") -> list[str]:
    quoted = (
        shlex.join(words)
        if ground.program.os == "linux"
        else " ".join(f'"{ending_well(word)}"' for word in words)
    )
    folder = "/var/log/landbridge" if ground.program.os == "linux" else "C:\\ProgramData\\Landbridge\\logs"
    separator = "/" if ground.program.os == "linux" else "\\"
    return [
        f'description: "{job.title}"',
        f"command: {before}{quoted}",
        f"machine: {ground.group}",
        f"owner: {ground.program.account}",
        f"term_run_time: {int(job.limit.total_seconds()) // 60}",
        f'std_out_file: "{folder}{separator}{ground.name}-{job.name}.out"',
        f'std_err_file: "{folder}{separator}{ground.name}-{job.name}.err"',
    ]


def _alarm(ground: Ground) -> list[str]:
    lines = ["alarm_if_fail: 1", "alarm_if_terminated: 1"]
    if len(ground.mail) == 1:
        lines += ["send_notification: f", f"notification_emailaddress: {ground.mail[0]}"]
    elif ground.mail:
        lines.append(
            f"/* to be told: {', '.join(ground.mail)}; AutoSys takes one address: a distribution list */"
        )
    return lines


def _job(ground: Ground, name: str, lines: Sequence[str]) -> str:
    return _insert(_name(ground, name), "cmd", lines)


def _insert(name: str, kind: str, lines: Sequence[str]) -> str:
    return f"insert_job: {name}\njob_type: {kind}\n" + "\n".join(lines) + "\n"


def _name(ground: Ground, job: str) -> str:
    return short(f"{ground.name}-{job}".upper(), LONGEST_NAME)


def _names(ground: Ground) -> Iterator[tuple[str, str]]:
    for job in ground.jobs:
        if isinstance(job, Sweeping):
            yield "delete_job", _name(ground, "again-sweep")
        if isinstance(job, Collecting):
            yield "delete_job", _name(ground, f"again-{job.feed}")
            yield "delete_box", _name(ground, f"box-{job.feed}")  # and what is in it
        else:
            yield "delete_job", _name(ground, job.name)


def _delete(ground: Ground) -> str:
    return "".join(f"{verb}: {name}\n" for verb, name in _names(ground))


def _readme(ground: Ground) -> str:
    return f"""# AutoSys: {ground.name}

```console
$ autotimezone -q UTC                          # and every other zone of the file: it must be known
$ jil < {ground.name}.jil
$ autorep -J {ground.name.upper()}-% -q
```

To load a later rendering, or to remove all: `jil < {ground.name}-delete.jil` first.

`{ground.group}` must be a machine, or a virtual machine over the hosts that collect: several may, for claims on the share decide who delivers.
The account needs its entry of `autosys_secure` where agents ask for one; its password is in no file here.

No AutoSys was at hand: the file was held against a reader of our own, which knows the attributes used and nothing else.
Have it loaded in a test instance first.

What AutoSys cannot say:

- Days of the month without a calendar of its own. Such a feed starts on all days, and ends at once when nothing is due.
- A try again for some exit codes and not for others. Codes that may pass are no failure of the first job, and start a second one.
- Times in the hour that a change of the clocks skips or repeats. They are in UTC, at every difference that the zone has to it.
"""
