"""Which objects does an environment need on its cluster? The needs and the declaration, as Kubernetes reads them.

Text only: nothing is asked of a cluster, and the same declaration gives the same objects on any day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from landbridge.account import Irsa
from landbridge.deploy import referred
from landbridge.deploy.kubernetes import cron, files, jobs, names, network, pod
from landbridge.deploy.kubernetes.places import folders, longest_wait, stranded
from landbridge.deploy.mistakes import PROJECT_FILE, feed_file, problem
from landbridge.deploy.needs import alarm_topic, needs
from landbridge.deploy.partition import partition_of
from landbridge.errors import DeclarationWrong, UsageError
from landbridge.feed import Schedule
from landbridge.project import place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from landbridge.alarms import Watch
    from landbridge.cluster import Kubernetes, SecretKey
    from landbridge.deploy.kubernetes.text import Object
    from landbridge.deploy.needs import Needs, Role
    from landbridge.errors import Problem
    from landbridge.feed import Feed
    from landbridge.project import Declaration, Place

ENVIRONMENT = "landbridge/environment"
FEED = "landbridge/feed"
INSTANCE = "app.kubernetes.io/instance"
"""Label whose value is the environment's name (`eidv-dev`): what belongs to it, and what its NetworkPolicies select."""
_QUICK_LOOK = timedelta(minutes=10)
_LITTLE = 256
"""MiB of scratch for what writes next to nothing."""
_UTC = "Etc/UTC"


@dataclass(frozen=True, slots=True)
class Manifests:
    """All objects of one environment, by the file that they are written to, in the order in which they are applied."""

    name: str
    """Of the environment: `eidv-dev`."""
    environment: str
    namespace: str
    files: Mapping[str, Sequence[Object]]
    warnings: tuple[str, ...]

    @property
    def objects(self) -> list[Object]:
        """All of them, in order."""
        return [each for several in self.files.values() for each in several]


@dataclass(frozen=True, slots=True)
class _Ground:
    """What all objects of an environment are made from."""

    folder: Path
    need: Needs
    where: Place
    cluster: Kubernetes
    feeds: tuple[Feed, ...]
    shipped: files.Shipped

    def maps(self) -> list[tuple[str, list[str]]]:
        """Give the ConfigMaps' names with the paths they hold; a name changes with any content."""
        stem = f"{self.need.name}-declaration-{self.shipped.digest[:10]}"
        several = len(self.shipped.maps) > 1
        return [
            (f"{stem}-{number}" if several else stem, [path for path, _ in some])
            for number, some in enumerate(self.shipped.maps, 1)
        ]

    def labels(self, component: str) -> dict[str, object]:
        """Give the labels of an object, or of a pod."""
        return {
            **self.cluster.labels,
            "app.kubernetes.io/name": "landbridge",
            INSTANCE: self.need.name,
            "app.kubernetes.io/component": component,
            "app.kubernetes.io/part-of": self.need.project,
            "app.kubernetes.io/managed-by": "landbridge",
            ENVIRONMENT: self.need.environment,
        }

    def head(self, name: str, labels: Object, annotations: Object | None = None) -> Object:
        """Give an object's metadata."""
        return {
            "name": name,
            "namespace": self.need.pod.trust.namespace,
            "labels": labels,
            **({"annotations": annotations} if annotations else {}),
        }


