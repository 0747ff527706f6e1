"""How does what is declared differ from what is deployed, job by job and key by key?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from landbridge.deploy.controlm.api.normal import (
    is_child,
    is_nameless,
    is_secret,
    kind_of,
    same_kind,
    says_nothing,
    tidy,
    written,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class KeyChange:
    """One key."""

    path: str
    """`FileTransfers[0].Src`."""
    before: str | None
    """As deployed; None where it is not there."""
    after: str | None
    """As declared; None where it is not there."""


Action = Literal["Add", "Modify", "Remove", "None"]


@dataclass(frozen=True, slots=True)
class Part:
    """A folder, a job or a connection profile, and what would become of it."""

    name: str
    kind: str
    """`Job:FileTransfer`."""
    action: Action
    within: str = ""
    """The folder of a job; empty for what stands by itself."""
    keys: tuple[KeyChange, ...] = ()
    kept: tuple[KeyChange, ...] = ()
    """What Control-M has made of our own last deployment, otherwise than it was declared."""

    @property
    def key(self) -> str:
        """Tell it apart from all others."""
        return f"{self.within}/{self.name}"


def compare(name: str, declared: Mapping[str, Any], deployed: Mapping[str, Any] | None) -> tuple[Part, ...]:
    """Compare a folder, or a profile, with what is deployed under its name: itself first, then each of its jobs.

    What Control-M adds by itself, another order and secrets are no difference.
    """
    want = _mapping(tidy(declared))
    if deployed is None:
        parts = [Part(name, kind_of(want), "Add")]
        parts += [Part(each, kind_of(want[each]), "Add", name) for each in want if is_child(want[each])]
        return tuple(parts)
    have = _mapping(tidy(deployed))
    own = tuple(_of_mapping(_own(want), _own(have), "", {}, {}))
    parts = [Part(name, kind_of(want), "Modify" if own else "None", keys=own)]
    for each in want:
        if is_child(want[each]):
            parts.append(_child(name, each, want, have))
    parts += [
        Part(each, kind_of(have[each]), "Remove", name)
        for each in have
        if is_child(have[each]) and not is_child(want.get(each))
    ]
    return tuple(parts)


def _child(folder: str, name: str, want: Mapping[str, Any], have: Mapping[str, Any]) -> Part:
    declared, deployed = want[name], have.get(name)
    if not is_child(deployed) or not isinstance(deployed, Mapping):
        return Part(name, kind_of(declared), "Add", folder)
    keys = tuple(_of_mapping(declared, deployed, "", _own(want), _own(have)))
    return Part(name, kind_of(declared), "Modify" if keys else "None", folder, keys)


def _own(folder: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in folder.items() if not is_child(value)}


def _of_mapping(
    want: Mapping[str, Any],
    have: Mapping[str, Any],
    path: str,
    want_folder: Mapping[str, Any],
    have_folder: Mapping[str, Any],
) -> Iterator[KeyChange]:
    """Yield the differences of two blocks; the folders are what their jobs inherit from."""
    partner = _partners(want, have)
    for key, value in want.items():
        place = f"{path}.{key}" if path else key
        other = partner.get(key)
        if other is not None:
            yield from _of_value(value, have[other], place, key)
        elif not says_nothing(key, value, want_folder):
            yield from _leaves(value, place, declared=True)
    taken = set(partner.values())
    for key, value in have.items():
        if key not in taken and not says_nothing(key, value, have_folder):
            yield from _leaves(value, f"{path}.{key}" if path else key, declared=False)


def _partners(want: Mapping[str, Any], have: Mapping[str, Any]) -> dict[str, str]:
    """Give for each declared key the deployed one: of the same name, or a nameless block of the same type."""
    partner = {key: key for key in want if key in have}
    left = [key for key in have if key not in partner.values()]
    for key, value in want.items():
        if key in partner or not is_nameless(value):
            continue
        alike = [each for each in left if is_nameless(have[each]) and same_kind(value, have[each])]
        # A job may have several blocks of one type: the one that says the most of the same is it.
        found = min(alike, key=lambda each: _distance(value, have[each]), default=None)
        if found is not None:
            partner[key] = found
            left.remove(found)
    return partner


def _distance(want: Mapping[str, Any], have: Mapping[str, Any]) -> int:
    return sum(1 for _ in _of_mapping(want, have, "", {}, {}))


def _of_value(want: object, have: object, path: str, key: str) -> Iterator[KeyChange]:
    if is_secret(want) or is_secret(have):
        return
    if isinstance(want, Mapping) and isinstance(have, Mapping):
        yield from _of_mapping(want, have, path, {}, {})
    elif isinstance(want, list) and isinstance(have, list):
        for index in range(max(len(want), len(have))):
            place = f"{path}[{index}]"
            if index >= len(have):
                yield from _leaves(want[index], place, declared=True)
            elif index >= len(want):
                yield from _leaves(have[index], place, declared=False)
            else:
                yield from _of_value(want[index], have[index], place, key)
    elif isinstance(want, Mapping | list) or isinstance(have, Mapping | list):
        yield from _leaves(have, path, declared=False)
        yield from _leaves(want, path, declared=True)
    elif written(want) != written(have):
        yield KeyChange(path, written(have), written(want))


def _leaves(value: object, path: str, *, declared: bool) -> Iterator[KeyChange]:
    """Yield each single value of a block that stands on one side alone."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _leaves(each, f"{path}.{key}", declared=declared)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _leaves(each, f"{path}[{index}]", declared=declared)
    elif declared:
        yield KeyChange(path, None, written(value))
    else:
        yield KeyChange(path, written(value), None)


def _mapping(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(type(value))
    return value
