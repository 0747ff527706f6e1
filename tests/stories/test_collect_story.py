"""Does a collection bring what is released, refuse what cannot be trusted, and say so; also when line or share fail?"""

from __future__ import annotations

import subprocess
import threading
import time
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from landbridge.collect import collect
from landbridge.errors import (
    DiskFailed,
    Exit,
    IntegrityBroken,
    LandbridgeError,
    NotPermitted,
    ShareRefused,
    Unavailable,
)
from landbridge.facts import Content, Download, Fetched, Server
from landbridge.ledger import make_receipt_bytes
from landbridge.released import State
from landbridge.sftp import keys
from landbridge.sftp.client import SftpRemote
from landbridge.sftp.endpoint import Endpoint, Tuning
from landbridge.sftp.retried import Retried
from landbridge.steps.fetch import fetch_claimed
from landbridge.twin.keys import Ed25519Key
from tests.fakes.facts import downloaded
from tests.fakes.set_clock import SetClock
from tests.servers.line import line_to
from tests.servers.sftp import asyncssh_server
from tests.stories.bridgehead import DAY, Bridgehead, some_bytes
from tests.stories.mounts import mounted, needs_root

if TYPE_CHECKING:
    from pathlib import Path

    from landbridge.released import Outcome
    from tests.servers.sftp import Sftp

pytestmark = pytest.mark.story


def collected(at: Bridgehead, server: Sftp, collector: str = "edge1") -> list[Outcome]:
    with SftpRemote(server.endpoint()) as remote, at.share(collector) as share:
        return collect(at.ground(remote, share), DAY)


def states(outcomes: list[Outcome]) -> list[tuple[str, State]]:
    return [(outcome.what, outcome.state) for outcome in outcomes]


def test_what_is_released_comes_to_the_share_once_with_its_receipts(at: Bridgehead, server: Sftp) -> None:
    large, small = some_bytes(3_000_000), some_bytes(2_000)
    at.release(large, feed="large", done="large.done")
    at.release(small, feed="small", name="deep/er/small.csv")
    at.release(b"", feed="empty")
    assert {state for _, state in states(collected(at, server))} == {State.DELIVERED}
    assert at.seen() == {
        "large_2026-11-20_1.csv": large,
        "large.done": b"",
        "deep/er/small.csv": small,
        "empty_2026-11-20_1.csv": b"",
    }
    assert sorted(receipt.feed for receipt in at.proven()) == ["empty", "large", "small"]
    assert collected(at, server) == []
    assert collected(at, server, "edge2") == []


def test_a_correction_comes_after_what_it_corrects_and_never_before(at: Bridgehead, server: Sftp) -> None:
    at.release(b"one", name="one.csv")
    collected(at, server)
    at.release(b"two", revision=2, name="two.csv")
    at.release(b"three", revision=3, name="three.csv")
    assert states(collected(at, server)) == [("flights/2026-11-20", State.DELIVERED)]
    assert set(at.seen()) == {"one.csv", "three.csv"}
    (at.outbound / "_manifests" / f"{DAY}" / "flights.2026-11-20.0003.json").unlink()
    assert collected(at, server) == []


def test_what_cannot_be_trusted_is_refused_and_stops_nothing_else(at: Bridgehead, server: Sftp) -> None:
    good = at.release(b"good", feed="good")
    manifests = at.outbound / "_manifests" / f"{DAY}"
    (manifests / "garbage.2026-11-20.0001.json").write_bytes(b"{")
    (manifests / "huge.2026-11-20.0001.json").write_bytes(bytes(100_000))
    (manifests / "no manifest").write_bytes(b"")
    for feed, wrong in (
        ("outside", {"remote_path": "/receipts/x"}),
        ("above", {"remote_path": "/outbound/../receipts/x"}),
        ("escape", {"landed_name": "../x"}),
        ("private", {"landed_name": ".landbridge/dev/volume.json"}),
        ("windows", {"landed_name": "aux.csv"}),
        ("other", {"environment": "PROD"}),
        ("yesterday", {"business_date": DAY - timedelta(days=1)}),
        ("digest", {"sha256": "0" * 64}),
        ("short", {"size": good.size + 1}),
        ("gone", {"remote_path": "/outbound/never"}),
    ):
        made = at.release(b"good", feed=feed)
        at.announce(replace(made, **wrong))
    at.announce(good, "stranger.2026-11-20.0001.json")
    outcomes = collected(at, server)
    assert at.seen() == {"good_2026-11-20_1.csv": b"good"}
    assert [one.what for one in outcomes if one.state is State.DELIVERED] == ["good/2026-11-20"]
    assert len(outcomes) == 1 + 3 + 10 + 1
    refused = [one for one in outcomes if one.state is State.REFUSED]
    assert len(refused) == 12
    (strange,) = (one for one in outcomes if one.state is State.STRANGE)
    assert (strange.what, strange.error) == ("'no manifest'", None)
    assert {one.error.exit for one in refused if one.error} == {Exit.INTEGRITY}


