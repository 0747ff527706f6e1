"""Does each transfer move the right files, once, whole, in the right order, and clean up after itself?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from landbridge.deploy.controlm.lint.sheet import fields, flag, get, listed, seen, setting, text, transfers_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landbridge.deploy.controlm.lint.finding import Seen
    from landbridge.deploy.controlm.lint.sheet import Job, Sheet, Transfer

_MOST = 5
_TAKES_AWAY = re.compile(r"^(rm|del|delete|erase|mv|move|ren|rename|unlink)\b", re.IGNORECASE)
_DATED = re.compile(r"%%|(?<!\d)20\d{2}[-_]?[01]\d[-_]?[0-3]\d")
_MANIFEST = re.compile(r"manifest|\.(done|ok|trg|trigger|ctl|sem|complete)\b", re.IGNORECASE)
_BUCKETS = ("S3Bucket", "AzureContainer", "GCSBucket", "OCIBucket")


def too_many(sheet: Sheet) -> Iterator[Seen]:
    """A job has more entries than it can."""
    for job in sheet.jobs:
        entries = listed(job.node, "FileTransfers") if job.type == "Job:FileTransfer" else []
        if len(entries) > _MOST:
            what = f"{len(entries)} transfers in one job, which takes {_MOST}"
            yield seen(entries[_MOST], job.title, what, "a second job, after the first")


def wildcard_bare(sheet: Sheet) -> Iterator[Seen]:
    """A pattern that also matches yesterday's file."""
    for transfer in sheet.transfers:
        if (
            not transfer.moves
            or transfer.option.startswith("Sync")
            or not transfer.pattern
            or _DATED.search(transfer.source)
        ):
            continue
        if _forgets_nothing(transfer):
            continue
        what = f"the pattern `{transfer.source}` also matches what was taken before: old files come again"
        yield seen(
            transfer.node,
            transfer.job.title,
            what,
            "the date in the name (a variable), `IncrementalTransfer`, or the source file taken away",
            key=transfer.source_key,
        )


def _forgets_nothing(transfer: Transfer) -> bool:
    """Tell whether something keeps a file from coming twice; a code that is set may be it."""
    if flag(transfer.node, "IncrementalTransfer", "IncrementalTransferEnabled"):
        return True
    if text(transfer.node, "SRCOPT").strip("0"):
        return True
    return bool(_TAKES_AWAY.match(text(transfer.node, f"PostCommand{transfer.source_key}", "action")))


def many_into_one(sheet: Sheet) -> Iterator[Seen]:
    """Several files go to one name."""
    for transfer in sheet.transfers:
        target = transfer.target
        if not transfer.moves or not transfer.pattern or not target or transfer.option.startswith("Sync"):
            continue
        if target.endswith(("/", "\\")) or "%%" in target or re.search(r"[*?]", target):
            continue
        if re.search(r"\.\w{1,5}$", target):
            what = f"all files that match go to the one name `{target}`: each replaces the one before"
            key = "Dest" if transfer.source_key == "Src" else "Src"
            yield seen(transfer.node, transfer.job.title, what, "a folder, ending in `/`", key=key)


def manifest_first(sheet: Sheet) -> Iterator[Seen]:
    """The manifest is on the share before the data."""
    for job in sheet.jobs:
        moving = [one for one in transfers_of(job) if one.moves]
        for at, transfer in enumerate(moving):
            later = [one for one in moving[at + 1 :] if not _MANIFEST.search(one.source)]
            if _MANIFEST.search(transfer.source) and later:
                what = f"transfer {transfer.number} brings the manifest before the data of transfer {later[0].number}: a reader takes the set for whole"
                yield seen(transfer.node, job.title, what, "data first, the manifest last")
                break


def no_temp_name(sheet: Sheet) -> Iterator[Seen]:
    """A reader of the share sees half a file."""
    for transfer in sheet.transfers:
        if _shows_halves(sheet, transfer) and not (
            text(transfer.node, "AddTempFilePrefix") or text(transfer.node, "AddTempFileSuffix")
        ):
            what = f"transfer {transfer.number} writes under the final name: a reader can take half a file"
            yield seen(transfer.node, transfer.job.title, what, '`AddTempFilePrefix`: ".part_"')


