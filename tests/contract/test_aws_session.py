"""Is a session of ours boto3's own, but for the time it takes?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import NoCredentialsError, UnknownServiceError

from landbridge.stores import aws_session
from landbridge.stores.aws_session import session

if TYPE_CHECKING:
    from pathlib import Path

REGION = "eu-west-2"
SERVICES = ("s3", "sts", "kms", "secretsmanager", "sso")


@pytest.fixture(scope="module")
def plain() -> boto3.Session:
    return boto3.Session("a", "b", region_name=REGION)


@pytest.mark.parametrize("service", SERVICES)
def test_a_client_is_the_same_as_of_boto3(plain: boto3.Session, service: str) -> None:
    """Endpoint, version of the API, signature and operations are what boto3 would have taken."""
    ours: Any = session(REGION, aws_access_key_id="a", aws_secret_access_key="b").client(service)  # type: ignore[call-overload]
    theirs: Any = plain.client(service)  # type: ignore[call-overload]

    def about(client: Any) -> object:
        meta = client.meta
        pages = {name for name in client.meta.method_to_api_mapping if client.can_paginate(name)}
        return (
            meta.endpoint_url,
            meta.region_name,
            meta.service_model.api_version,
            meta.config.signature_version,
            meta.service_model.operation_names,
            sorted(client.waiter_names),
            pages,
        )

    assert about(ours) == about(theirs)


def test_a_service_that_is_not_known_is_refused_as_by_boto3() -> None:
    with pytest.raises(UnknownServiceError, match="s4"):
        session(REGION).client("s4")  # type: ignore[call-overload]


def test_without_credentials_there_are_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_ROLE_ARN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(NoCredentialsError):
        session(REGION).client("s3", endpoint_url="http://127.0.0.1:1").list_buckets()


def test_models_of_the_user_come_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """AWS_DATA_PATH means to us what it means to botocore."""
    folder = tmp_path / "ours" / "2026-01-01"
    folder.mkdir(parents=True)
    about = {"apiVersion": "2026-01-01", "endpointPrefix": "ours", "protocol": "json", "serviceId": "ours"}
    model = {"version": "2.0", "metadata": about, "operations": {}, "shapes": {}}
    (folder / "service-2.json").write_text(json.dumps(model))
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    client: Any = session(REGION).client("ours")  # type: ignore[call-overload]
    assert client.meta.service_model.api_version == "2026-01-01"


def test_the_next_session_reads_no_model_again() -> None:
    session(REGION).client("s3")
    read = aws_session._read.cache_info().misses
    session(REGION).client("s3")
    assert aws_session._read.cache_info().misses == read
