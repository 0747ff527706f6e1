"""Could two files ever get the same name: two slots, revisions, feeds or environments?

Every pair within the sample of slots that `times` gives is compared, names without regard to case.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING, Literal

from landbridge.errors import UsageError
from landbridge.feed.words import is_reference
from landbridge.naming import OUTBOUND, target
from landbridge.schedule import is_frequent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from landbridge.declare.text import Document, Where
    from landbridge.declare.written import WrittenFeed
    from landbridge.errors import Problem
    from landbridge.facts import Slot, Target
    from landbridge.project import Place, Project

_REVISIONS = (1, 2)
_REVISED = 3
"""Slots whose second revision is looked at too; the others would show nothing new."""
_BUCKET = r"a bucket of its own: write `{environment}` into its name"


def check_places(
    project: Project, document: Document, places: Sequence[Place], feeds: Sequence[WrittenFeed]
) -> None:
    """Note environments that would write each other's records, whatever their files are called."""
    noted: set[Where] = set()
    for one, other in combinations(places, 2):
        shared = [
            each.feed.feed
            for each in feeds
            if one.environment in each.environments and other.environment in each.environments
        ]
        for role in ("reports", "ledger"):
            where = where_of(project, other.environment, "buckets", role)
            if shared and where not in noted and _bucket(one, role) == _bucket(other, role):
                noted.add(where)
                what = f"`{one.environment}` and `{other.environment}` would share the {role} bucket, and feed `{shared[0]}` is in both"
                document.problems.append(
                    document.problem(where, what, expected=_BUCKET, seen=getattr(other.buckets, role))
                )
    for place in places:
        where = where_of(project, place.environment, "buckets", "staging")
        if place.buckets.staging in {place.buckets.reports, place.buckets.ledger} and where not in noted:
            noted.add(where)
            what = "the staging bucket forgets its content after some days, so it can be no other bucket too"
            document.problems.append(document.problem(where, what, seen=place.buckets.staging))


def where_of(project: Project, environment: str, part: str, key: str) -> Where:
    """Tell where a text of an environment stands: in the environment, or in the project for all."""
    own = getattr(project.environments[environment], part)
    return (part, key) if own is None else ("environments", environment, part, key)


def _bucket(place: Place, role: str) -> tuple[str, str, str]:
    prefix = place.buckets.ledger_prefix if role == "ledger" else ""
    return getattr(place.buckets, role), prefix, place.buckets.endpoint or ""


def check_names(places: Sequence[Place], feeds: Iterable[WrittenFeed]) -> None:
    """Note names of files that could meet, in the reports bucket or on the share; each in the later feed's document."""
    ordered = sorted(feeds, key=lambda each: each.document.file)
    by_name = {place.environment: place for place in places}
    # What keeps the slots of one feed apart is the same in every environment.
    distinct = [each for each in ordered if _own_names_differ(each, by_name[each.environments[0]])]
    claims = [
        claim
        for each in distinct
        for environment in each.environments
        for claim in _claims(_Files(each, by_name[environment]))
    ]
    taken: dict[tuple[str, object, str], _Claim] = {}
    noted: set[str] = set()
    for claim in claims:
        written = claim.files.written
        if any(claim.may_meet(other) for other in claims) and written.feed.feed not in noted:
            for name in claim.names():
                other = taken.setdefault((claim.kind, claim.room, name), claim)
                if other.owner != claim.owner:
                    noted.add(written.feed.feed)
                    written.document.problems.append(_met(claim, other, name))
                    break


@dataclass(frozen=True)
class _Files:
    """What a feed makes in one environment, as far as the sample of slots goes."""

    written: WrittenFeed
    place: Place

    @cached_property
    def targets(self) -> tuple[Target, ...]:
        return tuple(
            _target(self.written, self.place, slot, revision)
            for slot in self.written.slots
            for revision in _REVISIONS
        )


@dataclass(frozen=True, slots=True)
class _Claim:
    """The names that a feed takes in one room: a reports bucket, or a share."""

    files: _Files
    kind: Literal["remote", "landed"]
    room: object
    begins: str
    """What all the names begin with, without regard to case."""

    @property
    def owner(self) -> tuple[str, str]:
        # Two environments in one bucket are refused as a whole, see check_places.
        return self.files.written.feed.feed, "" if self.kind == "remote" else self.files.place.environment

    def may_meet(self, other: _Claim) -> bool:
        """Tell whether names could be the same, so that comparing all of them is worth the time."""
        return (
            (self.kind, self.room) == (other.kind, other.room)
            and self.owner != other.owner
            and (self.begins.startswith(other.begins) or other.begins.startswith(self.begins))
        )

    def names(self) -> Iterator[str]:
        for to in self.files.targets:
            names = (to.key,) if self.kind == "remote" else (to.landed_name, to.done_name)
            yield from (name.casefold() for name in names if name)


