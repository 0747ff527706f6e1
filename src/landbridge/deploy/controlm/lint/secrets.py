"""Is a secret written into the file, or is a key one that Control-M cannot use? Nothing here repeats what it found."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING

from landbridge.deploy.controlm.clear_text import is_secret, is_secret_called, pair, said_elsewhere
from landbridge.deploy.controlm.lint import known
from landbridge.deploy.controlm.lint.finding import Seen
from landbridge.deploy.controlm.lint.reading import Spot
from landbridge.deploy.controlm.lint.sheet import ends, fields, seen, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landbridge.deploy.controlm.lint.reading import Node
    from landbridge.deploy.controlm.lint.sheet import Sheet

_ED25519 = re.compile(r"(?<![A-Za-z0-9])ed_?25519(?![A-Za-z0-9])", re.IGNORECASE)
_ED25519_KEY = re.compile(r"ssh-ed25519\s")
_ARMOUR = re.compile(r"-----BEGIN OPENSSH PRIVATE KEY-----(.*?)-----END", re.DOTALL)


def literal(sheet: Sheet) -> Iterator[Seen]:
    """A secret in clear text."""
    for profile in sheet.profiles:
        yield from _in_profile(profile.name, profile.node)
    for document in sheet.documents:
        if document.root is not None:
            yield from _in_texts(document.root)
        if "PRIVATE KEY-----" in document.key_text:
            spot = Spot(document.file, 1, 1)
            yield Seen(
                spot, "", "", "this is a private key", "a public key; the private one stays on its agent"
            )


def _in_profile(name: str, top: Node) -> Iterator[Seen]:
    """Look at a profile, its ends, and the objects in it."""
    for key, child in fields(top).items():
        if key in known.SECRETS and isinstance(child.value, str):
            if not said_elsewhere(child.value):
                what = f"`{key}` is written here in clear text, and so in every copy of this file and its history"
                yield seen(
                    top, name, what, '`{"Secret": "NAME"}`, a secret of Control-M\'s own vault', key=key
                )
        elif isinstance(child.value, dict):
            yield from _in_profile(name, child)


def _in_texts(node: Node, key: str = "") -> Iterator[Seen]:
    if isinstance(node.value, dict):
        yield from _in_pair(node)
        for name, child in node.value.items():
            yield from _in_texts(child, name)
    elif isinstance(node.value, list):
        for child in node.value:
            if key == "Variables":
                yield from _in_pair(child)
                yield from _in_variable(child)
            else:
                yield from _in_texts(child, key)
    elif isinstance(node.value, str) and key != "AccessKey" and is_secret(node.value):
        what = f"a password, token or key is written here in clear text, in `{key}`"
        yield Seen(
            node.spot, node.path, "", what, "a reference: an environment variable of the agent, or a vault"
        )


def _in_pair(node: Node) -> Iterator[Seen]:
    name, value = (fields(node)[key] if key else None for key in pair(fields(node)))
    if name is None or value is None or not (isinstance(name.value, str) and isinstance(value.value, str)):
        return
    if is_secret_called(name.value, value.value) and not is_secret(value.value):
        what = (
            f"the value of `{name.value}` is a secret in clear text, which everybody sees who may see the job"
        )
        yield Seen(value.spot, value.path, "", what, "a reference that the job itself resolves")


def _in_variable(node: Node) -> Iterator[Seen]:
    for name, child in fields(node).items():
        value = child.value
        if not isinstance(value, str):
            continue
        if is_secret_called(name, value) or is_secret(value):
            what = f"the variable `{name}` holds a secret in clear text, which everybody sees who may see the job"
            yield Seen(node.keys[name], child.path, "", what, "a reference that the job itself resolves")


def ed25519(sheet: Sheet) -> Iterator[Seen]:
    """A key that Control-M cannot use."""
    what = "Control-M makes and documents RSA and ECDSA keys only: a login with an Ed25519 key is refused"
    expected = "an RSA key of 4096 bits, in PEM"
    for profile in sheet.profiles:
        for protocol, node in ends(profile):
            if protocol == "SFTP" and _ED25519.search(text(node, "PrivateKeyName")):
                yield seen(node, profile.name, what, expected, key="PrivateKeyName")
    for document in sheet.documents:
        if document.key_text:
            if _is_ed25519(document.key_text):
                yield Seen(Spot(document.file, 1, 1), "", "", what, expected)
        elif document.root is not None:
            for node in _texts(document.root):
                if _ED25519_KEY.match(str(node.value)):
                    yield Seen(node.spot, node.path, "", what, expected)


def _is_ed25519(key: str) -> bool:
    if _ED25519_KEY.search(key):
        return True
    armour = _ARMOUR.search(key)
    if not armour:
        return False
    try:
        return b"ssh-ed25519" in base64.b64decode("".join(armour[1].split()))
    except (binascii.Error, ValueError):
        return False


def _texts(node: Node) -> Iterator[Node]:
    if isinstance(node.value, dict):
        for child in node.value.values():
            yield from _texts(child)
    elif isinstance(node.value, list):
        for child in node.value:
            yield from _texts(child)
    elif isinstance(node.value, str):
        yield node


def host_public(sheet: Sheet) -> Iterator[Seen]:
    """The profile goes to the endpoint on the internet."""
    public = re.compile(r"s-[0-9a-f]{8,17}\.server\.transfer\.[a-z0-9-]+\.amazonaws\.com(\.cn)?")
    for profile in sheet.profiles:
        for protocol, node in ends(profile):
            if protocol == "SFTP" and public.fullmatch(text(node, "HostName").lower().rstrip(".")):
                what = (
                    "this is the server's public name: files go over the internet, or the firewall drops them"
                )
                yield seen(
                    node,
                    profile.name,
                    what,
                    "the private endpoint: `vpce-….vpce.amazonaws.com`, or your own name of it",
                    key="HostName",
                )


def no_login(sheet: Sheet) -> Iterator[Seen]:
    """A profile of an AWS Transfer server that logs in with a password."""
    for profile in sheet.profiles:
        for protocol, node in ends(profile):
            aws = text(node, "HostName").lower().rstrip(".").endswith((".amazonaws.com", ".amazonaws.com.cn"))
            if protocol == "SFTP" and aws and not text(node, "PrivateKeyName"):
                what = "it logs in with a password, which the service's own users of AWS Transfer do not have"
                yield seen(node, profile.name, what, "`PrivateKeyName`", key="Password")
