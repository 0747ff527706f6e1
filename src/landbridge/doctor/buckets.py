"""Is each bucket set as the protocol relies on: versions, encryption, nothing public, TLS only, what is forgotten and what is not?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from landbridge.counted import counted
from landbridge.doctor.finding import broken, ok, refused, skipped, warn
from landbridge.doctor.identity import role_of
from landbridge.errors import Exit, LandbridgeError, NotPermitted, Unavailable
from landbridge.naming import OUTBOUND, QUARANTINE, RECEIPTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from landbridge.deploy.needs import Bucket
    from landbridge.doctor.finding import Finding
    from landbridge.doctor.patient import Patient
    from landbridge.stores.s3_asked import Asked

_OWNER = "ask the owner of the bucket, which the declaration adopts (`aws.adopt`), to set it"


def versions(patient: Patient) -> Iterator[Finding]:
    """See that replaced and removed versions are kept."""

    def judge(asked: Asked, bucket: Bucket) -> Finding:
        if patient.twin and bucket.name == patient.needs.sftp.bucket:
            return skipped(
                bucket.name, "the twin keeps no versions behind SFTP: its server would show folders"
            )
        if asked.versioned(bucket.name):
            return ok(bucket.name, "kept")
        seen = "no versions are kept: what was validated cannot be told from what replaced it"
        return broken(bucket.name, seen, Exit.DECLARATION, _mend(patient, bucket))

    return _each(patient, judge)


def encryption(patient: Patient) -> Iterator[Finding]:
    """See that a bucket encrypts with a key of KMS by itself: no request names one."""

    def judge(asked: Asked, bucket: Bucket) -> Finding:
        if patient.twin:
            return skipped(bucket.name, "the twin has no KMS: it encrypts its volumes itself")
        found = asked.encryption(bucket.name)
        if found.startswith("aws:kms"):
            return ok(bucket.name, found)
        seen = f"{found or 'no encryption'} instead of aws:kms with {patient.needs.key_alias}"
        return broken(bucket.name, seen, Exit.DECLARATION, _mend(patient, bucket))

    return _each(patient, judge)


def public_access(patient: Patient) -> Iterator[Finding]:
    """See that nothing of a bucket can become public."""

    def judge(asked: Asked, bucket: Bucket) -> Finding:
        if patient.twin:
            return skipped(bucket.name, "the twin's server has no such setting, and listens on loopback only")
        if asked.blocks_public(bucket.name):
            return ok(bucket.name, "all four blocks are on")
        return broken(bucket.name, "not all of it is blocked", Exit.DECLARATION, _mend(patient, bucket))

    return _each(patient, judge)


def policies(patient: Patient) -> Iterator[Finding]:
    """See that a bucket refuses requests without TLS, and a second writing of what is written once."""

    def judge(asked: Asked, bucket: Bucket) -> Finding:
        if patient.twin:
            return skipped(bucket.name, "the twin speaks plain HTTP on loopback, and has no bucket policies")
        policy = asked.policy(bucket.name)
        lacking = [] if _denies(policy, "Bool", "aws:SecureTransport", "false") else ["requests without TLS"]
        if bucket.created_once and not _denies(policy, "Null", "s3:if-none-match", "true"):
            lacking.append("unconditional writes of what is written once")
        if not lacking:
            return ok(bucket.name, "refuses what it must")
        seen = f"does not refuse {' and '.join(lacking)}"
        return broken(bucket.name, seen, Exit.DECLARATION, _mend(patient, bucket))

    return _each(patient, judge)


def lifecycles(patient: Patient) -> Iterator[Finding]:
    """See that drafts and canaries are forgotten, and evidence is not."""

    def judge(asked: Asked, bucket: Bucket) -> Finding:
        rules = [rule for rule in asked.lifecycle(bucket.name) if rule.get("Status") == "Enabled"]
        expiring = [_prefix(rule) for rule in rules if {"Days", "Date"} & set(rule.get("Expiration", {}))]
        lost = [kept for kept in _kept(patient, bucket) if _meets(expiring, kept, bucket.expiring)]
        if lost:
            seen = f"a rule removes what must stay: {', '.join(each or 'everything' for each in lost)}"
            return broken(bucket.name, seen, Exit.DECLARATION, _mend(patient, bucket))
        stays = [each for each in bucket.expiring if not any(each.startswith(rule) for rule in expiring)]
        if stays:
            seen = f"nothing ever forgets {', '.join(stays)}"
            return warn(bucket.name, seen, _mend(patient, bucket))
        return ok(
            bucket.name,
            f"{counted(len(bucket.expiring), 'prefix is', 'prefixes are')} forgotten, evidence stays",
        )

    return _each(patient, judge)


def _each(patient: Patient, judge: Callable[[Asked, Bucket], Finding]) -> Iterator[Finding]:
    """Judge our own buckets, with the first credentials that may see a setting."""
    roles = [(role_of(patient, who), who.asked) for who in patient.identities()]
    asked = next((one for role, one in roles if role != "pod"), None)
    for bucket in patient.needs.buckets:
        if bucket.purpose == "place":
            continue
        if asked is None:
            why = "a pod may not see settings: run it with the operator's role"
            yield skipped(bucket.name, why)
            continue
        try:
            yield judge(asked, bucket)
        except (NotPermitted, Unavailable) as error:
            if patient.place.buckets.endpoint and isinstance(error, Unavailable):
                yield skipped(bucket.name, f"the declared store does not tell: {error.seen}")
            else:
                yield refused(bucket.name, error)
        except LandbridgeError as error:
            yield refused(bucket.name, error, error.hint)


def _mend(patient: Patient, bucket: Bucket) -> str:
    return _OWNER if bucket.name in patient.adopted else ""


def _kept(patient: Patient, bucket: Bucket) -> Sequence[str]:
    """Give the prefixes of a bucket below which no object may ever go by itself."""
    own = patient.place.buckets
    kept = [f"{QUARANTINE}/"] if bucket.name == own.staging else []
    kept += [f"{OUTBOUND}/", f"{RECEIPTS}/"] if bucket.name == own.reports else []
    return [*kept, f"{own.ledger_prefix.strip('/')}/".lstrip("/")] if bucket.name == own.ledger else kept


def _meets(expiring: Sequence[str], kept: str, allowed: Sequence[str]) -> bool:
    """Tell whether a rule removes anything below `kept` but what is allowed to go."""
    return any(
        kept.startswith(rule) or (rule.startswith(kept) and not any(rule.startswith(one) for one in allowed))
        for rule in expiring
    )


def _prefix(rule: Mapping[str, Any]) -> str:
    found = rule.get("Filter", {})
    return str(rule.get("Prefix") or found.get("Prefix") or found.get("And", {}).get("Prefix") or "")


def _denies(policy: Mapping[str, Any], operator: str, key: str, value: str) -> bool:
    """Tell whether a policy refuses everybody under a condition."""
    for statement in policy.get("Statement", ()):
        conditions = statement.get("Condition", {}).get(operator, {})
        given = {name.casefold(): str(said).casefold() for name, said in conditions.items()}
        everybody = statement.get("Principal") in ("*", {"AWS": "*"})
        if statement.get("Effect") == "Deny" and everybody and given.get(key.casefold()) == value:
            return True
    return False
