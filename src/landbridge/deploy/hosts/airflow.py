"""How does Airflow say the jobs of an environment?

One file of DAGs, the same for Airflow 2.11 and 3: its table of jobs is rendered, the code below it never changes. A
timetable has a time zone; in the hour that a change of the clocks skips or repeats it fires an hour later than our slots,
so such times are said in UTC. Days that one cron expression cannot say become more days.

Source: seen with CronTriggerTimetable of Airflow 2.11.2 and 3.3.2.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from landbridge.deploy.clocks import YEARS
from landbridge.deploy.hosts.endings import LONG, LONG_AT_ONCE, PAUSE, TRIES, Ending, codes, table
from landbridge.deploy.hosts.jobs import Checking, Sweeping
from landbridge.deploy.hosts.moments import EVERY_DAY, EVERY_MONTH, EVERY_WEEKDAY

if TYPE_CHECKING:
    from datetime import timedelta

    from landbridge.deploy.hosts.jobs import Ground, Job
    from landbridge.deploy.hosts.moments import Moments

CODE = Path(__file__).with_name("dags.py.txt")
"""The part of the file that is the same everywhere."""


def files(ground: Ground) -> dict[str, str]:
    """Give the file of DAGs, and the pool that its tasks share."""
    return {
        "README.md": _readme(ground),
        f"{ground.name.replace('-', '_')}.py": _dags(ground),
        "pools.json": json.dumps(_pools(ground), indent=2) + "\n",
    }


def timetable(job: Job) -> tuple[str, str]:
    """Give cron expression and time zone of a job."""
    if isinstance(job, Sweeping):
        minutes = int(job.every.total_seconds()) // 60
        clock = f"*/{minutes} *" if minutes < 60 else f"0 */{minutes // 60}"  # noqa: PLR2004 - an hour
        return f"{clock} * * *", "UTC"
    moments = said(job.starts)
    weekdays = frozenset[int]().union(*(one.weekdays for one in moments.days))
    days = frozenset[int]().union(*(one.days for one in moments.days))
    months = frozenset[int]().union(*(one.months for one in moments.days))
    if weekdays != EVERY_WEEKDAY and days != EVERY_DAY:
        days = EVERY_DAY  # both of them would mean either
    minutes_of = _list({one.minute for one in moments.times}, frozenset(range(60)))
    hours = _list({one.hour for one in moments.times}, frozenset(range(24)))
    fields = (
        minutes_of,
        hours,
        _list(days, EVERY_DAY),
        _list(months, EVERY_MONTH),
        _list(weekdays, EVERY_WEEKDAY),
    )
    return " ".join(fields), moments.zone


def said(moments: Moments) -> Moments:
    """Give the moments as Airflow is told them."""
    return moments.utc() if moments.moved and not moments.every_hour else moments


def passed(job: Checking) -> timedelta:
    """Give how long ago a deadline may be that a check looks at: each is seen by one of the starts."""
    return said(job.starts).gap


def _list(numbers: set[int] | frozenset[int], every: frozenset[int]) -> str:
    return "*" if numbers >= every else ",".join(map(str, sorted(numbers)))


def _dags(ground: Ground) -> str:
    jobs = {}
    for job in ground.jobs:
        expression, zone = timetable(job)
        words = ground.words(job, passed(job)) if isinstance(job, Checking) else ground.words(job)
        jobs[f"{ground.name}-{job.name}"] = {
            "title": job.title,
            "cron": expression,
            "time_zone": zone,
            "limit": int(job.limit.total_seconds()),
            "command": list(words),
        }
    listed = "\n".join(f"#   {line}" for line in table(LONG_AT_ONCE).splitlines())
    values = {
        "NAME": ground.name,
        "ENVIRONMENT": ground.environment,
        "FOLDER": ground.program.folder,
        "RUN_AS": ground.program.account,
        "QUEUE": ground.group,
        "POOL": ground.name,
        "MAIL": list(ground.mail),
        "FIRST_DAY": f"{YEARS.start}-01-01",
        "TRIES": TRIES,
        "PAUSE": int(PAUSE.total_seconds()),
        "LONG": int(LONG.total_seconds()),
        "DONE": list(codes(Ending.DONE)),
        "AGAIN": list(codes(Ending.AGAIN)),
        "JOBS": jobs,
    }
    literals = "\n".join(f"{name} = {_literal(value)}" for name, value in values.items())
    head, tail = CODE.read_text(encoding="utf-8").split("# VALUES\n")
    return f"{head}# Exit codes of the program, and what becomes of them:\n{listed}\n{literals}\n{tail}"


def _literal(value: object) -> str:
    """Write texts, numbers, lists and tables of these as Python does; JSON says them the same."""
    return json.dumps(value, indent=4, ensure_ascii=True)


def _pools(ground: Ground) -> dict[str, object]:
    # A waiting collection holds its slot: one for each job, so that none waits for another's window to end.
    words = f"Collections of Landbridge, {ground.name}; each makes up to {ground.sessions} transfers at once"
    return {ground.name: {"slots": len(ground.jobs), "description": words, "include_deferred": False}}


def _readme(ground: Ground) -> str:
    module = f"{ground.name.replace('-', '_')}.py"
    return f"""# Airflow: {ground.name}

```console
$ airflow pools import pools.json              # before the DAGs: a task waits for ever for a pool that is not there
$ cp {module} "$AIRFLOW_HOME/dags/"
$ airflow dags list-import-errors
$ airflow dags unpause --treat-dag-id-as-regex '^{ground.name}-' --yes      # new DAGs are paused, unless configured otherwise
```

The tasks run on a worker of the queue `{ground.group}` (`airflow celery worker --queues {ground.group}`), which is a host that collects: Landbridge,
the declaration, the keys and the share are there. They run as `{ground.program.account}` (`run_as_user`: the worker's account needs `sudo` for it);
where the worker itself runs under that account, set `RUN_AS` to `None`.

A collection waits on its worker until its file has landed or its window ends, and holds a slot of the pool and of the worker for so long:
give the worker at least {len(ground.jobs)} (`--concurrency`).

What Airflow cannot say:

- Exit codes by themselves. The task's code tells those that may pass (tried again) from those that a person must see (failed at once).
- Times in the hour that a change of the clocks skips or repeats: it fires later than the slot. Such times are in UTC, at every difference that the
  zone has to it; the program ends at once when nothing is due.
- A day of the month *and* a day of the week in one expression, and holidays: it starts on more days, and ends at once.
"""
