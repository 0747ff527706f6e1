"""Does a REST source read every page once, with the right credentials, and say clearly what is wrong?"""

from __future__ import annotations

import base64
import gzip
import threading
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest

from landbridge.errors import ContractBroken, NotPermitted, Unavailable, UsageError
from tests.contract.bridge import SLOT, JumpingClock, adapter, around, read
from tests.fakes.heard import heard
from tests.servers import api as servers
from tests.servers.api import Answer, Api, Asked, as_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ITEMS = [{"id": number, "name": f"n{number}"} for number in range(7)]
COLUMNS = {"id": "int64", "name": "string"}
QUICK = {"attempts": 3, "longest_wait": "0s"}


@pytest.fixture
def api() -> Iterator[Api]:
    with servers.running() as running:
        yield running


def _by_link(api: Api) -> None:
    def page(asked: Asked) -> Answer:
        start = int(asked.query.get("from", "0"))
        more = f'<{api.url}/?from=0>; rel="first", </?from={start + 3}&q="a,b">; rel="next"'
        return as_json(ITEMS[start : start + 3], Link=more if start + 3 < len(ITEMS) else "")

    api.routes["/"] = page


def _by_url(api: Api) -> None:
    def page(asked: Asked) -> Answer:
        start = int(asked.query.get("from", "0"))
        following = f"/?from={start + 3}" if start + 3 < len(ITEMS) else None
        return as_json({"links": {"next": following}, "data": {"items": ITEMS[start : start + 3]}})

    api.routes["/"] = page


def _by_cursor(api: Api) -> None:
    def page(asked: Asked) -> Answer:
        start = int(asked.query.get("cursor", "c0")[1:])
        following = {"cursor": f"c{start + 3}"} if start + 3 < len(ITEMS) else {}
        return as_json({**following, "data": {"items": ITEMS[start : start + 3]}})

    api.routes["/"] = page


def _by_offset(api: Api) -> None:
    def page(asked: Asked) -> Answer:
        start, limit = int(asked.query["offset"]), int(asked.query["limit"])
        return as_json({"total": len(ITEMS), "data": {"items": ITEMS[start : start + min(limit, 2)]}})

    api.routes["/"] = page


def _by_short_page(api: Api) -> None:
    def page(asked: Asked) -> Answer:
        start, limit = int(asked.query["start"]), int(asked.query["max"])
        return as_json({"data": {"items": ITEMS[start : start + limit]}})

    api.routes["/"] = page


def _by_number(api: Api) -> None:
    def page(asked: Asked) -> Answer:
        number = int(asked.query["page"])
        return as_json({"pages": 3, "data": {"items": ITEMS[number * 3 - 3 : number * 3]}})

    api.routes["/"] = page


def _whole(api: Api) -> None:
    api.routes["/"] = lambda _: as_json({"data": {"items": ITEMS}})


@pytest.mark.parametrize(
    ("serve", "paging", "records", "asked"),
    [
        (_whole, {"kind": "single"}, "data.items", 1),
        (_by_link, {"kind": "link_header"}, "", 3),
        (_by_url, {"kind": "next_url", "path": "links.next"}, "data.items", 3),
        (_by_cursor, {"kind": "cursor", "path": "cursor", "parameter": "cursor"}, "data.items", 3),
        (_by_offset, {"kind": "offset", "limit": 5, "total_path": "total"}, "data.items", 4),
        (
            _by_short_page,
            {"kind": "offset", "limit": 3, "offset_parameter": "start", "limit_parameter": "max"},
            "data.items",
            3,
        ),
        (_by_number, {"kind": "page", "total_pages_path": "pages"}, "data.items", 3),
        (_by_number, {"kind": "page"}, "data.items", 4),
    ],
)
def test_every_way_of_paging_gives_every_record_once_and_in_order(
    api: Api, tmp_path: Path, serve: Callable[[Api], None], paging: dict[str, Any], records: str, asked: int
) -> None:
    serve(api)
    taken = read(around(tmp_path), kind="rest", url=api.url, records=records, paging=paging, columns=COLUMNS)
    assert taken.rows == ITEMS
    assert taken.types == {"id": "int64", "name": "string"}
    assert taken.fact.rows == len(ITEMS)
    assert len(api.asked) == asked


