"""Is the share there, ours, whole, roomy enough, and able to place files without replacing any?"""

from __future__ import annotations

import shutil
from datetime import timedelta
from typing import TYPE_CHECKING

from landbridge.counted import counted
from landbridge.disk.local import LOCAL
from landbridge.doctor.finding import broken, ok, skipped, warn
from landbridge.errors import Exit, disk_refused
from landbridge.share.holding import usual_place
from landbridge.share.journal import Journal
from landbridge.share.machine import THIS
from landbridge.share.platform import Way, way_of
from landbridge.share.volume import recognise

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landbridge.doctor.finding import Finding
    from landbridge.doctor.patient import Patient, Shore
    from landbridge.share.volume import Recognised

LOOK_BACK = timedelta(days=45)
"""Days of business whose files say how much room is wanted."""
LEAST = 1 << 30
"""Bytes that should be free whatever the files were."""
_ROOM = 3
"""So many times the largest day should fit: the day, its repetition, and a consumer who is late."""


def marker(patient: Patient) -> Iterator[Finding]:
    """See that the folder is the share that was adopted, with its own journal."""
    shore, volume = patient.shore(), _recognised(patient)
    lost = volume.marker.lost_before
    if lost is not None:
        seen = (
            f"a journal was lost before {lost:%Y-%m-%d %H:%M} UTC; what is older and has no receipt is asked"
        )
        yield warn("", seen, "answer what `landbridge collect` asks, with --deliver or --delivered")
    else:
        yield ok("", f"{shore.root}, volume {volume.marker.volume}")


def placing(patient: Patient) -> Iterator[Finding]:
    """See how its file system gives a file its name without replacing another: tried with two files of our own, removed again."""
    private = _recognised(patient).private
    try:
        way = way_of(THIS, private)
    except OSError as error:
        raise disk_refused(error, f"placing a file in {private}") from error
    yield ok("", "one atomic step" if way is Way.RENAME else "link and unlink, as on NFS")


def journal(patient: Patient) -> Iterator[Finding]:
    """See that every line of the journal of the last weeks can be read."""
    _recognised(patient)
    count, _ = _landed(patient, patient.shore())
    yield ok("", f"{counted(count, 'file')} landed in {counted(LOOK_BACK.days, 'day')}")


def locking(patient: Patient) -> Iterator[Finding]:
    """See that a collector can hold its lock: taken and given back at once."""
    shore = patient.shore()
    _recognised(patient)
    try:
        held = LOCAL.lock(shore.journal / f"{shore.collector}.lock")
    except BlockingIOError:
        yield ok("", f"held: a collector named {shore.collector} is at work")
        return
    except OSError as error:
        raise disk_refused(error, f"locking in {shore.journal}") from error
    if held is None:
        seen = "this file system has no locks: two collectors of one name would not notice each other"
        yield warn("", seen, "give each host its own LANDBRIDGE_COLLECTOR, and start one collector a host")
    else:
        LOCAL.close(held)
        yield ok("", f"taken as {shore.collector} and given back")


def room(patient: Patient) -> Iterator[Finding]:
    """See that what usually comes in a day fits several times, on the share and where the journal is."""
    shore = patient.shore()
    _recognised(patient)
    _, most = _landed(patient, shore)
    wanted = max(_ROOM * most, LEAST)
    for what, folder in (("share", shore.root), ("journal", shore.journal)):
        yield roomy(what, shutil.disk_usage(folder).free, most, wanted)


def roomy(what: str, free: int, most: int, wanted: int) -> Finding:
    """Judge free bytes by the most that came in one day and by what should fit."""
    seen = f"{free >> 20:,} MiB free, the largest day had {most >> 20:,} MiB"
    if free <= most:
        return broken(what, f"{seen}: it does not fit again", Exit.CANNOT_CREATE)
    return warn(what, f"{seen}, {wanted >> 20:,} MiB should be") if free < wanted else ok(what, seen)


def holding(patient: Patient) -> Iterator[Finding]:
    """See that Control-M has a folder for each feed, where it moves the files."""
    declared = patient.place.controlm
    if declared is None or declared.style != "native":
        yield skipped("", "no mover brings files here: `controlm.style` is not `native`")
        return
    share, root = patient.place.share, patient.shore().root
    folder = (
        patient.declared.folder / patient.text(share.holding)
        if share.holding
        else usual_place(root, patient.environment)
    )
    lacking = [feed.feed for feed in patient.feeds if not (folder / feed.feed).is_dir()]
    if lacking:
        seen = f"{folder} has no folder of {', '.join(lacking)}"
        yield broken("", seen, Exit.CANNOT_CREATE, "landbridge land --environment {environment} --prepare")
    elif folder.stat().st_dev != root.stat().st_dev:
        yield ok("", f"{folder}, on another volume than the share: files are copied, as ever")
    else:
        yield ok("", f"{folder}, {counted(len(patient.feeds), 'feed')}")


def _recognised(patient: Patient) -> Recognised:
    shore = patient.shore()
    return recognise(LOCAL, shore.private(patient.environment), shore.journal)


def _landed(patient: Patient, shore: Shore) -> tuple[int, int]:
    """Give how many files landed lately, and the most bytes of one business date."""
    since = patient.now().date() - LOOK_BACK
    book = Journal(LOCAL, shore.journal, shore.collector)
    days: dict[object, int] = {}
    count = 0
    try:
        for account in book.accounts(since):
            for receipt in account.landed.values():
                count += 1
                days[receipt.business_date] = days.get(receipt.business_date, 0) + receipt.size
    finally:
        book.close()
    return count, max(days.values(), default=0)
