"""May the pods reach what they are told to reach, and nothing else?"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

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

_PORTS = {"http": 80, "https": 443, "postgresql": 5432, "mysql": 3306, "mssql": 1433, "oracle": 1521}
_DNS = 53


def check(objects: Sequence[Object]) -> Iterator[Finding]:
    """Give what is wrong with the network policies, and what they keep the pods from."""
    policies = list(of_kind(objects, "NetworkPolicy"))
    pods = list(of_kind(objects, "CronJob"))
    for policy in policies:
        yield from _policy(policy, pods)
    for one in pods:
        own = [policy for policy in policies if _selects(policy, one)]
        kinds = {str(kind) for policy in own for kind in listed(policy, "spec", "policyTypes")}
        if not {"Ingress", "Egress"} <= kinds:
            yield Finding(
                "network-open",
                title(one),
                ".".join((*POD[:-1], "metadata", "labels")),
                "no policy denies what is not allowed",
                "a policy of both types that selects it",
            )
            continue
        ports = {
            at(port, "port")
            for policy in own
            for rule in listed(policy, "spec", "egress")
            for port in listed(rule, "ports")
        }
        if _DNS not in ports:
            yield Finding(
                "names-unresolved", title(one), "spec.egress", "no name can be resolved", "UDP and TCP 53"
            )
        for container in listed(one, *POD, "containers"):
            for name, port in _wanted(container):
                if port not in ports:
                    yield Finding(
                        "port-closed",
                        title(one),
                        f"{'.'.join(POD)}.containers.env.{name}",
                        f"it is told to reach port {port}, and no NetworkPolicy allows that",
                        "`kubernetes.reach`",
                    )


def _policy(policy: Object, pods: list[Object]) -> Iterator[Finding]:
    types = listed(policy, "spec", "policyTypes")
    if not types or not set(map(str, types)) <= {"Ingress", "Egress"}:
        yield Finding(
            "enum-unknown", title(policy), "spec.policyTypes", f"{types} are no types", "`Ingress`, `Egress`"
        )
    if pods and not any(_selects(policy, one) for one in pods):
        yield Finding(
            "policy-of-nobody", title(policy), "spec.podSelector", "it selects no pod of these CronJobs"
        )
    if listed(policy, "spec", "ingress"):
        yield Finding("let-in", title(policy), "spec.ingress", "nobody has to connect to a run")
    for number, rule in enumerate(listed(policy, "spec", "egress")):
        if not listed(rule, "to") or not listed(rule, "ports"):
            yield Finding(
                "network-open",
                title(policy),
                f"spec.egress.{number}",
                "it allows every destination, or every port",
                "`to` and `ports`",
            )
        for port in listed(rule, "ports"):
            if at(port, "protocol") not in {"TCP", "UDP"}:
                yield Finding(
                    "enum-unknown",
                    title(policy),
                    f"spec.egress.{number}.ports",
                    f"`{at(port, 'protocol')}` is no protocol",
                    "`TCP`, `UDP`",
                )
        for block in (mapped(to, "ipBlock") for to in listed(rule, "to")):
            if block.get("cidr") == "0.0.0.0/0" and "169.254.169.254/32" not in listed(block, "except"):
                yield Finding(
                    "node-credentials",
                    title(policy),
                    f"spec.egress.{number}",
                    "the pods can ask for the credentials of their node",
                    "`except: [169.254.169.254/32]`",
                )


def _selects(policy: Object, one: Object) -> bool:
    labels = mapped(one, *POD[:-1], "metadata", "labels")
    return all(
        labels.get(key) == value
        for key, value in mapped(policy, "spec", "podSelector", "matchLabels").items()
    )


def _wanted(container: object) -> Iterator[tuple[str, int]]:
    for name, variable in environment_of(container).items():
        value = at(variable, "value")
        if not isinstance(value, str) or "://" not in value:
            continue
        parts = urlsplit(value)
        try:
            port = parts.port or _PORTS.get(parts.scheme.partition("+")[0])
        except ValueError:
            continue
        if port:
            yield name, port
