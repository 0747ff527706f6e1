"""Is this program whole: Python, the libraries it was built with, room for its scratch files?"""

from __future__ import annotations

import re
import shutil
from importlib import metadata
from typing import TYPE_CHECKING

from landbridge.doctor.finding import broken, ok, warn
from landbridge.errors import Exit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from landbridge.doctor.finding import Finding
    from landbridge.doctor.patient import Patient

_OLDEST = (3, 11)
_NEEDED = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?\s*>=\s*([0-9.]+)")
_LEAST = 1 << 30


def python(patient: Patient) -> Iterator[Finding]:
    """See that Python is new enough."""
    seen = ".".join(map(str, patient.python))
    if patient.python < _OLDEST:
        yield broken("", f"{seen}, needed is 3.11", Exit.DECLARATION)
    else:
        yield ok("", seen)


def libraries(patient: Patient) -> Iterator[Finding]:
    """See that every library is there in a release that is new enough."""
    wrong = list(_lacking(patient.requirements))
    if wrong:
        yield broken("", "; ".join(wrong), Exit.DECLARATION)
    else:
        yield ok("", f"landbridge {metadata.version('landbridge')} with all of its libraries")


def _lacking(requirements: Iterable[str]) -> Iterator[str]:
    """Say which of these requirements (`duckdb>=2`) does not hold; those of extras are left out."""
    for requirement in requirements:
        wanted, _, marker = requirement.partition(";")
        match = _NEEDED.match(wanted)
        if match is None or "extra" in marker:
            continue
        try:
            there = metadata.version(match[1])
        except metadata.PackageNotFoundError:
            yield f"{match[1]} is not installed"
            continue
        if _release(there) < _release(match[2]):
            yield f"{match[1]} {there} is older than {match[2]}"


def _release(text: str) -> tuple[int, ...]:
    numbers = re.match(r"\d+(?:\.\d+)*", text)
    parts = [int(each) for each in numbers[0].split(".")] if numbers else []
    while parts and parts[-1] == 0:  # 2.0 is 2
        parts.pop()
    return tuple(parts)


def scratch(patient: Patient) -> Iterator[Finding]:
    """See that there is room where a run keeps its file before it is staged."""
    try:
        free = shutil.disk_usage(patient.scratch).free
    except OSError as error:
        yield broken("", f"{patient.scratch} cannot be looked at: {error.strerror}", Exit.IO)
        return
    seen = f"{free >> 20:,} MiB free in {patient.scratch}"
    if free < _LEAST:
        yield warn("", f"{seen}: a run needs its whole file there, perhaps twice")
    else:
        yield ok("", seen)
