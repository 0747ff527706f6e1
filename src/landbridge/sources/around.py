"""What does a source need to know of the world around it, and what of that must never be shown?"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from landbridge import hidden, naming
from landbridge.errors import UsageError
from landbridge.feed.words import is_reference

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from landbridge.facts import Slot
    from landbridge.ports import Clock, Progress, Secrets, Store

_SHORTEST_HIDDEN = 3
"""A shorter secret would turn ordinary text into stars."""
_USER_IN_URL = re.compile(r"(?<=://)[^/?#\s@]*@")


class Silent:
    """The progress that nobody watches."""

    def start(self, step: str, total: int | None, unit: str) -> None:
        """Say nothing."""

    def advance(self, step: str, amount: int) -> None:
        """Say nothing."""

    def finish(self, step: str) -> None:
        """Say nothing."""


@dataclass(frozen=True, slots=True)
class Around:
    """The project's folder, the environment and its variables, and the ports that every kind of source uses."""

    folder: Path
    environment: str
    variables: Mapping[str, str]
    secrets: Secrets
    clock: Clock
    progress: Progress
    stores: Callable[[str], Store] | None = None
    """Gives the store named `s3://bucket`, for files that lie in a bucket."""
    known: set[str] = field(default_factory=set)
    """Secrets that were resolved so far, in all their forms."""

    def text(self, template: str, slot: Slot, more: Mapping[str, str] | None = None) -> str:
        """Fill a template for `slot`.

        Raises:
            UsageError: an unknown word, or a format that does not fit it.
        """
        return naming.render(
            template, slot, environment=self.environment, variables=self.variables, more=more
        )

    def resolved(self, text: str, slot: Slot) -> str:
        """Give what a reference refers to, or plain text with its words filled in. The whole may be shown, its user part not.

        Raises:
            UsageError: it looks like a URL and is none.
        """
        if not is_reference(text):
            return self.text(text, slot)
        value = self.secrets.resolve(text).strip()
        try:
            self._learn(urlsplit(value).password if "://" in value else None)
        except ValueError:  # not chained: a library's text may hold the URL
            raise UsageError(f"what `{text}` refers to is no URL", expected="scheme://host/...") from None
        return value

    def secret(self, reference: str) -> str:
        """Resolve a secret; from now on `shown` hides it."""
        value = self.secrets.resolve(reference).strip("\r\n")
        self._learn(value)
        return value

    def learn(self, secret: str) -> None:
        """Hide `secret` too: a token that a server gave, for instance."""
        self._learn(secret)

    def shown(self, text: str) -> str:
        """Give `text` fit for logs, errors and evidence: no secret, and no user or password in a URL."""
        return _USER_IN_URL.sub("***@", hidden.without(text, self.known))

    def shown_beginning(self, text: str, most: int) -> str:
        """Do as `shown` for the first `most` characters; no beginning of a secret is left where it is cut."""
        return _USER_IN_URL.sub("***@", hidden.beginning(text, most, self.known))[:most]

    def _learn(self, secret: str | None) -> None:
        if secret and len(secret) >= _SHORTEST_HIDDEN:
            self.known.update(hidden.forms(secret))


def without_user(url: str) -> str:
    """Give a URL without its user part."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=host))


def inside(folder: Path, text: str) -> Path:
    """Give the path that `text` names, from the project's folder unless it is absolute."""
    if "\0" in text:
        raise UsageError(f"{text!r} is not a path")
    return folder / text
