"""What is believed of what a server offers, and what is not even read?"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from landbridge.collect import collect
from landbridge.errors import (
    DiskFailed,
    Exit,
    IntegrityBroken,
    LandbridgeError,
    NotPermitted,
    NotYet,
    ShareRefused,
    TryAgain,
    Unavailable,
)
from landbridge.facts import Receipt
from landbridge.ledger import make_receipt_bytes
from landbridge.ports import RemoteFile
from landbridge.released import State, announced, judged, offered, outcome_of
from landbridge.twin.keys import Ed25519Key
from tests.fakes.folder_remote import FolderRemote
from tests.stories.bridgehead import DAY, Bridgehead

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from landbridge.facts import Fetched, Manifest
    from landbridge.released import Offered, Outcome
    from landbridge.world import Ground


class Server(FolderRemote):
    """Tells what was read, lists more than there is, and refuses to show the receipts."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.asked: list[str] = []
        self.listed: set[str] = set()
        self.more: list[RemoteFile] = []
        self.days: list[str] = []
        self.shows = True
        self.writes: LandbridgeError | None = None
        self.after: Callable[[], object] = lambda: None
        """Happens when a download has ended."""

    def download(
        self, path: str, into: Path, size: int, watch: Callable[[int], None] | None = None
    ) -> Fetched:
        came = super().download(path, into, size, watch)
        self.after()
        return came

    def files(self, folder: str) -> list[RemoteFile]:
        self.listed.add(folder)
        if folder.startswith("/receipts") and not self.shows:
            raise NotPermitted("listing the receipts")
        return [*super().files(folder), *(one for one in self.more if one.path.startswith(f"{folder}/"))]

    def folders(self, folder: str) -> list[str]:
        return [*super().folders(folder), *self.days]

    def read_many(self, files: Sequence[RemoteFile]) -> list[bytes]:
        self.asked += [one.path for one in files]
        return super().read_many(files)

    def write(self, path: str, body: bytes) -> None:
        if self.writes:
            raise self.writes
        super().write(path, body)


class Stand:
    def __init__(self, folder: Path) -> None:
        self.at = Bridgehead(folder)
        self.server = Server(self.at.server)
        self.share = self.at.share()

    @property
    def ground(self) -> Ground:
        return self.at.ground(self.server, self.share)

    def offer(self, since: date = DAY, **more: object) -> Offered:
        return offered(self.ground, since, **more)  # type: ignore[arg-type]

    def collect(self) -> list[Outcome]:
        return collect(self.ground, DAY)

    def receipt(self, manifest: Manifest, key: Ed25519Key | None = None, **other: object) -> None:
        """Put a receipt on the server."""
        receipt = Receipt(
            manifest.feed,
            manifest.occurrence,
            manifest.business_date,
            manifest.revision,
            manifest.environment,
            manifest.size,
            manifest.sha256,
            manifest.landed_name,
            manifest.committed_at,
            "edge9",
            manifest.commitment,
        )
        body = make_receipt_bytes(replace(receipt, **other), (key or self.at.receipt_key).private_pem)  # type: ignore[arg-type]
        folder = self.at.receipts / f"{DAY}"
        folder.mkdir(exist_ok=True)
        name = f"{manifest.feed}.{manifest.occurrence}.{manifest.revision:04d}.json"
        (folder / name).write_bytes(body)


@pytest.fixture
def stand(tmp_path: Path) -> Stand:
    return Stand(tmp_path / "at")


def of(offer: Offered) -> list[tuple[str, int]]:
    return [(one.occurrence, one.revision) for one in offer.manifests]