def test_a_lost_journal_is_rebuilt_from_the_receipts(at: Bridgehead, server: Sftp) -> None:
    at.release(b"one", feed="one")
    at.release(b"two", feed="two")
    collected(at, server)
    for name in at.seen():
        (at.root / name).unlink()  # the consumer has them
    (at.receipts / f"{DAY}" / "two.2026-11-20.0001.json").unlink()
    _lose_journal(at)
    at.share().adopt()
    outcomes = dict(states(collected(at, server)))
    assert outcomes == {"one/2026-11-20": State.ALREADY_THERE, "two/2026-11-20": State.REFUSED}
    assert at.seen() == {}


def test_a_receipt_that_nobody_signed_does_not_count(at: Bridgehead, server: Sftp) -> None:
    made = at.release(b"one")
    collected(at, server)
    (receipt,) = at.proven()
    _lose_journal(at)
    at.share().adopt()
    path = at.receipts / f"{DAY}" / "flights.2026-11-20.0001.json"
    path.write_bytes(make_receipt_bytes(receipt, Ed25519Key.generate().private_pem))
    ((what, state),) = states(collected(at, server))
    assert (what, state) == ("flights.2026-11-20.0001.json", State.REFUSED)
    path.write_bytes(make_receipt_bytes(replace(receipt, sha256="0" * 64), at.receipt_key.private_pem))
    assert states(collected(at, server))[0][1] is State.REFUSED
    path.write_bytes(make_receipt_bytes(receipt, at.receipt_key.private_pem))
    assert states(collected(at, server)) == [("flights/2026-11-20", State.ALREADY_THERE)]
    assert at.seen() == {made.landed_name: b"one"}


def test_a_receipt_that_could_not_be_sent_is_sent_by_the_next_run(at: Bridgehead, server: Sftp) -> None:
    at.release(b"one")
    at.receipts.rmdir()
    at.receipts.write_bytes(b"in the way")
    (outcome,) = collected(at, server)
    assert outcome.state is State.UNRECEIPTED
    assert at.seen() == {"flights_2026-11-20_1.csv": b"one"}
    at.receipts.unlink()
    at.receipts.mkdir()
    (at.root / "flights_2026-11-20_1.csv").unlink()
    assert states(collected(at, server, "edge2")) == [("flights/2026-11-20", State.ALREADY_THERE)]
    assert [receipt.collector for receipt in at.proven()] == ["edge1"]
    assert at.seen() == {}


def test_a_cut_line_is_taken_up_where_it_broke(at: Bridgehead, server: Sftp) -> None:
    body = some_bytes(6_000_000)
    at.release(body)
    told: list[int] = []

    class Counting:
        def start(self, step: str, total: int | None, unit: str) -> None:
            assert (total, unit) == (len(body), "B")

        def advance(self, step: str, amount: int) -> None:
            told.append(amount)

        def finish(self, step: str) -> None:
            pass

    with line_to(server.port, cut_after=(1_500_000, 900, 2_000_000, 1_000_000)) as line:
        remote = Retried(SftpRemote(server.endpoint(line.port)), attempts=8, longest_pause=0.3)
        with at.share() as share:
            (outcome,) = collect(at.ground(remote, share, Counting()), DAY)
        remote.close()
    assert outcome.state is State.DELIVERED
    assert at.seen() == {"flights_2026-11-20_1.csv": body}
    assert line.connections == 5
    assert sum(told) == len(body)
    (receipt,) = at.proven()
    assert isinstance(receipt.brought, Download)
    assert (receipt.brought.attempts, receipt.brought.resumed_from) == (5, 0)
    pinned = keys.read(server.endpoint()).pinned[0].fingerprint
    assert receipt.brought.server == Server("127.0.0.1", line.port, pinned, server.user)
    assert receipt.brought.began_at < receipt.brought.ended_at <= receipt.landed_at


def test_without_retries_a_cut_is_an_outcome_and_the_part_stays(at: Bridgehead, server: Sftp) -> None:
    body = some_bytes(6_000_000)
    at.release(body)
    with line_to(server.port, cut_after=(2_000_000,)) as line:
        with SftpRemote(server.endpoint(line.port)) as remote, at.share() as share:
            (outcome,) = collect(at.ground(remote, share), DAY)
        assert isinstance(outcome.error, Unavailable)
        assert at.seen() == {}
        (part,) = (at.root / ".landbridge/dev/parts").iterdir()
        left = part.read_bytes()
        assert 0 < len(left) < len(body)
        assert body.startswith(left)
        line.cut_after.append(len(body) - len(left) + 200_000)  # enough only for the rest
        with SftpRemote(server.endpoint(line.port)) as remote, at.share() as share:
            (outcome,) = collect(at.ground(remote, share), DAY)
    assert outcome.state is State.DELIVERED
    assert at.seen() == {"flights_2026-11-20_1.csv": body}
    assert resumed_and_tried(at) == (len(left), 1)


