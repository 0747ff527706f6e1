"""Will each job run where it can, really do its work, leave room for others, and tell somebody when it fails or is late?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from landbridge.deploy.controlm.lint.sheet import (
    fields,
    flag,
    follows,
    parts,
    seen,
    setting,
    text,
    transfers_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landbridge.deploy.controlm.lint.finding import Seen
    from landbridge.deploy.controlm.lint.sheet import Job, Sheet

_NOWHERE = ("Job:SLAManagement", "Job:Dummy")
"""Types that no agent runs."""
_LATE = ("Notify:DoesNotEnd", "Notify:DoesNotStart", "Notify:ExecutionTime")
_TELLS = ("Action:Mail", "Mail", "Action:Notify", "Notify", "Action:Remedy", "Action:Run", "Run", "Event:Add")


def host_missing(sheet: Sheet) -> Iterator[Seen]:
    """A job that names no agent."""
    for job in sheet.jobs:
        if job.type not in _NOWHERE and setting(job, "Host") is None:
            what = "it names no agent, so it runs on the server's own host, which has no file-transfer plug-in and no share"
            if job.type != "Job:FileTransfer":
                what = "it names no agent, so it runs on the server's own host"
            yield seen(job.node, job.title, what, "`Host`: the agent, or the host group")


def pool_missing(sheet: Sheet) -> Iterator[Seen]:
    """Nothing limits how many run at once."""
    for job in sheet.jobs:
        if not any(one.moves for one in transfers_of(job)):
            continue  # a watcher that held a unit for hours would starve the others
        if not parts(job, "Resource:"):
            what = (
                "nothing limits how many transfers run at once: the server refuses sessions in the rush hour"
            )
            yield seen(
                job.node, job.title, what, "a `Resource:Pool` that all transfers of the endpoint share"
            )


def late_untold(sheet: Sheet) -> Iterator[Seen]:
    """Nobody hears that it is late. What waits for another job is late when that one is."""
    services = {one.folder for one in sheet.jobs if one.type == "Job:SLAManagement"}
    for job in sheet.jobs:
        if job.type != "Job:FileTransfer" or parts(job, "WaitForEvents", folders=False) or follows(job):
            continue
        if parts(job, *_LATE) or (_gives_up(job) and _tells_of_failure(job)):
            continue
        if not job.folder or job.folder not in services:
            what = "nobody hears that it is late: it only waits"
            yield seen(job.node, job.title, what, "`Notify:DoesNotEnd` by the deadline, or an SLA job")


def _gives_up(job: Job) -> bool:
    """Tell whether it watches, so that lateness is a failure; that it gives up is `watcher-no-limit`'s affair."""
    return any(one.watches for one in transfers_of(job))


def failure_untold(sheet: Sheet) -> Iterator[Seen]:
    """Nobody hears that it failed."""
    for job in sheet.jobs:
        if job.type == "Job:FileTransfer" and not _tells_of_failure(job):
            what = "nobody hears that it failed, but for whoever looks at the monitor"
            yield seen(
                job.node,
                job.title,
                what,
                "`If:CompletionStatus` of `NOTOK` with an `Action:Mail` or `Notify`",
            )


def _tells_of_failure(job: Job) -> bool:
    if parts(job, "Notify:NotOK"):
        return True
    for one in parts(job, "If"):
        status = text(one, "CompletionStatus")
        if status not in {"OK", ""} and any(text(child, "Type") in _TELLS for child in fields(one).values()):
            return True
    return False


def dummy(sheet: Sheet) -> Iterator[Seen]:
    """A job that ends well without doing anything."""
    for job in sheet.jobs:
        if flag(job.node, "RunAsDummy"):
            what = "it ends well without doing anything, and its events are added all the same"
            yield seen(job.node, job.title, what, "no `RunAsDummy`", key="RunAsDummy")


def confirm(sheet: Sheet) -> Iterator[Seen]:
    """A job that waits for a person."""
    for job in sheet.jobs:
        if job.type == "Job:FileTransfer" and flag(job.node, "Confirm"):
            what = "it waits until a person confirms it, on every day"
            yield seen(job.node, job.title, what, "no `Confirm`", key="Confirm")


def set_to_ok(sheet: Sheet) -> Iterator[Seen]:
    """A failed transfer is made to look well, and what waits for it goes on."""
    for job in sheet.jobs:
        moves = any(one.moves for one in transfers_of(job))
        if job.type != "Job:FileTransfer" or not (moves or parts(job, "AddEvents")):
            continue  # a watcher that found nothing, and whose event is added only when it did
        for one in parts(job, "If"):
            if text(one, "CompletionStatus") in {"OK", ""}:
                continue
            for child in fields(one).values():
                if text(child, "Type") == "Action:SetToOK":
                    what = "a transfer that failed counts as done: what waits for it goes on without the file"
                    yield seen(child, job.title, what, "no `Action:SetToOK` on a transfer")
