"""What is rendered for the example, to be planted with mistakes?"""

from __future__ import annotations

import copy
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from landbridge.declare import load
from landbridge.deploy.kubernetes.render import Manifests, manifests

if TYPE_CHECKING:
    from landbridge.deploy.kubernetes.text import Object

EXAMPLE = Path(__file__).parents[2] / "examples" / "eidv"


@cache
def rendered(environment: str = "DEV") -> Manifests:
    return manifests(load(EXAMPLE), environment)


def objects() -> list[Object]:
    """Give a copy that may be spoiled."""
    return copy.deepcopy(rendered().objects)
