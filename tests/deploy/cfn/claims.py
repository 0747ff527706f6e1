"""What is a claim about the templates, and how is one broken on purpose?"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.deploy.cfn.reading import make, read
from tests.deploy.cfn.variants import parameters, rendered

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from landbridge.deploy.stack import Kind
    from tests.deploy.cfn.reading import Made

Break = tuple[str, "Callable[[dict[str, Any]], None]"]
"""What is done to the template's data, and its name."""


@dataclass(frozen=True)
class Claim:
    """A property of a stack, and every way to lose it that a test tries."""

    name: str
    kind: Kind
    variant: str
    holds: Callable[[Made], bool]
    breaks: Sequence[Break]


def broken(claim: Claim, change: Callable[[dict[str, Any]], None]) -> bool:
    """Tell whether the claim no longer holds of a template that was changed; one that cannot be resolved holds nothing."""
    stack = rendered(claim.variant)[claim.kind]
    template = copy.deepcopy(read(stack.template))
    before = copy.deepcopy(template)
    change(template)
    assert template != before, "the change changed nothing"
    try:
        return not claim.holds(make(template, parameters(stack, claim.variant)))
    except (KeyError, TypeError, IndexError, AssertionError, StopIteration):
        return True


def without(*path: str | int) -> Break:
    """Remove what stands at a path of the template."""

    def change(template: dict[str, Any]) -> None:
        parent = _to(template, path[:-1])
        del parent[path[-1]]

    return f"without {'.'.join(map(str, path[1:]))}", change


def put(value: object, *path: str | int) -> Break:
    """Put another value at a path of the template."""

    def change(template: dict[str, Any]) -> None:
        _to(template, path[:-1])[path[-1]] = value

    return f"{'.'.join(map(str, path[1:]))} = {value!r}"[:90], change


def edit(name: str, change: Callable[[dict[str, Any]], object]) -> Break:
    """Change the template by a function."""
    return name, lambda template: (change(template), None)[1]


def props(logical: str, *path: str | int) -> tuple[str | int, ...]:
    """Give the path to a property of a resource."""
    return ("Resources", logical, "Properties", *path)


def statement(template: dict[str, Any], logical: str, sid: str) -> dict[str, Any]:
    """Find a statement of a raw template."""
    return next(one for one in _statements(template, logical) if one.get("Sid") == sid)


def no_statement(logical: str, sid: str) -> Break:
    """Remove a statement."""

    def change(template: dict[str, Any]) -> None:
        all_of_them = _statements(template, logical)
        all_of_them.remove(statement(template, logical, sid))

    return f"without statement {sid} of {logical}", change


def in_statement(logical: str, sid: str, key: str, value: object) -> Break:
    """Put another value into a statement; None removes the key."""

    def change(template: dict[str, Any]) -> None:
        one = statement(template, logical, sid)
        one.pop(key)
        if value is not None:
            one[key] = value

    return f"{logical} {sid} {key} = {value!r}"[:90], change


def more_statement(logical: str, **one: object) -> Break:
    """Add a statement."""
    return f"{logical} and {one['Effect']} {one['Action']}", lambda template: _statements(
        template, logical
    ).append(one)


def _statements(template: dict[str, Any], logical: str) -> list[dict[str, Any]]:
    found = template["Resources"][logical]["Properties"]
    name = next(each for each in ("PolicyDocument", "KeyPolicy", "ResourcePolicy") if each in found)
    statements: list[dict[str, Any]] = found[name]["Statement"]
    return statements


def _to(template: Any, path: Sequence[str | int]) -> Any:
    for step in path:
        template = template[step]
    return template