def test_the_slot_fills_path_parameters_and_body(api: Api, tmp_path: Path) -> None:
    api.routes["/v1/2026/orders"] = lambda _: as_json([])
    read(
        around(tmp_path),
        kind="rest",
        url=f"{api.url}/v1/",
        path="/{business_date:%Y}/orders",
        method="POST",
        parameters={"day": "{business_date:%Y-%m-%d}", "region": "{variables.region}"},
        body={"until": "{scheduled_at:%Y-%m-%dT%H:%MZ}"},
        headers={"X-Version": "3"},
        columns=COLUMNS,
    )
    [asked] = api.asked
    assert asked.method == "POST"
    assert asked.query == {"day": "2026-11-20", "region": "GB"}
    assert asked.body == b'{"until":"2026-11-21T06:00Z"}'
    assert asked.headers["x-version"] == "3"
    assert asked.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        ({"kind": "bearer", "token": "env:T"}, "authorization", "Bearer t0ps3cret"),
        ({"kind": "api_key", "value": "env:T"}, "x-api-key", "t0ps3cret"),
        (
            {"kind": "basic", "user": "anna", "password": "env:T"},
            "authorization",
            "Basic " + base64.b64encode(b"anna:t0ps3cret").decode(),
        ),
    ],
)
def test_credentials_go_into_the_header(
    api: Api, tmp_path: Path, auth: dict[str, str], header: str, value: str
) -> None:
    api.routes["/"] = lambda _: as_json(ITEMS)
    taken = read(
        around(tmp_path, {"env:T": "t0ps3cret"}), kind="rest", url=api.url, auth=auth, columns=COLUMNS
    )
    assert api.asked[0].headers[header] == value
    assert "t0ps3cret" not in repr(taken.fact)


def test_a_key_in_the_query_is_sent_and_never_shown(api: Api, tmp_path: Path) -> None:
    api.routes["/"] = lambda asked: as_json({"you sent": asked.query}, 400)
    auth = {"kind": "api_key", "name": "key", "value": "env:T", "place": "query"}
    with pytest.raises(ContractBroken) as caught:
        read(around(tmp_path, {"env:T": "t0p s3cret"}), kind="rest", url=api.url, auth=auth)
    assert api.asked[0].query["key"] == "t0p s3cret"
    assert "s3cret" not in str(caught.value)
    assert "status 400" in str(caught.value)
    assert "you sent" in str(caught.value)


OAUTH = {
    "kind": "oauth2_client_credentials",
    "client_id": "bridge",
    "client_secret": "env:T",
    "scope": "read",
    "parameters": {"audience": "reports"},
}


def _tokens(api: Api, life: int, *, in_form: bool = False) -> list[str]:
    """Serve a token endpoint and pages that ask for its newest token; give the tokens that were issued."""
    issued: list[str] = []

    def token(asked: Asked) -> Answer:
        expected = (
            b"client_id=bridge&client_secret=s3cret%2F%26" if in_form else b"grant_type=client_credentials"
        )
        basic = "Basic " + base64.b64encode(b"bridge:s3cret%2F%26").decode()
        known = (in_form or asked.headers.get("authorization") == basic) and expected in asked.body
        if not known or b"audience=reports&scope=read" not in asked.body:
            return as_json({"error": "invalid_client"}, 401)
        issued.append(f"token-{len(issued)}")
        return as_json({"access_token": issued[-1], "expires_in": life, "token_type": "Bearer"})

    def page(asked: Asked) -> Answer:
        if asked.headers.get("authorization") != f"Bearer {issued[-1] if issued else ''}":
            return as_json({"error": "expired"}, 401)
        start = int(asked.query.get("cursor", "0"))
        return as_json(
            {"next": start + 3 if start + 3 < len(ITEMS) else None, "items": ITEMS[start : start + 3]}
        )

    api.routes["/token"] = token
    api.routes["/"] = page
    return issued


CURSOR = {"kind": "cursor", "path": "next", "parameter": "cursor"}


