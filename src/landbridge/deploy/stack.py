"""What is a CloudFormation stack before anybody applies it? The renderer makes it, the deployer applies it."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - whoever writes a stack as JSON reads the annotations
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["storage", "identity", "sftp", "sftp-user"]
ORDER: tuple[Kind, ...] = ("storage", "identity", "sftp", "sftp-user")
"""In which stacks are created; they are deleted the other way round."""


@dataclass(frozen=True, slots=True)
class Output:
    """A value that an earlier stack gives."""

    stack: Kind
    name: str


@dataclass(frozen=True, slots=True)
class Stack:
    """One stack of one environment. The template is the same text in every environment; the parameters differ."""

    kind: Kind
    name: str
    """`landbridge-eidv-prd-storage`."""
    template: str
    """YAML, commented, readable without Landbridge."""
    parameters: Mapping[str, str]
    """What the declaration says."""
    inputs: Mapping[str, Output] = field(default_factory=dict)
    """Parameters that are filled with outputs of earlier stacks, read when it is applied: nothing is exported between stacks."""
    tags: Mapping[str, str] = field(default_factory=dict)