def test_what_is_no_manifests_name_or_too_large_for_one_is_not_read(stand: Stand) -> None:
    good = stand.at.release(b"one")
    folder = f"/outbound/_manifests/{DAY}"
    names = (
        "flights.2026-11-20.0002.json.bak",
        "flights.2026-11-20.0002.json\n",
        "x flights.2026-11-20.0002.json",
    )
    stand.server.more = [
        *(RemoteFile(f"{folder}/{name}", name, 300) for name in names),
        RemoteFile(f"{folder}/other.2026-11-20.0001.json", "other.2026-11-20.0001.json", 65 << 10),
    ]
    offer = stand.offer()
    assert offer.manifests == [good]
    assert [path.rsplit("/", 1)[-1] for path in stand.server.asked] == ["flights.2026-11-20.0001.json"]
    assert {one.name for one in offer.strange} == {*names, "other.2026-11-20.0001.json"}
    assert all(one.told.isprintable() for one in offer.strange)
    assert announced(stand.ground, DAY, ["flights", "other"]) == [good]
    assert not any("other" in path or "bak" in path for path in stand.server.asked)


def test_of_a_slot_the_highest_revision_counts_however_it_is_listed(stand: Stand) -> None:
    for revision in (2, 10, 9):
        stand.at.release(b"%d" % revision, revision=revision)
    assert of(stand.offer()) == [(f"{DAY}", 10)]


def test_what_landed_in_this_or_a_later_revision_is_not_offered_and_a_correction_is(stand: Stand) -> None:
    stand.at.release(b"one", revision=2)
    assert [one.state for one in stand.collect()] == [State.DELIVERED]
    for manifest in (stand.at.outbound / "_manifests" / f"{DAY}").iterdir():
        manifest.unlink()  # or the newest one would be the one that counts
    for revision, expected in ((1, []), (2, []), (3, [(f"{DAY}", 3)])):
        stand.at.release(b"x", revision=revision)
        assert of(stand.offer()) == expected


def test_a_manifest_of_another_day_or_environment_than_where_it_lies_is_refused(stand: Stand) -> None:
    manifest = stand.at.release(b"one")
    for wrong in (
        replace(manifest, business_date=DAY - timedelta(days=1)),
        replace(manifest, environment="PROD"),
    ):
        stand.at.announce(wrong)
        offer = stand.offer()
        assert offer.manifests == []
        assert [(one.state, one.error and one.error.exit) for one in offer.settled] == [
            (State.REFUSED, Exit.INTEGRITY)
        ]


def test_only_the_days_and_feeds_that_are_asked_for_are_looked_at(stand: Stand) -> None:
    stand.at.release(b"one")
    stand.at.release(b"two", feed="other")
    earlier = f"{DAY - timedelta(days=1)}"
    (stand.at.outbound / "_manifests" / earlier).mkdir()
    (stand.at.outbound / "_manifests" / earlier / "flights.json").write_bytes(b"?")
    stand.server.days = ["20261118", "2026-W47-2", f"{DAY}", f"{DAY}/..", "never"]
    offer = stand.offer(feeds=["flights"])
    assert [(one.feed, one.revision) for one in offer.manifests] == [("flights", 1)], (
        "a day that is listed twice is one"
    )
    assert offer.strange == []
    assert stand.offer(DAY + timedelta(days=1)).manifests == []
    assert stand.offer(date.min, until=DAY - timedelta(days=1)).manifests == []
    assert len(stand.offer(DAY - timedelta(days=1)).strange) == 1
    assert all("/outbound/_manifests/2026-11-20/" in path for path in stand.server.asked)
    stand.offer(date.min)
    assert stand.server.listed == {f"/outbound/_manifests/{day}" for day in (DAY, earlier)} | {
        f"/receipts/{DAY}"
    }


def test_small_files_come_first(stand: Stand) -> None:
    for size in (300, 10, 2_000):
        stand.at.release(b"x" * size, occurrence=f"20261120T{size % 24:02d}00Z")
    sizes = [one.size for one in stand.offer().manifests]
    assert sizes == sorted(sizes) == [10, 300, 2_000]


def test_a_file_whose_receipt_is_there_is_put_on_the_journal_and_not_delivered(stand: Stand) -> None:
    manifest = stand.at.release(b"one")
    stand.receipt(manifest)
    assert [(one.state, one.path) for one in stand.collect()] == [(State.ALREADY_THERE, manifest.landed_name)]
    landed = stand.share.landed("flights", f"{DAY}", DAY)
    assert landed is not None
    assert landed.collector == "edge9"
    assert stand.share.unreceipted(DAY) == []
    assert stand.at.seen() == {}