def test_a_cursor_and_a_number_of_more_than_64_bits_are_not_rounded(api: Api, tmp_path: Path) -> None:
    long = 2**64 + 1
    pages = {"": {"next": long, "items": [{"id": long}]}, f"{long}": {"items": [{"id": long + 1}]}}
    api.routes["/"] = lambda asked: as_json(pages[asked.query.get("cursor", "")])
    keys = {"kind": "rest", "url": api.url, "records": "items", "paging": CURSOR}
    taken = read(around(tmp_path), **keys, columns={"id": "decimal(20,0)"})
    assert taken.rows == [{"id": long}, {"id": long + 1}]
    with pytest.raises(ContractBroken, match="`id` is not int64"):
        read(around(tmp_path), **keys)


@pytest.mark.parametrize("in_form", [False, True])
def test_a_token_is_fetched_once_with_the_client_in_header_or_form(
    api: Api, tmp_path: Path, in_form: bool
) -> None:
    issued = _tokens(api, 3600, in_form=in_form)
    auth = {**OAUTH, "token_url": f"{api.url}/token"}
    taken = read(
        around(tmp_path, {"env:T": "s3cret/&"}),
        kind="rest", url=api.url, auth=auth, records="items", paging=CURSOR, columns=COLUMNS,
    )  # fmt: skip
    assert taken.rows == ITEMS
    assert issued == ["token-0"]


def test_a_token_is_fetched_anew_before_it_runs_out(api: Api, tmp_path: Path) -> None:
    issued = _tokens(api, 100)
    auth = {**OAUTH, "token_url": f"{api.url}/token"}
    taken = read(
        around(tmp_path, {"env:T": "s3cret/&"}), requests_per_second=0.02,
        kind="rest", url=api.url, auth=auth, records="items", paging=CURSOR, columns=COLUMNS,
    )  # fmt: skip
    assert taken.rows == ITEMS
    assert issued == ["token-0", "token-1"]


def test_a_refused_token_is_renewed_once(api: Api, tmp_path: Path) -> None:
    issued = _tokens(api, 3600)
    page = api.routes["/"]

    def revoking(asked: Asked) -> Answer:
        if asked.query.get("cursor") == "3" and len(issued) == 1:
            return as_json({"error": "revoked"}, 401)
        return page(asked)

    api.routes["/"] = revoking
    auth = {**OAUTH, "token_url": f"{api.url}/token"}
    taken = read(
        around(tmp_path, {"env:T": "s3cret/&"}),
        kind="rest", url=api.url, auth=auth, records="items", paging=CURSOR, columns=COLUMNS,
    )  # fmt: skip
    assert taken.rows == ITEMS
    assert issued == ["token-0", "token-1"]


def test_a_client_that_the_token_endpoint_refuses_is_not_permitted(api: Api, tmp_path: Path) -> None:
    _tokens(api, 3600)
    auth = {**OAUTH, "token_url": f"{api.url}/token"}
    with pytest.raises(NotPermitted) as caught:
        read(around(tmp_path, {"env:T": "wrongsecret"}), kind="rest", url=api.url, auth=auth)
    assert "wrongsecret" not in str(caught.value)


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_are_not_tried_again(api: Api, tmp_path: Path, status: int) -> None:
    api.routes["/"] = lambda asked: as_json({"your token": asked.headers["authorization"]}, status)
    with pytest.raises(NotPermitted) as caught:
        read(
            around(tmp_path, {"env:T": "t0ps3cret"}),
            kind="rest", url=api.url, auth={"kind": "bearer", "token": "env:T"},
        )  # fmt: skip
    assert "t0ps3cret" not in str(caught.value)
    assert len(api.asked) == 1


def _failing(api: Api, *answers: Answer) -> None:
    left = list(answers)
    api.routes["/"] = lambda _: left.pop(0) if left else as_json(ITEMS)


@pytest.mark.parametrize(
    "fault",
    [
        as_json({}, 500),
        as_json({}, 502),
        as_json({}, 503),
        as_json({}, 504),
        as_json({}, 429),
        as_json({}, 429, **{"Retry-After": "0"}),
        Answer(200, b'[{"id": 1, "na', cut_after=5),
        Answer(200, b"not gzip", {"Content-Encoding": "gzip"}),
    ],
)
def test_a_fault_that_passes_is_tried_again(api: Api, tmp_path: Path, fault: Answer) -> None:
    _failing(api, fault, fault)
    taken = read(around(tmp_path), kind="rest", url=api.url, columns=COLUMNS, retries=QUICK)
    assert taken.rows == ITEMS
    assert len(api.asked) == 3


