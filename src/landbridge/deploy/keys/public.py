"""Is what somebody handed us the public half of a key that Control-M can have made and Transfer Family takes?

Nothing of what is refused is repeated in a message: it may be a private key.

Sources: Control-M documentation, "Generating SSH Keys" (RSA of 1,024 to 8,192 bits, ECDSA); AWS Transfer Family API
Reference, ImportSshPublicKey (2,048 characters at most).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from landbridge.counted import counted
from landbridge.deploy.keys.pair import fingerprint
from landbridge.errors import IntegrityBroken, UsageError

_PRIVATE = re.compile(r"PRIVATE KEY|PuTTY-User-Key-File|SSH PRIVATE", re.IGNORECASE)
_OTHER_FORMS = {"SSH2 PUBLIC KEY": "RFC4716", "BEGIN RSA PUBLIC KEY": "PEM", "BEGIN PUBLIC KEY": "PKCS8"}
_TYPES = ("ssh-rsa", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521")
_FEWEST_BITS, _WANTED_BITS = 2048, 4096
_LONGEST = 2048


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key that passed."""

    line: str
    """OpenSSH line without a comment."""
    strength: str
    """`RSA, 4096 bits`, for people."""
    weak: bool
    """Whether it is taken, and a stronger one would be better."""

    @property
    def fingerprint(self) -> str:
        """`SHA256:...`, as ssh-keygen and AWS write it."""
        return fingerprint(self.line)


def read_public(text: str, where: str) -> PublicKey:
    """Read what should be exactly one OpenSSH line; `where` names its place in messages.

    Raises:
        IntegrityBroken: it is a private key.
        UsageError: it is no public key, several, in another form, or of a type or strength that one side refuses.
    """
    if _PRIVATE.search(text):
        raise IntegrityBroken(
            f"{where} holds a PRIVATE key, not a public one; nothing of it was sent or repeated",
            expected="one line that begins with `ssh-rsa` or `ecdsa-sha2-nistp...`",
            hint="a private key stays on the agent that made it: delete this copy, and if it travelled by mail, chat or a "
            "shared folder, make a new pair; what is wanted is the file that ends in .pub",
        )
    for mark, form in _OTHER_FORMS.items():
        if mark in text:
            raise UsageError(
                f"{where} holds a public key in another form ({form})",
                expected="one OpenSSH line: `ssh-rsa AAAA...`",
                hint=f"turn it into one: ssh-keygen -i -m {form} -f FILE",
            )
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) != 1:
        raise UsageError(
            f"{where} holds {counted(len(lines), 'line')}",
            expected="exactly one public key, on one line",
            hint="hand over one file an agent; a line that a mail programme broke has to be joined again",
        )
    return _checked(lines[0], where)


def _checked(line: str, where: str) -> PublicKey:
    algorithm, _, rest = line.partition(" ")
    if algorithm not in _TYPES:
        known = re.fullmatch(r"(ssh|ecdsa|sk)-[a-z0-9@.-]{1,60}", algorithm)
        raise UsageError(
            f"{where} holds no public key that Control-M can have made",
            expected=" or ".join(_TYPES),
            seen=f"a key of type {algorithm}"
            if known
            else "something that does not begin with a type of key",
            hint="Control-M makes and reads RSA and ECDSA; take the .pub file as it is, without options before the key",
        )
    body = " ".join((algorithm, *rest.split()[:1]))
    try:
        key = serialization.load_ssh_public_key(body.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UsageError(
            f"{where} holds a damaged public key",
            expected="the whole line, as it was made",
            hint="copy the file instead of pasting from a window; ssh-keygen -lf FILE must read it",
        ) from error
    match key:
        case rsa.RSAPublicKey():
            strength, weak = _strength(key.key_size, where)
        case ec.EllipticCurvePublicKey():
            strength, weak = f"ECDSA, {key.key_size} bits", False
        case _:
            raise AssertionError(algorithm)  # the type was looked at above
    if len(body) > _LONGEST:
        raise UsageError(
            f"{where} holds a key too long for AWS", seen=f"{len(body)} characters, of {_LONGEST}"
        )
    return PublicKey(body, strength, weak)


def _strength(bits: int, where: str) -> tuple[str, bool]:
    if bits < _FEWEST_BITS:
        raise UsageError(
            f"{where} holds an RSA key of {bits} bits",
            expected=f"at least {_FEWEST_BITS}, better {_WANTED_BITS}",
            hint="make another on the agent; the size is the last word of `ctm config server:agent:mft:ssh:key::generate`",
        )
    return f"RSA, {bits} bits", bits < _WANTED_BITS
