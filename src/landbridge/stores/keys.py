"""Which keys does a store take?"""

from __future__ import annotations

import re

from landbridge.errors import UsageError

LONGEST_KEY = 1024
"""Bytes of a whole key; S3's limit."""

_NOT_PLAIN = re.compile(r"[\x00-\x1f\x7f\\]|(?:^|/)\.{0,2}(?:/|\Z)")
"""A control character or backslash; or an empty part, `.` or `..`."""


def checked(key: str) -> str:
    """Give `key` back if it is relative, `/`-separated and names one object below the store's root.

    Raises:
        UsageError: empty, absolute, with an empty part, `.`, `..`, a backslash or a control character, or too long.

    Source: Amazon S3 User Guide, "Naming Amazon S3 objects".
    """
    if _NOT_PLAIN.search(key) or len(key.encode()) > LONGEST_KEY:
        raise UsageError(
            f"{key!r} cannot be a key of a store",
            expected="a relative key of plain parts between single slashes, at most 1024 bytes",
        )
    return key
