"""Does a landing take what a mover brought, refuse what cannot be trusted, and say so; also beside others, and when the share fails?"""

from __future__ import annotations

import shutil
import subprocess
import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest

from landbridge.absent import absent
from landbridge.collect import collect
from landbridge.errors import (
    Exit,
    LandbridgeError,
    ShareRefused,
    Unavailable,
)
from landbridge.facts import Slot, Verdict
from landbridge.held import Wanted
from landbridge.land import land
from landbridge.released import Outcome, State
from landbridge.sftp.client import SftpRemote
from tests.fakes.facts import commitment
from tests.servers.sftp import asyncssh_server
from tests.stories.bridgehead import DAY, Bridgehead, Consumer, some_bytes
from tests.stories.mounts import mounted, needs_root

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from landbridge.facts import Manifest
    from tests.servers.sftp import Sftp

pytestmark = pytest.mark.story

SLOT = Slot("flights", f"{DAY}", DAY, datetime(2026, 11, 20, 8, tzinfo=UTC))
ONE = ("flights/2026-11-20", State.DELIVERED)


def landed(
    at: Bridgehead,
    server: Sftp,
    collector: str = "edge1",
    *,
    slots: tuple[Slot, ...] = (SLOT,),
    since: date = DAY,
) -> list[Outcome]:
    """Land the named slots; without any, whatever is in holding."""
    feeds = tuple(slot.feed for slot in slots) or tuple(at.holding.feeds())
    with SftpRemote(server.endpoint()) as remote, at.share(collector) as share:
        ground = at.ground(remote, share)
        return land(ground, at.holding, Wanted(feeds, since, slots), partial(absent, ground))


def states(outcomes: list[Outcome]) -> list[tuple[str, State]]:
    return [(outcome.what, outcome.state) for outcome in outcomes]


def test_what_the_mover_brought_lands_once_with_its_receipt_and_holding_is_empty(
    at: Bridgehead, server: Sftp
) -> None:
    body = some_bytes(3_000_000)
    at.moved(at.release(body, name="deep/er/REPORT.csv", done="deep/er/REPORT.done"))
    assert states(landed(at, server)) == [ONE]
    assert at.seen() == {"deep/er/REPORT.csv": body, "deep/er/REPORT.done": b""}
    assert [receipt.collector for receipt in at.proven()] == ["edge1"]
    assert at.holding.names("flights") == []
    for again in ("edge1", "edge2"):
        assert states(landed(at, server, again)) == [("flights/2026-11-20", State.ALREADY_THERE)]
    assert landed(at, server, slots=()) == []
    assert at.seen() == {"deep/er/REPORT.csv": body, "deep/er/REPORT.done": b""}


def test_without_a_named_slot_whatever_is_there_lands_and_what_is_not_is_no_matter(
    at: Bridgehead, server: Sftp
) -> None:
    at.held("third")
    for number, feed in enumerate(("first", "second", "third")):
        released = at.release(some_bytes(2_000, number), feed=feed)
        if feed != "third":
            at.moved(released)
    outcomes = landed(at, server, slots=())
    assert sorted(states(outcomes)) == [
        ("first/2026-11-20", State.DELIVERED),
        ("second/2026-11-20", State.DELIVERED),
    ]
    assert len(at.seen()) == len(at.proven()) == 2


def test_a_named_slot_ends_in_nothing_less_than_its_landing(at: Bridgehead, server: Sftp) -> None:
    at.held()
    (outcome,) = landed(at, server)
    assert (outcome.state, outcome.error and outcome.error.exit) == (State.NOT_RELEASED, Exit.TRY_AGAIN)
    (at.held() / "flights_2026-11-20_1.csv").write_bytes(b"brought, and released by nobody")
    assert landed(at, server)[0].state is State.NOT_RELEASED
    (at.held() / "flights_2026-11-20_1.csv").unlink()
    released = at.release(b"one")
    (outcome,) = landed(at, server)
    assert (outcome.state, outcome.error and outcome.error.exit) == (State.WAITING, Exit.TRY_AGAIN)
    (at.held() / ".part_flights_2026-11-20_1.csv").write_bytes(b"one")
    assert landed(at, server)[0].state is State.WAITING
    assert at.seen() == {}
    assert not list((at.root / ".landbridge/dev/claims").iterdir())
    at.moved(released)
    assert states(landed(at, server)) == [ONE]


