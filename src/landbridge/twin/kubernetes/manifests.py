"""What of a Kubernetes manifest does the twin's cluster know?

Every key that it meets is here, and nothing else passes: what it does not know, it would silently not do. Beside a key
stands what becomes of it: it is executed, or it has no meaning on one machine and is only checked for its form.

Source of the shapes: Kubernetes API reference, v1 and batch/v1.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from landbridge.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


class Known(BaseModel):
    """A part of a manifest: every key that it may have."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Metadata(Known):
    """Who an object is."""

    name: str
    namespace: str
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class PodMetadata(Known):
    """What pods and Jobs made from a template carry."""

    labels: dict[str, str] = Field(default_factory=dict)


class FieldRef(Known):
    """A fact of the pod itself."""

    fieldPath: Literal["metadata.name", "metadata.labels['batch.kubernetes.io/job-name']"]  # noqa: N815 - Kubernetes' word


class SecretKeyRef(Known):
    """A key of a Secret, which somebody else brings."""

    name: str
    key: str


class ValueFrom(Known):
    """Where a variable's value comes from."""

    fieldRef: FieldRef | None = None  # noqa: N815
    secretKeyRef: SecretKeyRef | None = None  # noqa: N815


class Variable(Known):
    """One environment variable."""

    name: str
    value: str | None = None
    valueFrom: ValueFrom | None = None  # noqa: N815


class VolumeMount(Known):
    """Where a volume is seen in the container."""

    name: str
    mountPath: str  # noqa: N815
    readOnly: bool = False  # noqa: N815


class Container(Known):
    """The one container; without `command` it starts the image's entry point, Landbridge."""

    name: str
    image: str
    """Not pulled: the twin runs this very installation."""
    imagePullPolicy: Literal["IfNotPresent", "Always"] = "IfNotPresent"  # noqa: N815
    args: list[str]
    env: list[Variable] = Field(default_factory=list)
    resources: dict[str, dict[str, str]] = Field(default_factory=dict)
    """Not enforced: the processes share this machine."""
    securityContext: dict[str, object] = Field(default_factory=dict)  # noqa: N815
    """Not enforced: they run as the user who started the twin."""
    volumeMounts: list[VolumeMount] = Field(default_factory=list)  # noqa: N815


class Item(Known):
    """One key of a ConfigMap or Secret, as a file."""

    key: str
    path: str


class FilesFrom(Known):
    """A ConfigMap or Secret whose keys become files."""

    name: str
    items: list[Item]


class Projection(Known):
    """One source of a projected volume."""

    configMap: FilesFrom | None = None  # noqa: N815
    secret: FilesFrom | None = None


class Projected(Known):
    """A folder put together from ConfigMaps and Secrets."""

    defaultMode: int  # noqa: N815
    sources: list[Projection]


class EmptyDir(Known):
    """A folder that lives as long as the pod."""

    sizeLimit: str  # noqa: N815
    """Not enforced."""


class Claim(Known):
    """A folder that outlives the pod."""

    claimName: str  # noqa: N815
    readOnly: bool = False  # noqa: N815


class Volume(Known):
    """A folder that a container mounts."""

    name: str
    emptyDir: EmptyDir | None = None  # noqa: N815
    projected: Projected | None = None
    persistentVolumeClaim: Claim | None = None  # noqa: N815


class PodSpec(Known):
    """What a pod is."""

    serviceAccountName: str  # noqa: N815
    """Decides the role: the twin's issuer signs its token, as EKS does."""
    automountServiceAccountToken: Literal[False]  # noqa: N815
    enableServiceLinks: Literal[False]  # noqa: N815
    restartPolicy: Literal["Never"]  # noqa: N815
    terminationGracePeriodSeconds: int  # noqa: N815
    securityContext: dict[str, object]  # noqa: N815
    """Not enforced."""
    imagePullSecrets: list[dict[str, str]] = Field(default_factory=list)  # noqa: N815
    nodeSelector: dict[str, str] = Field(default_factory=dict)  # noqa: N815
    """There is one node."""
    containers: Annotated[list[Container], Field(min_length=1, max_length=1)]
    volumes: list[Volume] = Field(default_factory=list)


class PodTemplate(Known):
    """From what pods are made."""

    metadata: PodMetadata
    spec: PodSpec


class OnExitCodes(Known):
    """A rule's exit codes."""

    containerName: str  # noqa: N815
    operator: Literal["In", "NotIn"]
    values: list[int]


class PodCondition(Known):
    """A condition that a cluster puts on a pod that it takes away; never here."""

    type: Literal["DisruptionTarget"]
    status: Literal["True"]


class Rule(Known):
    """What a pod's failure means."""

    action: Literal["FailJob", "Ignore", "Count"]
    onExitCodes: OnExitCodes | None = None  # noqa: N815
    onPodConditions: list[PodCondition] | None = None  # noqa: N815


class FailurePolicy(Known):
    """Rules in order; the first that fits counts."""

    rules: list[Rule]


class JobSpec(Known):
    """How often and how long pods try."""

    activeDeadlineSeconds: int  # noqa: N815
    ttlSecondsAfterFinished: int  # noqa: N815
    """Not executed: the log of what happened stays."""
    backoffLimit: int  # noqa: N815
    podReplacementPolicy: Literal["Failed"]  # noqa: N815
    podFailurePolicy: FailurePolicy  # noqa: N815
    template: PodTemplate


