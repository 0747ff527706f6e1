"""Does each CronJob fire when a slot is due, once, end in time, and try again only what may pass?"""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from landbridge.deploy.kubernetes import cron
from landbridge.deploy.kubernetes.checks.finding import JOB, Finding, at, listed, mapped, of_kind, title
from landbridge.deploy.kubernetes.jobs import FINAL, MAY_PASS, WAIT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from landbridge.deploy.kubernetes.text import Object

_SOON = 10
"""Seconds below which the controller, which looks that often, may miss a time. Source: Kubernetes, "CronJob"."""
_MOST_MISSED = 100
"""Times that may be missed before the controller gives up counting. Source: as _SOON."""


def check(objects: Sequence[Object]) -> Iterator[Finding]:
    """Give what is wrong with the CronJobs."""
    for one in of_kind(objects, "CronJob"):
        yield from _schedule(one)
        yield from _firing(one)
        yield from _ending(one)
        yield from _failure_policy(one)


def _schedule(one: Object) -> Iterator[Finding]:
    expression, zone = at(one, "spec", "schedule"), at(one, "spec", "timeZone")
    try:
        cron.read(str(expression or ""))
    except ValueError as error:
        yield Finding(
            "schedule-unreadable",
            title(one),
            "spec.schedule",
            f"Kubernetes cannot read `{expression}`: {error}",
            "five fields",
        )
    if not isinstance(zone, str):
        yield Finding(
            "zone-missing",
            title(one),
            "spec.timeZone",
            "it would fire in the zone of the controller",
            "`timeZone`",
        )
        return
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield Finding(
            "zone-unknown",
            title(one),
            "spec.timeZone",
            f"there is no zone `{zone}`",
            "an IANA name such as `Europe/London`",
        )


def _firing(one: Object) -> Iterator[Finding]:
    policy = at(one, "spec", "concurrencyPolicy")
    if policy not in {"Forbid", "Allow", "Replace"}:
        yield Finding(
            "enum-unknown", title(one), "spec.concurrencyPolicy", f"`{policy}` is no policy", "`Forbid`"
        )
    elif policy != "Forbid":
        what = (
            f"with `{policy}` a slow run is overtaken by the next"
            if policy == "Allow"
            else "`Replace` kills a run half-way"
        )
        yield Finding("overlapping-runs", title(one), "spec.concurrencyPolicy", what, "`Forbid`")
    start = at(one, "spec", "startingDeadlineSeconds")
    if not isinstance(start, int):
        what = "without it a controller that was away starts a slot at any later time, or gives up after a hundred"
        yield Finding("start-unbounded", title(one), "spec.startingDeadlineSeconds", what, "seconds")
    elif start <= _SOON:
        yield Finding(
            "start-too-soon",
            title(one),
            "spec.startingDeadlineSeconds",
            f"{start} s: the controller may never start it",
            f"more than {_SOON}",
        )
    if at(one, "spec", "suspend"):
        yield Finding("suspended", title(one), "spec.suspend", "it never fires")


def _ending(one: Object) -> Iterator[Finding]:
    where = ".".join(JOB)
    limit, wait = at(one, *JOB, "activeDeadlineSeconds"), str(at(one, "metadata", "annotations", WAIT) or "0")
    if not isinstance(limit, int):
        yield Finding(
            "run-unbounded",
            title(one),
            f"{where}.activeDeadlineSeconds",
            "a run that hangs keeps every later one from starting",
            "seconds",
        )
    elif wait.isdigit() and limit <= int(wait):
        yield Finding(
            "deadline-before-end",
            title(one),
            f"{where}.activeDeadlineSeconds",
            f"it is ended after {limit} s, and may wait {wait} s for its upstream alone",
        )
    if not isinstance(at(one, *JOB, "ttlSecondsAfterFinished"), int):
        yield Finding(
            "jobs-pile-up",
            title(one),
            f"{where}.ttlSecondsAfterFinished",
            "finished jobs are kept for ever",
            "seconds",
        )
    for key in ("successfulJobsHistoryLimit", "failedJobsHistoryLimit"):
        if not isinstance(kept := at(one, "spec", key), int) or not 1 <= kept <= _MOST_MISSED:
            yield Finding("history-unbounded", title(one), f"spec.{key}", f"{kept} jobs are kept", "1 to 100")
    tries = at(one, *JOB, "backoffLimit")
    if not isinstance(tries, int) or not 0 <= tries <= 10:  # noqa: PLR2004 - each waits longer, up to six minutes
        yield Finding("tries-unbounded", title(one), f"{where}.backoffLimit", f"{tries} tries", "0 to 10")


def _failure_policy(one: Object) -> Iterator[Finding]:
    where = ".".join((*JOB, "podFailurePolicy"))
    rules = listed(one, *JOB, "podFailurePolicy", "rules")
    containers = {at(each, "name") for each in listed(one, *JOB, "template", "spec", "containers")}
    if not rules:
        yield Finding(
            "broken-data-retried",
            title(one),
            where,
            "data that broke its contract would be tried again",
            "rules by exit code",
        )
        return
    decided: dict[int, str] = {}
    for number, rule in enumerate(rules):
        action, codes = at(rule, "action"), mapped(rule, "onExitCodes")
        here = f"{where}.rules.{number}"
        if action not in {"FailJob", "Ignore", "Count", "FailIndex"}:
            yield Finding(
                "enum-unknown",
                title(one),
                f"{here}.action",
                f"`{action}` is no action",
                "`FailJob`, `Ignore`, `Count`",
            )
        if codes:
            name = codes.get("containerName")
            if name is not None and name not in containers:
                yield Finding(
                    "policy-of-nobody",
                    title(one),
                    f"{here}.onExitCodes.containerName",
                    f"there is no container `{name}`",
                    ", ".join(map(str, containers)),
                )
            if codes.get("operator") not in {"In", "NotIn"}:
                yield Finding(
                    "enum-unknown",
                    title(one),
                    f"{here}.onExitCodes.operator",
                    f"`{codes.get('operator')}` is no operator",
                    "`In`",
                )
            for code in listed(codes, "values"):
                decided.setdefault(code if isinstance(code, int) else -1, str(action))
    yield from _decided(one, where, decided)
    conditions = [
        at(each, "type")
        for rule in rules
        for each in listed(rule, "onPodConditions")
        if at(rule, "action") == "Ignore"
    ]
    if "DisruptionTarget" not in conditions:
        yield Finding(
            "eviction-counts",
            title(one),
            where,
            "a node that is drained uses up the tries",
            "`Ignore` on `DisruptionTarget`",
        )


def _decided(one: Object, where: str, decided: dict[int, str]) -> Iterator[Finding]:
    if 0 in decided:
        yield Finding("success-as-failure", title(one), where, "exit code 0 is no failure")
    for code in FINAL:
        if decided.get(int(code)) != "FailJob":
            yield Finding(
                "broken-data-retried",
                title(one),
                where,
                f"exit code {int(code)} ({code.name}) is tried again, and ends the same way",
                "`FailJob`",
            )
    for code in MAY_PASS:
        if decided.get(int(code), "Count") != "Count":
            yield Finding(
                "never-tried-again",
                title(one),
                where,
                f"exit code {int(code)} ({code.name}) may pass",
                "`Count`",
            )
