"""How does a notice get to a program or a chat? One POST of JSON to a URL that is a secret."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import urllib3

from landbridge import __version__
from landbridge.errors import NotPermitted, Unavailable, UsageError
from landbridge.telling import document

if TYPE_CHECKING:
    from landbridge.notices import Notice

_OK = range(200, 300)
_REFUSED = {401, 403}
_AGAIN = {408, 425, 429, *range(500, 600)}
_PATIENCE = urllib3.Timeout(connect=10, read=30)


class Webhook:
    """A URL that takes a JSON document; obeys ports.Teller. The URL is in no message: whoever has it may post."""

    def __init__(self, url: str) -> None:
        self.name = "webhook"
        self._url = url

    def tell(self, notice: Notice) -> None:
        """Post it, once, and follow no redirect; see ports.Teller."""
        try:
            with urllib3.PoolManager(retries=False, timeout=_PATIENCE) as pool:
                status = pool.request(
                    "POST",
                    self._url,
                    body=json.dumps(document(notice)).encode(),
                    headers={
                        "Content-Type": "application/json",
                        "User-Agent": f"landbridge/{__version__}",
                    },
                    redirect=False,
                ).status
        except urllib3.exceptions.LocationValueError:
            raise UsageError(
                "the webhook's address is no URL",
                expected="https://HOST/PATH",
                hint="correct `watch.webhook`, or the secret that it refers to",
            ) from None
        except urllib3.exceptions.HTTPError as error:
            # Not chained: the library's text has the URL in it.
            raise Unavailable("the webhook gave no answer", seen=type(error).__name__) from None
        if status in _OK:
            return
        if status in _REFUSED:
            raise NotPermitted("the webhook refused the notice", seen=f"HTTP {status}")
        if status in _AGAIN:
            raise Unavailable("the webhook cannot take the notice now", seen=f"HTTP {status}")
        raise UsageError("the webhook does not take the notice", seen=f"HTTP {status}")
