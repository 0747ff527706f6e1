"""Which jobs take the file of a slot: watch for its manifest, move, land, and keep the deadline in sight?

`_WATCH` sees the manifest, which the cloud side writes last. `_MOVE` brings the file, then the manifest, to the holding
folder. `_LAND` verifies, lands and sends the receipt. `_SLA` is late when they are. In the style `agent`, `_COLLECT`
stands in place of all three. A feed that may have no file has `_LOOK`, which asks the server when `_WATCH` has seen nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

from landbridge.deploy.controlm.documents import (
    AddEvent,
    AddEvents,
    Alert,
    CommandJob,
    CompleteBy,
    DoesNotStart,
    Event,
    FileTransfer,
    JobCalendars,
    JobWhen,
    Mail,
    OnCompletion,
    Pool,
    RerunLimit,
    RunAgain,
    SetToOK,
    SlaJob,
    TransferJob,
    WaitForEvents,
    Watcher,
)
from landbridge.deploy.controlm.patterns import (
    Pattern,
    Words,
    business_day,
    occurrence,
    pattern,
    plain,
    scheduled,
)
from landbridge.deploy.controlm.setting import LONGEST_NAME, fitted
from landbridge.errors import Exit
from landbridge.naming import MANIFESTS, OUTBOUND
from landbridge.schedule import is_frequent

if TYPE_CHECKING:
    from datetime import timedelta

    from landbridge.deploy.controlm.documents import Job, JobPart
    from landbridge.deploy.controlm.orders import Ordered
    from landbridge.deploy.controlm.setting import Setting
    from landbridge.feed import Feed

TEMPORARY = ".part_"
"""Begins the name of a file that is still coming; `landbridge land` looks past it."""
_PRIORITY = "2"


class _Head(TypedDict):
    application: str
    sub_application: str
    time_zone: str
    days_keep_active: str


@dataclass(frozen=True, slots=True)
class Names:
    """Where a slot's file and manifest lie on the server, and how the slot is called there; all for Control-M."""

    file: Pattern
    manifest: Pattern


def names(feed: Feed, order: Ordered, setting: Setting) -> Names:
    """Write both paths.

    Raises:
        Inexpressible: Control-M cannot say one of them.
    """
    words = Words(setting.where.environment, feed.feed, setting.where.variables, order.moment)
    folder = pattern(feed.file.folder.strip("/"), words)
    file = plain(f"/{OUTBOUND}/") + folder + plain("/") + pattern(feed.file.name, words)
    called = occurrence(order.moment, frequent=is_frequent(feed.schedule))
    manifest = (
        plain(f"/{MANIFESTS}/")
        + business_day(order.moment)
        + plain(f"/{feed.feed}.")
        + called
        + plain(".")
        + Pattern("*", wild=True)
        + plain(".json")
    )
    return Names(file, manifest)


