"""Does what one object names exist: events, jobs of a flow, profiles, calendars; and is each name there once?"""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from landbridge.deploy.controlm.lint.finding import Seen
from landbridge.deploy.controlm.lint.sheet import (
    FOLDERS,
    ends,
    fields,
    flag,
    follows,
    get,
    listed,
    parts,
    seen,
    setting,
    text,
    typed,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landbridge.deploy.controlm.lint.reading import Node
    from landbridge.deploy.controlm.lint.sheet import Job, Sheet

_NEAR = 0.85
_OF_A_FLOW = re.compile(r"_from_.+_to_|-TO-")
"""Events of a flow, which Control-M names and connects by itself. Source: exports of the vendor's samples."""
_PARENT = "USE PARENT"
_REFERENCES = ("ConnectionProfileSrc", "ConnectionProfileDest", "ConnectionProfileDualEndpoint")
_TARGETS = ("CompleteBy", "CompleteIn", "JobRunsDeviationsTolerance", "AverageRunTimeTolerance")


def event_misspelt(sheet: Sheet) -> Iterator[Seen]:
    """A job waits for an event that is added under a slightly other name."""
    for owner, node, name, near in _lonely(sheet):
        if near:
            what = f"it waits for `{name}`, which nobody adds: the job never starts"
            yield seen(node, owner, what, f"`{near}`, which is added and which nobody awaits", key="Event")


def event_not_added(sheet: Sheet) -> Iterator[Seen]:
    """A job waits for an event that nobody in the files adds."""
    for owner, node, name, near in _lonely(sheet):
        if not near:
            what = f"it waits for `{name}`, which nothing in these files adds"
            yield seen(
                node, owner, what, "a job that adds it, here or in a folder that you know of", key="Event"
            )


def _lonely(sheet: Sheet) -> Iterator[tuple[str, Node, str, str]]:
    added = {name for _, _, name in _events(sheet, "AddEvents", "Event:Add")}
    awaited = {name for _, _, name in _events(sheet, "WaitForEvents")}
    unused = {name.lower(): name for name in sorted(added - awaited)}
    for owner, node, name in _events(sheet, "WaitForEvents"):
        if name not in added and "%%" not in name and not _OF_A_FLOW.search(name):
            close = difflib.get_close_matches(name.lower(), unused, 3, _NEAR)
            near = [one for one in close if _slip(name.lower(), one)]
            yield owner, node, name, unused[near[0]] if near else ""


def _slip(one: str, other: str) -> bool:
    """Tell a slip of the pen from the next of a series: `FILE_1` is not `FILE_2` misspelt."""
    plain = [re.sub(r"[^a-z0-9]", "", name) for name in (one, other)]
    return plain[0] == plain[1] or len(plain[0]) != len(plain[1]) or sorted(plain[0]) == sorted(plain[1])


def event_not_awaited(sheet: Sheet) -> Iterator[Seen]:
    """An event is added that nobody in the files waits for."""
    awaited = {name for _, _, name in _events(sheet, "WaitForEvents")}
    lonely = {near for _, _, _, near in _lonely(sheet)}
    for owner, node, name in _events(sheet, "AddEvents", "Event:Add"):
        if name not in awaited and name not in lonely and not _OF_A_FLOW.search(name):
            what = f"it adds `{name}`, which nothing in these files waits for"
            yield seen(node, owner, what, "a job that waits for it", key="Event")


def _events(sheet: Sheet, *kinds: str) -> Iterator[tuple[str, Node, str]]:
    """Give owner, place and name of each event of objects of these types."""
    owners = {(job.node.spot.file, job.node.path): job.title for job in sheet.jobs}
    owners |= {(one.node.spot.file, one.node.path): one.name for one in sheet.folders}
    for name, node in typed(sheet):
        if text(node, "Type") not in kinds:
            continue
        owner = _owner(owners, node) or name
        if text(node, "Event"):
            yield owner, node, text(node, "Event")
        for event in listed(node, "Events"):
            if text(event, "Event"):
                yield owner, event, text(event, "Event")
            elif isinstance(event.value, str) and event.value not in {"(", ")", "OR", "AND"}:
                yield owner, event, event.value


def _owner(owners: dict[tuple[str, str], str], node: Node) -> str:
    """Give the title of the innermost job or folder that holds a node."""
    path = node.path
    while path:
        path = path.rpartition("/")[0]
        if (node.spot.file, path) in owners:
            return owners[node.spot.file, path]
    return ""


def flow_unknown_job(sheet: Sheet) -> Iterator[Seen]:
    """A flow names a job that is not in its folder."""
    for folder in sheet.folders:
        names = {key for key, child in fields(folder.node).items() if _is_step(text(child, "Type"))}
        names |= {text(child, "Name") for child in listed(folder.node, "Jobs")}
        for child in fields(folder.node).values():
            if text(child, "Type") != "Flow":
                continue
            for step in listed(child, "Sequence"):
                if isinstance(step.value, str) and step.value not in names:
                    near = difflib.get_close_matches(step.value, names, 1)
                    what = f"the flow names `{step.value}`, which is no job of this folder"
                    yield Seen(
                        step.spot,
                        step.path,
                        folder.name,
                        what,
                        f"`{near[0]}`" if near else "a job of this folder",
                    )


def _is_step(kind: str) -> bool:
    return kind.startswith("Job") or kind in FOLDERS


def job_twice(sheet: Sheet) -> Iterator[Seen]:
    """Two jobs of one folder share a name."""
    first: dict[tuple[str, str], Job] = {}
    for job in sheet.jobs:
        before = first.setdefault((job.folder, job.name), job)
        if before is not job and job.folder and _same_folder(before, job):
            what = f"the folder has a job `{job.name}` in line {before.node.spot.line} already: the server refuses it, or runs only one"
            yield seen(job.node, job.title, what, "a name of its own", key="Name")


def _same_folder(one: Job, other: Job) -> bool:
    return bool(one.folders and other.folders) and one.folders[-1] is other.folders[-1]


def name_twice(sheet: Sheet) -> Iterator[Seen]:
    """Two folders or profiles share a name: the one that is deployed later replaces the other."""
    first: dict[tuple[str, str], Node] = {}
    tops = [("folder", one.name, one.node) for one in sheet.folders]
    tops += [("profile", one.name, one.node) for one in sheet.profiles]
    for kind, name, node in tops:
        before = first.setdefault((kind, name), node)
        if before is not node and before.spot.file != node.spot.file:
            what = f"{before.spot.file}:{before.spot.line} has a {kind} of this name too: the one that is deployed later replaces the other"
            yield Seen(node.spot, node.path, name, what, f"one {kind} of a name")


def profile_not_given(sheet: Sheet) -> Iterator[Seen]:
    """A job names a profile that is in none of the files, although files with profiles were given."""
    names = sorted(profile.name for profile in sheet.profiles if ":FileTransfer:" in profile.type)
    if not names:
        return
    for job in sheet.jobs:
        for key in _REFERENCES if job.type == "Job:FileTransfer" else ():
            node = setting(job, key)
            if node is not None and text(node) not in names and not text(node).startswith("%%"):
                near = difflib.get_close_matches(text(node), names, 1)
                what = f"the profile `{text(node)}` is in none of these files"
                yield Seen(
                    node.spot, node.path, job.title, what, f"`{near[0]}`" if near else "one that is given"
                )


def profile_of_one_agent(sheet: Sheet) -> Iterator[Seen]:
    """A job runs where its profile is not."""
    agents = {
        one.name: text(one.node, "TargetAgent")
        for one in sheet.profiles
        if text(one.node, "TargetAgent") and not flag(one.node, "Centralized")
    }
    for job in sheet.jobs:
        host = text(setting(job, "Host"))
        for key in _REFERENCES if job.type == "Job:FileTransfer" else ():
            node = setting(job, key)
            agent = agents.get(text(node))
            if node is not None and agent and host and host != agent:
                what = f"the profile `{text(node)}` is on the agent `{agent}` alone, and the job runs on `{host}`"
                yield Seen(node.spot, node.path, job.title, what, "a centralized profile")


def sla_alone(sheet: Sheet) -> Iterator[Seen]:
    """A service that no job leads to."""
    for job in sheet.jobs:
        if job.type != "Job:SLAManagement" or parts(job, "WaitForEvents", folders=False):
            continue
        if follows(job):
            continue
        what = "no job leads to it: the service has nothing to watch, and is met at once every day"
        yield seen(
            job.node, job.title, what, "`WaitForEvents` for the last job's event, or the end of a flow"
        )


def sla_without_target(sheet: Sheet) -> Iterator[Seen]:
    """A service with no time to meet."""
    for job in sheet.jobs:
        if job.type == "Job:SLAManagement" and not any(get(job.node, key) for key in _TARGETS):
            what = "the service has no time to meet, so it is never late"
            yield seen(job.node, job.title, what, "`CompleteBy` with the deadline")


def calendar_of_no_parent(sheet: Sheet) -> Iterator[Seen]:
    """A job follows the calendars of a folder that has none."""
    for job in sheet.jobs:
        when = setting(job, "When")
        wanted = [text(one) for one in listed(when, "RuleBasedCalendars", "Included")]
        if _PARENT not in wanted or not job.folders or when is None:
            continue
        if not any(fields(folder, "When", "RuleBasedCalendars") for folder in job.folders):
            what = "it follows the calendars of its folder, which has none: the job is never ordered"
            yield seen(when, job.title, what, "`When` with `RuleBasedCalendars` in the folder")


def end_unverified(sheet: Sheet) -> Iterator[Seen]:
    """A profile does not count the bytes that arrived."""
    for profile in sheet.profiles:
        for protocol, _ in ends(profile):
            off = get(profile.node, "VerifyBytes")
            if protocol == "SFTP" and (off is None or off.value is False):
                what = (
                    "sizes are not compared after a transfer: a file that was cut short counts as delivered"
                )
                yield seen(profile.node, profile.name, what, "`VerifyBytes`: true", key="VerifyBytes")
                break
