"""What does an error of AWS mean to whoever deploys? The one place of the deployer where botocore's errors are read."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError, HTTPClientError, ParamValidationError
from botocore.exceptions import ConnectionError as NoConnection

from landbridge.errors import NotPermitted, StackFailed, Unavailable, UsageError
from landbridge.refusals import BUSY, CHAIN, DENIED, EXPIRED, LOG_IN, NO_CREDENTIALS, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landbridge.errors import LandbridgeError

_MISSING = re.compile(r"not authorized to perform:?\s+([a-z0-9-]+:[A-Za-z*]+)(?:.*? on resource:?\s+(\S+))?")
_SERVER = 500
_ALLOW = "give it to the role that deploys, or deploy with another one"


class Refused(Exception):
    """CloudFormation answered with a code that the caller knows what to do about; never leaves the deployer."""

    def __init__(self, code: str, message: str) -> None:
        """Carry the code and the words of the answer."""
        super().__init__(message)
        self.code = code
        self.message = message


@contextmanager
def told(what: str, *known: str, allow: str = _ALLOW) -> Iterator[None]:
    """Say what went wrong while `what` in the operator's words; `allow` says what to do about a missing permission.

    Raises:
        Refused: one of the codes that the caller knows.
        NotPermitted, Unavailable, UsageError: as each of them says.
    """
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        message = error.response.get("Error", {}).get("Message", "")
        if code in known:
            raise Refused(code, message) from error
        raise _meaning(what, error, code, message, allow) from error
    except ParamValidationError as error:
        raise UsageError(f"{what} failed: AWS would not take the request", seen=str(error)) from error
    except NO_CREDENTIALS as error:
        raise NotPermitted(
            f"{what} failed: there are no usable AWS credentials", seen=type(error).__name__, hint=CHAIN
        ) from error
    except (HTTPClientError, NoConnection) as error:
        raise Unavailable(
            f"{what} failed: AWS gave no answer",
            seen=type(error).__name__,
            hint="look whether this host reaches AWS, then run the command again",
        ) from error


def _meaning(what: str, error: ClientError, code: str, message: str, allow: str) -> LandbridgeError:
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in EXPIRED:
        return NotPermitted(
            f"{what} failed: the AWS credentials have expired",
            seen=code,
            hint=LOG_IN,
        )
    if code in UNKNOWN:
        return NotPermitted(f"{what} failed: AWS refused the credentials", seen=code, hint=CHAIN)
    if code in DENIED:
        found = _MISSING.search(message)
        action = found[1] if found else f"the permission for {error.operation_name}"
        on = f" on {found[2]}" if found and found[2] else ""
        return NotPermitted(
            f"{what} was denied",
            expected=action + on,
            seen=message,
            hint=allow,
        )
    if code in BUSY or status >= _SERVER:
        return Unavailable(
            f"{what} failed: AWS is busy or not well",
            seen=f"{code}: {message}",
            hint="run the command again later; it carries on where it stopped",
        )
    return unforeseen(what, code, message)


def unforeseen(what: str, code: str, message: str) -> UsageError:
    """Make the error of an answer of which nobody here knows what to do about it, though the code may be known."""
    return UsageError(f"{what} failed", seen=f"{code}: {message}")


def resource_failed(stack: str, logical_id: str, kind: str, reason: str, hint: str) -> LandbridgeError:
    """Say which resource made an operation of a stack fail, and what to do about it."""
    what = f"{stack} failed at {logical_id} ({kind})"
    found = _MISSING.search(reason)
    if found:
        return NotPermitted(
            what,
            expected=found[1] + (f" on {found[2]}" if found[2] else ""),
            seen=reason,
            hint=_ALLOW,
        )
    return StackFailed(what, seen=reason, hint=hint)
