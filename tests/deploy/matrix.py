"""Who may do what, where? One table for every server that enforces the policy documents; what is not in it is refused."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy_boto3_s3 import S3Client

Who = Literal["pod", "operator", "watch", "reaper", "sftp-user", "stranger"]
WHO: tuple[Who, ...] = ("pod", "operator", "watch", "reaper", "sftp-user", "stranger")
"""The stranger holds the pod's role of another project in the same account."""

PLACES = {
    "drafts": ("acme-dev-staging", "drafts/orders/"),
    "quarantine": ("acme-dev-staging", "quarantine/orders/"),
    "told": ("acme-dev-staging", "watch/dev/"),
    "elsewhere in staging": ("acme-dev-staging", "elsewhere/"),
    "verdicts": ("acme-dev-ledger", "2026-11-20/orders/"),
    "elsewhere in the ledger": ("acme-dev-ledger", "elsewhere/"),
    "outbound": ("acme-dev-reports", "outbound/orders/"),
    "beside outbound": ("acme-dev-reports", "outbound-b/"),
    "receipts": ("acme-dev-reports", "receipts/2026-11-20/"),
    "elsewhere in reports": ("acme-dev-reports", "elsewhere/"),
    "a further place": ("acme-dev-copies", "kept/"),
    "beside a further place": ("acme-dev-copies", "elsewhere/"),
    "a source": ("acme-upstream", "in/"),
    "beside a source": ("acme-upstream", "elsewhere/"),
}
THERE = "there.csv"

DEEDS: dict[str, Callable[[S3Client, str, str], object]] = {
    "put": lambda s3, bucket, prefix: s3.put_object(Bucket=bucket, Key=f"{prefix}new.csv", Body=b"new"),
    "copy a draft to": lambda s3, bucket, prefix: s3.copy_object(
        Bucket=bucket,
        Key=f"{prefix}copied.csv",
        CopySource={"Bucket": "acme-dev-staging", "Key": f"drafts/orders/{THERE}"},
    ),
    "get": lambda s3, bucket, prefix: s3.get_object(Bucket=bucket, Key=prefix + THERE)["Body"].read(),
    "list": lambda s3, bucket, prefix: s3.list_objects_v2(Bucket=bucket, Prefix=prefix),
    "list versions of": lambda s3, bucket, prefix: s3.list_object_versions(Bucket=bucket, Prefix=prefix),
    "delete": lambda s3, bucket, prefix: s3.delete_object(Bucket=bucket, Key=f"{prefix}doomed.csv"),
    "remove a version in": lambda s3, bucket, prefix: s3.delete_object(
        Bucket=bucket, Key=f"{prefix}doomed.csv", VersionId="null"
    ),
}

_READS = {"drafts", "quarantine", "verdicts", "elsewhere in the ledger", "outbound"}
_POD = {
    "put": {*_READS, "a further place"},
    "copy a draft to": {*_READS, "a further place"},
    "get": {*_READS, "a further place", "a source"},
    "list": {"drafts", "quarantine", "verdicts", "outbound", "a source"},
}
_OPERATOR = {
    "get": {*_READS, "receipts", "a further place"},
    "list": {"drafts", "quarantine", "verdicts", "outbound", "receipts"},
    "list versions of": {"outbound", "receipts"},
}
_TOLD = {"put": {"told"}, "copy a draft to": {"told"}, "get": {"told"}, "list": {"told"}}

MAY: dict[Who, dict[str, set[str]]] = {
    "pod": _POD,
    "operator": _OPERATOR,
    "watch": {
        deed: _POD.get(deed, set()) | _OPERATOR.get(deed, set()) | _TOLD.get(deed, set()) for deed in DEEDS
    },
    "reaper": {
        **{deed: places - {"a further place"} for deed, places in _OPERATOR.items()},
        "remove a version in": {"drafts", "quarantine", "outbound"},
    },
    "sftp-user": {
        "put": {"receipts"},
        "get": {"outbound", "receipts"},
        "list": {"outbound", "receipts"},
        "delete": {"outbound"},  # this declaration says `sftp_may_delete`
    },
    "stranger": {},
}
"""Nobody writes a receipt but the SFTP user, nobody releases but the pod (and the watch that runs what was missed),
nobody removes for good but the reaper, and it never hides anything by a delete marker."""

