"""What does an attempt that fails leave on record, so that nobody has to look for the log of a pod that is gone?"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from landbridge.errors import Exit, LandbridgeError
from landbridge.events import log
from landbridge.facts import Failure
from landbridge.steps.runs import Runs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Literal

    from landbridge.facts import Slot

    Step = Literal["generate", "validate", "promote", "tell"]


_LONGEST = 300
"""Characters of a reason, and of a name: who runs may be called anything."""


class Records(Protocol):
    """The ledger, as far as a failure needs it."""

    def record_failure(self, failure: Failure) -> None:
        """Write it down, unless enough that says the same is."""
        ...


class By(Runs, Protocol):
    """Who tried, for which revision."""

    @property
    def ledger(self) -> Records:
        """Where it is written down."""
        ...

    @property
    def environment(self) -> str:
        """Of the run."""
        ...

    @property
    def revision(self) -> int:
        """That was to be made."""
        ...


@contextmanager
def failing(step: Step, slot: Slot, by: By, revision: int = 0) -> Iterator[None]:
    """Put it on record when what is done within fails, or is interrupted; the error itself goes on as it was.

    The record is worth one try: when it cannot be written, the error that it is about is all that counts. It says what
    happened, and not what was seen, which may be of the data. A crash leaves none.
    """
    try:
        yield
    except LandbridgeError as error:
        _record(step, slot, by, revision, error.exit, error.what)
        raise
    except KeyboardInterrupt:
        _record(
            step,
            slot,
            by,
            revision,
            Exit.INTERRUPTED,
            "interrupted: stopped by a person or by its time limit",
        )
        raise


def _record(
    step: Step,
    slot: Slot,
    by: By,
    revision: int,
    code: Exit,
    what: str,
) -> None:
    reason = "".join(char if char.isprintable() else " " for char in what)
    failure = Failure(
        slot=slot,
        revision=revision or by.revision,
        environment=by.environment,
        step=step,
        exit=int(code),
        reason=" ".join(reason.split())[:_LONGEST],
        run_id=by.run_id[:_LONGEST],
        actor=by.actor[:_LONGEST],
        failed_at=by.clock.now(),
    )
    try:
        by.ledger.record_failure(failure)
    except LandbridgeError as error:
        log.warning("the failure is not on record", step=step, error=str(error))
