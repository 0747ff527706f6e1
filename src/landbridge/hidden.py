"""In which forms may a secret come back from a server, and how is it blotted out of what is shown?

An error answer often repeats the request, as it was or encoded once more. What a server disguises on purpose cannot be known.
"""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Collection

STARS = "***"
_LONG_ENOUGH = 6
"""Characters of a secret whose encoded forms are looked for; those of a shorter one would be found in any text."""
_TELLING = 4
"""Characters of a secret's beginning that must not end a text that was cut."""


def forms(secret: str) -> frozenset[str]:
    """Give `secret` as it is, in a URL, in JSON, in hexadecimal, and as a part of any text in Base64."""
    found = {secret, quote(secret), quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]}
    if len(secret) >= _LONG_ENOUGH:
        raw = secret.encode()
        found |= {raw.hex(), raw.hex().upper()}
        for before in range(3):
            # Of the first and last group of four letters a part depends on what stands beside the secret.
            kept = slice((before * 4 + 2) // 3, -1 if (before + len(raw)) % 3 else None)
            for encode in (b64encode, urlsafe_b64encode):
                found.add(encode(bytes(before) + raw).decode().rstrip("=")[kept])
    return frozenset(found)


def without(text: str, known: Collection[str]) -> str:
    """Give `text` without any of `known`, which are forms of secrets."""
    for form in sorted(known, key=len, reverse=True):
        text = text.replace(form, STARS)
    return text


def beginning(text: str, most: int, known: Collection[str]) -> str:
    """Give at most the first `most` characters of a long text, without any of `known`, and without the beginning of one at the end."""
    longest = max(map(len, known), default=0)
    is_cut = len(text) > most + longest
    shown = without(text[: most + longest], known)
    if is_cut:
        for form in known:
            ends = (size for size in range(len(form) - 1, _TELLING - 1, -1) if shown.endswith(form[:size]))
            if size := next(ends, 0):
                shown = shown[:-size] + STARS
    return shown[:most]
