"""Are the objects on the page about the ledger real ones?"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from landbridge.facts import Content, Verdict
from landbridge.ledger import (
    Ledger,
    absence_bytes,
    absence_from,
    confirm,
    manifest_bytes,
    manifest_from,
    read_receipt,
)
from landbridge.naming import absence_key, ledger_key, manifest_key, receipt_key, staging_key
from tests.fakes.facts import slot
from tests.fakes.memory_store import MemoryStore

PAGE = (Path(__file__).parents[2] / "docs" / "ledger.md").read_text(encoding="utf-8")
NAME = "verifications.2026-11-20.0001.json"


def _example(title: str) -> str:
    found = re.search(rf"<!-- {title} -->\n```\w+\n(.*?)\n```", PAGE, re.DOTALL)
    assert found, title
    return found[1]


def _stored(text: str) -> bytes:
    """Undo the indentation."""
    return (
        json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        + b"\n"
    )


def test_the_objects_hang_together() -> None:
    of = slot("verifications")
    store = MemoryStore()
    body = _stored(_example("commitment"))
    store.put_new(ledger_key(of, 1), body)
    ledger = Ledger(store, "UAT")
    commitment = ledger.newest(of)
    assert commitment is not None
    assert isinstance(commitment.delivered, Content)
    assert ledger.digest(commitment) == hashlib.sha256(body).hexdigest()
    manifest = manifest_from(_stored(_example("manifest")), NAME)
    assert manifest_bytes(commitment, ledger.digest(commitment)) == _stored(_example("manifest"))
    absence = absence_from(_stored(_example("absence")), NAME)
    skipped = replace(commitment, verdict=Verdict.SKIP)
    assert absence_bytes(skipped, absence.commitment) == _stored(_example("absence"))
    receipt = read_receipt(_example("receipt").encode(), [_example("public key")])
    confirm(receipt, manifest)
    payload = base64.b64decode(json.loads(_example("receipt"))["payload"])
    assert json.loads(payload) == json.loads(_example("statement"))


def test_the_keys_are_the_ones_that_are_written() -> None:
    of = slot("verifications")
    for key in (
        ledger_key(of, 1),
        manifest_key(of, 1),
        absence_key(of, 1),
        receipt_key(of.feed, of.occurrence, 1, of.business_date),
        staging_key(of, hashlib.sha256(b"example").hexdigest()[:12], ""),
    ):
        assert f"`{key}" in PAGE


def test_the_receipt_can_be_checked_as_the_page_says(tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    if not openssl:
        pytest.skip("there is no openssl here")
    (tmp_path / "receipt.json").write_text(_example("receipt"))
    (tmp_path / "collector.pem").write_text(_example("public key") + "\n")
    program = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    command = re.search(r"```sh\nopenssl (.*?)\n```", PAGE, re.DOTALL)
    assert program
    assert command
    subprocess.run([sys.executable, "-W", "ignore", "-c", program[1]], cwd=tmp_path, check=True, timeout=60)
    verify = [openssl, *command[1].split()]
    assert subprocess.run(verify, cwd=tmp_path, check=False, capture_output=True, timeout=60).returncode == 0
    (tmp_path / "signed").write_bytes((tmp_path / "signed").read_bytes().replace(b"UAT", b"PRD"))
    assert subprocess.run(verify, cwd=tmp_path, check=False, capture_output=True, timeout=60).returncode != 0
