"""Does what another mover brought land whole, once and in order, whatever people decide meanwhile, and whoever is killed?

Files come into holding in every manner: whole, torn, wrong, twice, late, with the manifest first, last or never. Jobs land
them, collectors collect beside, pods run, and people correct, release, reject and waive. Anybody may be killed, the share's
machine may lose power, or one call of a port may fail. Then the mover brings everything once more, properly, and the job lands it.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import TYPE_CHECKING

from landbridge.decisions import redrive, reject, release, waive
from landbridge.facts import Verdict
from landbridge.ledger import Ledger
from landbridge.naming import manifest_name
from landbridge.share.platform import Way
from reliability.checker import judge
from reliability.collectors import ROOT
from reliability.faults import FAULTS, Nth
from reliability.figures import Figure
from reliability.histories import Broken
from reliability.holding import HOLDING, WHOLE, Manner, Yard
from reliability.kinds import CHANGING, ENVIRONMENT, Kind
from reliability.memory_s3 import MemoryStore
from reliability.world import Excused, Lost, Named, World, plainly

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from landbridge.facts import Commitment
    from reliability.actors import Actor

HISTORIES = 4_000
_ROUNDS = 6

KINDS = (
    Kind("brought by a mover, two jobs", collectors=0),
    Kind("brought by a mover, a collector beside the job", rows=CHANGING, done=True),
    Kind("two files that land together", collectors=0, feeds=2, done=True),
    Kind("links instead of renames", collectors=0, way=Way.LINK, done=True, rows=CHANGING),
    Kind("in quarantine", collectors=0, rows=("a", "bad")),
    Kind("in quarantine, a collector beside the job", rows=("a", "bad")),
    Kind("no rows", collectors=0, rows=()),
)
_LANDS = frozenset({"disk", "sftp", "s3"})
_FAULTS = tuple(fault for fault in FAULTS if fault.port in _LANDS)
_CALLS = 700
"""About so many calls has a history."""


@dataclass(frozen=True, slots=True)
class Landed:
    """A history that has come to rest."""

    problems: list[str]
    verdicts: tuple[Verdict, ...]
    """Of all slots and revisions, in order."""
    brought: int
    """Files that jobs landed from holding."""
    excused: int
    """How often a job heard that no file is owed."""
    befell: str
    """What befell it: a death, a power cut, a fault."""


def landed(seed: int, tell: Callable[[str, str], None] | None = None) -> Landed:
    """Play the history of a seed, and judge it."""
    random = Random(seed)
    trouble = _Trouble.of(random)
    world = World(KINDS[seed % len(KINDS)], random, trouble.nth or plainly, tell=tell)
    world.greed = random.choice((1.0, 0.2, 0.0))
    yard = Yard(world, [])
    yard.prepare()
    world.stage.before = partial(trouble.before, world)
    _act(world, yard, random)
    world.stage.time += random.choice((1.0, 90.0, 300.0))
    _act(world, yard, random)
    world.stage.before = None
    problems = at_rest(world, yard)
    decided = [one for _, slot in world.feeds for one in _ledger(world).history(slot)]
    brought = sum(isinstance(one, Named) and one.by.endswith(".land") for one in world.history)
    excused = sum(isinstance(one, Excused) for one in world.history)
    return Landed(problems, tuple(one.verdict for one in decided), brought, excused, trouble.befell)


def at_rest(world: World, yard: Yard) -> list[str]:
    """Let a world recover, without any further trouble, and give every broken promise."""
    world.meddle = plainly
    stuck = _recovered(world, yard)
    problems = [*judge(world), *_cleared(world, yard)]
    return [f"stuck: {stuck}"] if stuck and not problems else problems


@dataclass(slots=True)
class _Trouble:
    """What befalls a history."""

    kills: set[int] = field(default_factory=set)
    cuts: set[int] = field(default_factory=set)
    naps: dict[int, float] = field(default_factory=dict)
    dozes: int = 0
    """About to read the so manieth manifest, a job or a collector falls asleep: what it goes by then is old; 0 for none."""
    unreleased: bool = False
    """Whether the first one that has decided and is about to copy dies: a verdict to release, and nothing released."""
    nth: Nth | None = None
    reached: str = ""

    @classmethod
    def of(cls, random: Random) -> _Trouble:
        moments = {random.randint(1, _CALLS) for _ in range(random.randint(1, 3))}
        naps = {
            random.randint(1, _CALLS): random.choice((3.0, 30.0, 300.0)) for _ in range(random.randrange(4))
        }
        found = cls(naps=naps, dozes=random.choice((0, 1, 2, 3)), unreleased=random.random() < 0.2)
        match random.randrange(4):
            case 0:
                found.kills = moments
            case 1:
                found.cuts = moments
            case 2:
                found.nth = Nth(random.choice(_FAULTS), random.randint(1, _CALLS // 4))
            case _:
                pass
        return found

    @property
    def befell(self) -> str:
        return self.reached or (self.nth.fired if self.nth else "")

    def before(self, world: World, actor: Actor, call: str) -> None:
        """Strike, or let the consumer take what is there."""
        if world.greed and world.random.random() < world.greed:
            world.consume()
        now = world.stage.calls
        if now in self.cuts:
            world.power_cut()
            self.reached = f"cut {call}"
        if now in self.kills and not actor.ended:
            world.kill(actor)
            self.reached = f"kill {call}"
        if call == "sftp.read" and self.dozes:
            self.dozes -= 1
            if not self.dozes:
                actor.wakes = world.stage.time + 30.0
        if call == "s3.copy" and self.unreleased and not actor.ended:
            self.unreleased = False
            world.kill(actor)
        if now in self.naps:
            actor.wakes = world.stage.time + self.naps[now]


def _act(world: World, yard: Yard, random: Random) -> None:
    """Let everybody act at once, in an order of chance."""
    for number, (feed, slot) in enumerate(world.feeds):
        if random.random() < 0.8:
            world.pod(number, feed, slot, after=random.random() * 0.4)
        often = (3, 2, 3, 3) if "bad" in world.kind.rows else (5, 2, 0.2, 0.2)
        asked = random.choices(
            ("redrive", "waive", "release", "reject"), often, k=random.choice((0, 1, 2, 2))
        )
        for which, what in enumerate(asked):
            decide = {
                "redrive": partial(redrive, feed, slot),
                "waive": partial(waive, feed, slot),
                "release": partial(release, feed, slot),
                "reject": partial(reject, slot),
            }[what]
            person = number * 10 + which
            world.operator(person, decide, random.choice(("ticket 1", "ticket 2")), after=random.random())
    for number in range(random.randint(1, 2)):
        yard.mover(number, _manner(random), after=random.random())
    for number in range(random.randint(1, 2)):
        for turn in range(random.randint(1, 3)):
            yard.lander(number * 10 + 1, after=random.random() * 2 + turn * 1.5, named=bool(turn % 2))
    yard.asker(50, after=random.random())
    for number in range(world.kind.collectors):
        for turn in range(2):
            world.collector(number * 10 + turn + 2, after=random.random() * 2 + turn * 2)
    world.stage.play()


def _manner(random: Random) -> Manner:
    if random.random() < 0.4:
        return WHOLE
    return Manner(
        hidden=random.random() < 0.5,
        manifest=random.choice(("first", "last", "never")),
        torn=random.random() < 0.3,
        wrong=random.random() < 0.2,
        times=random.choice((1, 2, 3)),
        newest=random.random() < 0.7,
    )


def _recovered(world: World, yard: Yard) -> str:
    """Run pods, the mover and the job, alone and unharmed, until they are content twice; say why not, if they never are."""
    content, why = 0, ""
    for _ in range(_ROUNDS):
        world.stage.time += (
            200.0  # longer than the lease of a job that was killed, and than a mover is waited for
        )
        actors = [world.pod(90 + at, feed, slot) for at, (feed, slot) in enumerate(world.feeds)]
        world.stage.play()
        if not content:
            yard.mover(90, WHOLE)
            world.stage.play()
        job, _ = yard.lander(91)
        world.stage.play()
        world.consume()
        errors = [actor.error for actor in (*actors, job) if actor.error]
        content = 0 if errors else content + 1
        why = "; ".join(str(error) for error in errors)
        if content == 2:
            return ""
    return why


def _cleared(world: World, yard: Yard) -> Iterator[str]:
    """What is removed from holding is a released file that has landed for good, or what announced it; nothing else ever."""
    ledger = _ledger(world)
    history = [
        one for _, slot in world.feeds for one in ledger.history(slot) if one.verdict is Verdict.RELEASE
    ]
    landed = _deliveries(world)
    for gone in yard.cleared:
        one = next((each for each in history if gone.path in _names(each)), None)
        if one is None:
            yield f"{gone.path} was removed from holding, and nobody released it"
            continue
        is_file = gone.path == _names(one)[0]
        digests = {hashlib.sha256(body).hexdigest() for body in gone.bodies}
        if is_file and one.delivered.sha256 not in digests:
            yield f"{gone.path} was removed from holding with other bytes than were released"
        theirs = [
            moment
            for later in history
            if later.slot == one.slot and later.revision >= one.revision
            for moment in landed.get(ROOT / later.target.landed_name, ())
        ]
        if not any(moment < gone.at for moment in theirs):
            yield f"lost: {gone.path} was removed from holding before {one.slot} revision {one.revision} had landed"


def _deliveries(world: World) -> dict[Path, list[int]]:
    """Give the moments at which files landed; without those that a power cut took back."""
    found: dict[Path, list[int]] = {}
    for number, event in enumerate(world.history):
        match event:
            case Named():
                found.setdefault(event.path, []).append(number)
            case Lost():
                found[event.path].pop()
            case _:
                pass
    return found


def _names(one: Commitment) -> tuple[Path, Path]:
    """Give where the mover puts file and manifest of a revision."""
    folder = HOLDING / one.slot.feed
    announced = manifest_name(one.slot.feed, one.slot.occurrence, one.revision)
    return folder / one.target.key.rpartition("/")[2], folder / announced


def _ledger(world: World) -> Ledger:
    return Ledger(MemoryStore(world.s3, "ledger"), ENVIRONMENT)


def landings(histories: int = HISTORIES) -> Figure:
    """Play so many.

    Raises:
        Broken: a promise was broken.
    """
    began, brought, excused, befell = time.monotonic(), 0, 0, 0
    verdicts = dict.fromkeys(Verdict, 0)
    for seed in range(histories):
        played = landed(seed)
        if played.problems:
            raise Broken.of(f"landings-{seed}", played.problems)
        brought += played.brought
        excused += played.excused
        befell += bool(played.befell)
        for verdict in played.verdicts:
            verdicts[verdict] += 1
    told = ", ".join(f"{count:,} {verdict}" for verdict, count in verdicts.items() if count)
    return Figure(
        "landed from holding, among people who release, reject and waive; simulated",
        histories,
        histories,
        time.monotonic() - began,
        0,
        f"{brought:,} files landed by the job, which heard {excused:,} times that none is owed; {befell:,} deaths, power cuts and faults; verdicts: {told}",
    )
