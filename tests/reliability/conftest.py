"""Who hears of thousands of cuts and crashes? Nobody: a broken promise names its seed, and a replay tells each call."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
import structlog

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def silent() -> Iterator[None]:
    """Let nobody log below what ends a program, here and in the processes that a test starts by forking."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.configure(**before)
