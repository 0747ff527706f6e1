"""What is everything called: files, keys, manifests, receipts; and which names from the other side are plain?

Every key of the system is made here and nowhere else.
"""

from __future__ import annotations

import re
import string
import unicodedata
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from landbridge.errors import IntegrityBroken, UsageError
from landbridge.facts import Slot, Target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from landbridge.feed import Feed

OUTBOUND = "outbound"
RECEIPTS = "receipts"
MANIFESTS = "outbound/_manifests"
ABSENCES = "outbound/_absences"
"""Beside the manifests and not among them: a collector of before knew a file there for a manifest, or for a stranger."""
CANARY = "_canary"
"""Where canaries go: below `outbound/` and `receipts/`, and in the ledger; no day and no folder of a feed is called so."""
CANARY_FEED = "landbridge-canary"
"""The feed of all canaries, which nobody else may have."""

LONGEST_KEY = 1024
"""Bytes of a whole key in S3."""

LONGEST_NAME = 255
"""Bytes: ext4, XFS, NFS; NTFS and SMB count 255 UTF-16 units, which is never less for the names we allow."""

_RESERVED = {
    *("CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"),
    *(f"{port}{n}" for port in ("COM", "LPT") for n in "123456789\u00b9\u00b2\u00b3"),
}
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_OURS = {"_manifests", "_absences", CANARY}
_TAKEN = ", ".join(f"`{name}`" for name in sorted(_OURS))
_FORBIDDEN = set('<>:"|?*\\/')

WORDS = ("ENVIRONMENT", "environment", "business_date", "scheduled_at", "revision", "feed", "variables")


