"""`landbridge canary`: a tiny marked file goes the whole way, and each hop is timed."""

from __future__ import annotations

import secrets
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from landbridge import wiring
from landbridge.canary import bird, flight
from landbridge.canary.below import PROVEN, SENT
from landbridge.cli.options import HERE, EnvironmentOption, JsonOption, ProjectFolder, TwinOption
from landbridge.cli.output import Silent, out, print_error, print_json, print_table, progress
from landbridge.counted import counted
from landbridge.errors import Exit, LandbridgeError, UsageError
from landbridge.naming import CANARY, CANARY_FEED, DRAFTS
from landbridge.steps.limit import within
from landbridge.wiring import canary_side

if TYPE_CHECKING:
    from landbridge.ports import Progress
    from landbridge.project import Declaration

_DEFAULT_LIMIT = 120.0


class Border(StrEnum):
    """Where the sides of the bridge meet."""

    RELEASED = "released"


def canary(
    until: Annotated[
        Border | None, typer.Option("--until", help="Only the cloud side: stop when it is released.")
    ] = None,
    start: Annotated[
        Border | None,
        typer.Option("--from", help="Only the ground side: begin with what the cloud side released."),
    ] = None,
    name: Annotated[
        str, typer.Option("--canary", help="With --from: this one, as the cloud side printed it.")
    ] = "",
    timeout: Annotated[
        float, typer.Option("--timeout", min=1, help="Seconds for the whole way; then exit 69.")
    ] = _DEFAULT_LIMIT,
    environment: EnvironmentOption = "",
    project: ProjectFolder = HERE,
    twin: TwinOption = False,
    as_json: JsonOption = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show every event.")] = False,
) -> int:
    """Send a tiny marked file the whole way, from generating to the signed receipt, and time each hop.

    It goes by the same code, roles and line as real files, one level below where those go, so that no consumer, status, watch
    or audit meets it. Where no machine sees both sides, send it with `--until released` and take it with `--from released`.

    Example: landbridge canary --environment PRD --timeout 60
    """
    if until and start:
        raise UsageError(
            "`--until` and `--from` leave no way to go", hint="leave both away for the whole way"
        )
    if name and not start:
        raise UsageError("`--canary` names one that was sent", expected="`--from released` with it")
    if name:
        bird.sent_at(name)
    declaration = wiring.declaration(project)
    place = wiring.environment_of(declaration, environment)
    wiring.log(verbose=verbose, environment=place)
    one = _Flight(declaration, place, name, cloud=start is None, ground=until is None, twin=twin)
    error: LandbridgeError | None = None
    try:
        with progress(quiet=as_json) as bars:
            one.show(bars)
            within(timeout, one.fly, lambda: f"the canary {one.name} (at the hop `{one.log.under_way}`)")
    except LandbridgeError as refused:
        error = refused
    return _said(one, error, as_json=as_json)


class _Flight:
    """One canary and the half of the way, or both, that it is to go."""

    def __init__(
        self, declaration: Declaration, environment: str, name: str, *, cloud: bool, ground: bool, twin: bool
    ) -> None:
        self.name = name or (bird.named(wiring.now(), secrets.token_hex(4)) if cloud else "")
        self.log = flight.Log()
        self.environment = environment
        self._declaration = declaration
        self._cloud, self._ground, self._twin = cloud, ground, twin
        self._bars: Progress = Silent()

    def show(self, bars: Progress) -> None:
        """Let somebody watch the hops."""

        def began(hop: str) -> None:
            bars.start(hop, None, "")

        self.log.began, self.log.ended = began, bars.finish

    def fly(self) -> None:
        """Go the way."""
        declared, environment, twin = self._declaration, self.environment, self._twin
        if self._cloud:
            cloud = canary_side.cloud(declared, environment, self.name, twin=twin, progress=self._bars)
            flight.release(self.name, cloud, self.log)
        if not self._ground:
            return
        with canary_side.remote(declared, environment, twin=twin, progress=self._bars) as remote:
            self.name = flight.awaited(remote, self.name, self.log, wiring.now().timestamp())
        with canary_side.ground(declared, environment, self.name, twin=twin, progress=self._bars) as ground:
            flight.bring(self.name, ground, self.log)

    @property
    def left(self) -> list[str]:
        """What is left of it, by hop: on S3 nobody may delete, and lifecycle rules forget all but the ledger's entry."""
        flown = {hop.name for hop in self.log.hops}
        places = {
            "stage": f"{DRAFTS}/{CANARY_FEED}/",
            "commit": f"ledger {CANARY}/{self.name}/",
            "release": f"{SENT[1:]}/{self.name}/",
            "send the receipt": f"{PROVEN[1:]}/{self.name}/",
        }
        return [place for hop, place in places.items() if hop in flown]


def _said(one: _Flight, error: LandbridgeError | None, *, as_json: bool) -> int:
    total = sum(hop.seconds for hop in one.log.hops)
    code = error.exit if error else Exit.DONE
    if as_json:
        print_json(
            {
                "canary": one.name,
                "environment": one.environment,
                "hops": [
                    {"hop": hop.name, "seconds": round(hop.seconds, 3), "where": hop.where}
                    for hop in one.log.hops
                ],
                "seconds": round(total, 3),
                "left": one.left,
                "failed": one.log.under_way if error else None,
                "exit": int(code),
            }
        )
    else:
        rows = [(hop.name, f"{hop.seconds:.3f}", hop.where) for hop in one.log.hops]
        print_table(f"canary {one.name}", ("hop", "seconds", "where"), rows)
        ended = f"failed at: {one.log.under_way or 'the start'}" if error else "it arrived"
        out().print(f"{ended}; {counted(len(rows), 'hop')} in {total:.3f} s", highlight=False)
    if error:
        print_error(error, as_json=as_json)
    return code
