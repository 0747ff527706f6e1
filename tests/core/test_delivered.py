"""What do files that go together do when the share fails as a whole, or only for one of them?"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from threading import Event
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from landbridge.delivered import SMALL, deliver, deliver_all
from landbridge.errors import DiskFailed, LandbridgeError, ShareRefused, Unavailable
from landbridge.facts import Receipt
from landbridge.released import State
from landbridge.twin.keys import Ed25519Key
from tests.contract.test_share import BODY, DAY, content, manifest
from tests.stories.bridgehead import Quiet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from landbridge.facts import Manifest
    from landbridge.released import Outcome
    from landbridge.world import Ground

KEY = Ed25519Key.generate()
WANTED = [manifest(feed=name) for name in ("one", "two", "three")]
CAME = content(BODY)


def receipt(one: Manifest, revision: int = 1) -> Receipt:
    return Receipt(
        one.feed,
        one.occurrence,
        DAY,
        revision,
        "DEV",
        one.size,
        one.sha256,
        "x",
        one.committed_at,
        "edge1",
        "c" * 64,
    )


@dataclass
class Fake:
    """A share and a server that answer as they are told, and remember."""

    answers: Sequence[Receipt | LandbridgeError] = ()
    claiming: LandbridgeError | None = None
    claimed: int = 0
    sent: list[str] = field(default_factory=list)
    journalled: list[Receipt] = field(default_factory=list)
    journals: LandbridgeError | None = None

    @contextmanager
    def claim_all(self, wanted: Sequence[Manifest]) -> Iterator[object]:
        self.claimed += len(wanted)
        if self.claiming:
            raise self.claiming
        yield SimpleNamespace(claims=[None for _ in wanted], land_all=lambda _came: self.answers)

    def receipted(self, *receipts: Receipt) -> None:
        if self.journals:
            raise self.journals
        self.journalled += receipts

    def write_many(self, files: Sequence[tuple[str, bytes]]) -> list[LandbridgeError | None]:
        self.sent += [path for path, _ in files if "two" not in path]
        return [Unavailable("the line was cut") if "two" in path else None for path, _ in files]


def delivered(fake: Fake, halted: Event | None = None) -> list[Outcome]:
    ground = cast("Ground", SimpleNamespace(share=fake, remote=fake, receipt_key=KEY.private_pem))
    return deliver(ground, halted or Event(), lambda _claims, wanted: [CAME for _ in wanted], WANTED)


def test_once_the_share_as_a_whole_has_failed_nobody_asks_it_again() -> None:
    fake, halted = Fake(), Event()
    halted.set()
    assert {one.state for one in delivered(fake, halted)} == {State.NOT_TRIED}
    assert fake.claimed == 0


@pytest.mark.parametrize("whole", [True, False])
def test_only_what_concerns_the_whole_share_halts_the_others(whole: bool) -> None:
    halted = Event()
    failed = DiskFailed("the share is away", whole=whole)
    outcomes = delivered(Fake([failed, receipt(WANTED[1]), receipt(WANTED[2])]), halted)
    assert outcomes[0].state is State.FAILED
    assert halted.is_set() == whole


@pytest.mark.parametrize("whole", [True, False])
def test_a_share_that_gives_no_claims_is_the_end_of_each(whole: bool) -> None:
    halted = Event()
    refused = ShareRefused("no claims", whole=whole)
    outcomes = delivered(Fake(claiming=refused), halted)
    assert [(one.state, one.error) for one in outcomes] == [(State.FAILED, refused)] * 3
    assert halted.is_set() == whole


def test_a_receipt_is_sent_for_what_landed_and_for_nothing_else() -> None:
    fake = Fake([receipt(WANTED[0]), DiskFailed("full"), receipt(WANTED[2], revision=2)])
    outcomes = delivered(fake)
    assert [one.state for one in outcomes] == [State.DELIVERED, State.FAILED, State.SUPERSEDED]
    assert [path.rsplit("/", 1)[-1] for path in fake.sent] == ["one.2026-11-20.0001.json"]
    assert fake.journalled == [receipt(WANTED[0])]


def test_a_receipt_that_was_not_sent_is_not_journalled_as_sent() -> None:
    fake = Fake([receipt(one) for one in WANTED])
    assert [one.state for one in delivered(fake)] == [State.DELIVERED, State.UNRECEIPTED, State.DELIVERED]
    assert fake.journalled == [receipt(WANTED[0]), receipt(WANTED[2])]


def test_receipts_that_cannot_be_journalled_are_sent_again_by_a_later_run() -> None:
    fake = Fake([receipt(one) for one in WANTED], journals=DiskFailed("full"))
    outcomes = delivered(fake)
    assert {one.state for one in outcomes} == {State.UNRECEIPTED}
    assert [type(one.error) for one in outcomes] == [DiskFailed, Unavailable, DiskFailed]


def test_small_files_go_together_and_each_large_one_by_itself() -> None:
    @dataclass
    class Line(Fake):
        closed: int = 0

        def close(self) -> None:
            self.closed += 1

        @contextmanager
        def claim_all(self, wanted: Sequence[Manifest]) -> Iterator[object]:
            together.append([one.size for one in wanted])
            self.answers = [receipt(one) for one in wanted]
            with super().claim_all(wanted) as claimed:
                yield claimed

    together: list[list[int]] = []
    sizes = [1, SMALL, SMALL + 1, SMALL + 2]
    wanted = [replace(WANTED[0], occurrence=f"20261120T0{n}00Z", size=size) for n, size in enumerate(sizes)]
    line = Line()
    ground = cast(
        "Ground",
        SimpleNamespace(
            share=line,
            remote=line,
            receipt_key=KEY.private_pem,
            progress=Quiet(),
            parallel=1,
            threads=lambda _number, _name: ThreadPoolExecutor(1),
        ),
    )
    outcomes = deliver_all(ground, "land", wanted, lambda _watch, _claims, some: [CAME for _ in some])
    assert together == [[1, SMALL], [SMALL + 1], [SMALL + 2]]
    assert [one.state for one in outcomes] == [State.DELIVERED] * 4


def test_an_answer_that_is_missing_is_nobody_elses() -> None:
    """A share that answers for fewer files than it was asked for has a bug, and no file gets another one's answer."""
    with pytest.raises(ValueError, match="shorter"):
        delivered(Fake([receipt(WANTED[0]), receipt(WANTED[1])]))
