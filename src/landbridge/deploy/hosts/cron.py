"""How does cron say the jobs of an environment?

Cron fires by the host's own clock, and only some crons know another time zone (`CRON_TZ`): those that do not take it for
one more variable, in silence. So nothing here depends on it. Every quarter of an hour the jobs are started on the minutes
of their slots, whatever the zone, for every time zone of today differs from UTC by whole quarters; the program ends at once when
nothing is due. A wrapper keeps two runs apart, and decides by the exit code what is told.

Source: crontab(5) of Debian's cron 3.0 and of cronie; flock(1).
"""

from __future__ import annotations

import shlex
from datetime import timedelta
from typing import TYPE_CHECKING

from landbridge.deploy.hosts.endings import CHECK_AT_ONCE, LONG, LONG_AT_ONCE, TRIES, Ending, codes, table
from landbridge.deploy.hosts.jobs import Checking, Collecting, Sweeping

if TYPE_CHECKING:
    from landbridge.deploy.hosts.jobs import Ground, Job

QUARTER = timedelta(minutes=15)
"""Every time zone of today differs from UTC by whole quarters of an hour."""
_LEGAL = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def files(ground: Ground) -> dict[str, str]:
    """Give the table for /etc/cron.d, and the wrapper that its lines call."""
    return {
        "README.md": _readme(ground),
        _name(ground): _table(ground),
        f"{_name(ground)}-run": _wrapper(ground),
    }


