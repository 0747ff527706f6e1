"""Does a bundle prove a slot, and is whatever was changed in it found?"""

from __future__ import annotations

import base64
import json
import random
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, SECP384R1, derive_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from landbridge import dsse
from landbridge.bundle import check, check_file, gather, payload_of
from landbridge.bundle.gathering import Declared
from landbridge.bundle.statement import link, schema
from landbridge.errors import DiskFailed, IntegrityBroken, NotFound, UsageError
from landbridge.facts import NO_FILE, NO_REPORT, NOWHERE, Attempt, Promotion, Verdict
from landbridge.ledger import entries, make_receipt_bytes, read_receipt
from landbridge.naming import contract_key, ledger_key, promotion_key, slot_prefix
from tests.fakes.facts import AT, slot, staged
from tests.fakes.proven import AUDIT, COLLECTOR, CONTRACT, FILE, STRANGER, delivered, p256, signer, stage

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from landbridge.bundle import Bundle, Link


@pytest.fixture(scope="module")
def made() -> Bundle:
    there, decided = delivered()
    return there.bundle(decided)


@pytest.fixture(scope="module")
def body(made: Bundle) -> bytes:
    return dsse.sealed(payload_of(made), signer())


def kinds(bundle: Bundle) -> list[str]:
    return [one.kind for one in bundle.links]


def wrong(bundle: Bundle) -> list[str]:
    """Say what is found to differ in a bundle that the right key signed."""
    _, checked = check(dsse.sealed(payload_of(bundle), signer()), [AUDIT.public])
    return [one.what for one in checked if not one.holds]


def test_a_delivered_slot_is_proved_from_contract_to_receipt(made: Bundle, body: bytes) -> None:
    found, checked = check(body, [STRANGER.public, AUDIT.public])
    assert found == made
    assert kinds(made) == ["contract", "commitment", "manifest", "promotion", "download", "receipt"]
    assert [one.what for one in checked if one.holds] == [
        "signature",
        "chain",
        "commitments",
        "contract",
        "verdict",
        "manifest 1",
        "promotion 1",
        "download 1",
        "receipt 1",
    ]
    assert all(one.holds for one in checked)


def test_each_fact_names_those_before_it(made: Bundle) -> None:
    digests = {one.kind: one.sha256 for one in made.links}
    follows = {one.kind: set(one.follows) for one in made.links}
    assert follows["commitment"] == {digests["contract"]}
    assert follows["manifest"] == {digests["commitment"]}
    assert follows["promotion"] == {digests["commitment"], digests["manifest"]}
    assert follows["download"] == {digests["commitment"]}
    assert follows["receipt"] == {digests["commitment"], digests["download"]}


def test_the_facts_say_where_what_and_which_version(made: Bundle) -> None:
    facts = {one.kind: one.text for one in made.links}
    assert facts["contract"] == CONTRACT
    commitment = json.loads(facts["commitment"])
    assert commitment["sources"][0]["query"] == "https://api/x"
    assert commitment["report"]["contract_version"] == "1.0.0"
    promotion = json.loads(facts["promotion"])
    assert (promotion["at"]["version"], promotion["at"]["etag"]) == ("v7", '"e7"')
    assert promotion["promoted_at"].startswith("2026-11-21T05:30")
    download = json.loads(facts["download"])
    assert download["server"] == {
        "account": "collector",
        "host": "sftp.example.org",
        "host_key": "SHA256:" + "s" * 43,
        "port": 22,
    }
    assert (download["remote_path"], download["resumed_from"], download["attempts"]) == (
        "/outbound/flights/flights_1.csv",
        0,
        1,
    )
    assert (download["size"], download["sha256"]) == (len(FILE), made.delivered.sha256)
    assert (download["began_at"], download["ended_at"]) == ("2026-11-21T05:35:00Z", "2026-11-21T05:35:02Z")


def test_one_flipped_bit_of_any_byte_is_found(body: bytes) -> None:
    chance = random.Random(1)
    _flip_all(body, [AUDIT.public], lambda: [chance.randrange(8)])