@dataclass(frozen=True, slots=True)
class Work:
    """The jobs of one feed and one group of its slots."""

    setting: Setting
    feed: Feed
    order: Ordered
    suffix: str
    rule: str
    """Name of the rule that gives the order dates."""

    def native(self) -> dict[str, Job]:
        """Give the jobs in which managed file transfer moves.

        Raises:
            Inexpressible: Control-M cannot say a name.
        """
        found = names(self.feed, self.order, self.setting)
        return {
            self._name("WATCH"): self._watch(found),
            self._name("MOVE"): self._move(found),
            self._name("LAND"): self._land(),
            **({self._name("LOOK"): self._look()} if self._may_skip else {}),
            **self._sla(),
        }

    def agent(self) -> dict[str, Job]:
        """Give the jobs in which landbridge itself collects."""
        return {self._name("COLLECT"): self._collect(), **self._sla()}

    @property
    def _may_skip(self) -> bool:
        return self.feed.empty == "skip"

    def _name(self, step: str) -> str:
        return fitted(f"{job_stem(self.feed.feed)}_{step}{self.suffix}", LONGEST_NAME)

    def _event(self, what: str) -> Event:
        return Event(event=f"{self.setting.folder}_{job_stem(self.feed.feed)}{self.suffix}_{what}")

    def _head(self) -> _Head:
        return {
            "application": self.setting.application,
            "sub_application": self.setting.sub_application,
            "time_zone": self.order.zone.label,
            # A file may come after the new day; without this its jobs would be taken away then.
            "days_keep_active": str((self.order.deadline.days if self.order.deadline else 1) + 1),
        }

    def _when(self, *, since: bool = False) -> JobWhen:
        return JobWhen(
            from_time=f"{self.order.since:%H%M}" if since else None,
            rule_based_calendars=JobCalendars(included=(self.rule,)),
        )

    def _watch(self, found: Names) -> Job:
        transfer = FileTransfer(
            src=found.manifest.text,
            dest=self.setting.holding(self.feed.feed),
            src_pattern="Wildcard",
            transfer_option="FileWatcher",
            file_watcher_options=Watcher(
                time_limit_policy="MinutesToWait", time_limit_value=str(_minutes(self.order.wait))
            ),
        )
        seen = self._event("SEEN")
        parts: dict[str, JobPart]
        if self._may_skip:
            # `eventsToAdd` would be added after SetToOK, too, and start a transfer of nothing.
            parts = {
                "Seen": OnCompletion(
                    completion_status="OK",
                    parts={"Event": _added(seen)},
                ),
                "Nothing": OnCompletion(
                    completion_status="NOTOK",
                    parts={
                        "Told": self._alert(_NOTHING, urgent=False),
                        "Event": _added(self._event("UNSEEN")),
                        "Fine": SetToOK(),
                    },
                ),
            }
        else:
            parts = {"NotOK": self._not_ok("no manifest yet"), "eventsToAdd": AddEvents(events=(seen,))}
        return self._transfer("waits for the manifest", (transfer,), found.manifest, parts, since=True)

    def _move(self, found: Names) -> Job:
        holding = self.setting.holding(self.feed.feed)
        transfers = tuple(
            FileTransfer(
                src=one.text,
                dest=holding,
                src_pattern="Wildcard" if one.wild else None,
                transfer_option="SrcToDest",
                add_temp_file_prefix=TEMPORARY,
                delete_file_on_dest_if_fails=True,
            )
            for one in (found.file, found.manifest)
        )
        parts: dict[str, JobPart] = {
            "eventsToWaitFor": WaitForEvents(events=(self._event("SEEN"),)),
            self.setting.pool: Pool(quantity="1"),
            "NotOK": self._not_ok("the transfer failed"),
            "eventsToAdd": AddEvents(events=(self._event("MOVED"),)),
        }
        return self._transfer(
            "brings the file, then its manifest, to the holding folder",
            transfers,
            found.file + found.manifest,
            parts,
        )

    def _transfer(
        self,
        what: str,
        transfers: tuple[FileTransfer, ...],
        uses: Pattern,
        parts: dict[str, JobPart],
        *,
        since: bool = False,
    ) -> Job:
        return TransferJob(
            description=self._description(what),
            **self._head(),
            host=self.setting.declared.agents,
            variables=_variables(uses),
            connection_profile_src=self.setting.source,
            connection_profile_dest=self.setting.destination,
            number_of_retries=str(self.setting.declared.retries),
            file_transfers=transfers,
            when=self._when(since=since),
            rerun_limit=None if since and self._may_skip else self._rerun_limit(),
            parts=parts,
        )

    def _collect(self) -> Job:
        """Wait for the slot of its own order date, whatever runs beside it: ended OK, it proves that this slot has landed, or that no file of it is owed."""
        slot = scheduled(self.order.moment)
        parts: dict[str, JobPart] = {}
        if self._may_skip:  # 75: the server answers and has nothing. Exit codes are looked at before NOTOK.
            parts["Nothing"] = OnCompletion(
                completion_status=str(int(Exit.TRY_AGAIN)),
                parts={"Told": self._alert(_NONE_LANDED, urgent=False), "Fine": SetToOK()},
            )
        parts["NotOK"] = self._not_ok("the file was not landed")
        if self.order.deadline is not None and not self._may_skip:
            parts["eventsToAdd"] = AddEvents(events=(self._event("DONE"),))
        return CommandJob(
            description=self._description("fetches, verifies and lands the file, until the deadline"),
            **self._head(),
            host=self.setting.declared.agents,
            run_as=self.setting.installed.account,
            variables=_variables(slot),
            command=self.setting.command(
                "collect", "--feed", self.feed.feed, "--scheduled", slot.text, "--until-deadline"
            ),
            when=self._when(since=True),
            rerun_limit=self._rerun_limit(),
            parts=parts,
        )

    def _look(self) -> Job:
        """Tell nothing from nobody: a watcher ends alike when there is no file and when the server does not answer.

        It may have ended long before its limit, so what comes until then is awaited, and landed.
        """
        return CommandJob(
            description=self._description(
                "asks the server whether there is truly nothing, and lands what there is"
            ),
            **self._head(),
            host=self.setting.declared.agents,
            run_as=self.setting.installed.account,
            command=self.setting.command("collect", "--feed", self.feed.feed, "--until-deadline"),
            when=self._when(),
            rerun_limit=self._rerun_limit(),
            parts={
                "eventsToWaitFor": WaitForEvents(events=(self._event("UNSEEN"),)),
                self.setting.pool: Pool(quantity="1"),
                "NotOK": self._not_ok(
                    "nothing was seen, and the server could not be asked or what it has was refused"
                ),
            },
        )

    def _land(self) -> Job:
        slot = scheduled(self.order.moment)
        parts: dict[str, JobPart] = {
            "eventsToWaitFor": WaitForEvents(events=(self._event("MOVED"),)),
            self.setting.pool: Pool(quantity="1"),
            "NotOK": self._not_ok("the file was not landed"),
        }
        if self.order.deadline is not None and not self._may_skip:
            due = self.order.deadline
            parts["Late"] = DoesNotStart(
                by=f"{due.at:%H%M}",
                days=str(due.days) if due.days else None,
                message=f"%%JOBNAME of %%$ODATE: {self.feed.feed} is late",
                urgency="VeryUrgent",
            )
            parts["eventsToAdd"] = AddEvents(events=(self._event("DONE"),))
        return CommandJob(
            description=self._description("verifies the bytes, lands them and sends the receipt"),
            **self._head(),
            host=self.setting.declared.agents,
            run_as=self.setting.installed.account,
            variables=_variables(slot),
            command=self.setting.command("land", "--feed", self.feed.feed, "--scheduled", slot.text),
            when=self._when(),
            rerun_limit=self._rerun_limit(),
            parts=parts,
        )

    def _sla(self) -> dict[str, Job]:
        due = self.order.deadline
        if due is None or self._may_skip:
            return {}
        job = SlaJob(
            description=self._description("is the service that must be complete by the deadline"),
            **self._head(),
            service_name=fitted(
                f"{self.setting.folder}_{job_stem(self.feed.feed)}{self.suffix}", LONGEST_NAME
            ),
            service_priority=_PRIORITY,
            complete_by=CompleteBy(time=f"{due.at:%H:%M}", days=str(due.days)),
            when=self._when(),
            parts={"eventsToWaitFor": WaitForEvents(events=(self._event("DONE"),))},
        )
        return {self._name("SLA"): job}

    def _description(self, what: str) -> str:
        return f"{self.feed.title or self.feed.feed}: {what}"

    def _rerun_limit(self) -> RerunLimit | None:
        return rerun_limit(self.setting)

    def _not_ok(self, what: str) -> OnCompletion:
        return not_ok(self.setting, f"{self.feed.feed}: {what}")

    def _alert(self, what: str, *, urgent: bool = True) -> Alert:
        return Alert(
            message=f"%%JOBNAME of %%$ODATE: {self.feed.feed}: {what}",
            urgency="VeryUrgent" if urgent else "Regular",
        )


