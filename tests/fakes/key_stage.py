"""All parts of a world of the key commands, to look at and to fail."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from landbridge.deploy.keys import user
from landbridge.deploy.keys.user import World
from tests.fakes.keys import Effects, MemoryCustody, MemoryDoor, MemoryRecord, MemoryServer, Time

if TYPE_CHECKING:
    from landbridge.deploy.keys.agents import Agents
    from landbridge.deploy.keys.pair import KeyPair


@dataclass
class Stage:
    """All parts of a world, to look at."""

    effects: Effects = field(default_factory=Effects)
    time: Time = field(default_factory=Time)
    said: list[str] = field(default_factory=list)
    agents: Agents | None = None

    def __post_init__(self) -> None:
        self.custody = MemoryCustody(self.effects)
        self.server = MemoryServer(self.effects, self.time.now)
        self.record = MemoryRecord(self.effects)
        self.door = MemoryDoor(self.server, self.record)
        self.world = World(
            custody=self.custody,
            server=self.server,
            door=self.door,
            now=self.time.now,
            sleep=self.time.sleep,
            tell=self.said.append,
            agents=self.agents,
            record=self.record,
        )

    def standings(self) -> dict[str, bool]:
        """Standing of each key -> whether the server knows it."""
        return {str(row.standing): row.announced is not None for row in user.status(self.world)}

    @property
    def current(self) -> KeyPair:
        return self.custody.versions[self.custody.labels["current"]]
