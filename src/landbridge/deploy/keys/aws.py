"""How do Secrets Manager and Transfer Family keep the promises of keys/ports.py?"""

from __future__ import annotations

import uuid
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from landbridge.deploy.aws.failures import told
from landbridge.deploy.keys.pair import KeyPair, same
from landbridge.deploy.keys.ports import Announced, Held, HostKey, Version
from landbridge.errors import TryAgain, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mypy_boto3_secretsmanager.client import SecretsManagerClient
    from mypy_boto3_transfer.client import TransferClient
    from mypy_boto3_transfer.type_defs import ListedHostKeyTypeDef

_PENDING, _CURRENT, _PREVIOUS = "AWSPENDING", "AWSCURRENT", "AWSPREVIOUS"
_ALLOW = "who runs this needs the rotator's policy: see `landbridge needs`"
_SPACE = uuid.UUID("6f3a6f0e-6f5f-4d0c-8d0b-0c2b5a3d9e11")


class SecretCustody:
    """One secret of Secrets Manager that holds nothing but the key; obeys ports.Custody."""

    def __init__(self, client: SecretsManagerClient, name: str, key_id: str, tags: Mapping[str, str]) -> None:
        """Take the secret's name, and the KMS key (id, ARN or alias) and tags for when it must be made."""
        self._client = client
        self.name = name
        self._key_id = key_id
        self._tags = tags

    def look(self) -> Held:
        """See ports.Custody."""
        with told(f"looking at the secret {self.name}", allow=_ALLOW):
            by_label = self._labels()
            read = {
                version: self._read(version)
                for version in {by_label.get(label) for label in (_PENDING, _CURRENT, _PREVIOUS)}
                if version
            }
        return Held(*(read.get(by_label.get(label, "")) for label in (_PENDING, _CURRENT, _PREVIOUS)))

    def keep_pending(self, pair: KeyPair, held: Held) -> None:
        """See ports.Custody.

        The version's id follows from the current one's: of two who follow the same key at once, the second is refused
        and finds the first one's. Where that id was used up by an older change, any other will do.
        """
        after = held.current.id if held.current else "none"
        with told(f"writing the secret {self.name}", allow=_ALLOW):
            self._make()
            if self._labels().get(_PENDING):
                return  # somebody else was first
            try:
                self._put(pair, uuid.uuid5(_SPACE, f"{self.name} after {after}"))
            except self._client.exceptions.ResourceExistsException:
                if self.look().pending is None:
                    self._put(pair, uuid.uuid4())

    def make_current(self, held: Held) -> None:
        """See ports.Custody."""
        if held.pending is None:
            return
        pending = held.pending.id
        with told(f"changing the secret {self.name}", allow=_ALLOW):
            labels = self._labels()
            if labels.get(_CURRENT) != pending:
                # A label may be on a version that has no value yet.
                self._move(pending, held.current.id if held.current else labels.get(_CURRENT, ""))
            if labels.get(_PENDING) == pending:
                self._client.update_secret_version_stage(
                    SecretId=self.name, VersionStage=_PENDING, RemoveFromVersionId=pending
                )

    def _put(self, pair: KeyPair, version: uuid.UUID) -> None:
        self._client.put_secret_value(
            SecretId=self.name,
            ClientRequestToken=str(version),
            SecretString=pair.private,
            VersionStages=[_PENDING],
        )

    def _move(self, pending: str, current: str) -> None:
        words = {"RemoveFromVersionId": current} if current else {}
        try:
            self._client.update_secret_version_stage(
                SecretId=self.name, VersionStage=_CURRENT, MoveToVersionId=pending, **words
            )
        except (
            self._client.exceptions.InvalidParameterException,
            self._client.exceptions.InvalidRequestException,
        ) as error:
            raise TryAgain(
                f"somebody else changed {self.name} meanwhile", hint="look at `landbridge keys status`"
            ) from error

    def _labels(self) -> dict[str, str]:
        """Give the version under each label; none while there is no secret."""
        try:
            stages = self._client.describe_secret(SecretId=self.name).get("VersionIdsToStages", {})
        except self._client.exceptions.ResourceNotFoundException:
            return {}
        return {label: version for version, labels in stages.items() for label in labels}

    def _read(self, version: str) -> Version | None:
        try:
            answer = self._client.get_secret_value(SecretId=self.name, VersionId=version)
        except self._client.exceptions.ResourceNotFoundException:
            return None
        text = answer.get("SecretString", "")
        if not text:
            return None  # a secret that a template made has no value yet
        return Version(version, KeyPair.parse(text, f"{self.name} ({version})"))

    def _make(self) -> None:
        tags = [{"Key": key, "Value": value} for key, value in self._tags.items()]
        with suppress(self._client.exceptions.ResourceExistsException):
            self._client.create_secret(
                Name=self.name,
                KmsKeyId=self._key_id,
                Description="Private SSH key; written by landbridge keys and by nobody else",
                Tags=tags,  # type: ignore[arg-type] # a list of plain dicts will do
            )


