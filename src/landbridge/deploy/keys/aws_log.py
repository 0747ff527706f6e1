"""How is Transfer Family's structured log read for log-ins?"""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from landbridge.deploy.aws.failures import Refused, told
from landbridge.deploy.keys.log_ins import LogIn
from landbridge.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_transfer.client import TransferClient

_ALLOW = "who runs this needs the rotator's policy: see `landbridge needs`"
_GONE = "ResourceNotFoundException"
_INSTEAD = "say which agents you tested yourself: `--tested AGENT` for each"


class StructuredLog:
    """The log groups that one server writes to; obeys log_ins.LogIns for one user."""

    def __init__(self, transfer: TransferClient, logs: Any, server: str, user: str) -> None:  # noqa: ANN401 - boto3's client of CloudWatch Logs, whose stubs are not installed
        self._transfer = transfer
        self._logs = logs
        self._server = server
        self._user = user

    def since(self, first: datetime) -> list[LogIn]:
        """See log_ins.LogIns."""
        groups = self._groups()
        if not groups:
            raise UsageError(
                f"{self._server} keeps no structured log, so nothing proves who logged in",
                expected="`StructuredLogDestinations`, which the stacks of `landbridge deploy aws` set",
                hint=_INSTEAD,
            )
        found = [each for group in groups for each in self._of(group, first)]
        return sorted(found, key=lambda each: each.at)

    def _groups(self) -> list[str]:
        """Name the log groups; their ARNs end in the name, or in the name and `:*`."""
        with self._asking("looking where the server writes its log"):
            server = self._transfer.describe_server(ServerId=self._server)["Server"]
        arns = server.get("StructuredLogDestinations", [])
        return [arn.split(":log-group:", 1)[1].removesuffix(":*") for arn in arns if ":log-group:" in arn]

    def _of(self, group: str, first: datetime) -> Iterator[LogIn]:
        asked: dict[str, Any] = {
            "logGroupName": group,
            "startTime": int(first.timestamp() * 1000),
            "filterPattern": f'{{ $.activity-type = "CONNECTED" && $.user = "{self._user}" }}',
        }
        while True:
            with self._asking(f"reading the log {group}"):
                page = self._logs.filter_log_events(**asked)
            for event in page.get("events", []):
                if found := self._log_in(event):
                    yield found
            if not (token := page.get("nextToken")):
                return
            asked["nextToken"] = token

    def _log_in(self, event: dict[str, Any]) -> LogIn | None:
        try:
            said = json.loads(event["message"])
        except ValueError:
            return None  # the older form of the log, which tells no key
        if not isinstance(said, dict):
            return None
        ours = said.get("activity-type") == "CONNECTED" and said.get("user") == self._user
        # A log group may be shared by several servers, which may have users of one name.
        if not ours or not str(said.get("resource-arn", "")).endswith(f"/{self._server}"):
            return None
        shown = str(said.get("ssh-public-key-fingerprint", "")).rstrip("=")
        if not shown:
            return None
        at = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
        return LogIn(at, shown, str(said.get("source-ip", "")), str(said.get("client", "")))

    @contextmanager
    def _asking(self, doing: str) -> Iterator[None]:
        try:
            with told(f"{doing} ({self._server})", _GONE, allow=f"{_ALLOW}; or {_INSTEAD}"):
                yield
        except Refused as error:
            raise UsageError(
                f"{doing}: there is no such server or log", seen=error.message, hint=_INSTEAD
            ) from error