def test_a_fault_that_stays_is_unavailable_after_the_declared_attempts(api: Api, tmp_path: Path) -> None:
    _failing(api, *[as_json({"why": "maintenance"}, 503)] * 5)
    with heard() as events, pytest.raises(Unavailable, match=r"503.*maintenance.*3 attempts"):
        read(around(tmp_path), kind="rest", url=api.url, columns=COLUMNS, retries=QUICK)
    assert len(api.asked) == 3
    assert [(one["event"], one["source"], one["failed"]) for one in events] == [
        ("tried again", "s", 1),
        ("tried again", "s", 2),
    ]


def test_a_host_that_is_away_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="the connection was refused"):
        read(around(tmp_path), kind="rest", url="http://127.0.0.1:9", columns=COLUMNS, retries=QUICK)


def test_an_answer_that_takes_too_long_is_unavailable(api: Api, tmp_path: Path) -> None:
    done = threading.Event()

    def slow(_: Asked) -> Answer:
        done.wait(20)
        return as_json(ITEMS)

    api.routes["/"] = slow
    try:
        with pytest.raises(Unavailable, match="longer than `timeout`"):
            read(
                around(tmp_path),
                kind="rest",
                url=api.url,
                timeout="1s",
                retries={"attempts": 1},
                columns=COLUMNS,
            )
    finally:
        done.set()


@pytest.mark.parametrize("as_date", [False, True])
def test_retry_after_longer_than_allowed_gives_up_at_once(api: Api, tmp_path: Path, as_date: bool) -> None:
    clock = JumpingClock()
    asked_for = format_datetime(clock.now() + timedelta(hours=1)) if as_date else "3600"
    _failing(api, as_json({}, 429, **{"Retry-After": asked_for}))
    with pytest.raises(Unavailable, match="asks to wait 3600 s"):
        read(around(tmp_path, clock=clock), kind="rest", url=api.url, columns=COLUMNS, retries=QUICK)
    assert len(api.asked) == 1


def test_retry_after_is_waited_for(api: Api, tmp_path: Path) -> None:
    import time

    began: list[float] = []

    def page(_: Asked) -> Answer:
        began.append(time.monotonic())
        return as_json({}, 503, **{"Retry-After": "1"}) if len(began) == 1 else as_json(ITEMS)

    api.routes["/"] = page
    read(around(tmp_path), kind="rest", url=api.url, columns=COLUMNS, retries={"longest_wait": "5s"})
    assert began[1] - began[0] >= 1  # the server asked for it; without it the first wait is at most 1.5 s


def test_the_pace_is_kept(api: Api, tmp_path: Path) -> None:
    _by_cursor(api)
    clock = JumpingClock()
    paging = {"kind": "cursor", "path": "cursor", "parameter": "cursor"}
    read(
        around(tmp_path, clock=clock),
        kind="rest", url=api.url, records="data.items", paging=paging, columns=COLUMNS, requests_per_second=0.5,
    )  # fmt: skip
    assert clock.slept == [2.0, 2.0]


def test_a_redirect_on_the_same_host_keeps_the_credentials(api: Api, tmp_path: Path) -> None:
    api.routes["/"] = lambda _: Answer(307, b"", {"Location": "/there"})
    api.routes["/there"] = lambda _: as_json(ITEMS)
    auth = {"kind": "api_key", "value": "env:T"}
    taken = read(
        around(tmp_path, {"env:T": "t0ps3cret"}), kind="rest", url=api.url, auth=auth, columns=COLUMNS
    )
    assert taken.rows == ITEMS
    assert api.asked[1].headers["x-api-key"] == "t0ps3cret"


AUTHS = [
    {"kind": "api_key", "value": "env:T"},
    {"kind": "bearer", "token": "env:T"},
    {"kind": "api_key", "name": "key", "value": "env:T", "place": "query"},
]


