"""What is merged in as it was declared (`controlm.extra`), unseen by our models, and what is refused even there?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from landbridge.deploy.controlm.clear_text import is_secret, is_secret_called, pair

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

EVERYWHERE = "*"
"""In the place of a job's name: the folder itself."""
_SECRET = re.compile(
    r"pass(word|phrase)|passwd|secret|token|api.?key|private.?key(?!name)|credential", re.IGNORECASE
)


def merged(into: Mapping[str, Any], more: Mapping[str, object]) -> dict[str, Any]:
    """Merge key by key; `more` wins. Lists are replaced, not joined."""
    made = dict(into)
    for key, value in more.items():
        there = made.get(key)
        made[key] = merged(there, value) if isinstance(there, dict) and isinstance(value, dict) else value
    return made


def literal_secrets(more: object, path: str = "") -> Iterator[str]:
    """Give the paths at which a secret would be written out; `{"Secret": name}` is a reference, and fine."""
    if isinstance(more, dict):
        name, value = pair(more)
        for key, one in more.items():
            here = f"{path}.{key}" if path else str(key)
            called = str(more[name]) if name and key == value else str(key)
            if _is_reference(one):
                continue
            if _names_a_secret(called) or (isinstance(one, str | int) and is_secret_called(called, str(one))):
                yield here
            else:
                yield from literal_secrets(one, here)
    elif isinstance(more, list | tuple):
        for number, one in enumerate(more):
            yield from literal_secrets(one, f"{path}[{number}]")
    elif isinstance(more, str) and is_secret(more):
        yield path


def _names_a_secret(key: str) -> bool:
    return key != "Secret" and _SECRET.search(key) is not None


def _is_reference(value: object) -> bool:
    return isinstance(value, dict) and set(value) == {"Secret"} and isinstance(value["Secret"], str)


def keys_of(more: Mapping[str, object]) -> str:
    """Name the keys that are merged, for a warning."""
    return ", ".join(sorted(map(str, more)))