class _Variables:
    """Attribute access for `{variables.NAME}`; nothing else of Python's format syntax gets through."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def pick(self, name: str) -> str:
        if name not in self._values:
            raise UsageError(
                f"no variable `{name}`",
                expected=f"one of {', '.join(sorted(self._values)) or 'none declared'}",
            )
        return self._values[name]


def render(
    template: str,
    slot: Slot,
    *,
    environment: str,
    revision: int = 1,
    variables: Mapping[str, str] | None = None,
    more: Mapping[str, str] | None = None,
) -> str:
    """Fill a template's words; `more` adds words of the place it is used in (a done-file's `name`, a record's `rows`).

    Raises:
        UsageError: an unknown word, or a format that does not fit it.
    """
    values: dict[str, object] = {
        "ENVIRONMENT": environment,
        "environment": environment.lower(),
        "business_date": slot.business_date,
        "scheduled_at": slot.scheduled_at.astimezone(UTC),
        "revision": revision,
        "feed": slot.feed,
        **(more or {}),
    }
    text = ""
    for literal, word, spec, conversion in _parsed(template):
        text += literal
        if word is None:
            continue
        if conversion:
            raise UsageError(f"`!{conversion}` is not allowed in the template `{template}`")
        if word.startswith("variables."):
            text += _Variables(variables or {}).pick(word.removeprefix("variables."))
        elif word in values:
            text += _formatted(template, word, values[word], spec or "")
        else:
            raise UsageError(
                f"unknown word `{{{word}}}` in the template `{template}`",
                expected="one of " + ", ".join(f"`{{{known}}}`" for known in (*values, "variables.NAME")),
            )
    return text


@lru_cache(maxsize=256)
def _parsed(template: str) -> tuple[tuple[str, str | None, str | None, str | None], ...]:
    try:
        return tuple(string.Formatter().parse(template))
    except ValueError as error:
        raise UsageError(
            f"the template `{template}` cannot be read: {error}", hint="write a literal brace twice: {{ or }}"
        ) from error


_DAY_DIRECTIVES = frozenset("YymdjGVuUWbBaA%")
_TIME_DIRECTIVES = _DAY_DIRECTIVES | frozenset("HIMSpf")
_LONGEST_SPEC = 40
_WIDEST = re.compile(r"\d{4}")


@lru_cache(maxsize=256)
def _fits(spec: str, directives: frozenset[str] | None) -> bool:
    """Tell whether a format can be asked of a moment that knows these directives; None: of text or a number."""
    if len(spec) > _LONGEST_SPEC or _WIDEST.search(spec):  # `:09999999` would fill the memory
        return False
    if directives is None:
        return True
    # What strftime does with any other letter depends on the platform, and a day has no hour to tell.
    return all(letter in directives for letter in re.findall(r"%(.?)", spec)) and (not spec or "%" in spec)


def _directives(value: object) -> frozenset[str] | None:
    if not isinstance(value, date):
        return None
    return _TIME_DIRECTIVES if isinstance(value, datetime) else _DAY_DIRECTIVES


def _formatted(template: str, word: str, value: object, spec: str) -> str:
    if isinstance(value, datetime) and not spec:
        spec = "%Y%m%dT%H%MZ"
    if not _fits(spec, _directives(value)):
        raise UsageError(f"the format `:{spec}` does not fit `{{{word}}}` in the template `{template}`")
    try:
        return format(value, spec)
    except ValueError as error:
        raise UsageError(
            f"the format `:{spec}` does not fit `{{{word}}}` in the template `{template}`"
        ) from error


def target(feed: Feed, slot: Slot, environment: str, revision: int, variables: Mapping[str, str]) -> Target:
    """Decide where a revision of a slot goes: its key in the reports bucket, its name on the share, its done-file.

    Raises:
        UsageError: a template cannot be filled, or gives a name that a file system would refuse.
    """

    def fill(template: str, more: Mapping[str, str] | None = None) -> str:
        return render(
            template, slot, environment=environment, revision=revision, variables=variables, more=more
        )

    declared = feed.file
    name = plain_name(fill(declared.name))
    folder = [plain_name(part) for part in fill(declared.folder).strip("/").split("/")]
    landed = plain_name(fill(declared.landed_name)) if declared.landed_name else name
    above = (
        [plain_name(p) for p in fill(declared.landed_folder).strip("/").split("/")]
        if declared.landed_folder
        else []
    )
    done = plain_name(fill(declared.done_file, {"name": landed})) if declared.done_file else ""
    key = "/".join((OUTBOUND, *folder, name))
    if len(key.encode()) > LONGEST_KEY:
        raise UsageError(f"the key {key!r} has {len(key.encode())} bytes, more than {LONGEST_KEY}")
    return Target(
        key=key,
        landed_name="/".join((*above, landed)),
        done_name="/".join((*above, done)) if done else "",
    )


def plain_name(name: str) -> str:
    """Give `name` back if every file system we meet takes it as one plain name.

    Refused: empty, `.`, `..`, separators, control characters, characters that Windows forbids, its reserved
    names, a trailing dot or space, a leading `.`, `_manifests`, `_absences` or `_canary` (ours), text that is not NFC, more than 255 bytes.

    Raises:
        UsageError: it is not plain; the message shows it escaped.

    Source: Microsoft, "Naming Files, Paths, and Namespaces".
    """
    reason = _not_plain(name)
    if reason:
        raise UsageError(
            f"{name!r} cannot be a file name: {reason}",
            expected="one plain name that every file system takes",
        )
    return name


def hostile_name(name: str) -> str:
    """Do what `plain_name` does for a name that came from the other side.

    Raises:
        IntegrityBroken: it is not plain; nothing was done with it.
    """
    reason = _not_plain(name)
    if reason:
        raise IntegrityBroken(
            f"the name {name!r} from the other side is refused: {reason}",
            expected="one plain name that every file system takes",
            hint="look at who wrote it; nothing was downloaded under this name",
        )
    return name


def _not_plain(name: str) -> str:
    if not name or name in {".", ".."}:
        return "it names a folder, not a file"
    if not name.isprintable() and any(unicodedata.category(char) in _INVISIBLE for char in name):
        return "it has a control or invisible character"
    if forbidden := _FORBIDDEN.intersection(name):
        return f"it has {' '.join(sorted(forbidden))}"
    if name[0] in ". " or name.casefold() in _OURS:
        return f"names that start with a dot or a space, and {_TAKEN}, are taken"
    if name[-1] in ". ":
        return "it ends in a dot or a space, which Windows drops"
    if name.split(".", 1)[0].rstrip().upper() in _RESERVED:
        return "Windows reserves it for a device"
    if not unicodedata.is_normalized("NFC", name):
        return "it is not in Unicode NFC, so two names could look the same"
    if len(name.encode()) > LONGEST_NAME:
        return f"it has {len(name.encode())} bytes, more than {LONGEST_NAME}"
    return ""


DRAFTS = "drafts"
QUARANTINE = "quarantine"
WATCH = "watch"
"""Prefixes of the staging bucket: drafts, and what the watch told, expire after the project's `staging_days`; quarantined files do not."""


