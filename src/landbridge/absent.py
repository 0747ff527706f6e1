"""Does the server say of a slot that no file of it comes? It does where a skip or a waiver is on record, and nothing was released or judged since."""

from __future__ import annotations

from typing import TYPE_CHECKING

from landbridge.errors import NotFound, NotPermitted
from landbridge.facts import OWES_NOTHING
from landbridge.ledger import absence_from
from landbridge.naming import ABSENCES, MANIFESTS
from landbridge.released import belongs, newest_named

if TYPE_CHECKING:
    from landbridge.facts import Absence, Slot
    from landbridge.world import Ground


def absent(ground: Ground, slot: Slot) -> Absence | None:
    """Give the newest absence of a slot of which nothing is released, if it says that no file is owed; None for any other slot.

    The manifests are listed last: so the answer was true at that moment, and a revision that a person has made since, or is about to
    make, is seen by whoever looks next. Two listings and one small file, of the one business date.

    A server that shows no absences leaves the wait as it was.

    Raises:
        IntegrityBroken: what stands there under the slot's name is not to be trusted.
        Unavailable, NotPermitted: the server cannot be asked.
    """
    day = slot.business_date
    try:
        named, _ = newest_named(ground.remote.files(f"/{ABSENCES}/{day}"), (slot.feed,))
        file = next((file for file, _, occurrence, _ in named if occurrence == slot.occurrence), None)
        if file is None:
            return None
        body = ground.remote.read(file.path)
    except (
        NotPermitted,
        NotFound,
    ):  # a role that is narrower than ours, or somebody took it away: nothing says that no file comes
        return None
    found = absence_from(body, file.name)
    belongs(ground, found, f"the absence {file.name}", day)
    if found.verdict not in OWES_NOTHING:  # it takes back what the ones before it say
        return None
    manifests = ground.remote.files(f"/{MANIFESTS}/{day}")
    return None if any(one.name.startswith(f"{slot.feed}.{slot.occurrence}.") for one in manifests) else found
