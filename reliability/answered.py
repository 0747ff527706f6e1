"""What does a double of a port give of many calls that go together, each with its own end?"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from landbridge.errors import LandbridgeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_T = TypeVar("_T")


def each_answered(
    call: Callable[..., _T], asked: Iterable[tuple[object, ...]], *more: object
) -> list[_T | LandbridgeError]:
    """Make the calls one after the other, each with its own arguments and `more`; give what each gives, or the error of ours that it raises."""
    answers: list[_T | LandbridgeError] = []
    for one in asked:
        try:
            answers.append(call(*one, *more))
        except LandbridgeError as error:
            answers.append(error)
    return answers
