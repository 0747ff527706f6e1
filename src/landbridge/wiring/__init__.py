"""What is each port in this process? Settings -> Cloud, Ground, Evidence: the only reader of the environment.

The tables of adapters are literal and short; nothing else of the product knows which adapter it talks to.
"""

from __future__ import annotations

import getpass
import os
import secrets as random
import socket
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from landbridge.project import place as place_of
from landbridge.wiring import choice
from landbridge.wiring.clock import SystemClock
from landbridge.wiring.logs import log_to_stderr
from landbridge.wiring.process import Process
from landbridge.wiring.secrets import References

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import boto3

    from landbridge.deploy.aws.account import Account
    from landbridge.deploy.controlm.api.calls import AutomationApi
    from landbridge.deploy.keys.ports import Version
    from landbridge.deploy.keys.script import Installation
    from landbridge.deploy.keys.user import World as KeysWorld
    from landbridge.facts import Commitment, Location, Slot
    from landbridge.feed import Feed
    from landbridge.ports import Progress, Signer
    from landbridge.project import Declaration, Place
    from landbridge.share.folder import FolderShare
    from landbridge.share.holding import HoldingFolder
    from landbridge.twin.state import TwinState, WebIdentity
    from landbridge.wiring.ground_side import Host
    from landbridge.world import Cloud, Evidence, Ground, Reaping, Watching

JOB_NAME = "LANDBRIDGE_JOB_NAME"
"""Set in a pod from its label `batch.kubernetes.io/job-name`, through the downward API."""
ACTOR = "LANDBRIDGE_ACTOR"
"""Who runs, for the record; else the user and host."""
ENVIRONMENT = "LANDBRIDGE_ENVIRONMENT"
"""Environment of a command without `--environment`."""
LOG = "LANDBRIDGE_LOG"
"""Least level of the events that are written: debug, info, warning, error."""
ALARM_TOPIC = "LANDBRIDGE_ALARM_TOPIC"
"""ARN of the SNS topic that `watch` tells when the declaration names none: an output of the deployed stacks."""
COLLECTOR = "LANDBRIDGE_COLLECTOR"
"""Name of this host's collector on receipts and claims; else the host's name."""
SFTP_CLIENT = "LANDBRIDGE_SFTP_CLIENT"
"""Who speaks SSH for the collector: auto, openssh, asyncssh."""


def declaration(folder: Path, *, only: str | None = None) -> Declaration:
    """Read the declaration, or the project and `only` one feed of it; see declare.load."""
    from landbridge.declare import load

    return load(folder, only=only)


def log(*, verbose: bool, **context: str) -> None:
    """Begin to write events to standard error."""
    level = "debug" if verbose else os.environ.get(LOG, "").lower()
    log_to_stderr(watched=sys.stderr.isatty(), level=level, run_id=RUN_ID, **context)


def now() -> datetime:
    """Give the current instant."""
    return SystemClock().now()


def slot_of(declared: Declaration, feed: Feed, wanted: str) -> Slot:
    """Give the slot that a command means; see choice.slot_of."""
    return choice.slot_of(declared, feed, wanted, now=now(), job_name=os.environ.get(JOB_NAME, ""))


def slot_due(declared: Declaration, feed: Feed, wanted: str, *, early: bool) -> Slot:
    """Give the slot that a command means, if its time has come; see choice.slot_of and choice.due."""
    apart = choice.CLOCKS_DIFFER if wanted else choice.CLOCKS_OF_A_CLUSTER
    return choice.due(slot_of(declared, feed, wanted), now(), early=early, apart=apart)


def no_slot_because(declared: Declaration, feed: Feed, wanted: str) -> str:
    """Say why a CronJob's Job has nothing to do, unless a slot was named; see choice.no_slot_because."""
    return "" if wanted else choice.no_slot_because(declared, feed, os.environ.get(JOB_NAME, ""))


def environment_of(declared: Declaration, wanted: str) -> str:
    """Give the environment that a command means: its option, LANDBRIDGE_ENVIRONMENT, or the only one there is."""
    return choice.environment_of(declared, wanted or os.environ.get(ENVIRONMENT, ""))


def twin_of(declared: Declaration, environment: str) -> TwinState:
    """Give the twin of an environment that is up.

    Raises:
        Unavailable: it is not.
    """
    from landbridge.twin.state import folder_of, load

    return load(folder_of(declared.folder, environment))


def _where(declared: Declaration, environment: str, *, twin: bool) -> tuple[Place, TwinState | None]:
    """Give an environment as it is declared, and its twin where that is meant."""
    state = twin_of(declared, environment) if twin else None
    return place_of(declared.project, environment), state


def cloud(declared: Declaration, environment: str, *, twin: bool, progress: Progress) -> Cloud:
    """Fill in the cloud side of one environment: S3 by web identity, on AWS or on the twin."""
    from landbridge.wiring.cloud_side import make

    place, state = _where(declared, environment, twin=twin)
    session, endpoint = _session(place, state, state.pod if state else None)
    return make(
        declared,
        place,
        session=session,
        endpoint=endpoint,
        references=_references(declared, session),
        process=_process(progress),
    )


