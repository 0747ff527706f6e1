"""How does a request prove who asks?"""

from __future__ import annotations

import threading
from base64 import b64encode
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, assert_never
from urllib.parse import quote_plus, urlencode, urlsplit

import orjson

from landbridge.errors import ContractBroken, NotPermitted
from landbridge.feed.inputs import ApiKey, Basic, Bearer, OAuth2ClientCredentials
from landbridge.sources.rest.http import Http, Request

if TYPE_CHECKING:
    from landbridge.facts import Slot
    from landbridge.feed.inputs import Auth
    from landbridge.sources.around import Around

_LIFE = timedelta(hours=1)
"""Of a token whose server does not say (RFC 6749, 5.1 leaves it open)."""
_LONGEST = timedelta(days=366)
_EARLY = 0.1
"""A token is fetched anew when this part of its life is left."""


class Credentials:
    """The declared credentials of one source, resolved when they are first needed."""

    def __init__(self, name: str, declared: Auth | None, around: Around, slot: Slot, http: Http) -> None:
        self._name = name
        self._declared = declared
        self._around = around
        self._slot = slot
        self._http = http
        self._lock = threading.Lock()
        self._token = ""
        self._good_until: datetime | None = None

    def add(self, request: Request) -> Request:
        """Give the request with the credentials in it.

        Raises:
            NotPermitted: the token endpoint refuses the client.
            UsageError, Unavailable: from the secret's store, or from the token endpoint.
        """
        match self._declared:
            case None:
                return request
            case Bearer(token=token):
                return _with_header(request, "Authorization", f"Bearer {self._around.secret(token)}")
            case ApiKey(name=name, value=value, place="header"):
                return _with_header(request, name, self._around.secret(value))
            case ApiKey(name=name, value=value):
                return replace(request, parameters={**request.parameters, name: self._around.secret(value)})
            case Basic(user=user, password=password):
                pair = f"{self._around.resolved(user, self._slot)}:{self._around.secret(password)}"
                return _with_header(request, "Authorization", f"Basic {self._encoded(pair)}")
            case OAuth2ClientCredentials() as declared:
                return _with_header(request, "Authorization", f"Bearer {self._access_token(declared)}")
            case _ as unknown:
                assert_never(unknown)

    def renew(self) -> bool:
        """Forget a token that was refused although it should still be good; False where there is none to renew."""
        with self._lock:
            had = bool(self._token)
            self._token = ""
        return had

    def _encoded(self, pair: str) -> str:
        encoded = b64encode(pair.encode()).decode()
        self._around.learn(encoded)
        return encoded

    def _access_token(self, declared: OAuth2ClientCredentials) -> str:
        with self._lock:
            now = self._around.clock.now()
            if not self._token or self._good_until is None or now >= self._good_until:
                answer = self._asked(declared)
                token, life = answer.get("access_token"), answer.get("expires_in")
                if not isinstance(token, str) or not token:
                    raise ContractBroken(
                        f"source `{self._name}`: the token endpoint {_bare(declared.token_url)} gives no `access_token`"
                    )
                self._token = token
                self._around.learn(token)
                self._good_until = now + _lasting(life) * (1 - _EARLY)
            return self._token

    def _asked(self, declared: OAuth2ClientCredentials) -> dict[str, Any]:
        """Ask for a token: the client in the header, as every server must take it, else in the form (RFC 6749, 2.3.1)."""
        client = self._around.resolved(declared.client_id, self._slot)
        secret = self._around.secret(declared.client_secret)
        form = {"grant_type": "client_credentials", **declared.parameters}
        if declared.scope:
            form["scope"] = declared.scope
        header = f"Basic {self._encoded(f'{quote_plus(client)}:{quote_plus(secret)}')}"
        url = self._around.resolved(declared.token_url, self._slot)
        try:
            return self._posted(url, form, {"Authorization": header})
        except (NotPermitted, ContractBroken):
            return self._posted(url, {**form, "client_id": client, "client_secret": secret}, {})

    def _posted(self, url: str, form: dict[str, str], headers: dict[str, str]) -> dict[str, Any]:
        headers = {"Content-Type": "application/x-www-form-urlencoded", **headers}
        try:
            answer = self._http.send(Request(url, {}, headers, "POST", urlencode(form).encode()))
            body = orjson.loads(answer.body)
        except ContractBroken as error:  # 400 is what RFC 6749 (5.2) answers to a client it does not know
            raise NotPermitted(
                f"source `{self._name}`: the token endpoint {_bare(url)} gives no token",
                seen=error.seen or error.what,
            ) from error
        except orjson.JSONDecodeError as error:
            raise ContractBroken(
                f"source `{self._name}`: the token endpoint {_bare(url)} does not answer in JSON"
            ) from error
        return body if isinstance(body, dict) else {}


def _lasting(said: object) -> timedelta:
    """Give how long a token is good, from what its server says in seconds: often a number, also as text, or anything."""
    try:
        return min(timedelta(seconds=float(said)), _LONGEST) if isinstance(said, (int, float, str)) else _LIFE
    except (ValueError, OverflowError):
        return _LIFE


def _with_header(request: Request, name: str, value: str) -> Request:
    return replace(request, headers={**request.headers, name: value})


def _bare(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
