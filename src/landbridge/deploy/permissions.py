"""What may each role do, and why? One function a role, from the declaration; `needs` puts them together.

The roles are shared by all feeds of an environment, so the policies name prefixes, not feeds: a new feed is no change
of permissions, and a hundred feeds stay below IAM's 6,144 characters.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, assert_never

from landbridge.deploy.metrics import NAMESPACE
from landbridge.deploy.partition import partition_of
from landbridge.deploy.policy import (
    ACCOUNT,
    KEY,
    SERVER,
    TOPIC,
    Policy,
    Statement,
    bucket_arn,
    listing,
    objects_arn,
    through,
)
from landbridge.deploy.referred import secret_ids
from landbridge.feed.inputs import FileReady, FilesSource
from landbridge.feed.outputs import FolderPlace, StorePlace
from landbridge.naming import DRAFTS, OUTBOUND, QUARANTINE, RECEIPTS, WATCH

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from landbridge.feed import Feed
    from landbridge.project import Place

_READ = ("s3:GetObject", "s3:GetObjectVersion")
"""S3 asks `s3:GetObject` for HEAD, too, and the other one as soon as a version is named: every look that goes on after
a first answer names the version that it saw, so that it does not read two halves of two files."""
_WRITE = ("s3:PutObject", *_READ, "s3:AbortMultipartUpload")
"""Without reading nobody could see whose bytes a 412 speaks of. Deleting is never needed."""
_SETTINGS = (
    "s3:GetBucketPolicy",
    "s3:GetBucketPublicAccessBlock",
    "s3:GetBucketVersioning",
    "s3:GetEncryptionConfiguration",
    "s3:GetLifecycleConfiguration",
)
"""What a bucket is set to. None of them shows an object."""
_DATES = "????-??-??/"
"""What every key of the ledger that is ever listed begins with (naming.ledger_day), for IAM's StringLike."""


def pod(name: str, where: Place, feeds: Iterable[Feed]) -> Policy:
    """Give what a run may do: read its sources, stage, commit, promote."""
    feeds = tuple(feeds)
    return Policy(f"landbridge-{name}-pod", (*_sources(where, feeds), *_run(where, feeds)))


def operator(name: str, where: Place, feeds: Iterable[Feed]) -> Policy:
    """Give what people who look, and their monitoring, may do: read everything, change nothing."""
    return Policy(f"landbridge-{name}-operator", tuple(_looking(where, tuple(feeds))))


def watch(name: str, where: Place, feeds: Iterable[Feed]) -> Policy:
    """Give what the watch may do: look, tell, remember what it told, and, where that is declared, run what was missed."""
    feeds = tuple(feeds)
    run = pod(name, where, feeds).statements if where.watch.catch_up else (_encrypting(where),)
    taken = {each.sid for each in run} | {"Decrypt"}  # `Encrypt` allows that, too
    looking = tuple(each for each in _looking(where, feeds) if each.sid not in taken)
    return Policy(f"landbridge-{name}-watch", (*run, *looking, *_telling(where)))


def reaper(name: str, where: Place, feeds: Iterable[Feed]) -> Policy:
    """Give what the reaper may do: look as the operator does, and remove files for good, never a verdict, a manifest or a receipt."""
    feeds = tuple(feeds)
    looking = (each for each in _looking(where, feeds) if each.sid != "ReadFurther")
    own = where.buckets
    folders = {_pattern(feed.file.folder, feed, where).strip("/").partition("/")[0] for feed in feeds}
    released = tuple(objects_arn(own.reports, f"{OUTBOUND}/{folder}/") for folder in sorted(folders))
    kept = tuple(objects_arn(own.staging, prefix) for prefix in (f"{DRAFTS}/", f"{QUARANTINE}/"))
    # Of a version: without it a delete only hides what it meant to remove.
    statements = [
        Statement(
            "ReapKept",
            ("s3:DeleteObjectVersion",),
            kept,
            why="removes drafts that are forgotten, and quarantined files that were decided about",
        )
    ]
    if released:
        why = "removes released files after their receipt and the retention period; manifests lie elsewhere"
        statements.append(Statement("ReapReleased", ("s3:DeleteObjectVersion",), released, why=why))
    return Policy(f"landbridge-{name}-reaper", (*looking, *statements))