_NOTHING = (
    "no manifest was seen: skipped, quarantined or late, or the server does not answer; the LOOK job asks it"
)

_NONE_LANDED = "no file came: skipped, quarantined or late; `landbridge status` tells which"


def rerun_limit(setting: Setting) -> RerunLimit | None:
    """Limit what `Action:Rerun` does, where it is declared; without a limit it would go on for ever."""
    declared = setting.declared
    if not declared.retries:
        return None
    return RerunLimit(every=str(_minutes(declared.retry_every)), times=str(declared.retries))


def not_ok(setting: Setting, what: str, *, again: bool = True) -> OnCompletion:
    """Tell everybody who is declared, and run the job again where that is declared; a cyclic job runs again anyway."""
    text = f"%%JOBNAME of %%$ODATE: {what}"
    mail = Mail(
        to=setting.mail,
        subject=text,
        message=f"{text}. {_WHAT_TO_DO}",
    )
    return OnCompletion(
        completion_status="NOTOK",
        parts={
            **({"Mail": mail} if setting.mail else {}),
            "Alert": Alert(message=text, urgency="Urgent"),
            **({"Again": RunAgain()} if again and setting.declared.retries else {}),
        },
    )


_WHAT_TO_DO = (
    "Look at the last line of the job's output and, for a transfer, at agent, key and firewall; mend it and run the job again,"
    " which is safe at any time. Where the output says that no file was released or that bytes are not what was released,"
    " change nothing and call the owner of the feed."
)


def job_stem(feed: str) -> str:
    """Begin the names of a feed's jobs."""
    return feed.upper().replace("-", "_")


def _added(event: Event) -> AddEvent:
    return AddEvent(event=event.event)


def _variables(uses: Pattern) -> tuple[dict[str, str], ...] | None:
    return tuple({name: value} for name, value in uses.variables) or None


def _minutes(span: timedelta) -> int:
    return max(1, -(-int(span.total_seconds()) // 60))
