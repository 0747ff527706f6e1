"""Does a watcher end, watch what is meant, and check every file that it lets through?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from landbridge.deploy.controlm.lint.sheet import fields, flag, get, seen, setting, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landbridge.deploy.controlm.lint.finding import Seen
    from landbridge.deploy.controlm.lint.sheet import Sheet

_OPTIONS = "FileWatcherOptions"
_CRITERIA = ("MinDetectedSizeInBytes", "MinFileAge", "MaxFileAge")


def no_limit(sheet: Sheet) -> Iterator[Seen]:
    """It waits for ever."""
    expected = "a limit from the deadline: `WaitUntil` and `HHMM`, or minutes"
    for transfer in sheet.transfers:
        limit = text(transfer.node, _OPTIONS, "TimeLimitValue")
        if not transfer.watches or limit.strip("0"):
            continue
        if text(transfer.node, "TIMELIMIT").strip("0"):
            continue  # a code, but a limit
        if limit and text(transfer.node, _OPTIONS, "TimeLimitPolicy") == "WaitUntil":
            continue  # midnight
        options = get(transfer.node, _OPTIONS) or transfer.node
        what = f"the watcher of transfer {transfer.number} waits for ever when the file does not come"
        yield seen(options, transfer.job.title, what, expected, key="TimeLimitValue")
    for job in sheet.jobs:
        if job.type.startswith("Job:FileWatcher"):
            limit_node = setting(job, "TimeLimit")
            if limit_node is None or not text(limit_node).strip("0"):
                what = "the watcher waits for ever when nothing happens"
                yield seen(
                    job.node, job.title, what, "`TimeLimit` in minutes, from the deadline", key="TimeLimit"
                )


def not_watching(sheet: Sheet) -> Iterator[Seen]:
    """It has criteria and a limit, and does not watch."""
    for transfer in sheet.transfers:
        options = fields(transfer.node, _OPTIONS)
        wanted = [
            key
            for key in (*_CRITERIA, "TimeLimitValue")
            if text(transfer.node, _OPTIONS, key).strip("0") and key in options
        ]
        if wanted and not transfer.watches:
            what = f"`{transfer.option}` does not watch: `{wanted[0]}` counts for nothing, and the job fails when the file is not there yet"
            yield seen(transfer.node, transfer.job.title, what, "a FileWatcher option", key="TransferOption")


def first_file_only(sheet: Sheet) -> Iterator[Seen]:
    """Its criteria are held against the first file and no other."""
    for transfer in sheet.transfers:
        options = get(transfer.node, _OPTIONS)
        if options is None or not flag(options, "TransferAllMatchingFiles"):
            continue
        wanted = [key for key in _CRITERIA if text(options, key).strip("0")]
        if wanted and transfer.moves:
            what = (
                f"`{wanted[0]}` is checked on the first file only; the other files that match move unchecked"
            )
            yield seen(
                options, transfer.job.title, what, "one name a transfer", key="TransferAllMatchingFiles"
            )


def size_unchecked(sheet: Sheet) -> Iterator[Seen]:
    """It takes a file in the making, where the source shows one."""
    for transfer in sheet.transfers:
        if not transfer.watches:
            continue
        options = get(transfer.node, _OPTIONS)
        if text(options, "MinDetectedSizeInBytes").strip("0") or text(options, "MinFileAge").strip("0"):
            continue
        what = "the watcher is content with an empty file"
        yield seen(
            options or transfer.node,
            transfer.job.title,
            what,
            '`MinDetectedSizeInBytes` of "1" at least',
            key="MinDetectedSizeInBytes",
        )