def manifests(declaration: Declaration, environment: str) -> Manifests:
    """Render an environment.

    Raises:
        DeclarationWrong: something in the declaration cannot be put on a cluster; all of it at once.
        KeyError: no such environment.
    """
    where = place(declaration.project, environment)
    cluster = where.kubernetes
    if cluster is None:
        what = f"environment `{environment}` has no `kubernetes`"
        expected = "the cluster side: at least `kubernetes: {image: NAME@sha256:...}`"
        raise DeclarationWrong(
            [problem(declaration.folder, PROJECT_FILE, "environments", what, expected=expected)]
        )
    feeds = tuple(
        feed
        for _, feed in sorted(declaration.feeds.items())
        if not feed.environments or environment in feed.environments
    )
    problems = list(_mistakes(declaration.folder, where, cluster, feeds))
    try:
        shipped = files.shipped(declaration.folder, where, cluster, feeds)
    except DeclarationWrong as wrong:
        raise DeclarationWrong([*problems, *wrong.problems]) from None
    if problems:
        raise DeclarationWrong(problems)
    ground = _Ground(declaration.folder, needs(declaration, environment), where, cluster, feeds, shipped)
    return Manifests(
        name=ground.need.name,
        environment=environment,
        namespace=ground.need.pod.trust.namespace,
        files={
            "service-accounts.yaml": [_service_account(ground, role) for role in _roles(ground.need)],
            "declaration.yaml": list(_config_maps(ground)),
            "network-policies.yaml": list(_network_policies(ground)),
            **{names.file(feed.feed): [_feed_job(ground, feed)] for feed in feeds},
            "cronjob-watch.yaml": [_watch_job(ground)],
            **(
                {"cronjob-reaper.yaml": [_reaper_job(ground, where.retention.schedule)]}
                if where.retention.schedule
                else {}
            ),
        },
        warnings=tuple(_warnings(feeds, cluster)),
    )


def _mistakes(folder: Path, where: Place, cluster: Kubernetes, feeds: Iterable[Feed]) -> Iterator[Problem]:
    for feed in feeds:
        file = feed_file(folder, feed.feed)
        try:
            cron.expression_for(feed.schedule)
        except UsageError as error:
            yield problem(folder, file, "schedule.cron", error.what, expected=error.expected, hint=error.hint)
        for name in referred.variables(feed):
            if name not in cluster.environment:
                what = f"the pods of `{feed.feed}` have no environment variable `{name}`"
                hint = f"declare `kubernetes.environment: {{{name}: {{secret: NAME, key: KEY}}}}`"
                yield problem(folder, file, "sources", what, hint=hint)
        for path, found in stranded(feed, cluster):
            what = f"`{found}` is on no volume: a pod's own disk is read-only, and gone afterwards"
            hint = "declare one under `kubernetes.volumes`, and the folder by its absolute path (or an `env:` reference)"
            yield problem(folder, file, path, what, expected="a folder below a volume, or `s3://`", hint=hint)
        if (wait := longest_wait(feed)) >= cluster.time_limit:
            what = f"`{feed.feed}` may wait {wait} for its upstream, and its job is ended after {cluster.time_limit}"
            yield problem(folder, file, "schedule.ready", what, hint="raise `kubernetes.time_limit`")
    for name in _watch_variables(where, ()):
        if name not in cluster.environment:
            yield problem(
                folder, PROJECT_FILE, "kubernetes", f"the watch has no environment variable `{name}`"
            )
    yield from _own_times(folder, where)
    yield from _port_mistakes(folder, where.watch, cluster)


def _own_times(folder: Path, where: Place) -> Iterator[Problem]:
    """Say when the watch or the reaper cannot be started as declared."""
    try:
        cron.every(where.watch.every)
    except UsageError as error:
        yield problem(folder, PROJECT_FILE, "watch.every", error.what, expected=error.expected)
    try:
        if where.retention.schedule:
            cron.expression_for(_in_utc(where.retention.schedule))
    except UsageError as error:
        # Its hint speaks of a feed, which this is not.
        yield problem(folder, PROJECT_FILE, "retention.schedule", error.what, expected=error.expected)


def _port_mistakes(folder: Path, watch: Watch, cluster: Kubernetes) -> Iterator[Problem]:
    if not watch.smtp:
        return
    _, _, port = watch.smtp.rpartition(":")
    if not any(port == str(each) for reach in cluster.reach for each in reach.ports):
        what = f"the mail relay `{watch.smtp}` cannot be reached"
        hint = f"declare it under `kubernetes.reach`, with port {port}"
        yield problem(folder, PROJECT_FILE, "watch.smtp", what, hint=hint)