@pytest.mark.parametrize("auth", AUTHS)
def test_a_redirect_to_another_host_gets_no_credentials(
    api: Api, tmp_path: Path, auth: dict[str, str]
) -> None:
    api.routes["/"] = lambda _: Answer(302, b"", {"Location": f"{api.by_name}/there"})
    api.routes["/there"] = lambda _: as_json(ITEMS)
    taken = read(
        around(tmp_path, {"env:T": "t0ps3cret"}),
        kind="rest", url=api.url, auth=auth, columns=COLUMNS, headers={"X-Tenant": "t0ps3cret"},
    )  # fmt: skip
    assert taken.rows == ITEMS
    assert "t0ps3cret" in repr(api.asked[0])
    assert "t0ps3cret" not in repr(api.asked[1])


@pytest.mark.parametrize("auth", AUTHS)
def test_a_next_page_on_another_host_gets_no_credentials(
    api: Api, tmp_path: Path, auth: dict[str, str]
) -> None:
    api.routes["/"] = lambda _: as_json({"next": f"{api.by_name}/there", "items": ITEMS[:3]})
    api.routes["/there"] = lambda _: as_json({"next": None, "items": ITEMS[3:]})
    taken = read(
        around(tmp_path, {"env:T": "t0ps3cret"}),
        kind="rest", url=api.url, auth=auth, columns=COLUMNS, headers={"X-Tenant": "t0ps3cret"},
        records="items", paging={"kind": "next_url", "path": "next"},
    )  # fmt: skip
    assert taken.rows == ITEMS
    assert "t0ps3cret" not in repr(api.asked[1])


