"""How does one further call for each record of a list add its detail?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from landbridge.errors import ContractBroken, UsageError
from landbridge.sources.exact import exactly, loads
from landbridge.sources.records import dug
from landbridge.sources.rest.http import Answer, Request, led_to

if TYPE_CHECKING:
    from landbridge.facts import Slot
    from landbridge.feed.inputs import Detail
    from landbridge.sources.around import Around


class Details:
    """The detail calls of one opened source: a bounded number at once, results in the order of the list."""

    def __init__(
        self,
        name: str,
        declared: Detail,
        base: str,
        headers: Mapping[str, str],
        slot: Slot,
        around: Around,
        ask: Callable[[Request], Answer],
    ) -> None:
        self._name = name
        self._declared = declared
        self._base = base
        self._headers = headers
        self._slot = slot
        self._around = around
        self._ask = ask
        self._threads = ThreadPoolExecutor(declared.concurrency, thread_name_prefix=f"detail-{name}")
        self._kept: tuple[int, list[bytes]] = (0, [])

    def of(self, records: Sequence[Any], page: int, *, exact: bool) -> list[dict[str, Any]]:
        """Give each record of a page with the fields of its detail.

        Asked once a page, however often the page is read.

        Raises:
            ContractBroken: a record lacks a field of the URL, a detail is not an object, or a field of both differs.
        """
        if self._kept[0] != page:
            places = [f"page {page}, record {number}" for number in range(1, len(records) + 1)]
            requests = [self._request(record, place) for record, place in zip(records, places, strict=True)]
            self._kept = (page, [answer.body for answer in self._threads.map(self._ask, requests)])
        return [
            self._joined(record, body, f"page {page}, record {number}", exact=exact)
            for number, (record, body) in enumerate(zip(records, self._kept[1], strict=True), start=1)
        ]

    def close(self) -> None:
        """Let the calls that run end, and start no more."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _request(self, record: object, place: str) -> Request:
        if not isinstance(record, Mapping):
            raise ContractBroken(f"source `{self._name}`, {place}: no object", seen=type(record).__name__)
        # A field that is null, empty or a step upwards would make another URL, so the template must not find it.
        plain = {key: str(value) for key, value in record.items() if value is not None and value != ""}
        steps = {key: quote(value, safe="") for key, value in plain.items() if value not in {".", ".."}}
        try:
            path = self._around.text(self._declared.url, self._slot, steps)
            parameters = {
                key: self._around.text(value, self._slot, plain)
                for key, value in self._declared.parameters.items()
            }
        except UsageError as error:
            raise ContractBroken(
                f"source `{self._name}`, {place}: the URL of its detail cannot be made",
                expected="each word of `detail.url` as a field of the record",
                seen=error.what,
            ) from error
        url = path if "://" in path.partition("?")[0] else f"{self._base.rstrip('/')}/{path.lstrip('/')}"
        try:
            led_to(url, "")
        except ValueError as error:
            raise ContractBroken(
                f"source `{self._name}`, {place}: the URL of its detail is none",
                expected="a host, and a port that is a number",
            ) from error
        return Request(url, parameters, self._headers)

    def _joined(self, record: Mapping[str, Any], body: bytes, place: str, *, exact: bool) -> dict[str, Any]:
        try:
            answer = exactly(body) if exact else loads(body)
        except ValueError as error:
            raise ContractBroken(f"source `{self._name}`, {place}: its detail is not JSON") from error
        detail = dug(answer, self._declared.record) if self._declared.record else answer
        if not isinstance(detail, Mapping):
            raise ContractBroken(
                f"source `{self._name}`, {place}: its detail is no object",
                expected=f"an object at `{self._declared.record}`" if self._declared.record else "an object",
                seen="nothing" if detail is None else type(detail).__name__,
            )
        named = {f"{self._declared.prefix}{key}": value for key, value in detail.items()}
        for key in named.keys() & record.keys():
            if named[key] != record[key]:
                raise ContractBroken(
                    f"source `{self._name}`, {place}: list and detail differ in `{key}`",
                    hint="declare a `prefix` for the detail's fields",
                )
        return {**record, **named}
