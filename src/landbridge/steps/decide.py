"""What does the commit of a revision say?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, assert_never

from landbridge.facts import Breached, Commitment, Empty, Sealed, Validated, Verdict
from landbridge.plan import plan
from landbridge.steps.runs import Runs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from landbridge.feed import Feed


class Decider(Runs, Protocol):
    """Who decides, where and when."""

    @property
    def environment(self) -> str:
        """Environment of the slot."""
        ...

    @property
    def variables(self) -> Mapping[str, str]:
        """Texts of `{variables.NAME}`."""
        ...

    @property
    def revision(self) -> int:
        """Number of the revision that is being made."""
        ...

    @property
    def reason(self) -> str:
        """Why, for a revision made on purpose; empty for the first."""
        ...


def decide(
    feed: Feed, decided: Validated | Sealed | Breached | Empty, by: Decider, *, contract: str
) -> Commitment:
    """Word the verdict about staged bytes as the commitment that the ledger will hold.

    `contract` is the sha256 of the text that they were judged by.

    Raises:
        UsageError: a name cannot be made for this slot.
    """
    match decided:
        case Sealed():
            staged, report = decided.validated.staged, decided.validated.report
            verdict, travels, recipients = Verdict.RELEASE, decided.ciphertext, decided.recipients
        case Validated():
            staged, report = decided.staged, decided.report
            verdict, travels, recipients = Verdict.RELEASE, decided.staged, ()
        case Breached():
            staged, report = decided.staged, decided.report
            verdict, travels, recipients = Verdict.QUARANTINE, decided.staged, ()
        case Empty():
            staged, report = decided.staged, decided.report
            verdict, travels, recipients = Verdict.SKIP, decided.staged, ()
        case _:
            assert_never(decided)
    applied = plan(
        feed, staged.slot, environment=by.environment, variables=by.variables, revision=by.revision
    )
    return Commitment(
        slot=staged.slot,
        revision=by.revision,
        verdict=verdict,
        environment=by.environment,
        plain=staged.content,
        delivered=travels.content,
        staged=travels.at,
        target=applied.target,
        report=report,
        sources=staged.sources,
        run_id=by.run_id,
        actor=by.actor,
        committed_at=by.clock.now(),
        plan=applied.digest,
        reason=by.reason,
        recipients=recipients,
        contract=contract,
    )