def test_the_manifest_of_the_mover_is_not_believed(at: Bridgehead, server: Sftp) -> None:
    """Whoever can write the file can write a manifest that fits it."""
    released = at.release(b"one")
    at.moved(released)
    forged = at.release(b"forged", name="elsewhere.csv")
    at.moved(forged)
    (at.server / released.remote_path.lstrip("/")).write_bytes(b"one")
    at.announce(released)
    (outcome,) = landed(at, server)
    assert (outcome.state, outcome.error and outcome.error.exit) == (State.REFUSED, Exit.INTEGRITY)
    assert at.seen() == {}
    assert at.proven() == []
    assert len(at.holding.names("flights")) == 2, "it is evidence"


def test_a_file_under_a_correction_is_never_landed_and_cleared_with_it(at: Bridgehead, server: Sftp) -> None:
    first = at.release(b"one", name="one.csv")
    at.moved(first)
    second = at.release(b"two", revision=2, name="two.csv")
    (outcome,) = landed(at, server)
    assert (outcome.state, outcome.revision) == (State.WAITING, 2)
    at.moved(second)
    assert states(landed(at, server)) == [ONE]
    assert set(at.seen()) == {"two.csv"}
    assert at.holding.names("flights") == []


def test_what_a_collection_delivered_meanwhile_is_cleared_away(at: Bridgehead, server: Sftp) -> None:
    released = at.release(b"one")
    strange = at.held() / "strange.csv"
    strange.write_bytes(b"?")
    with SftpRemote(server.endpoint()) as remote, at.share("edge2") as share:
        collect(at.ground(remote, share), DAY)
    at.moved(released)
    assert states(landed(at, server)) == [("flights/2026-11-20", State.ALREADY_THERE)]
    assert at.holding.names("flights") == ["strange.csv"]
    at.moved(released)
    assert landed(at, server, slots=()) == []
    assert at.holding.names("flights") == ["strange.csv"]


def test_a_receipt_that_could_not_be_sent_is_sent_by_the_next_landing(at: Bridgehead, server: Sftp) -> None:
    at.moved(at.release(b"one"))
    at.receipts.rmdir()
    at.receipts.write_bytes(b"in the way")
    (outcome,) = landed(at, server)
    assert outcome.state is State.UNRECEIPTED
    assert outcome.error is not None
    assert at.seen() == {"flights_2026-11-20_1.csv": b"one"}
    assert at.holding.names("flights") == []
    at.receipts.unlink()
    at.receipts.mkdir()
    assert states(landed(at, server)) == [("flights/2026-11-20", State.ALREADY_THERE)]
    assert len(at.proven()) == 1


def test_a_server_that_is_away_lands_nothing(at: Bridgehead) -> None:
    at.moved(at.release(b"one"))
    with asyncssh_server(at.server) as gone:
        pass
    with pytest.raises(Unavailable):
        landed(at, gone)
    assert at.seen() == {}
    assert len(at.holding.names("flights")) == 2


def test_a_manifest_of_the_server_that_cannot_be_trusted_is_the_slots_end(
    at: Bridgehead, server: Sftp
) -> None:
    released = at.release(b"one")
    at.moved(released)
    at.announce(replace(released, landed_name="../outside.csv"))
    at.release(b"other", feed="other")
    (at.outbound / "_manifests" / f"{DAY}" / "other.2026-11-20.0001.json").write_bytes(b"{")
    (outcome,) = landed(at, server)
    assert (outcome.what, outcome.state) == ("flights/2026-11-20", State.REFUSED)
    assert at.seen() == {}


@pytest.mark.parametrize(
    ("verdict", "state", "code"),
    [
        (Verdict.SKIP, State.SKIPPED, None),
        (Verdict.QUARANTINE, State.QUARANTINED, Exit.DATA),
        (Verdict.REJECT, State.QUARANTINED, Exit.DATA),
        (Verdict.WAIVE, State.WAIVED, None),
        (Verdict.RELEASE, State.NOT_RELEASED, Exit.TRY_AGAIN),
    ],
)
def test_what_the_ledger_decided_is_told_apart_from_what_is_late(
    at: Bridgehead, server: Sftp, verdict: Verdict, state: State, code: Exit | None
) -> None:
    at.held()
    with SftpRemote(server.endpoint()) as remote, at.share() as share:
        wanted = Wanted(("flights",), DAY, (SLOT,))
        known = commitment(SLOT, verdict=verdict)
        (outcome,) = land(at.ground(remote, share), at.holding, wanted, lambda _: known)
    assert (outcome.what, outcome.state, outcome.error and outcome.error.exit) == (str(SLOT), state, code)