def staging_key(slot: Slot, sha256: str, suffix: str) -> str:
    """Name staged bytes by what they are: two pods with the same bytes share one object, with others never collide."""
    return f"{DRAFTS}/{slot.feed}/{slot.occurrence}/{sha256}{suffix}"


def quarantine_key(slot: Slot, sha256: str, suffix: str) -> str:
    """Name the kept copy of a file that broke its contract."""
    return f"{QUARANTINE}/{slot.feed}/{slot.occurrence}/{sha256}{suffix}"


def kept_for(key: str) -> tuple[str, str]:
    """Give feed and occurrence of a key that `staging_key` or `quarantine_key` made; empty words for any other key."""
    parts = key.split("/")
    return (parts[1], parts[2]) if len(parts) == _STAGED_PARTS else ("", "")


_STAGED_PARTS = 4


def attempt_prefix(slot: Slot) -> str:
    """Where the durable records of generated but not yet judged files of a slot lie (in the ledger)."""
    return f"{slot.business_date}/{slot.feed}/{slot.occurrence}/attempts/"


def failure_prefix(slot: Slot) -> str:
    """Where the records of attempts on a slot that failed lie (in the ledger)."""
    return f"{slot.business_date:%Y-%m-%d}/{slot.feed}/{slot.occurrence}/failures/"


def ledger_key(slot: Slot, revision: int) -> str:
    """The commitment of a revision: `2026-11-20/flights/2026-11-20/0001.json`."""
    return f"{slot.business_date}/{slot.feed}/{slot.occurrence}/{revision:04d}.json"


def promotion_key(slot: Slot, revision: int) -> str:
    """The record of a revision's release: `2026-11-20/flights/2026-11-20/0001.promotion.json`."""
    return ledger_key(slot, revision).removesuffix(".json") + ".promotion.json"


def slot_prefix(slot: Slot) -> str:
    """The prefix that holds everything of one slot in the ledger."""
    return ledger_key(slot, 1).rpartition("/")[0] + "/"


def contract_key(sha256: str) -> str:
    """Where the ledger keeps the text of a contract that something was judged by: the same text once, whoever uses it."""
    return f"contracts/{sha256}.odcs.yaml"


def ledger_day(business_date: date) -> str:
    """The prefix that holds everything of one business date."""
    return f"{business_date}/"


def manifest_name(feed: str, occurrence: str, revision: int) -> str:
    """The last part of a manifest's, absence's or receipt's key: `flights.2026-11-20.0001.json`."""
    return f"{feed}.{occurrence}.{revision:04d}.json"


def manifest_key(slot: Slot, revision: int) -> str:
    """A manifest's key in the reports store: `outbound/_manifests/2026-11-20/flights.2026-11-20.0001.json`."""
    return f"{MANIFESTS}/{slot.business_date}/{manifest_name(slot.feed, slot.occurrence, revision)}"


def absence_key(slot: Slot, revision: int) -> str:
    """An absence's key in the reports store: `outbound/_absences/2026-11-20/flights.2026-11-20.0001.json`."""
    return f"{ABSENCES}/{slot.business_date}/{manifest_name(slot.feed, slot.occurrence, revision)}"


def manifest_day(key: str) -> date | None:
    """Give the business date of a manifest by its key; None for any other key."""
    if not key.startswith(f"{MANIFESTS}/"):
        return None
    try:
        return date.fromisoformat(key.removeprefix(f"{MANIFESTS}/").partition("/")[0])
    except ValueError:
        return None


def receipt_key(feed: str, occurrence: str, revision: int, business_date: date) -> str:
    """A receipt's key in the reports store: `receipts/2026-11-20/flights.2026-11-20.0001.json`."""
    return f"{RECEIPTS}/{business_date}/{manifest_name(feed, occurrence, revision)}"


def credential_of(path: str) -> str:
    """Give the name under which systemd lends a file of the declaration: a `/` is not allowed in one."""
    return path.strip("/").replace("/", "-")