_FAILURES = {
    ("put", "verdicts"): "a forged verdict",
    ("put", "outbound"): "a file that met no contract is collected",
    ("copy a draft to", "outbound"): "a draft that met no contract is collected",
    ("put", "receipts"): "a delivery that never was is proven",
    ("copy a draft to", "receipts"): "a delivery that never was is proven",
    ("put", "drafts"): "bytes are changed before validation",
    ("put", "quarantine"): "the evidence of a breach is changed",
    ("put", "told"): "an alarm is silenced",
    ("copy a draft to", "told"): "an alarm is silenced",
    ("get", "drafts"): "unchecked personal data is read",
    ("get", "quarantine"): "personal data is read where it broke its contract",
    ("get", "outbound"): "somebody else's report is read",
    ("get", "a source"): "the source's data is read around its owner",
    ("delete", "verdicts"): "a verdict is lost, and its file released twice",
    ("delete", "outbound"): "a file is gone before it was collected",
    ("delete", "receipts"): "a delivery can no longer be proven, and is made again",
    ("delete", "drafts"): "a committed file can no longer be promoted",
    ("delete", "quarantine"): "the evidence of a breach is lost",
    ("remove a version in", "verdicts"): "a verdict is gone for good, and its file released twice",
    ("remove a version in", "receipts"): "a delivery can never be proven again",
    ("list", "receipts"): "who collected what is seen",
    ("list", "outbound"): "names of reports are seen",
}
_OF_A_DEED = {
    "put": "a role grows into places that nobody reviews",
    "copy a draft to": "data leaves by a copy inside S3",
    "get": "data is read that the role has no business with",
    "list": "names are seen that the role has no business with",
    "list versions of": "old versions are found",
    "delete": "something is lost that nobody but the lifecycle removes",
    "remove a version in": "something is gone for good, whatever versioning was meant for",
}


@dataclass(frozen=True)
class Case:
    """One cell."""

    who: Who
    deed: str
    place: str

    @property
    def allowed(self) -> bool:
        return self.place in MAY[self.who].get(self.deed, set())

    @property
    def failure(self) -> str:
        """Name what goes wrong when the answer is the other one."""
        if self.allowed:
            return f"a step of {self.who} ends with 77: it cannot {self.deed} {self.place}"
        return _FAILURES.get((self.deed, self.place), _OF_A_DEED[self.deed])

    def __str__(self) -> str:
        return f"{self.who} {'may' if self.allowed else 'may not'} {self.deed} {self.place}"

    def seen(self, s3: S3Client) -> bool:
        """Do it, and tell whether it was allowed."""
        try:
            DEEDS[self.deed](s3, *PLACES[self.place])
        except ClientError as error:
            code = error.response["Error"]["Code"]
            assert code in {"AccessDenied", "403"}, f"{self}: {code} is no answer about permissions"
            return False
        return True


def cases() -> Iterator[Case]:
    for who in WHO:
        for deed in DEEDS:
            for place in PLACES:
                yield Case(who, deed, place)


def lay_out(admin: S3Client) -> None:
    """Put an object at every place, in buckets that are made where they are missing."""
    for bucket in sorted({bucket for bucket, _ in PLACES.values()}):
        with contextlib.suppress(
            admin.exceptions.BucketAlreadyOwnedByYou, admin.exceptions.BucketAlreadyExists
        ):
            admin.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
    for bucket, prefix in PLACES.values():
        for name in (THERE, "doomed.csv"):
            admin.put_object(Bucket=bucket, Key=prefix + name, Body=b"there")
