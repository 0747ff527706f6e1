"""How is a manifest looked into, and how is a mistake in it told?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from landbridge.deploy.kubernetes.text import Object


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake in a manifest."""

    rule: str
    """Which failure it leads to, in a word or two: `image-by-tag`."""
    object: str
    """`CronJob/eidv-dev-verifications`."""
    path: str
    """Where in the object, dotted."""
    what: str
    expected: str = ""

    def __str__(self) -> str:
        """Give one line."""
        expected = f"; expected {self.expected}" if self.expected else ""
        return f"{self.object}: {self.what} [{self.rule}] ({self.path}){expected}"


def title(one: object) -> str:
    """Give kind and name of an object."""
    return f"{at(one, 'kind') or 'object'}/{at(one, 'metadata', 'name') or '?'}"


def at(one: object, *path: str | int) -> object:
    """Give what lies at a path, or None."""
    for key in path:
        if isinstance(one, dict):
            one = one.get(key)
        elif isinstance(one, list) and isinstance(key, int) and key < len(one):
            one = one[key]
        else:
            return None
    return one


def listed(one: object, *path: str | int) -> list[object]:
    """Give the list at a path; empty when there is none."""
    found = at(one, *path)
    return found if isinstance(found, list) else []


def mapped(one: object, *path: str | int) -> dict[str, object]:
    """Give the mapping at a path; empty when there is none."""
    found = at(one, *path)
    return found if isinstance(found, dict) else {}


def of_kind(objects: Sequence[Object], kind: str) -> Iterator[Object]:
    """Give the objects of a kind."""
    return (one for one in objects if at(one, "kind") == kind)


POD = ("spec", "jobTemplate", "spec", "template", "spec")
JOB = ("spec", "jobTemplate", "spec")


def environment_of(container: object) -> dict[str, object]:
    """Give a container's variables by name, as they are written."""
    return {str(at(one, "name")): one for one in listed(container, "env")}