class JobTemplate(Known):
    """From what Jobs are made."""

    metadata: PodMetadata
    spec: JobSpec


class CronJobSpec(Known):
    """When Jobs are made."""

    schedule: str
    timeZone: str  # noqa: N815
    concurrencyPolicy: Literal["Forbid"]  # noqa: N815
    startingDeadlineSeconds: int  # noqa: N815
    successfulJobsHistoryLimit: int  # noqa: N815
    failedJobsHistoryLimit: int  # noqa: N815
    suspend: bool = False
    jobTemplate: JobTemplate  # noqa: N815


class CronJob(Known):
    """Executed: schedule, time zone, concurrency, deadlines, back-off and failure policy, pod."""

    apiVersion: Literal["batch/v1"]  # noqa: N815
    kind: Literal["CronJob"]
    metadata: Metadata
    spec: CronJobSpec


class ConfigMap(Known):
    """Files of the declaration, mounted by the pods."""

    apiVersion: Literal["v1"]  # noqa: N815
    kind: Literal["ConfigMap"]
    metadata: Metadata
    immutable: Literal[True]
    data: dict[str, str] = Field(default_factory=dict)
    binaryData: dict[str, str] = Field(default_factory=dict)  # noqa: N815

    def content(self, key: str) -> bytes:
        """Give one key's bytes.

        Raises:
            UsageError: it has no such key.
        """
        if key in self.data:
            return self.data[key].encode()
        if key in self.binaryData:
            return base64.b64decode(self.binaryData[key])
        raise UsageError(f"the ConfigMap {self.metadata.name} has no key `{key}`")


class ServiceAccount(Known):
    """Must be there for the pods that name it."""

    apiVersion: Literal["v1"]  # noqa: N815
    kind: Literal["ServiceAccount"]
    metadata: Metadata
    automountServiceAccountToken: Literal[False]  # noqa: N815


class NetworkPolicy(Known):
    """Not executed: everything of the twin is on loopback."""

    apiVersion: Literal["networking.k8s.io/v1"]  # noqa: N815
    kind: Literal["NetworkPolicy"]
    metadata: Metadata
    spec: dict[str, object]


Object = Annotated[CronJob | ConfigMap | ServiceAccount | NetworkPolicy, Field(discriminator="kind")]


class Applied(BaseModel):
    """What `kubectl apply` has brought: objects by kind and name."""

    model_config = ConfigDict(frozen=True)

    cron_jobs: dict[str, CronJob]
    config_maps: dict[str, ConfigMap]
    service_accounts: dict[str, ServiceAccount]


def applied(files: Iterable[Path]) -> Applied:
    """Read the objects of rendered files, a kustomization beside them left alone.

    Raises:
        UsageError: a key that the twin's cluster does not know, a value that it cannot do, or an object that is missing.
    """
    from landbridge.deploy.kubernetes.reading import objects_in

    return known([one for file in files for one in objects_in(file)])


def known(objects: Iterable[Mapping[str, object]]) -> Applied:
    """Do what `applied` does, with objects that have been read."""
    cron_jobs: dict[str, CronJob] = {}
    config_maps: dict[str, ConfigMap] = {}
    accounts: dict[str, ServiceAccount] = {}
    for each in objects:
        match one := _known(each):
            case CronJob():
                cron_jobs[one.metadata.name] = one
            case ConfigMap():
                config_maps[one.metadata.name] = one
            case ServiceAccount():
                accounts[one.metadata.name] = one
            case _:
                continue
    made = Applied(cron_jobs=cron_jobs, config_maps=config_maps, service_accounts=accounts)
    for job in cron_jobs.values():
        _complete(job, made)
    return made


def _known(one: Mapping[str, object]) -> CronJob | ConfigMap | ServiceAccount | NetworkPolicy:
    try:
        return _adapter.validate_python(one)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"][1:]) or "kind"
        raise UsageError(
            f"the twin's cluster cannot execute `{where}` of {one.get('kind')} {_name(one)}",
            expected="only what it knows, so that nothing is passed over in silence",
            seen=first["msg"],
        ) from error


def _name(one: Mapping[str, object]) -> object:
    metadata = one.get("metadata")
    return metadata.get("name", "") if isinstance(metadata, dict) else ""


def _complete(job: CronJob, made: Applied) -> None:
    pod = job.spec.jobTemplate.spec.template.spec
    where = f"the CronJob {job.metadata.name}"
    if pod.serviceAccountName not in made.service_accounts:
        raise UsageError(f"{where} wants the ServiceAccount {pod.serviceAccountName}, which is not there")
    volumes = {volume.name for volume in pod.volumes}
    for mount in pod.containers[0].volumeMounts:
        if mount.name not in volumes:
            raise UsageError(f"{where} mounts the volume `{mount.name}`, which it has not")
    for volume in pod.volumes:
        for source in volume.projected.sources if volume.projected else ():
            if source.configMap and source.configMap.name not in made.config_maps:
                raise UsageError(f"{where} wants the ConfigMap {source.configMap.name}, which is not there")
    for rule in job.spec.jobTemplate.spec.podFailurePolicy.rules:
        if rule.onExitCodes and rule.onExitCodes.containerName != pod.containers[0].name:
            raise UsageError(f"{where} has a rule for the container `{rule.onExitCodes.containerName}`")


_adapter: TypeAdapter[CronJob | ConfigMap | ServiceAccount | NetworkPolicy] = TypeAdapter(Object)
