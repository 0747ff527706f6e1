"""Which keys may the SFTP server show?"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from landbridge.project import Place
    from landbridge.wiring.secrets import References


def pins(place: Place, references: References) -> tuple[str, ...]:
    """Give the pinned host keys of an environment; a file may hold several lines, as while one is being replaced."""
    return tuple(
        line.strip()
        for declared in place.sftp.host_keys
        for line in references.text(declared).splitlines()
        if line.strip()
    )
