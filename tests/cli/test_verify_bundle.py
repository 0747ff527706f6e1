"""`landbridge verify --bundle`: what it takes in of files that are no bundle and no key, and what it says of them."""

from __future__ import annotations

import json
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from landbridge import bundle as bundles
from landbridge.bundle import payload_of
from landbridge.cli import main
from landbridge.dsse import sealed
from landbridge.errors import Exit
from tests.fakes.proven import AUDIT, COLLECTOR, FILE, STRANGER, delivered, signer

if TYPE_CHECKING:
    from pathlib import Path

_LARGE = 64 << 20
FACTS = (
    "signature",
    "chain",
    "commitments",
    "contract",
    "verdict",
    "manifest 1",
    "promotion 1",
    "download 1",
    "receipt 1",
)


def typed(*words: str | Path) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["verify", *map(str, words)])
    return int(ended.value.code or 0)


def proof(folder: Path) -> tuple[Path, Path]:
    there, decided = delivered()
    bundle, key = folder / "proof.json", folder / "audit.pem"
    bundle.write_bytes(sealed(payload_of(there.bundle(decided)), signer()))
    key.write_text(AUDIT.public, encoding="utf-8")
    return bundle, key


def test_a_bundle_of_just_the_size_that_one_may_have_holds_and_one_byte_more_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle, key = proof(tmp_path)
    size = bundle.stat().st_size
    for most, ends in ((size, Exit.DONE), (size - 1, Exit.USAGE)):
        monkeypatch.setattr(bundles, "MOST", most)
        assert typed("--bundle", bundle, "--key", key) == ends
    said = capsys.readouterr().err
    assert f"expected at most {size - 1:,} bytes" in said
    assert ["seen", "more"] in [line.split() for line in said.splitlines()]


@pytest.mark.parametrize("large", ["bundle", "key"])
def test_no_more_of_a_large_file_is_taken_in_than_may_be_in_one(
    large: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle, key = proof(tmp_path)
    monkeypatch.setattr(bundles, "MOST", bundle.stat().st_size)
    with (tmp_path / "large").open("wb") as file:
        file.truncate(_LARGE)
    given = {"bundle": bundle, "key": key, large: tmp_path / "large"}
    tracemalloc.start()
    try:
        assert typed("--bundle", given["bundle"], "--key", given["key"]) == Exit.USAGE
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < _LARGE // 2
    said = capsys.readouterr().err
    assert f"{tmp_path / 'large'} is too large" in said.replace("\n", "")
    assert "expected" in said


@pytest.mark.parametrize("name", ["bundle", "key"])
def test_what_is_not_there_is_named(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle, key = proof(tmp_path)
    given = {"bundle": bundle, "key": key, name: tmp_path / "nothing"}
    assert typed("--bundle", given["bundle"], "--key", given["key"]) == Exit.USAGE
    assert f"there is no {tmp_path / 'nothing'}" in capsys.readouterr().err.replace("\n", "")


def test_a_key_that_is_no_text_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle, key = proof(tmp_path)
    key.write_bytes(b"\xff\xfe")
    assert typed("--bundle", bundle, "--key", key) == Exit.USAGE
    assert "expected PEM text" in capsys.readouterr().err


@pytest.mark.parametrize("as_json", [False, True])
def test_the_file_and_every_fact_are_looked_at_and_a_difference_ends_with_76(
    as_json: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle, key = proof(tmp_path)
    words: list[str | Path] = ["--bundle", bundle, "--key", key, *(["--json"] if as_json else [])]
    file = tmp_path / "flights.csv"
    for content, ends in ((FILE, Exit.DONE), (FILE + b"x", Exit.INTEGRITY)):
        file.write_bytes(content)
        assert typed(*words, "--file", file) == ends
        said = capsys.readouterr()
        if as_json:
            told = json.loads(said.out)
            assert {one["what"]: one["holds"] for one in told["checked"]} == {
                **dict.fromkeys(FACTS, True),
                "file": ends == Exit.DONE,
            }
            assert (told["slot"], told["revision"], told["verdict"]) == ("flights/2026-11-20", 1, "release")
        else:
            assert ("different" in said.out) is (ends == Exit.INTEGRITY)
            assert "signature" in said.out
        assert ("file differs from the evidence" in said.err) is (ends == Exit.INTEGRITY)
    assert typed(*words) == Exit.DONE
    assert "file" not in json.loads(capsys.readouterr().out)["checked"][-1]["what"] if as_json else True


def test_receipts_are_held_against_the_keys_that_are_given(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle, key = proof(tmp_path)
    other = tmp_path / "other.pem"
    for pem, ends in ((COLLECTOR.public, Exit.DONE), (STRANGER.public, Exit.INTEGRITY)):
        other.write_text(pem, encoding="utf-8")
        assert typed("--bundle", bundle, "--key", key, "--receipt-key", other) == ends
    assert "receipt 1 differs from the evidence" in capsys.readouterr().err
    key.write_text(STRANGER.public, encoding="utf-8")
    assert typed("--bundle", bundle, "--key", key) == Exit.INTEGRITY
    assert "signature does not hold" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["flights/2026-11-20", "--bundle", "x"], "says itself which slot"),
        (["--bundle", "x", "--revision", "2"], "says itself which slot"),
        ([], "there is nothing to check"),
        (["flights", "--file", "x"], "there is nothing to check"),
        (["flights", "--key", "x"], "there is nothing to check"),
        (["flights", "--receipt-key", "x"], "there is nothing to check"),
    ],
)
def test_words_that_do_not_go_together_are_refused(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert typed(*words) == Exit.USAGE
    assert said in capsys.readouterr().err


def test_a_key_of_just_the_size_that_one_may_have_is_read(tmp_path: Path) -> None:
    bundle, key = proof(tmp_path)
    for size, ends in ((64 << 10, Exit.DONE), ((64 << 10) + 1, Exit.USAGE)):
        key.write_text(AUDIT.public.ljust(size, "\n"), encoding="utf-8")
        assert typed("--bundle", bundle, "--key", key) == ends


@pytest.mark.parametrize("name", ["bundle", "key", "file"])
def test_a_disk_that_does_not_give_a_file_is_told_as_that(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle, key = proof(tmp_path)
    given = {"bundle": bundle, "key": key, "file": bundle, name: bundle / "below a file"}
    words = ("--bundle", given["bundle"], "--key", given["key"], "--file", given["file"])
    assert typed(*words) == Exit.IO
    assert "cannot be read" in capsys.readouterr().err
