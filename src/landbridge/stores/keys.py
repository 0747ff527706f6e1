"""Which keys does a store take?"""

from __future__ import annotations

from landbridge.errors import UsageError

LONGEST_KEY = 1024
"""Bytes of a whole key; S3's limit."""


def checked(key: str) -> str:
    """Give `key` back if it is relative, `/`-separated and names one object below the store's root.

    Raises:
        UsageError: empty, absolute, with an empty part, `.`, `..`, a backslash or a control character, or too long.

    Source: Amazon S3 User Guide, "Naming Amazon S3 objects".
    """
    parts = key.split("/")
    odd = any(ord(char) < ord(" ") or char in "\\\x7f" for char in key)
    if odd or any(part in {"", ".", ".."} for part in parts) or len(key.encode()) > LONGEST_KEY:
        raise UsageError(
            f"{key!r} cannot be a key of a store",
            expected="a relative key of plain parts between single slashes, at most 1024 bytes",
        )
    return key
