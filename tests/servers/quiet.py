"""Who watches a step's progress in a test? Nobody."""

from __future__ import annotations


class Quiet:
    """Obeys ports.Progress."""

    def start(self, step: str, total: int | None, unit: str) -> None: ...

    def advance(self, step: str, amount: int) -> None: ...

    def finish(self, step: str) -> None: ...


QUIET = Quiet()