def _telling(where: Place) -> Iterator[Statement]:
    topic = where.watch.topic or TOPIC
    yield Statement("Tell", ("sns:Publish",), (topic,), why="tells the alarm topic what is late or missing")
    why = "the topic is encrypted with the environment's key"
    keys = ("kms:GenerateDataKey", "kms:Decrypt")
    yield Statement("TellEncrypted", keys, (KEY,), through(where.region, "sns"), why)
    yield Statement(
        "Count",
        ("cloudwatch:PutMetricData",),
        ("*",),  # CloudWatch knows no resource for it; the namespace is the bound
        {"StringEquals": {"cloudwatch:namespace": (NAMESPACE,)}},
        "tells an alarm how many slots are late, and that somebody looked",
    )
    why = "reads and writes what was told, so that it is told once"
    memory = (objects_arn(where.buckets.staging, f"{WATCH}/"),)
    yield Statement("Remember", ("s3:PutObject", "s3:GetObject"), memory, why=why)
    yield listing("RememberSees", where.buckets.staging, (f"{WATCH}/",), why="finds what was told last")
    yield from _secrets(where, "TellSecrets", (where.watch,), why="resolves who is told, and the password")


def sftp_user(name: str, where: Place) -> Policy:
    """Give what the collector's SFTP user may do on S3: read what is released, add and read receipts.

    Source: AWS Transfer Family User Guide, "Create an IAM role and policy".
    """
    reports = where.buckets.reports
    outbound, receipts = objects_arn(reports, f"{OUTBOUND}/"), objects_arn(reports, f"{RECEIPTS}/")
    folders = tuple(each for name in (OUTBOUND, RECEIPTS) for each in (name, f"{name}/*"))
    statements = [
        Statement(
            "List",
            ("s3:ListBucket",),
            (bucket_arn(reports),),
            {"StringLike": {"s3:prefix": folders}},
            "lists what is released, and the receipts",
        ),
        Statement(
            "Locate", ("s3:GetBucketLocation",), (bucket_arn(reports),), why="Transfer Family asks at log-in"
        ),
        Statement("Collect", _READ, (outbound, receipts), why="downloads files, manifests and receipts"),
        Statement("Acknowledge", ("s3:PutObject",), (receipts,), why="sends receipts"),
        Statement(
            "Decrypt",
            ("kms:Decrypt", "kms:GenerateDataKey"),
            (KEY,),
            through(where.region, "s3"),
            "reads encrypted objects, and writes receipts encrypted",
        ),
    ]
    if where.aws and where.aws.sftp_may_delete:
        why = "declared: `sftp_may_delete`, for a mover that deletes what it took"
        statements.append(Statement("Delete", ("s3:DeleteObject",), (outbound,), why=why))
    return Policy(f"landbridge-{name}-sftp-user", tuple(statements))


