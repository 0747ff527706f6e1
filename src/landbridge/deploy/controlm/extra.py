"""What is merged in as it was declared (`controlm.extra`), unseen by our models, and what is refused even there?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

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
        for key, value in more.items():
            here = f"{path}.{key}" if path else str(key)
            if _names_a_secret(str(key)) and not _is_reference(value):
                yield here
            elif not _is_reference(value):
                yield from literal_secrets(value, here)
    elif isinstance(more, list | tuple):
        for number, value in enumerate(more):
            yield from literal_secrets(value, f"{path}[{number}]")


def _names_a_secret(key: str) -> bool:
    return key != "Secret" and _SECRET.search(key) is not None


def _is_reference(value: object) -> bool:
    return isinstance(value, dict) and set(value) == {"Secret"} and isinstance(value["Secret"], str)


def keys_of(more: Mapping[str, object]) -> str:
    """Name the keys that are merged, for a warning."""
    return ", ".join(sorted(map(str, more)))
