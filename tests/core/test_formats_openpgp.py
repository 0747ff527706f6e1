"""Can the recipient, and nobody else, read what was encrypted; and are keys refused that are no longer good?"""

import hashlib
import shutil
import subprocess
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pysequoia
import pytest

from landbridge.errors import DiskFailed, UsageError
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
    encrypt(plain, cipher, [public(one), public(two)], armour=False)
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
    with pytest.raises(UsageError, match="is a secret key"):
        encrypt(plain, plain.parent / "cipher", [str(made())], armour=False)


@pytest.mark.parametrize("text", ["", "no key", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END"])
def test_what_is_no_key_is_refused(plain: Path, text: str) -> None:
    with pytest.raises(UsageError, match="recipient"):
        encrypt(plain, plain.parent / "cipher", [text], armour=False)


def test_no_recipient_is_refused(plain: Path) -> None:
    with pytest.raises(UsageError, match="no recipient"):
        encrypt(plain, plain.parent / "cipher", [], armour=False)


def test_a_file_that_is_not_there_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(DiskFailed):
        encrypt(tmp_path / "absent", tmp_path / "cipher", [public(made())], armour=False)
    assert not (tmp_path / "cipher").exists()