def rotator(name: str, where: Place, secrets: Sequence[str]) -> Policy:
    """Give what whoever runs `landbridge keys` may do: the keys of the SFTP side and their secrets, nothing else.

    A secret that is not there yet has no random end: what is asked of it is asked of its bare name, which never names
    another secret's ARN. Without that, the first `keys create --host` of an account is denied instead of told that there is none.

    Source: Service Authorization Reference, AWS Transfer Family and AWS Secrets Manager. That a missing secret is asked for
    by its bare name is what AWS's refusals say (`... on resource: NAME`); no page of the documentation was found to say it.
    """
    transfer = f"arn:{partition_of(where.region).name}:transfer:{where.region}:{ACCOUNT}"
    return Policy(
        f"landbridge-{name}-rotator",
        (
            Statement(
                "KeepKey",
                (
                    "secretsmanager:CreateSecret",
                    "secretsmanager:TagResource",
                    "secretsmanager:DescribeSecret",
                    "secretsmanager:GetSecretValue",
                    "secretsmanager:PutSecretValue",
                    "secretsmanager:UpdateSecretVersionStage",
                ),
                tuple(
                    each for secret in secrets for each in (secret_arn(where, secret), _unmade(where, secret))
                ),
                why="keeps the private key: pending, current, previous; also while there is no secret yet",
            ),
            Statement(
                "Announce",
                ("transfer:DescribeUser", "transfer:ImportSshPublicKey", "transfer:DeleteSshPublicKey"),
                (f"{transfer}:user/{SERVER}/{where.sftp.user}",),
                why="tells the server the public key, and takes the old one away",
            ),
            Statement(
                "HostKeys",
                ("transfer:ListHostKeys", "transfer:ImportHostKey", "transfer:DeleteHostKey"),
                (f"{transfer}:server/{SERVER}", f"{transfer}:host-key/{SERVER}/*"),
                why="pins the host key, and changes it with an overlap",
            ),
            Statement(
                "FindLog",
                ("transfer:DescribeServer",),
                (f"{transfer}:server/{SERVER}",),
                why="finds the log that the server writes",
            ),
            Statement(
                "ProveLogIn",
                ("logs:FilterLogEvents",),
                (
                    f"arn:{partition_of(where.region).name}:logs:{where.region}:{ACCOUNT}:log-group:{_server_log(name, where)}:*",
                ),
                why="proves that every agent has logged in with the new key, and none still uses the old one",
            ),
            Statement(
                "EncryptKey",
                ("kms:Decrypt", "kms:GenerateDataKey"),
                (KEY,),
                through(where.region, "secretsmanager"),
                "the secret is encrypted with the environment's key",
            ),
        ),
    )


def _server_log(name: str, where: Place) -> str:
    """Name the log group of the server: the stack's; of a server that was there before, any in AWS's own folder for them."""
    return "/aws/transfer/*" if where.aws and where.aws.adopt.server else f"/aws/transfer/landbridge-{name}"


def secret_arn(where: Place, name: str) -> str:
    """Name a secret, given by its name or its ARN; the six characters at the end are made up by Secrets Manager."""
    if name.startswith("arn:"):
        return name
    return (
        f"arn:{partition_of(where.region).name}:secretsmanager:{where.region}:{ACCOUNT}:secret:{name}-??????"
    )


def _unmade(where: Place, name: str) -> str:
    """Name a secret as long as there is none."""
    return secret_arn(where, name).removesuffix("-??????")


def ledger_prefix(where: Place) -> str:
    """Give the prefix that the ledger's keys begin with, ending in `/`; empty without one."""
    prefix = where.buckets.ledger_prefix.strip("/")
    return f"{prefix}/" if prefix else ""


def further_places(where: Place, feeds: Iterable[Feed]) -> Iterator[tuple[str, str]]:
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


def _run(where: Place, feeds: Sequence[Feed]) -> Iterator[Statement]:
    own, ledger = where.buckets, ledger_prefix(where)
    staged = (f"{DRAFTS}/", f"{QUARANTINE}/")
    yield Statement(
        "Stage",
        _WRITE,
        tuple(objects_arn(own.staging, prefix) for prefix in staged),
        why="stages what was generated, reads it back for validation, keeps what broke its contract",
    )
    yield listing("StageSees", own.staging, staged, why="tells an absent key from a forbidden one")
    yield Statement(
        "Commit",
        ("s3:PutObject", *_READ),
        (objects_arn(own.ledger, ledger),),
        why="writes the verdict once, and reads it",
    )
    yield listing("CommitSees", own.ledger, (f"{ledger}{_DATES}",), why="finds the newest revision of a slot")
    yield Statement(
        "Promote",
        _WRITE,
        (objects_arn(own.reports, f"{OUTBOUND}/"),),
        why="copies to the final name, then the manifest",
    )
    yield listing("PromoteSees", own.reports, (f"{OUTBOUND}/",), why="as StageSees")
    if further := sorted({objects_arn(bucket, prefix) for bucket, prefix in further_places(where, feeds)}):
        yield Statement("PromoteFurther", _WRITE, tuple(further), why="copies to the feeds' further places")
    yield _encrypting(where)


