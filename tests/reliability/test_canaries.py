"""Is no secret ever found where it must not be?"""

from __future__ import annotations

import base64
import random
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from landbridge import hidden
from landbridge.twin.keys import Ed25519Key
from reliability.canaries import Planted, apis, canaries, locked_by, plant_key

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.reliability


@pytest.mark.timeout(400)
def test_of_fifty_secrets_none_is_found() -> None:
    figure = canaries()
    assert figure.is_reached, figure


@pytest.mark.parametrize(
    "spell",
    [
        str,
        lambda secret: f"Bearer {secret}"[:30],
        lambda secret: secret[::-1],
        lambda secret: quote(secret, safe=""),
        lambda secret: secret.encode().hex(),
        lambda secret: base64.b64encode(f"u:{secret}".encode()).decode(),
        lambda secret: base64.b64encode(f"us:{secret}".encode()).decode(),
        lambda secret: base64.b64encode(f"user:{secret}:x".encode()).decode(),
    ],
)
def test_a_secret_that_is_shown_is_found_however_it_is_spelled(spell: Callable[[str], str]) -> None:
    planted = Planted(random.Random(1))
    secret = planted.make("here")
    planted.make("elsewhere")
    planted.saw("a log", "nothing to see")
    assert planted.found() == []
    planted.saw("a log", spell(secret))
    assert planted.found()
    assert all(one.startswith("here, ") for one in planted.found())


def test_a_source_that_hides_secrets_only_as_they_are_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hidden, "forms", lambda secret: frozenset({secret}))
    planted = Planted(random.Random(1))
    apis(planted, tmp_path)
    assert planted.found()


def test_public_keys_that_begin_alike_are_no_secret_and_a_private_one_is() -> None:
    planted = Planted(random.Random(1))
    locked = locked_by("a passphrase", Ed25519Key.generate())
    plant_key(planted, "a locked key", locked)
    for _ in range(64):
        planted.saw("what is pinned", Ed25519Key.generate().public_openssh)
    assert planted.found() == []
    planted.saw("a log", locked)
    assert planted.found()
