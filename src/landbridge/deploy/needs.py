"""What does a declaration need to exist in one environment: buckets, a key, roles, an SFTP user, open ports, schedules, secrets?

Derived once, as data. AWS, Kubernetes, Control-M and the twin render this and nothing else, so the document that the
twin enforces is the document that is deployed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from landbridge.deploy import permissions
from landbridge.deploy.partition import partition_of
from landbridge.deploy.policy import (
    Policy,  # whoever writes needs as JSON reads the annotations
    in_partition,
)
from landbridge.deploy.referred import secret_ids, variables
from landbridge.naming import CANARY, DRAFTS, OUTBOUND, RECEIPTS, WATCH
from landbridge.project import place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from landbridge.feed import Feed
    from landbridge.project import Declaration, Place

AUDIENCE = "sts.amazonaws.com"
"""Of the projected service-account token (`eks.amazonaws.com/audience`)."""


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
    created_once: tuple[str, ...] = ()
    """Prefixes below which the protocol relies on conditional writes: nobody may put there without `If-None-Match`."""


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
    """A role of pods with its one policy."""

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
    """The collector's user. It can list the home, and never renames or changes anything anywhere."""

    name: str
    bucket: str
    folders: tuple[SftpFolder, ...]
    policy: Policy
    """Of the role that Transfer Family takes for it."""


@dataclass(frozen=True, slots=True)
class Flow:
    """A connection that must be possible; everything else may be closed."""

    name: str
    source: str
    """Who opens it: CIDRs, or a name for people."""
    destination: str
    port: int
    why: str


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret in Secrets Manager."""

    name: str
    made_by: Literal["landbridge keys", "its owner"]
    read_by: str
    why: str


@dataclass(frozen=True, slots=True)
class Job:
    """A feed's schedule."""

    feed: str
    cron: str
    time_zone: str
    memory: int
    """MiB that the run may use."""
    variables: tuple[str, ...]
    """Environment variables that it reads."""


@dataclass(frozen=True, slots=True)
class Needs:
    """Everything one environment needs."""

    project: str
    environment: str
    region: str
    key_alias: str
    """Of the KMS key that encrypts everything at rest."""
    buckets: tuple[Bucket, ...]
    pod: Role
    """Of the run: stages, commits, promotes."""
    operator: Role
    """Of the people and their monitoring: reads what there is, changes nothing."""
    watch: Role
    """Of the scheduled look at all slots: reads, tells, and runs what was missed where that is declared."""
    reaper: Role
    """Of whoever runs `landbridge reap`: reads what there is, and removes what has had its time."""
    sftp: SftpUser
    rotator: Policy
    """Of whoever runs `landbridge keys`; attached to a person's or pipeline's own role."""
    secrets: tuple[Secret, ...]
    flows: tuple[Flow, ...]
    jobs: tuple[Job, ...]

    @property
    def name(self) -> str:
        """Project and environment, as every name of a resource begins: `eidv-dev`."""
        return f"{self.project}-{self.environment.lower()}"


def needs(declaration: Declaration, environment: str) -> Needs:
    """Derive what `environment` needs.

    Raises:
        KeyError: no such environment.
    """
    where = place(declaration.project, environment)
    feeds = [
        feed
        for feed in declaration.feeds.values()
        if not feed.environments or environment in feed.environments
    ]
    name = named(where)
    return Needs(
        project=where.project,
        environment=environment,
        region=where.region,
        key_alias=key_alias(where),
        buckets=_buckets(where, feeds, declaration.project.staging_days),
        pod=_role(name, where, "pod", "", permissions.pod(name, where, feeds)),
        operator=_role(name, where, "operator", "-operator", permissions.operator(name, where, feeds)),
        watch=_role(name, where, "watch", "-watch", permissions.watch(name, where, feeds)),
        reaper=_role(name, where, "reaper", "-reaper", permissions.reaper(name, where, feeds)),
        sftp=SftpUser(
            name=where.sftp.user,
            bucket=where.buckets.reports,
            folders=(
                SftpFolder(OUTBOUND, may_read=True, may_add=False),
                SftpFolder(RECEIPTS, may_read=True, may_add=True),
            ),
            policy=in_partition(permissions.sftp_user(name, where), where.region),
        ),
        rotator=permissions.rotator(name, where, (sftp_key_secret(where), sftp_host_secret(where))),
        secrets=tuple(_secrets(where, feeds)),
        flows=tuple(_flows(where)),
        jobs=tuple(
            Job(feed.feed, feed.schedule.cron, feed.schedule.time_zone, feed.memory, tuple(variables(feed)))
            for feed in sorted(feeds, key=lambda each: each.feed)
        ),
    )


def key_alias(where: Place) -> str:
    """Name the KMS key that encrypts everything of an environment at rest."""
    return f"alias/landbridge-{where.project}-{where.environment.lower()}"


