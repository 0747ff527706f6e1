"""Where does one HTTP request go, with what, and how much of an answer is believed? Over a line whose answers are written here."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import stamina
import urllib3
from hypothesis import given
from hypothesis import strategies as st

from landbridge.errors import ContractBroken, LandbridgeError, NotPermitted, Unavailable, UsageError
from landbridge.feed.inputs import (
    Basic,
    Cursor,
    Detail,
    LinkHeader,
    NextUrl,
    OAuth2ClientCredentials,
    Offset,
    PageNumber,
    Retries,
)
from landbridge.sources.around import Around
from landbridge.sources.rest import http, paging, source
from landbridge.sources.rest.auth import Credentials
from landbridge.sources.rest.detail import Details
from landbridge.sources.rest.http import Http, Pace, Request, same_host
from tests.contract.bridge import SLOT, JumpingClock, KnownSecrets
from tests.core.formats import Silent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from landbridge.feed.inputs import Paging

ONCE = Retries(attempts=1, longest_wait=timedelta(seconds=1))
OAUTH = OAuth2ClientCredentials(
    kind="oauth2_client_credentials",
    token_url="https://id.example.org/token",
    client_id="bridge",
    client_secret="env:T",
)
ASKED = Request("https://api.example.org/a", {"day": "1"}, {"X-Declared": "yes"})


@dataclass
class Said:
    """One answer, and what becomes of its connection."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"{}"
    error: Exception | None = None
    released: bool = False

    def read(self, most: int) -> bytes:
        if self.error:
            raise self.error
        return self.body[:most]

    def release_conn(self) -> None:
        self.released = True


@dataclass
class Line:
    """Gives one answer after another, and keeps what was asked; in the place of a pool of connections."""

    answers: list[Said | Exception]
    asked: list[tuple[str, str, dict[str, str], bytes | None]] = field(default_factory=list)

    def urlopen(
        self, method: str, url: str, *, headers: dict[str, str], body: bytes | None, **how: Any
    ) -> Said:
        assert how == {"redirect": False, "preload_content": False}, (
            "a library's redirect takes headers along"
        )
        self.asked.append((method, url, headers, body))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def clear(self) -> None: ...


def over(*answers: Said | Exception, retries: Retries = ONCE) -> tuple[Http, Line]:
    line, clock = Line(list(answers)), JumpingClock()
    around = Around(Path(), "DEV", {}, KnownSecrets({}), clock, Silent())
    made = Http("s", around, retries, Pace(None, clock), 1.0)
    made._pool = line  # type: ignore[assignment] # what the pool is asked for here
    return made, line


def _authorised(request: Request) -> Request:
    return replace(request, headers={**request.headers, "Authorization": "Bearer t0ken"})


def _keyed(request: Request) -> Request:
    return replace(request, parameters={**request.parameters, "key": "t0ken"})


def _moved(url: str, status: int = 302) -> Said:
    return Said(status, {"Location": url})


def test_a_redirect_out_of_https_is_refused_before_anything_is_sent_there() -> None:
    api, line = over(_moved("http://api.example.org/b"), Said())
    with pytest.raises(ContractBroken, match="from https to http"):
        api.send(ASKED, _authorised)
    assert len(line.asked) == 1


@pytest.mark.parametrize(
    ("url", "is_trusted"),
    [
        ("/b", True),
        ("https://API.example.org:443/b", True),
        ("https://api.example.org:8443/b", False),
        ("https://api.example.org.evil.example/b", False),
        ("https://api.example.org@evil.example/b", False),
        ("//evil.example/b", False),
    ],
)
def test_what_is_declared_goes_to_the_declared_host_alone(url: str, is_trusted: bool) -> None:
    api, line = over(_moved(url), Said())
    api.send(ASKED, _authorised)
    assert line.asked[0][2]["Authorization"] == "Bearer t0ken"
    _, _, headers, _ = line.asked[1]
    assert [name in headers for name in ("Authorization", "X-Declared")] == [is_trusted, is_trusted]
    assert same_host(ASKED.url, "https://api.example.org" if is_trusted else line.asked[1][1]) is is_trusted


