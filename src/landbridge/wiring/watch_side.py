"""How is the look at all slots filled in: with whose rights, and who is told?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from landbridge.deploy.metrics import DIMENSION, LATE_SLOTS, NAMESPACE
from landbridge.deploy.needs import named
from landbridge.errors import Unavailable
from landbridge.retries import stamina
from landbridge.stores.retried import Retried
from landbridge.stores.s3 import S3Store
from landbridge.stores.s3_account import S3Account
from landbridge.wiring import cloud_side, reading
from landbridge.world import Watching

if TYPE_CHECKING:
    from collections.abc import Iterator

    import boto3

    from landbridge.notices import Notice
    from landbridge.ports import Meter, Teller
    from landbridge.project import Declaration, Place
    from landbridge.twin.state import Ground
    from landbridge.wiring.process import Process
    from landbridge.wiring.secrets import References


def make(
    declared: Declaration,
    place: Place,
    *,
    session: boto3.Session,
    endpoint: str | None,
    references: References,
    process: Process,
    ground: Ground | None,
    topic: str,
) -> Watching:
    """Fill in the ports of a look; nobody is connected to before the first call."""
    return Watching(
        declared=place.watch,
        evidence=reading.make(
            declared, place, session=session, endpoint=endpoint, references=references, ground=ground
        ),
        cloud=cloud_side.make(
            declared, place, session=session, endpoint=endpoint, references=references, process=process
        ),
        retention=place.retention,
        memory=Retried(S3Store(place.buckets.staging, account=S3Account(session, endpoint))),
        tellers=tuple(TriedAgain(one) for one in _tellers(place, session, references, topic)),
        meter=_meter(place, session, on_aws=ground is None and endpoint is None),
        clock=process.clock,
    )


def _tellers(place: Place, session: boto3.Session, references: References, topic: str) -> Iterator[Teller]:
    told = place.watch
    if topic:
        from landbridge.tellers.sns import Topic

        region = topic.split(":")[3]
        yield Topic(session.client("sns", region_name=region), topic)
    if told.mail and told.smtp and told.sender:
        from landbridge.tellers.mail import Mail, Relay

        host, _, port = told.smtp.rpartition(":")
        relay = Relay(
            host,
            int(port),
            starttls=told.smtp_security == "starttls",
            user=told.smtp_user or "",
            password=references.resolve(told.smtp_password) if told.smtp_password else "",
        )
        yield Mail(relay, told.sender, told.mail)
    if told.webhook:
        from landbridge.tellers.webhook import Webhook

        yield Webhook(references.resolve(told.webhook))


def _meter(place: Place, session: boto3.Session, *, on_aws: bool) -> Meter | None:
    if place.aws is None or not on_aws:
        return None
    from landbridge.tellers.sns import CloudWatch

    client = session.client("cloudwatch")
    return CloudWatch(client, NAMESPACE, LATE_SLOTS, (DIMENSION, named(place)))


class TriedAgain:
    """A teller that is tried three times; obeys ports.Teller."""

    def __init__(self, teller: Teller, *, first_wait: float = 1.0) -> None:
        self.name = teller.name
        self._teller = teller
        self._first_wait = first_wait

    def tell(self, notice: Notice) -> None:
        """See ports.Teller."""
        for attempt in stamina.retry_context(
            on=Unavailable, attempts=3, timeout=60.0, wait_initial=self._first_wait
        ):
            with attempt:
                self._teller.tell(notice)
