"""What of a deployment can be checked without a network, for `landbridge check --environment E`?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from landbridge.counted import counted
from landbridge.errors import DeclarationWrong
from landbridge.project import place

if TYPE_CHECKING:
    from collections.abc import Callable

    from landbridge.errors import Problem
    from landbridge.project import Declaration


@dataclass(frozen=True, slots=True)
class Checked:
    """What one renderer found in an environment."""

    problems: tuple[Problem, ...] = ()
    warnings: tuple[str, ...] = ()
    said: str = ""
    """One line about what would be deployed; empty when the environment declares nothing for this renderer."""


def kubernetes(declaration: Declaration, environment: str) -> Checked:
    """Render the manifests, and hold them against the rules."""
    from landbridge.deploy.kubernetes.package import package
    from landbridge.deploy.kubernetes.render import manifests

    if place(declaration.project, environment).kubernetes is None:
        return Checked()
    try:
        made = manifests(declaration, environment)
        package(made)
    except DeclarationWrong as wrong:
        return Checked(problems=wrong.problems)
    said = (
        f"{environment} on Kubernetes: {counted(len(made.objects), 'object')} in namespace {made.namespace}"
    )
    return Checked(warnings=made.warnings, said=said)


def aws(declaration: Declaration, environment: str) -> Checked:
    """Render the stacks."""
    from landbridge.deploy.cloudformation import stacks

    if place(declaration.project, environment).aws is None:
        return Checked()
    try:
        made = stacks(declaration, environment)
    except DeclarationWrong as wrong:
        return Checked(problems=wrong.problems)
    return Checked(said=f"{environment} on AWS: the stacks {', '.join(stack.name for stack in made)}")


CHECKS: tuple[Callable[[Declaration, str], Checked], ...] = (aws, kubernetes)
"""One a renderer."""