class _Lines:
    """Progress as the lines that a person would see."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    def start(self, step: str, total: int | None, unit: str) -> None:
        del total, unit
        self.shown.append(step)

    def advance(self, step: str, amount: int) -> None:
        pass

    def finish(self, step: str) -> None:
        self.shown.append(f"{step}: over")


@pytest.mark.parametrize("status", [200, 401])
def test_who_waits_for_the_first_page_is_told_for_what(api: Api, tmp_path: Path, status: int) -> None:
    lines = _Lines()
    seen: list[list[str]] = []

    def answer(_: Asked) -> Answer:
        seen.append(list(lines.shown))
        return as_json([{"id": 1, "name": "x"}], status)

    api.routes["/"] = answer
    with suppress(NotPermitted):
        read(replace(around(tmp_path), progress=lines), kind="rest", url=api.url, columns=COLUMNS)
    assert seen == [["ask s"]]
    assert lines.shown[:2] == ["ask s", "ask s: over"]


def _endless_redirect(api: Api) -> None:
    api.routes["/"] = lambda _: Answer(302, b"", {"Location": "/"})


def _html(api: Api) -> None:
    api.routes["/"] = lambda _: Answer(200, b"<html>Please log in</html>")


def _no_path(api: Api) -> None:
    api.routes["/"] = lambda _: as_json({"error": "none today", "code": 7})


def _null(api: Api) -> None:
    api.routes["/"] = lambda _: as_json({"data": {"items": None}})


def _object(api: Api) -> None:
    api.routes["/"] = lambda _: as_json({"data": {"items": {"id": 1}}})


def _scalars(api: Api) -> None:
    api.routes["/"] = lambda _: as_json({"data": {"items": [{"id": 1, "name": "x"}, 5]}})


def _gone(api: Api) -> None:
    api.routes["/"] = lambda _: as_json({"error": "moved"}, 410)


@pytest.mark.parametrize(
    ("serve", "says"),
    [
        (_endless_redirect, "redirects more than 5 times"),
        (_html, "page 1: the answer is not JSON.*seen HTML"),
        (_no_path, "page 1: no records at `data.items`.*`code`, `error`"),
        (_null, "page 1: no records at `data.items`.*seen null there"),
        (_object, "page 1: the records are no list"),
        (_scalars, "page 1: record 2 is a whole number"),
        (_gone, "answers with status 410.*moved"),
    ],
)
def test_a_page_that_is_not_what_it_should_be_is_told(
    api: Api, tmp_path: Path, serve: Callable[[Api], None], says: str
) -> None:
    serve(api)
    with pytest.raises(ContractBroken, match=says):
        read(around(tmp_path), kind="rest", url=api.url, records="data.items", columns=COLUMNS)


@pytest.mark.parametrize(
    ("paging", "body", "says"),
    [
        ({"kind": "next_url", "path": "next"}, {"next": "/?page=1"}, "circles: the next URL leads to page 3"),
        (
            {"kind": "cursor", "path": "next", "parameter": "c"},
            {"next": "same"},
            "circles: the cursor leads to page 3",
        ),
        ({"kind": "page"}, {}, "circles.*does not heed the paging parameter"),
        ({"kind": "offset", "limit": 7}, {}, "circles.*does not heed the paging parameter"),
    ],
)
def test_a_paging_in_circles_is_told(
    api: Api, tmp_path: Path, paging: dict[str, Any], body: dict[str, Any], says: str
) -> None:
    api.routes["/"] = lambda _: as_json({**body, "items": ITEMS})
    with pytest.raises(ContractBroken, match=says):
        read(around(tmp_path), kind="rest", url=api.url, records="items", paging=paging, columns=COLUMNS)


def test_a_paging_without_end_is_told(api: Api, tmp_path: Path) -> None:
    def page(asked: Asked) -> Answer:
        number = int(asked.query.get("page", "1"))
        return as_json({"items": [{"id": number}]})

    api.routes["/"] = page
    with pytest.raises(ContractBroken, match="a page after page 20"):
        read(
            around(tmp_path),
            kind="rest", url=api.url, records="items", paging={"kind": "page"}, most_pages=20, columns=COLUMNS,
        )  # fmt: skip


def test_fewer_records_than_the_total_says_are_told(api: Api, tmp_path: Path) -> None:
    api.routes["/"] = lambda asked: as_json({"total": 9, "items": ITEMS[int(asked.query["offset"]) :]})
    paging = {"kind": "offset", "limit": 10, "total_path": "total"}
    with pytest.raises(ContractBroken, match=r"expected 9 records.*seen 7"):
        read(around(tmp_path), kind="rest", url=api.url, records="items", paging=paging, columns=COLUMNS)


@pytest.mark.parametrize(
    ("word", "value", "seen"),
    [
        ("string", 12, "a whole number like `99`"),
        ("int64", 12.5, "a floating number"),
        ("int64", 12.0, "a floating number"),
        ("int64", "12", "text"),
        ("int64", True, "a boolean"),
        ("int32", 2**31, "a whole number"),
        ("float64", 2**53 + 1, "a whole number"),
        ("time", "25:00:00", "text"),
        ("time", "10:00:00Z", "text"),
        ("boolean", 1, "a whole number"),
        ("boolean", "true", "text"),
        ("decimal(5,2)", 1.005, "a decimal number"),
        ("decimal(5,2)", "1234.5", "text"),
        ("date", "20261120", "text"),
        ("date", "2026-02-30", "text"),
        ("timestamptz", "2026-11-20T10:00:00", "text"),
        ("timestamptz", "2026-11-20T10:00:00 Europe/Narnia", "text"),
        ("timestamptz", "2026-11-20T10:00:00.1234567Z", "text"),
        ("timestamp", "2026-11-20T10:00:00Z", "text"),
        ("timestamp", "2026-11-20", "text"),
        ("string", {"a": 1}, "an object"),
        ("binary", "*", "text"),
    ],
)
def test_a_value_of_another_type_names_page_record_and_field(
    api: Api, tmp_path: Path, word: str, value: Any, seen: str
) -> None:
    pages = [[{"v": None}, {}], [{"v": None}, {"v": value}]]
    api.routes["/"] = lambda asked: as_json(
        {"next": None if asked.query else "2", "items": pages[len(asked.query)]}
    )
    with pytest.raises(ContractBroken) as caught:
        read(
            around(tmp_path),
            kind="rest", url=api.url, records="items", paging=CURSOR, columns={"v": word},
        )  # fmt: skip
    assert f"source `s`, page 2, record 2: `v` is not {word}" in str(caught.value)
    assert f"seen {seen}" in str(caught.value)


def test_declared_types_are_taken_exactly(api: Api, tmp_path: Path) -> None:
    api.routes["/"] = lambda _: Answer(
        200,
        b'[{"money": 0.1, "exact": 12345678901234567.12, "at": "2026-11-20T10:00:00.1230000+01:00",'
        b' "raw": "AP8=", "clock": "10:00:00.5", "who": {"name": "Anna"}, "more": 1}]',
    )
    columns = {
        "money": "decimal(12,2)", "exact": "decimal(20,2)", "at": "timestamptz", "raw": "binary", "who.name": "string", "clock": "time",
    }  # fmt: skip
    [row] = read(around(tmp_path), kind="rest", url=api.url, columns=columns).rows
    assert row["money"] == Decimal("0.10")
    assert row["exact"] == Decimal("12345678901234567.12")
    assert row["at"].isoformat() == "2026-11-20T09:00:00.123000+00:00"
    assert str(row["clock"]) == "10:00:00.500000"
    assert row["raw"] == b"\x00\xff"
    assert row["who.name"] == "Anna"
    assert list(row) == list(columns)


def test_a_page_too_deep_to_be_read_exactly_is_told(api: Api, tmp_path: Path) -> None:
    api.routes["/"] = lambda _: Answer(200, b'[{"money": 0.5, "rest": ' + b"[" * 1_010 + b"]" * 1_010 + b"}]")
    with pytest.raises(ContractBroken, match="page 1: the answer is not JSON") as caught:
        read(around(tmp_path), kind="rest", url=api.url, columns={"money": "decimal(12,2)"})
    assert "too many levels" in caught.value.seen


def test_without_columns_the_first_page_decides(api: Api, tmp_path: Path) -> None:
    first = [{"a": 1, "b": "x", "c": None}, {"a": 2, "d": {"e": [1]}, "f": 1.5}]
    pages = {"": first, "2": [{"a": 3, "f": 2}]}
    api.routes["/"] = lambda asked: as_json(
        {"next": None if asked.query else "2", "items": pages[asked.query.get("cursor", "")]}
    )
    taken = read(around(tmp_path), kind="rest", url=api.url, records="items", paging=CURSOR)
    assert taken.types == {"a": "int64", "b": "string", "c": "string", "d": "string", "f": "double"}
    assert taken.rows[1]["d"] == '{"e":[1]}'
    assert [row["f"] for row in taken.rows] == [None, 1.5, 2.0]


@pytest.mark.parametrize(
    ("later", "says"),
    [
        (
            {"a": 1.5},
            "page 2, record 1: `a` is not int64.*as in the first page.*declare the source's `columns`",
        ),
        ({"a": 1, "new": 1}, "page 2, record 1: the first page has no field `new`"),
    ],
)
def test_without_columns_a_later_page_that_differs_is_told(
    api: Api, tmp_path: Path, later: dict[str, Any], says: str
) -> None:
    api.routes["/"] = lambda asked: as_json(
        {"next": None if asked.query else "2", "items": [later] if asked.query else [{"a": 1}]}
    )
    with pytest.raises(ContractBroken, match=says):
        read(around(tmp_path), kind="rest", url=api.url, records="items", paging=CURSOR)


def test_without_columns_pages_before_the_first_record_are_none(api: Api, tmp_path: Path) -> None:
    pages = {"": [], "2": [], "3": [{"a": 1}], "4": []}
    following = {"": "2", "2": "3", "3": "4", "4": None}

    def page(asked: Asked) -> Answer:
        number = asked.query.get("cursor", "")
        return as_json({"next": following[number], "items": pages[number]})

    api.routes["/"] = page
    assert read(around(tmp_path), kind="rest", url=api.url, records="items", paging=CURSOR).rows == [{"a": 1}]


def test_pages_may_be_alike_where_a_cursor_leads_on(api: Api, tmp_path: Path) -> None:
    api.routes["/"] = lambda asked: Answer(
        200, b'[{"a": 1}]', {} if asked.query else {"Link": "</?p=2>; rel=next"}
    )
    taken = read(around(tmp_path), kind="rest", url=api.url, paging={"kind": "link_header"})
    assert taken.rows == [{"a": 1}, {"a": 1}]


def _orders(api: Api) -> None:
    api.routes["/orders"] = lambda _: as_json([{"id": f"a/{number}"} for number in range(40)])

    def detail(asked: Asked) -> Answer:
        number = int(asked.path.rpartition("%2F")[2])
        return as_json({"order": {"id": f"a/{number}", "total": number * 2, "region": asked.query["region"]}})

    api.routes.update({f"/orders/a%2F{number}": detail for number in range(40)})


def test_details_join_their_records_in_order(api: Api, tmp_path: Path) -> None:
    _orders(api)
    taken = read(
        around(tmp_path, {"env:T": "t0ps3cret"}),
        kind="rest", url=api.url, path="/orders", columns={"id": "string", "total": "int64", "region": "string"},
        auth={"kind": "bearer", "token": "env:T"},
        detail={"url": "/orders/{id}", "record": "order", "parameters": {"region": "{variables.region}"}, "concurrency": 8},
    )  # fmt: skip
    assert [row["total"] for row in taken.rows] == [number * 2 for number in range(40)]
    assert {row["region"] for row in taken.rows} == {"GB"}
    assert all(asked.headers["authorization"] == "Bearer t0ps3cret" for asked in api.asked)
    assert len(api.asked) == 41
    assert not [one for one in threading.enumerate() if one.name.startswith("detail-")]


@pytest.mark.parametrize(
    ("record", "detail", "says"),
    [
        ({"key": None}, {"total": 1}, "page 1, record 1: the URL of its detail cannot be made"),
        ({"key": ""}, {"total": 1}, "page 1, record 1: the URL of its detail cannot be made"),
        ({"key": ".."}, {"total": 1}, "page 1, record 1: the URL of its detail cannot be made"),
        ({"key": "1", "total": 2}, {"total": 1}, "page 1, record 1: list and detail differ in `total`"),
        ({"key": "1"}, [1], "page 1, record 1: its detail is no object"),
    ],
)
def test_a_detail_that_does_not_fit_is_told(
    api: Api, tmp_path: Path, record: dict[str, Any], detail: Any, says: str
) -> None:
    api.routes["/"] = lambda _: as_json([record])
    api.routes["/1"] = lambda _: as_json(detail)
    with pytest.raises(ContractBroken, match=says):
        read(around(tmp_path), kind="rest", url=api.url, detail={"url": "/{key}"}, columns={"total": "int64"})


@pytest.mark.parametrize("port", ["x", "99999"])
def test_a_detail_at_a_port_that_is_none_is_told(api: Api, tmp_path: Path, port: str) -> None:
    api.routes["/"] = lambda _: as_json([{"port": port}])
    with pytest.raises(ContractBroken, match="record 1: the URL of its detail is none"):
        read(
            around(tmp_path),
            kind="rest", url=api.url, detail={"url": "http://127.0.0.1:{port}/"}, columns={"total": "int64"},
        )  # fmt: skip


def test_a_compressed_answer_is_read(api: Api, tmp_path: Path) -> None:
    import json

    api.routes["/"] = lambda _: Answer(
        200, gzip.compress(json.dumps(ITEMS).encode()), {"Content-Encoding": "gzip"}
    )
    assert read(around(tmp_path), kind="rest", url=api.url, columns=COLUMNS).rows == ITEMS


def test_a_url_from_a_reference_is_used_and_its_password_not_shown(api: Api, tmp_path: Path) -> None:
    api.routes["/"] = lambda _: as_json(ITEMS)
    with_user = api.url.replace("://", "://anna:t0ps3cret@")
    taken = read(around(tmp_path, {"env:URL": with_user}), kind="rest", url="env:URL", columns=COLUMNS)
    assert taken.fact.query == f"GET {api.url}"


@pytest.mark.parametrize("url", ["ftp://x/y", "nothing", "http://", "http://[x/", "http://x:99999/"])
def test_a_url_that_is_none_is_told(tmp_path: Path, url: str) -> None:
    with pytest.raises(UsageError, match="is no URL"):
        read(around(tmp_path), kind="rest", url=url)


def test_closing_early_leaves_no_fact(api: Api, tmp_path: Path) -> None:
    _by_cursor(api)
    paging = {"kind": "cursor", "path": "cursor", "parameter": "cursor"}
    keys = {"kind": "rest", "url": api.url, "records": "data.items", "paging": paging, "columns": COLUMNS}
    with adapter(around(tmp_path), **keys) as source:
        with source.open(SLOT) as extract:
            assert extract.fact == []
        assert extract.fact == []
    assert len(api.asked) == 1
