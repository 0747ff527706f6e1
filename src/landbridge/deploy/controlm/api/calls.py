"""Which calls of the Automation API are made, and what do they give?

docs/control-m-deploy.md has a row for each of them, with its source and how sure it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from landbridge.deploy.controlm.api.failures import MISSING, OK, absent, document, refused, said, within
from landbridge.deploy.controlm.api.http import AnswerLost, Request, upload
from landbridge.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from landbridge.deploy.controlm.api.given import Document
    from landbridge.deploy.controlm.api.http import Answer
    from landbridge.deploy.controlm.api.session import Session

KIND = "FileTransfer"
"""What the API calls all profiles of managed file transfer."""
_FORBIDDEN = 403
_POLL_EVERY = 3.0
_POLLS = 400
"""Twenty minutes: a deployment that takes longer is left to Control-M."""
_PLACEHOLDER = 3
"""Keys of what the API answers for an agent that it has never met: name, status, type."""
_PASSED = re.compile(r"success|succeeded|passed", re.IGNORECASE)
_FAILED = re.compile(
    r"^error|fail|unable|cannot|could not|refused|denied|unsuccessful|timed? ?out|not found", re.IGNORECASE
)

Outcome = Literal["passed", "failed", "unclear", "no answer"]


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent as Control-M/Server sees it."""

    name: str
    state: str
    """Control-M's own word (`Available`); `unknown` where it has never met it, `not told` where we may not ask."""
    version: str


@dataclass(frozen=True, slots=True)
class Tested:
    """What the test of a connection profile on an agent came to."""

    profile: str
    agent: str
    outcome: Outcome
    words: str
    """Control-M's own."""