@pytest.mark.slow
def test_every_flipped_bit_of_every_byte_is_found(body: bytes) -> None:
    _flip_all(body, [AUDIT.public], lambda: list(range(8)))


def test_one_flipped_bit_of_any_byte_under_a_kms_kind_of_key_is_found(made: Bundle) -> None:
    key, chance = p256(), random.Random(3)
    sealed = dsse.sealed(payload_of(made), key)
    check(sealed, [key.public])
    _flip_all(sealed, [key.public], lambda: [chance.randrange(8)])


def _flip_all(body: bytes, keys: list[str], bits: Callable[[], list[int]]) -> None:
    missed = []
    for place in range(len(body)):
        for bit in bits():
            spoilt = bytearray(body)
            spoilt[place] ^= 1 << bit
            try:
                check(bytes(spoilt), keys)
            except IntegrityBroken:
                continue
            missed.append((place, bit))
    assert missed == []


def test_a_bundle_cut_at_any_byte_is_refused(body: bytes) -> None:
    for end in range(0, len(body), 97):
        with pytest.raises(IntegrityBroken):
            check(body[:end], [AUDIT.public])


def _loose_base64(text: str) -> str:
    """Write the same bytes with other bits where base64 has some to spare."""
    assert text.endswith("==")
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    loose = text[:-3] + letters[letters.index(text[-3]) ^ 1] + "=="
    assert base64.b64decode(loose) == base64.b64decode(text)
    return loose


REWRITTEN: dict[str, Callable[[bytes], bytes]] = {
    "indented": lambda body: json.dumps(json.loads(body), indent=1).encode(),
    "no line end": lambda body: body.rstrip(b"\n"),
    "two line ends": lambda body: body + b"\n",
    "other order": lambda body: json.dumps(dict(reversed(json.loads(body).items()))).encode() + b"\n",
    "escapes": lambda body: body.replace(b"application", b"\\u0061pplication"),
    "a key twice": lambda body: body.replace(b'{"payload"', b'{"payload":"","payload"', 1),
    "another key": lambda body: body.replace(b'{"payload"', b'{"more":1,"payload"', 1),
    "key of a signature": lambda body: body.replace(b'"sig":', b'"more":1,"sig":', 1),
    "byte order mark": lambda body: b"\xef\xbb\xbf" + body,
    "loose base64": lambda body: _edited(
        body, lambda e: e["signatures"][0].update(sig=_loose_base64(e["signatures"][0]["sig"]))
    ),
    "base64 without padding": lambda body: _edited(
        body, lambda e: e["signatures"][0].update(sig=e["signatures"][0]["sig"].rstrip("="))
    ),
    "a second signature": lambda body: _edited(
        body, lambda e: e["signatures"].append({"keyid": "", "sig": ""})
    ),
    "the signature twice": lambda body: _edited(body, lambda e: e["signatures"].append(e["signatures"][0])),
    "no signature": lambda body: _edited(body, lambda e: e["signatures"].clear()),
    "another key id": lambda body: _edited(body, lambda e: e["signatures"][0].update(keyid="")),
    "another payload type": lambda body: _edited(body, lambda e: e.update(payloadType="text/plain")),
}


def _edited(body: bytes, edit: Callable[[dict[str, Any]], object]) -> bytes:
    envelope = json.loads(body)
    edit(envelope)
    return orjson.dumps(envelope, option=orjson.OPT_SORT_KEYS) + b"\n"


@pytest.mark.parametrize("how", REWRITTEN)
def test_another_spelling_of_the_same_is_refused(body: bytes, how: str) -> None:
    assert _edited(body, lambda _: None) == body
    spelled = REWRITTEN[how](body)
    assert spelled != body
    with pytest.raises(IntegrityBroken):
        check(spelled, [AUDIT.public])


@pytest.mark.parametrize(
    "spell",
    [
        lambda statement: json.dumps(statement, indent=1).encode(),
        lambda statement: json.dumps(dict(reversed(statement.items()))).encode(),
        lambda statement: entries.canonical(statement | {"more": 1}),
        lambda statement: entries.canonical(statement | {"subject": []}),
        lambda statement: entries.canonical(statement | {"predicateType": "urn:landbridge:receipt:v1"}),
        lambda statement: entries.canonical(statement | {"predicate": {}}),
        lambda statement: b"\xff",
    ],
)
def test_a_signed_statement_in_another_form_is_refused(
    made: Bundle, spell: Callable[[dict[str, Any]], bytes]
) -> None:
    with pytest.raises(IntegrityBroken):
        check(dsse.sealed(spell(json.loads(payload_of(made))), signer()), [AUDIT.public])


