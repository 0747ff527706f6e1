"""Do Secrets Manager, Transfer Family and a real SFTP endpoint keep what the key commands rely on? On an account on loopback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from landbridge.deploy.keys import host, leaving, user
from landbridge.deploy.keys.aws import SecretCustody, TransferServer
from landbridge.deploy.keys.pair import KeyPair, Kind, fingerprint
from landbridge.deploy.keys.ports import Held
from landbridge.deploy.outputs import Outputs, save
from landbridge.errors import Exit, NotPermitted, TryAgain, UsageError
from tests.deploy.key_account import TRUST, Account
from tests.servers.ministack import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers.ministack import Ministack

pytestmark = pytest.mark.slow


@pytest.fixture
def account(ministack: Ministack) -> Iterator[Account]:
    made = Account(ministack)
    yield made
    ministack.client("transfer").delete_server(ServerId=made.server_id)


def test_a_secret_that_is_not_there_holds_nothing(account: Account) -> None:
    assert account.custody.look() == Held()


def test_a_secret_that_a_template_made_holds_nothing_yet(account: Account) -> None:
    account.ministack.client("secretsmanager").create_secret(Name=account.custody.name)
    assert account.custody.look() == Held()
    account.custody.keep_pending(KeyPair.generate(Kind.ED25519), Held())
    assert account.custody.look().pending is not None


def test_the_labels_move_as_the_commands_expect(account: Account) -> None:
    custody, first, second = account.custody, KeyPair.generate(Kind.ED25519), KeyPair.generate(Kind.RSA)
    custody.keep_pending(first, Held())
    held = custody.look()
    assert held.pending
    assert held.pending.pair.public == first.public
    custody.make_current(held)
    held = custody.look()
    assert held.pending is None
    assert held.current
    assert held.current.pair.public == first.public
    custody.keep_pending(second, held)
    custody.keep_pending(KeyPair.generate(Kind.ED25519), held)  # somebody else, at the same time
    held = custody.look()
    assert held.pending
    assert held.pending.pair.public == second.public
    custody.make_current(held)
    custody.make_current(held)  # an answer was lost
    moved = custody.look()
    assert moved.pending is None
    assert moved.current
    assert moved.previous
    assert (moved.current.pair.public, moved.previous.pair.public) == (second.public, first.public)


def test_who_comes_late_does_not_turn_the_labels_back(account: Account) -> None:
    custody = account.custody
    custody.keep_pending(KeyPair.generate(Kind.ED25519), Held())
    custody.make_current(custody.look())
    custody.keep_pending(KeyPair.generate(Kind.ED25519), custody.look())
    late = custody.look()
    custody.make_current(late)
    custody.keep_pending(KeyPair.generate(Kind.ED25519), custody.look())
    custody.make_current(custody.look())
    with pytest.raises(TryAgain, match="somebody else"):
        custody.make_current(late)


def test_the_users_keys_are_added_once_and_taken_away(account: Account) -> None:
    pair = KeyPair.generate(Kind.RSA)
    account.server.announce(pair.public)
    account.server.announce(f"{pair.public} with a comment")
    (key,) = account.server.announced()
    assert fingerprint(key.public) == pair.fingerprint
    account.server.withdraw(key.id)
    account.server.withdraw(key.id)
    assert account.server.announced() == []


def test_a_server_or_user_that_is_not_there_is_said(account: Account) -> None:
    transfer = account.ministack.client("transfer")
    for server, name in (("s-00000000000000000", account.name), (account.server_id, "nobody")):
        with pytest.raises(UsageError, match="no such server or user"):
            TransferServer(transfer, server, name).announced()


@pytest.mark.parametrize("kind", [Kind.RSA, Kind.ED25519])
def test_a_key_opens_the_real_door_from_its_making_to_its_end(account: Account, kind: Kind) -> None:
    world = account.world()
    user.create(world, kind)
    first = account.custody.look().current
    assert first
    user.rotate(world, kind)
    second = account.custody.look().current
    assert second
    for version in (first, second):  # both are valid now
        account.door.log_in(version.pair.private)
    assert leaving.retire(world, timedelta(0)) == [first.pair.fingerprint]
    account.door.log_in(second.pair.private)
    with pytest.raises(NotPermitted):
        account.door.log_in(first.pair.private)


def test_a_host_key_is_changed_under_the_eyes_of_a_client(account: Account) -> None:
    custody = account.secret("sftp/host")
    world = account.world(custody)
    line = host.prepare(world, Kind.ECDSA)
    with pytest.raises(UsageError, match="not pinned yet"):
        host.switch(world, account.pinned)
    account.pinned = (*account.pinned, line)
    host.switch(world, account.pinned)
    assert account.door.shown("ecdsa-sha2-nistp256") == line
    held = custody.look()
    assert held.pending is None
    assert held.current
    assert held.current.pair.public == line
    next_line = host.prepare(world, Kind.ECDSA)
    account.pinned = (*account.pinned, next_line)
    assert host.switch(world, account.pinned) == [fingerprint(line)]
    assert account.door.shown("ecdsa-sha2-nistp256") == next_line


def test_who_lacks_the_rotators_policy_is_told_so(account: Account) -> None:
    iam, sts = account.ministack.client("iam"), account.ministack.client("sts")
    trust = json.loads(json.dumps(TRUST))
    trust["Statement"][0]["Principal"] = {"AWS": "arn:aws:iam::123456789012:root"}
    role = iam.create_role(RoleName=f"{account.name}-x", AssumeRolePolicyDocument=json.dumps(trust))
    taken = sts.assume_role(RoleArn=role["Role"]["Arn"], RoleSessionName="stranger")["Credentials"]
    client = account.ministack.client("secretsmanager", taken)
    with pytest.raises(NotPermitted) as caught:
        SecretCustody(client, account.custody.name, "alias/x", {}).look()
    assert "landbridge needs" in caught.value.hint


# The command


def _project(account: Account, folder: Path) -> Path:
    (folder / "feeds").mkdir(parents=True)
    (folder / "keys").mkdir()
    (folder / "keys" / "host.pub").write_text("\n".join(account.pinned))
    (folder / "landbridge.yaml").write_text(
        f"""\
