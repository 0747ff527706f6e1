"""What does Control-M/Server do with the folders that were deployed to it: order, start, follow up, alert?

At each new day of a zone it orders the jobs of that zone whose calendars have the day. A job starts when its window is open, its events are there
and its pools have units. How it ended decides what its `If` objects do, whether it runs again, and which events it adds.

What is not in a definition (how often a watcher looks, what a pool holds) is the server's own, and is in Server.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, assert_never

from landbridge.errors import UsageError
from landbridge.twin.chronicle import Happening
from landbridge.twin.controlm.definitions import (
    AddEvent,
    Alert,
    LocalProfile,
    Mail,
    Mft,
    Os,
    RunAgain,
    SetToOk,
    SftpProfile,
    Sla,
)
from landbridge.twin.controlm.events import Events
from landbridge.twin.controlm.orders import Order, State
from landbridge.twin.controlm.outbox import Told
from landbridge.twin.controlm.pools import Pools
from landbridge.twin.controlm.statuses import applies
from landbridge.twin.controlm.transfers import Moving
from landbridge.twin.controlm.variables import own, resolved, system

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from landbridge.twin.agenda import Agenda
    from landbridge.twin.chronicle import Chronicle
    from landbridge.twin.controlm.agents import Agents
    from landbridge.twin.controlm.definitions import Action, Deployed, Folder, If, Job, Notice
    from landbridge.twin.controlm.outbox import Outbox
    from landbridge.twin.controlm.server import Server
    from landbridge.twin.programs import Ended

_DAY = timedelta(days=1)
_OUTCOMES = frozenset({"OK", "NOTOK", "ANY"})


@dataclass(slots=True)
class ControlM:
    """One Control-M/Server with its agents. Everything is called from the agenda's thread."""

    server: Server
    deployed: Deployed
    agents: Agents
    agenda: Agenda
    chronicle: Chronicle
    outbox: Outbox
    orders: list[Order] = field(default_factory=list, init=False)
    """The active jobs."""
    events: Events = field(default_factory=Events, init=False)
    _pools: Pools = field(init=False)

    def __post_init__(self) -> None:
        self._pools = Pools(self.server.pools)

    def start(self, ended: Mapping[tuple[str, date], bool] | None = None) -> None:
        """Order what belongs to the working day that it is now in each zone, and go on with every new day.

        `ended` has the jobs of this day that an earlier start has seen to their end, well or not.

        Raises:
            UsageError: a definition wants a host, account, pool, zone or endpoint that this server has not.
        """
        self._check()
        for label in {job.zone: None for folder in self.deployed.folders for job in folder.jobs}:
            today = self.server.order_date(self.agenda.now, label)
            self._order_all(today, label, ended or {})
            self._enter_new_day(today + _DAY, label)
        self._pump()

    def order(self, folder: Folder, job: Job, order_date: date) -> Order:
        """Order one job, whatever its calendars say (as `ctmorder` with force does)."""
        one = Order(folder, job, order_date, *self._window(job, order_date))
        self.orders.append(one)
        self._say(one, "ordered", {"opens": one.opens.isoformat(), "closes": one.closes.isoformat()})
        self.agenda.at(one.opens, self._pump)
        for notice in job.notices:
            at = self.server.instant(order_date, notice.by, job.zone, notice.days)
            self.agenda.at(at, partial(self._notice, one, notice))
        if isinstance(job.work, Sla):
            at = self.server.instant(order_date, job.work.by, job.zone, job.work.days)
            self.agenda.at(at, lambda: self._sla_due(one))
        return one

    # Days

    def _enter_new_day(self, order_date: date, label: str | None) -> None:
        self.agenda.at(self.server.day_begins(order_date, label), lambda: self._new_day(order_date, label))

    def _new_day(self, order_date: date, label: str | None) -> None:
        self._clean(order_date, label)
        self._order_all(order_date, label, {})
        self._enter_new_day(order_date + _DAY, label)
        self._pump()

    def _order_all(self, order_date: date, label: str | None, ended: Mapping[tuple[str, date], bool]) -> None:
        for folder in self.deployed.folders:
            if not any(rule.fits(order_date) for rule in folder.days):
                continue
            for job in folder.jobs:
                if job.zone != label or not any(rule.fits(order_date) for rule in job.days):
                    continue
                one = self.order(folder, job, order_date)
                if (known := ended.get((job.name, order_date))) is not None:
                    one.state = State.OK if known else State.NOT_OK
                    for event in job.adds if known else ():
                        self.events.add(event, order_date)

    def _clean(self, order_date: date, label: str | None) -> None:
        """Take away what has ended in a zone, and what did not within the days that it is kept."""
        left = []
        for one in self.orders:
            kept = (order_date - one.order_date).days <= one.job.keep_days
            elsewhere = one.job.zone != label
            if elsewhere or one.state is State.EXECUTING or (kept and one.state is not State.OK):
                left.append(one)
            elif one.state is State.WAITING:
                self._say(one, "removed", {"runs": one.runs})
        self.orders = left
        self.events.forget(order_date - 366 * _DAY)

    def _window(self, job: Job, order_date: date) -> tuple[datetime, datetime]:
        window, zone = job.window, job.zone
        begins = self.server.day_begins(order_date, zone)
        opens = self.server.instant(order_date, window.begins, zone) if window.begins else begins
        if window.ends is None:
            return opens, self.server.day_begins(order_date + (job.keep_days + 1) * _DAY, zone)
        closes = self.server.instant(order_date, window.ends, zone)
        if closes <= opens:
            closes = self.server.instant(order_date, window.ends, zone, days=1)
        return opens, closes

    # Runs

    def _pump(self) -> None:
        """Start whatever may start now."""
        for one in list(self.orders):
            if (
                one.may_begin(self.agenda.now)
                and self.events.met(one.job.waits, one.order_date)
                and self._pools.take(one.name, one.job.pools)
            ):
                self._run(one)

    def _run(self, one: Order) -> None:
        one.state, one.began, one.not_before = State.EXECUTING, self.agenda.now, None
        one.runs += 1
        self._say(one, "started", {"run": one.runs})
        values = own(one.job.variables, system(one.job.name, one.order_date))
        match one.job.work:
            case Os(command):
                self._command(one, resolved(command, values))
            case Mft():
                self._transfer(one, one.job.work, values)
            case Sla():
                self._end(one, 0, "")
            case _:
                assert_never(one.job.work)

    def _command(self, one: Order, text: str) -> None:
        began = self.agenda.now
        name = f"{one.name}.{one.runs}"
        command = self.agents.command(text, name, began, self.server)

        def ended(how: Ended) -> None:
            end = max(self.agenda.now, began + how.took)
            self.agenda.at(end, lambda: self._end(one, how.exit, how.output))

        self.agenda.do(lambda: self.agents.program.run(command), ended)

    def _transfer(self, one: Order, mft: Mft, values: Mapping[str, str]) -> None:
        source, destination = (
            self.deployed.profiles[mft.source_profile],
            self.deployed.profiles[mft.destination_profile],
        )
        if not isinstance(source, SftpProfile) or not isinstance(destination, LocalProfile):
            raise UsageError(f"the job {one.job.name} has profiles of the wrong kind")
        Moving(
            mft=mft,
            remote=self.agents.remote(source),
            verify_bytes=source.verify_bytes or destination.verify_bytes,
            agents=self.agents,
            server=self.server,
            agenda=self.agenda,
            values=values,
            progress=one.progress,
            over=lambda well, said: self._end(one, 0 if well else 1, said),
        ).start()

    def _end(self, one: Order, code: int, output: str) -> None:
        self._pools.give_back(one.name)
        one.code, one.output, one.ended = code, output, self.agenda.now
        well, actions = _followed(one.job.ifs, code)
        one.state = State.OK if well else State.NOT_OK
        self._say(one, "ended ok" if well else "ended not ok", {"exit": code, "run": one.runs})
        for action in actions:
            self._act(one, action)
        if well:
            for event in one.job.adds:
                self._add(one, AddEvent(event))
            if isinstance(one.job.work, Sla):
                self._say(one, "service complete", {"service": one.job.work.service, "late": one.late})
        self._cycle(one)
        self._pump()

    def _act(self, one: Order, action: Action) -> None:
        match action:
            case Mail(to, subject, message, attach_output):
                values = own(one.job.variables, system(one.job.name, one.order_date))
                text = f"{resolved(subject, values)}\n\n{resolved(message, values)}"
                self._tell(one, to, "", text, one.output if attach_output else "")
            case Alert():
                self._alert(one, action)
            case SetToOk():
                self._say(one, "set to ok", {"exit": one.code})
            case RunAgain():
                self._again(one)
            case AddEvent():
                self._add(one, action)
            case _:
                assert_never(action)

    def _again(self, one: Order) -> None:
        limit = one.job.limit
        if limit is None or one.reruns >= limit.times:
            self._say(one, "no rerun left", {"reruns": one.reruns})
            return
        one.reruns += 1
        self._wait_again(one, self.agenda.now + limit.every)

    def _cycle(self, one: Order) -> None:
        rerun = one.job.rerun
        if rerun is None or one.state is State.WAITING or (rerun.times and one.runs >= rerun.times):
            return
        since = one.began if rerun.since == "Start" and one.began else self.agenda.now
        at = max(since + rerun.every, self.agenda.now)
        if at < one.closes:
            self._wait_again(one, at)

    def _wait_again(self, one: Order, at: datetime) -> None:
        """Let a job wait for another run; its window must still be open by then."""
        if at >= one.closes:
            self._say(one, "no rerun in its window", {"closes": one.closes.isoformat()})
            return
        one.state, one.not_before = State.WAITING, at
        self.agenda.at(at, self._pump)

    def _add(self, one: Order, action: AddEvent) -> None:
        self.events.add(action.event, one.order_date)
        self._say(one, "event added", {"event": action.event.name})

    # What people are told

    def _notice(self, one: Order, notice: Notice) -> None:
        missed = one.runs == 0 if notice.what == "start" else one.state is not State.OK
        if one not in self.orders or not missed:
            return
        one.late = True
        self._say(one, "late", {"to": notice.what, "by": notice.by})
        self._alert(one, notice.alert)

    def _sla_due(self, one: Order) -> None:
        if one.state is State.OK or not isinstance(one.job.work, Sla):
            return
        one.late = True
        self._say(one, "service late", {"service": one.job.work.service})
        self._alert(one, Alert(f"service {one.job.work.service} is late", "VeryUrgent"))

    def _alert(self, one: Order, alert: Alert) -> None:
        values = own(one.job.variables, system(one.job.name, one.order_date))
        self._tell(one, "", alert.urgency, resolved(alert.message, values), "")

    def _tell(self, one: Order, to: str, urgency: str, text: str, attached: str) -> None:
        self._say(one, "mail" if to else "alert", {"text": text.partition("\n")[0]})
        self.outbox.send(Told(self.agenda.now, one.job.name, one.order_date, to, urgency, text, attached))

    def _say(self, one: Order, what: str, detail: Mapping[str, object]) -> None:
        self.chronicle.write(
            Happening(self.agenda.now, one.job.name, what, f"{one.order_date:%Y%m%d}", detail)
        )

    # What must be there before anything is ordered

    def _check(self) -> None:
        for job in (job for folder in self.deployed.folders for job in folder.jobs):
            self.server.zone_of(job.zone)
            if not isinstance(job.work, Sla) and job.host not in self.agents.names:
                raise UsageError(
                    f"the job {job.name} wants the host {job.host}", expected=_list(self.agents.names)
                )
            if isinstance(job.work, Os) and job.work.run_as not in self.agents.accounts:
                raise UsageError(
                    f"the job {job.name} runs as {job.work.run_as}", expected=_list(self.agents.accounts)
                )
            for pool, units in job.pools.items():
                if self.server.pools.get(pool, 0) < units:
                    raise UsageError(
                        f"the job {job.name} wants {units} of the pool {pool}, and would wait for ever",
                        expected=_list(f"{name}: {units}" for name, units in self.server.pools.items()),
                    )
        for profile in self.deployed.profiles.values():
            if isinstance(profile, SftpProfile):
                self.agents.remote(profile)


def _followed(ifs: Iterable[If], code: int) -> tuple[bool, list[Action]]:
    """Tell whether a run counts as ended well, and which actions follow.

    Exit codes come first, then how the job ended; a job that was set to OK by then has ended well.

    Source: BMC, "On/Do Actions".
    """
    actions: list[Action] = []
    for outcomes in (False, True):
        well = code == 0 or any(isinstance(action, SetToOk) for action in actions)
        for each in ifs:
            if (each.status in _OUTCOMES) == outcomes and applies(
                each.status, 0 if well and outcomes else code
            ):
                actions += each.actions
    return code == 0 or any(isinstance(action, SetToOk) for action in actions), actions


def _list(words: Iterable[str]) -> str:
    return ", ".join(sorted(words)) or "none"