def test_a_bundle_by_a_stranger_does_not_count(made: Bundle, body: bytes) -> None:
    for keys in ([AUDIT.public], []):
        with pytest.raises(IntegrityBroken, match="signature does not hold"):
            check(dsse.sealed(payload_of(made), signer(STRANGER)), keys)
    with pytest.raises(UsageError, match="Ed25519 or ECDSA"):
        check(body, ["no key"])


def test_a_receipt_in_the_place_of_a_bundle_is_refused(made: Bundle) -> None:
    receipt = made.links[-1].text.encode()
    with pytest.raises(IntegrityBroken, match="another statement"):
        check(receipt, [COLLECTOR.public])


def _linked(bundle: Bundle, kind: str, edit: Callable[[str], str], name: str = "") -> Bundle:
    """Change a fact and chain all anew, as a forger with the signing key would."""
    links: list[Link] = []
    for one in bundle.links:
        text = edit(one.text) if one.kind == kind else one.text
        links.append(link(one.kind, one.name if one.kind != kind else name or one.name, text.encode(), links))
    return replace(bundle, links=tuple(links))


def _without(bundle: Bundle, kind: str) -> Bundle:
    return replace(bundle, links=tuple(one for one in bundle.links if one.kind != kind))


def _promoted(bundle: Bundle, edit: Callable[[dict[str, Any]], object]) -> Bundle:
    def edited(text: str) -> str:
        document = json.loads(text)
        edit(document)
        return (entries.canonical(document) + b"\n").decode()

    return _linked(bundle, "promotion", edited)


def _received(text: str, **changed: object) -> str:
    """Have the collector sign another receipt."""
    receipt = read_receipt(text.encode(), [COLLECTOR.public])
    return make_receipt_bytes(replace(receipt, **changed), COLLECTOR.private).decode()  # type: ignore[arg-type]


