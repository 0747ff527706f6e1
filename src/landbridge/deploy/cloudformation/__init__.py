"""Which CloudFormation stacks does an environment have? Text only: nothing is asked of AWS.

All environments of a project give the same templates, byte for byte; they differ in parameters. What repeats
(Control-M blocks, mail addresses) is as often in the text as the environment with the most has it.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from landbridge.deploy import metrics
from landbridge.deploy.cloudformation import values
from landbridge.deploy.cloudformation.grants import grants
from landbridge.deploy.cloudformation.grants import values as grant_values
from landbridge.deploy.cloudformation.template import fill, text
from landbridge.deploy.needs import needs
from landbridge.deploy.stack import ORDER, Stack
from landbridge.naming import CANARY, DRAFTS, OUTBOUND, RECEIPTS, WATCH
from landbridge.project import place

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from landbridge.deploy.cloudformation.grants import Grant, Holder
    from landbridge.deploy.needs import Needs, SftpUser
    from landbridge.deploy.stack import Kind
    from landbridge.project import Declaration

_WHY = {
    "Pod": "Runs feeds - stages, commits, promotes.",
    "Operator": "Looks at everything, changes nothing.",
    "Watch": "Looks at all slots on a schedule, and tells what is late.",
    "Reaper": "Removes files that have landed and had their time.",
}
_HOLDERS: Mapping[Kind, tuple[Holder, ...]] = {
    "storage": (),
    "identity": ("pod", "operator", "watch", "reaper"),
    "sftp": (),
    "sftp-user": ("user", "rotator"),
}


def stacks(declaration: Declaration, environment: str) -> tuple[Stack, ...]:
    """Give the stacks of an environment, in the order in which they are created.

    Raises:
        KeyError: no such environment.
        DeclarationWrong: it has no `aws:` section, or one that no template can be made of.
    """
    where = place(declaration.project, environment)
    aws = values.declared(declaration, environment)
    needed = needs(declaration, environment)
    granted = grants(declaration, deployed(declaration))
    counts = _counts(declaration)
    templates = _templates(granted, needed.sftp, counts)
    days = declaration.project.staging_days
    parameters = {
        "storage": values.storage(needed, where, aws, counts, days),
        "identity": values.identity(needed, where, aws),
        "sftp": values.sftp(needed, where, aws, counts),
        "sftp-user": values.sftp_user(needed, aws),
    }
    inputs = {
        "storage": {},
        "identity": values.OF_STORAGE,
        "sftp": {name: values.OF_STORAGE[name] for name in ("KeyArn", "AlarmTopicArn")},
        "sftp-user": {
            **{name: values.OF_STORAGE[name] for name in ("KeyArn", "ReportsBucket")},
            **values.OF_SFTP,
        },
    }
    return tuple(
        Stack(
            kind,
            stack_name(needed, kind),
            templates[kind],
            values.fitting(
                declaration,
                environment,
                {
                    **parameters[kind],
                    **grant_values(declaration, environment, aws.account, _all(granted, _HOLDERS[kind])),
                },
            ),
            inputs[kind],
            {"landbridge-project": needed.project, "landbridge-environment": environment, **aws.tags},
        )
        for kind in ORDER
    )


def stack_name(needed: Needs, kind: Kind) -> str:
    """Name a stack: `landbridge-eidv-prd-storage`; CloudFormation takes no `_`."""
    return f"landbridge-{needed.name}-{kind}".replace("_", "-")


def deployed(declaration: Declaration) -> tuple[str, ...]:
    """Name the environments that have an `aws:` section."""
    project = declaration.project
    return tuple(name for name in project.environments if place(project, name).aws)


def _templates(
    granted: Mapping[Holder, Sequence[Grant]], user: SftpUser, counts: Mapping[str, int]
) -> dict[Kind, str]:
    parts: dict[str, Callable[..., str]] = {
        "denies": lambda bucket: text("denies.part").replace("{bucket}", bucket),
        "role": _role,
        "endpoint": _endpoint,
        "mappings": partial(_mappings, user),
        "parameters": lambda *holders: _parameters(_all(granted, holders)),
        "conditions": lambda *holders: _conditions(_all(granted, holders)),
        "statements": lambda holder, indent: _statements(granted[holder], int(indent)),
    }
    words = {
        "drafts": DRAFTS,
        "watch": WATCH,
        "outbound": OUTBOUND,
        "receipts": RECEIPTS,
        "canary": CANARY,
        "namespace": metrics.NAMESPACE,
        "late_slots": metrics.LATE_SLOTS,
        "dimension": metrics.DIMENSION,
    }
    return {kind: fill(text(f"{kind}.yaml"), counts=counts, parts=parts, words=words) for kind in ORDER}


def _counts(declaration: Declaration) -> dict[str, int]:
    """Say how often the templates repeat what repeats: as often as the environment with the most."""
    places = (place(declaration.project, name).aws for name in deployed(declaration))
    everywhere = [aws for aws in places if aws]
    return {
        "on_premises": max(len(aws.on_premises) for aws in everywhere),
        "alarm_mails": max(len(aws.alarm_mails) for aws in everywhere),
        "endpoint_clients": max(1, *(len(aws.endpoint_clients) for aws in everywhere)),
    }


def _all(granted: Mapping[Holder, Sequence[Grant]], holders: Sequence[Holder]) -> list[Grant]:
    return [grant for holder in holders for grant in granted[holder]]


def _parameters(given: Sequence[Grant]) -> str:
    return "\n".join(line for grant in given for line in grant.parameters())


def _conditions(given: Sequence[Grant]) -> str:
    return "\n".join(filter(None, (grant.condition() for grant in given)))


def _statements(given: Sequence[Grant], indent: int) -> str:
    return "\n".join(" " * indent + line for grant in given for line in grant.lines())


def _role(name: str) -> str:
    part = text("role.part").replace("{Role}", name)
    return part.replace("{role}", name.lower()).replace("{why}", _WHY[name])


def _endpoint(name: str, service: str, actions: str = "") -> str:
    """Give an interface endpoint; `actions` where IAM calls the service otherwise."""
    part = text("endpoint.part").replace("{Name}", name).replace("{service}", service)
    return part.replace("{actions}", actions or service)


def _mappings(user: SftpUser) -> str:
    return "\n".join(
        f'        - {{Entry: /{folder.name}, Target: !Sub "/${{ReportsBucket}}/{folder.name}", Type: DIRECTORY}}'
        for folder in user.folders
    )