def _claims(files: _Files) -> Iterator[_Claim]:
    file, place = files.written.feed.file, files.place
    remote = f"{OUTBOUND}/{file.folder.strip('/')}/{file.name}"
    landed = f"{file.landed_folder.strip('/')}/" if file.landed_folder else ""
    landed += file.landed_name or file.name
    yield _Claim(files, "remote", _bucket(place, "reports"), _beginning(remote, place))
    yield _Claim(files, "landed", _share(place), _beginning("" if file.done_file else landed, place))


def _beginning(template: str, place: Place) -> str:
    """Give what a filled template surely begins with."""
    filled = template.replace("{ENVIRONMENT}", place.environment).replace(
        "{environment}", place.environment.lower()
    )
    return filled.partition("{")[0].casefold()


def _met(claim: _Claim, other: _Claim, name: str) -> Problem:
    file = claim.files.written.feed.file
    where: Where = ("file", "landed_name" if claim.kind == "landed" and file.landed_name else "name")
    (feed, environment), (mine, own) = other.owner, claim.owner
    if feed != mine:
        who, hint = f"the feeds `{feed}` and `{mine}`", "give one of them another folder or name"
    else:
        who = f"`{mine}` of `{environment}` and of `{own}`"
        hint = "write `{environment}` into the share's path, or `{ENVIRONMENT}` into the name"
    on = "remote key" if claim.kind == "remote" else "name on the share"
    return claim.files.written.document.problem(
        where, f"{who} would have the same {on}", seen=name, hint=hint
    )


def _target(written: WrittenFeed, place: Place, slot: Slot, revision: int) -> Target:
    return target(written.feed, slot, place.environment, revision, place.variables)


def _share(place: Place) -> object:
    """Tell shares apart; what a reference means is only known where the collector of that environment runs."""
    return (place.environment, place.share.path) if is_reference(place.share.path) else place.share.path


def _own_names_differ(written: WrittenFeed, place: Place) -> bool:
    """Compare the names of one feed with each other; add at most one problem."""
    document = written.document
    try:
        first = _target(written, place, written.slots[0], 1)
        shared = _shared(written, place)
    except UsageError as error:  # a name that only some slots make too long
        document.problems.append(document.problem(("file", "name"), error.what, expected=error.expected))
        return False
    if shared:
        document.problems.append(
            document.problem(
                ("file", "name"),
                f"{' and '.join(shared)} would have the same remote key",
                expected="a key that nothing else can have",
                seen=first.key,
                hint=f"add {' and '.join(shared.values())} to the name or the folder (`landed_name` may stay without)",
            )
        )
    elif first.done_name.casefold() == first.landed_name.casefold():
        what = "the done-file would have the name of the file itself"
        hint = "for instance `{name}.done`"
        document.problems.append(document.problem(("file", "done_file"), what, hint=hint))
        return False
    return not shared


def _shared(written: WrittenFeed, place: Place) -> dict[str, str]:
    """Tell who would share a key (two slots, two revisions), each with the word that is missing in the template."""
    frequent = is_frequent(written.feed.schedule)
    word = "`{scheduled_at:%Y%m%dT%H%MZ}`" if frequent else "`{business_date:%Y%m%d}`"
    seen: dict[str, tuple[Slot, int]] = {}
    slots: dict[str, str] = {}
    revisions: dict[str, str] = {}
    for at, slot in enumerate(written.slots):
        for revision in _REVISIONS if at < _REVISED else _REVISIONS[:1]:
            key = _target(written, place, slot, revision).key.casefold()
            other_slot, other_revision = seen.setdefault(key, (slot, revision))
            if other_slot != slot and not slots:
                slots = {f"the slots {other_slot.occurrence} and {slot.occurrence}": word}
            elif other_slot == slot and other_revision != revision:
                revisions = {f"the revisions {other_revision} and {revision} of a slot": "`{revision:03d}`"}
    return slots | revisions
