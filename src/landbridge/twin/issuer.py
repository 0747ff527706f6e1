"""Who vouches for a pod's service account? On EKS the cluster's OIDC issuer; in the twin this one.

It serves its discovery document and public keys on loopback, and keeps a projected token in a file for each
service account, replaced before it runs out, as the kubelet does.

Source: Kubernetes, "Service account token volume projection"; OpenID Connect Discovery 1.0.
"""

from __future__ import annotations

import base64
import json
import secrets
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, NamedTuple

from landbridge.twin.files import private_folder, write_private
from landbridge.twin.ports import LOOPBACK, free, is_free

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    from landbridge.deploy.needs import Trust

LIFETIME = 3600
"""Seconds a token holds; the kubelet's default, and its least is 600."""


class Projected(NamedTuple):
    """A token to keep fresh: whose it is, and the file it lies in."""

    trust: Trust
    path: Path


class Issuer:
    """One issuer with one signing key (RSA, kept in its folder, so that tokens outlive a restart)."""

    def __init__(self, folder: Path, port: int | None = None) -> None:
        """Use the key in `folder`, or make one; listen on `port` if it is free, else on another one."""
        self._folder = private_folder(folder)
        self._key = _key(folder / "issuer.pem")
        self._key_id = _key_id(self._key)
        self.port = port if port and is_free(port) else free(1)[0]
        self.url = f"http://{LOOPBACK}:{self.port}"

    def token(self, trust: Trust, *, now: float, lifetime: int = LIFETIME) -> str:
        """Mint the token of a service account, with the claims that Kubernetes puts into one."""
        import jwt

        claims = {
            "iss": self.url,
            "sub": trust.subject,
            "aud": trust.audience,  # Kubernetes writes a list of this one; SeaweedFS' `oidc:aud` wants the text
            "iat": int(now),
            "nbf": int(now),
            "exp": int(now) + lifetime,
            "jti": secrets.token_hex(16),
            "kubernetes.io": {
                "namespace": trust.namespace,
                "serviceaccount": {"name": trust.service_account},
            },
        }
        return jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": self._key_id})

    @contextmanager
    def serving(self, projected: tuple[Projected, ...], *, lifetime: int = LIFETIME) -> Iterator[None]:
        """Answer on the port and keep the projected tokens fresh until the end of the `with`.

        The tokens are there when it is entered; each is replaced after 80 % of its life.
        """
        server = ThreadingHTTPServer((LOOPBACK, self.port), _answers(self.documents()))
        server.daemon_threads = True
        over = threading.Event()
        self._project(projected, lifetime)
        threads = (
            threading.Thread(target=server.serve_forever, args=(0.1,), name="issuer"),
            threading.Thread(target=self._refresh, args=(projected, lifetime, over), name="tokens"),
        )
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            over.set()
            server.shutdown()
            server.server_close()
            for thread in threads:
                thread.join()

    def documents(self) -> dict[str, dict[str, object]]:
        """Give what the issuer publishes, by path."""
        numbers = self._key.public_key().public_numbers()
        key = {
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": self._key_id,
            "n": _base64(numbers.n),
            "e": _base64(numbers.e),
        }
        return {
            "/keys": {"keys": [key]},
            "/.well-known/openid-configuration": {
                "issuer": self.url,
                "jwks_uri": f"{self.url}/keys",
                "response_types_supported": ["id_token"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
            },
        }

    def _project(self, projected: tuple[Projected, ...], lifetime: int) -> None:
        for trust, path in projected:
            write_private(path, self.token(trust, now=time.time(), lifetime=lifetime))

    def _refresh(self, projected: tuple[Projected, ...], lifetime: int, over: threading.Event) -> None:
        while not over.wait(lifetime * 0.8):
            self._project(projected, lifetime)


def _answers(documents: dict[str, dict[str, object]]) -> type[BaseHTTPRequestHandler]:
    class Answers(BaseHTTPRequestHandler):
        """GET of the published documents, and nothing else."""

        def do_GET(self) -> None:
            """Answer one request."""
            document = documents.get(self.path)
            body = json.dumps(document or {"error": "not found"}).encode()
            self.send_response(200 if document else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the standard library
            """Stay silent: whoever asks is on this machine."""

    return Answers


def _key(path: Path) -> RSAPrivateKey:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    if not path.exists():
        made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        write_private(
            path,
            made.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
        )
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError(path)
    return key


def _key_id(key: RSAPrivateKey) -> str:
    import hashlib

    return hashlib.sha256(_base64(key.public_key().public_numbers().n).encode()).hexdigest()[:16]


def _base64(number: int) -> str:
    body = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(body).rstrip(b"=").decode()
