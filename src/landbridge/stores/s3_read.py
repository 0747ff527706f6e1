"""How do the bytes of an object come down: in order, in bounded memory, with the line kept busy?"""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import GenericError, PreconditionError

from landbridge.errors import TryAgain
from landbridge.stores.s3_errors import status_of, told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obstore import Bytes, GetOptions, ObjectMeta
    from obstore.store import S3Store

AHEAD = 4
"""Pieces asked for before they are needed."""

_BLOCK = 1 << 20
"""About how much of a piece lies in one stretch of memory; a whole piece in one costs slightly more."""

_EMPTY = 416
"""What a range of an empty object is answered with."""


def pieces(store: S3Store, key: str, url: str, version: str, size: int) -> Iterator[bytes | Bytes]:
    """Give the object in order, asked for in pieces of `size` bytes, the first request telling how many there are.

    A piece is given as it came, in blocks of up to `size`.

    All pieces are of one version: of `version`, or of the one that the first request met.

    Raises:
        NotFound: it is not there.
        TryAgain: it was replaced while it was read.
    """
    options = _options(0, size, version)
    with told(url, "s3:GetObject"):
        try:
            answer = obstore.get(store, key, options=options)
            first, meta = answer.bytes(), answer.meta
        except GenericError as error:
            if status_of(error)[0] == _EMPTY:
                return
            raise
    yield first
    if meta["size"] > size:
        yield from _rest(store, key, url, meta, size)


def _rest(store: S3Store, key: str, url: str, meta: ObjectMeta, size: int) -> Iterator[bytes | Bytes]:

    def piece(offset: int) -> list[bytes | Bytes]:
        options = _options(offset, offset + size, meta["version"] or "", meta["e_tag"] or "")
        stream = obstore.get(store, key, options=options).stream(min_chunk_size=min(size, _BLOCK))
        return list(stream)  # plain bytes at run time, whatever the stub says

    offsets = iter(range(size, meta["size"], size))
    with ThreadPoolExecutor(AHEAD) as pool:
        coming = deque(pool.submit(piece, offset) for offset in islice(offsets, AHEAD))
        try:
            while coming:
                with told(url, "s3:GetObject"):
                    try:
                        came = coming.popleft().result()
                    except PreconditionError as error:
                        raise TryAgain(f"{url} was replaced while it was read") from error
                if (following := next(offsets, None)) is not None:
                    coming.append(pool.submit(piece, following))
                yield from came
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _options(start: int, end: int, version: str, etag: str = "") -> GetOptions:
    options: GetOptions = {"range": (start, end)}
    if version:
        options["version"] = version
    if etag:
        options["if_match"] = etag
    return options