CONTRADICTIONS: dict[str, tuple[Callable[[Bundle], Bundle], str]] = {
    "a fact changed": (
        lambda b: replace(b, links=(replace(b.links[0], text=b.links[0].text + "#"), *b.links[1:])),
        "chain",
    ),
    "a link cut": (
        lambda b: replace(b, links=(*b.links[:-1], replace(b.links[-1], follows=()))),
        "chain",
    ),
    "a fact twice": (lambda b: replace(b, links=(*b.links, b.links[-1])), "chain"),
    "another contract": (lambda b: _linked(b, "contract", lambda text: text + "# more\n"), "contract"),
    "no contract": (lambda b: _without(b, "contract"), "contract"),
    "a contract that is said to be another": (
        lambda b: replace(b, contract="as declared when bundled"),
        "contract",
    ),
    "another commitment": (
        lambda b: _linked(b, "commitment", lambda text: text.replace("cron@pod", "mallory@pod")),
        "manifest 1",
    ),
    "a broken rule": (
        lambda b: _linked(b, "commitment", lambda text: text.replace('"passed":true', '"passed":false')),
        "verdict",
    ),
    "no commitment": (lambda b: _without(b, "commitment"), "commitments"),
    "an unreadable commitment": (
        lambda b: _linked(b, "commitment", lambda text: text.replace('"rows":1,', '"rows":"1",', 1)),
        "commitments",
    ),
    "another verdict": (lambda b: replace(b, verdict=Verdict.QUARANTINE), "commitments"),
    "another file": (lambda b: replace(b, delivered=replace(b.delivered, sha256="0" * 64)), "commitments"),
    "another slot": (lambda b: replace(b, slot=replace(b.slot, feed="other")), "commitments"),
    "another environment": (lambda b: replace(b, environment="PRD"), "commitments"),
    "a revision that is not there": (lambda b: replace(b, revision=2), "commitments"),
    "another manifest": (
        lambda b: _linked(b, "manifest", lambda text: text.replace("flights.csv", "flight.csv")),
        "manifest 1",
    ),
    "another version": (
        lambda b: _linked(b, "promotion", lambda text: text.replace("flights_1.csv", "flights_9.csv")),
        "promotion 1",
    ),
    "a changed receipt": (
        lambda b: _linked(b, "receipt", lambda text: text.replace('"sig":"', '"sig":"AAAA', 1)),
        "receipt 1",
    ),
    "another server": (
        lambda b: _linked(b, "download", lambda text: text.replace("sftp.example.org", "sftp.example.com")),
        "receipt 1",
    ),
    "another download": (
        lambda b: _linked(b, "download", lambda text: text.replace("flights_1.csv", "flights_9.csv")),
        "download 1",
    ),
    "no download": (lambda b: _without(b, "download"), "receipt 1"),
    "a download without its receipt": (lambda b: _without(b, "receipt"), "download 1"),
    "a download that is said to be a copy": (
        lambda b: replace(
            b,
            links=tuple(
                replace(one, kind="taken", name=one.name.replace("#download", "#taken"))
                if one.kind == "download"
                else one
                for one in b.links
            ),
        ),
        "taken 1",
    ),
    "a promotion of another slot": (
        lambda b: _promoted(b, lambda d: d["slot"].update(feed="other")),
        "promotion 1",
    ),
    "a promotion of another revision": (
        lambda b: _promoted(b, lambda d: d.update(revision=2)),
        "promotion 1",
    ),
    "a promotion elsewhere": (lambda b: _promoted(b, lambda d: d.update(environment="PRD")), "promotion 1"),
    "a promotion by another verdict": (
        lambda b: _promoted(b, lambda d: d.update(commitment="0" * 64)),
        "promotion 1",
    ),
    "a promotion of other bytes": (
        lambda b: _promoted(b, lambda d: d["content"].update(rows=2)),
        "promotion 1",
    ),
    "a promotion with another manifest": (
        lambda b: _promoted(b, lambda d: d.update(manifest_sha256="0" * 64)),
        "promotion 1",
    ),
    "a receipt for another file": (
        lambda b: _linked(b, "receipt", lambda text: _received(text, size=1)),
        "receipt 1",
    ),
    "other rows": (lambda b: replace(b, plain=replace(b.plain, rows=2)), "commitments"),
    "a contract that nobody named": (
        lambda b: _linked(b, "commitment", lambda text: text.replace(b.links[0].sha256, "")),
        "contract",
    ),
    "the receipt of a stranger": (lambda b: replace(b, receipt_keys=(STRANGER.public,)), "receipt 1"),
}


@pytest.mark.parametrize("how", CONTRADICTIONS)
def test_a_bundle_that_contradicts_itself_is_found(made: Bundle, how: str) -> None:
    spoil, what = CONTRADICTIONS[how]
    assert wrong(made) == []
    assert what in wrong(spoil(made))


def test_receipts_are_held_against_the_keys_that_are_given(body: bytes) -> None:
    _, checked = check(body, [AUDIT.public], [STRANGER.public])
    assert [one.what for one in checked if not one.holds] == ["receipt 1"]


def test_the_bytes_of_the_file_are_checked(made: Bundle, tmp_path: Path) -> None:
    file = tmp_path / "flights.csv"
    file.write_bytes(FILE)
    assert check_file(made, file).holds
    sealed = replace(made, delivered=replace(made.delivered, sha256="0" * 64))
    assert "before it was encrypted" in check_file(sealed, file).seen
    for place in range(len(FILE)):
        spoilt = bytearray(FILE)
        spoilt[place] ^= 1
        file.write_bytes(spoilt)
        assert not check_file(made, file).holds
    file.write_bytes(FILE + b"x")
    assert check_file(made, file).seen == f"more than {len(FILE)} bytes", (
        "what never ends is not read to its end"
    )
    file.write_bytes(FILE)
    shorter = replace(made.delivered, size=1)
    assert not check_file(replace(made, delivered=shorter, plain=shorter), file).holds
    with pytest.raises(DiskFailed):
        check_file(made, tmp_path / "none.csv")


