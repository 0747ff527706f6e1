"""Would these manifests do what is meant, once a cluster has taken them? What a schema cannot see, by rule.

Held against every rendering, so that a mistake of the renderer cannot leave, and against manifests that people have edited.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from landbridge.deploy.kubernetes.checks import jobs, network, pods, together
from landbridge.deploy.kubernetes.checks.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from landbridge.deploy.kubernetes.text import Object

__all__ = ["Finding", "findings"]

_ROOMS = (together.check, jobs.check, pods.check, network.check)


def findings(objects: Sequence[Object]) -> list[Finding]:
    """Give all that is wrong with the objects of one environment, in the order of the objects."""
    return [finding for room in _ROOMS for finding in room(objects)]
