"""How do systemd's services and timers say the jobs of an environment?

A timer's calendar has a time zone. What it leaves out when clocks change is added: a time that a day does not have, by
the time that our schedule moves it to; an hour that comes twice, by the same instants in UTC.

Source: systemd.time(7), systemd.timer(5), systemd.service(5), systemd.exec(5); the leap of 01:30 and the single firing
of an hour that repeats were seen with `systemd-analyze calendar` of systemd 252.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from landbridge.deploy.hosts.endings import PAUSE, TRIES, Ending, codes, table
from landbridge.deploy.hosts.jobs import Collecting, Sweeping
from landbridge.deploy.hosts.moments import EVERY_DAY, EVERY_MONTH, EVERY_WEEKDAY
from landbridge.naming import credential_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from datetime import time

    from landbridge.deploy.hosts.jobs import Ground, Job
    from landbridge.deploy.hosts.moments import Days

_WEEKDAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
_PASS = timedelta(minutes=5)
"""A run that fails lasts at most so long where a job is started every hour: a server that takes the connection and stays
silent costs a collection two minutes."""
_LEAST = TRIES * (PAUSE + _PASS)
"""A job that is started more often is not tried again between its starts: each failure of it is told."""
_HOMES = ("/home", "/root", "/run/user")


def files(ground: Ground) -> dict[str, str]:
    """Give the units of an environment, by name."""
    units = {f"{_unit(ground, 'alert@')}.service": _alert(ground)}
    for job in ground.jobs:
        units[f"{_unit(ground, job.name)}.service"] = _service(ground, job)
        units[f"{_unit(ground, job.name)}.timer"] = _timer(ground, job)
    return {"README.md": _readme(ground, list(units)), **units}


def calendars(job: Job) -> tuple[str, ...]:
    """Give the calendar events at which a job starts, as systemd writes them."""
    if isinstance(job, Sweeping):
        minutes = int(job.every.total_seconds()) // 60
        if minutes < 60:  # noqa: PLR2004 - an hour
            return (f"*-*-* *:00/{minutes}:00 UTC",)
        hours = minutes // 60
        return (f"*-*-* {'00' if hours == 24 else f'00/{hours}'}:00:00 UTC",)  # noqa: PLR2004 - a day
    zone = job.starts.zone
    local = [
        f"{day} {clock} {zone}"
        for day in dict.fromkeys(_day(one) for one in job.starts.days)
        for clock in _clocks(job.starts.times)
    ]
    return (*local, *(f"*-*-* {clock} UTC" for clock in _clocks(job.starts.again)))


def _unit(ground: Ground, job: str) -> str:
    return f"landbridge-{ground.name}-{job}"


def _day(days: Days) -> str:
    weekdays = (
        "" if days.weekdays == EVERY_WEEKDAY else ",".join(_WEEKDAYS[n] for n in sorted(days.weekdays)) + " "
    )
    months = "*" if days.months == EVERY_MONTH else _list(days.months)
    return f"{weekdays}*-{months}-{'*' if days.days == EVERY_DAY else _list(days.days)}"


def _clocks(times: Iterable[time]) -> Iterator[str]:
    """Give times of day as few patterns: minutes that share their hours share a line."""
    hours: dict[int, list[int]] = {}
    for one in times:
        hours.setdefault(one.minute, []).append(one.hour)
    shared: dict[tuple[int, ...], list[int]] = {}
    for minute, some in sorted(hours.items()):
        shared.setdefault(tuple(some), []).append(minute)
    for some_hours, minutes in shared.items():
        every = len(some_hours) == 24  # noqa: PLR2004 - hours of a day
        yield f"{'*' if every else _list(some_hours)}:{_list(minutes)}:00"


def _list(numbers: Collection[int]) -> str:
    return ",".join(f"{n:02d}" for n in sorted(numbers))


def tried_within(gap: timedelta, limit: timedelta) -> timedelta | None:
    """Give the time within which `TRIES` failing starts of a job count together; None where its next start is its next try.

    A start too many in that time is refused by systemd, which is then told. It is shorter than `gap`, so that starts of the
    timer that went well never count together, and as long as it may be: slow failures must fall into it, too.
    """
    longest = TRIES * (PAUSE + limit)
    within = min(longest, gap - timedelta(minutes=1))
    return within if within >= _LEAST else None


def _restarts(job: Job, gap: timedelta) -> bool:
    """Tell whether systemd tries a job again. A collection does so itself, and lasts too long to be counted."""
    return not isinstance(job, Collecting) and tried_within(gap, job.limit) is not None


def _tries(job: Job, gap: timedelta) -> Iterator[str]:
    within = tried_within(gap, job.limit)
    if isinstance(job, Collecting):
        yield "# It tries again by itself, all through its window: each failure is told."
        yield "StartLimitIntervalSec=0"
    elif within:
        yield f"# {TRIES} starts fail in a row before it is told."
        yield f"StartLimitIntervalSec={_seconds(within)}"
        yield f"StartLimitBurst={TRIES}"
    else:
        yield "# It is started so often that the next start is the next try: each failure is told."
        yield "StartLimitIntervalSec=0"


def _otherwise(job: Job, *, restart: bool) -> Iterator[str]:
    yield "a stop ends with 130, which is no failure here"
    if isinstance(job, Collecting):
        yield "a code that may pass is told at once: the run itself has tried again until its window ended"
        yield "or, with nothing due, for a quarter of an hour; so is a run that hangs until its time limit"
    elif not restart:
        yield "a code that may pass is told at once: the next start is the next try"


def _service(ground: Ground, job: Job) -> str:
    match job:
        case Sweeping():
            gap, passed = job.every, timedelta()
        case _:
            gap = passed = job.starts.gap
    restart = _restarts(job, gap)
    prevent = " ".join(map(str, codes(Ending.TELL)))
    command = " ".join(map(_quoted, ground.words(job, passed)))
    lines = [
        f"# {job.title}, {ground.environment}; rendered by `landbridge deploy schedule render`, like its timer.",
        "# Exit codes:",
        *(f"# {line}" for line in table(*_otherwise(job, restart=restart)).splitlines()),
        "[Unit]",
        f"Description=Landbridge {ground.name}: {job.title}",
        "Wants=network-online.target",
        "After=network-online.target remote-fs.target",
        f"OnFailure={_unit(ground, 'alert@')}%n.service",
        *_tries(job, gap),
        "",
        "[Service]",
        "Type=exec",
        f"User={ground.program.account}",
        f"WorkingDirectory={ground.program.folder}",
        f"ExecStart={command}",
        "# A timer never starts a second one beside it: a service that runs is not started again.",
        f"Restart={'on-failure' if restart else 'no'}",
        f"RestartSec={_seconds(PAUSE)}",
        f"RestartPreventExitStatus={prevent}",
        "# A stop: it gives its claims back and goes on at the next start, so here 130 is no failure.",
        "KillSignal=SIGINT",
        "SuccessExitStatus=130",
        "TimeoutStopSec=120",
        f"RuntimeMaxSec={_seconds(job.limit)}",
        *_credentials(ground),
        *_hardening(ground),
    ]
    return "\n".join(lines) + "\n"


def _credentials(ground: Ground) -> Iterator[str]:
    if ground.secrets:
        yield "# Lent by systemd, which reads them as root: the account needs no right to the files themselves."
    for path in ground.secrets:
        yield f"LoadCredential={credential_of(path)}:{path if path.startswith('/') else f'{ground.program.folder}/{path}'}"


def _hardening(ground: Ground) -> Iterator[str]:
    yield "UMask=0027"
    yield "NoNewPrivileges=yes"
    if ground.writable:
        yield "ProtectSystem=strict"
        yield f"ReadWritePaths={' '.join(_quoted('-' + path) for path in ground.writable)}"
    else:
        yield "# The share's path is known to the host alone: `strict` would keep it from writing there."
        yield "ProtectSystem=full"
    at_home = any(
        f"{path}/".startswith(tuple(f"{home}/" for home in _HOMES))
        for path in (*ground.writable, ground.program.folder, ground.program.command)
    )
    yield f"ProtectHome={'no' if at_home or not ground.writable else 'yes'}"
    yield "CapabilityBoundingSet="
    yield "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX"
    yield "SystemCallArchitectures=native"
    for word in (
        "PrivateTmp",
        "PrivateDevices",
        "ProtectKernelTunables",
        "ProtectKernelModules",
        "ProtectKernelLogs",
        "ProtectControlGroups",
        "ProtectClock",
        "ProtectHostname",
        "RestrictNamespaces",
        "RestrictRealtime",
        "RestrictSUIDSGID",
        "LockPersonality",
    ):
        yield f"{word}=yes"


def _timer(ground: Ground, job: Job) -> str:
    lines = [
        f"# When to {job.title}, {ground.environment}; holidays are left to the program, which ends at once when nothing is due.",
        "[Unit]",
        f"Description=Landbridge {ground.name}: {job.title}",
        "",
        "[Timer]",
        *(f"OnCalendar={one}" for one in calendars(job)),
        "AccuracySec=1s",
        "# What was missed while the host was down is made good once.",
        "Persistent=true",
        "",
        "[Install]",
        "WantedBy=timers.target",
    ]
    return "\n".join(lines) + "\n"


def _alert(ground: Ground) -> str:
    lines = [
        "# Told when a job of this environment fails for good: to the journal, and by mail where `host.mail` names somebody.",
        "[Unit]",
        f"Description=Landbridge {ground.name}: alert about %i",
        "",
        "[Service]",
        "Type=oneshot",
        f'ExecStart=/usr/bin/logger -t landbridge -p daemon.alert "{ground.name}: %i failed; see journalctl -u %i"',
    ]
    if ground.mail:
        to = " ".join(_quoted(one) for one in ground.mail)
        lines += [
            "# Any mail transfer agent brings sendmail.",
            "ExecStart=-/bin/sh -c '{ "
            f'echo "Subject: landbridge {ground.name}: %i failed"; echo; '
            'systemctl status --no-pager --full --lines=50 "%i"; } | /usr/sbin/sendmail -i ' + to + "'",
        ]
    return "\n".join(lines) + "\n"


def _readme(ground: Ground, units: list[str]) -> str:
    timers = " ".join(name for name in units if name.endswith(".timer"))
    return f"""# systemd: {ground.name}

As root on every host that collects for {ground.environment} (the install page: `docs/hosts-linux.md`):

```console
# install -m 0644 landbridge-{ground.name}-* /etc/systemd/system/
# systemctl daemon-reload
# systemctl enable --now {timers}
# systemctl start {_unit(ground, "sweep")}.service     # a trial; journalctl -u {_unit(ground, "sweep")}
```

{_gaps(ground)}
To remove them: `systemctl disable --now` the same timers, delete the files, `systemctl daemon-reload`.
"""


def _gaps(ground: Ground) -> str:
    checks = any(job.name.startswith("late-") for job in ground.jobs)
    if not checks:
        return (
            "No checks at deadlines were rendered: late files are told by `landbridge watch` in the cloud.\n"
        )
    return (
        "The checks at deadlines read the ledger and the reports bucket: they need credentials of AWS. Where the host has none,\n"
        "render with `--no-checks` and leave late files to `landbridge watch` in the cloud.\n"
    )


def _seconds(duration: timedelta) -> int:
    return int(duration.total_seconds())


def _quoted(word: str) -> str:
    """Quote a word for a command line of a unit, where `%` starts a specifier."""
    plain = word.replace("%", "%%").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{plain}"' if set(plain) & set(" \t'\"\\;") else plain
