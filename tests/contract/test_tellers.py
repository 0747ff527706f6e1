"""Does every teller keep the promise of its port, against a real server: took it, refused it, is away?"""

from __future__ import annotations

import itertools
import json
import smtplib
import ssl
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
import urllib3
from botocore.exceptions import ProfileNotFound, TokenRetrievalError, UnauthorizedSSOTokenError
from botocore.stub import Stubber

from landbridge.errors import LandbridgeError, NotPermitted, Unavailable, UsageError
from landbridge.facts import Slot
from landbridge.notices import Concern, Kind, Notice
from landbridge.tellers.mail import Mail, Relay
from landbridge.tellers.sns import CloudWatch, Topic
from landbridge.tellers.webhook import Webhook
from landbridge.telling import subject
from landbridge.twin.ports import free
from landbridge.wiring.watch_side import TriedAgain
from tests.servers import api as apis
from tests.servers.certificates import Certificates, make
from tests.servers.smtp import Smtp, relaying

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from landbridge.ports import Teller
    from tests.servers.api import Api
    from tests.servers.ministack import Ministack

SIX = datetime(2026, 11, 20, 6, tzinfo=UTC)
SLOT = Slot("flights", "2026-11-20", date(2026, 11, 20), SIX, SIX)
NOTICE = Notice("eidv", "PRD", SIX, (Concern(SLOT, Kind.LATE, "due; über die Zeit"),))
_COUNT = itertools.count(1)
SECRET = "hook-7f3a91"


@dataclass(frozen=True)
class Stand:
    """A teller, what its reader has seen, and how to make the reader refuse or be away."""

    teller: Teller
    seen: Callable[[], list[str]]
    refusing: Teller
    nobody: Teller
    """For a reader that does not exist."""
    away: Teller | None


@pytest.fixture
def api() -> Iterator[Api]:
    with apis.running() as running:
        yield running


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def smtp(certificate: Certificates) -> Iterator[Smtp]:
    with relaying((certificate.chain, certificate.key)) as relay:
        relay.user, relay.password = "landbridge", "right"
        yield relay


def _webhook(api: Api) -> Stand:
    api.routes[f"/{SECRET}"] = lambda _: apis.as_json({})
    api.routes["/refused"] = lambda _: apis.as_json({}, 403)
    api.routes["/busy"] = lambda _: apis.as_json({}, 503)
    return Stand(
        Webhook(f"{api.url}/{SECRET}"),
        lambda: [json.loads(one.body)["text"] for one in api.asked],
        Webhook(f"{api.url}/refused"),
        Webhook(f"{api.url}/gone"),
        Webhook(f"{api.url}/busy"),
    )


def _mail(smtp: Smtp, certificate: Certificates) -> Stand:
    trust = ssl.create_default_context(cafile=str(certificate.authority))
    relay = Relay("127.0.0.1", smtp.port, user="landbridge", password="right", trust=trust)
    smtp.refuse = ("nobody@example.org",)
    sender, readers = "landbridge@example.org", ("team@example.org", "desk@example.org")
    return Stand(
        Mail(relay, sender, readers),
        lambda: [f"{mail['Subject']}\n{mail.get_content()}" for mail in smtp.taken],
        Mail(replace(relay, password="wrong"), sender, readers),
        Mail(relay, sender, ("nobody@example.org",)),
        Mail(replace(relay, port=free(1)[0]), sender, readers),
    )


def _topic(ministack: Ministack) -> Stand:
    def client(service: str, credentials: dict[str, Any] | None = None) -> Any:
        session: Any = ministack.session(credentials)
        return session.client(service, endpoint_url=ministack.endpoint, verify=str(ministack.ca_bundle))

    name = f"landbridge-tellers-{next(_COUNT)}"
    sns, sqs = client("sns"), client("sqs")
    arn = sns.create_topic(Name=name)["TopicArn"]
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    named = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allowed = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": named,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=named)

    def seen() -> list[str]:
        came = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=1).get(
            "Messages", []
        )
        bodies = [json.loads(one["Body"]) for one in came]
        return [f"{one['Subject']}\n{one['Message']}" for one in bodies]

    stranger = ministack.client("iam").create_user(UserName=name)["User"]["UserName"]
    key = ministack.client("iam").create_access_key(UserName=stranger)["AccessKey"]
    refused = (
        ministack.session()
        .__class__(key["AccessKeyId"], key["SecretAccessKey"], region_name="eu-west-2")
        .client("sns", endpoint_url=ministack.endpoint, verify=str(ministack.ca_bundle))
    )
    away = ministack.session().client("sns", endpoint_url=f"https://127.0.0.1:{free(1)[0]}")
    return Stand(Topic(sns, arn), seen, Topic(refused, arn), Topic(sns, arn + "-gone"), Topic(away, arn))


