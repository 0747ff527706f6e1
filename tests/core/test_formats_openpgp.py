"""Can the recipient, and nobody else, read what was encrypted; and are keys refused that are no longer good?"""

import hashlib
import shutil
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pysequoia
import pytest
from pysequoia.packet import PacketPile, SignatureType

from landbridge.errors import DiskFailed, UsageError
from landbridge.formats import openpgp
from landbridge.formats.openpgp import encrypt, ends_of

PLAIN = b"id,name\n1,Ada\n" * 5000
needs_gpg = pytest.mark.skipif(shutil.which("gpg") is None, reason="GnuPG is not installed")


class Gpg:
    """A real GnuPG with a keyring of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def __call__(self, *arguments: str, answers: bytes | None = None) -> bytes:
        command: list[str] = [
            "gpg",
            "--homedir",
            str(self.home),
            "--no-tty",
            "--pinentry-mode",
            "loopback",
            "--passphrase",
            "",
            *arguments,
        ]
        if answers is None:
            command[1:1] = ["--batch", "--yes"]
        done = subprocess.run(command, input=answers, capture_output=True, timeout=60, check=True)
        return done.stdout

    def key(self, user: str, *, subkey_expires: str | None = "never") -> str:
        """Make a signing key, with an encryption subkey unless `subkey_expires` is None; give its fingerprint."""
        self("--quick-gen-key", user, "ed25519", "sign", "never")
        lines = self("--with-colons", "--list-keys", user).decode().splitlines()
        fingerprint = next(line.split(":")[9] for line in lines if line.startswith("fpr"))
        if subkey_expires is not None:
            self("--quick-add-key", fingerprint, "cv25519", "encr", subkey_expires)
        return fingerprint

    def public(self, user: str) -> str:
        return self("--armor", "--export", user).decode()


@pytest.fixture
def gpg(tmp_path: Path) -> Iterator[Gpg]:
    home = tmp_path / "g"
    home.mkdir(mode=0o700)
    yield Gpg(home)
    subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=False, timeout=30)


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    path = tmp_path / "plain"
    path.write_bytes(PLAIN)
    return path


def made(validity_seconds: int | None = None) -> pysequoia.Tsk:
    return pysequoia.Tsk.generate("Consumer <files@example.org>", validity_seconds=validity_seconds)


def public(key: pysequoia.Tsk) -> str:
    return str(key.extract_certificate())


@needs_gpg
@pytest.mark.parametrize("armour", [True, False])
def test_gnupg_decrypts_what_was_encrypted(gpg: Gpg, plain: Path, armour: bool) -> None:
    fingerprint = gpg.key("consumer@example.org")
    cipher = plain.parent / "cipher"
    encrypted = encrypt(plain, cipher, [gpg.public(fingerprint)], armour=armour)
    assert cipher.read_bytes().startswith(b"-----BEGIN PGP MESSAGE") == armour
    assert gpg("--decrypt", str(cipher)) == PLAIN
    assert encrypted.fingerprints == (fingerprint.lower(),)
    assert encrypted.content.size == cipher.stat().st_size
    assert encrypted.content.sha256 == hashlib.sha256(cipher.read_bytes()).hexdigest()


def test_every_recipient_can_decrypt_and_nobody_else(plain: Path) -> None:
    one, two, other = made(), made(), made()
    cipher = plain.parent / "cipher"
    done = encrypt(plain, cipher, [public(one), public(two)], armour=False)
    assert done.fingerprints == tuple(key.extract_certificate().fingerprint for key in (one, two))
    assert (done.content.rows, done.content.size) == (0, cipher.stat().st_size)
    for key in (one, two):
        assert pysequoia.decrypt(cipher.read_bytes(), key.decryptor()).bytes == PLAIN
    with pytest.raises(RuntimeError):
        pysequoia.decrypt(cipher.read_bytes(), other.decryptor())


def test_an_expired_key_is_refused(plain: Path) -> None:
    key = public(made(validity_seconds=1))
    time.sleep(2)
    with pytest.raises(UsageError, match=r"the key [0-9a-f]+ expired on"):
        encrypt(plain, plain.parent / "cipher", [key], armour=False)
    assert not (plain.parent / "cipher").exists()


def test_a_key_is_good_until_the_moment_it_ends_and_not_at_it() -> None:
    key = made(validity_seconds=3600)
    ends = key.extract_certificate().expiration
    assert ends is not None
    assert ends_of(public(key), ends - timedelta(seconds=1)) == ends
    for late in (ends, ends + timedelta(days=1)):
        with pytest.raises(UsageError, match=r"the key [0-9a-f]+ expired on"):
            ends_of(public(key), late)


def test_a_revoked_key_is_refused(plain: Path) -> None:
    key = made()
    certificate = key.extract_certificate()
    revoked = pysequoia.Cert.from_bytes(bytes(certificate) + bytes(certificate.revoke(key.certifier())))
    with pytest.raises(UsageError, match="is revoked"):
        encrypt(plain, plain.parent / "cipher", [str(revoked)], armour=False)


@needs_gpg
def test_a_key_that_only_signs_is_refused(gpg: Gpg, plain: Path) -> None:
    key = gpg.public(gpg.key("signer@example.org", subkey_expires=None))
    with pytest.raises(UsageError, match="can only sign"):
        encrypt(plain, plain.parent / "cipher", [key], armour=False)


@needs_gpg
def test_a_key_whose_encryption_subkey_expired_is_refused(gpg: Gpg, plain: Path) -> None:
    key = gpg.public(gpg.key("old@example.org", subkey_expires="seconds=1"))
    time.sleep(2)
    with pytest.raises(UsageError, match="subkey expired"):
        encrypt(plain, plain.parent / "cipher", [key], armour=False)


@needs_gpg
def test_a_key_whose_encryption_subkey_is_revoked_is_refused_until_it_has_another(
    gpg: Gpg, plain: Path
) -> None:
    fingerprint = gpg.key("moved@example.org")
    gpg(
        "--status-fd",
        "2",
        "--command-fd",
        "0",
        "--edit-key",
        fingerprint,
        answers=b"key 1\nrevkey\ny\n0\n\ny\nsave\n",
    )
    cipher = plain.parent / "cipher"
    with pytest.raises(UsageError, match="subkey is revoked"):
        encrypt(plain, cipher, [gpg.public(fingerprint)], armour=False)
    gpg("--quick-add-key", fingerprint, "cv25519", "encr", "never")
    encrypt(plain, cipher, [gpg.public(fingerprint)], armour=False)
    assert gpg("--decrypt", str(cipher)) == PLAIN
    packets = gpg("--list-packets", str(cipher)).decode()
    assert packets.count(":pubkey enc packet:") == 1  # none for the revoked one


def test_a_secret_key_is_refused(plain: Path) -> None:
    with pytest.raises(UsageError, match="recipient 2 is a secret key"):
        encrypt(plain, plain.parent / "cipher", [public(made()), str(made())], armour=False)


@pytest.mark.parametrize("text", ["", "no key", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END"])
def test_what_is_no_key_is_refused(plain: Path, text: str) -> None:
    with pytest.raises(UsageError, match="recipient"):
        encrypt(plain, plain.parent / "cipher", [text], armour=False)
    if text:
        with pytest.raises(UsageError, match="recipient 2 is no OpenPGP public key"):
            encrypt(plain, plain.parent / "cipher", [public(made()), text], armour=False)


def test_no_recipient_is_refused(plain: Path) -> None:
    with pytest.raises(UsageError, match="no recipient"):
        encrypt(plain, plain.parent / "cipher", [], armour=False)


def test_a_file_that_is_not_there_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(DiskFailed):
        encrypt(tmp_path / "absent", tmp_path / "cipher", [public(made())], armour=False)
    assert not (tmp_path / "cipher").exists()
    (tmp_path / "plain").write_bytes(PLAIN)
    with pytest.raises(DiskFailed, match="plain could not be encrypted"):
        encrypt(tmp_path / "plain", tmp_path / "no folder" / "cipher", [public(made())], armour=False)


def test_a_key_of_which_nothing_but_signing_is_left_is_refused(plain: Path) -> None:
    packets = list(PacketPile.from_bytes(bytes(made().extract_certificate())))
    flags = [packet.key_flags and packet.key_flags.transport_encryption for packet in packets]
    assert flags.count(True) == 1, "one subkey encrypts, and the one before it signs"
    signs = pysequoia.Cert.from_packets(packets[: flags.index(True) - 1])
    with pytest.raises(UsageError, match="has no part for encryption: it can only sign"):
        encrypt(plain, plain.parent / "cipher", [str(signs)], armour=False)


NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


def signed(
    *flags: str, at: datetime | None = NOW, lasts: timedelta | None = None, revoked: bool = False
) -> SimpleNamespace:
    """Say of a key what it is for, or that it is revoked."""
    return SimpleNamespace(
        key_flags=None
        if revoked
        else SimpleNamespace(**{f"{f}_encryption": f in flags for f in ("transport", "storage")}),
        signature_type=SignatureType.SubkeyRevocation if revoked else SignatureType.SubkeyBinding,
        signature_created=at,
        key_validity_period=lasts,
        key_created=None,
    )


@pytest.mark.parametrize(
    ("signatures", "encrypts", "ends_at", "ended"),
    [
        ([], False, None, None),
        ([signed()], False, None, None),
        ([signed("transport")], True, None, None),
        ([signed("storage")], True, None, None),
        ([signed("transport", lasts=DAY)], True, NOW, "its encryption subkey expired on 2026-11-20"),
        ([signed("transport", lasts=DAY + SECOND)], True, NOW + SECOND, None),
        (
            [signed("transport", lasts=DAY - SECOND)],
            True,
            NOW - SECOND,
            "its encryption subkey expired on 2026-11-20",
        ),
        ([signed("transport", at=NOW - DAY, lasts=SECOND), signed("transport")], True, None, None),
        ([signed("transport"), signed("transport", at=NOW - DAY, lasts=SECOND)], True, None, None),
        ([signed(), signed("transport", at=NOW - DAY)], False, None, None),
        ([signed("transport", at=NOW - DAY), signed()], False, None, None),
        ([signed("transport", at=None), signed()], False, None, None),
        ([signed(), signed("transport", at=None)], False, None, None),
        ([signed("transport"), signed(revoked=True)], True, None, "its encryption subkey is revoked"),
        ([signed(revoked=True)], False, None, "its encryption subkey is revoked"),
    ],
)
def test_the_newest_signature_says_what_a_part_is_for_and_how_long(
    signatures: list[SimpleNamespace], encrypts: bool, ends_at: datetime | None, ended: str | None
) -> None:
    key = SimpleNamespace(key_flags=None, signature_type=None, key_created=NOW - DAY)
    part = openpgp._Part([key, *signatures])  # type: ignore[list-item] # packets, as far as they are asked
    assert (bool(part.encrypts), part.ends_at, part.ends(NOW)) == (encrypts, ends_at, ended)
    key.key_created = None
    assert part.ends_at is None, "a key that does not say when it was made has no end to count"


class Held:
    """A certificate of parts that encrypt until then, or never."""

    def __init__(self, expiration: datetime | None, *ends: datetime | None) -> None:
        signs = SimpleNamespace(encrypts=False, ends_at=NOW)
        self.expiration = expiration
        self.parts = [signs, *(SimpleNamespace(encrypts=True, ends_at=at) for at in ends)]

    def __bytes__(self) -> bytes:
        return str(id(self)).encode()


@pytest.mark.parametrize(
    ("held", "ends"),
    [
        ([Held(None, None)], None),
        ([Held(None, NOW + DAY)], NOW + DAY),
        ([Held(None, NOW + DAY, None)], None),
        ([Held(None, NOW + DAY, NOW + 2 * DAY)], NOW + 2 * DAY),
        ([Held(NOW + DAY, NOW + 2 * DAY)], NOW + DAY),
        ([Held(NOW + DAY, None)], NOW + DAY),
        ([Held(NOW + 3 * DAY, NOW + 2 * DAY)], NOW + 2 * DAY),
        ([Held(NOW + DAY)], NOW + DAY),
        ([Held(None)], None),
        ([Held(None, None), Held(NOW + 2 * DAY, None), Held(None, NOW + DAY)], NOW + DAY),
    ],
)
def test_a_recipient_ends_with_the_first_of_its_keys_and_a_key_with_the_last_of_its_parts(
    held: list[Held], ends: datetime | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {bytes(one): one.parts for one in held}
    monkeypatch.setattr(openpgp, "_certificates", lambda *_: dict(enumerate(held)))
    monkeypatch.setattr(openpgp, "_parts", lambda certificate: known[certificate])
    assert ends_of("any", NOW) == ends


def test_what_the_library_says_is_told_in_one_line_without_its_stack() -> None:
    error = RuntimeError("no data\nat all\n\nStack backtrace:\n   0: somewhere\n\nStack again")
    assert openpgp._first_line(error) == "no data at all"


def test_a_primary_key_may_encrypt_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = made().extract_certificate()
    primary, *_ = openpgp._parts(bytes(certificate))
    monkeypatch.setattr(openpgp, "_parts", lambda _: [primary])
    with pytest.raises(UsageError, match="it can only sign"):
        openpgp._live(certificate, NOW)

    class Encrypting(openpgp._Part):
        encrypts = True

    monkeypatch.setattr(openpgp, "_parts", lambda _: [Encrypting(primary.packets)])
    assert openpgp._live(certificate, NOW).fingerprint == certificate.fingerprint
