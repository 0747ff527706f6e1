"""Can a bundle be checked with standard tools alone, exactly as the page says?"""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from landbridge import dsse
from landbridge.bundle import payload_of
from landbridge.bundle.statement import PREDICATE, Link, link
from landbridge.facts import Download
from landbridge.ledger import brought_fact
from tests.fakes.proven import AUDIT, COLLECTOR, FILE, STRANGER, delivered, p256, signer

PAGE = (Path(__file__).parents[2] / "docs" / "evidence.md").read_text(encoding="utf-8")
TOOLS = ("bash", "jq", "base64", "sha256sum", "openssl")


def _commands(*titles: str) -> str:
    found = [re.search(rf"<!-- {title} -->\n```sh\n(.*?)```", PAGE, re.DOTALL) for title in titles]
    assert all(found), titles
    return "".join(one[1] for one in found if one)


def _run(folder: Path, *titles: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", _commands(*titles)],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


ALL = ("signature", "ed25519", "file", "facts", "receipts", "downloads", "read")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    if missing := [tool for tool in TOOLS if not shutil.which(tool)]:
        pytest.skip(f"there is no {', '.join(missing)} here")
    there, decided = delivered()
    (tmp_path / "evidence.json").write_bytes(dsse.sealed(payload_of(there.bundle(decided)), signer()))
    (tmp_path / "evidence.pub").write_text(AUDIT.public)
    (tmp_path / "collector.pub").write_text(COLLECTOR.public)
    (tmp_path / "flights.csv").write_bytes(FILE)
    return tmp_path


def test_the_commands_of_the_page_check_a_bundle(folder: Path) -> None:
    done = _run(folder, *ALL)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Signature Verified Successfully") == 2
    assert "flights.csv: OK" in done.stdout
    assert '"verdict": "release"' in done.stdout
    assert "kind: DataContract" in done.stdout
    assert '"host": "sftp.example.org"' in done.stdout
    assert PREDICATE in PAGE


def test_the_commands_check_a_bundle_of_a_kms_kind_of_key(folder: Path) -> None:
    there, decided = delivered()
    (folder / "evidence.json").write_bytes(dsse.sealed(payload_of(there.bundle(decided)), p256()))
    (folder / "evidence.pub").write_text(p256().public)
    done = _run(folder, "signature", "kms", "file", "facts")
    assert done.returncode == 0, done.stderr
    assert "Verified OK" in done.stdout
    (folder / "evidence.pub").write_text(AUDIT.public)
    assert _run(folder, "signature", "kms").returncode != 0


def test_the_commands_find_what_was_changed(folder: Path) -> None:
    body = (folder / "evidence.json").read_bytes()
    (folder / "evidence.json").write_bytes(body.replace(b'"payload":"eyJ', b'"payload":"eyK'))
    assert _run(folder, "signature", "ed25519").returncode != 0
    (folder / "evidence.json").write_bytes(body)
    (folder / "flights.csv").write_bytes(FILE.replace(b"12", b"13"))
    assert _run(folder, "signature", "ed25519", "file").returncode != 0
    (folder / "collector.pub").write_text(STRANGER.public)
    assert _run(folder, "signature", "facts", "receipts").returncode != 0


def test_the_commands_find_a_download_that_the_collector_did_not_sign(folder: Path) -> None:
    """Its digest and links are right, as whoever signs the bundle can make them; the receipt tells of another one."""
    there, decided = delivered()
    receipt = there.receipt(decided)
    assert isinstance(receipt.brought, Download)
    another = replace(receipt, brought=replace(receipt.brought, attempts=7))
    assert another.brought is not None
    _, fact = brought_fact(another.brought)
    made = there.bundle(decided)
    links: list[Link] = []
    for one in made.links:
        body = fact if one.kind == "download" else one.text.encode()
        links.append(link(one.kind, one.name, body, links))
    forged = dsse.sealed(payload_of(replace(made, links=tuple(links))), signer())
    (folder / "evidence.json").write_bytes(forged)
    done = _run(folder, "signature", "ed25519", "facts", "receipts", "downloads")
    assert done.returncode != 0
    assert done.stdout.count("Signature Verified Successfully") == 2
    assert (done.stdout.count("fact.4: OK"), done.stdout.count("fact.4: FAILED")) == (1, 1)


def test_the_commands_find_a_fact_that_another_took_the_place_of(folder: Path) -> None:
    (folder / "statement.json").write_bytes(b"")
    assert _run(folder, "signature", "facts").returncode == 0
    statement = (folder / "statement.json").read_text().replace("cron@pod", "mallory@pod")
    (folder / "statement.json").write_text(statement)
    assert _run(folder, "facts").returncode != 0
