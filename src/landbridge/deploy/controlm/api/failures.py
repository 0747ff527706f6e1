"""What does a refusal of the Automation API mean to whoever deploys? The one place where its error arrays are read.

Source: Control-M Automation API, the shapes `ErrorList` and `DeploymentFileResults` of the vendor's public client.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from landbridge.deploy.controlm.api.http import AnswerLost
from landbridge.errors import DefinitionsRefused, NotPermitted, TryAgain, Unavailable, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from landbridge.deploy.controlm.api.http import Answer
    from landbridge.errors import LandbridgeError

OK = range(200, 300)
MISSING = 404
UNAUTHORISED = 401
_FORBIDDEN = 403
_BUSY = 429
_SERVER = 500
_ENDED_WELL = "ENDED_OK"
_MOST = 6
"""Errors of one answer that are shown; the first ones say it."""
_LONGEST = 400
_ABSENT = re.compile(
    r"not found|no (?:\w+ ){0,3}(?:folders?|jobs?|calendars?|profiles?|definitions?)\b|(?:does not|doesn't) exist",
    re.IGNORECASE,
)
"""How an Enterprise Manager says that there is none; its texts are documented nowhere, so several are known."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """One error of an answer; empty or 0 where the API does not say."""

    message: str
    item: str = ""
    """Job, folder or key that it is about."""
    file: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        """Give it in one line: `folder.json:12:7: message (item)`."""
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        text = f"{place}: {self.message}" if place else self.message
        return f"{text} ({self.item})" if self.item and self.item not in self.message else text


def document(answer: Answer, what: str) -> object:
    """Read the JSON of an answer.

    Raises:
        AnswerLost: it is none, as when a proxy answers in the server's place or the end is missing.
    """
    try:
        return json.loads(answer.body)
    except ValueError as error:
        kind = (answer.headers.get("Content-Type") or "something").partition(";")[0]
        raise AnswerLost(
            f"{what} failed: the answer is not the JSON of an Automation API",
            seen=f"status {answer.status}, {len(answer.body)} bytes of {kind}",
            hint="look whether `controlm.api.url` ends in /automation-api, and whether a proxy answers in its place",
        ) from error


def complaints(answer: Answer) -> tuple[Complaint, ...]:
    """Give every error that an answer holds, whatever its status is."""
    try:
        return tuple(_complaints(json.loads(answer.body)))
    except ValueError:
        return ()


def _complaints(parsed: object) -> Iterator[Complaint]:
    if isinstance(parsed, list):
        for each in parsed:
            yield from _complaints(each)
        return
    if not isinstance(parsed, dict):
        return
    errors = parsed.get("errors")
    for one in errors if isinstance(errors, list) else ():
        yield from _one(one)


def _one(error: object) -> Iterator[Complaint]:
    if isinstance(error, str):
        yield Complaint(_short(error))
    elif isinstance(error, dict) and isinstance(error.get("lines"), list):
        yield from (Complaint(_short(str(line))) for line in error["lines"])
    elif isinstance(error, dict):
        yield Complaint(
            _short(str(error.get("message") or "no message")),
            _short(str(error.get("item") or "")),
            str(error.get("file") or ""),
            _number(error.get("line")),
            _number(error.get("col")),
        )


def _number(value: object) -> int:
    return int(value) if isinstance(value, int) or (isinstance(value, str) and value.isdecimal()) else 0


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[:_LONGEST] + " ..."


def absent(answer: Answer) -> bool:
    """Tell whether an answer says that what was asked for does not exist; a page of a web server says nothing."""
    if answer.status in {UNAUTHORISED, _FORBIDDEN}:
        return False
    if answer.status == MISSING:
        return _is_json(answer)
    found = complaints(answer)
    return bool(found) and all(_ABSENT.search(one.message) for one in found)


def _is_json(answer: Answer) -> bool:
    try:
        json.loads(answer.body)
    except ValueError:
        return False
    return True


def said(answer: Answer) -> str:
    """Give what an answer complains of, in one line."""
    return _told(complaints(answer))


def _told(found: Sequence[Complaint]) -> str:
    shown = "; ".join(str(one) for one in found[:_MOST])
    return shown + (f"; and {len(found) - _MOST} more" if len(found) > _MOST else "")


def refused(what: str, answer: Answer) -> LandbridgeError:
    """Say what an answer other than 2xx means."""
    told = said(answer)
    seen = f"HTTP {answer.status}" + (f": {told}" if told else "")
    if answer.status == UNAUTHORISED:
        return NotPermitted(
            f"{what} failed: Control-M does not accept the credentials",
            expected="an API token that has not expired, or a user and password that may log in",
            seen=seen,
            hint="look at `controlm.api` and at the secret it refers to; a token is made anew in Control-M",
        )
    if answer.status == _FORBIDDEN:
        return NotPermitted(
            f"{what} was denied",
            expected="an account of Control-M that may do it (see the table of rights in docs/control-m-deploy.md)",
            seen=seen,
            hint="ask whoever gives the authorisations of Control-M for it",
        )
    if answer.status == MISSING:
        return UsageError(
            f"{what} failed: there is no such thing, or this release has no such call",
            seen=seen,
            hint="look at the names in `controlm:` and at the URL, which ends in /automation-api",
        )
    if answer.status == _BUSY:
        return TryAgain(
            f"{what} failed: Control-M asks to be left alone for a while",
            seen=seen,
            hint="run the command again later",
        )
    if answer.status >= _SERVER:
        return Unavailable(
            f"{what} failed: the Enterprise Manager is not well",
            seen=seen,
            hint="look at its Automation API service, then run the command again",
        )
    if told:
        return _not_taken(what, told)
    return UsageError(
        f"{what} failed", seen=seen, hint="look whether `controlm.api.url` ends in /automation-api"
    )


def within(what: str, found: object) -> None:
    """Make sure that no error hides in an answer of status 200: the results of a deployment may hold some.

    Raises:
        DefinitionsRefused: one does.
    """
    told = tuple(_complaints(found)) or tuple(_unended(found))
    if told:
        raise _not_taken(what, _told(told))


def _unended(found: object) -> Iterator[Complaint]:
    """Yield what a result says of a deployment that did not end well, where it says so at all."""
    for one in found if isinstance(found, list) else ():
        status = one.get("deploymentStatus") if isinstance(one, dict) else None
        if status not in {None, _ENDED_WELL}:
            yield Complaint(f"the deployment ended as {status}", str(one.get("deploymentState") or ""))


def _not_taken(what: str, seen: str) -> DefinitionsRefused:
    return DefinitionsRefused(
        f"{what} failed: Control-M does not take it as it is",
        seen=seen,
        hint="`landbridge deploy controlm lint` knows the common causes; line and column are of the rendered file",
    )
