"""Does a command that finds a twin's record know whether the twin is there?"""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from landbridge.errors import TryAgain, Unavailable, UsageError
from landbridge.twin import control, lock, state
from landbridge.twin.child import Identity, identity
from landbridge.twin.keys import Ed25519Key
from landbridge.twin.ports import Ports
from landbridge.twin.state import Ground, Service, TwinState, WebIdentity

if TYPE_CHECKING:
    from pathlib import Path


def _state(folder: Path) -> TwinState:
    who = WebIdentity("arn:aws:iam::000000000000:role/pod", folder / "tokens" / "pod", "pod")
    ground = Ground(
        "127.0.0.1",
        2022,
        "collector",
        folder / "a",
        "ssh-ed25519 AAAA",
        folder / "share",
        folder / "b",
        folder / "c",
    )
    return TwinState(
        project="acme",
        environment="DEV",
        folder=folder,
        started_at=datetime(2026, 11, 20, tzinfo=UTC),
        region="eu-west-2",
        endpoint="http://127.0.0.1:10000",
        issuer="http://127.0.0.1:10001",
        ports=Ports(1, 2, 3, 4, 5),
        bucket="acme-dev-reports",
        pod=who,
        operator=who,
        watch=who,
        reaper=who,
        ground=ground,
        keeper=identity(os.getpid()),
        services=(Service("server", identity(os.getpid()), folder / "log"),),
    )


def test_what_is_put_on_record_is_read_again(tmp_path: Path) -> None:
    state.save(_state(tmp_path))
    assert state.load(tmp_path) == _state(tmp_path)
    assert stat.S_IMODE((tmp_path / "state.json").stat().st_mode) == 0o600


def test_without_a_record_there_is_no_twin(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="landbridge twin up"):
        state.load(tmp_path)


@pytest.mark.parametrize("gone", [Identity(os.getpid(), "1"), Identity(2**22 + 1, "1")])
def test_a_record_whose_processes_are_gone_is_no_twin(tmp_path: Path, gone: Identity) -> None:
    state.save(replace(_state(tmp_path), services=(Service("server", gone, tmp_path / "log"),)))
    with pytest.raises(Unavailable, match="stopped without"):
        state.load(tmp_path)
    assert not control.status(tmp_path).healthy


def test_a_record_of_another_release_is_named_as_such(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text('{"version": 0}')
    with pytest.raises(Unavailable, match="another release"):
        state.load(tmp_path)


def test_a_process_does_not_bring_itself_down(tmp_path: Path) -> None:
    state.save(_state(tmp_path))
    with pytest.raises(UsageError):
        control.down(tmp_path)


def test_down_touches_no_stranger_with_an_old_number(tmp_path: Path) -> None:
    stranger = Identity(os.getppid(), "1")
    service = Service("server", stranger, tmp_path / "log")
    state.save(replace(_state(tmp_path), keeper=stranger, services=(service,)))
    assert control.down(tmp_path) == ()
    assert state.recorded(tmp_path) is None


def test_a_folder_has_one_owner(tmp_path: Path) -> None:
    with lock.only_one(tmp_path):
        assert lock.owner(tmp_path) == identity(os.getpid())
        with pytest.raises(TryAgain, match=str(os.getpid())), lock.only_one(tmp_path):
            pass
    assert lock.owner(tmp_path) is None
    with lock.only_one(tmp_path):
        pass


def test_the_folder_is_private_and_out_of_git(tmp_path: Path) -> None:
    folder = state.make_folder(tmp_path, "DEV")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert (tmp_path / ".landbridge" / ".gitignore").read_text() == "*\n"
    assert state.folders(tmp_path) == [folder]


def test_the_variables_of_a_pod_are_those_of_eks(tmp_path: Path) -> None:
    twin = _state(tmp_path)
    assert twin.environment_of(twin.pod) == {
        "AWS_ROLE_ARN": "arn:aws:iam::000000000000:role/pod",
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "tokens" / "pod"),
        "AWS_ROLE_SESSION_NAME": "pod",
        "AWS_REGION": "eu-west-2",
        "AWS_DEFAULT_REGION": "eu-west-2",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:10000",
    }


def test_a_private_key_is_not_shown() -> None:
    key = Ed25519Key.generate()
    assert repr(key) == "Ed25519Key()"
    assert Ed25519Key.parse(key.private_openssh).public_openssh == key.public_openssh
    assert Ed25519Key.parse_pem(key.private_pem).public_pem == key.public_pem
    assert key.public_openssh.startswith("ssh-ed25519 ")
