"""With whose credentials, and at which endpoint, are buckets reached?"""

from __future__ import annotations

import ssl
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from landbridge.errors import NotPermitted, UsageError

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_s3.client import S3Client
    from obstore.auth.boto3 import Boto3CredentialProvider
    from obstore.store import ClientConfig
    from obstore.store import S3Store as Bytes

_TTL = timedelta(minutes=5)
"""botocore renews temporary credentials 10 to 15 minutes before they expire, so none is held longer than this."""

_ATTEMPTS = 4
"""Of one request (one part of a large file); whole calls are retried by stores.retried."""


class S3Account:
    """One boto3 session at one endpoint, shared by the stores of its buckets.

    Without `endpoint` boto3 chooses it, as it does for every AWS program. Credentials come from boto3's chain
    (web identity, Pod Identity, SSO, profiles ...) and are renewed before they expire.
    """

    def __init__(self, session: boto3.Session, endpoint: str | None = None) -> None:
        self._session = session
        self._endpoint = endpoint

    @cached_property
    def client(self) -> S3Client:
        """boto3's client, for what obstore cannot do: conditional copies, versions. Safe to share between threads."""
        from botocore.config import Config

        config = Config(
            retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
            connect_timeout=10,
            read_timeout=300,  # a copy of 5 GiB answers when it is done
            max_pool_connections=16,
        )
        return self._session.client("s3", endpoint_url=self._endpoint, config=config)

    @property
    def endpoint(self) -> str:
        """The URL in use. Asking boto3 for it makes its client, which takes 0.15 s of CPU."""
        return self._endpoint or self.client.meta.endpoint_url

    @property
    def _region(self) -> str:
        return self._session.region_name or self.client.meta.region_name

    @cached_property
    def _credentials(self) -> Boto3CredentialProvider:
        from obstore.auth.boto3 import Boto3CredentialProvider

        try:
            return Boto3CredentialProvider(self._session, ttl=_TTL)
        except ValueError as error:
            raise NotPermitted(
                f"there are no AWS credentials for {self.endpoint}",
                expected="what boto3 looks for: web identity, Pod Identity, a profile, or AWS_ACCESS_KEY_ID",
                hint="see which are found: aws sts get-caller-identity",
            ) from error

    @cached_property
    def _trusted(self) -> ClientConfig:
        """The certificates that boto3 was told to trust (`AWS_CA_BUNDLE`, `ca_bundle` of the profile), for obstore as well.

        A company whose proxy opens TLS gives its programs such a file; with one client of two obeying it no draft is staged.
        """
        # boto3 has no public way to a setting of its own session.
        named = self._session._session.get_config_variable("ca_bundle")  # noqa: SLF001
        if not named:
            return {}
        path = Path(named).expanduser()
        try:
            ssl.create_default_context(cafile=path)
            return {"root_certificate": path.read_bytes()}
        except OSError as error:  # of the file, or ssl.SSLError of what is in it
            raise UsageError(
                f"no certificates to trust can be read from {named}",
                expected="a PEM file where AWS_CA_BUNDLE, or `ca_bundle` of the AWS profile, points",
                seen=error.strerror or "",
            ) from error

    def bytes_of(self, bucket: str, checksum: Literal["sha256", "crc64nvme"]) -> Bytes:
        """Open `bucket` in obstore; every upload carries `checksum`, and S3 refuses what does not match it.

        With crc64nvme the payload is not hashed a second time for the signature: TLS and the checksum guard it.
        """
        from obstore.store import S3Store as Bytes

        return Bytes(
            bucket,
            endpoint=self.endpoint,
            region=self._region,
            credential_provider=self._credentials,
            checksum_algorithm=checksum,
            unsigned_payload=checksum == "crc64nvme",
            client_options={
                **self._trusted,
                "allow_http": self.endpoint.startswith("http://"),
                "connect_timeout": timedelta(seconds=10),
                # Of one request: 16 MiB at 0.5 Mbit/s, or the turn for which one that is asked ahead waits.
                "timeout": timedelta(seconds=300),
            },
            retry_config={"max_retries": _ATTEMPTS - 1, "retry_timeout": timedelta(seconds=120)},
        )
