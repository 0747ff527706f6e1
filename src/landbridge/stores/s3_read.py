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

    from obstore import Bytes, BytesStream, GetOptions, ObjectMeta
    from obstore.store import S3Store

AHEAD = 4
"""Pieces asked for before they are needed.

They are read in order: an answer waits for its turn in its own connection, as far as that holds it. To read several at once
into memory cost half as much CPU again, since no block was still in the processor's cache when it was hashed and written.
"""

_BLOCK = 1 << 20
"""About how much of a piece lies in one stretch of memory: it is hashed and written while it is in the processor's cache."""

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
            meta = answer.meta
            first = answer.bytes() if meta["size"] <= _BLOCK else None
        except GenericError as error:
            if status_of(error)[0] == _EMPTY:
                return
            raise
    if first is not None:
        yield first
    else:
        yield from _blocks(answer.stream(min_chunk_size=min(size, _BLOCK)), url)
    if meta["size"] > size:
        yield from _rest(store, key, url, meta, size)


def _rest(store: S3Store, key: str, url: str, meta: ObjectMeta, size: int) -> Iterator[bytes | Bytes]:

    def asked(offset: int) -> BytesStream:
        options = _options(offset, offset + size, meta["version"] or "", meta["e_tag"] or "")
        return obstore.get(store, key, options=options).stream(min_chunk_size=min(size, _BLOCK))

    offsets = iter(range(size, meta["size"], size))
    with ThreadPoolExecutor(AHEAD) as pool:
        coming = deque(pool.submit(asked, offset) for offset in islice(offsets, AHEAD))
        try:
            while coming:
                with told(url, "s3:GetObject"):
                    try:
                        came = coming.popleft().result()
                    except PreconditionError as error:
                        raise TryAgain(f"{url} was replaced while it was read") from error
                if (following := next(offsets, None)) is not None:
                    coming.append(pool.submit(asked, following))
                yield from _blocks(came, url)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
            coming.clear()  # answers that nobody reads any more keep a connection each


def _blocks(stream: BytesStream, url: str) -> Iterator[bytes | Bytes]:
    while True:
        with told(url, "s3:GetObject"):
            block = next(stream, None)
        if block is None:
            return
        yield block  # plain bytes at run time, whatever the stub says


def _options(start: int, end: int, version: str, etag: str = "") -> GetOptions:
    options: GetOptions = {"range": (start, end)}
    if version:
        options["version"] = version
    if etag:
        options["if_match"] = etag
    return options
