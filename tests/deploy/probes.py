"""Which steps of the product use which permission, one step each? Small, and made with the product's own stores."""

from __future__ import annotations

import hashlib
import itertools
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from landbridge.errors import IntegrityBroken, StoreConflict
from landbridge.facts import Content, Location
from landbridge.stores.s3 import S3Store
from landbridge.stores.s3_asked import Asked
from landbridge.stores.s3_parts import Sizes
from landbridge.stores.s3_parts import upload as upload_in_parts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from landbridge.ports import Blob
    from tests.deploy.enforcing import Enforcing

STAGING, REPORTS, LEDGER = "acme-dev-staging", "acme-dev-reports", "acme-dev-ledger"
COPIES, UPSTREAM = "acme-dev-copies", "acme-upstream"
MIB = 1 << 20
SMALL = b"one small file"
LARGE = bytes(6 * MIB)
SIZES = Sizes(copy_limit=1 << 30, copy_part=5 * MIB, part=5 * MIB)
IN_PARTS = Sizes(copy_limit=0, copy_part=5 * MIB, part=5 * MIB)
_COUNT = itertools.count(1)


def content_of(body: bytes) -> Content:
    return Content(len(body), hashlib.sha256(body).hexdigest(), 1)


@dataclass(frozen=True)
class Ground:
    """What is there before a probe, put by the admin."""

    server: Enforcing
    folder: Path
    draft: Location
    """A versioned draft."""

    def store(self, role: str, bucket: str, sizes: Sizes = SIZES) -> S3Store:
        return S3Store(bucket, account=self.server.account(role), sizes=sizes)

    def begun(self, bucket: str, key: str) -> int:
        """Count uploads in parts that nobody ended."""
        listed = self.server.admin.list_multipart_uploads(Bucket=bucket, Prefix=key)
        return len([one for one in listed.get("Uploads", ()) if one["Key"] == key])


@dataclass(frozen=True)
class Probe:
    """One step."""

    role: str
    name: str
    needs: frozenset[tuple[str, str]]
    """Statement and permission, as far as a server enforces them."""
    do: Callable[[Ground, str], object]
    """Given the ground and the role; raises when it cannot."""


def fresh(prefix: str) -> str:
    return f"{prefix}{next(_COUNT)}"


def _file(ground: Ground, body: bytes) -> tuple[Path, Content]:
    content = content_of(body)
    path = ground.folder / content.sha256
    if not path.exists():
        path.write_bytes(body)
    return path, content


def _staged(body: bytes) -> Callable[[Ground, str], object]:
    def do(ground: Ground, role: str) -> Blob:
        return ground.store(role, STAGING).put_file(fresh("drafts/orders/"), *_file(ground, body))

    return do


def _begun_and_left(bucket: str, prefix: str) -> Callable[[Ground, str], object]:
    """Begin an upload in parts, fail, and see that it was taken back."""

    def do(ground: Ground, role: str) -> None:
        key = fresh(prefix)
        client = ground.server.account(role).client
        with suppress(StoreConflict), upload_in_parts(client, bucket, key, content_of(SMALL)):
            raise StoreConflict("on purpose")
        if ground.begun(bucket, key):
            raise IntegrityBroken(f"{bucket}/{key} was begun and is left")

    return do


def _left_by_a_changed_file(ground: Ground, role: str) -> None:
    key = fresh("drafts/orders/")
    path, _ = _file(ground, LARGE)
    other = Content(len(LARGE), "0" * 64, 1)
    with suppress(IntegrityBroken):
        ground.store(role, STAGING).put_file(key, path, other)
    if ground.begun(STAGING, key):
        raise IntegrityBroken(f"{key} was begun and is left")


def _created(bucket: str, prefix: str) -> Callable[[Ground, str], object]:
    return lambda ground, role: ground.store(role, bucket).put_new(fresh(prefix), SMALL)


def _conflicting(bucket: str, key: str) -> Callable[[Ground, str], object]:
    """Write what is there already with other bytes: the store has to look whose they are."""

    def do(ground: Ground, role: str) -> None:
        try:
            ground.store(role, bucket).put_new(key, b"theirs")
        except StoreConflict:
            return
        raise IntegrityBroken(f"{key} was overwritten")

    return do


def _copied(bucket: str, prefix: str, sizes: Sizes = SIZES) -> Callable[[Ground, str], object]:
    return lambda ground, role: ground.store(role, bucket, sizes).copy_new(
        ground.draft, fresh(prefix), content_of(SMALL)
    )


def _listed(bucket: str, prefix: str) -> Callable[[Ground, str], object]:
    return lambda ground, role: list(ground.store(role, bucket).list(prefix))


def _read(bucket: str, key: str) -> Callable[[Ground, str], object]:
    return lambda ground, role: ground.store(role, bucket).read(key)


def _headed(bucket: str, key: str) -> Callable[[Ground, str], object]:
    def do(ground: Ground, role: str) -> None:
        if ground.store(role, bucket).head(key) is None:
            raise IntegrityBroken(f"{key} is not seen")

    return do


