"""Does a key come, change and go without a gap, whatever fails in between?"""

from __future__ import annotations

from datetime import timedelta

import pytest

from landbridge.deploy.keys import host, leaving, user
from landbridge.deploy.keys.pair import KeyPair, Kind, fingerprint, same
from landbridge.deploy.keys.user import Standing
from landbridge.errors import (
    IntegrityBroken,
    NotPermitted,
    TryAgain,
    Unavailable,
    UsageError,
)
from tests.fakes.key_stage import Stage

DAY = timedelta(hours=24)


@pytest.fixture
def stage() -> Stage:
    return Stage()


def rotated() -> Stage:
    """A world with a current key, and the one before it still valid."""
    stage = Stage()
    user.create(stage.world, Kind.ED25519)
    stage.time.at += timedelta(days=90)
    user.rotate(stage.world, Kind.ED25519)
    return stage


def test_the_first_key_is_kept_announced_and_tried(stage: Stage) -> None:
    public = user.create(stage.world, Kind.ED25519)
    assert stage.standings() == {"current": True}
    assert stage.door.log_ins == [public] == [stage.current.public]
    assert not stage.custody.labels["pending"]


def test_a_second_first_key_is_refused(stage: Stage) -> None:
    user.create(stage.world, Kind.ED25519)
    with pytest.raises(UsageError, match="holds a key already") as caught:
        user.create(stage.world, Kind.ED25519)
    assert "keys rotate" in caught.value.hint
    assert len(stage.custody.versions) == 1


def test_a_key_that_the_server_forgot_is_announced_again(stage: Stage) -> None:
    public = user.create(stage.world, Kind.ED25519)
    stage.server.keys.clear()
    assert user.create(stage.world, Kind.ED25519) == public
    assert stage.standings() == {"current": True}


def test_during_a_rotation_both_keys_open_the_door(stage: Stage) -> None:
    first = user.create(stage.world, Kind.ED25519)
    second = user.rotate(stage.world, Kind.ECDSA)
    assert not same(first, second)
    assert [key.public for key in stage.server.keys] == [first, second]
    assert stage.standings() == {"current": True, "previous": True}
    assert stage.current.public == second


def test_the_new_key_is_current_only_after_a_log_in_with_it() -> None:
    stage = Stage()
    first = user.create(stage.world, Kind.ED25519)
    stage.door.refusals = 99
    with pytest.raises(NotPermitted):
        user.rotate(stage.world, Kind.ED25519)
    assert stage.current.public == first
    assert stage.standings() == {"current": True, "pending": True}
    stage.door.refusals = 2  # it takes some seconds
    new = user.rotate(stage.world, Kind.ED25519)
    assert stage.current.public == new
    assert len(stage.custody.versions) == 2


def test_where_the_endpoint_cannot_be_reached_another_host_goes_on(stage: Stage) -> None:
    user.create(stage.world, Kind.ED25519)
    stage.door.reachable = False
    with pytest.raises(Unavailable, match="cannot be reached from here") as caught:
        user.rotate(stage.world, Kind.ED25519)
    assert "run the same command on a host" in caught.value.hint
    assert stage.standings() == {"current": True, "pending": True}
    stage.door.reachable = True
    user.rotate(stage.world, Kind.ED25519)
    assert stage.standings() == {"current": True, "previous": True}


def test_a_third_key_waits_until_the_first_is_retired() -> None:
    stage = rotated()
    with pytest.raises(UsageError, match="still valid") as caught:
        user.rotate(stage.world, Kind.ED25519)
    assert "keys retire" in caught.value.hint


def test_the_old_key_goes_after_the_overlap_and_a_log_in() -> None:
    stage = rotated()
    old = stage.custody.versions[stage.custody.labels["previous"]]
    with pytest.raises(TryAgain, match="valid for less than"):
        leaving.retire(stage.world, DAY)
    stage.time.at += DAY
    stage.door.refusals = 99
    with pytest.raises(NotPermitted):
        leaving.retire(stage.world, DAY)
    assert len(stage.server.keys) == 2
    stage.door.refusals = 0
    assert leaving.retire(stage.world, DAY) == [old.fingerprint]
    assert [key.public for key in stage.server.keys] == [stage.current.public]
    assert leaving.retire(stage.world, DAY) == []


