"""What is an object called on the cluster, within the lengths that Kubernetes and its controllers allow?"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from landbridge.deploy.needs import Needs

CRON_JOB_LENGTH = 52
"""The controller adds `-` and ten characters, and a Job's name must fit a label. Source: Kubernetes, "CronJob", name limits."""
LABEL_LENGTH = 63
WATCH = "landbridge-watch"
REAPER = "landbridge-reaper"
"""In the place of a feed's name; a feed that is called so gets a digest."""
_OURS = (WATCH, REAPER)
_OUR_FILES = ("watch", "reaper")
_DIGEST = 8


def cron_job(need: Needs, feed: str) -> str:
    """Name the CronJob of a feed: environment and feed, shortened with a digest where they do not fit as they are.

    Two feeds never share a name: whatever had to be changed is told apart by the digest of what was declared.
    """
    return _fitted(f"{need.name}-{feed}", CRON_JOB_LENGTH, changed=feed in _OURS)


def watch_job(need: Needs) -> str:
    """Name the CronJob of the watch."""
    return _fitted(f"{need.name}-{WATCH}", CRON_JOB_LENGTH)


def reaper_job(need: Needs) -> str:
    """Name the CronJob of the reaper."""
    return _fitted(f"{need.name}-{REAPER}", CRON_JOB_LENGTH)


def file(feed: str) -> str:
    """Name the file of a feed's CronJob; those of the watch and of the reaper are taken."""
    return f"cronjob-{_fitted(feed, LABEL_LENGTH, changed=feed in _OUR_FILES)}.yaml"


def label(feed: str) -> str:
    """Give a feed's name as the value of a label."""
    return _fitted(feed, LABEL_LENGTH)


def _fitted(declared: str, length: int, *, changed: bool = False) -> str:
    plain = re.sub(r"[^a-z0-9-]", "-", declared).strip("-")
    if (
        not changed
        and plain == declared
        and len(plain) <= length
        and not re.search(rf"-[0-9a-f]{{{_DIGEST}}}$", plain)
    ):
        return plain
    # A name that looks as if it were shortened gets a digest, too, else it could be the short form of another.
    digest = hashlib.sha256(declared.encode()).hexdigest()[:_DIGEST]
    return f"{plain[: length - _DIGEST - 1].rstrip('-')}-{digest}"