def evidence(declared: Declaration, environment: str, *, twin: bool) -> Evidence:
    """Fill in what an operator may read: ledger, reports, staging, and the share where it is mounted here."""
    from landbridge.wiring.reading import make

    place, state = _where(declared, environment, twin=twin)
    session, endpoint = _session(place, state, state.operator if state else None)
    return make(
        declared,
        place,
        session=session,
        endpoint=endpoint,
        references=_references(declared, session),
        ground=state.ground if state else None,
    )


def evidence_signer(declared: Declaration, environment: str, *, twin: bool) -> Signer:
    """Give what signs evidence bundles of one environment; see evidence_keys.signer."""
    from landbridge.stores.aws_session import session
    from landbridge.wiring.evidence_keys import signer

    place, state = _where(declared, environment, twin=twin)
    ground = state.ground if state else None
    return signer(place, _references(declared, None), lambda: session(place.region), ground)


def bundle_keys(declared: Declaration, environment: str, *, twin: bool) -> tuple[str, ...]:
    """Give the public keys that evidence bundles of one environment are checked with."""
    from landbridge.wiring.evidence_keys import checked_with

    place, state = _where(declared, environment, twin=twin)
    return checked_with(place, _references(declared, None), state.ground if state else None)


def collector_keys(declared: Declaration, environment: str, *, twin: bool) -> tuple[str, ...]:
    """Give the public keys that receipts of one environment are checked with."""
    from landbridge.wiring.receipt_keys import receipt_keys

    place, state = _where(declared, environment, twin=twin)
    return receipt_keys(place, _references(declared, None), state.ground if state else None)


def who() -> str:
    """Give who acts, as the ledger names them."""
    return _actor()


def watching(declared: Declaration, environment: str, *, twin: bool, progress: Progress) -> Watching:
    """Fill in the look at all slots of one environment: evidence, a run for what was missed, and who is told.

    With `twin` it has the twin's slots, and tells whom the declaration names but nobody on AWS.
    """
    from landbridge.wiring import watch_side

    place, state = _where(declared, environment, twin=twin)
    session, endpoint = _session(place, state, state.watch if state else None)
    return watch_side.make(
        declared,
        place,
        session=session,
        endpoint=endpoint,
        references=_references(declared, session),
        process=_process(progress),
        ground=state.ground if state else None,
        topic="" if twin else (place.watch.topic or os.environ.get(ALARM_TOPIC, "")),
    )


def reaping(declared: Declaration, environment: str, *, twin: bool, progress: Progress) -> Reaping:
    """Fill in the removal of what has had its time, with the reaper's own role."""
    from landbridge.wiring.reap_side import make

    place, state = _where(declared, environment, twin=twin)
    session, endpoint = _session(place, state, state.reaper if state else None)
    return make(
        declared,
        place,
        session=session,
        endpoint=endpoint,
        references=_references(declared, session),
        process=_process(progress),
        ground=state.ground if state else None,
    )


def further(declared: Declaration, environment: str, commitment: Commitment, *, twin: bool) -> list[Location]:
    """Give where the further declared places of a feed hold a revision."""
    from landbridge.facts import Location
    from landbridge.stores.s3_account import S3Account
    from landbridge.wiring.cloud_side import further_store

    feed = declared.feeds.get(commitment.slot.feed)
    place, state = _where(declared, environment, twin=twin)
    session, endpoint = _session(place, state, state.operator if state else None)
    references = _references(declared, session)
    account = S3Account(session, endpoint)
    places = feed.file.also_to if feed else ()
    stores = (further_store(declared, place, account, references, one, commitment) for one in places)
    return [Location(store.name, commitment.target.key) for store in stores]


def pod_session(
    declared: Declaration, environment: str, *, twin: bool
) -> tuple[Place, boto3.Session, str | None]:
    """Give the environment with the credentials and the endpoint that a run has."""
    place, state = _where(declared, environment, twin=twin)
    return place, *_session(place, state, state.pod if state else None)


def aws_account(declared: Declaration, environment: str) -> Account:
    """Open the declared AWS account of one environment, to deploy into it."""
    from landbridge.wiring.account_side import make

    return make(place_of(declared.project, environment))


def pause(seconds: float) -> None:
    """Wait before somebody else's service is asked again."""
    SystemClock().sleep(seconds)


@contextmanager
def controlm(
    declared: Declaration, environment: str, *, tell: Callable[[str], None]
) -> Iterator[AutomationApi]:
    """Open the Automation API of one environment's Control-M, to deploy through it."""
    from landbridge.wiring.controlm_side import make

    with make(place_of(declared.project, environment), _references(declared, None), pause, tell) as api:
        yield api


