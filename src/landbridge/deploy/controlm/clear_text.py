"""Is a secret written out here? What its name and its text tell; the linter asks, and what renders `controlm.extra`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_SAID_ELSEWHERE = re.compile(r"^(\s*|\*+|%%.*|\$\{.*\}|\{\{.*\}\}|<.*>)$", re.DOTALL)
"""A variable, a placeholder that something fills in before the deployment, or the stars of an export."""
_NAME = re.compile(
    r"(PASS(WORD|WD|PHRASE)?|PWD|SECRET|TOKEN|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|CREDENTIALS?)[0-9]*$",
    re.IGNORECASE,
)
_TEXT = re.compile(
    r"(?<![A-Z0-9])A[KS]IA[0-9A-Z]{16}(?![0-9A-Z])"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY"
    r"|[A-Za-z][\w+.-]*://[^/\s:@%$<{]+:(?![%$<{*])[^/\s@]+@"
    r"|(?<!\w)eyJ[\w-]{8,}\.[\w-]{8,}\."
    r"|Authorization:\s*(?:Bearer|Basic)\s+(?![%$<{])[\w.~+/=-]{8,}"
    r"|(?<![\w-])(?:--?(?:password|passwd|passphrase|secret|token|api[-_]?key))[= ]\s*[\"']?(?![%$<{*\"'-])[^\s\"']{3,}"
    r"|(?<!\w)(?:PASSWORD|PASSWD|PGPASSWORD|SSHPASS|AWS_SECRET_ACCESS_KEY|API_KEY|TOKEN)=[\"']?(?![%$<{*\"'])[^\s\"';]{3,}"
    r"|(?<!\w)sshpass\s+-p\s*(?![%$<{])\S+",
    re.IGNORECASE,
)


def is_secret(text: str) -> bool:
    """Tell whether a text carries a secret, whatever it is called: a key, a token, a password on a command line or in a URL."""
    return _TEXT.search(text) is not None


def said_elsewhere(value: str) -> bool:
    """Tell whether a value only says where the secret is."""
    return _SAID_ELSEWHERE.match(value) is not None


def is_secret_called(name: str, value: str) -> bool:
    """Tell whether a value stands in clear text under a name of secrets: `DBPWD`, `API_KEY`."""
    return _NAME.search(name) is not None and not said_elsewhere(value)


def pair(fields: Mapping[str, object]) -> tuple[str, str]:
    """Give the keys of a name and its value in an object that is such a pair (`{"Name": .., "Value": ..}`), else empty texts."""
    found = {str(key).lower(): str(key) for key in fields}
    return (found["name"], found["value"]) if found.keys() >= {"name", "value"} else ("", "")