@pytest.mark.parametrize(("url", "is_trusted"), [("/b", True), ("//evil.example/b", False)])
def test_a_key_in_the_query_goes_to_the_declared_host_alone(url: str, is_trusted: bool) -> None:
    api, line = over(_moved(url), Said())
    answer = api.send(ASKED, _keyed)
    assert ["key=t0ken" in asked[1] for asked in line.asked] == [True, is_trusted]
    assert ("t0ken" in answer.url) is is_trusted


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://a", "http://a"),
        ("https://a", "https://a:444"),
        ("https://a", "https://b"),
        ("http://a:443", "https://a:443"),
    ],
)
def test_a_host_is_the_same_by_scheme_name_and_port(one: str, other: str) -> None:
    assert same_host(one, one.upper().replace("HTTP", "http").replace("httpS", "https"))
    assert not same_host(one, other)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_body_is_sent_again_only_where_the_redirect_keeps_it(status: int) -> None:
    asked = replace(ASKED, method="POST", body=b'{"day":1}')
    api, line = over(_moved("/b", status), Said())
    if status in {307, 308}:
        api.send(asked)
        assert [(one[0], one[3]) for one in line.asked] == [("POST", b'{"day":1}')] * 2
        return
    with pytest.raises(ContractBroken, match="answers a POST"):
        api.send(asked)
    assert len(line.asked) == 1


def test_redirects_come_to_an_end() -> None:
    api, line = over(*[_moved(f"/{number}") for number in range(5)], Said())
    assert api.send(ASKED).body == b"{}"
    api, line = over(*[_moved(f"/{number}") for number in range(7)])
    with pytest.raises(ContractBroken, match="more than 5 times"):
        api.send(ASKED)
    assert len(line.asked) == 6


@pytest.mark.parametrize("status", [307, 308])
@pytest.mark.parametrize("url", ["//evil.example/b", "https://api.example.org:8443/b"])
def test_a_body_goes_to_the_declared_host_alone(status: int, url: str) -> None:
    """A token is asked for with the client's secret in the body."""
    asked = replace(ASKED, method="POST", body=b"client_secret=t0ken")
    api, line = over(_moved(url, status), Said())
    with pytest.raises(ContractBroken, match="another host"):
        api.send(asked)
    assert len(line.asked) == 1


NO_URLS = ["http://[x/", "https://api.example.org:99999/", "https://api.example.org:abc/"]


@pytest.mark.parametrize("url", NO_URLS)
def test_a_redirect_to_what_is_no_url_is_told(url: str) -> None:
    api, line = over(_moved(url), Said())
    with pytest.raises(ContractBroken, match="no URL"):
        api.send(ASKED)
    assert len(line.asked) == 1


def test_a_header_that_http_cannot_carry_is_told_without_it() -> None:
    """A library names it in its own words, and it may be a secret."""
    api, _ = over(ValueError("Invalid header value b'Bearer t0ken\\nx'"))
    with pytest.raises(UsageError) as told:
        api.send(ASKED, _authorised)
    assert "t0ken" not in str(told.value)
    assert told.value.__suppress_context__
    with (
        Http("s", api._around, ONCE, Pace(None, api._around.clock), 1.0) as real,
        pytest.raises(UsageError, match="cannot be sent"),
    ):
        real.send(Request("http://127.0.0.1:9/", {}, {"X": "a\nb"}))


@pytest.mark.parametrize("status", [200, 201])
def test_a_place_in_a_good_answer_leads_nowhere(status: int) -> None:
    """201 tells where what was made lies."""
    api, line = over(_moved("/b", status), Said(body=b"other"))
    assert api.send(ASKED).body == b"{}"
    assert len(line.asked) == 1


def test_a_redirect_without_a_place_is_no_answer() -> None:
    api, _ = over(Said(302))
    with pytest.raises(ContractBroken, match="status 302"):
        api.send(ASKED)


def test_an_answer_that_is_too_large_is_refused_and_no_more_of_it_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http, "LARGEST_ANSWER", 10)
    api, _ = over(Said(body=bytes(10)))
    assert len(api.send(ASKED).body) == 10
    api, line = over(Said(body=bytes(1_000)), retries=Retries(attempts=3))
    with pytest.raises(ContractBroken, match="larger than"):
        api.send(ASKED)
    assert len(line.asked) == 1


