"""Do the objects fit together: what one names, another is; and does the API server take each name and size?"""

from __future__ import annotations

import difflib
import json
import re
from typing import TYPE_CHECKING

from landbridge.deploy.kubernetes.checks.finding import JOB, POD, Finding, at, listed, mapped, of_kind, title
from landbridge.deploy.kubernetes.names import CRON_JOB_LENGTH, LABEL_LENGTH

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from landbridge.deploy.kubernetes.text import Object

_VERSIONS = {
    "ConfigMap": "v1",
    "CronJob": "batch/v1",
    "NetworkPolicy": "networking.k8s.io/v1",
    "ServiceAccount": "v1",
}
"""The kinds that are rendered; anything else among them was put there by somebody."""
_KEYS: tuple[tuple[tuple[str, ...], str], ...] = (
    (
        ("spec",),
        (
            "schedule timeZone concurrencyPolicy startingDeadlineSeconds successfulJobsHistoryLimit failedJobsHistoryLimit "
            "jobTemplate suspend"
        ),
    ),
    (
        JOB,
        (
            "activeDeadlineSeconds ttlSecondsAfterFinished backoffLimit podReplacementPolicy podFailurePolicy template "
            "parallelism completions suspend"
        ),
    ),
    (
        POD,
        (
            "serviceAccountName automountServiceAccountToken enableServiceLinks restartPolicy terminationGracePeriodSeconds "
            "securityContext imagePullSecrets nodeSelector containers volumes tolerations affinity priorityClassName "
            "topologySpreadConstraints hostNetwork hostPID hostIPC initContainers hostAliases dnsConfig dnsPolicy "
            "schedulerName runtimeClassName"
        ),
    ),
    (
        (*POD, "containers"),
        (
            "name image imagePullPolicy command args env envFrom resources securityContext volumeMounts workingDir ports "
            "lifecycle terminationMessagePath terminationMessagePolicy"
        ),
    ),
)
"""Keys that stand at each place. A word that the API server does not know is dropped without a sound by an older client.

Source: Kubernetes API reference, CronJobSpec, JobSpec, PodSpec, Container.
"""
_LONGEST_NAME = 253
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
_LABEL = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?")
_MOST = 1 << 20
"""Source: Kubernetes, "ConfigMaps"."""


def check(objects: Sequence[Object]) -> Iterator[Finding]:
    """Give what does not fit together."""
    yield from _names(objects)
    accounts = {at(one, "metadata", "name") for one in of_kind(objects, "ServiceAccount")}
    maps = {str(at(one, "metadata", "name")): one for one in of_kind(objects, "ConfigMap")}
    for name, one in maps.items():
        size = len(json.dumps(one).encode())
        if size > _MOST:
            yield Finding(
                "config-too-large", f"ConfigMap/{name}", "data", f"{size:,} bytes", f"at most {_MOST:,}"
            )
    used = set()
    for one in of_kind(objects, "CronJob"):
        yield from _keys(one)
        account = at(one, *POD, "serviceAccountName")
        if account not in accounts:
            yield Finding(
                "account-missing",
                title(one),
                f"{'.'.join(POD)}.serviceAccountName",
                f"there is no service account `{account}`: no pod is made",
                ", ".join(sorted(map(str, accounts))),
            )
        used |= {str(reference.get("name")) for reference in _references(one)}
        yield from _config(one, maps)
    for name in sorted(set(maps) - used):
        yield Finding("config-unused", f"ConfigMap/{name}", "metadata.name", "no pod reads it")


def _keys(one: Object) -> Iterator[Finding]:
    for path, words in _KEYS:
        known = words.split()
        below = at(one, *path)
        for each in below if isinstance(below, list) else [below]:
            for key in mapped(each):
                if key not in known:
                    near = next(iter(difflib.get_close_matches(key, known, 1)), "")
                    yield Finding(
                        "key-unknown",
                        title(one),
                        f"{'.'.join(path)}.{key}",
                        f"there is no `{key}` here",
                        near,
                    )


def _references(one: Object) -> list[dict[str, object]]:
    sources = [
        each for volume in listed(one, *POD, "volumes") for each in listed(volume, "projected", "sources")
    ]
    return [mapped(source, "configMap") for source in sources if mapped(source, "configMap")]


def _config(one: Object, maps: dict[str, Object]) -> Iterator[Finding]:
    where = f"{'.'.join(POD)}.volumes"
    for reference in _references(one):
        name = str(reference.get("name"))
        if name not in maps:
            what = f"there is no ConfigMap `{name}`: the pod waits for ever"
            yield Finding("config-missing", title(one), where, what)
            continue
        held = {*mapped(maps[name], "data"), *mapped(maps[name], "binaryData")}
        for item in listed(reference, "items"):
            if at(item, "key") not in held:
                what = f"`{name}` has no key `{at(item, 'key')}`: the pod waits for ever"
                yield Finding("config-key-missing", title(one), where, what)


def _names(objects: Sequence[Object]) -> Iterator[Finding]:
    seen: set[str] = set()
    namespaces = {str(at(one, "metadata", "namespace")) for one in objects}
    for one in objects:
        kind, name = str(at(one, "kind")), str(at(one, "metadata", "name") or "")
        if at(one, "apiVersion") != _VERSIONS.get(kind):
            yield Finding(
                "kind-unknown",
                title(one),
                "apiVersion",
                f"`{at(one, 'apiVersion')}` has no `{kind}`, or it does not belong here",
                _VERSIONS.get(kind, ", ".join(_VERSIONS)),
            )
        longest = CRON_JOB_LENGTH if kind == "CronJob" else _LONGEST_NAME
        if not _NAME.fullmatch(name) or len(name) > longest:
            yield Finding(
                "name-refused",
                title(one),
                "metadata.name",
                f"{len(name)} characters, or others than a-z, 0-9 and `-`: its jobs cannot be named",
                f"at most {longest}",
            )
        if title(one) in seen:
            yield Finding("object-twice", title(one), "metadata.name", "the later one overwrites the first")
        seen.add(title(one))
        if at(one, "metadata", "namespace") is None or len(namespaces) > 1:
            yield Finding(
                "namespace-differs",
                title(one),
                "metadata.namespace",
                f"namespaces {', '.join(sorted(namespaces))}: what belongs together must be in one",
            )
        for key, value in mapped(one, "metadata", "labels").items():
            if not isinstance(value, str) or len(value) > LABEL_LENGTH or not _LABEL.fullmatch(value):
                yield Finding(
                    "label-refused",
                    title(one),
                    f"metadata.labels.{key}",
                    f"`{value}` is no label",
                    "at most 63 letters, digits, `-`, `_`, `.`",
                )
