"""Who hears what has happened, and what is it about?"""

from __future__ import annotations

import threading
from contextvars import copy_context

import pytest

from landbridge.events import LEVELS, about, context, listen, log
from tests.fakes.heard import heard


def test_nobody_hears_without_having_asked(capfd: pytest.CaptureFixture[str]) -> None:
    listen(None, "debug")
    log.error("lost", size=7)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("lowest", LEVELS)
def test_who_listens_hears_from_the_level_on(lowest: str) -> None:
    events: list[dict[str, object]] = []
    listen(events.append, lowest)
    log.debug("a")
    log.info("b")
    log.warning("c")
    log.error("d")
    said = [("a", "debug"), ("b", "info"), ("c", "warning"), ("d", "error")]
    assert [(one["event"], one["level"]) for one in events] == said[list(LEVELS).index(lowest) :]


def test_an_event_has_its_facts_and_what_is_around_it() -> None:
    with heard() as events, about(feed="trades", slot="one"):
        with about(slot="two"):
            log.info("inner", size=7)
        log.info("outer", feed="its own")
    log.info("after")
    assert events == [
        {"event": "inner", "level": "info", "feed": "trades", "slot": "two", "size": 7},
        {"event": "outer", "level": "info", "feed": "its own", "slot": "one"},
    ]
    assert context() == {}


def test_what_ends_by_an_error_is_over() -> None:
    with pytest.raises(ZeroDivisionError), about(feed="trades"):
        raise ZeroDivisionError
    assert context() == {}


def test_a_thread_says_what_it_is_about_when_it_was_given_the_context() -> None:
    with heard() as events, about(feed="trades"):
        copied = copy_context()
        for work in (lambda: log.info("alone"), lambda: copied.run(log.info, "with it")):
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()
    assert [one.get("feed") for one in events] == [None, "trades"]


def test_the_next_listener_begins_anew() -> None:
    first: list[dict[str, object]] = []
    second: list[dict[str, object]] = []
    listen(first.append, "info", run_id="1", feed="old")
    listen(second.append, "info", run_id="2")
    log.info("staged")
    assert (first, second) == ([], [{"event": "staged", "level": "info", "run_id": "2"}])
