"""`landbridge verify --bundle`: what it takes in of files that are no bundle and no key, and what it says of them."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING

import pytest

from landbridge.bundle import payload_of, statement
from landbridge.cli import main
from landbridge.dsse import sealed
from landbridge.errors import Exit
from tests.fakes.proven import AUDIT, delivered, signer

if TYPE_CHECKING:
    from pathlib import Path

_LARGE = 64 << 20


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
    for most, ends in ((size, Exit.DONE), (size - 1, Exit.INTEGRITY)):
        monkeypatch.setattr(statement, "MOST", most)
        assert typed("--bundle", bundle, "--key", key) == ends
    said = capsys.readouterr().err
    assert f"expected at most {size - 1:,} bytes" in said
    assert ["seen", "more"] in [line.split() for line in said.splitlines()]
    assert "`landbridge evidence`" in said


@pytest.mark.parametrize(("large", "ends"), [("bundle", Exit.INTEGRITY), ("key", Exit.USAGE)])
def test_no_more_of_a_large_file_is_taken_in_than_may_be_in_one(
    large: str, ends: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle, key = proof(tmp_path)
    monkeypatch.setattr(statement, "MOST", bundle.stat().st_size)
    with (tmp_path / "large").open("wb") as file:
        file.truncate(_LARGE)
    given = {"bundle": bundle, "key": key, large: tmp_path / "large"}
    tracemalloc.start()
    try:
        assert typed("--bundle", given["bundle"], "--key", given["key"]) == ends
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < _LARGE // 2
    said = capsys.readouterr().err
    assert f"{tmp_path / 'large'} is no" in said.replace("\n", "")
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
    assert "expected PEM" in capsys.readouterr().err
