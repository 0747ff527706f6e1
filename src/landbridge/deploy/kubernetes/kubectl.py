"""How do rendered objects get onto a cluster? Through the `kubectl` on PATH, which knows the cluster and who is asking.

Server-side apply with a field manager of the environment's own: what another environment (or a person) owns is never
overwritten; the API server says so, and it is told.

Source: Kubernetes, "Server-Side Apply"; `kubectl diff` exits 0 for no difference, 1 for some, more for an error.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from landbridge.deploy.kubernetes.render import INSTANCE
from landbridge.deploy.kubernetes.text import written
from landbridge.errors import (
    IntegrityBroken,
    LandbridgeError,
    NotPermitted,
    TryAgain,
    Unavailable,
    UsageError,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from landbridge.deploy.kubernetes.render import Manifests

_PRUNED = ("cronjobs.batch", "networkpolicies.networking.k8s.io", "serviceaccounts", "configmaps")
_LONGEST = 300
"""Seconds that one call may take."""
_DIFFERS = 1
_TRANSLATED: tuple[tuple[str, type[LandbridgeError], str], ...] = (
    (
        "conflict with",
        IntegrityBroken,
        "somebody else owns these fields: another environment in this namespace, or a person",
    ),
    (
        "conflicts with",
        IntegrityBroken,
        "somebody else owns these fields: another environment in this namespace, or a person",
    ),
    ("Forbidden", NotPermitted, "ask whoever owns the cluster for the rights that the message names"),
    ("Unauthorized", NotPermitted, "log in again (`aws eks update-kubeconfig ...`)"),
    ("must be logged in", NotPermitted, "log in again (`aws eks update-kubeconfig ...`)"),
    ("context was not found", UsageError, "see `kubectl config get-contexts`"),
    ("does not exist", UsageError, "see `kubectl config get-contexts`"),
    (
        'namespaces "',
        UsageError,
        "whoever owns the cluster creates the namespace: `kubectl create namespace NAME`",
    ),
    ("admission webhook", UsageError, "a policy of the cluster refused it: the message names the policy"),
    ("violates PodSecurity", UsageError, "the namespace asks for more than the restricted standard"),
    ("is invalid", UsageError, "the API server refused an object: the message names the field"),
    ("Timeout", TryAgain, "try again"),
    ("timed out", TryAgain, "try again"),
    ("connection refused", Unavailable, "is the cluster up, and can it be reached from here?"),
    ("no such host", Unavailable, "is the cluster up, and can it be reached from here?"),
    ("unable to connect", Unavailable, "is the cluster up, and can it be reached from here?"),
)
"""What kubectl says, and what the operator does next; the first that fits."""


@dataclass(frozen=True, slots=True)
class Leftover:
    """An object of the environment that is no longer rendered."""

    kind: str
    name: str

    def __str__(self) -> str:
        """Give it as kubectl names it."""
        return f"{self.kind}/{self.name}"


class Cluster:
    """One context of kubectl's configuration."""

    def __init__(self, context: str, *, program: str = "kubectl") -> None:
        """Take the context by its name; `program` is found on PATH.

        Raises:
            UsageError: there is no kubectl.
        """
        self.context = context
        self._program = found(program)

    def diff(self, made: Manifests) -> str:
        """Give what an apply would change, as the API server sees it; empty when nothing."""
        text, _ = self._run(["diff", *self._server_side(made), "-f", "-"], made, fine=(0, _DIFFERS))
        return text

    def apply(self, made: Manifests) -> str:
        """Apply all objects, and give kubectl's line for each. Doing it again changes nothing."""
        text, _ = self._run(["apply", *self._server_side(made), "-f", "-"], made)
        return text

    def leftovers(self, made: Manifests) -> list[Leftover]:
        """Give what carries the environment's label and is no longer rendered."""
        text, _ = self._run(
            [
                "get",
                ",".join(_PRUNED),
                "--namespace",
                made.namespace,
                "-l",
                f"{INSTANCE}={made.name}",
                "-o",
                "json",
            ]
        )
        known = {(one["kind"], _name(one)) for one in made.objects}
        items = json.loads(text)["items"]
        return [Leftover(one["kind"], _name(one)) for one in items if (one["kind"], _name(one)) not in known]

    def delete(self, made: Manifests, leftovers: Sequence[Leftover]) -> str:
        """Delete these by name."""
        names = [str(each) for each in leftovers]
        text, _ = self._run(["delete", "--namespace", made.namespace, "--wait=false", *names])
        return text

    def _server_side(self, made: Manifests) -> list[str]:
        return ["--server-side", f"--field-manager=landbridge-{made.name}", "--namespace", made.namespace]

    def _run(
        self, arguments: Sequence[str], made: Manifests | None = None, *, fine: tuple[int, ...] = (0,)
    ) -> tuple[str, int]:
        try:
            ended = subprocess.run(  # noqa: S603 - a list of words, never a shell
                [self._program, "--context", self.context, *arguments],
                input=written(made.objects) if made else "",
                capture_output=True,
                text=True,
                check=False,
                timeout=_LONGEST,
            )
        except subprocess.TimeoutExpired as error:
            raise TryAgain(f"kubectl {arguments[0]} did not answer within {_LONGEST} s") from error
        failed = ended.returncode not in fine or (ended.returncode == _DIFFERS and not ended.stdout)
        if failed:
            raise translated(arguments[0], self.context, ended.stderr)
        return ended.stdout, ended.returncode


def found(program: str) -> str:
    """Find kubectl.

    Raises:
        UsageError: it is not on PATH.
    """
    path = shutil.which(program)
    if path is None:
        raise UsageError(
            f"`{program}` is not on PATH",
            expected="kubectl 1.30 or later, configured for the cluster",
            hint="install it, or apply what `landbridge deploy kubernetes render` writes from where it is",
        )
    return path


def current_context(*, program: str = "kubectl") -> str:
    """Give the context that kubectl would use by itself; empty when there is none."""
    ended = subprocess.run(  # noqa: S603 - a list of words, never a shell
        [found(program), "config", "current-context"], capture_output=True, text=True, check=False, timeout=30
    )
    return ended.stdout.strip() if ended.returncode == 0 else ""


def translated(verb: str, context: str, said: str) -> LandbridgeError:
    """Make an error of ours out of what kubectl said."""
    for words, kind, hint in _TRANSLATED:
        if words.lower() in said.lower():
            return kind(f"kubectl {verb} failed on `{context}`", seen=_shortened(said), hint=hint)
    return Unavailable(f"kubectl {verb} failed on `{context}`", seen=_shortened(said))


def _shortened(said: str) -> str:
    lines = [
        line for line in said.splitlines() if line.strip() and not line.startswith(("Warning:", "W", "E1"))
    ]
    return " / ".join((lines or said.splitlines())[:4])


def _name(one: object) -> str:
    metadata = one["metadata"] if isinstance(one, dict) else {}
    return str(metadata["name"])
