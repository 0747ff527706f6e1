"""How is a whole process measured: CPU seconds, wall seconds and peak memory of it and its children?"""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run took."""

    cpu: float
    """Seconds, user and system."""
    wall: float
    """Seconds."""
    rss: float
    """Peak resident memory in MiB of the process."""


def cost(command: Sequence[str | os.PathLike[str]], *, env: Mapping[str, str] | None = None) -> Cost:
    """Run a command to its end and say what it took.

    Raises:
        CalledProcessError: it failed.
    """
    began = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, env=as_a_user_has_it() if env is None else env
    )
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, list(map(str, command)))
    return Cost(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024)


def as_a_user_has_it() -> dict[str, str]:
    """Give the environment of this process, but for the order to keep no bytecode: with it each start compiles its sources again."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def in_turn(peers: Mapping[str, Callable[[], Cost]], runs: int) -> dict[str, Cost]:
    """Run all peers in turn, `runs` times after one warm-up, and give each one's medians."""
    seen: dict[str, list[Cost]] = {name: [] for name in peers}
    for number in range(runs + 1):
        for name, run in peers.items():
            took = run()
            if number:
                seen[name].append(took)
    return {
        name: Cost(
            statistics.median(took.cpu for took in costs),
            statistics.median(took.wall for took in costs),
            max(took.rss for took in costs),
        )
        for name, costs in seen.items()
    }


def table(costs: Mapping[str, Cost], ours: str) -> str:
    """Give a markdown table with the ratio of ours to each peer."""
    lines = ["| | CPU s | wall s | peak MiB | our CPU / its |", "|---|---|---|---|---|"]
    for name, took in costs.items():
        ratio = "" if name == ours else f"{costs[ours].cpu / took.cpu:.2f}"
        label = f"**{name}**" if name == ours else name
        lines.append(f"| {label} | {took.cpu:.2f} | {took.wall:.2f} | {took.rss:.0f} | {ratio} |")
    return "\n".join(lines)
