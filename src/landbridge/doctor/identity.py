"""Who are we, and by which token?"""

from __future__ import annotations

import base64
import binascii
import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from landbridge.doctor.finding import broken, ok, skipped, warn
from landbridge.errors import Exit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landbridge.doctor.finding import Finding
    from landbridge.doctor.patient import Identity, Patient

_ASSUMED = re.compile(r":assumed-role/([^/]+)/")
_JOB = re.compile(r".+-\d{7,9}")


def role_of(patient: Patient, who: Identity) -> str:
    """Say which declared role an identity is; empty for none of them."""
    return who.role or _named(patient, who.asked.caller().arn)


def _named(patient: Patient, arn: str) -> str:
    match = _ASSUMED.search(arn)
    adopted = patient.place.aws.adopt if patient.place.aws else None
    theirs = (
        {
            "pod": adopted.pod_role,
            "operator": adopted.operator_role,
            "watch": adopted.watch_role,
            "reaper": adopted.reaper_role,
        }
        if adopted
        else {}
    )
    for kind, role in patient.roles().items():
        wanted = (theirs.get(kind) or role.name).rpartition("/")[2]
        if match and match[1] == wanted:
            return kind
    return ""


def callers(patient: Patient) -> Iterator[Finding]:
    """See whose credentials there are, and whether they are a declared role's of the declared account."""
    account = patient.place.aws.account if patient.place.aws and not patient.twin else ""
    for who in patient.identities():
        caller = who.asked.caller()
        what = who.role or _named(patient, caller.arn) or "credentials"
        if account and caller.account != account:
            seen = f"{caller.arn} is of the account {caller.account}, declared is {account}"
            yield broken(what, seen, Exit.PERMISSION, "aws sts get-caller-identity")
        elif not who.role and not _named(patient, caller.arn):
            seen = f"{caller.arn} is none of the declared roles: what they may do is not known from here"
            yield warn(what, seen, "run it in a pod, or take the operator's role first")
        else:
            yield ok(what, caller.arn)


def tokens(patient: Patient) -> Iterator[Finding]:
    """See that the service account's token is there, of the right subject and audience, and has not run out."""
    trusts = patient.roles()
    for who in patient.identities():
        what = who.role or "token"
        if who.token is None:
            yield skipped(what, "no role is taken by a token here (AWS_WEB_IDENTITY_TOKEN_FILE is not set)")
            continue
        try:
            claims = _claims(who.token.read_text(encoding="utf-8"))
        except OSError as error:
            seen = f"{who.token} cannot be read: {error.strerror}"
            yield broken(what, seen, Exit.PERMISSION)
            continue
        role = role_of(patient, who)
        yield _judged(what, claims, trusts[role].trust.subject if role else "", patient.now())


def _judged(what: str, claims: dict[str, Any], subject: str, now: datetime) -> Finding:
    seconds = claims.get("exp")
    if not isinstance(seconds, int | float):
        return broken(what, "the token is none of a service account", Exit.PERMISSION)
    ends = datetime.fromtimestamp(seconds, UTC)
    if ends <= now:
        seen = f"the token ran out at {ends:%Y-%m-%d %H:%M:%S} UTC, and nobody replaced it"
        return broken(what, seen, Exit.PERMISSION)
    if subject and claims.get("sub") != subject:
        seen = f"the token is of {claims.get('sub')!s:.200}, the role trusts {subject}"
        return broken(what, seen, Exit.PERMISSION)
    return ok(what, f"{claims.get('sub')}, until {ends:%Y-%m-%d %H:%M} UTC")


def _claims(token: str) -> dict[str, Any]:
    """Read what a token says of itself; whether it is genuine is for STS."""
    parts = token.strip().split(".")
    if len(parts) != 3:  # noqa: PLR2004 - RFC 7519: header, claims, signature
        return {}
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, binascii.Error):
        return {}
    return claims if isinstance(claims, dict) else {}


def job(patient: Patient) -> Iterator[Finding]:
    """See that a pod knows the name of its Job, from which its slot follows."""
    if not patient.in_cluster:
        yield skipped("", "this is no pod")
    elif not patient.job_name:
        seen = "LANDBRIDGE_JOB_NAME is not set: a run could not tell its slot"
        yield broken("", seen, Exit.DECLARATION)
    elif not _JOB.fullmatch(patient.job_name):
        seen = f"the Job `{patient.job_name}` was not made by a CronJob: a run here needs `--date`"
        yield warn("", seen, "name the slot with `--date`")
    else:
        yield ok("", patient.job_name)
