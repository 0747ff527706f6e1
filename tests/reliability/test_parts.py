"""Does every part of the report exist?"""

from __future__ import annotations

import pytest

from reliability.parts import PARTS

pytestmark = pytest.mark.reliability


def test_every_part_is_a_function_and_has_a_name_of_its_own() -> None:
    assert all(callable(part.loaded()) for part in PARTS)
    assert len({part.name for part in PARTS}) == len(PARTS)
