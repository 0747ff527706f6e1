"""Does a trace tell every hop of a file, the way to the share among them?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from landbridge.hops import Hop, hops
from landbridge.ledger import make_receipt_bytes
from landbridge.naming import receipt_key
from tests.fakes.facts import AT, DAY
from tests.fakes.proven import COLLECTOR, FILE, delivered, stage

if TYPE_CHECKING:
    from landbridge.facts import Receipt
    from tests.fakes.proven import Proven


def _names(found: list[Hop]) -> list[str]:
    return [hop.name for hop in found]


def _downloaded(found: list[Hop]) -> Hop:
    (hop,) = (one for one in found if one.name == "downloaded")
    return hop


def test_a_download_is_a_hop_before_the_landing() -> None:
    there, decided = delivered()
    found = hops(decided, there.evidence)
    assert _names(found)[-4:] == ["copied", "released", "downloaded", "landed"]
    hop = _downloaded(found)
    assert (hop.at, hop.who) == (AT + timedelta(minutes=5, seconds=2), "edge1")
    key = "SHA256:" + "s" * 43
    assert hop.where == f"sftp://collector@sftp.example.org:22/outbound/flights/flights_1.csv {key}"
    assert (hop.size, hop.sha256) == (len(FILE), decided.delivered.sha256)


def test_what_went_wrong_on_the_line_is_told_with_it() -> None:
    there = stage()
    decided = there.decide()
    there.release(decided)
    receipt = there.receipt(decided)
    _send(there, replace(receipt, brought=replace(there.download(decided), resumed_from=1_000, attempts=3)))
    assert _downloaded(hops(decided, there.evidence)).where.endswith(", resumed from byte 1,000, 3 attempts")


def _send(there: Proven, receipt: Receipt) -> None:
    key = receipt_key("flights", "2026-11-20", 1, DAY)
    there.reports._add(key, make_receipt_bytes(receipt, COLLECTOR.private))


def test_a_file_that_another_mover_brought_comes_from_holding() -> None:
    there = stage()
    decided = there.decide()
    there.release(decided)
    there.land(decided, taken=True)
    *_, hop, landed = hops(decided, there.evidence)
    assert (hop.name, landed.name) == ("from holding", "landed")
    assert hop.where == "/holding/flights/flights_1.csv, put there by another mover"


def test_a_receipt_of_before_downloads_were_kept_tells_of_none() -> None:
    there = stage()
    decided = there.decide()
    there.release(decided)
    there.land(decided, old=True)
    assert _names(hops(decided, there.evidence))[-2:] == ["released", "landed"]
