"""How does every call of a port pass somebody first, whichever port it is?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a port that is about to be made."""

    port: str
    """`s3`, `sftp`, `disk`, `clock`, `source`, `gate`."""
    operation: str
    arguments: tuple[Any, ...]
    options: dict[str, Any]

    def __str__(self) -> str:
        """Give `s3.put`."""
        return f"{self.port}.{self.operation}"


Gate = "Callable[[Call, Callable[..., Any]], Any]"
"""Is shown a call and what does it, and gives (or raises) what the caller gets."""


class Through:
    """A port whose every call passes a gate. What a call lends (an open file) is let through as well, if it is asked for.

    `lends` names the operations whose result is itself a part of the port.
    """

    def __init__(
        self,
        target: object,
        port: str,
        gate: Callable[[Call, Callable[..., Any]], Any],
        lends: frozenset[str] = frozenset(),
    ) -> None:
        self._target = target
        self._port = port
        self._gate = gate
        self._lends = lends

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 # whatever the port has
        found = getattr(self._target, name)
        if name.startswith("_") or not callable(found):
            return found
        port, gate, lends = self._port, self._gate, name in self._lends

        def call(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 # as above
            given = gate(Call(port, name, arguments, options), found)
            return Through(given, port, gate, self._lends) if lends else given

        self.__dict__[name] = call
        return call
