"""Does the twin's token issuer do what a cluster's does?"""

from __future__ import annotations

import json
import stat
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import jwt
import pytest

from landbridge.deploy.needs import Trust
from landbridge.twin.issuer import Issuer, Projected

if TYPE_CHECKING:
    from pathlib import Path

TRUST = Trust("acme", "landbridge")


def _get(url: str) -> dict[str, object]:
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - loopback
        document: dict[str, object] = json.load(answer)
    return document


def test_a_projected_token_can_be_verified_from_what_is_published(tmp_path: Path) -> None:
    issuer = Issuer(tmp_path / "issuer")
    with issuer.serving((Projected(TRUST, tmp_path / "token"),)):
        published = _get(f"{issuer.url}/.well-known/openid-configuration")
        assert published["issuer"] == issuer.url
        token = (tmp_path / "token").read_text()
        key = jwt.PyJWKClient(str(published["jwks_uri"])).get_signing_key_from_jwt(token)
        claims = jwt.decode(token, key, algorithms=["RS256"], audience=TRUST.audience, issuer=issuer.url)
    assert claims["sub"] == "system:serviceaccount:acme:landbridge"
    assert claims["exp"] - claims["iat"] == 3600
    assert stat.S_IMODE((tmp_path / "token").stat().st_mode) == 0o600


def test_nothing_else_is_published(tmp_path: Path) -> None:
    issuer = Issuer(tmp_path / "issuer")
    with issuer.serving(()):
        for path in ("/", "/issuer.pem", "/../issuer/issuer.pem", "/keys/"):
            with pytest.raises(urllib.error.HTTPError, match="404"):
                _get(issuer.url + path)


def test_a_token_is_replaced_before_it_runs_out(tmp_path: Path) -> None:
    issuer, path = Issuer(tmp_path / "issuer"), tmp_path / "token"
    with issuer.serving((Projected(TRUST, path),), lifetime=2):
        first = path.read_text()
        until = time.monotonic() + 60
        while (later := path.read_text()) == first and time.monotonic() < until:
            time.sleep(0.05)
    before, after = (jwt.decode(token, options={"verify_signature": False}) for token in (first, later))
    assert after["exp"] > before["exp"]
    assert after["jti"] != before["jti"]


def test_tokens_of_before_a_restart_are_signed_with_the_same_key(tmp_path: Path) -> None:
    first = Issuer(tmp_path / "issuer")
    again = Issuer(tmp_path / "issuer", first.port)
    assert again.documents()["/keys"] == first.documents()["/keys"]
    assert again.url == first.url
