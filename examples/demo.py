"""Can the whole bridge be seen at work in a minute? `make demo` runs both examples on the twin, one breach included.

Everything it leaves is in `demo/` of the clone (or in the folder named as its argument): two projects with their
twins' data, to play with afterwards.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from examples.eidv import api
from examples.flights.serve import served
from examples.servers.postgres import die_with_parent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parent.parent
DEMO = Path(sys.argv[1]).absolute() if len(sys.argv) > 1 else ROOT / "demo"
LANDBRIDGE = Path(sys.executable).parent / "landbridge"
BREACH = 65


class Failed(Exception):
    """A command of the demo ended otherwise than it should."""


def main() -> int:
    """Run the demo; 0 when every command ended as it should."""
    began = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    prepare()
    try:
        with ExitStack() as running:
            environment = {
                **os.environ,
                "LANDBRIDGE_LOG": "warning",
                "LANDBRIDGE_ENVIRONMENT": "DEV",
                **serve(running),
            }
            for project in ("flights", "eidv"):
                landbridge(project, "twin up", environment)
                running.callback(landbridge, project, "twin down", environment)
            carry(environment)
    except Failed as failure:
        say(f"the demo stopped: {failure}")
        return 1
    except KeyboardInterrupt:
        say("interrupted: servers and twins are stopped; `make demo` begins anew")
        return 130
    say(f"done in {time.monotonic() - began:.0f} s")
    print(NEXT.format(landbridge=os.path.relpath(LANDBRIDGE, DEMO / "eidv")))
    return 0


def carry(environment: Mapping[str, str]) -> None:
    """Carry real flights and made-up verifications to the share, and end with the tables."""
    say("336,776 flight records: a paged HTTP API joined with PostgreSQL, as one gzipped CSV")
    landbridge("flights", "run flights --date 2013-12-31 --twin", environment)
    landbridge("flights", "run weather --date 2013-01-31 --twin", environment)
    landbridge("flights", "collect --twin --since 2013-01-01", environment)

    say("Identity verifications: CSV with a trailer, hourly JSON lines, monthly Parquet, one encrypted")
    for feed in ("verifications", "summary", "monthly", "disputes"):
        landbridge("eidv", f"run {feed} --date latest --twin", environment)
    say("A feed whose source breaks the contract: quarantine, exit code 65, nothing released")
    landbridge("eidv", "run screening --date latest --twin", environment, expect=BREACH)
    landbridge("eidv", "collect --twin", environment)

    say("Run twice, collect twice: nothing happens twice")
    landbridge("eidv", "run verifications --date latest --twin", environment)
    landbridge("eidv", "collect --twin", environment)

    say("Where everything stands")
    landbridge("flights", "status --twin --since 2013-01-31 --until 2013-12-31 --recorded", environment)
    month_ago = (date.today() - timedelta(days=40)).isoformat()  # noqa: DTZ011 - a day more or less is fine
    landbridge("eidv", f"status --twin --recorded --since {month_ago}", environment)
    landbridge("eidv", "trace verifications --twin", environment)


def prepare() -> None:
    """Lay both projects into `demo/`, as a user would have them; a demo that still runs is stopped first."""
    for project in ("flights", "eidv"):
        folder = DEMO / project
        if (folder / ".landbridge").exists():
            subprocess.run([LANDBRIDGE, "twin", "down"], cwd=folder, check=False, capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(
            ROOT / "examples" / project, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__")
        )
    keys = DEMO / "eidv" / "keys"
    keys.mkdir()
    write_recipient_key(keys)


def write_recipient_key(folder: Path) -> None:
    """Make the key pair of the demo's consumer: `recipient.asc` to encrypt to, `recipient.secret.asc` to open the file."""
    from pysequoia import Tsk

    pair = Tsk.generate("EDBH demo consumer <consumer@example.org>")
    (folder / "recipient.asc").write_text(str(pair.extract_certificate()))
    secret = folder / "recipient.secret.asc"
    secret.touch(mode=0o600)
    secret.write_text(str(pair))


def serve(running: ExitStack) -> dict[str, str]:
    """Start the sources: Datasette and PostgreSQL with the flights, the verification service's API."""
    say("Starting the sources: Datasette, PostgreSQL, the verification service")
    flights = running.enter_context(served(DEMO / "sources"))
    return {**flights, **running.enter_context(_eidv_api())}


@contextmanager
def _eidv_api() -> Iterator[dict[str, str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "examples.eidv.api"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=die_with_parent,  # noqa: PLW1509 - no threads run yet, and no server may outlive the demo
    )
    try:
        port = process.stdout.readline() if process.stdout else ""
        if not port:
            raise Failed("the verification service did not start")
        yield api.environment(int(port))
    finally:
        process.terminate()
        process.wait(10)


def landbridge(project: str, words: str, environment: Mapping[str, str], *, expect: int = 0) -> None:
    """Run one command in a project's folder, as a user would, and show it."""
    print(
        f"\n\033[1m{project}$ landbridge {words}\033[0m"
        if sys.stdout.isatty()
        else f"\n{project}$ landbridge {words}",
        flush=True,
    )
    ended = subprocess.run(
        [LANDBRIDGE, *words.split()], cwd=DEMO / project, env=dict(environment), check=False
    )
    if ended.returncode != expect:
        raise Failed(f"`landbridge {words}` ended with {ended.returncode}, not {expect}")


def say(text: str) -> None:
    """Head the next part."""
    print(f"\n\033[36m── {text}\033[0m" if sys.stdout.isatty() else f"\n== {text}", flush=True)


NEXT = """
What to try next (the twins are stopped, their data is in demo/):

  cd demo/eidv; export LANDBRIDGE_ENVIRONMENT=DEV
  {landbridge} twin up
  {landbridge} status --twin                  # slots by feed and business date
  {landbridge} trace screening --twin         # why the file is in quarantine
  {landbridge} verify verifications --twin    # read the bytes again wherever they are
  {landbridge} explain summary                # the whole plan of a slot, without doing anything
  ls .landbridge/twin/dev/share archive/dev   # what the consumer sees
  {landbridge} twin down

Your own feed: {landbridge} init my-feeds, then docs/tutorial.md
"""


if __name__ == "__main__":
    sys.exit(main())
