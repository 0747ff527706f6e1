"""How does a notice get onto an SNS topic, and the number of late slots into CloudWatch?"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from landbridge.errors import NotPermitted, Unavailable, UsageError
from landbridge.refusals import CHAIN, DENIED, EXPIRED, LOG_IN, NO_CREDENTIALS, UNKNOWN
from landbridge.telling import subject, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landbridge.notices import Notice

_REFUSED = DENIED | UNKNOWN | {"AuthorizationError", "KMSAccessDenied"}
_WRONG = {"InvalidParameter", "InvalidParameterValue", "NotFound", "NotFoundException"}
_LARGEST = 200_000
"""Bytes; SNS takes 262,144."""


class Topic:
    """An SNS topic; obeys ports.Teller."""

    def __init__(self, client: Any, arn: str) -> None:  # noqa: ANN401 - boto3's client of SNS, whose stubs are not installed
        self.name = "sns"
        self._client = client
        self._arn = arn

    def tell(self, notice: Notice) -> None:
        """Publish it; see ports.Teller."""
        body = text(notice).encode()[:_LARGEST].decode(errors="ignore")
        with _meaning(f"the topic {self._arn}", "sns:Publish on it, and the use of its key"):
            self._client.publish(TopicArn=self._arn, Subject=subject(notice), Message=body)


class CloudWatch:
    """A metric of CloudWatch; obeys ports.Meter."""

    def __init__(self, client: Any, namespace: str, metric: str, dimension: tuple[str, str]) -> None:  # noqa: ANN401 - as Topic
        self._client = client
        self._namespace = namespace
        self._metric = metric
        self._dimension = dimension

    def measure(self, count: int) -> None:
        """Put the number; see ports.Meter."""
        name, value = self._dimension
        with _meaning(f"the metric {self._metric}", "cloudwatch:PutMetricData in its namespace"):
            self._client.put_metric_data(
                Namespace=self._namespace,
                MetricData=[
                    {
                        "MetricName": self._metric,
                        "Dimensions": [{"Name": name, "Value": value}],
                        "Value": count,
                        "Unit": "Count",
                    }
                ],
            )


@contextmanager
def _meaning(what: str, needed: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code in EXPIRED:
            what = f"{what} cannot be told: the AWS credentials have expired"
            raise NotPermitted(what, seen=code, hint=LOG_IN) from error
        if code in _REFUSED:
            raise NotPermitted(f"{what} is refused", expected=needed, seen=code) from error
        if code in _WRONG:
            raise UsageError(
                f"{what} does not take what is told", seen=code, hint="is it deployed?"
            ) from error
        raise Unavailable(f"{what} gave no proper answer", seen=code, hint="try again later") from error
    except NO_CREDENTIALS as error:
        raise NotPermitted(
            f"{what} cannot be asked without credentials", seen=type(error).__name__, hint=CHAIN
        ) from error
    except BotoCoreError as error:
        raise Unavailable(f"{what} cannot be reached", seen=type(error).__name__) from error
