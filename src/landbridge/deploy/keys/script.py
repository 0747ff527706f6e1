"""What does the script say that puts a key onto a Control-M agent? Text only, and nothing secret in it."""

from __future__ import annotations

import hashlib
import shlex
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import serialization

from landbridge.deploy.keys.pair import fingerprint
from landbridge.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Installation:
    """One key on its way to every agent."""

    name: str
    """Of its file on the agents."""
    public: str
    """OpenSSH line."""
    secret: str
    """Where the private half is kept."""
    version: str
    """Of the secret: the script fetches this key, whichever label it has by then."""
    region: str
    host: str
    """Of the SFTP endpoint, as agents know it."""
    port: int
    user: str
    pinned: tuple[str, ...]
    """Public host keys, OpenSSH lines; without any the script cannot test a log-in."""


def scripts(of: Installation) -> dict[str, str]:
    """Give file name and text: a POSIX shell's for Linux and Unix agents, a PowerShell's for Windows agents."""
    words = {
        "NAME": of.name,
        "FINGERPRINT": fingerprint(of.public),
        "SPKI": _spki(of.public),
        "SECRET": of.secret,
        "VERSION": of.version,
        "REGION": of.region,
        "HOST": of.host,
        "PORT": str(of.port),
        "LOGIN": of.user,
        "PINNED": "\n".join(_known(of.host, of.port, line) for line in of.pinned),
    }
    _plain(words)
    shell, windows = f"install-{of.name}.sh", f"install-{of.name}.ps1"
    return {
        shell: _filled("install.sh", words | {"FILE": shell}, shlex.quote),
        windows: _filled("install.ps1", words | {"FILE": windows}, _quoted_for_powershell),
    }


def _filled(template: str, words: dict[str, str], quote: Callable[[str], str]) -> str:
    text = (files(__package__) / "scripts" / template).read_text(encoding="utf-8")
    for name, value in words.items():
        text = text.replace(f"@{name}_QUOTED@", quote(value)).replace(f"@{name}@", value)
    return text


def _quoted_for_powershell(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _known(host: str, port: int, line: str) -> str:
    """Write a pinned key as a line of known_hosts; another port than SSH's own stands with the name."""
    named = host if port == 22 else f"[{host}]:{port}"  # noqa: PLR2004 - SSH's port
    return f"{named} {' '.join(line.split()[:2])}"


def _spki(public: str) -> str:
    """Give the digest that openssl can make where there is no ssh-keygen: of the public key in DER."""
    der = serialization.load_ssh_public_key(public.encode()).public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return hashlib.sha256(der).hexdigest()


def _plain(words: dict[str, str]) -> None:
    """Refuse what a shell or a comment could read as something else; none of these words has reason to hold it."""
    for name, value in words.items():
        lines = value.splitlines() if name == "PINNED" else [value]
        if any(not line.isprintable() or "#>" in line for line in lines) or value.startswith("-"):
            raise UsageError(
                f"the {name.lower()} cannot be written into a script: it holds control characters, `#>` or begins with `-`"
            )