def test_a_key_that_was_born_elsewhere_is_shown_and_left_alone() -> None:
    stage = rotated()
    foreign = KeyPair.generate(Kind.ED25519)
    stage.server.announce(foreign.public)
    stage.time.at += DAY
    assert foreign.fingerprint not in leaving.retire(stage.world, DAY)
    assert [row.fingerprint for row in user.status(stage.world) if row.standing is Standing.UNKNOWN] == [
        foreign.fingerprint
    ]
    assert leaving.retire(stage.world, DAY, [foreign.fingerprint]) == [foreign.fingerprint]


def test_the_current_key_is_never_taken_away() -> None:
    stage = rotated()
    stage.time.at += DAY
    for named in (stage.current.fingerprint, "SHA256:nobody"):
        with pytest.raises(UsageError, match="cannot be taken away"):
            leaving.retire(stage.world, DAY, [named])


def test_nothing_is_retired_while_a_rotation_is_under_way() -> None:
    stage = rotated()
    stage.time.at += DAY
    leaving.retire(stage.world, DAY)
    stage.door.reachable = False
    with pytest.raises(Unavailable):
        user.rotate(stage.world, Kind.ED25519)
    stage.door.reachable = True
    with pytest.raises(TryAgain, match="not finished"):
        leaving.retire(stage.world, timedelta(0))


def test_two_who_rotate_at_once_agree_on_one_key(stage: Stage) -> None:
    user.create(stage.world, Kind.ED25519)
    before = stage.custody.look()
    stage.custody.keep_pending(KeyPair.generate(Kind.ED25519), before)
    theirs = stage.custody.look()
    stage.custody.keep_pending(KeyPair.generate(Kind.ED25519), before)
    assert stage.custody.look() == theirs
    assert theirs.pending
    assert user.rotate(stage.world, Kind.ED25519) == theirs.pending.pair.public


@pytest.mark.parametrize("after", [False, True], ids=["before it took effect", "after it took effect"])
@pytest.mark.parametrize("command", ["create", "rotate", "retire"])
def test_a_crash_at_any_call_is_mended_by_the_same_command(command: str, after: bool) -> None:
    number = 0
    while True:
        number += 1
        stage = Stage() if command == "create" else rotated()
        if command == "rotate":
            stage.time.at += DAY
            leaving.retire(stage.world, DAY)
        stage.time.at += DAY
        valid = {key.public for key in stage.server.keys}
        stage.effects.made, stage.effects.fail, stage.effects.after = 0, number, after
        try:
            _run(command, stage)
        except Unavailable:
            # Whatever happened: a client that had a valid key before has one now.
            assert not valid or valid & {key.public for key in stage.server.keys}
            stage.effects.fail = 0
            _again(command, stage)
        else:
            break
        stage.effects.fail = 0
        _sound(command, stage)
    assert number > 3, "no call was cut"


def _run(command: str, stage: Stage) -> None:
    match command:
        case "create":
            user.create(stage.world, Kind.ED25519)
        case "rotate":
            user.rotate(stage.world, Kind.ED25519)
        case _:
            leaving.retire(stage.world, DAY)


def _again(command: str, stage: Stage) -> None:
    try:
        _run(command, stage)
    except UsageError as done:  # the last call had taken effect: that is what it says
        assert {"create": "holds a key already", "rotate": "still valid"}[command] in done.what  # noqa: PT017


def _sound(command: str, stage: Stage) -> None:
    held = stage.custody.look()
    assert held.pending is None
    assert held.current
    expected = {"create": 1, "rotate": 2, "retire": 1}[command]
    publics = [key.public for key in stage.server.keys]
    assert len(publics) == expected
    assert held.current.pair.public in publics
    assert held.current.pair.public in stage.door.log_ins


# Host keys


def _served() -> Stage:
    """A server with the host key that it was born with."""
    stage = Stage()
    stage.server.add_host_key(KeyPair.generate(Kind.ED25519))
    stage.time.at += DAY
    return stage


def test_a_new_host_key_changes_nothing_until_it_is_pinned() -> None:
    stage = _served()
    ((_, born),) = stage.server.hosts
    line = host.prepare(stage.world, Kind.ED25519)
    assert host.prepare(stage.world, Kind.ED25519) == line
    assert stage.door.shown("ssh-ed25519") == born
    with pytest.raises(UsageError, match="not pinned yet") as caught:
        host.switch(stage.world, [born])
    assert line in caught.value.expected
    assert stage.door.shown("ssh-ed25519") == born


