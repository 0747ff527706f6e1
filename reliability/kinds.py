"""Which situations are simulated? A few feeds, a few slots, and who is at work on them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any, NamedTuple

from landbridge.facts import Slot
from landbridge.feed import Feed
from landbridge.share.platform import Way
from landbridge.twin.keys import Ed25519Key
from reliability.actors import START

ENVIRONMENT = "DEV"


@dataclass(frozen=True, slots=True)
class Kind:
    """One situation."""

    name: str
    pods: int = 1
    """On each slot, at once."""
    collectors: int = 1
    feeds: int = 1
    """Each with one slot on the same day, so that their files land together."""
    rows: tuple[str, ...] = ("a", "b")
    """What the source has; `changes` in it is another text each time it is asked, `bad` breaks the contract."""
    encrypted: bool = False
    done: bool = False
    way: Way = Way.RENAME
    stranger: bool = False
    """Whether somebody else puts a file under the name that ours will have."""
    large: bool = False
    """Whether files travel in parts, between the buckets and to the share."""


CHANGING = ("a", "changes")

KINDS = (
    Kind("one pod, one collector"),
    Kind("two pods, and a source that changes between them", pods=2, rows=CHANGING),
    Kind("three pods, two collectors", pods=3, collectors=2, rows=CHANGING),
    Kind("a done-file, two collectors", done=True, collectors=2, rows=CHANGING),
    Kind("two files that land together, with done-files", feeds=2, done=True),
    Kind("links instead of renames, two collectors", way=Way.LINK, done=True, collectors=2, rows=CHANGING),
    Kind("links, two files that land together", way=Way.LINK, feeds=2),
    Kind("in parts, two pods, two collectors", pods=2, collectors=2, large=True, rows=CHANGING),
    Kind("somebody else's file under the name", stranger=True),
    Kind("encrypted, two pods", pods=2, encrypted=True, rows=CHANGING),
    Kind("empty, two pods", pods=2, rows=()),
    Kind("breaks its contract, two pods", pods=2, rows=("a", "bad", "changes")),
)


class KeyPair(NamedTuple):
    """A key that signs receipts, spelled once: a history needs it dozens of times."""

    private_pem: str
    public_pem: str


@cache
def receipt_key() -> KeyPair:
    """Give the key that signs all receipts of the simulation."""
    made = Ed25519Key.generate()
    return KeyPair(made.private_pem, made.public_pem)


def feeds_of(kind: Kind) -> list[tuple[Feed, Slot]]:
    """Give the feeds of a situation, each with its slot."""
    return [(made, _slot(made)) for made in (_feed(kind, number) for number in range(kind.feeds))]


@cache
def _feed(kind: Kind, number: int) -> Feed:
    name = f"feed{number}"
    file: dict[str, Any] = {
        "name": f"{name}_{{business_date:%Y%m%d}}_{{revision:03d}}.csv",
        "folder": name,
        "landed_folder": "in",
    }
    if kind.done:
        file["done_file"] = "{name}.done"
    if kind.encrypted:
        file["encryption"] = {"recipients": ["env:RECIPIENT"]}
    declared = {
        "feed": name,
        "owner": "team@example.org",
        "schedule": {"cron": "0 5 * * *"},
        "sources": {"rows": {"kind": "files", "path": "in.csv", "format": "csv"}},
        "file": file,
        "contract": {"file": "contracts/feed.odcs.yaml"},
        "empty": "skip",
    }
    return Feed.model_validate_json(json.dumps(declared))


def _slot(feed: Feed) -> Slot:
    scheduled = START.replace(hour=5, minute=0)
    day = scheduled.date() - timedelta(days=1)
    return Slot(feed.feed, f"{day}", day, scheduled, scheduled + timedelta(hours=4))
