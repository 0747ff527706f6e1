"""How do the pods of an environment run on Kubernetes: namespace, image, resources, what they may reach?

Read when an environment is deployed; a run or a collection needs none of it.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from landbridge.account import Cidr
from landbridge.feed.words import Declared, Duration, Name, Text

Label = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")]
"""A name of Kubernetes (RFC 1123 label)."""
Cpu = Annotated[str, StringConstraints(pattern=r"^(\d+m|\d+(\.\d{1,3})?)$")]
"""Cores: `500m`, `1`."""
Memory = Annotated[str, StringConstraints(pattern=r"^\d+(Mi|Gi)$")]
"""Bytes: `512Mi`, `2Gi`."""
Image = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._:/-]*(@sha256:[0-9a-f]{64})$")]
"""An image by its digest: a tag can be moved."""


class SecretKey(Declared):
    """A key of a Kubernetes Secret that somebody else brings (External Secrets, the Secrets Store CSI driver, a person)."""

    secret: Label
    """Name of the Secret, in the namespace of the pods."""
    key: Annotated[str, StringConstraints(pattern=r"^[-._a-zA-Z0-9]{1,253}$")]
    """Key in it."""


class Reach(Declared):
    """A destination that the pods may open connections to; everything else is denied."""

    name: Name
    """For people."""
    cidr: Cidr | Literal["0.0.0.0/0"]
    """Where."""
    ports: Annotated[tuple[Annotated[int, Field(ge=1, le=65535)], ...], Field(min_length=1)]
    """TCP ports."""


class Volume(Declared):
    """A volume that somebody else brings, for feeds that read or keep files outside S3."""

    claim: Label
    """The PersistentVolumeClaim, in the namespace of the pods."""
    path: Annotated[str, StringConstraints(pattern=r"^(/[A-Za-z0-9._-]+)+$")]
    """Where it is mounted; feeds refer to folders below it by absolute paths."""
    read_only: bool = False
    """For sources."""


class Kubernetes(Declared):
    """The cluster side of an environment."""

    namespace: Label | None = None
    """The project's name without it. Created by whoever owns the cluster."""
    service_account: Label = "landbridge"
    """Of the pods that run feeds; `-operator` is added for those that only look."""
    image: Image
    """Built from the Dockerfile of this repository."""
    pull_secrets: tuple[Label, ...] = ()
    """Secrets that the image is pulled with."""
    cpu: Cpu = "500m"
    """Requested; there is no limit on purpose: a throttled pod only takes longer."""
    memory_overhead: Memory = "512Mi"
    """Added to a feed's `memory` for the interpreter and the sources; request and limit of the container."""
    scratch: Memory = "2Gi"
    """Disk for drafts and spilled queries (`emptyDir` and ephemeral-storage), for feeds without a `scratch` of their own."""
    feed_scratch: dict[Name, Memory] = {}
    """By feed, where a file is larger: once its size, twice when it is encrypted."""
    time_limit: Duration = Field(default="2h", validate_default=True)
    """A run that takes longer is ended (`activeDeadlineSeconds`)."""
    start_within: Duration = Field(default="1h", validate_default=True)
    """A run that could not start by then is left to the watch (`startingDeadlineSeconds`)."""
    keep_jobs: Duration = Field(default="3d", validate_default=True)
    """How long finished jobs stay to be looked at (`ttlSecondsAfterFinished`)."""
    environment: dict[
        Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")], SecretKey | str
    ] = {}
    """Environment variables of the pods, by name: a Secret's key, or plain text that is no secret. Every `env:NAME` of a feed needs one."""
    files: dict[Text, SecretKey] = {}
    """Files of the project's folder that a Secret's key takes the place of, by path: every `file:PATH` of a feed that is
    no public key needs one."""
    volumes: tuple[Volume, ...] = ()
    """Mounted into the pods that run feeds."""
    reach: tuple[Reach, ...] = ()
    """What the sources need; DNS and AWS's own endpoints on 443 are always allowed."""
    aws_reach: Annotated[tuple[Cidr | Literal["0.0.0.0/0"], ...], Field(min_length=1)] = ("0.0.0.0/0",)
    """Where AWS's own endpoints are: the VPC's block where it has interface endpoints for all of them."""
    node_selector: dict[str, str] = {}
    """Labels of the nodes."""
    labels: dict[str, str] = {}
    """Put on everything."""
