"""What does an answer of the Automation API say, and how long is one waited for? No server is asked."""

from __future__ import annotations

import json
import ssl
from typing import Any

import pytest
import stamina
import urllib3

from landbridge.deploy.controlm.api import http
from landbridge.deploy.controlm.api.failures import absent, complaints, within
from landbridge.deploy.controlm.api.http import Answer, Line, Request
from landbridge.errors import LandbridgeError, UsageError


def said(body: object, status: int = 200) -> Answer:
    return Answer(status, {}, body if isinstance(body, bytes) else json.dumps(body).encode())


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"errors": ["no such job"]}, ["no such job"]),
        ([{"errors": ["a"]}, [{"errors": ["b"]}]], ["a", "b"]),
        ({"errors": [{"lines": ["a", "b"]}]}, ["a", "b"]),
        (
            {"errors": [{"message": "wrong", "item": "J", "file": "f", "line": "12", "col": 7}]},
            ["f:12:7: wrong (J)"],
        ),
        ({"errors": [{"message": "wrong", "line": "\u00b2", "col": "-1"}]}, ["wrong"]),
        ({"errors": [{}]}, ["no message"]),
        ({"errors": "text"}, []),
        ({"errors": [5, None]}, []),
        ("text", []),
        (5, []),
        (b"<html>", []),
        (b"", []),
    ],
)
def test_every_error_of_an_answer_is_found_and_nothing_else_is_one(body: object, told: list[str]) -> None:
    assert [str(one) for one in complaints(said(body))] == told


@pytest.mark.parametrize(
    ("body", "status", "is_absent"),
    [
        ({"errors": ["Folder X does not exist"]}, 401, False),
        ({"errors": ["Folder X does not exist"]}, 403, False),
        ({}, 404, True),
        (b"<html>not found</html>", 404, False),
        ({"errors": ["something else"]}, 400, False),
        ({}, 200, False),
    ],
)
def test_a_page_of_somebody_else_does_not_say_that_there_is_nothing(
    body: object, status: int, is_absent: bool
) -> None:
    """Taken for an absent folder, it would be made a second time."""
    assert absent(said(body, status)) is is_absent


@pytest.mark.parametrize(
    ("found", "is_fine"),
    [
        ([], True),
        ([{"deploymentStatus": "ENDED_OK"}], True),
        ([{"deploymentStatus": "ENDED_NOT_OK", "deploymentState": "x"}], False),
        ([{"deploymentStatus": "ENDED_OK"}, {"deploymentStatus": "STARTED"}], False),
        ([{"errors": ["a"], "deploymentStatus": "ENDED_OK"}], False),
        ({"errors": [{"message": "a"}]}, False),
    ],
)
def test_a_good_status_may_hide_an_error(found: object, is_fine: bool) -> None:
    if is_fine:
        within("deploying f", found)
        return
    with pytest.raises(LandbridgeError, match="deploying f failed"):
        within("deploying f", found)


def test_one_answer_is_waited_for_as_declared_and_tries_end_by_their_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pools: list[dict[str, Any]] = []
    tries: list[object] = []
    context = stamina.retry_context

    class Pool:
        def __init__(self, **how: Any) -> None:
            pools.append(how)

        def urlopen(self, *_: object, **how: Any) -> None:
            assert how["redirect"] is False
            raise urllib3.exceptions.ReadTimeoutError(Pool, "url", "slow")  # type: ignore[arg-type] # any pool

        def clear(self) -> None:
            pools.append({})

    def recorded(**how: Any) -> object:
        tries.append((how["timeout"], how["attempts"]))
        return context(**how)

    monkeypatch.setattr(urllib3, "PoolManager", Pool)
    monkeypatch.setattr(stamina, "retry_context", recorded)
    trust = ssl.create_default_context()
    with Line("https://h:8443/automation-api", trust, 120.0) as line, pytest.raises(http.AnswerLost):
        line.send(Request("POST", "/deploy", "deploying f", again=False))
    assert (pools[0]["retries"], pools[0]["ssl_context"]) == (False, trust)
    assert (pools[0]["timeout"].connect_timeout, pools[0]["timeout"].read_timeout) == (10.0, 120.0)
    assert tries == [(None, 4)]
    assert pools[-1] == {}, "no connection is left"


@pytest.mark.parametrize(
    "url", ["http://h/api", "https:///api", "https://u@h/api", "https://h/api?x=1", "https://h/api#x", "h"]
)
def test_only_a_plain_address_over_tls_is_one(url: str) -> None:
    with pytest.raises(UsageError):
        Line(url, ssl.create_default_context(), 1.0)