def resumed_and_tried(at: Bridgehead) -> tuple[int, int]:
    (receipt,) = at.proven()
    assert isinstance(receipt.brought, Download)
    return receipt.brought.resumed_from, receipt.brought.attempts


def test_a_part_that_a_power_cut_spoiled_is_begun_again(at: Bridgehead, server: Sftp) -> None:
    body = some_bytes(600_000)
    manifest = at.release(body)
    with at.share() as share, share.claim(manifest) as claim:
        claim.part.write_bytes(bytes(400_000))
    assert states(collected(at, server)) == [("flights/2026-11-20", State.DELIVERED)]
    assert at.seen() == {"flights_2026-11-20_1.csv": body}
    assert resumed_and_tried(at) == (0, 2)


def test_another_host_key_stops_everything(at: Bridgehead, server: Sftp) -> None:
    at.release(b"one")
    other = Ed25519Key.generate()
    right = server.endpoint()
    wrong = replace(right, host_keys=(other.public_openssh,))
    with SftpRemote(wrong) as remote, at.share() as share, pytest.raises(IntegrityBroken) as caught:
        collect(at.ground(remote, share), DAY)
    assert "SHA256:" in caught.value.expected
    assert "SHA256:" in caught.value.seen
    assert caught.value.expected != caught.value.seen
    both = replace(right, host_keys=(other.public_openssh, *right.host_keys))
    with SftpRemote(both) as remote, at.share() as share:
        assert states(collect(at.ground(remote, share), DAY)) == [("flights/2026-11-20", State.DELIVERED)]


def test_a_server_with_another_kind_of_host_key_shows_both_fingerprints(server: Sftp) -> None:
    rsa = (
        "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDAu7tvIvX6ZHrRXuZNfkR3XLHSsuCK9Zn3X58lxBcQzuf5xZFd89+"
        "OWqgTtjNDCpHR0ImvJtgGTeCyLb/rsOLHcfqqFzhxp0ZrAr0IhlaoFyiBuj/oEAvLXcvTm2JNh8xR0lQKZGPZyTlDmQ"
        "jBd+YlD8YdxEvFO4OH3dFgnHGE1Q=="
    )
    wrong = replace(server.endpoint(), host_keys=(rsa,))
    # Both ends give up; where the server's end is seen first it is a cut like any other, and the next try tells.
    with SftpRemote(wrong) as remote, pytest.raises(IntegrityBroken) as caught:
        Retried(remote).files("/outbound")
    assert "SHA256:" in caught.value.seen


def test_a_refused_key_and_a_wrong_passphrase_are_told_apart(server: Sftp) -> None:
    right = server.endpoint()
    stranger = replace(right, private_key=Ed25519Key.generate().private_openssh)
    with SftpRemote(stranger) as remote, pytest.raises(NotPermitted, match="refused the key"):
        remote.files("/outbound")
    with pytest.raises(NotPermitted, match="cannot be read"):
        SftpRemote(replace(right, private_key="no key"))
    assert "no key" not in repr(stranger)


def test_nobody_listening_is_unavailable(server: Sftp) -> None:
    nobody = Endpoint(
        "127.0.0.1", 9, "collector", server.user_key.private_openssh, server.endpoint().host_keys
    )
    with SftpRemote(nobody, Tuning(connect_timeout=5)) as remote, pytest.raises(Unavailable):
        remote.files("/outbound")


def test_a_bandwidth_limit_holds_for_all_downloads_together(at: Bridgehead, server: Sftp) -> None:
    for feed in "abcd":
        at.release(some_bytes(400_000), feed=feed)
    began = time.monotonic()
    with SftpRemote(server.endpoint(), Tuning(bandwidth=1_000_000)) as remote, at.share() as share:
        collect(at.ground(remote, share), DAY)
    # Not a measurement of speed: 1.6 MB at 1 MB a second cannot take less, however fast the machine is.
    assert time.monotonic() - began > 1.0
    assert len(at.seen()) == 4


