"""Is a session of ours boto3's own, but for the time it takes?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
import pytest
from botocore.exceptions import DataNotFoundError, NoCredentialsError, UnknownServiceError

from landbridge.stores import aws_session
from landbridge.stores.aws_session import session

if TYPE_CHECKING:
    from pathlib import Path

REGION = "eu-west-2"
SERVICES = ("s3", "sts", "kms", "secretsmanager", "sso", "cloudfront")
"""The last one has models of several versions."""


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
    with pytest.raises(UnknownServiceError, match=r"s4.*cloudformation"):
        session(REGION).client("s4")  # type: ignore[call-overload]


def test_without_credentials_there_are_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_ROLE_ARN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(NoCredentialsError):
        session(REGION).client("s3", endpoint_url="http://127.0.0.1:1").list_buckets()


def _own_model(place: Path, service: str, more: str = "") -> None:
    """Put a model of `service` where botocore looks for the user's own."""
    folder = place / service / "2099-01-01"
    folder.mkdir(parents=True)
    about = {"apiVersion": "2099-01-01", "endpointPrefix": "own", "protocol": "json", "serviceId": service}
    model = json.dumps({"version": "2.0", "metadata": about, "operations": {}, "shapes": {}})
    (folder / "service-2.json").write_text(model.removesuffix("}") + more + "}")


@pytest.mark.parametrize("service", ["own", "kms"])
def test_models_of_the_user_come_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, service: str) -> None:
    """AWS_DATA_PATH means to us what it means to botocore, whose own models it hides."""
    _own_model(tmp_path, service)
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    client: Any = session(REGION).client(service)  # type: ignore[call-overload]
    assert client.meta.service_model.api_version == "2099-01-01"


def test_models_lie_where_botocore_looks_and_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DATA_PATH", "/of/mine")
    theirs = boto3.Session()._session.get_component("data_loader").search_paths
    ours = session(REGION)._session.get_component("data_loader").search_paths
    assert ours == theirs
    assert any(path.endswith(".aws/models") for path in ours)


def test_a_place_into_which_nobody_may_look_holds_no_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """The home of another user, left behind by sudo, is such a place; what no system can look up is one for root as well."""
    monkeypatch.setenv("AWS_DATA_PATH", "/" + "x" * 300)
    assert session(REGION).client("sts").meta.region_name == REGION


def test_a_model_that_is_not_quite_json_is_read_as_botocore_reads_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _own_model(tmp_path, "loose", ', "limit": NaN')
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    client: Any = session(REGION).client("loose")  # type: ignore[call-overload]
    assert client.meta.service_model.api_version == "2099-01-01"


def test_a_version_that_is_not_there_is_no_service_that_is_not_there() -> None:
    with pytest.raises(DataNotFoundError, match="s3/2000-01-01") as told:
        session(REGION).client("s3", api_version="2000-01-01")
    assert not isinstance(told.value, UnknownServiceError)


def test_what_belongs_to_the_sdk_is_added_to_a_model() -> None:
    """The rules of retries differ between SDKs; botocore adds its own to what all of them share."""
    ours = session(REGION)._session.get_component("data_loader")
    theirs = botocore.session.get_session().get_component("data_loader")
    for service in ("s3", "dynamodb", "importexport"):
        assert ours.load_service_model(service, "service-2") == theirs.load_service_model(
            service, "service-2"
        )


def test_credentials_that_are_given_are_taken() -> None:
    given = session(REGION, aws_access_key_id="a", aws_secret_access_key="b").get_credentials()
    assert given is not None
    assert (given.access_key, given.secret_key) == ("a", "b")


def test_the_next_session_reads_no_model_again() -> None:
    session(REGION).client("s3")
    read = aws_session._read.cache_info().misses
    session(REGION).client("s3")
    assert aws_session._read.cache_info().misses == read