@pytest.mark.parametrize("error", [None, urllib3.exceptions.ProtocolError("cut"), OSError("reset")])
def test_a_connection_is_given_back_however_its_answer_ends(error: Exception | None) -> None:
    said = Said(error=error)
    api, _ = over(said)
    if error:
        with pytest.raises(Unavailable):
            api.send(ASKED)
    else:
        api.send(ASKED)
    assert said.released


def test_a_certificate_that_nobody_trusts_is_told_at_once() -> None:
    api, line = over(urllib3.exceptions.SSLError("self-signed"), Said(), retries=Retries(attempts=5))
    with pytest.raises(Unavailable, match="no certificate that can be trusted"):
        api.send(ASKED)
    assert len(line.asked) == 1


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (204, None),
        (299, None),
        (300, ContractBroken),
        (400, ContractBroken),
        (401, NotPermitted),
        (403, NotPermitted),
        (404, ContractBroken),
        (429, Unavailable),
        (500, Unavailable),
        (503, Unavailable),
    ],
)
def test_only_a_good_answer_is_an_answer(status: int, expected: type[LandbridgeError] | None) -> None:
    api, _ = over(Said(status))
    if expected is None:
        api.send(ASKED)
        return
    with pytest.raises(expected):
        api.send(ASKED)


def test_refused_credentials_are_renewed_at_most_once() -> None:
    api, line = over(Said(401), Said(401), Said(200))
    renewals = iter(range(9))
    with pytest.raises(NotPermitted):
        api.send(ASKED, _authorised, lambda: next(renewals) >= 0)
    assert (next(renewals), len(line.asked)) == (1, 2)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("7", 7),
        (" 7 ", 7),
        ("", None),
        ("soon", None),
        ("-7", None),
        ("\uff17", None),
        ("Sat, 21 Nov 2026 06:00:30 +99999999999999999999", None),
        ("Sat, 21 Nov 2026 06:00:30 GMT", 30),
        ("Sat, 21 Nov 2026 06:00:30 -0000", 30),
        ("Sat, 21 Nov 2026 05:00:00 GMT", 0),
    ],
)
def test_how_long_a_server_asks_to_wait(said: str, seconds: float | None) -> None:
    clock = JumpingClock(datetime(2026, 11, 21, 6, tzinfo=UTC))
    assert http._retry_after({"Retry-After": said}, clock) == seconds


def test_a_parameter_replaces_what_the_url_has_of_its_name() -> None:
    """Two of one name, and the server chooses which one counts."""
    request = replace(ASKED, url="https://h/a?day=0&x=&day=2#top")
    assert request.target == "https://h/a?x=&day=1#top"


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        (100, 90),
        ("100", 90),
        (1e30, 3240),
        ("soon", 3240),
        ("", 3240),
        (None, 3240),
        ([5], 3240),
        (1e9, 366 * 86_400 * 0.9),
    ],
)
def test_a_token_is_asked_for_again_when_a_tenth_of_its_life_is_left(said: object, seconds: float) -> None:
    """Its server may say how long that is in any way."""
    answers = [
        Said(body=json.dumps({"access_token": f"token-{number}", "expires_in": said}).encode())
        for number in range(2)
    ]
    api, line = over(*answers)
    clock = JumpingClock()
    around = replace(api._around, clock=clock, secrets=KnownSecrets({"env:T": "s3cret"}))
    credentials = Credentials("s", OAUTH, around, SLOT, api)
    seen = [credentials.add(ASKED).headers["Authorization"]]
    for wait in (seconds - 1, 1):
        clock.sleep(wait)
        seen.append(credentials.add(ASKED).headers["Authorization"])
    assert seen == ["Bearer token-0", "Bearer token-0", "Bearer token-1"]
    assert len(line.asked) == 2


@pytest.mark.parametrize("answer", [{}, {"access_token": ""}, {"access_token": 7}, ["token"]])
def test_a_token_endpoint_that_gives_no_token_is_told(answer: object) -> None:
    api, line = over(Said(body=json.dumps(answer).encode()), Said())
    around = replace(api._around, secrets=KnownSecrets({"env:T": "s3cret"}))
    with pytest.raises(ContractBroken, match="gives no `access_token`"):
        Credentials("s", OAUTH, around, SLOT, api).add(ASKED)
    assert len(line.asked) == 1


