"""Which pods does the twin's cluster start, when, and what comes after one that failed?

The CronJob and Job controllers, as far as the emitted manifests rely on them. Each firing makes a Job whose name ends in
its scheduled time in epoch minutes; a Job makes one pod after the other until one ends well, its failure policy or its
back-off limit says that it failed, or its deadline has passed.

Source: Kubernetes, "CronJob" and "Jobs" (pod failure policy, back-off: 10 s, doubled, at most 6 minutes).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from landbridge.twin.chronicle import Happening
from landbridge.twin.kubernetes.crontab import crontab
from landbridge.twin.kubernetes.pods import Pod

if TYPE_CHECKING:
    from collections.abc import Mapping

    from landbridge.twin.agenda import Agenda
    from landbridge.twin.chronicle import Chronicle
    from landbridge.twin.kubernetes.crontab import Crontab
    from landbridge.twin.kubernetes.manifests import Applied, CronJob, JobSpec
    from landbridge.twin.kubernetes.pods import Node
    from landbridge.twin.programs import Ended

_FIRST_PAUSE = timedelta(seconds=10)
_LONGEST_PAUSE = timedelta(minutes=6)


@dataclass(slots=True)
class Job:
    """One firing."""

    name: str
    cron_job: str
    spec: JobSpec
    began: datetime
    failures: int = 0
    pods: int = 0


@dataclass(slots=True)
class _Controlled:
    cron_job: CronJob
    when: Crontab
    active: Job | None = None
    waiting: datetime | None = None
    """Scheduled time that fell into the run of the Job before: `Forbid` lets it wait."""


@dataclass(slots=True)
class Cluster:
    """The controllers, and the one node."""

    applied: Applied
    node: Node
    agenda: Agenda
    chronicle: Chronicle
    fired: dict[str, datetime] = field(default_factory=dict)
    """By CronJob: the last scheduled time that was seen to (`status.lastScheduleTime`)."""
    _jobs: dict[str, _Controlled] = field(default_factory=dict, init=False)

    def start(self) -> None:
        """Begin to fire; of what was missed since `fired`, the last time within its starting deadline.

        Raises:
            UsageError: a schedule cannot be read.
        """
        for name, job in sorted(self.applied.cron_jobs.items()):
            if job.spec.suspend:
                continue
            one = self._jobs[name] = _Controlled(job, crontab(job.spec.schedule, job.spec.timeZone))
            if missed := _missed(one, self.fired.get(name), self.agenda.now):
                self._fire(one, missed)
            self._enter_next(one)

    @property
    def active(self) -> list[Job]:
        """Give the Jobs that have not ended."""
        return [one.active for one in self._jobs.values() if one.active]

    def _enter_next(self, one: _Controlled) -> None:
        if at := one.when.after(self.agenda.now):
            self.agenda.at(at, lambda: self._come(one, at))

    def _come(self, one: _Controlled, scheduled: datetime) -> None:
        self._fire(one, scheduled)
        self._enter_next(one)

    def _fire(self, one: _Controlled, scheduled: datetime) -> None:
        self.fired[one.cron_job.metadata.name] = scheduled
        if one.active:
            one.waiting = scheduled
            self._say(one.active.name, "still active", {"waiting": scheduled.isoformat()})
            return
        minutes = int(scheduled.timestamp()) // 60
        name = f"{one.cron_job.metadata.name}-{minutes}"
        one.active = Job(
            name, one.cron_job.metadata.name, one.cron_job.spec.jobTemplate.spec, self.agenda.now
        )
        self._say(name, "job created", {"scheduled": scheduled.isoformat()})
        self._try(one, one.active)

    def _try(self, one: _Controlled, job: Job) -> None:
        left = job.began + timedelta(seconds=job.spec.activeDeadlineSeconds) - self.agenda.now
        if left <= timedelta():
            self._over(one, job, "job failed", {"reason": "DeadlineExceeded"})
            return
        pod = Pod(f"{job.name}-{job.pods:05x}", job.name, job.spec.template.spec)
        job.pods += 1
        began = self.agenda.now
        command = pod.command(self.node, self.applied, began, left)

        def ended(how: Ended) -> None:
            end = max(self.agenda.now, began + min(how.took, left))
            self.agenda.at(end, lambda: self._pod_over(one, job, pod, how, beyond=how.took > left))

        self.agenda.do(lambda: self.node.program.run(command), ended)

    def _pod_over(self, one: _Controlled, job: Job, pod: Pod, how: Ended, *, beyond: bool) -> None:
        pod.remove(self.node)
        self._say(pod.name, "pod ended", {"exit": how.exit, "log": str(self.node.folder / "logs")})
        if beyond or self.agenda.now >= job.began + timedelta(seconds=job.spec.activeDeadlineSeconds):
            self._over(one, job, "job failed", {"reason": "DeadlineExceeded"})
            return
        if how.exit == 0:
            self._over(one, job, "job complete", {})
            return
        match _action(job.spec, how.exit):
            case "FailJob":
                self._over(one, job, "job failed", {"reason": "PodFailurePolicy", "exit": how.exit})
                return
            case "Ignore":
                pass
            case _:
                job.failures += 1
        if job.failures > job.spec.backoffLimit:
            self._over(one, job, "job failed", {"reason": "BackoffLimitExceeded", "exit": how.exit})
            return
        pause = min(_FIRST_PAUSE * 2 ** max(0, job.failures - 1), _LONGEST_PAUSE)
        self.agenda.after(pause, lambda: self._try(one, job))

    def _over(self, one: _Controlled, job: Job, what: str, detail: Mapping[str, object]) -> None:
        one.active = None
        self._say(job.name, what, detail)
        waiting, one.waiting = one.waiting, None
        if waiting is None:
            return
        if self.agenda.now - waiting <= timedelta(seconds=one.cron_job.spec.startingDeadlineSeconds):
            self._fire(one, waiting)
        else:
            self._say(one.cron_job.metadata.name, "missed", {"scheduled": waiting.isoformat()})

    def _say(self, who: str, what: str, detail: Mapping[str, object]) -> None:
        self.chronicle.write(Happening(self.agenda.now, who, what, detail=detail))


def _action(spec: JobSpec, code: int) -> str:
    for rule in spec.podFailurePolicy.rules:
        on = rule.onExitCodes
        if on and (code in on.values) == (on.operator == "In"):
            return rule.action
    return "Count"


def _missed(one: _Controlled, last: datetime | None, now: datetime) -> datetime | None:
    """Give the last scheduled time in (last, now] that its starting deadline still allows."""
    if last is None:
        return None
    since = max(last, now - timedelta(seconds=one.cron_job.spec.startingDeadlineSeconds))
    found = None
    at = one.when.after(since.astimezone(UTC))
    while at and at <= now:
        found, at = at, one.when.after(at)
    return found
