"""Is the upstream ready, and how long is it waited for?"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, assert_never
from zoneinfo import ZoneInfo

from landbridge.errors import ContractBroken, TryAgain, Unavailable
from landbridge.feed.inputs import FileReady, RestReady, Retries, SqlReady
from landbridge.feed.words import duration_text
from landbridge.sources.around import Around, Silent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from landbridge.facts import Slot
    from landbridge.feed.inputs import Readiness, ReadySignal
    from landbridge.ports import Clock, Progress, Secrets, Signal, Store

_TIMEOUT = timedelta(seconds=60)
"""Of one question; the signal is asked again anyway."""


def signal(
    declared: ReadySignal,
    *,
    folder: Path,
    secrets: Secrets,
    environment: str,
    variables: Mapping[str, str],
    clock: Clock,
    stores: Callable[[str], Store] | None = None,
) -> Signal:
    """Give the declared signal. Each question is asked anew: a new connection, a new listing.

    `ready` raises what ports.Source says; a service that is away is not the same as "not yet".
    """
    around = Around(folder, environment, variables, secrets, clock, Silent(), stores)
    match declared:
        case SqlReady():
            return _Sql(declared, around)
        case RestReady():
            return _Rest(declared, around)
        case FileReady():
            return _File(declared, around)
        case _ as unknown:
            assert_never(unknown)


def wait_until_ready(
    readiness: Readiness, slot: Slot, signal: Signal, clock: Clock, progress: Progress, *, time_zone: str
) -> None:
    """Ask every so often until the signal says yes.

    `time_zone` is the schedule's, for a limit that is a local time of the scheduled day.

    Raises:
        TryAgain: the limit has passed; also when the signal was away until then.
        NotPermitted, ContractBroken, UsageError: the signal cannot be asked like that.
    """
    began = clock.now()
    until = _limit(readiness, slot, began, time_zone)
    step = f"wait for {slot.feed}'s upstream"
    progress.start(step, None, "questions")
    try:
        while (said := _answer(signal, slot)) != "yes":
            progress.advance(step, 1)
            left = (until - clock.now()).total_seconds()
            if left <= 0:
                raise TryAgain(
                    f"the upstream of {slot} is not ready",
                    expected=f"ready by {until.astimezone(ZoneInfo(time_zone)):%Y-%m-%d %H:%M %Z}",
                    seen=f"the `{readiness.signal.kind}` signal says {said}, after {duration_text(clock.now() - began)}",
                    hint="run it again when the upstream is ready",
                )
            clock.sleep(min(readiness.every.total_seconds(), left))
    finally:
        progress.finish(step)


def _answer(signal: Signal, slot: Slot) -> str:
    try:
        return "yes" if signal.ready(slot) else "no"
    except Unavailable as error:
        return f"nothing ({error.what}: {error.seen})"


def _limit(readiness: Readiness, slot: Slot, began: datetime, time_zone: str) -> datetime:
    if readiness.limit is not None:
        return began + readiness.limit
    if readiness.until is None:
        raise AssertionError("a readiness has one limit")
    zone = ZoneInfo(time_zone)
    day = slot.scheduled_at.astimezone(zone).date()
    return datetime.combine(day, time.fromisoformat(readiness.until), zone).astimezone(UTC)


class _Sql:
    def __init__(self, declared: SqlReady, around: Around) -> None:
        self._declared = declared
        self._around = around

    def ready(self, slot: Slot) -> bool:
        from landbridge.sources.sql.query import bound
        from landbridge.sources.sql.source import snapshot

        declared, around = self._declared, self._around
        query = bound("ready", declared.query, declared.parameters, slot, around)
        taken = snapshot(around.resolved(declared.url, slot), around)
        try:
            value = taken.first_value("ready", query, _TIMEOUT)
        finally:
            taken.close()
        if value is None or isinstance(value, bool):
            return bool(value)
        if isinstance(value, (int, float, Decimal)):
            return value > 0
        raise ContractBroken(
            "the readiness query does not say yes or no",
            expected="a boolean, or a number above zero, as the first value",
            seen=type(value).__name__,
        )


class _Rest:
    def __init__(self, declared: RestReady, around: Around) -> None:
        self._declared = declared
        self._around = around

    def ready(self, slot: Slot) -> bool:
        import orjson

        from landbridge.sources.exact import loads
        from landbridge.sources.records import dug
        from landbridge.sources.rest.auth import Credentials
        from landbridge.sources.rest.http import Http, Pace, Request

        declared, around = self._declared, self._around
        url = around.resolved(declared.url, slot)
        pace = Pace(None, around.clock)
        with Http("ready", around, Retries(attempts=3), pace, _TIMEOUT.total_seconds()) as http:
            credentials = Credentials("ready", declared.auth, around, slot, http)
            try:
                body = http.send(Request(url, {}, {}), credentials.add, credentials.renew).body
            except ContractBroken:  # a status such as 404: there is nothing yet
                return False
        if not declared.path:
            return True
        try:
            value = dug(loads(body), declared.path)
        except orjson.JSONDecodeError as error:
            raise ContractBroken(f"the readiness URL {around.shown(url)} does not answer in JSON") from error
        if declared.equals is None:
            return value is True
        return _written(value) == around.text(declared.equals, slot)


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


class _File:
    def __init__(self, declared: FileReady, around: Around) -> None:
        self._declared = declared
        self._around = around

    def ready(self, slot: Slot) -> bool:
        from landbridge.sources.files import matching

        return bool(matching("ready", self._around.resolved(self._declared.path, slot), self._around))
