"""How is one HTTP request sent so that its answer can be trusted: retries, pace, redirects, no secret to strangers?"""

from __future__ import annotations

import email.utils
import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

import urllib3

from landbridge import __version__
from landbridge.errors import ContractBroken, NotPermitted, Unavailable, UsageError
from landbridge.events import about
from landbridge.retries import stamina

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from landbridge.feed.inputs import Retries
    from landbridge.ports import Clock
    from landbridge.sources.around import Around

LARGEST_ANSWER = 256 << 20
"""Bytes of one answer, decompressed; a page must fit into memory."""
_MOST_REDIRECTS = 5
_REDIRECTS = {301, 302, 303, 307, 308}
_KEEP_METHOD = {307, 308}
_AGAIN = {429, 500, 502, 503, 504}
_OK = 200
_MULTIPLE = 300
_UNAUTHORISED = 401
_FORBIDDEN = 403
_SNIPPET = 200
_LOOKED_AT = 1 << 20
"""Bytes of an answer that are looked at for it, so that many secrets blotted out leave no half of one at the end."""
_FIRST_WAIT = 0.5

Authorise = Callable[["Request"], "Request"]
"""Adds the credentials to a request that goes to the declared host."""


@dataclass(frozen=True)
class Request:
    """What to ask: absolute URL, further query parameters, headers, body."""

    url: str
    parameters: Mapping[str, str]
    headers: Mapping[str, str]
    method: str = "GET"
    body: bytes | None = None

    @property
    def target(self) -> str:
        """The URL with the parameters in it; they replace those of the same name that it has already."""
        if not self.parameters:
            return self.url
        parts = urlsplit(self.url)
        kept = [
            pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in self.parameters
        ]
        return urlunsplit(parts._replace(query=urlencode([*kept, *self.parameters.items()])))


