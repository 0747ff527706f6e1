"""What would change in Control-M, and what is there already?"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from landbridge.deploy.controlm.api.difference import compare
from landbridge.deploy.controlm.api.given import CALENDARS
from landbridge.deploy.controlm.api.record import without

if TYPE_CHECKING:
    from collections.abc import Mapping

    from landbridge.deploy.controlm.api.calls import AutomationApi
    from landbridge.deploy.controlm.api.difference import Part
    from landbridge.deploy.controlm.api.given import Document, Given
    from landbridge.deploy.controlm.api.record import Known


@dataclass(frozen=True, slots=True)
class Step:
    """One of the two documents, and what deploying it would change."""

    document: Document
    parts: tuple[Part, ...]

    @property
    def changes(self) -> tuple[Part, ...]:
        """What is not as declared."""
        return tuple(part for part in self.parts if part.action != "None")

    @property
    def removed(self) -> tuple[str, ...]:
        """Names of jobs that would be gone."""
        return tuple(part.name for part in self.parts if part.action == "Remove")

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of what is declared and not there."""
        return tuple(part.name for part in self.parts if part.action == "Add")

    @property
    def digest(self) -> str:
        """Of what would be sent and of what it would change; hexadecimal."""
        seen = [self.document.text, [asdict(part) for part in self.parts]]
        return sha256(json.dumps(seen, separators=(",", ":")).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Plan:
    """Both steps; the first one is the rarer and needs more rights."""

    given: Given
    profiles: Step
    folder: Step

    @property
    def digest(self) -> str:
        """One part for each step."""
        return f"{self.profiles.digest}-{self.folder.digest}"

    @property
    def there(self) -> bool:
        """Tell whether folder and profiles exist, however they look."""
        return not self.profiles.missing and not {*self.given.folders} & {*self.folder.missing}


def plan(api: AutomationApi, given: Given, known: Known) -> Plan:
    """Compare both documents with what is deployed; changes nothing.

    Raises:
        NotPermitted, Unavailable, TryAgain, UsageError: as failures.refused says.
    """
    return Plan(given, look_at_profiles(api, given, known), look_at_folder(api, given, known))


def look_at_profiles(api: AutomationApi, given: Given, known: Known) -> Step:
    """Compare the connection profiles."""
    parts = tuple(
        part
        for name, declared in given.profiles.definitions.items()
        for part in compare(name, declared, api.profile(name))
    )
    return Step(given.profiles, without(parts, known))


def look_at_folder(api: AutomationApi, given: Given, known: Known) -> Step:
    """Compare the folders, and the calendars that they use."""
    parts = tuple(
        part
        for name, declared in given.folder.definitions.items()
        for part in compare(name, declared, _deployed(api, given, name, declared["Type"]))
    )
    return Step(given.folder, without(parts, known))


def _deployed(api: AutomationApi, given: Given, name: str, kind: str) -> Mapping[str, Any] | None:
    return api.calendar(given.server, name) if kind == CALENDARS else api.folder(given.server, name)
