"""What does a declaration need to exist in one environment: buckets, roles with their permissions, an SFTP user?

Derived once, as data. AWS, Kubernetes and the twin render this and nothing else, so the document that the twin
enforces is the document that is deployed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, assert_never

from landbridge.deploy.policy import Policy, Statement, listing, objects_arn
from landbridge.feed.inputs import FileReady, FilesSource
from landbridge.feed.outputs import FolderPlace, StorePlace
from landbridge.naming import DRAFTS, OUTBOUND, QUARANTINE, RECEIPTS
from landbridge.project import place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from landbridge.feed import Feed
    from landbridge.project import Declaration, Place

AUDIENCE = "sts.amazonaws.com"
"""Of the projected service-account token (`eks.amazonaws.com/audience`)."""

_WRITE = ("s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload")
"""S3 asks `s3:GetObject` for HEAD, too: without it nobody could see whose bytes a 412 speaks of. Deleting is never needed."""
_READ = ("s3:GetObject", "s3:GetObjectVersion")
_DATES = "????-??-??/"
"""What every key of the ledger begins with (naming.ledger_day), for IAM's StringLike."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket that must exist."""

    name: str
    purpose: Literal["staging", "reports", "ledger", "place"]
    versioned: bool
    expiring: tuple[str, ...] = ()
    """Prefixes whose objects the bucket may forget `days` after they were written."""
    days: int = 0
    folders: tuple[str, ...] = ()
    """Prefixes that the SFTP user finds as folders from the first day."""


@dataclass(frozen=True, slots=True)
class Trust:
    """Which service account may take a role."""

    namespace: str
    service_account: str
    audience: str = AUDIENCE

    @property
    def subject(self) -> str:
        """The `sub` of its tokens, as Kubernetes writes it."""
        return f"system:serviceaccount:{self.namespace}:{self.service_account}"


@dataclass(frozen=True, slots=True)
class Role:
    """A role with its one policy."""

    name: str
    trust: Trust
    policy: Policy


@dataclass(frozen=True, slots=True)
class SftpFolder:
    """A folder of the SFTP user's home; everything below it alike."""

    name: str
    may_read: bool
    may_add: bool


@dataclass(frozen=True, slots=True)
class SftpUser:
    """The collector's user. It can list the home, and never deletes, renames or changes anything anywhere."""

    name: str
    bucket: str
    folders: tuple[SftpFolder, ...]


@dataclass(frozen=True, slots=True)
class Needs:
    """Everything one environment needs."""

    project: str
    environment: str
    region: str
    buckets: tuple[Bucket, ...]
    pod: Role
    """Of the run: stages, commits, promotes."""
    operator: Role
    """Of the people and the monitoring: reads what there is, changes nothing."""
    sftp: SftpUser


def needs(declaration: Declaration, environment: str) -> Needs:
    """Derive what `environment` needs.

    The role is shared by all feeds of the environment, so its policy names prefixes, not feeds: a new feed is no
    change of permissions, and a hundred feeds stay below IAM's 6,144 characters.

    Raises:
        KeyError: no such environment.
    """
    where = place(declaration.project, environment)
    feeds = [
        feed
        for feed in declaration.feeds.values()
        if not feed.environments or environment in feed.environments
    ]
    name = f"{where.project}-{environment.lower()}"
    return Needs(
        project=where.project,
        environment=environment,
        region=where.region,
        buckets=_buckets(where, feeds, declaration.project.staging_days),
        pod=Role(f"landbridge-{name}-pod", Trust(where.project, "landbridge"), _pod(name, where, feeds)),
        operator=Role(
            f"landbridge-{name}-operator", Trust(where.project, "landbridge-operator"), _operator(name, where)
        ),
        sftp=SftpUser(
            name=where.sftp.user,
            bucket=where.buckets.reports,
            folders=(
                SftpFolder(OUTBOUND, may_read=True, may_add=False),
                SftpFolder(RECEIPTS, may_read=True, may_add=True),
            ),
        ),
    )


def _buckets(where: Place, feeds: Iterable[Feed], staging_days: int) -> tuple[Bucket, ...]:
    own = where.buckets
    named = {
        own.staging: Bucket(
            own.staging, "staging", versioned=True, expiring=(f"{DRAFTS}/",), days=staging_days
        ),
        own.reports: Bucket(own.reports, "reports", versioned=True, folders=(OUTBOUND, RECEIPTS)),
        own.ledger: Bucket(own.ledger, "ledger", versioned=True),
    }
    for bucket, _ in _places(where, feeds):
        if "*" not in bucket:
            named.setdefault(bucket, Bucket(bucket, "place", versioned=True))
    return tuple(named.values())