def test_the_largest_receipt_that_is_read_counts(stand: Stand) -> None:
    stand.receipt(stand.at.release(b"one"))
    (path,) = (stand.at.receipts / f"{DAY}").iterdir()
    path.write_bytes(path.read_bytes().ljust(64 << 10))
    assert [one.state for one in stand.collect()] == [State.ALREADY_THERE]
    assert stand.at.seen() == {}


@pytest.mark.parametrize("wrong", ["a stranger's", "of another file"])
def test_a_receipt_that_does_not_hold_is_for_a_person(stand: Stand, wrong: str) -> None:
    manifest = stand.at.release(b"one")
    if wrong == "of another file":
        stand.receipt(manifest, size=99)
    else:
        stand.receipt(manifest, Ed25519Key.generate())
    assert [one.state for one in stand.collect()] == [State.REFUSED]
    assert stand.share.landed("flights", f"{DAY}", DAY) is None
    assert stand.at.seen() == {}


def test_receipts_of_others_and_what_is_too_large_for_one_are_not_read(stand: Stand) -> None:
    manifest = stand.at.release(b"one")
    folder = f"/receipts/{DAY}"
    (stand.at.receipts / f"{DAY}").mkdir()
    (stand.at.receipts / f"{DAY}" / "other.2026-11-20.0001.json").write_bytes(b"?")
    name = "flights.2026-11-20.0001.json"
    stand.server.more = [RemoteFile(f"{folder}/{name}", name, 65 << 10)]
    assert stand.offer().manifests == [manifest]
    assert [path for path in stand.server.asked if "receipts" in path] == []


def test_a_server_that_shows_no_receipts_leaves_the_journal_to_tell(stand: Stand) -> None:
    stand.at.release(b"one")
    stand.server.shows = False
    assert [one.state for one in stand.collect()] == [State.DELIVERED]
    assert stand.collect() == []


def test_right_bytes_whose_name_is_taken_do_not_rest(stand: Stand) -> None:
    """Only bytes that came wrong twice are not asked for again so soon; a person clears a name in a minute."""
    manifest = stand.at.release(b"one")
    taken = stand.at.root / manifest.landed_name
    stand.server.after = lambda: taken.write_bytes(b"somebody's")
    ground = stand.ground
    for _ in range(2):
        assert [one.state for one in collect(ground, DAY)] == [State.REFUSED]
        taken.unlink()
    stand.server.after = lambda: None
    assert [one.state for one in collect(ground, DAY)] == [State.DELIVERED]


def test_a_receipt_that_could_not_be_sent_is_an_outcome_and_is_sent_by_the_next_one(stand: Stand) -> None:
    for feed in ("flights", "other"):
        stand.at.release(b"one", feed=feed)
    stand.server.writes = Unavailable("the line was cut")
    assert {(one.state, one.error and one.error.exit) for one in stand.collect()} == {
        (State.UNRECEIPTED, Exit.UNAVAILABLE)
    }
    assert len(stand.at.seen()) == 2
    assert len(stand.share.unreceipted(DAY)) == 2
    stand.server.writes = None
    assert {one.state for one in stand.collect()} == {State.ALREADY_THERE}
    assert len(stand.at.proven()) == 2
    assert stand.collect() == []


def test_each_end_of_a_file_has_its_state() -> None:
    stand = Manifested()
    for error, state in (
        (NotYet("x"), State.WAITING),
        (TryAgain("x"), State.BUSY),
        (IntegrityBroken("x"), State.REFUSED),
        (DiskFailed("x"), State.FAILED),
        (ShareRefused("x"), State.FAILED),
        (None, State.NOT_TRIED),
    ):
        outcome = outcome_of(stand.manifest, None, error, {})
        assert (outcome.state, outcome.error) == (state, error)
    for revision, came, state in (
        (1, None, State.DELIVERED),
        (1, stand.receipt(1), State.ALREADY_THERE),
        (2, None, State.SUPERSEDED),
    ):
        assert outcome_of(stand.manifest, came, stand.receipt(revision), {}).state is state
    unsent = {stand.receipt(1): Unavailable("cut")}
    assert outcome_of(stand.manifest, None, stand.receipt(1), unsent).state is State.UNRECEIPTED