def test_a_pinned_host_key_takes_the_place_of_the_old_one() -> None:
    stage = _served()
    ((_, born),) = stage.server.hosts
    rsa = KeyPair.generate(Kind.ECDSA)
    stage.server.add_host_key(rsa)
    line = host.prepare(stage.world, Kind.ED25519)
    assert host.switch(stage.world, [born, line]) == [fingerprint(born)]
    assert stage.door.shown("ssh-ed25519") == line
    assert stage.door.shown(rsa.algorithm) == rsa.public, "another algorithm is another lock"
    assert stage.current.public == line
    assert host.switch(stage.world, [line]) == []
    rows = {row.fingerprint: row for row in host.status(stage.world, [line])}
    assert rows[fingerprint(line)].shown
    assert rows[fingerprint(line)].ours
    assert rows[fingerprint(line)].pinned
    assert not rows[rsa.fingerprint].ours


@pytest.mark.parametrize("after", [False, True], ids=["before it took effect", "after it took effect"])
def test_a_crash_during_the_switch_is_mended_by_the_same_command(after: bool) -> None:
    number = 0
    while True:
        number += 1
        stage = _served()
        line = host.prepare(stage.world, Kind.ED25519)
        stage.effects.made, stage.effects.fail, stage.effects.after = 0, number, after
        try:
            host.switch(stage.world, [line])
        except Unavailable:
            stage.effects.fail = 0
            host.switch(stage.world, [line])
        else:
            break
        assert [public for _, public in stage.server.hosts] == [line]
        assert not stage.custody.labels["pending"]
        assert stage.current.public == line
    assert number > 4


def test_a_host_key_is_only_believed_where_the_server_names_it() -> None:
    stage = _served()
    ((_, born),) = stage.server.hosts
    assert host.lines(stage.world) == [born]
    impostor = KeyPair.generate(Kind.ED25519).public
    stage.server.hosts[0] = (stage.server.hosts[0][0], impostor)
    with pytest.raises(IntegrityBroken, match="does not have"):
        host.lines(stage.world)


# Pairs


@pytest.mark.parametrize("kind", Kind)
def test_a_pair_is_read_as_it_was_written(kind: Kind) -> None:
    pair = KeyPair.generate(kind)
    again = KeyPair.parse(pair.private, "x")
    assert again.public == pair.public
    assert again.fingerprint.startswith("SHA256:")
    assert pair.private not in repr(pair)
    if kind is Kind.RSA:
        assert pair.private.startswith("-----BEGIN RSA PRIVATE KEY-----")


@pytest.mark.parametrize("text", ["", "ssh-ed25519 AAAA", "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n"])
def test_what_is_no_key_is_said_without_repeating_it(text: str) -> None:
    with pytest.raises(IntegrityBroken, match="the secret holds no private key") as caught:
        KeyPair.parse(text, "the secret")
    assert "AAAA" not in str(caught.value)


def test_nothing_secret_is_said(stage: Stage) -> None:
    user.create(stage.world, Kind.ED25519)
    user.rotate(stage.world, Kind.ED25519)
    stage.time.at += DAY
    leaving.retire(stage.world, DAY)
    words = "\n".join([*stage.said, *(str(row) for row in user.status(stage.world))])
    for pair in stage.custody.versions.values():
        body = "".join(pair.private.splitlines()[1:-1])
        assert body[:40] not in words


@pytest.mark.parametrize("late", [0, 2, 99])
def test_a_host_key_is_only_current_once_the_endpoint_itself_shows_it(
    late: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another server behind the same name would turn every client away that has the new one pinned."""
    stage = _served()
    ((_, born),) = stage.server.hosts
    line = host.prepare(stage.world, Kind.ED25519)
    shown, looks = stage.door.shown, iter(range(1_000))
    monkeypatch.setattr(
        stage.door, "shown", lambda algorithm: born if next(looks) < late else shown(algorithm)
    )
    if late < 99:
        host.switch(stage.world, [line])
        assert stage.current.public == line
        assert next(looks) == late + 1
        return
    with pytest.raises(IntegrityBroken, match="does not show the new host key"):
        host.switch(stage.world, [line])
    assert stage.custody.labels["pending"], "it is not the current one"


def test_without_a_prepared_host_key_nothing_is_switched() -> None:
    stage = _served()
    ((_, born),) = stage.server.hosts
    with pytest.raises(UsageError, match="holds no host key"):
        host.switch(stage.world, [born])
    assert stage.door.shown("ssh-ed25519") == born


def test_a_pair_is_shown_without_its_private_half() -> None:
    pair = KeyPair.generate(Kind.ED25519)
    assert "PRIVATE" not in repr(pair)
    assert pair.private not in repr(pair)