def test_a_correction_is_chained_to_what_it_corrects() -> None:
    there, first = delivered()
    second = there.decide(2)
    assert second.previous == there.ledger.digest(first)
    there.release(second)
    bundle = there.bundle(second)
    assert kinds(bundle).count("commitment") == 2
    assert wrong(bundle) == []
    forged = [one for one in bundle.links if one.name != ledger_key(slot(), 1)]
    assert "commitments" in wrong(replace(bundle, links=tuple(forged)))
    changed = _linked(bundle, "commitment", lambda text: text.replace('"reason":""', '"reason":"x"'))
    assert "commitments" in wrong(changed)


def _forged(bundle: Bundle, name: str, edit: Callable[[str], str]) -> Bundle:
    """Change the first revision, and let the second follow it all the same."""
    first, before = next((one, one.sha256) for one in bundle.links if one.kind == "commitment")
    text = edit(first.text)
    now = link(first.kind, name, text.encode(), ()).sha256
    links: list[Link] = []
    for one in bundle.links:
        known = text if one is first else one.text.replace(before, now)
        links.append(link(one.kind, name if one is first else one.name, known.encode(), links))
    return replace(bundle, links=tuple(links))


@pytest.mark.parametrize("how", ["slot", "key", "environment", "revision"])
def test_a_history_with_a_revision_that_belongs_elsewhere_is_found(how: str) -> None:
    there, _ = delivered()
    bundle = there.bundle(there.decide(2))
    own = ledger_key(slot(), 1)
    assert wrong(_forged(bundle, own, lambda text: text)) == []
    name, edit = {
        "slot": (
            ledger_key(slot("other"), 1),
            lambda text: text.replace('"feed":"flights"', '"feed":"other"'),
        ),
        "key": ("elsewhere.json", lambda text: text),
        "environment": (own, lambda text: text.replace('"environment":"UAT"', '"environment":"PRD"')),
        "revision": (ledger_key(slot(), 3), lambda text: text.replace('"revision":1', '"revision":3')),
    }[how]
    assert "commitments" in wrong(_forged(bundle, name, edit))


def test_what_else_lies_with_the_slot_is_bundled_in_the_order_of_its_names() -> None:
    there, decided = delivered()
    at = AT
    for letter in "fbdac":
        at += timedelta(seconds=1)
        there.ledger.record_attempt(Attempt(staged(letter=letter), "run", at))
    bundle = there.bundle(decided)
    names = [one.name for one in bundle.links if one.kind == "attempt"]
    assert len(names) == 5
    assert names == sorted(names)
    assert wrong(bundle) == []


@pytest.mark.parametrize("body", [b"no JSON", b"[]", b"{}"])
def test_no_bundle_is_made_of_what_is_no_entry_of_the_ledger(body: bytes) -> None:
    there, decided = delivered()
    there.store.put_new(slot_prefix(slot()) + "strange.json", body)
    with pytest.raises(IntegrityBroken, match="not readable as evidence"):
        there.bundle(decided)


def test_a_quarantine_of_what_broke_nothing_is_found() -> None:
    there = stage()
    assert wrong(there.bundle(there.decide(verdict=Verdict.QUARANTINE))) == ["verdict"]


def test_what_cannot_be_told_in_json_is_no_fact() -> None:
    for body in (b"\xff", b"no JSON"):
        with pytest.raises(IntegrityBroken, match="not readable as evidence"):
            link("commitment", "x", body, ())


def test_a_bundle_that_is_too_large_is_not_looked_into() -> None:
    with pytest.raises(IntegrityBroken) as refused:
        check(b" " * (65 << 20), [AUDIT.public])
    assert refused.value.expected.startswith("at most")


def test_a_file_that_is_no_json_is_told_as_that() -> None:
    with pytest.raises(IntegrityBroken) as refused:
        check(b"hello\n", [AUDIT.public])
    assert (refused.value.expected, refused.value.seen) == ("a DSSE envelope", "no JSON")