class Manifested:
    """A manifest, and receipts of its slot."""

    def __init__(self) -> None:
        from tests.contract.test_share import manifest

        self.manifest = manifest()

    def receipt(self, revision: int) -> Receipt:
        one = self.manifest
        return Receipt(
            one.feed,
            one.occurrence,
            DAY,
            revision,
            "DEV",
            1,
            one.sha256,
            "x",
            one.committed_at,
            "edge1",
            "c" * 64,
        )


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        ("FLIGHTS.2026-11-20.0001.json", True),
        (" flights.x", True),
        ("flightsx.json", False),
        ("other.json", False),
    ],
)
def test_a_strange_name_that_bears_the_feeds_own_is_refused_however_it_is_written(
    stand: Stand, name: str, refused: bool
) -> None:
    (stand.at.outbound / "_manifests" / f"{DAY}" / name).write_bytes(b"?")
    outcomes = judged(stand.offer().strange, ["flights"])
    assert [one.state for one in outcomes] == [State.REFUSED if refused else State.STRANGE]


def test_without_feeds_what_begins_as_a_manifest_does_is_refused_and_the_rest_is_one_warning(
    stand: Stand,
) -> None:
    folder = stand.at.outbound / "_manifests" / f"{DAY}"
    for name in (f"trains.{DAY}.1.json", "a", "b", "c"):
        (folder / name).write_bytes(b"?")
    outcomes = judged(stand.offer().strange, ())
    assert [one.state for one in outcomes] == [State.REFUSED, State.STRANGE]
    assert outcomes[1].what == "'a', 'b', 'c'"
    (folder / "d").write_bytes(b"?")
    assert judged(stand.offer().strange, ())[1].what == "'a', 'b', 'c' and 1 more"


def test_a_name_that_is_a_manifests_and_too_large_is_told_as_it_is(stand: Stand) -> None:
    name = f"flights.{DAY}.0001.json"
    stand.server.more = [RemoteFile(f"/outbound/_manifests/{DAY}/{name}", name, 65 << 10)]
    assert [one.told for one in stand.offer().strange] == [name]


def test_days_are_looked_at_in_their_order(stand: Stand) -> None:
    days = [DAY - timedelta(days=number) for number in range(12)]
    stand.server.days = [f"{day}" for day in days]
    stand.server.more = [RemoteFile(f"/outbound/_manifests/{day}/x", "x", 1) for day in days]
    assert [one.day for one in stand.offer(date.min).strange] == sorted(days)


def test_the_largest_manifest_that_is_read_is_read_by_whoever_asks(stand: Stand) -> None:
    good = stand.at.release(b"one")
    (path,) = (stand.at.outbound / "_manifests" / f"{DAY}").iterdir()
    path.write_bytes(path.read_bytes().ljust(64 << 10))
    assert announced(stand.ground, DAY, ["flights"]) == [good]
    assert stand.offer().manifests == [good]


class Short(Server):
    """Gives one body less than it was asked for, of files in one folder."""

    folder = "/outbound"

    def read_many(self, files: Sequence[RemoteFile]) -> list[bytes]:
        short = files and files[0].path.startswith(self.folder)
        return super().read_many(files)[1 if short else 0 :]


def test_a_body_that_is_missing_is_no_other_files(stand: Stand) -> None:
    """Files are told apart by their place in the answer alone."""
    for occurrence in ("20261120T0800Z", "20261120T0900Z"):
        stand.receipt(stand.at.release(b"one", occurrence=occurrence))
    stand.server = Short(stand.at.server)
    for ask in (stand.offer, lambda: announced(stand.ground, DAY, ["flights"])):
        with pytest.raises(ValueError, match="shorter"):
            ask()
    stand.server.folder = "/receipts"
    with pytest.raises(ValueError, match="shorter"):
        stand.offer()
