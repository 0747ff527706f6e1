"""On what is the one suite of the Store port run?"""

from __future__ import annotations

import hashlib
import itertools
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from landbridge.facts import Content
from landbridge.stores.aws_session import session
from landbridge.stores.folder import FolderStore
from landbridge.stores.retried import Retried
from landbridge.stores.s3 import S3Store
from landbridge.stores.s3_account import S3Account
from landbridge.stores.s3_parts import Sizes
from reliability.memory_s3 import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef

    from landbridge.stores.carry import Target
    from tests.servers.seaweed import Lent

KINDS = (
    "memory",
    "memory-parts",
    "folder",
    "retried",
    *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("s3", "s3-prefix", "s3-versioned")),
)

MIB = 1 << 20
SMALL_SIZES = Sizes(copy_limit=6 * MIB, copy_part=5 * MIB, part=5 * MIB)
"""S3 takes no part below 5 MiB but the last."""


_COUNT = itertools.count(1)
_MADE: dict[tuple[str, bool], tuple[str, str]] = {}


@dataclass(frozen=True)
class Stand:
    """Two empty stores of one kind, and what the kind can do."""

    store: Target
    other: Target
    keeps_versions: bool
    ends_parts_atomically: bool = True


def account(seaweed: Lent, endpoint: str | None = None) -> S3Account:
    key = seaweed.server.admin
    keys = {"aws_access_key_id": key.access_key, "aws_secret_access_key": key.secret_key}
    return S3Account(session("eu-west-2", **keys), endpoint or seaweed.endpoint)


@contextmanager
def stand(kind: str, folder: Path, lend: Callable[[], Lent]) -> Iterator[Stand]:
    match kind:
        case "memory":
            yield Stand(MemoryStore(), MemoryStore(), keeps_versions=True)
        case "memory-parts":
            yield Stand(MemoryStore(sizes=SMALL_SIZES), MemoryStore(sizes=SMALL_SIZES), keeps_versions=True)
        case "folder":
            yield Stand(FolderStore(folder / "one"), FolderStore(folder / "two"), keeps_versions=False)
        case "retried":
            yield Stand(Retried(MemoryStore()), Retried(MemoryStore()), keeps_versions=True)
        case _:
            with _on_s3(kind, lend()) as made:
                yield made


@contextmanager
def _on_s3(kind: str, seaweed: Lent) -> Iterator[Stand]:
    """Whole buckets are removed afterwards: a server has room for some hundred of them."""
    versioned, whole = kind == "s3-versioned", kind == "s3"
    buckets = (seaweed.bucket(), seaweed.bucket()) if whole else _buckets(seaweed, versioned=versioned)
    prefix = "" if whole else f"pre/fix{next(_COUNT)}"
    one, two = (S3Store(bucket, prefix, account=account(seaweed), sizes=SMALL_SIZES) for bucket in buckets)
    yield Stand(one, two, keeps_versions=versioned, ends_parts_atomically=False)
    for bucket in buckets if whole else ():
        for page in seaweed.client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            names: list[ObjectIdentifierTypeDef] = [{"Key": seen["Key"]} for seen in page.get("Contents", ())]
            if names:
                seaweed.client.delete_objects(Bucket=bucket, Delete={"Objects": names})
        seaweed.client.delete_bucket(Bucket=bucket)


def _buckets(seaweed: Lent, *, versioned: bool) -> tuple[str, str]:
    known = _MADE.get((seaweed.endpoint, versioned))
    if known is None:
        known = _MADE[seaweed.endpoint, versioned] = (seaweed.bucket("one"), seaweed.bucket("two"))
        for bucket in known if versioned else ():
            seaweed.client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return known


def content_of(body: bytes) -> Content:
    return Content(len(body), hashlib.sha256(body).hexdigest(), 0)