def _pod(name: str, where: Place, feeds: Iterable[Feed]) -> Policy:
    own, ledger = where.buckets, _ledger_prefix(where)
    feeds = tuple(feeds)
    statements = [
        *_reading(where, feeds),
        Statement(
            "Stage",
            (*_WRITE, "s3:GetObjectVersion"),
            (objects_arn(own.staging, f"{DRAFTS}/"), objects_arn(own.staging, f"{QUARANTINE}/")),
        ),
        listing("StageSees", own.staging, (f"{DRAFTS}/", f"{QUARANTINE}/")),
        Statement("Commit", ("s3:PutObject", "s3:GetObject"), (objects_arn(own.ledger, ledger),)),
        listing("CommitSees", own.ledger, (f"{ledger}{_DATES}",)),
        Statement("Promote", _WRITE, (objects_arn(own.reports, f"{OUTBOUND}/"),)),
        listing("PromoteSees", own.reports, (f"{OUTBOUND}/",)),
    ]
    if further := sorted({objects_arn(bucket, prefix) for bucket, prefix in _places(where, feeds)}):
        statements.append(Statement("PromoteFurther", _WRITE, tuple(further)))
    return Policy(f"landbridge-{name}-pod", tuple(statements))


def _operator(name: str, where: Place) -> Policy:
    own, ledger = where.buckets, _ledger_prefix(where)
    look = ("s3:ListBucket", "s3:ListBucketVersions")
    released = (f"{OUTBOUND}/", f"{RECEIPTS}/")
    staged = (f"{DRAFTS}/", f"{QUARANTINE}/")
    return Policy(
        f"landbridge-{name}-operator",
        (
            Statement("ReadStaging", _READ, tuple(objects_arn(own.staging, prefix) for prefix in staged)),
            listing("SeeStaging", own.staging, staged, *look),
            Statement("ReadLedger", _READ, (objects_arn(own.ledger, ledger),)),
            listing("SeeLedger", own.ledger, (f"{ledger}{_DATES}",), *look),
            Statement("ReadReports", _READ, tuple(objects_arn(own.reports, prefix) for prefix in released)),
            listing("SeeReports", own.reports, released, *look),
        ),
    )


def _ledger_prefix(where: Place) -> str:
    prefix = where.buckets.ledger_prefix.strip("/")
    return f"{prefix}/" if prefix else ""


def _places(where: Place, feeds: Iterable[Feed]) -> Iterator[tuple[str, str]]:
    """Give bucket and prefix of every further place; `*` for words that only a slot can fill."""
    for feed in feeds:
        for further in feed.file.also_to:
            match further:
                case StorePlace():
                    prefix = _pattern(further.prefix or "", feed, where).strip("/")
                    yield _pattern(further.bucket, feed, where), f"{prefix}/" if prefix else ""
                case FolderPlace():
                    continue
                case _:
                    assert_never(further)


def _reading(where: Place, feeds: Iterable[Feed]) -> Iterator[Statement]:
    """Allow what the feeds' own sources (and readiness signals) read in other buckets."""
    found: dict[str, set[str]] = {}
    for feed in feeds:
        signals = [feed.schedule.ready.signal] if feed.schedule.ready else []
        for source in (*feed.sources.values(), *signals):
            if isinstance(source, FilesSource | FileReady) and source.path.startswith("s3://"):
                bucket, _, pattern = source.path.removeprefix("s3://").partition("/")
                prefix = re.split(r"[*?\[{]", _pattern(pattern, feed, where), maxsplit=1)[0]
                found.setdefault(_pattern(bucket, feed, where), set()).add(prefix)
    for number, (bucket, prefixes) in enumerate(sorted(found.items()), 1):
        several = tuple(sorted(prefixes))
        yield Statement(
            f"Source{number}", ("s3:GetObject",), tuple(objects_arn(bucket, prefix) for prefix in several)
        )
        yield listing(f"Source{number}Sees", bucket, several)


def _pattern(template: str, feed: Feed, where: Place) -> str:
    """Fill what the environment and the feed know of a template; `*` for any other word."""
    known = {
        "environment": where.environment.lower(),
        "ENVIRONMENT": where.environment,
        "feed": feed.feed,
        **{f"variables.{name}": value for name, value in where.variables.items()},
    }
    return re.sub(r"\{([^{}]*)\}", lambda word: known.get(word[1], "*"), template)
