"""Are the bounds that the docs promise those of the code? Other tests set small ones, so that nobody else holds the figures."""

from __future__ import annotations

import re
from pathlib import Path

from landbridge import bundle, released
from landbridge.contract import plain
from landbridge.contract.strict import fixed, jsonl, judge, records
from landbridge.ledger import absences, book, manifests, receipts
from landbridge.sftp import exchange
from landbridge.sources import reading
from landbridge.sources.rest import http

PAGE = (Path(__file__).parents[2] / "docs" / "contracts.md").read_text(encoding="utf-8")
_SHIFT = {"KiB": 10, "MiB": 20, "GiB": 30}

BOUNDS = {
    "a compressed file, decompressed": {plain._MOST_TIMES, plain._ANYWAY},
    "a value of a type other than text, and a line of JSON or of fixed width": {
        vars(one)["LONGEST_VALUE"] for one in (records, judge, jsonl, fixed)
    },
    "a line of JSON that a source gives": {reading._LONGEST_LINE},
    "one answer of a REST source": {http.LARGEST_ANSWER},
    "an entry of the ledger": {book._MOST},
    "a manifest, an absence or a receipt": {
        released._LARGEST,
        *(vars(one)["MOST"] for one in (manifests, absences, receipts)),
    },
    "a folder of the SFTP server": {exchange.MOST_NAMES, exchange.MOST_OF_NAMES},
    "an evidence bundle": {bundle.MOST},
}
"""Row of the table -> what the code goes by."""


def test_the_bounds_of_the_page_are_those_of_the_code() -> None:
    table = PAGE.split("## How large anything may be", 1)[1].split("\n## ", 1)[0]
    told = {}
    for what, most in re.findall(r"^\| (?!what|-)(.+?) \| (.+?) \| .+ \|$", table, re.MULTILINE):
        figures = re.findall(r"([0-9,]+) (KiB|MiB|GiB|times|names)", most)
        told[what] = {int(number.replace(",", "")) << _SHIFT.get(unit, 0) for number, unit in figures}
    assert told == BOUNDS
