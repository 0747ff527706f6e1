"""How does a reference become its secret, and what is said when it cannot?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

from landbridge.errors import LandbridgeError, NotPermitted, Unavailable, UsageError
from landbridge.refusals import CHAIN, LOG_IN
from landbridge.wiring.secrets import References

if TYPE_CHECKING:
    from pathlib import Path


def asked(secret_id: str) -> str:
    """Stand for Secrets Manager."""
    match secret_id:
        case "eidv/api":
            return '{"token": "t0k3n", "port": 7}'
        case "list":
            return '["t0k3n"]'
        case "plain":
            return "s3cr3t"
        case "nobody":
            raise NoCredentialsError
        case "away":
            raise EndpointConnectionError(endpoint_url="https://secretsmanager.example")
        case code:
            raise ClientError({"Error": {"Code": code, "Message": "no"}}, "GetSecretValue")


@pytest.fixture
def references(tmp_path: Path) -> References:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "one").write_text("from a file\n")
    return References({"TOKEN": "from the environment"}, tmp_path, asked)


@pytest.mark.parametrize(
    ("reference", "secret"),
    [
        ("env:TOKEN", "from the environment"),
        ("file:keys/one", "from a file"),
        ("aws-sm:plain", "s3cr3t"),
        ("aws-sm:eidv/api#token", "t0k3n"),
    ],
)
def test_a_reference_gives_its_secret(references: References, reference: str, secret: str) -> None:
    assert references.resolve(reference) == secret


@pytest.mark.parametrize(
    ("reference", "error"),
    [
        ("env:ABSENT", UsageError),
        ("file:keys/absent", UsageError),
        ("file:keys", NotPermitted),
        ("aws-sm:eidv/api#port", UsageError),
        ("aws-sm:plain#token", UsageError),
        ("aws-sm:list#token", UsageError),
        ("aws-sm:ResourceNotFoundException", UsageError),
        ("aws-sm:AccessDeniedException", NotPermitted),
        ("aws-sm:InternalServiceError", Unavailable),
        ("aws-sm:away", Unavailable),
    ],
)
def test_what_cannot_be_resolved_is_named_without_the_secret(
    references: References, reference: str, error: type[LandbridgeError]
) -> None:
    with pytest.raises(error) as raised:
        references.resolve(reference)
    said = f"{raised.value} {raised.value.expected}"
    assert "t0k3n" not in said
    assert "s3cr3t" not in said


@pytest.mark.parametrize(
    ("reference", "what", "helps"),
    [
        ("aws-sm:nobody", "there are no AWS credentials", CHAIN),
        ("aws-sm:ExpiredTokenException", "the AWS credentials have expired", LOG_IN),
        ("aws-sm:UnrecognizedClientException", "AWS refused the credentials", CHAIN),
        ("aws-sm:AccessDeniedException", "Secrets Manager refused", "landbridge needs"),
    ],
)
def test_what_is_wrong_with_the_credentials_is_told_apart_from_a_service_that_is_away(
    references: References, reference: str, what: str, helps: str
) -> None:
    with pytest.raises(NotPermitted) as raised:
        references.resolve(reference)
    assert what in raised.value.what
    assert helps in raised.value.hint


def test_a_file_that_systemd_lends_is_read_from_there(tmp_path: Path) -> None:
    lent = tmp_path / "lent"
    lent.mkdir()
    (lent / "keys-one").write_text("lent\n")
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "two").write_text("from the folder")
    references = References({"CREDENTIALS_DIRECTORY": str(lent)}, tmp_path, asked)
    assert references.resolve("file:keys/one") == "lent"
    assert references.resolve("file:keys/two") == "from the folder"
