"""Limits of envelopes and bundles, and what each look at a bundle says by itself."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import orjson
import pytest

from landbridge import dsse
from landbridge.bundle import check_file
from landbridge.bundle.checking import examine
from landbridge.bundle.gathering import Declared
from landbridge.bundle.statement import link
from landbridge.errors import IntegrityBroken
from landbridge.facts import Verdict
from tests.fakes.proven import CONTRACT, FILE, delivered, signer, stage

if TYPE_CHECKING:
    from pathlib import Path

    from landbridge.bundle import Bundle, Link


def envelope(signatures: int) -> bytes:
    one = {"keyid": "k", "sig": base64.b64encode(b"s").decode()}
    document = {
        "payload": base64.b64encode(b"{}").decode(),
        "payloadType": dsse.PAYLOAD_TYPE,
        "signatures": [one] * signatures,
    }
    return orjson.dumps(document)


def test_an_envelope_has_at_most_so_many_bytes_and_signatures() -> None:
    body = dsse.sealed(b"{}", signer())
    assert dsse.opened(body, "it", len(body)).payload == b"{}"
    with pytest.raises(IntegrityBroken, match=f"at most {len(body) - 1} bytes"):
        dsse.opened(body, "it", len(body) - 1)
    assert len(dsse.opened(envelope(16), "it", 1 << 20).signatures) == 16
    with pytest.raises(IntegrityBroken, match="something else"):
        dsse.opened(envelope(17), "it", 1 << 20)


@pytest.mark.parametrize("odd", ["text", 7, None, ["sig"], {"keyid": "x"}, {}])
def test_what_is_no_signature_in_an_envelope_is_not_one(odd: object) -> None:
    document = json.loads(envelope(1))
    document["signatures"].insert(0, odd)
    assert [one.key_id for one in dsse.opened(orjson.dumps(document), "it", 1 << 20).signatures] == ["k"]


def found(bundle: Bundle) -> dict[str, tuple[bool, str]]:
    return {one.what: (one.holds, one.seen) for one in examine(bundle)}


def changed(bundle: Bundle, kind: str, old: str, new: str) -> Bundle:
    links: list[Link] = []
    for one in bundle.links:
        if one.kind == kind:
            assert old in one.text
        text = one.text.replace(old, new, 1) if one.kind == kind else one.text
        links.append(link(one.kind, one.name, text.encode(), links))
    return replace(bundle, links=tuple(links))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (f'"size":{len(FILE)}', '"size":1'),
        ('"sha256":"', '"sha256":"0'),
        ('"commitment":"', '"commitment":"0'),
    ],
)
@pytest.mark.parametrize("kind", ["download", "taken"])
def test_how_another_file_came_is_no_fact_of_this_one(kind: str, old: str, new: str) -> None:
    there = stage()
    decided = there.decide()
    there.release(decided)
    there.land(decided, taken=kind == "taken")
    bundle = there.bundle(decided)
    assert all(holds for holds, _ in found(bundle).values())
    if new.endswith("0"):
        text = next(one.text for one in bundle.links if one.kind == kind)
        at = text.index(old) + len(old)
        old, new = old + text[at], new[:-1] + ("1" if text[at] == "0" else "0")
    assert found(changed(bundle, kind, old, new))[f"{kind} 1"][0] is False


def test_a_file_is_told_apart_as_it_travels_and_as_it_was_before(tmp_path: Path) -> None:
    there, decided = delivered()
    bundle = there.bundle(decided)
    path = tmp_path / "file"
    path.write_bytes(FILE)
    assert check_file(bundle, path).holds
    assert check_file(bundle, path).seen.endswith(" bytes")
    sealed = replace(bundle, delivered=replace(bundle.delivered, sha256="0" * 64))
    assert check_file(sealed, path).holds
    assert check_file(sealed, path).seen.endswith("as it was before it was encrypted")
    for bytes_ in (FILE + b"\n", FILE[:-1], b"", FILE.replace(b"1", b"2", 1)):
        path.write_bytes(bytes_)
        assert not check_file(bundle, path).holds
        assert not check_file(sealed, path).holds


def test_a_quarantine_needs_no_reason_and_a_release_of_what_broke_does() -> None:
    for verdict, holds in ((Verdict.QUARANTINE, True), (Verdict.RELEASE, False)):
        there = stage()
        bundle = there.bundle(there.decide(verdict=verdict))
        broken = changed(bundle, "commitment", '"passed":true', '"passed":false')
        assert found(broken)["verdict"][0] is holds
        if verdict is Verdict.RELEASE:
            excused = changed(broken, "commitment", '"reason":""', '"reason":"ticket 1"')
            assert found(excused)["verdict"] == (True, "release, 0 of 1 rule holds: ticket 1")


def test_an_entry_that_names_none_before_it_is_of_before_they_were_chained() -> None:
    there = stage()
    there.decide(1)
    bundle = there.bundle(there.decide(2))
    named = next(json.loads(one.text)["previous"] for one in bundle.links if one.name.endswith("2.json"))
    assert named
    for previous, holds in (("", True), ("0" * 64, False)):
        links: list[Link] = []
        for one in bundle.links:
            text = one.text.replace(f'"previous":"{named}"', f'"previous":"{previous}"')
            links.append(link(one.kind, one.name, text.encode(), links))
        assert found(replace(bundle, links=tuple(links)))["commitments"][0] is holds


def test_a_contract_as_declared_now_goes_with_entries_of_before_and_with_no_others() -> None:
    there = stage()
    old = there.bundle(there.decide(old=True), Declared("flights", "1.0.0", CONTRACT))
    assert [one.kind for one in old.links][:2] == ["contract", "commitment"]
    assert (old.contract, old.links[0].text) == ("as declared when bundled", CONTRACT)
    there = stage()
    kept = there.bundle(there.decide(), Declared("flights", "1.0.0", "another text"))
    assert [one.text for one in kept.links if one.kind == "contract"] == [CONTRACT]
    assert kept.contract == "kept"
