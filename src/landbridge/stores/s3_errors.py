"""What does an error of S3 mean to the operator? The one place where obstore's and botocore's errors are read."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError, HTTPClientError, IncompleteReadError
from botocore.exceptions import ConnectionError as NoConnection
from obstore.exceptions import BaseError, UnauthenticatedError

from landbridge.errors import (
    IntegrityBroken,
    LandbridgeError,
    NotFound,
    NotPermitted,
    Unavailable,
    UsageError,
)
from landbridge.refusals import CHAIN, NO_CREDENTIALS

if TYPE_CHECKING:
    from collections.abc import Iterator

_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>(\w{1,64})</Code>")
_STALE = {
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidAccessKeyId",
    "InvalidToken",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "TokenRefreshRequired",
}
_DAMAGED = {"BadDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch", "InvalidDigest"}
_FLEETING = {
    "NoSuchUpload",
    "ConditionalRequestConflict",
    "OperationAborted",
    "RequestTimeout",
    "IncompleteBody",
}
_SERVER = 500
_TOO_MANY = {408, 409, 425, 429}


def status_of(error: BaseError | FileNotFoundError | ClientError) -> tuple[int, str]:
    """Give the HTTP status and S3's own code of a refused request; 0 and "" where there was no answer."""
    if isinstance(error, ClientError):
        answer = error.response
        return answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0), answer.get("Error", {}).get(
            "Code", ""
        )
    text = str(error)
    status, code = _STATUS.search(text), _CODE.search(text)
    return int(status[1]) if status else 0, code[1] if code else ""


@contextmanager
def told(url: str, needs: str) -> Iterator[None]:
    """Say what went wrong with `url` in the operator's words; `needs` is the permission that the call asks for.

    Raises:
        NotFound, NotPermitted, Unavailable, UsageError, IntegrityBroken: as each of them says.
    """
    try:
        yield
    except UnauthenticatedError as error:
        raise _credentials(url, str(error)) from error
    except ClientError as error:
        if error.operation_name.startswith("AssumeRole"):
            raise _credentials(url, str(error)) from error
        raise meaning(url, needs, *status_of(error)) from error
    except (BaseError, FileNotFoundError) as error:
        raise meaning(url, needs, *status_of(error)) from error
    except (HTTPClientError, NoConnection, IncompleteReadError) as error:
        raise _no_answer(url, type(error).__name__) from error
    except NO_CREDENTIALS as error:
        raise _credentials(url, type(error).__name__) from error


def meaning(url: str, needs: str, status: int, code: str) -> LandbridgeError:
    """Choose the error for an answer of S3 about `url`."""
    seen = " ".join(part for part in (f"HTTP {status}" if status else "", code) if part)
    if code == "NoSuchBucket":
        return UsageError(
            f"the bucket of {url} does not exist", seen=seen, hint="deploy it, or correct `buckets`"
        )
    if code in _STALE:
        return NotPermitted(f"S3 refused the credentials for {url}", seen=seen, hint=CHAIN)
    if code in _DAMAGED:
        return Unavailable(
            f"{url} was damaged on its way: the server's checksum differs", seen=seen, hint="try again"
        )
    if status in {401, 403}:
        return _refused(url, needs, seen)
    if code in _FLEETING or status >= _SERVER or status in _TOO_MANY or not status:
        return _no_answer(url, seen)
    if status == 404:  # noqa: PLR2004 - HTTP's own number
        return NotFound(f"{url} is not there", seen=seen)
    if status == 412:  # noqa: PLR2004
        return IntegrityBroken(f"{url} is not the object that was asked for", seen=seen)
    return UsageError(f"S3 does not take the request for {url}", seen=seen)


def _refused(url: str, needs: str, seen: str) -> NotPermitted:
    reading = needs.startswith("s3:Get")
    return NotPermitted(
        f"{url} is refused" + (", or not there" if reading else ""),
        expected=f"the permission {needs} on it"
        + (", and s3:ListBucket on its bucket, without which a missing key answers 403" if reading else ""),
        seen=seen,
        hint=CHAIN,
    )


def _no_answer(url: str, seen: str = "") -> Unavailable:
    return Unavailable(
        f"S3 gave no proper answer for {url}", seen=seen or "no answer", hint="try again later"
    )


def _credentials(url: str, said: str) -> LandbridgeError:
    """Tell a token service that is away from credentials that are not there or were refused.

    obstore hands the provider's own exception on as text; only the name of its type, or the code in it, is read.
    """
    name = re.search(r"An error occurred \((\w{1,64})\)|credential provider: (\w{1,64})|^(\w{1,64})$", said)
    seen = next((found for found in name.groups() if found), "") if name else ""
    if seen in _TOKEN_SERVICE_AWAY:
        return Unavailable(f"the token service gave no answer, so {url} cannot be reached", seen=seen)
    return NotPermitted(f"no usable AWS credentials for {url}", seen=seen, hint=CHAIN)


_TOKEN_SERVICE_AWAY = {
    "ConnectTimeoutError",
    "ConnectionClosedError",
    "EndpointConnectionError",
    "IDPCommunicationError",
    "InternalFailure",
    "ReadTimeoutError",
    "ServiceUnavailable",
    "Throttling",
}