KINDS = ("webhook", "mail", pytest.param("sns", marks=pytest.mark.slow))


@pytest.fixture(params=KINDS)
def stand(request: pytest.FixtureRequest, api: Api, smtp: Smtp, certificate: Certificates) -> Stand:
    match request.param:
        case "webhook":
            return _webhook(api)
        case "mail":
            return _mail(smtp, certificate)
        case _:
            return _topic(request.getfixturevalue("ministack"))


def test_a_notice_arrives_whole_and_once(stand: Stand) -> None:
    stand.teller.tell(NOTICE)
    (came,) = stand.seen()
    assert came.startswith(subject(NOTICE))
    assert "late         flights/2026-11-20: due; über die Zeit" in came


def test_a_refusal_is_told_as_one(stand: Stand) -> None:
    with pytest.raises(NotPermitted):
        stand.refusing.tell(NOTICE)
    assert stand.seen() == [] or isinstance(stand.refusing, Webhook)


def test_a_reader_that_is_nowhere_is_no_reason_to_try_again(stand: Stand) -> None:
    with pytest.raises(UsageError):
        stand.nobody.tell(NOTICE)


def test_a_reader_that_is_away_may_be_tried_again(stand: Stand) -> None:
    assert stand.away
    with pytest.raises(Unavailable):
        stand.away.tell(NOTICE)


def test_no_message_of_an_error_has_the_webhooks_url(api: Api) -> None:
    for url in (f"{api.url}/{SECRET}-gone", f"http://127.0.0.1:{free(1)[0]}/{SECRET}", f"{SECRET}://x"):
        with pytest.raises(LandbridgeError) as told:
            Webhook(url).tell(NOTICE)
        assert (
            SECRET
            not in f"{told.value} {told.value.__cause__} {told.value.__context__ if not told.value.__suppress_context__ else ''}"
        )


def test_a_webhook_follows_nobody_elsewhere(api: Api) -> None:
    api.routes["/moved"] = lambda _: apis.Answer(307, headers={"Location": f"{api.by_name}/{SECRET}"})
    with pytest.raises(UsageError):
        Webhook(f"{api.url}/moved").tell(NOTICE)
    assert [one.path for one in api.asked] == ["/moved"]


def test_a_mail_goes_encrypted_and_says_that_it_is_automatic(smtp: Smtp, certificate: Certificates) -> None:
    _mail(smtp, certificate).teller.tell(NOTICE)
    assert smtp.secure == [True]
    (mail,) = smtp.taken
    assert mail["To"] == "team@example.org, desk@example.org"
    assert mail["Auto-Submitted"] == "auto-generated"


def test_a_relay_whose_certificate_nobody_knows_gets_no_password(smtp: Smtp) -> None:
    relay = Relay("127.0.0.1", smtp.port, user="landbridge", password="right")
    with pytest.raises((NotPermitted, Unavailable)):
        Mail(relay, "a@example.org", ("b@example.org",)).tell(NOTICE)
    assert smtp.taken == []


def test_a_relay_without_starttls_is_refused_unless_that_is_declared() -> None:
    with relaying() as plain:
        relay = Relay("127.0.0.1", plain.port)
        with pytest.raises(UsageError, match="STARTTLS"):
            Mail(relay, "a@example.org", ("b@example.org",)).tell(NOTICE)
        Mail(replace(relay, starttls=False), "a@example.org", ("b@example.org",)).tell(NOTICE)
        assert plain.secure == [False]


def test_a_busy_relay_is_tried_again_and_then_told(smtp: Smtp, certificate: Certificates) -> None:
    teller = _mail(smtp, certificate).teller
    smtp.busy = True
    with pytest.raises(Unavailable):
        TriedAgain(teller, first_wait=0.01).tell(NOTICE)
    smtp.busy = False
    TriedAgain(teller).tell(NOTICE)
    assert len(smtp.taken) == 1


