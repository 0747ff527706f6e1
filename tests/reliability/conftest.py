"""Who hears of thousands of cuts and crashes? Nobody: a broken promise names its seed, and a replay tells each call."""

from __future__ import annotations

import pytest

from landbridge.events import listen


@pytest.fixture(autouse=True)
def silent() -> None:
    """Let nobody listen, whatever a test before has set up, here and in the processes that a test starts by forking."""
    listen(None, "error")