class TransferServer:
    """One user of one Transfer Family server; obeys ports.Server."""

    def __init__(self, client: TransferClient, server: str, user: str) -> None:
        self._client = client
        self._server = server
        self._user = user

    def announced(self) -> list[Announced]:
        """See ports.Server."""
        with self._asking("looking at the user"):
            user = self._client.describe_user(ServerId=self._server, UserName=self._user)["User"]
        keys = [
            Announced(key["SshPublicKeyId"], key["SshPublicKeyBody"], key["DateImported"])
            for key in user.get("SshPublicKeys", [])
        ]
        return sorted(keys, key=lambda key: (key.since, key.id))

    def announce(self, public: str) -> None:
        """See ports.Server."""
        if any(same(key.public, public) for key in self.announced()):
            return
        with (
            self._asking("adding a public key"),
            suppress(self._client.exceptions.ResourceExistsException),
        ):
            self._client.import_ssh_public_key(
                ServerId=self._server, UserName=self._user, SshPublicKeyBody=public
            )

    def withdraw(self, id: str) -> None:  # noqa: A002 - the API's word
        """See ports.Server."""
        with (
            self._asking("taking a public key away"),
            suppress(self._client.exceptions.ResourceNotFoundException),
        ):
            self._client.delete_ssh_public_key(ServerId=self._server, UserName=self._user, SshPublicKeyId=id)

    def host_keys(self) -> list[HostKey]:
        """See ports.Server."""
        with self._asking("looking at the host keys"):
            found = [
                HostKey(
                    key.get("HostKeyId", ""),
                    _with_hash(key.get("Fingerprint", "")),
                    key.get("Type", ""),
                    key["DateImported"],
                )
                for key in self._listed()
            ]
        return sorted(found, key=lambda key: (key.since, key.id))

    def _listed(self) -> Iterator[ListedHostKeyTypeDef]:
        page = self._client.list_host_keys(ServerId=self._server)
        yield from page["HostKeys"]
        while token := page.get("NextToken"):
            page = self._client.list_host_keys(ServerId=self._server, NextToken=token)
            yield from page["HostKeys"]

    def add_host_key(self, pair: KeyPair) -> None:
        """See ports.Server."""
        if any(key.fingerprint == pair.fingerprint for key in self.host_keys()):
            return
        with self._asking("adding a host key"), suppress(self._client.exceptions.ResourceExistsException):
            self._client.import_host_key(
                ServerId=self._server, HostKeyBody=pair.private, Description="made by landbridge keys"
            )

    def remove_host_key(self, id: str) -> None:  # noqa: A002 - the API's word
        """See ports.Server."""
        with (
            self._asking("taking a host key away"),
            suppress(self._client.exceptions.ResourceNotFoundException),
        ):
            self._client.delete_host_key(ServerId=self._server, HostKeyId=id)

    @contextmanager
    def _asking(self, doing: str) -> Iterator[None]:
        with told(f"{doing} {self._user} of {self._server}", allow=_ALLOW):
            try:
                yield
            except self._client.exceptions.ResourceNotFoundException as error:
                raise UsageError(
                    f"{doing}: no such server or user",
                    expected=f"the server {self._server} with the user {self._user}",
                    seen=error.response["Error"].get("Message", ""),
                    hint="deploy the stacks first, or name the server with `--server`",
                ) from error


def _with_hash(text: str) -> str:
    return text if text.startswith("SHA256:") else f"SHA256:{text.rstrip('=')}"
