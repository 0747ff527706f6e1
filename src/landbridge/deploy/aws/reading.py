"""How do the stacks stand, and do they still say what the declaration says?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from landbridge.deploy.aws.events import root_cause
from landbridge.deploy.aws.failures import told
from landbridge.deploy.aws.request import missing_inputs, request
from landbridge.deploy.aws.standing import HIDDEN, look

if TYPE_CHECKING:
    from collections.abc import Iterable

    from landbridge.deploy.aws.account import Account, Event
    from landbridge.deploy.aws.request import Known
    from landbridge.deploy.aws.standing import Standing
    from landbridge.deploy.stack import Stack


@dataclass(frozen=True, slots=True)
class Reading:
    """One stack, and how it differs from the declaration."""

    stack: Stack
    standing: Standing
    differences: tuple[str, ...]
    """In words: the template, each parameter, the tags. Empty: as declared."""
    cause: Event | None
    """Why its last operation failed, where it did."""

    @property
    def well(self) -> bool:
        """Tell whether the stack is there, at rest and as declared."""
        return self.standing.condition == "settled" and not self.differences


def read(account: Account, stacks: Iterable[Stack]) -> tuple[Reading, ...]:
    """Look at every stack; changes nothing and waits for nothing.

    Raises:
        NotPermitted, Unavailable, UsageError: as `failures.told` says.
    """
    known: Known = {}
    readings = []
    for stack in stacks:
        standing = look(account, stack.name)
        if standing.condition == "settled":
            known[stack.kind] = standing.outputs
        there = standing.condition in {"settled", "busy", "stuck"}
        differences = tuple(_differences(account, stack, standing, known)) if there else ()
        broken = "ROLLBACK" in standing.status or standing.status.endswith("_FAILED")
        cause = root_cause(account, standing.stack_id) if broken else None
        readings.append(Reading(stack, standing, differences, cause))
    return tuple(readings)


def _differences(account: Account, stack: Stack, standing: Standing, known: Known) -> Iterable[str]:
    with told(f"reading the template of {stack.name}"):
        body = account.cloudformation.get_template(StackName=stack.name, TemplateStage="Original")[
            "TemplateBody"
        ]
    if str(body).strip() != stack.template.strip():
        yield "the template"
    missing = missing_inputs(stack, known)
    yield from (f"{name} does not exist" for name in missing)
    declared = stack.parameters if missing else request(stack, known).parameters
    for name, value in sorted(declared.items()):
        seen = standing.parameters.get(name)
        if seen not in {value, HIDDEN}:
            yield f"{name}: declared {value!r}, deployed {seen!r}"
    if dict(standing.tags) != dict(stack.tags):
        yield "the tags"