def _warnings(feeds: Iterable[Feed], cluster: Kubernetes) -> Iterator[str]:
    for feed in feeds:
        if twice := cron.fires_twice(feed.schedule):
            yield (
                f"{feed.feed}: Kubernetes fires once more at {twice:%Y-%m-%d %H:%M %Z}, when the clocks go back; "
                "that job finds no slot, and ends well"
            )
    unknown = sorted(set(cluster.feed_scratch) - {feed.feed for feed in feeds})
    if unknown:
        yield f"`kubernetes.feed_scratch` names feeds that are not in this environment: {', '.join(unknown)}"


def _roles(need: Needs) -> tuple[tuple[Role, str], ...]:
    return (need.pod, "run"), (need.operator, "operator"), (need.watch, "watch"), (need.reaper, "reaper")


def _service_account(ground: _Ground, role_and_component: tuple[Role, str]) -> Object:
    role, component = role_and_component
    aws = ground.where.aws
    annotations: Object = {}
    if aws is not None and isinstance(aws.identity, Irsa):
        adopted = {
            "run": aws.adopt.pod_role,
            "operator": aws.adopt.operator_role,
            "watch": aws.adopt.watch_role,
            "reaper": aws.adopt.reaper_role,
        }[component]
        partition = partition_of(ground.where.region).name
        annotations = {
            # Source: EKS User Guide, "Assign IAM roles to Kubernetes service accounts".
            "eks.amazonaws.com/role-arn": adopted or f"arn:{partition}:iam::{aws.account}:role/{role.name}",
            "eks.amazonaws.com/audience": role.trust.audience,
            "eks.amazonaws.com/sts-regional-endpoints": "true",
        }
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": ground.head(role.trust.service_account, ground.labels(component), annotations),
        "automountServiceAccountToken": False,
    }


def _config_maps(ground: _Ground) -> Iterator[Object]:
    for (name, _), some in zip(ground.maps(), ground.shipped.maps, strict=True):
        yield {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": ground.head(name, ground.labels("declaration")),
            "immutable": True,
            **files.data(some),
        }


def _network_policies(ground: _Ground) -> Iterator[Object]:
    for name, spec in network.policies(ground.where, ground.cluster).items():
        yield {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": ground.head(f"{ground.need.name}-{name}", ground.labels("network")),
            "spec": {"podSelector": {"matchLabels": {INSTANCE: ground.need.name}}, **spec},
        }


def _feed_job(ground: _Ground, feed: Feed) -> Object:
    cluster, need = ground.cluster, ground.need
    work = pod.Work(
        arguments=("run", feed.feed, "--environment", need.environment, "--project", pod.PROJECT),
        service_account=need.pod.trust.service_account,
        memory=feed.memory + pod.mebibytes(cluster.memory_overhead),
        scratch=pod.mebibytes(cluster.feed_scratch.get(feed.feed, cluster.scratch)),
        variables=_given(cluster, ground.feeds, set(referred.variables(feed))),
        files={path: cluster.files[path] for path in ground.shipped.from_secrets[feed.feed]},
        volumes=cluster.volumes if _uses_volumes(feed) else (),
    )
    labels = {**ground.labels("run"), FEED: names.label(feed.feed)}
    wait = {jobs.WAIT: str(int(longest_wait(feed).total_seconds()))}
    owner = {"landbridge/owner": feed.owner, **({"landbridge/title": feed.title} if feed.title else {})}
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": ground.head(names.cron_job(need, feed.feed), labels, {**owner, **wait}),
        "spec": jobs.cron_job(
            cron.expression_for(feed.schedule),
            feed.schedule.time_zone,
            cluster,
            _pod(ground, work),
            time_limit=cluster.time_limit,
            labels=labels,
        ),
    }


