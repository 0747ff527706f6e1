"""What does a pod of Landbridge look like: its one container, what it may do, what it gets, and how much of the node?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from landbridge.cluster import SecretKey
from landbridge.deploy.kubernetes.files import key_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from landbridge.cluster import Kubernetes, Volume
    from landbridge.deploy.kubernetes.text import Object

CONTAINER = "landbridge"
PROJECT = "/etc/landbridge"
"""Where a pod finds the declaration."""
SCRATCH = "/tmp"  # noqa: S108 - the emptyDir is mounted there, so that libraries that insist on it find it
USER = 10001
"""Of the image; see the Dockerfile."""
_LOGS = 256
"""MiB of ephemeral storage beside the scratch: what the node keeps of the container's log."""


@dataclass(frozen=True, slots=True)
class Work:
    """What one kind of pod does."""

    arguments: tuple[str, ...]
    service_account: str
    memory: int
    """MiB, request and limit."""
    scratch: int
    """MiB."""
    variables: Mapping[str, SecretKey | str]
    files: Mapping[str, SecretKey]
    """Paths in the project's folder that come from Secrets."""
    volumes: Sequence[Volume] = ()


def mebibytes(quantity: str) -> int:
    """Read `512Mi` or `2Gi`."""
    number, unit = re.fullmatch(r"(\d+)(Mi|Gi)", quantity).groups()  # type: ignore[union-attr] # the model has checked it
    return int(number) * (1024 if unit == "Gi" else 1)


def spec(
    work: Work, cluster: Kubernetes, maps: Sequence[tuple[str, Sequence[str]]], region: str, environment: str
) -> Object:
    """Give the pod's spec. It meets the restricted Pod Security Standard.

    `maps` are the ConfigMaps of the declaration, each with the paths that it holds.

    Source: Kubernetes, "Pod Security Standards", profile restricted.
    """
    return {
        "serviceAccountName": work.service_account,
        # EKS puts its own, narrower token into the pod (IRSA, Pod Identity); nobody here talks to the cluster's API.
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 60,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        **(
            {"imagePullSecrets": [{"name": name} for name in cluster.pull_secrets]}
            if cluster.pull_secrets
            else {}
        ),
        **({"nodeSelector": dict(cluster.node_selector)} if cluster.node_selector else {}),
        "containers": [_container(work, cluster, region, environment)],
        "volumes": _volumes(work, maps),
    }


def _container(work: Work, cluster: Kubernetes, region: str, environment: str) -> Object:
    storage = f"{work.scratch + _LOGS}Mi"
    return {
        "name": CONTAINER,
        "image": cluster.image,
        "imagePullPolicy": "IfNotPresent",
        "args": list(work.arguments),
        "env": _environment(work, region, environment),
        "resources": {
            "requests": {"cpu": cluster.cpu, "memory": f"{work.memory}Mi", "ephemeral-storage": storage},
            "limits": {"memory": f"{work.memory}Mi", "ephemeral-storage": storage},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "privileged": False,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": _mounts(work),
    }


def _environment(work: Work, region: str, environment: str) -> list[Object]:
    def field(name: str, path: str) -> Object:
        return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}

    own: list[Object] = [
        {"name": "LANDBRIDGE_ENVIRONMENT", "value": environment},
        # The slot's time: the label ends in it, the annotation of the Job does not reach the pod.
        field("LANDBRIDGE_JOB_NAME", "metadata.labels['batch.kubernetes.io/job-name']"),
        field("LANDBRIDGE_ACTOR", "metadata.name"),
        {"name": "TMPDIR", "value": SCRATCH},
        {"name": "HOME", "value": SCRATCH},
        {"name": "AWS_REGION", "value": region},
        {"name": "AWS_EC2_METADATA_DISABLED", "value": "true"},
    ]
    for name, value in sorted(work.variables.items()):
        match value:
            case SecretKey(secret=secret, key=key):
                own.append({"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}})
            case str():
                own.append({"name": name, "value": value})
    return own


def _mounts(work: Work) -> list[Object]:
    return [
        {"name": "scratch", "mountPath": SCRATCH},
        {"name": "declaration", "mountPath": PROJECT, "readOnly": True},
        *(
            {
                "name": f"claim-{number}",
                "mountPath": volume.path,
                **({"readOnly": True} if volume.read_only else {}),
            }
            for number, volume in enumerate(work.volumes)
        ),
    ]


def _volumes(work: Work, maps: Sequence[tuple[str, Sequence[str]]]) -> list[object]:
    """One folder is put together from ConfigMaps and Secrets, so that every path is what the declaration says."""
    sources: list[Object] = [
        {"configMap": {"name": name, "items": [{"key": key_of(path), "path": path} for path in paths]}}
        for name, paths in maps
    ]
    secrets: dict[str, list[Object]] = {}
    for path, at in sorted(work.files.items()):
        secrets.setdefault(at.secret, []).append({"key": at.key, "path": path})
    sources += [{"secret": {"name": name, "items": items}} for name, items in secrets.items()]
    return [
        {"name": "scratch", "emptyDir": {"sizeLimit": f"{work.scratch}Mi"}},
        # Readable to the group (fsGroup), and to nobody else on the node.
        {"name": "declaration", "projected": {"defaultMode": 0o440, "sources": sources}},
        *[
            {
                "name": f"claim-{number}",
                "persistentVolumeClaim": {
                    "claimName": volume.claim,
                    **({"readOnly": True} if volume.read_only else {}),
                },
            }
            for number, volume in enumerate(work.volumes)
        ],
    ]