def test_many_landings_and_collections_at_once_deliver_each_file_once(at: Bridgehead, server: Sftp) -> None:
    released = [at.release(some_bytes(5_000, number), feed=f"f{number}") for number in range(40)]
    for manifest in released:
        at.moved(manifest)
    results: list[Outcome] = []

    def lands(collector: str) -> None:
        for _ in range(4):
            results.extend(landed(at, server, collector, slots=()))

    def collects(collector: str) -> None:
        for _ in range(4):
            with SftpRemote(server.endpoint()) as remote, at.share(collector) as share:
                results.extend(collect(at.ground(remote, share), DAY))

    with Consumer(at.root) as consumer:
        threads = [
            threading.Thread(target=work, args=(name,))
            for work, name in ((lands, "edge1"), (lands, "edge2"), (collects, "edge3"))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    delivered = [one.what for one in results if one.state is State.DELIVERED]
    assert len(delivered) == len(set(delivered)) == 40
    assert sorted(consumer.took) == sorted((one.landed_name, one.sha256) for one in released)
    assert len(at.proven()) == 40
    landed(at, server, "edge4", slots=())
    assert all(at.holding.names(one.feed) == [] for one in released)


@needs_root
def test_a_full_share_is_refused_clearly_and_holds_no_half_copy(tmp_path: Path) -> None:
    (tmp_path / "at").mkdir()
    with mounted(tmp_path / "at/share", "-o", "size=8m"):
        at = Bridgehead(tmp_path / "at")
        body = some_bytes(3_000_000)
        at.moved(at.release(body))
        (at.root / "ballast").write_bytes(bytes(3_000_000))
        with asyncssh_server(at.server) as server:
            (outcome,) = landed(at, server)
            assert outcome.state is State.FAILED
            assert outcome.error is not None
            assert outcome.error.exit is Exit.CANNOT_CREATE
            assert "No space" in outcome.error.seen
            assert set(at.seen()) == {"ballast"}
            assert list((at.root / ".landbridge/dev/parts").iterdir()) == []
            (at.root / "ballast").unlink()
            assert states(landed(at, server)) == [ONE]
            assert at.seen() == {"flights_2026-11-20_1.csv": body}


@needs_root
def test_a_share_that_is_read_only_is_refused_clearly(tmp_path: Path) -> None:
    (tmp_path / "at").mkdir()
    with mounted(tmp_path / "at/share", "-o", "size=8m"):
        at = Bridgehead(tmp_path / "at")
        at.moved(at.release(b"one"))
        with asyncssh_server(at.server) as server:
            subprocess.run(["mount", "-o", "remount,ro", at.root], check=True)
            with pytest.raises(LandbridgeError) as caught:
                landed(at, server)
            assert caught.value.exit is Exit.CANNOT_CREATE
            subprocess.run(["mount", "-o", "remount,rw", at.root], check=True)
            assert states(landed(at, server)) == [ONE]


@needs_root
def test_a_holding_folder_on_another_volume_that_is_away_is_refused(tmp_path: Path) -> None:
    at = Bridgehead(tmp_path / "at")
    released = at.release(b"one")
    place = at.held().parent
    at.held().rmdir()
    with asyncssh_server(at.server) as server:
        with mounted(place):
            at.moved(released)
            assert states(landed(at, server)) == [ONE]
        with pytest.raises(ShareRefused, match="not there"):
            landed(at, server)
    assert list(place.iterdir()) == []


def _sftp(at: Bridgehead, server: Sftp, manifest: Manifest, keys: Path) -> None:
    """OpenSSH's client: get under a temporary name, then rename; the manifest last."""
    to, lines = at.held(manifest.feed), []
    for path in (manifest.remote_path, f"/outbound/_manifests/{DAY}/{_own(manifest)}"):
        name = path.rsplit("/", 1)[-1]
        lines += [f'get "{path}" "{to}/.part_{name}"', f"!mv '{to}/.part_{name}' '{to}/{name}'"]
    words = ["-P", f"{server.port}", "-i", f"{keys}/key", "-o", f"UserKnownHostsFile={keys}/hosts", "-b", "-"]
    subprocess.run(
        ["sftp", "-q", *words, f"{server.user}@127.0.0.1"],
        input="\n".join(lines),
        text=True,
        check=True,
        capture_output=True,
        timeout=60,
    )


def _lftp(at: Bridgehead, server: Sftp, manifest: Manifest, keys: Path) -> None:
    """A mover with a retry, a temporary prefix and a restart of its own, as Control-M's."""
    ssh = f"ssh -a -x -i {keys}/key -o UserKnownHostsFile={keys}/hosts -o BatchMode=yes"
    script = f"""
set cmd:fail-exit yes
set sftp:connect-program "{ssh}"
set sftp:auto-confirm no
set xfer:use-temp-file yes
set xfer:temp-file-name .part_*
set xfer:clobber yes
lcd {at.held(manifest.feed)}
open -u {server.user}, -p {server.port} sftp://127.0.0.1
get -c {manifest.remote_path}
get -c /outbound/_manifests/{DAY}/{_own(manifest)}
"""
    subprocess.run(["lftp", "-f", "/dev/stdin"], input=script, text=True, check=True, timeout=60)


def _own(manifest: Manifest) -> str:
    return f"{manifest.feed}.{manifest.occurrence}.{manifest.revision:04d}.json"


@pytest.mark.parametrize(("program", "mover"), [("sftp", _sftp), ("lftp", _lftp)])
def test_movers_of_this_world_bring_what_lands(
    at: Bridgehead,
    server: Sftp,
    tmp_path: Path,
    program: str,
    mover: Callable[[Bridgehead, Sftp, Manifest, Path], None],
) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    (tmp_path / "key").write_text(server.user_key.private_openssh)
    (tmp_path / "key").chmod(0o600)
    (tmp_path / "hosts").write_text(f"[127.0.0.1]:{server.port} {server.host_key.public_openssh}\n")
    body = some_bytes(300_000)
    released = at.release(body)
    at.held()
    watched: list[State] = []
    ended = threading.Event()

    def impatient() -> None:
        """Land all the time while the mover moves: it is told to wait until the file is whole."""
        while not ended.is_set():
            watched.extend(outcome.state for outcome in landed(at, server))

    thread = threading.Thread(target=impatient)
    thread.start()
    try:
        mover(at, server, released, tmp_path)
    finally:
        ended.set()
        thread.join()
    landed(at, server)
    assert at.seen() == {"flights_2026-11-20_1.csv": body}
    assert set(watched) <= {State.WAITING, State.DELIVERED, State.ALREADY_THERE}
    assert len(at.proven()) == 1
    landed(at, server, slots=())
    assert at.holding.names("flights") == []


def test_an_older_day_is_no_matter_of_a_named_slot(at: Bridgehead, server: Sftp) -> None:
    at.moved(at.release(b"one"))
    other = Slot("flights", "2026-11-19", DAY - timedelta(days=1), SLOT.scheduled_at)
    assert [one.state for one in landed(at, server, slots=(other,))] == [State.NOT_RELEASED]
    assert at.seen() == {}
    assert states(landed(at, server, slots=(other, SLOT), since=DAY - timedelta(days=9)))[0] == ONE


def _strange(at: Bridgehead, *names: str) -> None:
    for name in names:
        (at.outbound / "_manifests" / f"{DAY}" / name).write_bytes(b"")


def test_a_strange_name_among_the_manifests_is_in_no_other_feeds_way(at: Bridgehead, server: Sftp) -> None:
    _strange(at, "strange\nname", f"trains.{DAY}.1.json", ".DS_Store", "x")
    at.moved(at.release(b"one"))
    for slots in ((), (SLOT,)):
        outcomes = landed(at, server, slots=slots)
        assert all(one.error is None for one in outcomes)
        if slots:
            (warning,) = (one for one in outcomes if one.state is State.STRANGE)
            assert "and 1 more" in warning.what
            assert "\n" not in warning.what
            assert dict(states(outcomes))["flights/2026-11-20"] is State.ALREADY_THERE
        else:
            assert ONE in states(outcomes)


def test_a_slot_that_is_missing_is_refused_where_a_strange_name_bears_its_feed(
    at: Bridgehead, server: Sftp
) -> None:
    at.held()  # the holding folder of the feed
    _strange(at, ".DS_Store")
    assert ("flights/2026-11-20", State.NOT_RELEASED) in states(landed(at, server))
    _strange(at, f"Flights.{DAY}.1.json")
    outcomes = landed(at, server)
    assert ("flights/2026-11-20", State.REFUSED) in states(outcomes)
    assert [one.error.exit for one in outcomes if one.error] == [Exit.INTEGRITY]
    at.moved(at.release(b"one"))
    outcomes = landed(at, server)
    assert ONE in states(outcomes)
    assert [one.error for one in outcomes if one.error] == [], "it came: the strange name is a warning"
