"""How does every call of a port pass somebody first, whichever port it is?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


class Call(NamedTuple):
    """One call of a port that is about to be made. A tuple, because a history has hundreds."""

    name: str
    """`s3.put`."""
    port: str
    """`s3`, `sftp`, `disk`, `clock`, `source`, `gate`."""
    operation: str
    arguments: tuple[Any, ...]
    options: dict[str, Any]

    def __str__(self) -> str:
        """Give it with what a person can read of its arguments."""
        told = [
            f"{one}" if isinstance(one, str | int | Path) else f"{len(one)} B"
            for one in self.arguments
            if isinstance(one, str | int | Path | bytes | memoryview)
        ]
        return f"{self.name}({', '.join(told)})"


class Passing(Protocol):
    """Whoever every call passes."""

    def __call__(self, call: Call, make: Callable[..., Any], /) -> Any:  # noqa: ANN401 # whatever the call gives
        """Give (or raise) what the caller gets; `make` with the call's arguments makes the call."""
        ...


class Through:
    """A port whose every call passes somebody first."""

    def __init__(self, target: object, port: str, passing: Passing) -> None:
        self._target = target
        self._port = port
        self._passing = passing

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 # whatever the port has
        found = getattr(self._target, name)
        if name.startswith("_") or not callable(found):
            return found
        port, passing, whole = self._port, self._passing, f"{self._port}.{name}"

        def call(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 # as above
            return passing(Call(whole, port, name, arguments, options), found)

        self.__dict__[name] = call
        return call