def _shows_halves(sheet: Sheet, transfer: Transfer) -> bool:
    """Tell whether the target shows a file while it is written; a bucket does not."""
    if not transfer.moves:
        return False
    side = "Src" if transfer.source_key == "Dest" else "Dest"
    if any(f"{bucket}Name{side}" in fields(transfer.job.node) for bucket in _BUCKETS):
        return False
    wanted = text(setting(transfer.job, f"ConnectionProfile{side}"))
    types = [profile.type for profile in sheet.profiles if profile.name == wanted]
    return not any(re.search(r":(S3|Azure|GCS|OCI)\b", kind) for kind in types)


def no_clean_up(sheet: Sheet) -> Iterator[Seen]:
    """A torn file stays."""
    for transfer in sheet.transfers:
        if _shows_halves(sheet, transfer) and not flag(transfer.node, "DeleteFileOnDestIfFails"):
            what = f"what transfer {transfer.number} has written stays when it fails"
            yield seen(
                transfer.node,
                transfer.job.title,
                what,
                "`DeleteFileOnDestIfFails`: true",
                key="DeleteFileOnDestIfFails",
            )


def continues(sheet: Sheet) -> Iterator[Seen]:
    """It goes on after a failure."""
    for transfer in sheet.transfers:
        if flag(transfer.node, "ContinueOnFailure") and len(listed(transfer.job.node, "FileTransfers")) > 1:
            what = f"after a failure of transfer {transfer.number} the next ones go on: a manifest arrives without its data"
            yield seen(transfer.node, transfer.job.title, what, "false", key="ContinueOnFailure")


def ascii_transfer(sheet: Sheet) -> Iterator[Seen]:
    """Bytes are changed on the way."""
    for transfer in sheet.transfers:
        if transfer.moves and text(transfer.node, "TransferType") == "Ascii":
            what = "line ends are changed on the way: size and sha256 no longer match, and compressed files break"
            yield seen(transfer.node, transfer.job.title, what, "`Binary`", key="TransferType")


def no_retries(sheet: Sheet) -> Iterator[Seen]:
    """One lost connection fails the job."""
    for job in sheet.jobs:
        retries = setting(job, "NumberOfRetries")
        if job.type == "Job:FileTransfer" and retries is not None and text(retries).strip() == "0":
            what = "one connection that is refused or lost fails the job"
            yield seen(job.node, job.title, what, '"3" or more', key="NumberOfRetries")


def rerun_from_start(sheet: Sheet) -> Iterator[Seen]:
    """A rerun moves again what has been moved."""
    for job in sheet.jobs:
        several = list(transfers_of(job))
        if len(several) < 2 or _on_a_bucket(job):  # noqa: PLR2004 # two make an order
            continue
        if not flag(setting(job, "RerunFromPointOfFailure")):
            what = "a rerun moves again what has been moved: files appear twice on the share"
            yield seen(
                job.node, job.title, what, "`RerunFromPointOfFailure`: true", key="RerunFromPointOfFailure"
            )


def rerun_on_bucket(sheet: Sheet) -> Iterator[Seen]:
    """A rerun cannot append to an object."""
    for job in sheet.jobs:
        if (
            job.type == "Job:FileTransfer"
            and _on_a_bucket(job)
            and flag(setting(job, "RerunFromPointOfFailure"))
        ):
            what = (
                "an object cannot be appended to: a rerun from the point of failure does not work on a bucket"
            )
            yield seen(job.node, job.title, what, "false", key="RerunFromPointOfFailure")


def _on_a_bucket(job: Job) -> bool:
    return any(key.startswith(_BUCKETS) for key in fields(job.node))


def command_failure_ignored(sheet: Sheet) -> Iterator[Seen]:
    """A command after the transfer fails and the job ends well."""
    for transfer in sheet.transfers:
        for side, key in (("Src", "FailJobOnSourceCommandFailure"), ("Dest", "FailJobOnDestCommandFailure")):
            command = get(transfer.node, f"PostCommand{side}") or get(transfer.node, f"PreCommand{side}")
            if command is not None and not flag(transfer.node, key):
                what = f"the job ends well even when its command on the {'source' if side == 'Src' else 'destination'} side fails"
                yield seen(command, transfer.job.title, what, f"`{key}`: true")
