"""Does a file above 5 GB, where S3 demands parts, go up, across and down in bounded memory? `make large`; 17 GB of disk."""

from __future__ import annotations

import hashlib
import resource
import shutil
import sys
import time
from typing import TYPE_CHECKING, TypeVar

import pytest

from landbridge.facts import Content
from landbridge.stores.s3 import S3Store
from landbridge.stores.s3_parts import Sizes
from tests.contract.stands import MIB, account

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.servers.seaweed import Lent

_T = TypeVar("_T")

SIZE = 5632 * MIB + 17
"""Above the 5 GiB that CopyObject takes, and no whole number of parts."""
MOST_MEMORY = 400
"""MiB that this process may grow by; the file is fourteen times that."""
ROOM = 20 << 30
"""Bytes of free disk: two objects, and the file that comes."""

pytestmark = pytest.mark.timeout(3600)


def _made(path: Path) -> Content:
    """Make a sparse file in which every MiB begins with its own number, so that no two parts are alike."""
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for number in range(SIZE // MIB):
            file.seek(number * MIB)
            file.write(mark := b"%012d" % number)
            digest.update(mark + bytes(MIB - len(mark)))
        file.seek(SIZE // MIB * MIB)
        file.write(end := b"the last bytes !!")
        digest.update(end)
    return Content(SIZE, digest.hexdigest(), 0)


def _peak() -> int:
    """Give the most memory this process ever held, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _timed(what: str, call: Callable[[], _T]) -> _T:
    began, cpu = time.monotonic(), time.process_time()
    result = call()
    wall, cpu = time.monotonic() - began, time.process_time() - cpu
    sys.stdout.write(f"{what}: {wall:.0f} s, {cpu:.1f} s of CPU, peak {_peak()} MiB\n")
    return result


def test_a_file_above_five_gib_goes_there_and_back(seaweed: Lent, tmp_path: Path) -> None:
    if shutil.disk_usage(tmp_path).free < ROOM:
        pytest.skip(f"needs {ROOM >> 30} GiB of free disk in {tmp_path}")
    staging, reports = (S3Store(seaweed.bucket(word), account=account(seaweed)) for word in ("in", "out"))
    draft, came = tmp_path / "draft", tmp_path / "came"
    content, before = _made(draft), _peak()
    assert content.size > Sizes().copy_limit

    staged = _timed("put_file", lambda: staging.put_file("a", draft, content))
    draft.unlink()
    released = _timed("copy_new", lambda: reports.copy_new(staged.at, "b", content))
    assert _timed("copy_new again", lambda: reports.copy_new(staged.at, "b", content)).at.key == "b"
    fetched = _timed("fetch", lambda: reports.fetch(released.at, came))

    known = reports.head("b")
    assert known is not None
    assert (known.size, known.sha256) == (content.size, content.sha256)
    assert (fetched.size, fetched.sha256) == (content.size, content.sha256)
    assert came.stat().st_size == SIZE
    copied, sent = known.at.etag.strip('"').partition("-")[2], staged.at.etag.strip('"').partition("-")[2]
    sys.stdout.write(f"parts: {sent} sent, {copied} copied; memory grew by {_peak() - before} MiB\n")
    assert (int(sent), int(copied)) == (705, 89)
    assert _peak() - before < MOST_MEMORY
    came.unlink()
