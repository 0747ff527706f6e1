"""Is a public key that somebody hands over looked at, and is what must not be handed over never repeated?"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from landbridge.deploy.keys.pair import KeyPair, Kind
from landbridge.deploy.keys.public import read_public
from landbridge.errors import IntegrityBroken, UsageError

if TYPE_CHECKING:
    from pathlib import Path

PAIR = KeyPair.generate(Kind.ECDSA)


def _rsa(bits: int) -> str:
    key = rsa.generate_private_key(65537, bits).public_key()
    return key.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()


@pytest.mark.parametrize("text", [PAIR.public, f"\n{PAIR.public} edbh@edge1\r\n", f"  {PAIR.public}  \n\n"])
def test_one_line_is_taken_without_its_comment(text: str) -> None:
    key = read_public(text, "edge1.pub")
    assert key.line == PAIR.public
    assert key.fingerprint == PAIR.fingerprint
    assert (key.strength, key.weak) == ("ECDSA, 256 bits", False)


@pytest.mark.parametrize("curve", [ec.SECP384R1(), ec.SECP521R1()])
def test_the_other_curves_are_taken(curve: ec.EllipticCurve) -> None:
    public = ec.generate_private_key(curve).public_key()
    line = public.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()
    assert read_public(line, "x").line == line


def test_a_short_rsa_key_is_refused_and_a_middling_one_is_called_so() -> None:
    with pytest.raises(UsageError, match="1024 bits"):
        read_public(_rsa(1024), "x")
    assert read_public(_rsa(2048), "x").weak
    assert not read_public(_rsa(4096), "x").weak


@pytest.mark.parametrize("kind", Kind)
def test_a_private_key_is_refused_loudly_and_never_repeated(kind: Kind) -> None:
    pair = KeyPair.generate(kind)
    for text in (pair.private, f"{pair.public}\n{pair.private}", pair.private.replace("\n", " ")):
        with pytest.raises(IntegrityBroken, match="PRIVATE") as caught:
            read_public(text, "edge1.pub")
        said = f"{caught.value} {caught.value.hint}"
        assert "nothing of it was sent" in said
        assert "stays on the agent" in said
        for line in pair.private.splitlines()[1:-1]:
            assert line not in said


def test_a_private_key_of_another_maker_is_known_too() -> None:
    for text in (
        "PuTTY-User-Key-File-3: ssh-rsa\nEncryption: none\nPrivate-Lines: 1\nSECRETSECRET\n",
        "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nSECRETSECRET\n---- END SSH2 ENCRYPTED PRIVATE KEY ----\n",
    ):
        with pytest.raises(IntegrityBroken) as caught:
            read_public(text, "x")
        assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "0 lines"),
        (f"{PAIR.public}\n{KeyPair.generate(Kind.ECDSA).public}", "2 lines"),
        (f"{PAIR.public[:60]}\n{PAIR.public[60:]}", "2 lines"),
        (KeyPair.generate(Kind.ED25519).public, "ssh-ed25519"),
        (f'from="10.0.0.1" {PAIR.public}', "does not begin with a type"),
        ("ssh-dss AAAAB3NzaC1kc3MAAACBAP", "ssh-dss"),
        ("sk-ecdsa-sha2-nistp256@openssh.com AAAA", "sk-ecdsa-sha2-nistp256@openssh.com"),
        (PAIR.public[:-20], "damaged"),
        ("ssh-rsa", "damaged"),
        (PAIR.public.replace("ecdsa-sha2-nistp256", "ssh-rsa"), "damaged"),
        ("hunter2 is the password", "does not begin with a type"),
    ],
    ids=[
        "nothing",
        "two keys",
        "broken into two lines",
        "ed25519",
        "options",
        "dss",
        "security key",
        "cut short",
        "type alone",
        "another type",
        "a password",
    ],
)
def test_what_is_no_such_key_is_refused_without_repeating_it(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_public(text, "edge1.pub")
    assert said in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("form", ["RFC4716", "PEM", "PKCS8"])
def test_another_form_is_named_with_the_command_that_turns_it_into_a_line(form: str, tmp_path: Path) -> None:
    line = _rsa(2048)
    (tmp_path / "key.pub").write_text(line + "\n")
    other = subprocess.run(
        ["ssh-keygen", "-e", "-m", form, "-f", tmp_path / "key.pub"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    with pytest.raises(UsageError) as caught:
        read_public(other, "x")
    (tmp_path / "other").write_text(other)
    command = caught.value.hint.partition(": ")[2].replace("FILE", str(tmp_path / "other")).split()
    back = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert read_public(back, "x").line == line
