"""When do pods start, how long may they take, and what happens when one fails? One CronJob a feed, one for the watch, and one for the reaper."""

from __future__ import annotations

from typing import TYPE_CHECKING

from landbridge.deploy.kubernetes.pod import CONTAINER
from landbridge.errors import Exit

if TYPE_CHECKING:
    from datetime import timedelta

    from landbridge.cluster import Kubernetes
    from landbridge.deploy.kubernetes.text import Object

FINAL = (Exit.USAGE, Exit.DATA, Exit.BUG, Exit.INTEGRITY, Exit.PERMISSION, Exit.DECLARATION)
"""A person has to look: another pod would end the same way."""
MAY_PASS = (Exit.UNAVAILABLE, Exit.CANNOT_CREATE, Exit.IO, Exit.TRY_AGAIN, Exit.INTERRUPTED)
"""Another pod may do better; each counts against `backoffLimit`."""
TRIES_AGAIN = 3
WAIT = "landbridge/longest-wait-seconds"
"""Annotation: how long the run may wait for its upstream, which its deadline must leave room for."""


def cron_job(
    schedule: str,
    time_zone: str,
    cluster: Kubernetes,
    pod: Object,
    *,
    time_limit: timedelta,
    labels: Object,
    tries_again: int = TRIES_AGAIN,
) -> Object:
    """Give a CronJob's spec.

    Source: Kubernetes API reference, batch/v1 CronJob and Job; podFailurePolicy asks for `restartPolicy: Never`.
    """
    return {
        "schedule": schedule,
        "timeZone": time_zone,
        # A slot that fires while the one before it still runs waits, and starts within startingDeadlineSeconds.
        "concurrencyPolicy": "Forbid",
        "startingDeadlineSeconds": _seconds(cluster.start_within),
        "successfulJobsHistoryLimit": 3,
        "failedJobsHistoryLimit": 5,
        "jobTemplate": {
            "metadata": {"labels": labels},
            "spec": {
                "activeDeadlineSeconds": _seconds(time_limit),
                "ttlSecondsAfterFinished": _seconds(cluster.keep_jobs),
                "backoffLimit": tries_again,
                "podReplacementPolicy": "Failed",
                "podFailurePolicy": {"rules": _rules()},
                "template": {"metadata": {"labels": labels}, "spec": pod},
            },
        },
    }


def _rules() -> list[Object]:
    def on(action: str, codes: tuple[Exit, ...]) -> Object:
        return {
            "action": action,
            "onExitCodes": {"containerName": CONTAINER, "operator": "In", "values": sorted(map(int, codes))},
        }

    return [
        # The node went, not the run: it starts again at no cost.
        {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
        on("FailJob", FINAL),
        on("Count", MAY_PASS),
    ]


def _seconds(length: timedelta) -> int:
    return int(length.total_seconds())
