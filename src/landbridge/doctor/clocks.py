"""Do the clocks agree: this machine's, S3's, the SFTP server's, the share's?"""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from landbridge.doctor.finding import broken, ok, skipped, warn
from landbridge.doctor.identity import role_of
from landbridge.errors import Exit, disk_refused
from landbridge.naming import CANARY, DRAFTS, OUTBOUND, RECEIPTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landbridge.doctor.finding import Finding
    from landbridge.doctor.patient import Patient

SUSPECT = timedelta(seconds=30)
"""From here on it is said."""
WRONG = timedelta(minutes=5)
"""From here on it is broken: S3 refuses signatures that are 15 minutes off, and tokens and leases end by the clock."""


def cloud(patient: Patient) -> Iterator[Finding]:
    """Hold this clock against S3's, which its answers carry."""
    own = patient.place.buckets
    for who in patient.identities()[:1]:
        watch = role_of(patient, who) == "operator"
        bucket, prefix = (own.reports, f"{OUTBOUND}/") if watch else (own.staging, f"{DRAFTS}/")
        before = patient.now()
        told = who.asked.now(bucket, prefix)
        yield _judged("S3", told, before, patient.now())


def ground(patient: Patient) -> Iterator[Finding]:
    """Hold this clock against the times that SFTP server and share give to what is written now."""
    yield _sftp(patient)
    yield _share(patient)


def _sftp(patient: Patient) -> Finding:
    before = patient.now()
    remote = patient.remote()
    remote.write(f"{TRACES}/{TRACE}", trace(patient))
    told = remote.told_time(TRACES, TRACE)
    if told is None:
        return skipped("SFTP server", "it tells no times")
    return _judged("SFTP server", datetime.fromtimestamp(told, UTC), before, patient.now())


def _share(patient: Patient) -> Finding:
    shore = patient.shore()
    private = shore.private(patient.environment)
    if not private.is_dir():
        return skipped("share", "there is no share to ask: see `share`")
    trial, before = private / f"doctor-{os.urandom(8).hex()}", patient.now()
    try:
        trial.touch(exist_ok=False)
        told = datetime.fromtimestamp(trial.stat().st_mtime, UTC)
    except OSError as error:
        raise disk_refused(error, f"writing {trial}") from error
    finally:
        with suppress(OSError):
            trial.unlink(missing_ok=True)
    return _judged("share", told, before, patient.now())


TRACES = f"/{RECEIPTS}/{CANARY}"
"""Beside the receipts of canaries, where the bucket forgets it."""
TRACE = "doctor.txt"
"""The one object that an examination leaves: the receipts' folder may be added to, and nothing be removed from it."""


def trace(patient: Patient) -> bytes:
    """Give what is written there; the same each time."""
    return (
        f"landbridge doctor of {patient.place.project} {patient.environment}; of no use to anybody\n".encode()
    )


def _judged(what: str, told: datetime, before: datetime, after: datetime) -> Finding:
    """Judge a time that was told between two looks at our own clock; a time may have been cut to the second."""
    slack = timedelta(seconds=1)
    skew = max(before - slack - told, told - after - slack, timedelta())
    seen = f"{skew.total_seconds():.0f} s apart" if skew else "they agree"
    if skew >= WRONG:
        return broken(what, f"{seen} (this machine says {after:%Y-%m-%d %H:%M:%S} UTC)", Exit.PERMISSION)
    if skew >= SUSPECT:
        return warn(what, f"{seen} (this machine says {after:%Y-%m-%d %H:%M:%S} UTC)")
    return ok(what, seen)