@pytest.mark.parametrize("field", ["_type", "predicateType"])
def test_a_statement_of_another_kind_is_named_as_that(made: Bundle, field: str) -> None:
    statement = json.loads(payload_of(made)) | {field: "urn:x"}
    with pytest.raises(IntegrityBroken) as refused:
        check(dsse.sealed(entries.canonical(statement), signer()), [AUDIT.public])
    assert refused.value.seen == "another statement"


def test_keys_of_other_kinds_are_none() -> None:
    curve = derive_private_key(7, SECP384R1())
    pem = curve.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert dsse.public_key(pem.decode()) is None
    assert dsse.public_key_of_der(b"no key") is None
    private = derive_private_key(7, SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    assert dsse.private_key(private.decode()) is None, "receipts are signed with Ed25519 alone"
    assert "PrivateKey" not in repr(signer())


def test_what_a_person_decided_is_proved_with_who_and_why() -> None:
    """Quarantined, released all the same, and, another slot, waived without any file."""
    there = stage()
    first = there.decide()
    broken = replace(
        first,
        revision=2,
        verdict=Verdict.QUARANTINE,
        report=replace(first.report, rules=(replace(first.report.rules[0], passed=False),)),
    )
    kept = there.ledger.commit(broken)
    let_go = there.ledger.commit(replace(kept, revision=3, verdict=Verdict.RELEASE, reason="ticket 7"))
    there.release(let_go)
    bundle = there.bundle(let_go)
    assert wrong(bundle) == []
    assert "verdict" in wrong(_linked(bundle, "commitment", lambda text: text.replace("ticket 7", "")))
    waived = there.ledger.commit(
        replace(
            first,
            slot=slot("other"),
            verdict=Verdict.WAIVE,
            plain=NO_FILE,
            delivered=NO_FILE,
            staged=NOWHERE,
            report=NO_REPORT,
            contract="",
            reason="not needed",
        )
    )
    bundle = there.bundle(waived)
    assert (kinds(bundle), bundle.contract) == (["commitment"], "unknown")
    assert wrong(bundle) == []


def test_a_slot_that_is_on_its_way_is_proved_as_far_as_it_came() -> None:
    there = stage()
    decided = there.decide()
    assert kinds(there.bundle(decided)) == ["contract", "commitment"]
    there.release(decided)
    bundle = there.bundle(decided)
    assert kinds(bundle) == ["contract", "commitment", "manifest", "promotion"]
    assert wrong(bundle) == []


def test_no_bundle_is_made_of_a_receipt_that_does_not_hold() -> None:
    there = stage()
    decided = there.decide()
    there.release(decided)
    there.land(decided, STRANGER)
    with pytest.raises(IntegrityBroken, match="not signed by a known collector"):
        there.bundle(decided)


def test_no_bundle_is_made_of_a_contract_that_was_changed() -> None:
    there, decided = delivered()
    key = contract_key(decided.contract)
    there.store._add(key, b"changed")
    with pytest.raises(IntegrityBroken, match="another contract"):
        there.bundle(decided)
    del there.store.objects[key]
    with pytest.raises(NotFound):
        there.bundle(decided)


OLD = (
    b'{"actor":"cron@pod","committed_at":"2026-11-21T05:30:00Z","delivered":{"rows":1,"sha256":"%(sha)s","size":18},'
    b'"environment":"UAT","kind":"commitment","plain":{"rows":1,"sha256":"%(sha)s","size":18},"plan":"%(plan)s",'
    b'"reason":"","recipients":[],"report":{"contract":"flights","contract_version":"1.0.0","defects":[],"rows":1,'
    b'"rules":[]},"revision":1,"run_id":"run-1","schema":1,"slot":{"business_date":"2026-11-20",'
    b'"deadline":"2026-11-21T07:30:00Z","feed":"flights","occurrence":"2026-11-20","scheduled_at":"2026-11-21T05:30:00Z"},'
    b'"sources":[],"staged":{"etag":"","key":"drafts/x","store":"s3://staging","version":""},"target":{"done_name":"",'
    b'"key":"outbound/flights/flights_1.csv","landed_name":"flights.csv"},"verdict":"release"}\n'
)
"""An entry as it was written before contracts and earlier revisions were named in it."""


@pytest.mark.parametrize(("version", "known"), [("1.0.0", "as declared when bundled"), ("1.1.0", "unknown")])
def test_an_entry_of_before_is_read_and_bundled(version: str, known: str) -> None:
    there = stage()
    sha = b"54af6a4a7d2db5eb8ac5b6eb5ee8e2e9d07c0ab4f1a5e7a3b1c9b8d7e6f5a4b3"
    there.store.put_new(ledger_key(slot(), 1), OLD % {b"sha": sha, b"plan": b"d" * 64})
    (old,) = there.ledger.history(slot())
    assert (old.contract, old.previous) == ("", "")
    there.release(old, recorded=False)
    there.land(old, old=True)
    bundle = there.bundle(old, Declared("flights", version, CONTRACT))
    assert bundle.contract == known
    assert kinds(bundle)[-3:] == ["manifest", "object", "receipt"]
    assert wrong(bundle) == []
    second = there.decide(2)
    assert second.previous == there.ledger.digest(old)


def test_a_file_that_another_mover_brought_is_proved_without_a_download() -> None:
    there = stage()
    decided = there.decide()
    there.release(decided)
    there.land(decided, taken=True)
    bundle = there.bundle(decided)
    assert kinds(bundle)[-2:] == ["taken", "receipt"]
    assert wrong(bundle) == []
    (seen,) = (
        one.seen
        for one in check(dsse.sealed(payload_of(bundle), signer()), [AUDIT.public])[1]
        if one.what == "taken 1"
    )
    assert "/holding/flights/flights_1.csv" in seen
    changed = _linked(bundle, "taken", lambda text: text.replace("/holding/", "/elsewhere/"))
    assert wrong(changed) == ["receipt 1"]


def test_a_release_is_recorded_once_and_by_the_first() -> None:
    there, decided = delivered()
    key = promotion_key(slot(), 1)
    first = there.store.read(key)
    there.run_id = "run-2"
    there.release(decided)
    assert there.store.read(key) == first
    assert entries.read("promotion", Promotion, first, key, most=1 << 20).run_id == "run-1"


def test_gathering_twice_gives_the_same_bytes(made: Bundle) -> None:
    there, decided = delivered()
    again = gather(
        decided,
        there.ledger.history(decided.slot),
        there.evidence,
        project="eidv",
        declared=None,
        made_at=AT,
        made_by="auditor@desk",
    )
    assert payload_of(again) == payload_of(there.bundle(decided))


def test_the_bundle_is_verifiable_without_us(body: bytes, made: Bundle) -> None:
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    checkers = pytest.importorskip("securesystemslib.dsse")
    keys = pytest.importorskip("securesystemslib.signer")
    for sealed, pem in ((body, AUDIT.public), (dsse.sealed(payload_of(made), p256()), p256().public)):
        public: Any = load_pem_public_key(pem.encode())
        envelope = checkers.Envelope.from_dict(json.loads(sealed))
        known = keys.SSlibKey.from_crypto(public, keyid=json.loads(sealed)["signatures"][0]["keyid"])
        assert set(envelope.verify([known], 1)) == {known.keyid}
        assert json.loads(envelope.payload)["subject"] == [
            {"name": "flights.csv", "digest": {"sha256": made.delivered.sha256}}
        ]


def test_the_schema_describes_what_is_written(made: Bundle) -> None:
    described: Any = schema()
    statement = json.loads(payload_of(made))
    definitions = described["$defs"]

    def fits(value: Any, part: dict[str, Any], where: str) -> None:
        if "$ref" in part:
            part = definitions[part["$ref"].rsplit("/", 1)[1]]
        if "anyOf" in part:
            return
        if "const" in part:
            assert value == part["const"], where
        if part.get("type") == "object":
            assert set(value) == set(part["properties"]), where
            assert part["additionalProperties"] is False, where
            for key, below in part["properties"].items():
                fits(value[key], below, f"{where}.{key}")
        if part.get("type") == "array":
            assert isinstance(value, list), where
            for each in value:
                fits(each, part["items"], where)
        if part.get("type") == "string":
            assert isinstance(value, str), where

    fits(statement, described, "")