def alarm_topic(where: Place) -> str:
    """Give the ARN of the SNS topic that alarms go to: declared, adopted, or made by the storage stack; empty without AWS."""
    if where.watch.topic or where.aws is None:
        return where.watch.topic or ""
    name = f"landbridge-{where.project}-{where.environment.lower()}-alarms"
    made = f"arn:{partition_of(where.region).name}:sns:{where.region}:{where.aws.account}:{name}"
    return where.aws.adopt.alarm_topic or made


def sftp_host_secret(where: Place) -> str:
    """Name the secret that holds the private half of the server's host key, so that a new server can show it again."""
    return f"landbridge/{where.project}/{where.environment.lower()}/sftp-host"


def named(where: Place) -> str:
    """Give project and environment, as every name of a resource begins: `eidv-dev`."""
    return f"{where.project}-{where.environment.lower()}"


def sftp_key_secret(where: Place) -> str:
    """Name the secret that holds the SFTP user's private key."""
    return f"landbridge/{where.project}/{where.environment.lower()}/sftp/{where.sftp.user}"


def _role(name: str, where: Place, kind: str, suffix: str, policy: Policy) -> Role:
    cluster = where.kubernetes
    namespace = (cluster.namespace if cluster else None) or where.project
    account = cluster.service_account if cluster else "landbridge"
    return Role(
        f"landbridge-{name}-{kind}", Trust(namespace, account + suffix), in_partition(policy, where.region)
    )


def _buckets(where: Place, feeds: Iterable[Feed], staging_days: int) -> tuple[Bucket, ...]:
    own = where.buckets
    wanted = [
        Bucket(
            own.staging,
            "staging",
            versioned=True,
            expiring=(f"{DRAFTS}/", f"{WATCH}/"),
            days=staging_days,
        ),
        Bucket(
            own.reports,
            "reports",
            versioned=True,
            expiring=(f"{OUTBOUND}/{CANARY}/", f"{RECEIPTS}/{CANARY}/"),
            days=staging_days,
            folders=(OUTBOUND, RECEIPTS),
            created_once=(f"{OUTBOUND}/",),
        ),
        Bucket(own.ledger, "ledger", versioned=True, created_once=(permissions.ledger_prefix(where),)),
        *(
            Bucket(bucket, "place", versioned=True)
            for bucket, _ in permissions.further_places(where, feeds)
            if "*" not in bucket
        ),
    ]
    named: dict[str, Bucket] = {}
    for one in wanted:
        known = named.get(one.name)
        named[one.name] = _both(known, one) if known else one
    return tuple(named.values())


def _both(first: Bucket, second: Bucket) -> Bucket:
    """Give one bucket that does for two purposes, as a ledger below a prefix of another bucket."""
    return replace(
        first,
        expiring=(*first.expiring, *second.expiring),
        days=max(first.days, second.days),
        folders=(*first.folders, *second.folders),
        created_once=(*first.created_once, *second.created_once),
    )


def _secrets(where: Place, feeds: Iterable[Feed]) -> Iterator[Secret]:
    made: Literal["landbridge keys"] = "landbridge keys"
    yield Secret(
        sftp_key_secret(where), made, "the collector's host", "private key of the SFTP user; rotated"
    )
    yield Secret(
        sftp_host_secret(where), made, "nobody else", "private host key, for when the server is replaced"
    )
    for each in sorted({one for feed in feeds for one in secret_ids(feed)}):
        users = sorted(feed.feed for feed in feeds if each in secret_ids(feed))
        yield Secret(each, "its owner", "the pods", f"sources of {', '.join(users)}")
    for each in secret_ids(where.watch):
        yield Secret(each, "its owner", "the watch", "who is told: declared under `watch`")
    for each in secret_ids((where.share.receipt_public_keys, where.share.path)):
        yield Secret(each, "its owner", "operators and the watch", "checks receipts")


def _flows(where: Place) -> Iterator[Flow]:
    suffix = partition_of(where.region).suffix
    ground = ", ".join(where.aws.on_premises) if where.aws else "the Control-M servers"
    yield Flow(
        "collect", ground, f"the SFTP endpoint, {where.sftp.host}", where.sftp.port, "over Direct Connect"
    )
    for service, why in (
        ("sts", "takes the role"),
        ("s3", "stages, commits, promotes"),
        ("secretsmanager", "resolves secrets"),
    ):
        yield Flow(service, "the pods", f"{service}.{where.region}.{suffix}", 443, why)
    told = where.watch
    if told.topic or where.aws:
        yield Flow("sns", "the watch", f"sns.{where.region}.{suffix}", 443, "tells the alarm topic")
    if where.aws:
        address = f"monitoring.{where.region}.{suffix}"
        yield Flow(
            "monitoring", "the watch", address, 443, "counts the slots past their deadline, for the alarm"
        )
    if told.smtp:
        relay, _, number = told.smtp.rpartition(":")
        yield Flow("mail", "the watch", relay, int(number), "tells by mail: declared under `watch`")
    if told.webhook:
        yield Flow("webhook", "the watch", "the host of `watch.webhook`", 443, "tells the webhook")
    for reach in where.kubernetes.reach if where.kubernetes else ():
        for port in reach.ports:
            yield Flow(reach.name, "the pods", reach.cidr, port, "declared: `kubernetes.reach`")