def test_what_a_request_is_authorised_with_is_blotted_out_wherever_it_comes_back() -> None:
    api, _ = over(Said(body=b'{"access_token": "given-by-the-server"}'))
    around = replace(api._around, secrets=KnownSecrets({"env:T": "s3cret"}))
    Credentials("s", OAUTH, around, SLOT, api).add(ASKED)
    basic = Credentials("s", Basic(kind="basic", user="anna", password="env:T"), around, SLOT, api)
    sent = basic.add(ASKED).headers["Authorization"].removeprefix("Basic ")
    said = around.shown(f"{sent} given-by-the-server YnJpZGdlOnMzY3JldA==")
    assert not any(one in said for one in (sent, "given-by-the-server", "YnJpZGdl"))


@pytest.mark.parametrize("query", ["x=%7Eb%20c&flag", "sig=a%2Fb+c%3D%3D", "a=1;b=2"])
def test_a_url_that_a_server_gave_is_asked_as_it_was_given(query: str) -> None:
    """It may be signed."""
    assert Request(f"https://h/a?{query}", {}, {}).target == f"https://h/a?{query}"


def test_only_the_declared_attempts_end_the_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stamina gives up after 45 s by itself, and a server may ask to wait for longer."""
    limits: list[object] = []
    context = stamina.retry_context

    def recorded(**how: Any) -> object:
        limits.append((how["timeout"], how["attempts"], how["wait_max"]))
        return context(**how)

    monkeypatch.setattr(stamina, "retry_context", recorded)
    api, _ = over(Said())
    api.send(ASKED)
    assert limits == [(None, 1, 1.0)]


def test_a_record_that_is_no_object_has_no_detail() -> None:
    api, line = over()
    declared = Detail(url="/{id}")
    details = Details("s", declared, "https://h", {}, SLOT, api._around, api.send)
    with pytest.raises(ContractBroken, match="page 1, record 2: no object"):
        details.of([{"id": 1}, "two"], 1, exact=False)
    details.close()
    assert not line.asked


def test_a_detail_is_asked_for_once_however_often_its_page_is_read() -> None:
    """Once more with exact decimals, when a column needs them."""
    api, line = over(Said(body=b'{"cost": 0.10}'), Said(body=b'{"cost": 0.20}'))
    details = Details("s", Detail(url="/{id}", concurrency=1), "https://h", {}, SLOT, api._around, api.send)
    found = [details.of([{"id": 1}], 1, exact=exact) for exact in (False, True)]
    assert [str(one["cost"]) for (one,) in found] == ["0.1", "0.10"]
    assert str(details.of([{"id": 1}], 2, exact=True)[0]["cost"]) == "0.20"
    assert len(line.asked) == 2
    details.close()


# The page that comes next


@pytest.mark.parametrize(
    ("kind", "headers", "body"),
    [
        (NextUrl(kind="next_url", path="next"), {}, {"next": "http://api.example.org/b"}),
        (LinkHeader(kind="link_header"), {"Link": '<http://api.example.org/b>; rel="next"'}, {}),
    ],
)
def test_a_next_page_out_of_https_is_refused(
    kind: NextUrl | LinkHeader, headers: dict[str, str], body: object
) -> None:
    page = paging.Page(1, headers, body, [{}], 0)
    with pytest.raises(ContractBroken, match="leave https"):
        paging.following("s", kind, ASKED, page)


@pytest.mark.parametrize("url", NO_URLS)
def test_a_next_page_that_cannot_be_a_url_is_told(url: str) -> None:
    page = paging.Page(3, {}, {"next": url}, [{}], 0)
    with pytest.raises(ContractBroken, match="page 3: what should lead to the next page is no URL"):
        paging.following("s", NextUrl(kind="next_url", path="next"), ASKED, page)


@pytest.mark.parametrize("odd", [7, True, ["x"], {"x": 1}])
def test_a_next_page_that_is_no_url_is_told(odd: object) -> None:
    with pytest.raises(ContractBroken, match="which page is next"):
        paging.following(
            "s", NextUrl(kind="next_url", path="next"), ASKED, paging.Page(1, {}, {"next": odd}, [{}], 0)
        )


@pytest.mark.parametrize("odd", [True, ["x"], {"x": 1}, 1.5])
def test_a_cursor_that_is_none_is_told(odd: object) -> None:
    kind = Cursor(kind="cursor", path="next", parameter="c")
    with pytest.raises(ContractBroken, match="which page is next"):
        paging.following("s", kind, ASKED, paging.Page(1, {}, {"next": odd}, [{}], 0))


def _following(
    kind: Paging, body: object = None, records: Sequence[Any] = ({},), **more: Any
) -> Request | None:
    page = paging.Page(more.get("number", 1), more.get("headers", {}), body, records, more.get("before", 0))
    return paging.following("s", kind, ASKED, page)


@pytest.mark.parametrize("end", ["", None, False])
def test_a_paging_ends_where_nothing_leads_on(end: object) -> None:
    assert _following(Cursor(kind="cursor", path="next", parameter="c"), {"next": end}) is None
    if end is not False:
        assert _following(NextUrl(kind="next_url", path="next"), {"next": end}) is None
    assert _following(Cursor(kind="cursor", path="next", parameter="c"), {"next": 0}) is not None, (
        "a cursor too"
    )


def test_a_next_page_within_https_is_asked_for() -> None:
    found = _following(NextUrl(kind="next_url", path="next"), {"next": "https://api.example.org/b?day=2"})
    assert found == Request("https://api.example.org/b?day=2", {}, ASKED.headers)


@pytest.mark.parametrize(
    ("header", "rel", "found"),
    [
        ('<https://x/2>; title="next"', "next", ""),
        ("<https://x/2>; rel=next", "NEXT", "https://x/2"),
        ("<https://x/2>; next", "next", ""),
    ],
)
def test_a_link_is_known_by_its_relation_alone(header: str, rel: str, found: str) -> None:
    assert paging.linked(header, rel) == found


@pytest.mark.parametrize("total", [3, "3"])
def test_a_total_may_be_written_as_text(total: object) -> None:
    kind = Offset(kind="offset", limit=2, total_path="total")
    found = _following(kind, {"total": total}, [1, 2])
    assert found is not None
    assert found.parameters["offset"] == "2"
    assert _following(kind, {"total": total}, [3], before=2) is None
    pages = PageNumber(kind="page", total_pages_path="total")
    assert _following(pages, {"total": total}, [1], number=2) is not None
    assert _following(pages, {"total": total}, [1], number=3) is None


@pytest.mark.parametrize("odd", [None, True, 1.5, "\u0663", "3.0", "-3", "", [3]])
def test_a_total_that_is_none_is_told(odd: object) -> None:
    """Taken for nought, or left out, it would end the paging early, and rows would be lost."""
    for kind in (
        Offset(kind="offset", limit=2, total_path="total"),
        PageNumber(kind="page", total_pages_path="total"),
    ):
        with pytest.raises(ContractBroken, match="whole number"):
            _following(kind, {"total": odd}, [1, 2])


@pytest.mark.parametrize(
    ("keys", "asked"),
    [
        ({"size_parameter": "per", "size": 50}, {"day": "1", "page": "0", "per": "50"}),
        ({"size_parameter": "per"}, {"day": "1", "page": "0"}),
        ({"size": 50}, {"day": "1", "page": "0"}),
    ],
)
def test_the_first_page_is_asked_for_as_declared(keys: dict[str, Any], asked: dict[str, str]) -> None:
    assert paging.first(PageNumber(kind="page", first=0, **keys), ASKED).parameters == asked


@pytest.mark.parametrize(
    ("base", "path", "url"),
    [
        ("https://h/v1/", "/orders", "https://h/v1/orders"),
        ("https://h/v1", "orders", "https://h/v1/orders"),
        ("https://h/v1", "https://other/x", "https://other/x"),
    ],
)
def test_a_path_lies_below_the_base_unless_it_is_a_whole_url(base: str, path: str, url: str) -> None:
    assert source.joined(base, path) == url
    api, line = over(Said())
    details = Details("s", Detail(url=path), base, {}, SLOT, api._around, api.send)
    details.of([{}], 1, exact=False)
    details.close()
    assert line.asked[0][1] == url
    assert not [one for one in threading.enumerate() if one.name.startswith("detail-")]


@given(st.text(max_size=300))
def test_no_link_header_makes_anything_but_a_url_or_none(header: str) -> None:
    assert isinstance(paging.linked(header, "next"), str)


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=5, cap=True):
        yield
