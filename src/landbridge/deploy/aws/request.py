"""What is asked of CloudFormation for one stack: template, parameters, tags, and a name that follows from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from landbridge.deploy.aws.changes import digest_of
from landbridge.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from landbridge.deploy.aws.standing import Standing
    from landbridge.deploy.stack import Kind, Stack

LONGEST_TEMPLATE = 51_200
"""Bytes that can be sent without a bucket. Source: AWS CloudFormation User Guide, "CloudFormation quotas"."""

Known = dict["Kind", "Mapping[str, str]"]
"""Outputs of the stacks that exist."""


@dataclass(frozen=True, slots=True)
class Request:
    """A stack with every parameter filled in."""

    stack: Stack
    parameters: Mapping[str, str]

    def change_set(self, standing: Standing) -> str:
        """Name the change set that would bring the stack from how it stands to how it is declared.

        The same request on the same stack has the same name, so a second run finds what the first one made.
        """
        base = "" if standing.condition == "absent" else f"{standing.stack_id} {standing.changed}"
        return "landbridge-" + digest_of(
            [self.stack.template, dict(self.parameters), dict(self.stack.tags), base]
        )


def declared_digest(stack: Stack) -> str:
    """Give the digest of everything that the declaration says of a stack; what it would create follows from it."""
    inputs = {name: [output.stack, output.name] for name, output in stack.inputs.items()}
    return digest_of([stack.name, stack.template, dict(stack.parameters), inputs, dict(stack.tags)])


def missing_inputs(stack: Stack, known: Known) -> tuple[str, ...]:
    """Name the outputs that the stack needs and that do not exist yet: `storage.KeyArn`."""
    return tuple(
        f"{output.stack}.{output.name}"
        for output in stack.inputs.values()
        if output.name not in known.get(output.stack, {})
    )


def request(stack: Stack, known: Known) -> Request:
    """Fill in the outputs of earlier stacks; all of them must be known.

    Raises:
        UsageError: the template is longer than what CloudFormation takes.
    """
    size = len(stack.template.encode())
    if size > LONGEST_TEMPLATE:
        raise UsageError(
            f"the template of {stack.name} is too long to be sent",
            expected=f"at most {LONGEST_TEMPLATE} bytes",
            seen=f"{size} bytes",
        )
    filled = {name: known[output.stack][output.name] for name, output in stack.inputs.items()}
    return Request(stack, {**stack.parameters, **filled})
