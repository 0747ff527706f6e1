"""What does a pod of the twin's cluster run with: its variables, its folders, its identity?

There are no containers here. A mounted folder is a real one somewhere else, so a path in an argument or a variable that
lies below a mount is written anew; everything else is what the manifest says.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from landbridge.errors import UsageError
from landbridge.twin.child import bare_environment
from landbridge.twin.files import private_folder
from landbridge.twin.programs import Command

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from landbridge.twin.kubernetes.manifests import Applied, PodSpec, Projected, Variable, Volume
    from landbridge.twin.programs import Program

NOT_HERE = frozenset({"LANDBRIDGE_ALARM_TOPIC"})
"""Variables that a pod is not given, because what they name does not exist on one machine: there is no SNS."""
_OWN = frozenset({"HOME", "TMPDIR"})


@dataclass(frozen=True, slots=True)
class Node:
    """The one machine of the cluster, and what stands in for what lies outside of it."""

    folder: Path
    """Of the cluster: pods, claims and logs."""
    program: Program
    """The image's entry point."""
    identities: Mapping[str, Mapping[str, str]]
    """By service account: the variables that EKS puts into its pods."""
    outside: Mapping[str, str]
    """Stands in for Secrets and for services of the outside, by the name of the variable that refers to them."""
    files: Mapping[str, Path]
    """Stands in for Secrets that are mounted, by the path at which the pod sees them."""


@dataclass(frozen=True, slots=True)
class Pod:
    """One try of a Job."""

    name: str
    job: str
    spec: PodSpec

    def command(self, node: Node, applied: Applied, at: datetime, limit: timedelta) -> Command:
        """Lay out the pod's folders, and give what it runs.

        Raises:
            UsageError: the machine has nothing in the place of a Secret, a claim or a service account.
        """
        container = self.spec.containers[0]
        volumes = {volume.name: volume for volume in self.spec.volumes}
        mounts = {
            PurePosixPath(mount.mountPath): self._volume(volumes[mount.name], node, applied)
            for mount in container.volumeMounts
        }
        account = self.spec.serviceAccountName
        if account not in node.identities:
            raise UsageError(
                f"no identity for the service account {account}", expected=", ".join(node.identities)
            )
        given = {
            one.name: _moved(self._value(one, node), mounts)
            for one in container.env
            if one.name not in NOT_HERE
        }
        return Command(
            arguments=tuple(_moved(word, mounts) for word in container.args),
            environment={**bare_environment(), **given, **node.identities[account]},
            folder=private_folder(self._folder(node)),
            log=private_folder(node.folder / "logs") / f"{self.name}.log",
            at=at,
            limit=limit,
        )

    def remove(self, node: Node) -> None:
        """Take away what lived as long as the pod. Idempotent."""
        shutil.rmtree(self._folder(node), ignore_errors=True)

    def _folder(self, node: Node) -> Path:
        return node.folder / "pods" / self.name

    def _value(self, one: Variable, node: Node) -> str:
        match one.valueFrom:
            case None:
                own = one.name in _OWN or one.name.startswith(("LANDBRIDGE_", "AWS_"))
                return (one.value or "") if own else node.outside.get(one.name, one.value or "")
            case source if source.fieldRef:
                return self.name if source.fieldRef.fieldPath == "metadata.name" else self.job
            case source if source.secretKeyRef and one.name in node.outside:
                return node.outside[one.name]
            case _:
                raise UsageError(
                    f"nothing stands in for the Secret of the variable `{one.name}`",
                    hint=f"export {one.name} before `landbridge twin up`",
                )

    def _volume(self, volume: Volume, node: Node, applied: Applied) -> Path:
        if volume.projected:
            return self._projected(volume.projected, self._folder(node) / volume.name, node, applied)
        if volume.persistentVolumeClaim:
            return private_folder(node.folder / "claims" / volume.persistentVolumeClaim.claimName)
        return private_folder(self._folder(node) / volume.name)

    def _projected(self, projected: Projected, into: Path, node: Node, applied: Applied) -> Path:
        for source in projected.sources:
            for item in source.configMap.items if source.configMap else ():
                content = applied.config_maps[source.configMap.name].content(item.key)  # type: ignore[union-attr] # it has items
                _laid(into, item.path, content, projected.defaultMode)
            for item in source.secret.items if source.secret else ():
                if item.path not in node.files:
                    raise UsageError(
                        f"nothing stands in for the Secret {source.secret.name if source.secret else ''}, key {item.key}",
                        expected=f"the file `{item.path}` in the project's folder",
                    )
                _laid(into, item.path, node.files[item.path].read_bytes(), projected.defaultMode)
        return into


def _laid(into: Path, path: str, content: bytes, mode: int) -> None:
    plain = PurePosixPath(path)
    if plain.is_absolute() or ".." in plain.parts:
        raise UsageError(f"a volume cannot hold `{path}`", expected="a path below it")
    file = into / plain
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    file.chmod(mode)


def _moved(text: str, mounts: Mapping[PurePosixPath, Path]) -> str:
    path = PurePosixPath(text)
    for mount, real in mounts.items():
        if path.is_relative_to(mount):
            return str(real / path.relative_to(mount))
    return text
