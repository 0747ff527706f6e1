"""Does a bundle hold? Signature, chain, verdict, receipts and the file's bytes; without network, ledger or declaration."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from landbridge import dsse
from landbridge.bundle.statement import MOST, Bundle, bundle_in, link
from landbridge.counted import counted
from landbridge.errors import DiskFailed, IntegrityBroken, UsageError
from landbridge.facts import NO_REPORT, Commitment, Promotion, Taken, Verdict
from landbridge.ledger import (
    brought_fact,
    brought_from,
    confirm,
    entries,
    manifest_bytes,
    manifest_for,
    read_receipt,
)
from landbridge.naming import contract_key, ledger_key, manifest_key, promotion_key, receipt_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from landbridge.bundle.statement import Link

    _Look = Callable[[], str]

_BLOCK = 8 << 20


@dataclass(frozen=True, slots=True)
class Checked:
    """One thing that was looked at."""

    what: str
    holds: bool
    seen: str


def check(
    body: bytes, public_keys: Sequence[str], receipt_keys: Sequence[str] = ()
) -> tuple[Bundle, list[Checked]]:
    """See whether a bundle holds, and give it with everything that was looked at.

    `public_keys` (PEM) are those that bundles may be signed with. Receipts are held against `receipt_keys`; without any,
    against those that the bundle names, so that its signer vouches for them.

    Raises:
        IntegrityBroken: it is not signed by one of the keys, or not in the one form that is demanded: nothing in it can be believed.
        UsageError: one of the keys cannot be used.
    """
    keys = {key.key_id: key for key in map(_public, public_keys)}
    envelope = dsse.opened(body, "the bundle", MOST)
    if dsse.written(envelope) != body:
        raise IntegrityBroken(
            "the bundle is not written in the one form that is demanded",
            expected="sorted keys, no spaces, padded base64, one line end",
            hint="somebody has written it anew: ask for the file as `landbridge evidence` wrote it",
        )
    if len(envelope.signatures) != 1:
        raise IntegrityBroken(
            "the bundle is not signed once",
            expected="one signature",
            seen=f"{len(envelope.signatures)}",
            hint="somebody has written it anew: ask for the file as `landbridge evidence` wrote it",
        )
    (signature,) = envelope.signatures
    key = keys.get(signature.key_id)
    if key is None or not key.verifies(signature.value, envelope.payload):
        raise IntegrityBroken(
            "the bundle's signature does not hold",
            expected=f"a signature by {' or '.join(one[:16] for one in keys) or 'a key that is known here'}",
            seen=f"key {signature.key_id[:16]!r}{'' if key is None else ', over other bytes'}",
            hint="the file was changed, or it is signed by a key that is not known here (`--key`)",
        )
    bundle = bundle_in(envelope.payload)
    checked = [Checked("signature", holds=True, seen=f"{key.algorithm}, key {key.key_id[:16]}")]
    return bundle, checked + examine(bundle, receipt_keys)


def key_asked_for(body: bytes) -> str:
    """Give the id of the key that a bundle says it is signed with. It is believed by nobody: a key of that id must be had elsewhere.

    Raises:
        IntegrityBroken: it is no signed envelope.
    """
    return ", ".join(one.key_id for one in dsse.opened(body, "the bundle", MOST).signatures) or "none"


def check_file(bundle: Bundle, path: Path) -> Checked:
    """Hold a file's bytes against the bundle: as delivered, or, of an encrypted feed, as it was before.

    Raises:
        DiskFailed: it cannot be read.
    """
    digest, size, most = hashlib.sha256(), 0, max(bundle.delivered.size, bundle.plain.size)
    try:
        with path.open("rb") as file:
            while size <= most and (block := file.read(_BLOCK)):
                digest.update(block)
                size += len(block)
    except OSError as error:
        raise DiskFailed(f"{path} cannot be read", seen=error.strerror or str(error)) from error
    if size > most:  # no byte of the rest makes it the one that it is about
        return Checked("file", holds=False, seen=f"more than {counted(most, 'byte')}")
    seen = (size, digest.hexdigest())
    told = f"sha256 {digest.hexdigest()}, {counted(size, 'byte')}"
    if seen == (bundle.delivered.size, bundle.delivered.sha256):
        return Checked("file", holds=True, seen=told)
    if seen == (bundle.plain.size, bundle.plain.sha256):
        return Checked("file", holds=True, seen=f"{told}, as it was before it was encrypted")
    return Checked("file", holds=False, seen=told)


def examine(bundle: Bundle, receipt_keys: Sequence[str] = ()) -> list[Checked]:
    """Look at everything in a bundle whose bytes are believed."""
    facts = _Facts(bundle)
    return [
        _tried("chain", facts.chain),
        _tried("commitments", facts.commitments),
        _tried("contract", facts.contract),
        _tried("verdict", facts.verdict),
        *(_tried(what, look) for what, look in facts.moved(tuple(receipt_keys) or bundle.receipt_keys)),
    ]


def _tried(what: str, look: _Look) -> Checked:
    try:
        return Checked(what, holds=True, seen=look())
    except IntegrityBroken as error:
        return Checked(what, holds=False, seen=str(error))


class _Facts:
    """The facts of one bundle, read one by one."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._by_name = {one.name: one for one in bundle.links}

    def chain(self) -> str:
        """Every fact has its digest, names what it says it names, and stands there once."""
        seen: list[Link] = []
        for one in self._bundle.links:
            if one != (again := link(one.kind, one.name, one.text.encode(), seen)):
                raise _differs(
                    f"the fact {one.name or one.kind}",
                    f"{again.sha256} {again.follows}",
                    f"{one.sha256} {one.follows}",
                )
            seen.append(one)
        if len(self._by_name) != len(seen):
            raise _differs("the facts", "each once", "one stands there twice")
        return f"{counted(len(seen), 'fact')}, {counted(sum(len(one.follows) for one in seen), 'link')} between them"

    def commitments(self) -> str:
        """Every revision up to the last is there, belongs here, and names the one before it."""
        before = ""
        found = self._commitments()
        for number, (one, stored) in enumerate(found, 1):
            belongs = (self._bundle.slot, number, self._bundle.environment, ledger_key(one.slot, number))
            if (one.slot, one.revision, one.environment, stored.name) != belongs:
                raise _differs(
                    stored.name,
                    f"revision {number} of {self._bundle.slot}",
                    f"revision {one.revision} of {one.slot}",
                )
            if one.previous and one.previous != before:
                raise _differs(f"what {stored.name} follows", before, one.previous)
            before = stored.sha256
        about = self._about()
        stated = (self._bundle.verdict, self._bundle.plain, self._bundle.delivered)
        if (about.verdict, about.plain, about.delivered) != stated:
            raise _differs(
                "the commitment", f"{stated}", f"{about.verdict}, {about.plain}, {about.delivered}"
            )
        return f"{counted(len(found), 'revision')}; this is {about.revision}, by {about.actor}"

    def contract(self) -> str:
        """The text by which the verdict was made is here."""
        about = self._about()
        report = about.report
        if about.report == NO_REPORT and not about.contract:
            return "none: a waiver judges no file"
        if not about.contract:
            if self._bundle.contract == "kept":
                raise _differs("the contract", "named by the commitment", "not named")
            return f"{report.contract} {report.contract_version}, text {self._bundle.contract}: not chained"
        text = self._by_name.get(contract_key(about.contract))
        if text is None or text.sha256 != about.contract or self._bundle.contract != "kept":
            raise _differs(
                "the contract", f"a text with sha256 {about.contract}", text.sha256 if text else "none"
            )
        return f"{report.contract} {report.contract_version}, sha256 {about.contract}"

    def verdict(self) -> str:
        """What was decided fits what was found, or somebody gave a reason."""
        about = self._about()
        passed = sum(rule.passed for rule in about.report.rules)
        if about.verdict is Verdict.RELEASE and not about.report.passed and not about.reason:
            raise _differs("the verdict", "a reason to release what broke its contract", "none")
        if about.verdict is Verdict.QUARANTINE and about.report.passed:
            raise _differs("the verdict", "a broken rule", "none")
        reason = f": {about.reason}" if about.reason else ""
        if about.verdict is Verdict.WAIVE:
            return f"{about.verdict}{reason}"
        return f"{about.verdict}, {passed} of {counted(len(about.report.rules), 'rule holds', 'rules hold')}{reason}"

    def moved(self, receipt_keys: tuple[str, ...]) -> Iterator[tuple[str, _Look]]:
        """Give the looks at manifest, release and receipt of every revision that has them."""
        for commitment, stored in self._commitments_or_none():
            slot, revision = commitment.slot, commitment.revision
            name = receipt_key(slot.feed, slot.occurrence, revision, slot.business_date)
            facts: tuple[tuple[str, str, Callable[..., str]], ...] = (
                ("manifest", manifest_key(slot, revision), _manifest),
                ("promotion", promotion_key(slot, revision), self._promotion),
                *((kind, f"{name}#{kind}", partial(self._brought, kind)) for kind in ("download", "taken")),
                ("receipt", name, partial(self._receipt, receipt_keys)),
            )
            for what, key, look in facts:
                if one := self._by_name.get(key):
                    yield f"{what} {revision}", partial(look, commitment, stored.sha256, one)

    def _promotion(self, commitment: Commitment, digest: str, stored: Link) -> str:
        found = entries.read("promotion", Promotion, stored.text.encode(), stored.name, most=MOST)
        manifest = self._by_name.get(manifest_key(commitment.slot, commitment.revision))
        expected = (
            commitment.slot, commitment.revision, commitment.environment,
            digest, commitment.delivered, commitment.target.key, manifest.sha256 if manifest else "",
        )  # fmt: skip
        seen = (
            found.slot, found.revision, found.environment,
            found.commitment, found.content, found.at.key, found.manifest_sha256,
        )  # fmt: skip
        if seen != expected:
            raise _differs(stored.name, f"{expected}", f"{seen}")
        return f"{found.at} version {found.at.version or '-'} ETag {found.at.etag or '-'}"

    def _brought(self, kind: str, commitment: Commitment, digest: str, stored: Link) -> str:
        """It is for this file, and there is a receipt that it travelled in; whether they fit is for that one."""
        brought = brought_from(kind, stored.text.encode(), stored.name)
        expected = (commitment.delivered.size, commitment.delivered.sha256, digest)
        if (seen := (brought.size, brought.sha256, brought.commitment)) != expected:
            raise _differs(stored.name, f"{expected}", f"{seen}")
        if stored.name.removesuffix(f"#{kind}") not in self._by_name:
            raise _differs(stored.name, "a receipt that names it", "none")
        when = f"{brought.ended_at:%Y-%m-%d %H:%M:%S} UTC by {brought.collector}"
        if isinstance(brought, Taken):
            return f"{brought.holding}, copied {when}"
        server = brought.server
        if brought.remote_path != f"/{commitment.target.key}":
            raise _differs(stored.name, f"/{commitment.target.key}", brought.remote_path)
        return f"{server.host}:{server.port} {server.host_key or '-'} as {server.account}, {when}"

    def _receipt(
        self, receipt_keys: tuple[str, ...], commitment: Commitment, digest: str, stored: Link
    ) -> str:
        """The collector signed it, it is for this file, and what it says of how that came stands here as a fact of its own."""
        receipt = read_receipt(stored.text.encode(), receipt_keys)
        confirm(receipt, manifest_for(commitment, digest))
        expected = {}
        if receipt.brought:
            kind, fact = brought_fact(receipt.brought)
            expected[f"{stored.name}#{kind}"] = fact.decode()
        seen = {name: one.text for name, one in self._by_name.items() if name.startswith(f"{stored.name}#")}
        if seen != expected:
            raise _differs(f"what {stored.name} follows", f"{expected or 'nothing'}", f"{seen or 'nothing'}")
        return (
            f"{receipt.landed_path}, landed {receipt.landed_at:%Y-%m-%d %H:%M:%S} UTC by {receipt.collector}"
        )

    def _commitments(self) -> list[tuple[Commitment, Link]]:
        return [
            (entries.read("commitment", Commitment, one.text.encode(), one.name, most=MOST), one)
            for one in self._bundle.links
            if one.kind == "commitment"
        ]

    def _commitments_or_none(self) -> list[tuple[Commitment, Link]]:
        try:
            return self._commitments()
        except IntegrityBroken:  # `commitments` has said so
            return []

    def _about(self) -> Commitment:
        name = ledger_key(self._bundle.slot, self._bundle.revision)
        for one, stored in self._commitments():
            if stored.name == name:
                return one
        raise _differs("the commitment", name, "none")


def _manifest(commitment: Commitment, digest: str, stored: Link) -> str:
    if stored.text.encode() != manifest_bytes(commitment, digest):
        raise _differs(stored.name, "the manifest of its commitment", "another one")
    return f"of commitment {digest[:16]}"


def _differs(what: str, expected: str, seen: str) -> IntegrityBroken:
    return IntegrityBroken(f"{what} is not what it should be", expected=expected, seen=seen)


def _public(pem: str) -> dsse.PublicKey:
    key = dsse.public_key(pem)
    if key is None:
        raise UsageError(
            "a key that evidence is checked with cannot be used",
            expected="an Ed25519 or ECDSA P-256 public key in PEM",
            hint="get it from the private one: openssl pkey -in KEY -pubout",
        )
    return key
