"""What does an examination look through: which sides does this machine see, and is what it opened closed again?"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from landbridge import wiring
from landbridge.doctor.finding import Side
from landbridge.errors import NotPermitted, TryAgain, Unavailable, UsageError
from landbridge.twin.keys import Ed25519Key
from landbridge.wiring import doctor_side, ground_side
from tests.core import declared
from tests.core.declared import examined
from tests.core.formats import Silent
from tests.fakes.proven import COLLECTOR

if TYPE_CHECKING:
    from landbridge.project import Declaration
    from landbridge.sftp.client import SftpRemote

_AWS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Declaration:
    """A project without keys, share or credentials, on a machine that is no pod."""
    for name in (*_AWS, "KUBERNETES_SERVICE_HOST", wiring.JOB_NAME):
        monkeypatch.delenv(name, raising=False)
    nothing = str(tmp_path / "nothing")
    monkeypatch.setenv("AWS_CONFIG_FILE", nothing)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", nothing)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("SFTP_HOST", "127.0.0.1")
    found = examined(tmp_path, declared.FILES).declaration
    assert found is not None
    (tmp_path / "keys").mkdir()
    return found


def _key(project: Declaration) -> None:
    keys = project.folder / "keys"
    (keys / "collector").write_text(Ed25519Key.generate().private_openssh)
    (keys / "host.pub").write_text(Ed25519Key.generate().public_openssh)
    (keys / "receipts.pem").write_text(COLLECTOR.private)
    (keys / "receipts.pub").write_text(COLLECTOR.public)


def _sides(project: Declaration, *, twin: bool = False) -> list[Side]:
    return list(doctor_side.sides(project, "DEV", twin=twin))


def test_a_machine_sees_the_sides_that_it_has_something_of_and_without_any_both(
    project: Declaration, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _sides(project) == list(Side), "and each says what is lacking"
    assert _sides(project, twin=True) == list(Side)
    _key(project)
    assert _sides(project) == [Side.GROUND]
    (project.folder / "keys" / "collector").unlink()
    (project.folder / "share" / "dev").mkdir(parents=True)
    assert _sides(project) == [Side.GROUND], "the share is mounted"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    assert _sides(project) == list(Side)
    (project.folder / "share" / "dev").rmdir()
    assert _sides(project) == [Side.CLOUD]


@pytest.mark.parametrize("name", ["KUBERNETES_SERVICE_HOST", wiring.JOB_NAME])
def test_a_pod_sees_the_cloud_alone(project: Declaration, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Whatever is mounted into it: a policy of the network is looked at from inside, and only there."""
    _key(project)
    monkeypatch.setenv(name, "here")
    assert _sides(project) == [Side.CLOUD]
    with doctor_side.patient(project, "DEV", (), twin=False, sources=False, progress=Silent()) as patient:
        assert patient.in_cluster
        assert patient.job_name == ("here" if name == wiring.JOB_NAME else "")


def test_an_examination_has_this_process_own_credentials_and_no_others(
    project: Declaration, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for token in ("", str(tmp_path / "token")):
        if token:
            monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", token)
        with doctor_side.patient(project, "DEV", (), twin=False, sources=True, progress=Silent()) as patient:
            (own,) = patient.identities()
            assert (own.role, own.token) == ("", Path(token) if token else None)
            assert patient.identities() is patient.identities()
            assert (patient.sources, patient.twin) == (True, False)


def test_a_line_that_was_opened_is_closed_however_the_examination_ended(project: Declaration) -> None:
    _key(project)
    opened: list[SftpRemote] = []

    def examination(*, fails: bool) -> None:
        with doctor_side.patient(project, "DEV", (), twin=False, sources=False, progress=Silent()) as patient:
            opened.append(patient.remote())
            assert patient.remote() is opened[-1]
            if fails:
                raise TryAgain("interrupted")

    examination(fails=False)
    with pytest.raises(TryAgain):
        examination(fails=True)
    for line in opened:
        with pytest.raises(Unavailable, match="was closed"):
            line.files("/outbound")


def test_a_key_that_cannot_be_read_is_told_when_it_is_asked_for_and_not_before(project: Declaration) -> None:
    with doctor_side.patient(project, "DEV", (), twin=False, sources=False, progress=Silent()) as patient:
        with pytest.raises(UsageError):
            patient.remote()
        _key(project)
        (project.folder / "keys" / "collector").write_text("no key")
        with pytest.raises(NotPermitted):
            patient.remote()
        _key(project)
        patient.remote()
        assert patient.receipt_key() == COLLECTOR.private.strip()
        assert [one.strip() for one in patient.receipt_keys()] == [COLLECTOR.public.strip()]
        root, _ = ground_side.folders(wiring.host(project, "DEV", twin=False, progress=Silent()))
        assert patient.shore().root == root
        assert patient.shore().journal == root / ".landbridge" / "dev" / "journal"


def test_what_several_checks_ask_for_at_once_is_made_once() -> None:
    """Two that adopt a share at the same moment would give it two identities."""
    made: list[int] = []
    together = threading.Barrier(4)

    def make() -> int:
        made.append(1)
        threading.Event().wait(0.02)
        return len(made)

    once = doctor_side._Once(make)
    assert list(once.made) == []

    def ask(_: int) -> int:
        together.wait()
        return once()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, range(4))) == [1, 1, 1, 1]
    assert list(once.made) == [1]