def test_two_collectors_share_the_work_and_deliver_nothing_twice(at: Bridgehead, server: Sftp) -> None:
    for number in range(60):
        at.release(some_bytes(5_000, number), feed=f"f{number}")
    results: list[Outcome] = []

    def go(collector: str) -> None:
        for _ in range(3):
            results.extend(collected(at, server, collector))

    threads = [threading.Thread(target=go, args=(f"edge{number}",)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    delivered = [one.what for one in results if one.state is State.DELIVERED]
    assert len(delivered) == len(set(delivered)) == 60
    assert len(at.seen()) == 60
    assert len(at.proven()) == 60


def test_a_folder_that_is_none_keeps_no_other_feed_from_its_delivery(at: Bridgehead, server: Sftp) -> None:
    large = some_bytes(2_000_000)
    at.release(b"small", feed="small", name="sub/small.csv")
    at.release(large, feed="large", name="large.csv")
    (at.root / "sub").write_bytes(b"in the way")
    assert states(collected(at, server)) == [
        ("small/2026-11-20", State.FAILED),
        ("large/2026-11-20", State.DELIVERED),
    ]
    assert at.seen() == {"sub": b"in the way", "large.csv": large}


def test_a_part_that_cannot_be_looked_at_or_removed_is_an_outcome(at: Bridgehead, tmp_path: Path) -> None:
    class Other:
        """A server that has other bytes."""

        def download(self, *_: object) -> Fetched:
            return Fetched(Content(1, "0" * 64, 0), Server("host", 22, "", "user"), 1)

    manifest = at.release(b"one")
    (tmp_path / "folder").mkdir()
    with at.share() as share, share.claim(manifest) as claim:
        for part in (tmp_path / ("x" * 300), tmp_path / "folder"):
            elsewhere = replace(claim, part=part)
            answer = fetch_claimed(Other(), SetClock(), "edge1", lambda _: None, elsewhere, manifest)  # type: ignore[arg-type]
            assert isinstance(answer, ShareRefused | DiskFailed)
            assert str(part) in answer.what


@needs_root
def test_a_full_share_is_refused_clearly_and_taken_up_when_there_is_room(tmp_path: Path) -> None:
    (tmp_path / "at").mkdir()
    with mounted(tmp_path / "at/share", "-o", "size=6m"):
        at = Bridgehead(tmp_path / "at")
        body = some_bytes(3_000_000)
        at.release(body)
        at.release(some_bytes(4_000_000), feed="second")
        (at.root / "ballast").write_bytes(bytes(5_000_000))
        with asyncssh_server(at.server) as server:
            outcomes = collected(at, server)
            assert [one.state for one in outcomes] == [State.FAILED, State.NOT_TRIED] or [
                one.state for one in outcomes
            ] == [State.FAILED, State.FAILED]
            assert outcomes[0].error is not None
            assert outcomes[0].error.exit is Exit.CANNOT_CREATE
            assert "No space" in outcomes[0].error.seen
            assert set(at.seen()) == {"ballast"}
            (at.root / "ballast").unlink()
            (at.outbound / "_manifests" / f"{DAY}" / "second.2026-11-20.0001.json").unlink()
            assert states(collected(at, server)) == [("flights/2026-11-20", State.DELIVERED)]
            assert at.seen() == {"flights_2026-11-20_1.csv": body}


@needs_root
def test_a_share_that_turns_read_only_is_refused_clearly(tmp_path: Path) -> None:
    (tmp_path / "at").mkdir()
    with mounted(tmp_path / "at/share", "-o", "size=8m"):
        at = Bridgehead(tmp_path / "at")
        at.release(b"one")
        with asyncssh_server(at.server) as server:
            subprocess.run(["mount", "-o", "remount,ro", at.root], check=True)
            with SftpRemote(server.endpoint()) as remote, at.share() as share:
                with pytest.raises(LandbridgeError) as caught:
                    collect(at.ground(remote, share), DAY)
                assert caught.value.exit is Exit.CANNOT_CREATE
            assert at.seen() == {}
            subprocess.run(["mount", "-o", "remount,rw", at.root], check=True)
            assert states(collected(at, server)) == [("flights/2026-11-20", State.DELIVERED)]


@needs_root
def test_a_share_that_is_unmounted_in_the_middle_gets_nothing_under_its_mount_point(tmp_path: Path) -> None:
    (tmp_path / "at").mkdir()
    with mounted(tmp_path / "at/share", "-o", "size=8m"):
        at = Bridgehead(tmp_path / "at")
        manifest = at.release(b"one")
        with at.share() as share, share.claim(manifest) as claim:
            claim.part.write_bytes(b"one")
            subprocess.run(["umount", "-l", at.root], check=True)
            with pytest.raises(LandbridgeError) as caught:
                claim.land(downloaded(3, manifest.sha256))
            assert caught.value.exit is Exit.CANNOT_CREATE
            assert "not mounted" in caught.value.seen
        assert list(at.root.iterdir()) == []
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", at.root], check=True)


def _lose_journal(at: Bridgehead) -> None:
    for path in sorted((at.root / ".landbridge/dev/journal").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