def expression(job: Job) -> str:
    """Give the five fields at which a job is started: at least whenever it is due, in any zone of the host."""
    match job:
        case Sweeping():
            minutes = int(job.every.total_seconds()) // 60
            if minutes < 60:  # noqa: PLR2004 - an hour
                return f"*/{minutes} * * * *" if minutes > 1 else "* * * * *"
            hours = minutes // 60
            return {1: "0 * * * *", 24: "0 0 * * *"}.get(hours, f"0 */{hours} * * *")
        case Collecting() | Checking():
            quarter = int(QUARTER.total_seconds()) // 60
            minutes_in_quarter = {one.minute % quarter for one in job.starts.times}
            fired = sorted(
                minute + quarter * n for minute in minutes_in_quarter for n in range(60 // quarter)
            )
            return f"{','.join(map(str, fired))} * * * *"


def passed(job: Checking) -> timedelta:
    """Give how long ago a deadline may be that a check looks at: each is seen by one firing."""
    quarter = int(QUARTER.total_seconds()) // 60
    minutes = sorted({one.minute % quarter for one in job.starts.times})
    gaps = [
        after - before for before, after in zip(minutes, [*minutes[1:], minutes[0] + quarter], strict=True)
    ]
    return timedelta(minutes=min(gaps))


def _name(ground: Ground) -> str:
    """Name the table; Debian's cron reads no file whose name has anything but letters, digits, `-` and `_`."""
    return f"landbridge-{ground.name}"


def _table(ground: Ground) -> str:
    lines = [
        f"# Landbridge, {ground.name}: rendered by `landbridge deploy schedule render`; for /etc/cron.d, which wants it owned by root.",
        "# Fires on quarters of an hour whatever the time zone of host and feed: the program knows the slots, and ends at once",
        "# when nothing is due. CRON_TZ is not used, because some crons do not know it and do not say so.",
        "SHELL=/bin/sh",
        f"PATH={_LEGAL}",
        f'MAILTO="{",".join(ground.mail)}"',
    ]
    if not ground.mail:
        lines.insert(
            3, "# Nobody is named under `host.mail`: what the wrapper tells goes to the system log alone."
        )
    for job in ground.jobs:
        words = ground.words(job, passed(job)) if isinstance(job, Checking) else ground.words(job)
        call = " ".join(shell_word(word) for word in (_path(ground), job.name, _limit(job), *words))
        lines += [f"# {job.title}", f"{expression(job)} {ground.program.account} {call}"]
    return "\n".join(lines) + "\n"


def _path(ground: Ground) -> str:
    return f"/usr/local/lib/landbridge/{_name(ground)}-run"


def _limit(job: Job) -> str:
    return str(int(job.limit.total_seconds()))


def shell_word(word: str) -> str:
    """Quote a word for the shell, and for cron, which takes a bare `%` for the end of the line."""
    return shlex.quote(word).replace("%", "\\%")


def _wrapper(ground: Ground) -> str:
    again = "|".join(map(str, codes(Ending.AGAIN)))
    listed = "\n".join(f"# {line}" for line in table(CHECK_AT_ONCE, LONG_AT_ONCE).splitlines())
    return f"""#!/bin/sh
# Runs one job of {ground.name}: `landbridge-{ground.name}-run JOB SECONDS COMMAND...`; rendered, like the table that calls it.
# Says nothing while all is well, so that cron mails only what somebody has to read; every run is in the system log.
# Exit codes of the program, and what becomes of them (the next try is the next line of cron that is due):
{listed}
set -u
job=$1 limit=$2
shift 2
state=${{LANDBRIDGE_STATE:-/var/lib/landbridge/{ground.name}}}
tries="$state/$job.tries" said="$state/$job.said"
[ -w "$state" ] || {{ echo "landbridge {ground.name} $job: $state is not there or cannot be written to"; exit 73; }}
exec 9>"$state/$job.lock" || exit 73
flock -n 9 || exit 0  # the last run is still at it

began=$(date +%s)
timeout --signal=INT --kill-after=120 "$limit" "$@" >"$said" 2>&1 9>&-
code=$? pause= lasted=$(($(date +%s) - began)) held="$state/$job.$code.held"
logger -t landbridge -p daemon.info "{ground.name} $job ended with $code"
case $code in
  0) rm -f "$tries" "$state/$job".*.held; exit 0 ;;
  {again}|124|137)
    # A run that long has waited out its window, or hung, and is told.
    case $job in late-*) ;; *)
      echo x >>"$tries"
      [ "$(wc -l <"$tries")" -lt {TRIES} ] && [ "$lasted" -lt {int(LONG.total_seconds())} ] && exit "$code"
    esac ;;
  *)
    # What may pass has passed, for something else is told.
    rm -f "$tries"{_marks(codes(Ending.AGAIN))} ;;
esac
# It goes on being started, since one file that is refused keeps no other from coming; the same code is told once a day, and again
# after a success. A check looks at its own minutes alone, so one that could not look is told each time.
case $job in late-*) ;; *)
  rm -f "$tries"
  [ -n "$(find "$held" -mmin -1440 2>/dev/null)" ] && exit "$code"
  : >"$held"
  pause="this code is not told again for a day, or until $held is removed" ;;
esac
logger -t landbridge -p daemon.alert "{ground.name} $job failed with $code"
echo "landbridge {ground.name} $job failed with $code on $(hostname)"
[ -n "$pause" ] && echo "$pause"
cat "$said"
exit "$code"
"""


def _marks(of: tuple[int, ...]) -> str:
    return "".join(f' "$state/$job.{code}.held"' for code in (*of, 124, 137))


def _readme(ground: Ground) -> str:
    name = _name(ground)
    return f"""# cron: {ground.name}

As root on every host that collects for {ground.environment} (the install page: `docs/hosts-linux.md`):

```console
# install -d -o {ground.program.account} -m 0750 /var/lib/landbridge/{ground.name}
# install -D -m 0755 {name}-run /usr/local/lib/landbridge/{name}-run
# install -m 0644 {name} /etc/cron.d/{name}
```

What cron cannot say: another time zone than the host's (some crons know `CRON_TZ`, others ignore it in silence), holidays, and a deadline.
So every job is started each quarter of an hour, and ends at once when nothing is due. A firing that the host slept through is not made
good by cron; the look of the next hour is.

A code is told once a day while it lasts; the job goes on being started. `rm /var/lib/landbridge/{ground.name}/JOB.CODE.held`
has it told again. A code that may pass is told after four starts, or at once when the run has waited out its window. A check at a deadline (`late-FEED`) that could not look is told at once.
To remove all: delete the three, in the order table, wrapper, folder.
"""
