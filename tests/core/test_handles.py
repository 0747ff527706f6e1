"""Are as many handles of a server open as it may have, and no more, and does nobody wait for ever?"""

from __future__ import annotations

import threading

from landbridge.sftp.handles import SOME, Handles


def test_they_are_taken_some_at_a_time_and_never_more_than_are_wanted_or_than_there_are() -> None:
    handles = Handles(2 * SOME)
    assert [handles.take(5), handles.take(1_000)] == [5, SOME]
    assert Handles(3).take(8) == 3


def test_who_finds_too_few_waits_until_they_are_given_back() -> None:
    handles = Handles(SOME)
    held = handles.take(SOME)
    took: list[int] = []
    waits = threading.Thread(target=lambda: took.append(handles.take(2)), daemon=True)
    waits.start()
    for _ in range(held - 1):
        handles.give()
    waits.join(0.05)
    assert took == [], "fewer than some are free"
    handles.give()
    waits.join(10)
    assert took == [2]
    assert handles.take(SOME - 2) == SOME - 2