def _copied_onto(bucket: str, key: str) -> Callable[[Ground, str], object]:
    """Copy to a name that other bytes have."""

    def do(ground: Ground, role: str) -> None:
        try:
            ground.store(role, bucket).copy_new(ground.draft, key, content_of(SMALL))
        except StoreConflict:
            return
        raise IntegrityBroken(f"{key} was overwritten")

    return do


def _streamed(bucket: str, key: str) -> Callable[[Ground, str], object]:
    """Read an object of which no version is known yet, as a source's."""

    def do(ground: Ground, role: str) -> None:
        for _ in ground.store(role, bucket).chunks(Location(f"s3://{bucket}", key), 5 * MIB):
            pass

    return do


def _removed(bucket: str, prefix: str) -> Callable[[Ground, str], object]:
    """Remove one version for good, and see that it is gone."""

    def do(ground: Ground, role: str) -> None:
        key, admin = fresh(prefix), ground.server.admin
        put = admin.put_object(Bucket=bucket, Key=key, Body=SMALL)
        ground.store(role, bucket).remove(Location(f"s3://{bucket}", key, put["VersionId"], put["ETag"]))
        left = admin.list_object_versions(Bucket=bucket, Prefix=key)
        if left.get("Versions") or left.get("DeleteMarkers"):
            raise IntegrityBroken(f"{key} is still there")

    return do


def _versions_read(ground: Ground, role: str) -> None:
    store = ground.store(role, REPORTS)
    for blob in store.versions("receipts/2026-11-20/a.json"):
        for _ in store.chunks(blob.at):
            pass


def _seen(
    setting: Literal["versioned", "encryption", "policy", "lifecycle"],
) -> Callable[[Ground, str], object]:
    """Look at a setting of a bucket, as `landbridge doctor` does."""

    def do(ground: Ground, role: str) -> object:
        asked = Asked(ground.server.session(role), ground.server.endpoint)
        return {
            "versioned": asked.versioned,
            "encryption": asked.encryption,
            "policy": asked.policy,
            "lifecycle": asked.lifecycle,
        }[setting](STAGING)

    return do


def _fetched(ground: Ground, role: str) -> object:
    return ground.store(role, STAGING).fetch(ground.draft, ground.folder / fresh("came"))


def _of(statement: str, *actions: str) -> frozenset[tuple[str, str]]:
    return frozenset((statement, f"s3:{action}") for action in actions)


FOREIGN, FOREIGN_VERDICT = "outbound/orders/foreign.csv", "2026-11-20/foreign/2026-11-20/0001.json"
VERDICT = "2026-11-20/orders/2026-11-20/0001.json"
PUT, GET, VERSION, LIST = "PutObject", "GetObject", "GetObjectVersion", "ListBucket"
REMOVE = "DeleteObjectVersion"
OTHERS = b"others"
"""As long as what `_conflicting` wants to write, and without a digest: it has to be read."""
THERE = {
    (LEDGER, VERDICT),
    (REPORTS, "outbound/orders/a.csv"),
    (REPORTS, "receipts/2026-11-20/a.json"),
    (COPIES, "kept/a.csv"),
    (UPSTREAM, "in/a.csv"),
    (STAGING, "watch/1.json"),
    (STAGING, "quarantine/orders/other.csv"),
}
FOREIGN_THERE = {(REPORTS, FOREIGN), (LEDGER, FOREIGN_VERDICT), (COPIES, "kept/foreign.csv")}
LARGE_THERE = {(UPSTREAM, "in/large.csv"), (COPIES, "kept/large.csv")}
_STAGED = _of("Stage", VERSION)

