"""Which connections may the pods open? Everything else is denied, in both directions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from landbridge.account import PodIdentity

if TYPE_CHECKING:
    from landbridge.cluster import Kubernetes
    from landbridge.deploy.kubernetes.text import Object
    from landbridge.project import Place

_METADATA = "169.254.169.254/32"
"""The node's own credentials: never for a pod. Source: EC2 User Guide, "Instance metadata"."""
_NODE_LOCAL_DNS = "169.254.20.10/32"
"""Source: Kubernetes, "Using NodeLocal DNSCache"."""
_POD_IDENTITY_AGENT = "169.254.170.23/32"
"""Source: EKS User Guide, "Pod Identity Agent"; it answers on port 80."""


def policies(where: Place, cluster: Kubernetes) -> dict[str, Object]:
    """Give the specs of the NetworkPolicies by the last part of their names; they lack `podSelector`."""
    allowed: dict[str, list[Object]] = {
        "dns": [
            {
                "to": [
                    {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}},
                    {"ipBlock": {"cidr": _NODE_LOCAL_DNS}},
                ],
                "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}],
            }
        ],
        # A NetworkPolicy knows addresses, not names: `aws_reach` narrows this to where the endpoints are.
        "aws": [
            {"to": [_block(cidr) for cidr in cluster.aws_reach], "ports": [{"protocol": "TCP", "port": 443}]}
        ],
    }
    if where.aws and isinstance(where.aws.identity, PodIdentity):
        allowed["aws"].append(
            {"to": [{"ipBlock": {"cidr": _POD_IDENTITY_AGENT}}], "ports": [{"protocol": "TCP", "port": 80}]}
        )
    if cluster.reach:
        allowed["reach"] = [
            {
                "to": [_block(reach.cidr)],
                "ports": [{"protocol": "TCP", "port": port} for port in reach.ports],
            }
            for reach in cluster.reach
        ]
    return {
        "deny": {"policyTypes": ["Ingress", "Egress"]},
        **{name: {"policyTypes": ["Egress"], "egress": rules} for name, rules in allowed.items()},
    }


def _block(cidr: str) -> Object:
    everything = cidr == "0.0.0.0/0"
    return {"ipBlock": {"cidr": cidr, **({"except": [_METADATA]} if everything else {})}}
