"""Are the objects on the page about one file real ones, and do they follow from each other?"""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

from landbridge.facts import Attempt
from landbridge.ledger import confirm, entries, manifest_from, read_receipt
from landbridge.naming import RECEIPTS, manifest_name
from landbridge.share.records import Account, Intent, LandedRecord, Receipted, read_line

PAGE = (Path(__file__).parents[2] / "docs" / "life-of-a-file.md").read_text(encoding="utf-8")
NAME = manifest_name("verifications", "2026-11-20", 1)


def _example(title: str) -> str:
    found = re.search(rf"<!-- {title} -->\n```\w+\n(.*?)\n```", PAGE, re.DOTALL)
    assert found, title
    return found[1]


def test_the_manifest_is_one_and_follows_from_the_commitment() -> None:
    manifest = manifest_from(_example("manifest").encode(), NAME)
    commitment = json.loads(_example("commitment"))
    assert commitment["delivered"] == {
        "rows": manifest.rows,
        "sha256": manifest.sha256,
        "size": manifest.size,
    }
    assert commitment["target"]["key"] == manifest.remote_path.removeprefix("/")
    assert f"`{manifest.commitment}`" in PAGE
    assert f"`{RECEIPTS}/2026-11-20/{NAME}`" in PAGE


def test_the_shortened_commitment_has_the_fields_of_a_whole_one() -> None:
    ledger = (Path(__file__).parents[2] / "docs" / "ledger.md").read_text(encoding="utf-8")
    found = re.search(r"<!-- commitment -->\n```json\n(.*?)\n```", ledger, re.DOTALL)
    assert found
    assert json.loads(_example("commitment")).keys() == json.loads(found[1]).keys()


def test_the_attempt_is_one() -> None:
    body = _example("attempt").encode()
    attempt = entries.read("attempt", Attempt, body, "the page", most=len(body))
    assert f"{attempt.recorded_at:%Y%m%dT%H%M%S.%fZ}-{attempt.staged.content.sha256[:16]}.json" in PAGE


def test_the_journal_adds_up_to_a_delivered_file() -> None:
    lines = [read_line(text) for text in _example("journal").encode().splitlines()]
    assert [type(line.record) for line in lines] == [Intent, LandedRecord, Receipted]
    account = Account()
    for line in lines:
        account.add(line)
    assert account.intents == {}
    assert account.receipted == {1}
    assert account.newest is not None
    confirm(account.newest, manifest_from(_example("manifest").encode(), NAME))
    intent = lines[0].record
    assert isinstance(intent, Intent)
    assert intent.part in PAGE.split("## 7.", maxsplit=1)[0]


def test_the_receipt_is_signed_and_is_for_this_file() -> None:
    receipt = read_receipt(_example("receipt").encode(), [_example("public key")])
    confirm(receipt, manifest_from(_example("manifest").encode(), NAME))
    payload = base64.b64decode(json.loads(_example("receipt"))["payload"])
    assert json.loads(payload) == json.loads(_example("statement"))


def test_every_module_that_the_page_names_exists() -> None:
    root = Path(__file__).parents[2]
    named = re.findall(r"`((?:tests|steps|ledger|share)/[\w/]+\.py)`", PAGE)
    assert len(named) > 5
    for path in named:
        assert (root / path).exists() or (root / "src" / "landbridge" / path).exists(), path
