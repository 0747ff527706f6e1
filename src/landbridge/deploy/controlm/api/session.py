"""How does a request prove who asks, and how does nothing of that stay behind: an API token, or a log-in and its log-out?

Source: Control-M Automation API, "Authentication Tokens" (`x-api-key`, from 9.0.21 and on SaaS) and "Session Service"
(`POST /session/login`, 30 minutes, `Authorization: Bearer`; `POST /session/logout`).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, assert_never

from landbridge import hidden
from landbridge.deploy.controlm.api.failures import OK, UNAUTHORISED, document, refused
from landbridge.deploy.controlm.api.http import Request
from landbridge.errors import LandbridgeError, NotPermitted, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from landbridge.deploy.controlm.api.http import Answer, Line

OLDEST = 20
"""Release 9.0.20 is the first that has centralized connection profiles, `If:CompletionStatus` and `Resource:Pool`."""
_SHORTEST = 6
"""Characters of a secret that is looked for in answers; a shorter one would be found in any word."""
_RELEASE = re.compile(r"^9\.(?:0\.)?(\d+)")
"""`9.0.21.200`, or `9.21.200` as the Automation API alone counts."""


@dataclass(frozen=True, slots=True)
class Token:
    """An API token."""

    secret: Callable[[], str]
    """Gives it at the moment of use."""


@dataclass(frozen=True, slots=True)
class Login:
    """A user who logs in."""

    user: str
    password: Callable[[], str]
    """Gives it at the moment of use."""


class Session:
    """Sends requests with the credentials in them; logs in when it must, and out at the end."""

    def __init__(self, line: Line, credentials: Token | Login, tell: Callable[[str], None]) -> None:
        self.release = ""
        """As the log-in told it; empty with an API token."""
        self._line = line
        self._credentials = credentials
        self._tell = tell
        self._token = ""
        self._secrets: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._log_out()

    def send(self, request: Request) -> Answer:
        """Send it with credentials, and give the answer.

        A session that ended meanwhile is begun anew, once: a 401 means that nothing was done.

        Raises:
            NotPermitted: the log-in is refused, or the server cannot prove who it is.
            UsageError: this Control-M is too old.
            Unavailable, AnswerLost: as Line.send.
        """
        had = bool(self._token)
        answer = self._line.send(self._authorised(request))
        if answer.status == UNAUTHORISED and had and isinstance(self._credentials, Login):
            self._token = ""
            answer = self._line.send(self._authorised(request))
        return self._without_secrets(answer)

    def _without_secrets(self, answer: Answer) -> Answer:
        """Blot out our own secrets, should a server repeat them in what it complains of."""
        body = answer.body
        for secret in sorted(self._secrets, key=len, reverse=True):
            body = body.replace(secret.encode(), b"***")
        return replace(answer, body=body)

    def _known(self, secret: str) -> str:
        if len(secret) >= _SHORTEST:
            self._secrets |= hidden.forms(secret)
        return secret

    def _authorised(self, request: Request) -> Request:
        match self._credentials:
            case Token(secret=secret):
                return replace(
                    request, headers={**request.headers, "x-api-key": self._known(_one_line(secret()))}
                )
            case Login():
                token = self._token or self._log_in(self._credentials)
                return replace(request, headers={**request.headers, "Authorization": f"Bearer {token}"})
            case _ as unknown:
                assert_never(unknown)

    def _log_in(self, login: Login) -> str:
        what = f"logging in to Control-M as {login.user}"
        password = self._known(login.password())
        answer = self._line.send(
            Request(
                "POST",
                "/session/login",
                what,
                # Not again after a lost answer: with a wrong password a few tries would lock the account.
                again=False,
                headers={"Content-Type": "application/json"},
                body=json.dumps({"username": login.user, "password": password}).encode(),
            )
        )
        if answer.status not in OK:
            raise refused(what, self._without_secrets(answer))
        found = document(answer, what)
        token = found.get("token") if isinstance(found, dict) else None
        if not isinstance(token, str) or not token:
            raise NotPermitted(
                f"{what} failed: the answer holds no token",
                hint="look whether `controlm.api.url` is the Automation API of an Enterprise Manager",
            )
        self._token = self._known(token)
        self.release = str(found.get("version") or "") if isinstance(found, dict) else ""
        _hold(self.release)
        return token

    def _log_out(self) -> None:
        if not self._token:
            return
        request = Request("POST", "/session/logout", "logging out of Control-M", again=True)
        token, self._token = self._token, ""
        try:
            # Once: what was done is done, and the session ends by itself after half an hour.
            self._line.send(replace(request, headers={"Authorization": f"Bearer {token}"}), patient=False)
        except LandbridgeError as error:
            self._tell(f"{error.what}; the session ends by itself")


def _hold(release: str) -> None:
    found = _RELEASE.match(release)
    if found and int(found[1]) < OLDEST:
        raise UsageError(
            "this Control-M is too old for what is rendered",
            expected=f"release 9.0.{OLDEST} or later",
            seen=release,
            hint="hand the rendered files to its administrators, who know what the release takes",
        )


def _one_line(secret: str) -> str:
    text = secret.strip()
    if not text.isascii() or not text.isprintable():
        raise UsageError(
            "the API token is not one line of plain text", expected="what Control-M gave, as it is"
        )
    return text
