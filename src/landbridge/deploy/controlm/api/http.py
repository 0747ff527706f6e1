"""How is one request sent to the Automation API so that its answer can be trusted: TLS, patience, repeats, no secret in a text?

Nothing is read from the environment: no proxy, no certificate. No redirect is followed: it would carry a token elsewhere.
"""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlencode, urlsplit

import urllib3
from urllib3.filepost import encode_multipart_formdata

from landbridge import __version__
from landbridge.errors import LandbridgeError, NotPermitted, Unavailable, UsageError
from landbridge.retries import stamina

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Self

_LARGEST = 64 << 20
"""Bytes of one answer; a folder of thousands of jobs is a few megabytes."""
_BUSY = 429
_NOT_NOW = {502, 503, 504}
_ATTEMPTS = 4
_FIRST_WAIT = 1.0
_LONGEST_WAIT = 20.0
_CONNECT = 10.0
_WAIT = re.compile(r"[0-9]{1,6}")


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of the API."""

    method: Literal["GET", "POST"]
    path: str
    """Below the URL of the API, quoted: `/deploy/jobs`."""
    what: str
    """What is done, for a message: "reading the folder X"."""
    again: bool
    """Whether asking twice is the same as asking once, so that a lost answer may be asked for again."""
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, of any status."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class AnswerLost(Unavailable):
    """The request may have arrived and no proper answer came: whether it was done is not known."""


class _Again(Exception):
    """The same request may be sent once more, `after` so many seconds if the server says so."""

    def __init__(self, end: LandbridgeError | Answer, after: float | None = None) -> None:
        super().__init__()
        self.end = end
        """What this attempt came to, should it be the last one."""
        self.after = after


def upload(name: str, text: str) -> tuple[dict[str, str], bytes]:
    """Give headers and body that send a file of definitions as the form field `definitionsFile`."""
    body, kind = encode_multipart_formdata({"definitionsFile": (name, text.encode(), "application/json")})
    return {"Content-Type": kind}, body


def trust(certificates: str | None) -> ssl.SSLContext:
    """Make what verifies the server: against `certificates` (PEM) alone, or against the host's own.

    Raises:
        UsageError: they are no certificates.
    """
    try:
        return ssl.create_default_context(cadata=certificates)
    except (ssl.SSLError, ValueError) as error:
        raise UsageError(
            "`controlm.api.ca` holds no certificates", expected="PEM text, or `file:` with its path"
        ) from error


class Line:
    """A pool of connections to one Automation API."""

    def __init__(self, url: str, context: ssl.SSLContext, seconds: float) -> None:
        """Take the URL of the API and the longest wait for one answer.

        Raises:
            UsageError: it is not `https://HOST...`.
        """
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname or parts.username or parts.query or parts.fragment:
            raise UsageError(
                "`controlm.api.url` is not the address of an Automation API",
                expected="`https://HOST:8443/automation-api`",
                hint="Control-M is spoken to over verified TLS only",
            )
        self.url = url.rstrip("/")
        self._pool = urllib3.PoolManager(
            retries=False, ssl_context=context, timeout=urllib3.Timeout(connect=_CONNECT, read=seconds)
        )
        self._seconds = seconds

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.clear()

    def send(self, request: Request, *, patient: bool = True) -> Answer:
        """Send it, more than once where that is safe, and give the last answer whatever its status is.

        Safe is: no connection came about; 429, which means that nothing was done; for a request that says `again`, also a
        lost answer and 502, 503, 504. `patient=False` sends once.

        Raises:
            Unavailable: it did not arrive.
            AnswerLost: it may have arrived.
            NotPermitted: the server cannot prove who it is.
        """
        attempts = stamina.retry_context(
            on=_after,
            attempts=_ATTEMPTS if patient else 1,
            timeout=None,
            wait_initial=_FIRST_WAIT,
            wait_max=_LONGEST_WAIT,
        )
        try:
            for attempt in attempts:
                with attempt:
                    return self._once(request)
        except _Again as last:
            if isinstance(last.end, Answer):
                return last.end
            raise last.end from last.__cause__
        raise AssertionError("a retry context ends in an answer or an error")

    def _once(self, request: Request) -> Answer:
        target = self.url + request.path + (f"?{urlencode(request.query)}" if request.query else "")
        headers = {
            "Accept": "application/json",
            "User-Agent": f"landbridge/{__version__}",
            **request.headers,
        }
        try:
            response = self._pool.urlopen(
                request.method,
                target,
                headers=headers,
                body=request.body,
                redirect=False,
                preload_content=False,
            )
            try:
                body = response.read(_LARGEST + 1)
            finally:
                response.release_conn()
        except urllib3.exceptions.SSLError as error:
            raise self._untrusted(request, error) from error
        except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError) as error:
            raise _Again(self._away(request, error)) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            lost = self._lost(request, error)
            raise (_Again(lost) if request.again else lost) from error
        if len(body) > _LARGEST:
            raise Unavailable(f"{request.what} failed: the answer is larger than {_LARGEST >> 20} MiB")
        answer = Answer(response.status, response.headers, body)
        if answer.status == _BUSY or (request.again and answer.status in _NOT_NOW):
            raise _Again(answer, _asked_wait(answer))
        return answer

    def _away(self, request: Request, error: Exception) -> Unavailable:
        return Unavailable(
            f"{request.what} failed: {self._host} cannot be reached",
            seen=_WORDS.get(type(error), type(error).__name__),
            hint="look whether the Enterprise Manager is up, and whether a firewall lies between; then run the command again",
        )

    def _lost(self, request: Request, error: Exception) -> AnswerLost:
        seen = _WORDS.get(type(error), type(error).__name__)
        if isinstance(error, urllib3.exceptions.ReadTimeoutError):
            seen = f"no answer within {self._seconds:.0f} s (`controlm.api.timeout`)"
        return AnswerLost(
            f"{request.what} failed: {self._host} gave no whole answer",
            seen=seen,
            hint="run the command again: what is done already is not done twice",
        )

    def _untrusted(self, request: Request, error: Exception) -> NotPermitted:
        said = str(error)
        what = f"{request.what} failed: {self._host} cannot prove who it is"
        for words, seen, hint in _UNTRUSTED:
            if words in said:
                return NotPermitted(what, seen=seen, hint=hint)
        return NotPermitted(
            what,
            seen="the TLS handshake failed",
            hint="it needs TLS 1.2 or later on this port; look at it with `openssl s_client -connect HOST:PORT`",
        )

    @property
    def _host(self) -> str:
        return urlsplit(self.url).netloc


_WORDS: dict[type[BaseException], str] = {
    urllib3.exceptions.NewConnectionError: "the connection was refused",
    urllib3.exceptions.NameResolutionError: "the host's name is not known",
    urllib3.exceptions.ConnectTimeoutError: f"no connection within {_CONNECT:.0f} s",
    urllib3.exceptions.ProtocolError: "the connection was cut",
    urllib3.exceptions.IncompleteRead: "the answer was cut",
    urllib3.exceptions.DecodeError: "the answer's compression is broken",
}

_UNTRUSTED = (
    (
        "Hostname mismatch",
        "its certificate is for another name",
        "use the name that the certificate was made for in `controlm.api.url`",
    ),
    (
        "IP address mismatch",
        "its certificate is for another name",
        "use the name that the certificate was made for in `controlm.api.url`",
    ),
    (
        "certificate has expired",
        "its certificate has expired",
        "have whoever runs the Enterprise Manager renew it",
    ),
    (
        "CERTIFICATE_VERIFY_FAILED",
        "its certificate comes from an authority that is not trusted here",
        "put the authority's certificate under `controlm.api.ca` (PEM, or `file:`)",
    ),
)
"""What OpenSSL says of a certificate, what that means, and what to do about it; the first that fits."""


def _after(error: Exception) -> bool | float:
    if not isinstance(error, _Again):
        return False
    return True if error.after is None else error.after


def _asked_wait(answer: Answer) -> float | None:
    text = (answer.headers.get("Retry-After") or "").strip()
    return min(float(text), _LONGEST_WAIT) if _WAIT.fullmatch(text) else None