PROBES = (
    Probe("pod", "stage", _of("Stage", PUT), _staged(SMALL)),
    Probe("pod", "stage in parts", _of("Stage", PUT), _staged(LARGE)),
    Probe("pod", "take back a draft", _of("Stage", PUT), _begun_and_left(STAGING, "drafts/o/")),
    Probe("pod", "take back a draft that changed", _of("Stage", PUT), _left_by_a_changed_file),
    Probe("pod", "read the draft back", _STAGED, _fetched),
    Probe("pod", "quarantine", _STAGED | _of("Stage", PUT), _copied(STAGING, "quarantine/orders/")),
    Probe(
        "pod",
        "find another file in quarantine",
        _STAGED | _of("Stage", PUT, GET),
        _copied_onto(STAGING, "quarantine/orders/other.csv"),
    ),
    Probe("pod", "see drafts", _of("StageSees", LIST), _listed(STAGING, "drafts/orders/")),
    Probe("pod", "commit", _of("Commit", PUT), _created(LEDGER, "2026-11-20/orders/")),
    Probe("pod", "lose the commit", _of("Commit", PUT, GET), _conflicting(LEDGER, VERDICT)),
    Probe(
        "pod",
        "read what somebody else put under a verdict's name",
        _of("Commit", PUT, GET, VERSION),
        _conflicting(LEDGER, FOREIGN_VERDICT),
    ),
    Probe("pod", "read a verdict", _of("Commit", GET), _read(LEDGER, VERDICT)),
    Probe("pod", "see revisions", _of("CommitSees", LIST), _listed(LEDGER, "2026-11-20/orders/")),
    Probe("pod", "promote", _STAGED | _of("Promote", PUT), _copied(REPORTS, "outbound/orders/")),
    Probe(
        "pod",
        "promote in parts",
        _STAGED | _of("Promote", PUT),
        _copied(REPORTS, "outbound/orders/", IN_PARTS),
    ),
    Probe(
        "pod",
        "take back a copy",
        _of("Promote", PUT),
        _begun_and_left(REPORTS, "outbound/orders/"),
    ),
    Probe("pod", "write a manifest", _of("Promote", PUT), _created(REPORTS, "outbound/_manifests/x/")),
    Probe("pod", "see a release", _of("Promote", GET), _headed(REPORTS, "outbound/orders/a.csv")),
    Probe(
        "pod",
        "read what somebody else put under a final name",
        _of("Promote", PUT, GET, VERSION),
        _conflicting(REPORTS, FOREIGN),
    ),
    Probe("pod", "see releases", _of("PromoteSees", LIST), _listed(REPORTS, "outbound/orders/")),
    Probe(
        "pod", "deliver to a further place", _STAGED | _of("PromoteFurther", PUT), _copied(COPIES, "kept/")
    ),
    Probe(
        "pod",
        "take back a copy in a further place",
        _of("PromoteFurther", PUT),
        _begun_and_left(COPIES, "kept/"),
    ),
    Probe("pod", "see a further copy", _of("PromoteFurther", GET), _headed(COPIES, "kept/a.csv")),
    Probe(
        "pod",
        "read what somebody else put into a further place",
        _of("PromoteFurther", PUT, GET, VERSION),
        _conflicting(COPIES, "kept/foreign.csv"),
    ),
    Probe("pod", "find a source", _of("SourceSees", LIST), _listed(UPSTREAM, "in/")),
    Probe("pod", "read a source", _of("Source", GET), _read(UPSTREAM, "in/a.csv")),
    Probe("pod", "read a large source", _of("Source", GET, VERSION), _streamed(UPSTREAM, "in/large.csv")),
    Probe(
        "operator",
        "read a draft",
        _of("ReadStaging", VERSION),
        lambda ground, role: list(ground.store(role, STAGING).chunks(ground.draft)),
    ),
    Probe(
        "operator",
        "read a draft of no version",
        _of("ReadStaging", GET),
        _streamed(STAGING, "drafts/orders/a.csv"),
    ),
    Probe("operator", "see drafts", _of("SeeStaging", LIST), _listed(STAGING, "drafts/orders/")),
    Probe("operator", "read a verdict", _of("ReadLedger", GET), _read(LEDGER, VERDICT)),
    Probe("operator", "see a day", _of("SeeLedger", LIST), _listed(LEDGER, "2026-11-20/")),
    Probe("operator", "read a release", _of("ReadReports", GET), _read(REPORTS, "outbound/orders/a.csv")),
    Probe("operator", "see releases", _of("SeeReports", LIST), _listed(REPORTS, "outbound/")),
    Probe(
        "operator",
        "see the versions of a receipt",
        _of("SeeReports", "ListBucketVersions"),
        lambda ground, role: ground.store(role, REPORTS).versions("receipts/2026-11-20/a.json"),
    ),
    Probe(
        "operator",
        "read the versions of a receipt",
        _of("SeeReports", "ListBucketVersions") | _of("ReadReports", VERSION),
        _versions_read,
    ),
    Probe("operator", "read a further copy", _of("ReadFurther", GET), _streamed(COPIES, "kept/a.csv")),
    Probe(
        "operator",
        "read a large further copy",
        _of("ReadFurther", GET, VERSION),
        _streamed(COPIES, "kept/large.csv"),
    ),
    Probe("operator", "see versioning", _of("SeeSettings", "GetBucketVersioning"), _seen("versioned")),
    Probe(
        "operator", "see encryption", _of("SeeSettings", "GetEncryptionConfiguration"), _seen("encryption")
    ),
    Probe("operator", "see a bucket's policy", _of("SeeSettings", "GetBucketPolicy"), _seen("policy")),
    Probe("operator", "see a lifecycle", _of("SeeSettings", "GetLifecycleConfiguration"), _seen("lifecycle")),
    Probe("watch", "remember what was told", _of("Remember", PUT), _created(STAGING, "watch/")),
    Probe("watch", "read what was told", _of("Remember", GET), _read(STAGING, "watch/1.json")),
    Probe("watch", "find what was told", _of("RememberSees", LIST), _listed(STAGING, "watch/")),
    Probe("reaper", "remove a draft", _of("ReapKept", REMOVE), _removed(STAGING, "drafts/orders/")),
    Probe(
        "reaper",
        "remove what is in quarantine",
        _of("ReapKept", REMOVE),
        _removed(STAGING, "quarantine/orders/"),
    ),
    Probe("reaper", "remove a release", _of("ReapReleased", REMOVE), _removed(REPORTS, "outbound/orders/")),
)
