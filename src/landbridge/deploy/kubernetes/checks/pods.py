"""Would each pod start, with what it needs and nothing else, and know its slot?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from landbridge.deploy.kubernetes.checks.finding import (
    POD,
    Finding,
    at,
    environment_of,
    listed,
    mapped,
    of_kind,
    title,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from landbridge.deploy.kubernetes.text import Object

_QUANTITY = re.compile(r"\d+(\.\d+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?")
"""Source: Kubernetes, "Quantity"; the units that somebody would mean."""
_UNITS = {
    "": 1.0,
    "m": 1e-3,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "Ki": 2.0**10,
    "Mi": 2.0**20,
    "Gi": 2.0**30,
    "Ti": 2.0**40,
}
_DIGEST = re.compile(r".+@sha256:[0-9a-f]{64}")
_SECRET_NAME = re.compile(r"SECRET|PASSWORD|PASSWD|TOKEN|API_?KEY|PRIVATE|CREDENTIAL", re.IGNORECASE)
_SECRET_TEXT = re.compile(r"AKIA[0-9A-Z]{16}|PRIVATE KEY|^[\w+]+://[^/@:]*:[^/@]+@|^eyJ[\w-]+\.")
_NO_SECRET = re.compile(r"^(https?://[^@]*|/.*|true|false|\d+)?$")
"""An address, a path or a switch, whatever its variable is called (`EIDV_TOKEN_URL`)."""
_CLOCK = re.compile(r"\$\(|`|\bdate\b\s*[+-]|\bnow\b|\blatest\b|\btoday\b|\byesterday\b")
_JOB_NAME = "metadata.labels['batch.kubernetes.io/job-name']"
_KINDS_OF_VOLUMES = {
    "emptyDir",
    "projected",
    "configMap",
    "secret",
    "persistentVolumeClaim",
    "csi",
    "downwardAPI",
    "ephemeral",
}


def check(objects: Sequence[Object]) -> Iterator[Finding]:
    """Give what is wrong with the pods of the CronJobs."""
    for one in of_kind(objects, "CronJob"):
        yield from _pod(one)
        yield from _volumes(one)
        for number, container in enumerate(listed(one, *POD, "containers")):
            where = f"{'.'.join(POD)}.containers.{number}"
            yield from _image_and_words(one, container, where)
            yield from _variables(one, container, where)
            yield from _resources(one, container, where)
            yield from _scratch(one, container, where)
            yield from _rights(one, container, where)


def _pod(one: Object) -> Iterator[Finding]:
    where, pod = ".".join(POD), mapped(one, *POD)
    if (policy := pod.get("restartPolicy")) != "Never":
        yield Finding(
            "restarted-in-place",
            title(one),
            f"{where}.restartPolicy",
            f"`{policy}`: the failure policy by exit codes is refused, or never asked",
            "`Never`",
        )
    if pod.get("automountServiceAccountToken") is not False:
        yield Finding(
            "cluster-token-mounted",
            title(one),
            f"{where}.automountServiceAccountToken",
            "the pod gets a token of the cluster's API that it never needs",
            "`false`",
        )
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.get(key):
            yield Finding(
                "host-shared", title(one), f"{where}.{key}", f"`{key}` is refused by the restricted standard"
            )
    if at(pod, "securityContext", "seccompProfile", "type") not in {"RuntimeDefault", "Localhost"}:
        yield Finding(
            "seccomp-missing",
            title(one),
            f"{where}.securityContext.seccompProfile",
            "no system call is filtered",
            "`RuntimeDefault`",
        )
    if at(pod, "securityContext", "runAsNonRoot") is not True or at(pod, "securityContext", "runAsUser") == 0:
        yield Finding(
            "runs-as-root",
            title(one),
            f"{where}.securityContext",
            "it may run as root",
            "`runAsNonRoot: true` and a user other than 0",
        )


def _volumes(one: Object) -> Iterator[Finding]:
    where = ".".join(POD)
    volumes = {str(at(each, "name")): mapped(each) for each in listed(one, *POD, "volumes")}
    mounted = {
        str(at(each, "name"))
        for container in listed(one, *POD, "containers")
        for each in listed(container, "volumeMounts")
    }
    for name in sorted(mounted - set(volumes)):
        yield Finding(
            "volume-missing",
            title(one),
            f"{where}.volumes",
            f"`{name}` is mounted, and no volume is called so",
        )
    for name in sorted(set(volumes) - mounted):
        yield Finding("volume-unused", title(one), f"{where}.volumes", f"no container mounts `{name}`")
    for name, volume in volumes.items():
        if "hostPath" in volume:
            yield Finding(
                "host-path",
                title(one),
                f"{where}.volumes.{name}",
                "a folder of the node: refused by the restricted standard",
                "an emptyDir or a claim",
            )
        elif not set(volume) & _KINDS_OF_VOLUMES:
            yield Finding(
                "volume-unknown",
                title(one),
                f"{where}.volumes.{name}",
                f"`{', '.join(set(volume) - {'name'})}` is not a kind of volume that a pod here may have",
            )
        if "emptyDir" in volume and not at(volume, "emptyDir", "sizeLimit"):
            yield Finding(
                "scratch-unbounded",
                title(one),
                f"{where}.volumes.{name}",
                "it may fill the node's disk",
                "`sizeLimit`",
            )
    paths = [
        at(each, "mountPath")
        for container in listed(one, *POD, "containers")
        for each in listed(container, "volumeMounts")
    ]
    for container in listed(one, *POD, "containers"):
        folder = at(environment_of(container).get("TMPDIR"), "value")
        if folder is None or folder not in paths:
            yield Finding(
                "nowhere-to-write",
                title(one),
                where,
                f"TMPDIR `{folder}` is on no volume, and the image is read-only",
                "a mounted emptyDir",
            )


def _image_and_words(one: Object, container: object, where: str) -> Iterator[Finding]:
    image = str(at(container, "image"))
    if not _DIGEST.fullmatch(image):
        yield Finding(
            "image-by-tag",
            title(one),
            f"{where}.image",
            f"`{image}` can be moved to other bytes",
            "`NAME@sha256:...`",
        )
    if at(container, "imagePullPolicy") not in {"IfNotPresent", "Always", "Never"}:
        yield Finding(
            "enum-unknown",
            title(one),
            f"{where}.imagePullPolicy",
            f"`{at(container, 'imagePullPolicy')}` is no policy",
            "`IfNotPresent`",
        )
    words = [str(word) for word in (*listed(container, "command"), *listed(container, "args"))]
    if any(_CLOCK.search(word) for word in words):
        yield Finding(
            "date-from-now",
            title(one),
            f"{where}.args",
            "the slot is taken from the clock: a late or repeated job delivers the wrong day",
            f"no `--date`; {_JOB_NAME}",
        )
    elif "--date" in words or "-d" in words:
        yield Finding(
            "date-fixed", title(one), f"{where}.args", "every job would run the same slot", "no `--date`"
        )
    label = str(at(one, "metadata", "labels", "landbridge/environment") or "")
    if (
        "--environment" in words
        and (given := words[words.index("--environment") + 1 :])
        and label
        and given[0] != label
    ):
        yield Finding(
            "other-environment",
            title(one),
            f"{where}.args",
            f"it runs `{given[0]}`, and its label says `{label}`",
        )


def _variables(one: Object, container: object, where: str) -> Iterator[Finding]:
    variables = environment_of(container)
    if at(variables.get("LANDBRIDGE_JOB_NAME"), "valueFrom", "fieldRef", "fieldPath") != _JOB_NAME:
        yield Finding(
            "slot-unknown",
            title(one),
            f"{where}.env",
            "the pod cannot know its slot",
            f"LANDBRIDGE_JOB_NAME from {_JOB_NAME}",
        )
    if len(variables) != len(listed(container, "env")):
        yield Finding(
            "variable-twice", title(one), f"{where}.env", "a variable is set twice: the last one wins"
        )
    for name, variable in variables.items():
        value = at(variable, "value")
        here = f"{where}.env.{name}"
        if value is not None and not isinstance(value, str):
            yield Finding(
                "variable-no-text",
                title(one),
                here,
                f"`{value}` is no text: the API refuses the whole object",
                "quotes around it",
            )
        elif isinstance(value, str) and (
            _SECRET_TEXT.search(value) or (_SECRET_NAME.search(name) and not _NO_SECRET.match(value))
        ):
            # The value stays unsaid: it may be a real one.
            yield Finding(
                "secret-in-clear",
                title(one),
                here,
                "a secret stands in the manifest",
                "`valueFrom.secretKeyRef`",
            )
        elif value is None and not mapped(variable, "valueFrom"):
            yield Finding("variable-empty", title(one), here, "it has no value")


def _resources(one: Object, container: object, where: str) -> Iterator[Finding]:
    resources = mapped(container, "resources")
    for kind in ("requests", "limits"):
        for name, quantity in mapped(resources, kind).items():
            if _size(quantity) is None:
                yield Finding(
                    "quantity-unreadable",
                    title(one),
                    f"{where}.resources.{kind}.{name}",
                    f"`{quantity}` is no quantity",
                    "such as `500m` or `2Gi`",
                )
    for name in ("memory", "ephemeral-storage"):
        limit, request = (_size(at(resources, kind, name)) for kind in ("limits", "requests"))
        if limit is None or request is None:
            yield Finding(
                "limit-missing",
                title(one),
                f"{where}.resources",
                f"no request and limit of {name}: it takes the node down with it",
            )
        elif limit < request:
            yield Finding(
                "limit-below-request",
                title(one),
                f"{where}.resources",
                f"the limit of {name} is below the request",
            )
    if at(resources, "requests", "cpu") is None:
        yield Finding(
            "limit-missing", title(one), f"{where}.resources", "no request of cpu: it starves on a busy node"
        )
    if at(resources, "limits", "cpu") is not None:
        yield Finding(
            "cpu-limit",
            title(one),
            f"{where}.resources.limits.cpu",
            "a throttled pod only takes longer, and misses its deadline",
            "a request alone",
        )


def _scratch(one: Object, container: object, where: str) -> Iterator[Finding]:
    resources = mapped(container, "resources")
    disk = _size(at(resources, "limits", "ephemeral-storage"))
    for volume in listed(one, *POD, "volumes"):
        size = at(volume, "emptyDir", "sizeLimit")
        if size is not None and _size(size) is None:
            yield Finding(
                "quantity-unreadable",
                title(one),
                f"{'.'.join(POD)}.volumes",
                f"`{size}` is no quantity",
                "such as `2Gi`",
            )
        elif disk is not None and (_size(size) or 0) > disk:
            yield Finding(
                "evicted-when-full",
                title(one),
                f"{where}.resources",
                "the scratch may be larger than the limit of ephemeral-storage: the pod is evicted before it is full",
            )


def _rights(one: Object, container: object, where: str) -> Iterator[Finding]:
    context = mapped(container, "securityContext")
    wanted: tuple[tuple[str, object, str], ...] = (
        ("allowPrivilegeEscalation", False, "privileges-gained"),
        ("readOnlyRootFilesystem", True, "image-writable"),
    )
    for key, value, rule in wanted:
        if context.get(key) is not value:
            yield Finding(
                rule,
                title(one),
                f"{where}.securityContext.{key}",
                f"it is {context.get(key)}",
                f"`{str(value).lower()}`",
            )
    if context.get("privileged"):
        yield Finding("privileged", title(one), f"{where}.securityContext.privileged", "it owns the node")
    if listed(context, "capabilities", "drop") != ["ALL"] or listed(context, "capabilities", "add"):
        yield Finding(
            "capabilities-kept",
            title(one),
            f"{where}.securityContext.capabilities",
            "capabilities are kept",
            "`drop: [ALL]`, and none added",
        )


def _size(quantity: object) -> float | None:
    text = str(quantity) if isinstance(quantity, str | int | float) and not isinstance(quantity, bool) else ""
    if not _QUANTITY.fullmatch(text):
        return None
    number = re.match(r"[\d.]+", text)
    return float(number[0]) * _UNITS[text[number.end() :]] if number else None