def test_one_reader_that_the_relay_refuses_does_not_keep_it_from_the_others(
    smtp: Smtp, certificate: Certificates
) -> None:
    trust = ssl.create_default_context(cafile=str(certificate.authority))
    relay = Relay("127.0.0.1", smtp.port, user="landbridge", password="right", trust=trust)
    smtp.refuse = ("nobody@example.org",)
    Mail(relay, "a@example.org", ("nobody@example.org", "b@example.org")).tell(NOTICE)
    assert len(smtp.taken) == 1


@pytest.mark.slow
def test_the_number_of_late_slots_gets_to_where_the_alarm_listens(ministack: Ministack) -> None:
    client = ministack.session().client(
        "cloudwatch", endpoint_url=ministack.endpoint, verify=str(ministack.ca_bundle)
    )
    meter = CloudWatch(client, "Landbridge", "SlotsPastDeadline", ("Environment", "eidv-prd"))
    meter.measure(3)
    found = client.list_metrics(Namespace="Landbridge")["Metrics"]
    assert [(one["MetricName"], one["Dimensions"]) for one in found] == [
        ("SlotsPastDeadline", [{"Name": "Environment", "Value": "eidv-prd"}])
    ]


@pytest.mark.parametrize(
    ("code", "hint"),
    [("ExpiredTokenException", "sso login"), ("UnrecognizedClientException", ""), ("AuthorizationError", "")],
)
def test_credentials_that_a_topic_does_not_take_are_told_as_such(code: str, hint: str) -> None:
    client: Any = boto3.Session("a", "b", region_name="eu-west-2").client("sns")
    stubbed = Stubber(client)
    stubbed.add_client_error("publish", service_error_code=code)
    with stubbed, pytest.raises(NotPermitted) as told:
        Topic(client, "arn:aws:sns:eu-west-2:123456789012:alarms").tell(NOTICE)
    assert hint in told.value.hint


@pytest.mark.parametrize(
    "error",
    [
        TokenRetrievalError(provider="sso", error_msg="it has expired"),
        UnauthorizedSSOTokenError(),
        ProfileNotFound(profile="team"),
    ],
)
def test_credentials_that_cannot_be_had_are_no_outage(error: Exception) -> None:
    class Client:
        def publish(self, **_: object) -> None:
            raise error

    with pytest.raises(NotPermitted, match="credentials"):
        Topic(Client(), "arn:aws:sns:eu-west-2:123456789012:alarms").tell(NOTICE)


@pytest.mark.parametrize(
    ("code", "expected"),
    [("NotFound", UsageError), ("InvalidParameter", UsageError), ("Throttling", Unavailable)],
)
def test_a_topic_that_is_not_there_is_told_from_one_that_is_busy(
    code: str, expected: type[LandbridgeError]
) -> None:
    client: Any = boto3.Session("a", "b", region_name="eu-west-2").client("sns")
    stubbed = Stubber(client)
    stubbed.add_client_error("publish", service_error_code=code)
    with stubbed, pytest.raises(expected):
        Topic(client, "arn:aws:sns:eu-west-2:123456789012:alarms").tell(NOTICE)


def test_a_reader_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look that waits for one for ever tells nobody else."""
    limits: list[object] = []

    class Noted(Exception):
        pass

    def relay(*_: object, timeout: float) -> None:
        limits.append(timeout)
        raise Noted

    def pool(**how: Any) -> None:
        limits.append((how["timeout"].connect_timeout, how["timeout"].read_timeout))
        raise Noted

    monkeypatch.setattr(smtplib, "SMTP", relay)
    monkeypatch.setattr(urllib3, "PoolManager", pool)
    for teller in (Mail(Relay("h", 25), "a@example.org", ("b@example.org",)), Webhook("https://h/x")):
        with pytest.raises(Noted):
            teller.tell(NOTICE)
    assert limits == [30.0, (10, 30)]


def test_a_relay_is_shown_without_its_password() -> None:
    assert "hunter2" not in repr(Relay("h", 25, user="u", password="hunter2"))


def test_a_topic_is_given_no_more_than_it_takes() -> None:
    told: list[str] = []
    client: Any = SimpleNamespace(publish=lambda **message: told.append(message["Message"]))
    long = Notice("eidv", "PRD", SIX, (Concern(SLOT, Kind.LATE, "ü" * 200_000),))
    Topic(client, "arn:aws:sns:eu-west-2:123456789012:alarms").tell(long)
    assert 199_990 < len(told[0].encode()) <= 200_000