version: 1
project: {account.name}
buckets: {{staging: a-staging, reports: a-reports, ledger: a-ledger}}
sftp:
  host: 127.0.0.1
  port: {account.ministack.sftp_port}
  user: {account.name}
  private_key: aws-sm:landbridge/{account.name}/dev/sftp/{account.name}
  host_keys: ["file:keys/host.pub"]
share: {{path: share, receipt_key: "file:keys/r.pem", receipt_public_keys: ["file:keys/r.pub"]}}
environments: {{DEV: {{}}}}
"""
    )
    return folder


def _typed(account: Account, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return subprocess.run(
        [sys.executable, "-m", "landbridge", "keys", *words, "--project", folder],
        env=own | account.ministack.environment(),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def _json(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_whole_story_is_typed(account: Account, tmp_path: Path) -> None:
    folder = _project(account, tmp_path / "project")
    server = ("--server", account.server_id)
    which = _typed(account, folder, "status")
    assert which.returncode == Exit.USAGE
    assert "--server" in which.stderr
    assert "keys create" in _typed(account, folder, "status", *server).stderr
    made = _json(_typed(account, folder, "create", "--kind", "ed25519", "--json", *server))
    again = _typed(account, folder, "create", *server)
    assert again.returncode == Exit.USAGE
    assert "keys rotate" in again.stderr
    new = _json(_typed(account, folder, "rotate", "--kind", "ed25519", "--json", *server))
    waiting = _typed(account, folder, "retire", *server)
    assert waiting.returncode == Exit.TRY_AGAIN
    assert "--overlap" in waiting.stderr
    gone = _json(_typed(account, folder, "retire", "--overlap", "0s", "--json", *server))
    assert gone == {"retired": [made["created"]]}
    rows = _json(_typed(account, folder, "status", "--json", *server))["keys"]
    assert [(row["fingerprint"], row["standing"]) for row in rows if row["announced"]] == [
        (new["rotated"], "current")
    ]
    everything = "".join(
        each.stdout + each.stderr
        for each in (which, again, waiting, _typed(account, folder, "status", *server))
    )
    assert "PRIVATE KEY" not in everything + json.dumps([made, new, gone])


def test_the_host_key_is_typed(account: Account, tmp_path: Path) -> None:
    folder = _project(account, tmp_path / "project")
    save(folder, Outputs("DEV", ACCOUNT, "eu-west-2", {"sftp": {"ServerId": account.server_id}}))
    server = ("--host",)  # which one, the outputs of the stacks tell
    made = _json(_typed(account, folder, "create", "--kind", "ecdsa", "--json", *server))
    assert not made["pinned"]
    refused = _typed(account, folder, "retire", *server)
    assert refused.returncode == Exit.USAGE
    assert made["public_key"] in refused.stderr.replace("\n", "")
    with (folder / "keys" / "host.pub").open("a") as file:
        file.write(f"\n{made['public_key']}\n")
    _json(_typed(account, folder, "retire", "--json", *server))
    shown = _typed(account, folder, "status", *server)
    assert made["fingerprint"] in shown.stdout
    assert account.door.shown("ecdsa-sha2-nistp256") == made["public_key"]
