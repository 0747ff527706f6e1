"""Does every slot end well whoever is killed, and whenever? Real processes on the real twin, killed with SIGKILL.

The stories in tests/stories kill and judge; this runs them and counts what they killed.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from xml.etree import ElementTree as ET

from reliability.figures import Figure

STORIES = ("test_run_story.py", "test_collect_crash.py", "test_land_crash.py", "test_chain_crash.py")
ASKED = 200
_ROOT = Path(__file__).parent.parent


def killed_on_the_twin() -> Figure:
    """Kill a run before and after every call of a store, and a collection and a landing at every step; judge each slot.

    Raises:
        AssertionError: a story failed; its words are on standard error.
    """
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="landbridge-kills-") as folder:
        report = Path(folder) / "report.xml"
        stories = [str(_ROOT / "tests" / "stories" / name) for name in STORIES]
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-n",
            "2",
            "-k",
            "kill",
            f"--junitxml={report}",
            *stories,
        ]
        ended = subprocess.run(command, cwd=_ROOT, stdout=sys.stderr, check=False)
        if ended.returncode:
            raise AssertionError(f"a story of the killed failed: {' '.join(command)}")
        by_story = kills_in(report.read_text(encoding="utf-8"))
    return Figure(
        part="killed with SIGKILL at every step, on the twin",
        asked=ASKED,
        reached=sum(by_story.values()),
        seconds=time.monotonic() - began,
        seed=0,
        note=", ".join(f"{name} {count}" for name, count in sorted(by_story.items())),
    )


def kills_in(report: str) -> dict[str, int]:
    """Count the kills that the stories recorded, by module, in a report in JUnit XML."""
    counts: dict[str, int] = {}
    for case in ET.fromstring(report).iter("testcase"):  # noqa: S314 - our own test run wrote it
        story = case.get("classname", "").rpartition(".")[2].removeprefix("test_").replace("_", " ")
        for told in case.iter("property"):
            if told.get("name") == "kills":
                counts[story] = counts.get(story, 0) + int(told.get("value", "0"))
    return counts