def _watch_job(ground: _Ground) -> Object:
    """Look at all slots; where it catches up, it does what any feed's pod does, one after the other."""
    cluster, need = ground.cluster, ground.need
    runs = ground.where.watch.catch_up is not None
    feeds = ground.feeds if runs else ()
    paths = {path for feed in feeds for path in ground.shipped.from_secrets[feed.feed]}
    paths |= set(_receipt_files(ground))
    scratch = [pod.mebibytes(cluster.feed_scratch.get(feed.feed, cluster.scratch)) for feed in feeds]
    topic = alarm_topic(ground.where)
    work = pod.Work(
        arguments=("watch", "--environment", need.environment, "--project", pod.PROJECT),
        service_account=need.watch.trust.service_account,
        memory=max((feed.memory for feed in feeds), default=0) + pod.mebibytes(cluster.memory_overhead),
        scratch=max(scratch, default=_LITTLE),
        variables=_given(cluster, ground.feeds, set(_watch_variables(ground.where, feeds)))
        | ({"LANDBRIDGE_ALARM_TOPIC": topic} if topic else {}),
        files={path: cluster.files[path] for path in sorted(paths)},
        volumes=cluster.volumes if any(map(_uses_volumes, feeds)) else (),
    )
    labels = ground.labels("watch")
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": ground.head(names.watch_job(need), labels),
        "spec": jobs.cron_job(
            cron.every(ground.where.watch.every),
            _UTC,
            cluster,
            _pod(ground, work),
            time_limit=cluster.time_limit if runs else _QUICK_LOOK,
            labels=labels,
            tries_again=1,
        ),
    }


def _reaper_job(ground: _Ground, schedule: str) -> Object:
    """Remove what has had its time. It looks into receipts first, and is safe to be cut: the next one goes on."""
    cluster, need = ground.cluster, ground.need
    work = pod.Work(
        arguments=("reap", "--apply", "--environment", need.environment, "--project", pod.PROJECT),
        service_account=need.reaper.trust.service_account,
        memory=pod.mebibytes(cluster.memory_overhead),
        scratch=_LITTLE,
        variables=_given(cluster, ground.feeds, set(_evidence_variables(ground.where))),
        files={path: cluster.files[path] for path in _receipt_files(ground)},
        volumes=(),
    )
    labels = ground.labels("reaper")
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": ground.head(names.reaper_job(need), labels),
        "spec": jobs.cron_job(
            cron.expression_for(_in_utc(schedule)),
            _UTC,
            cluster,
            _pod(ground, work),
            time_limit=cluster.time_limit,
            labels=labels,
            tries_again=1,
        ),
    }


def _in_utc(expression: str) -> Schedule:
    return Schedule(cron=expression, time_zone=_UTC)


def _receipt_files(ground: _Ground) -> list[str]:
    return [path for path in files.receipt_files(ground.where) if path in ground.cluster.files]


def _pod(ground: _Ground, work: pod.Work) -> Object:
    return pod.spec(work, ground.cluster, ground.maps(), ground.where.region, ground.need.environment)


def _given(cluster: Kubernetes, feeds: Iterable[Feed], wanted: set[str]) -> dict[str, SecretKey | str]:
    """Give what a pod refers to, and what no feed refers to (a proxy, a log level): that is for all."""
    referred_to = {name for feed in feeds for name in referred.variables(feed)}
    return {
        name: value
        for name, value in cluster.environment.items()
        if name in wanted or name not in referred_to
    }


def _watch_variables(where: Place, feeds: Iterable[Feed]) -> list[str]:
    told = where.watch
    names_ = _variables(told.webhook or "", told.smtp_password or "") | _evidence_variables(where)
    return sorted(names_ | {name for feed in feeds for name in referred.variables(feed)})


def _evidence_variables(where: Place) -> set[str]:
    """Name what reading evidence resolves; the watch reads it, too."""
    return _variables(where.share.path, *where.share.receipt_public_keys)


def _variables(*references: str) -> set[str]:
    return {each.removeprefix("env:") for each in references if each.startswith("env:")}


def _uses_volumes(feed: Feed) -> bool:
    return any(True for _ in folders(feed))