class AutomationApi:
    """The calls; reads are repeated where the line is bad, a deployment is not."""

    def __init__(self, session: Session, pause: Callable[[float], None], tell: Callable[[str], None]) -> None:
        """Take what sends, what waits so many seconds, and who is told."""
        self._session = session
        self._pause = pause
        self._tell = tell

    @property
    def release(self) -> str:
        """Release of Control-M, where the log-in told it."""
        return self._session.release

    def build(self, given: Document) -> None:
        """Have Control-M validate a document; changes nothing.

        Raises:
            DefinitionsRefused: Control-M does not take it.
            NotPermitted, Unavailable, TryAgain, UsageError: as failures.refused says.
        """
        what = f"validating {given.file}"
        headers, body = upload(given.file, given.text)
        answer = self._session.send(Request("POST", "/build", what, again=True, headers=headers, body=body))
        self._results(answer, what)

    def deploy(self, given: Document) -> None:
        """Deploy a document; what had the same name is replaced, whole.

        Raises:
            DefinitionsRefused: Control-M does not take it.
            AnswerLost: it may have been deployed.
            NotPermitted, Unavailable, TryAgain, UsageError: as failures.refused says.
        """
        what = f"deploying {given.file}"
        headers, body = upload(given.file, given.text)
        answer = self._session.send(Request("POST", "/deploy", what, again=False, headers=headers, body=body))
        if answer.status >= 500:  # noqa: PLR2004 - HTTP's own line: the server, or a proxy before it, broke down on the way
            raise AnswerLost(
                f"{what} failed: the Enterprise Manager is not well",
                seen=f"HTTP {answer.status}" + (f": {said(answer)}" if said(answer) else ""),
                hint="look at its Automation API service, then run the command again",
            )
        found = self._results(answer, what)
        poll = found.get("pollId") if isinstance(found, dict) else None
        if poll:
            self._followed(str(poll), what)

    def _followed(self, poll: str, what: str) -> None:
        """Wait for a deployment that goes on behind the answer, as on SaaS."""
        request = Request("GET", "/deploy/poll", what, again=True, query={"pollId": poll})
        told = 0
        for _ in range(_POLLS):
            found = self._results(self._session.send(request), what)
            if not isinstance(found, dict):
                return
            if "FinalDeploymentFileResults" in found:
                within(what, found["FinalDeploymentFileResults"])
                return
            partial = found.get("PartialResult") or []
            for line in partial[told:]:
                self._tell(str(line))
            told = len(partial)
            self._pause(_POLL_EVERY)
        raise AnswerLost(
            f"{what} takes long",
            hint="Control-M goes on with it; look with `landbridge deploy controlm status`",
        )

    def folder(self, server: str, name: str) -> Mapping[str, Any] | None:
        """Give the deployed definition of a folder, or None when there is none."""
        what = f"reading the folder {name}"
        query = {"format": "json", "folder": name, "server": server}
        found = self._one(Request("GET", "/deploy/jobs", what, again=True, query=query), name)
        # A release that does not know `server` answers for all of them.
        return found if found is None or found.get("ControlmServer") in {None, server} else None

    def calendar(self, server: str, name: str) -> Mapping[str, Any] | None:
        """Give the deployed definition of a regular calendar, or None when there is none."""
        what = f"reading the calendar {name}"
        query = {"server": server, "name": name, "type": "Regular"}
        return self._one(Request("GET", "/deploy/calendars", what, again=True, query=query), name)

    def profile(self, name: str) -> Mapping[str, Any] | None:
        """Give the deployed definition of a centralized connection profile, or None when there is none."""
        what = f"reading the connection profile {name}"
        query = {"type": KIND, "name": name}
        return self._one(
            Request("GET", "/deploy/connectionprofiles/centralized", what, again=True, query=query), name
        )

    def agent(self, server: str, name: str) -> Agent:
        """Give the state of an agent."""
        what = f"asking for the agent {name}"
        path = f"/config/server/{_quoted(server)}/agents"
        answer = self._session.send(Request("GET", path, what, again=True, query={"agent": name}))
        if answer.status == _FORBIDDEN:
            return Agent(name, "not told", "")
        if absent(answer):
            return Agent(name, "unknown", "")
        if answer.status not in OK:
            raise refused(what, answer)
        found = document(answer, what)
        agents = found.get("agents") if isinstance(found, dict) else None
        for one in agents if isinstance(agents, list) else ():
            if isinstance(one, dict) and str(one.get("nodeid", "")).lower() == name.lower():
                state = str(one.get("status") or "unknown")
                met = state != "Discovering" or len(one) > _PLACEHOLDER
                return Agent(name, state if met else "unknown", str(one.get("version") or ""))
        return Agent(name, "unknown", "")

    def test(self, given: Document, profile: str, server: str, agent: str) -> Tested:
        """Have an agent connect with a deployed profile.

        No answer to one test is no error: the next agent is worth asking.

        Raises:
            NotPermitted: the credentials are refused.
        """
        what = f"testing {profile} on {agent}"
        names = "/".join(_quoted(part) for part in (KIND, profile, server, agent))
        path = f"/deploy/connectionprofile/centralized/test/{names}"
        try:
            answer = self._session.send(Request("POST", path, what, again=True))
            if answer.status == MISSING:  # an older release: it tests a definition, not what is deployed
                answer = self._session.send(self._older_test(given, what, server, agent))
        except Unavailable as error:
            return Tested(profile, agent, "no answer", error.seen or error.what)
        return Tested(profile, agent, *_judged(answer, what))

    def _older_test(self, given: Document, what: str, server: str, agent: str) -> Request:
        headers, body = upload(given.file, given.text)
        query = {"ctm": server, "agent": agent}
        path = "/deploy/connectionprofile/test"
        return Request("POST", path, what, again=True, query=query, headers=headers, body=body)

    def _one(self, request: Request, name: str) -> Mapping[str, Any] | None:
        answer = self._session.send(request)
        if absent(answer):
            return None
        if answer.status not in OK:
            raise refused(request.what, answer)
        found = document(answer, request.what)
        within(request.what, found)
        one = found.get(name) if isinstance(found, Mapping) else None
        return one if isinstance(one, Mapping) else None

    def _results(self, answer: Answer, what: str) -> object:
        if answer.status not in OK:
            raise refused(what, answer)
        found = document(answer, what)
        within(what, found)
        for one in found if isinstance(found, list) else ():
            warnings = one.get("warnings") if isinstance(one, dict) else None
            for warning in warnings if isinstance(warnings, list) else ():
                words = warning.get("message") if isinstance(warning, dict) else warning
                self._tell(f"Control-M warns: {words}")
        return found


def _judged(answer: Answer, what: str) -> tuple[Outcome, str]:
    complaint = said(answer)
    if answer.status == _FORBIDDEN:
        return "unclear", "this account may not test connection profiles" + (
            f": {complaint}" if complaint else ""
        )
    if answer.status == MISSING:
        return (
            "unclear",
            complaint or "this release has no call for it: test it in Control-M's Configuration domain",
        )
    if answer.status not in OK and answer.status < 500 and not complaint:  # noqa: PLR2004 - HTTP's own line
        raise refused(what, answer)
    if answer.status not in OK and not complaint:
        return "no answer", f"HTTP {answer.status}"
    if complaint:
        return "failed", complaint
    try:
        found = document(answer, what)
    except AnswerLost as error:
        return "no answer", error.seen
    words = str(found.get("message") or "") if isinstance(found, dict) else ""
    if _FAILED.search(words):
        return "failed", words
    return ("passed", words) if _PASSED.search(words) else ("unclear", words or "an answer without words")


def _quoted(text: str) -> str:
    return quote(text, safe="")