def ground(
    declared: Declaration, environment: str, *, twin: bool, progress: Progress, part: str = ""
) -> Ground:
    """Fill in the ground side of one environment: SFTP with a pinned host key, the share with its journal.

    `part` is added to the collector's name: what has another name does not wait for this host's collector.
    """
    from landbridge.wiring.ground_side import make

    return make(host(declared, environment, twin=twin, progress=progress, part=part))


def holding(declared: Declaration, environment: str, *, twin: bool, progress: Progress) -> HoldingFolder:
    """Fill in the folder where another mover puts files."""
    from landbridge.wiring.ground_side import holding as make

    return make(host(declared, environment, twin=twin, progress=progress))


def share(declared: Declaration, environment: str, *, twin: bool, progress: Progress) -> FolderShare:
    """Fill in the share alone, for a person who adopts it or answers for a file."""
    from landbridge.wiring.ground_side import share as make

    return make(host(declared, environment, twin=twin, progress=progress))


def keys(
    declared: Declaration, environment: str, server: str, *, host: bool, tell: Callable[[str], None]
) -> KeysWorld:
    """Fill in what the key commands stand on, for the SFTP user's key or for the host key; nothing is connected yet."""
    from landbridge.stores.aws_session import session as begun
    from landbridge.wiring.keys_side import make

    place = place_of(declared.project, environment)
    session = begun(place.region)
    return make(
        declared.folder,
        place,
        server,
        host=host,
        session=session,
        references=_references(declared, session),
        clock=SystemClock(),
        tell=tell,
    )


def installation(declared: Declaration, environment: str, version: Version, world: KeysWorld) -> Installation:
    """Give what the script that puts a key onto Control-M's agents has to say."""
    from landbridge.deploy.keys.handed import born_in_the_cloud
    from landbridge.wiring.keys_side import installation as make

    place, references = place_of(declared.project, environment), _references(declared, None)
    return make(place, version, world.custody.name, born_in_the_cloud(world), references)


def pinned(declared: Declaration, environment: str) -> tuple[str, ...]:
    """Give the pinned host keys of an environment, as far as they are there."""
    from landbridge.errors import UsageError
    from landbridge.wiring.host_keys import pins

    try:
        return pins(place_of(declared.project, environment), _references(declared, None))
    except UsageError:  # a file or variable that is declared and not made yet pins nothing
        return ()


def host(declared: Declaration, environment: str, *, twin: bool, progress: Progress, part: str = "") -> Host:
    """Give everything that the ground side of one environment is filled in from."""
    from landbridge.wiring.ground_side import Host

    state = twin_of(declared, environment) if twin else None
    return Host(
        declared=declared,
        place=place_of(declared.project, environment),
        references=_references(declared, None),
        twin=state.ground if state else None,
        collector=_collector(part),
        sftp_client=os.environ.get(SFTP_CLIENT, ""),
        process=_process(progress),
    )


def _session(
    place: Place, state: TwinState | None, identity: WebIdentity | None
) -> tuple[boto3.Session, str | None]:
    from landbridge.stores.aws_session import session

    if state is not None and identity is not None:
        # What a pod finds in its environment on EKS; from here on nothing differs from there.
        os.environ.update(
            AWS_ROLE_ARN=identity.role_arn,
            AWS_WEB_IDENTITY_TOKEN_FILE=str(identity.token_file),
            AWS_ROLE_SESSION_NAME=identity.session_name,
            AWS_ENDPOINT_URL=state.endpoint,
            AWS_REGION=state.region,
            AWS_DEFAULT_REGION=state.region,
            AWS_EC2_METADATA_DISABLED="true",
        )
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
            os.environ.pop(name, None)
        return session(state.region), state.endpoint
    return session(place.region), place.buckets.endpoint


def _references(declared: Declaration, session: boto3.Session | None) -> References:
    def secrets_manager(secret_id: str) -> str:
        from landbridge.errors import UsageError
        from landbridge.stores.aws_session import session as begun

        asked = session or begun(declared.project.region)
        answer = asked.client("secretsmanager").get_secret_value(SecretId=secret_id)
        if "SecretString" not in answer:
            raise UsageError(
                f"the secret `{secret_id}` holds no text",
                hint="write its value first; a key is made with `landbridge keys create`",
            )
        return answer["SecretString"]

    return References(os.environ, declared.folder, secrets_manager)


def _process(progress: Progress) -> Process:
    return Process(clock=SystemClock(), progress=progress, run_id=RUN_ID, actor=_actor())


def _collector(part: str = "") -> str:
    """Name the host, not the process: what a collector left behind is taken up by the next one on its host."""
    name = os.environ.get(COLLECTOR) or socket.gethostname()
    whole = f"{name}.{part}"
    return whole if part and len(whole) <= _LONGEST_COLLECTOR else name


_LONGEST_COLLECTOR = 100


def _actor() -> str:
    if named := os.environ.get(ACTOR):
        return named
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # a numeric user without a name, as in many pods
        user = str(os.getuid()) if hasattr(os, "getuid") else "unknown"
    return f"{user}@{socket.gethostname()}"


RUN_ID = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{random.token_hex(3)}"
"""Names this process in logs and evidence."""