@dataclass(frozen=True)
class Answer:
    """A whole answer with status 2xx."""

    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class _Response:
    """A whole answer with any status."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _Again(Exception):
    """The request may be sent again, `after` so many seconds if the server says so."""

    def __init__(self, what: str, after: float | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.after = after


class Pace:
    """At most so many requests a second, over all threads."""

    def __init__(self, per_second: float | None, clock: Clock) -> None:
        self._gap = 1 / per_second if per_second else 0.0
        self._clock = clock
        self._lock = threading.Lock()
        self._next = 0.0

    def wait(self) -> None:
        """Return when the next request may go."""
        if not self._gap:
            return
        with self._lock:
            now = self._clock.now().timestamp()
            turn = max(now, self._next)
            self._next = turn + self._gap
        if turn > now:
            self._clock.sleep(turn - now)


class Http:
    """A pool of connections to the hosts of one source. Reads no proxy, certificate or password from the environment."""

    def __init__(self, name: str, around: Around, retries: Retries, pace: Pace, timeout: float) -> None:
        self._name = name
        self._around = around
        self._retries = retries
        self._pace = pace
        self._pool = urllib3.PoolManager(
            maxsize=32, retries=False, timeout=urllib3.Timeout(connect=timeout, read=timeout)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.clear()

    def send(
        self, request: Request, authorise: Authorise | None = None, renew: Callable[[], bool] | None = None
    ) -> Answer:
        """Send until it is answered with 2xx, as often as declared; follow redirects.

        Credentials, declared headers and a body go to the host of `request` only, never to one that it redirects to.
        `renew` is asked once after a 401: True means that other credentials are worth a try.

        Raises:
            Unavailable: no proper answer after the declared attempts, or a wait longer than declared was asked for.
            NotPermitted: 401 or 403.
            ContractBroken: any other status, a redirect that is not followed, or an answer larger than LARGEST_ANSWER.
            UsageError: a URL or header that HTTP cannot carry.
        """
        longest = self._retries.longest_wait.total_seconds()
        attempts = stamina.retry_context(
            on=_backoff,
            attempts=self._retries.attempts,
            timeout=None,
            wait_initial=min(_FIRST_WAIT, longest),
            wait_max=longest,
            wait_jitter=min(1.0, longest),
        )
        with about(source=self._name):  # an event of a further try
            try:
                for attempt in attempts:
                    with attempt:
                        return self._followed(request, authorise, renew)
            except _Again as error:
                raise self._unavailable(request, error) from error
        raise AssertionError("a retry context ends in an answer or an error")

    def _followed(
        self, request: Request, authorise: Authorise | None, renew: Callable[[], bool] | None
    ) -> Answer:
        home = _origin(request.url)
        current = request
        for _ in range(_MOST_REDIRECTS + 1):
            trusted = _origin(current.url) == home
            sent = authorise(current) if authorise and trusted else current
            if not trusted:
                sent = replace(sent, headers={})
            response = self._once(sent)
            if response.status in _REDIRECTS and response.headers.get("Location"):
                current = self._redirected(current, response)
                continue
            if response.status == _UNAUTHORISED and renew is not None and renew():
                renew = None
                continue
            return self._judged(sent, response)
        raise ContractBroken(
            f"source `{self._name}`: {self._place(request)} redirects more than {_MOST_REDIRECTS} times"
        )

    def _once(self, request: Request) -> _Response:
        self._pace.wait()
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": "gzip, deflate",
            "User-Agent": f"landbridge/{__version__}",
            **request.headers,
        }
        try:
            response = self._pool.urlopen(
                request.method,
                request.target,
                headers=headers,
                body=request.body,
                redirect=False,
                preload_content=False,
            )
            try:
                body = response.read(LARGEST_ANSWER + 1)
            finally:
                response.release_conn()
        except urllib3.exceptions.LocationValueError as error:
            raise UsageError(
                f"source `{self._name}`: `{self._place(request)}` is no URL", expected="http:// or https://"
            ) from error
        except urllib3.exceptions.SSLError as error:
            raise Unavailable(
                f"source `{self._name}`: {self._place(request)} has no certificate that can be trusted",
                seen=self._around.shown(str(error)),
            ) from error
        except ValueError:  # not chained: its text holds the header, and with it a secret
            raise UsageError(
                f"source `{self._name}`: a header for {self._place(request)} cannot be sent",
                expected="letters of Latin-1 on one line, in `headers` and in the secrets of `auth`",
            ) from None
        except (urllib3.exceptions.HTTPError, OSError) as error:
            # The vendor's text may hold the URL, and with it a key: only the kind of failure is kept.
            raise _Again(_WORDS.get(type(error), type(error).__name__)) from error
        if len(body) > LARGEST_ANSWER:
            raise ContractBroken(
                f"source `{self._name}`: the answer of {self._place(request)} is larger than {LARGEST_ANSWER >> 20} MiB",
                hint="ask for smaller pages",
            )
        return _Response(response.status, response.headers, body)

    def _redirected(self, request: Request, response: _Response) -> Request:
        try:
            url = led_to(request.target, response.headers["Location"])
        except ValueError as error:
            raise ContractBroken(
                f"source `{self._name}`: {self._place(request)} redirects to what is no URL"
            ) from error
        if urlsplit(request.url).scheme == "https" and urlsplit(url).scheme != "https":
            raise ContractBroken(
                f"source `{self._name}`: {self._place(request)} redirects from https to {urlsplit(url).scheme}"
            )
        if request.method != "GET" and response.status not in _KEEP_METHOD:
            raise ContractBroken(
                f"source `{self._name}`: {self._place(request)} answers a {request.method} with status {response.status}",
                expected="307 or 308, which keep the body, or no redirect",
            )
        if request.body is not None and not same_host(request.url, url):
            raise ContractBroken(
                f"source `{self._name}`: {self._place(request)} redirects to another host what is not meant for it",
                hint="declare the `url` of the host that answers",
            )
        return replace(request, url=url, parameters={})

    def _judged(self, request: Request, response: _Response) -> Answer:
        status = response.status
        if _OK <= status < _MULTIPLE:
            return Answer(request.target, response.headers, response.body)
        said = self._snippet(response.body)
        if status in _AGAIN:
            after = _retry_after(response.headers, self._around.clock)
            longest = self._retries.longest_wait.total_seconds()
            if after is not None and after > longest:
                raise Unavailable(
                    f"source `{self._name}`: {self._place(request)} asks to wait {after:.0f} s",
                    expected=f"at most {longest:.0f} s (`retries.longest_wait`)",
                    seen=f"status {status}{said}",
                )
            raise _Again(f"status {status}{said}", after)
        if status in {_UNAUTHORISED, _FORBIDDEN}:
            raise NotPermitted(
                f"source `{self._name}`: {self._place(request)} refuses the credentials",
                expected="status 200",
                seen=f"status {status}{said}",
                hint="look at the source's `auth` and at the secret it refers to",
            )
        raise ContractBroken(
            f"source `{self._name}`: {self._place(request)} answers with status {status}",
            expected="status 200",
            seen=f"status {status}{said}",
        )

    def _unavailable(self, request: Request, error: _Again) -> Unavailable:
        return Unavailable(
            f"source `{self._name}`: {self._place(request)} did not answer properly",
            expected="status 200",
            seen=f"{error.what}, after {self._retries.attempts} attempts",
        )

    def _place(self, request: Request) -> str:
        parts = urlsplit(request.url)
        return self._around.shown(urlunsplit(parts._replace(query="", fragment="")))

    def _snippet(self, body: bytes) -> str:
        text = " ".join(body[:_LOOKED_AT].decode("utf-8", "replace").split())
        text = self._around.shown_beginning(text, _SNIPPET)
        return f": {text}" if text else ""


_WORDS: dict[type[BaseException], str] = {
    urllib3.exceptions.NewConnectionError: "the connection was refused",
    urllib3.exceptions.NameResolutionError: "the host's name is not known",
    urllib3.exceptions.ConnectTimeoutError: "connecting took longer than `timeout`",
    urllib3.exceptions.ReadTimeoutError: "the answer took longer than `timeout`",
    urllib3.exceptions.ProtocolError: "the connection was cut",
    urllib3.exceptions.DecodeError: "the answer's compression is broken",
}


def _backoff(error: Exception) -> bool | float:
    if not isinstance(error, _Again):
        return False
    return True if error.after is None else error.after


def same_host(one: str, other: str) -> bool:
    """Tell whether two URLs have the same scheme, host and port."""
    return _origin(one) == _origin(other)


def led_to(page: str, link: str) -> str:
    """Give the whole URL that a link of a server means on `page`.

    Raises:
        ValueError: it is none.
    """
    url = urljoin(page, link)
    _origin(url)
    return url


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    return (
        parts.scheme,
        (parts.hostname or "").lower(),
        parts.port or {"http": 80, "https": 443}.get(parts.scheme),
    )


def _retry_after(headers: Mapping[str, str], clock: Clock) -> float | None:
    """Give the seconds that `Retry-After` asks for: a number, or an HTTP date (RFC 9110, 10.2.3)."""
    text = (headers.get("Retry-After") or "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return float(max(0, math.ceil((moment - clock.now()).total_seconds())))