def _encrypting(where: Place) -> Statement:
    return Statement(
        "Encrypt",
        ("kms:GenerateDataKey", "kms:Decrypt"),
        (KEY,),
        through(where.region, "s3", "secretsmanager"),
        "S3 encrypts with the environment's key, a multipart upload needs Decrypt, too; so may secrets be encrypted",
    )


def _looking(where: Place, feeds: Sequence[Feed]) -> Iterator[Statement]:
    own, ledger = where.buckets, ledger_prefix(where)
    released = (f"{OUTBOUND}/", f"{RECEIPTS}/")
    staged = (f"{DRAFTS}/", f"{QUARANTINE}/")
    objects = (objects_arn(own.staging, prefix) for prefix in staged)
    why = "reads drafts and what is in quarantine"
    yield Statement("ReadStaging", _READ, tuple(objects), why=why)
    yield listing("SeeStaging", own.staging, staged, why="tells an expired draft from a forbidden one")
    # The one object is read as it is: an entry is written once.
    yield Statement("ReadLedger", ("s3:GetObject",), (objects_arn(own.ledger, ledger),), why="reads verdicts")
    yield listing("SeeLedger", own.ledger, (f"{ledger}{_DATES}",), why="finds the verdicts of a day")
    objects = (objects_arn(own.reports, prefix) for prefix in released)
    yield Statement("ReadReports", _READ, tuple(objects), why="reads what is released, and the receipts")
    why = "finds every version of a receipt: the first valid one counts"
    yield listing("SeeReports", own.reports, released, "s3:ListBucket", "s3:ListBucketVersions", why=why)
    if further := sorted({objects_arn(bucket, prefix) for bucket, prefix in further_places(where, feeds)}):
        yield Statement("ReadFurther", _READ, tuple(further), why="reads the copies in further places again")
    buckets = tuple(bucket_arn(each) for each in (own.staging, own.reports, own.ledger))
    why = "`landbridge doctor` holds the buckets' settings against what is declared"
    yield Statement("SeeSettings", _SETTINGS, buckets, why=why)
    why = "reads encrypted objects, and secrets that are encrypted with the environment's key"
    yield Statement("Decrypt", ("kms:Decrypt",), (KEY,), through(where.region, "s3", "secretsmanager"), why)
    # The private key of evidence is nobody's by default: who signs bundles is given it by name.
    bundles = where.evidence.public_keys if where.evidence else ()
    checked = (where.share.receipt_public_keys, where.share.path, bundles)
    yield from _secrets(where, "ReceiptKeys", checked, why="reads the keys that receipts are checked against")


def _sources(where: Place, feeds: Sequence[Feed]) -> Iterator[Statement]:
    """Allow what the feeds' own sources (and readiness signals) read: other buckets, secrets."""
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
        resources = tuple(objects_arn(bucket, prefix) for prefix in several)
        yield Statement(f"Source{number}", _READ, resources, why="reads a declared source")
        yield listing(f"Source{number}Sees", bucket, several, why="finds the files of a declared source")
    yield from _secrets(where, "Secrets", feeds, why="resolves the `aws-sm:` references of the feeds")


def _secrets(where: Place, sid: str, parts: Iterable[object], *, why: str) -> Iterator[Statement]:
    if found := sorted({each for part in parts for each in secret_ids(part)}):
        resources = tuple(secret_arn(where, each) for each in found)
        yield Statement(sid, ("secretsmanager:GetSecretValue",), resources, why=why)


def _pattern(template: str, feed: Feed, where: Place) -> str:
    """Fill what the environment and the feed know of a template; `*` for any other word."""
    known = {
        "environment": where.environment.lower(),
        "ENVIRONMENT": where.environment,
        "feed": feed.feed,
        **{f"variables.{name}": value for name, value in where.variables.items()},
    }
    return re.sub(r"\{([^{}]*)\}", lambda word: known.get(word[1], "*"), template)
