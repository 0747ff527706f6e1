"""May each role do what its steps need, and nothing beside that? Asked of the very statements that are deployed."""

from __future__ import annotations

from datetime import timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from landbridge.counted import counted
from landbridge.doctor.finding import broken, ok, skipped
from landbridge.doctor.identity import role_of
from landbridge.errors import Exit, NotPermitted
from landbridge.naming import DRAFTS, OUTBOUND, QUARANTINE, RECEIPTS, WATCH, ledger_day
from landbridge.stores.s3_asked import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from landbridge.deploy.policy import Policy, Statement
    from landbridge.doctor.finding import Finding
    from landbridge.doctor.patient import Identity, Patient
    from landbridge.stores.s3_asked import Asked

PROBE = "_doctor"
"""Ends the keys that are asked about. No feed is called so, and nothing is ever written there."""
_DATES = "????-??-??/"
_DAYS = 8
"""Days of the ledger that are looked at for an entry to read."""
_ELSEWHERE = {
    "secretsmanager:GetSecretValue": "asked by the check `secrets of the cloud side`",
    "sns:Publish": "nothing asks for it without telling somebody: the next notice of `landbridge watch` shows it",
    "cloudwatch:PutMetricData": "nothing asks for it without a number that an alarm reads: `landbridge watch` shows it",
}


def granted(patient: Patient) -> Iterator[Finding]:
    """See that every statement of every role that is at hand holds."""
    for who in patient.identities():
        role = role_of(patient, who)
        if not role:
            yield skipped("permissions", "these credentials are none of the declared roles: see `identity`")
            continue
        for statement in patient.roles()[role].policy.statements:
            yield _Statement(patient, who.asked, role, statement).judged()


class _Statement:
    """One statement of a role, asked permission by permission."""

    def __init__(self, patient: Patient, asked: Asked, role: str, statement: Statement) -> None:
        self._patient = patient
        self._asked = asked
        self._statement = statement
        self._what = f"{role}: {statement.sid}"
        self._refused: list[str] = []
        self._took: list[str] = []
        self._unsure: list[str] = []
        self._allowed = 0

    def judged(self) -> Finding:
        """Ask, and say how it was found."""
        for action in self._statement.actions:
            if action in _ELSEWHERE:
                return skipped(self._what, _ELSEWHERE[action])
            if action.startswith("kms:"):
                return self._key()
            for resource in self._statement.resources:
                self._note(action, resource.partition(":::")[2])
        if self._took:
            seen = f"the store took bytes with a wrong checksum: {', '.join(self._took)}"
            return broken(self._what, seen, Exit.INTEGRITY, "use a store that verifies x-amz-checksum-sha256")
        if self._refused:
            return broken(self._what, f"refused: {', '.join(self._refused)}", Exit.PERMISSION)
        if self._unsure:
            why = f"nothing harmless tells (of a key that is not there AWS answers 403 to everybody): {', '.join(self._unsure)}"
            return (
                ok(self._what, f"{self._allowed} allowed; {why}")
                if self._allowed
                else skipped(self._what, why)
            )
        return ok(self._what, f"{self._allowed} allowed")

    def _note(self, action: str, place: str) -> None:
        bucket, _, pattern = place.partition("/")
        said = f"{action} on {place}"
        if "*" in bucket:
            self._unsure.append(f"{said} (the bucket's name depends on the slot)")
            return
        match self._answer(action, bucket, pattern):
            case Answer.ALLOWED:
                self._allowed += 1
            case Answer.REFUSED:
                self._refused.append(said)
            case Answer.TOOK:
                self._took.append(said)
            case Answer.UNSURE:
                self._unsure.append(said)

    def _answer(self, action: str, bucket: str, pattern: str) -> Answer:
        key = pattern.removesuffix("*").replace("*", "x") + PROBE
        match action:
            case "s3:PutObject":
                return self._asked.put(bucket, key)
            case "s3:AbortMultipartUpload":
                return self._asked.abort(bucket, key)
            case "s3:DeleteObjectVersion":
                return self._asked.delete_version(bucket, key)
            case "s3:GetObject" | "s3:GetObjectVersion":
                return self._read(action, bucket, pattern, key)
            case "s3:ListBucket":
                return self._each(lambda prefix: self._asked.see(bucket, prefix))
            case "s3:ListBucketVersions":
                return self._each(lambda prefix: self._asked.see_versions(bucket, prefix))
            case _:
                return self._setting(action, bucket)

    def _setting(self, action: str, bucket: str) -> Answer:
        questions = {
            "s3:GetBucketVersioning": self._asked.versioned,
            "s3:GetEncryptionConfiguration": self._asked.encryption,
            "s3:GetBucketPublicAccessBlock": self._asked.blocks_public,
            "s3:GetBucketPolicy": self._asked.policy,
            "s3:GetLifecycleConfiguration": self._asked.lifecycle,
        }
        if self._patient.twin and action == "s3:GetBucketPublicAccessBlock":
            return Answer.ALLOWED  # its server has no such setting
        if action not in questions:
            return Answer.UNSURE
        try:
            questions[action](bucket)
        except NotPermitted:
            return Answer.REFUSED
        return Answer.ALLOWED

    def _read(self, action: str, bucket: str, pattern: str, absent: str) -> Answer:
        key = self._some(bucket, pattern)
        of_version = action == "s3:GetObjectVersion"
        if not key:
            answer = self._asked.get(bucket, absent, "null" if of_version else "")
            unsure = answer is Answer.REFUSED and not self._patient.twin
            return Answer.UNSURE if unsure else answer
        answer = self._asked.get(bucket, key)
        if not of_version or answer is not Answer.ALLOWED:
            return answer
        return self._asked.get(bucket, key, self._asked.version_of(bucket, key) or "null")

    def _some(self, bucket: str, pattern: str) -> str:
        """Find an object that may be read, as far as this role may look."""
        prefixes = [pattern.partition("*")[0]]
        if bucket == self._patient.place.buckets.ledger:
            today = self._patient.now().date()
            days = (ledger_day(today - timedelta(days=back)) for back in range(_DAYS))
            prefixes = [prefixes[0] + day for day in days]
        for prefix in prefixes:
            try:
                if found := self._asked.some(bucket, prefix):
                    return found
            except NotPermitted:
                return ""
        return ""

    def _each(self, ask: Callable[[str], Answer]) -> Answer:
        """Ask for every prefix that the statement's condition allows; a day stands for all days."""
        (listed,) = (keys["s3:prefix"] for keys in self._statement.conditions.values() if "s3:prefix" in keys)
        today = ledger_day(self._patient.now().date())
        answers = {ask(each.removesuffix("*").replace(_DATES, today).replace("*", "x")) for each in listed}
        return Answer.REFUSED if Answer.REFUSED in answers else Answer.ALLOWED

    def _key(self) -> Finding:
        if self._patient.twin:
            return skipped(self._what, "the twin has no KMS: it encrypts its volumes itself")
        if "kms:GenerateDataKey" not in self._statement.actions:
            return skipped(self._what, "reading an encrypted object shows it")
        bucket, key = self._patient.place.buckets.staging, f"{DRAFTS}/{PROBE}"
        if self._asked.put(bucket, key) is not Answer.ALLOWED:
            return skipped(self._what, "this role may not write drafts, so nothing asks for it")
        if self._asked.begin(bucket, key) is Answer.ALLOWED:
            return ok(self._what, "an upload began with the bucket's key, and was taken back")
        seen = f"an upload to s3://{bucket}/{key} may be written and does not begin: the key is refused"
        return broken(
            self._what, seen, Exit.PERMISSION, "landbridge deploy aws apply --environment {environment}"
        )


def nothing_else(patient: Patient) -> Iterator[Finding]:
    """See that no role can write, delete or list where it has no business."""
    for who in patient.identities():
        role = role_of(patient, who)
        if not role:
            yield skipped("limits", "these credentials are none of the declared roles: see `identity`")
            continue
        yield from _limits(patient, who, role)


def _limits(patient: Patient, who: Identity, role: str) -> Iterator[Finding]:
    own, policy = patient.place.buckets, patient.roles()[role].policy
    ledger = own.ledger_prefix.strip("/")
    places = [
        *((own.staging, prefix) for prefix in (f"{DRAFTS}/", f"{QUARANTINE}/", f"{WATCH}/", "")),
        *((own.reports, prefix) for prefix in (f"{OUTBOUND}/", f"{RECEIPTS}/", "")),
        (own.ledger, f"{ledger}/" if ledger else ""),
    ]
    for verb, action, ask in (
        ("writes nothing else", "s3:PutObject", who.asked.put),
        ("hides nothing", "s3:DeleteObject", who.asked.delete),
        ("removes nothing else", "s3:DeleteObjectVersion", who.asked.delete_version),
    ):
        beyond = [(b, p + PROBE) for b, p in places if not _allows(policy, action, f"{b}/{p}{PROBE}")]
        wrong = [f"s3://{b}/{key}" for b, key in beyond if ask(b, key) in {Answer.ALLOWED, Answer.TOOK}]
        what = f"{role}: {verb}"
        if wrong:
            yield broken(what, f"allowed, and must not be: {', '.join(wrong)}", Exit.PERMISSION)
        else:
            yield ok(what, f"refused in {counted(len(beyond), 'place')}")
    buckets = dict.fromkeys((own.staging, own.reports, own.ledger))
    whole = [bucket for bucket in buckets if who.asked.see(bucket, "") is Answer.ALLOWED]
    if whole:
        seen = f"whole buckets may be listed, and must not be: {', '.join(whole)}"
        yield broken(f"{role}: lists no whole bucket", seen, Exit.PERMISSION)
    else:
        yield ok(f"{role}: lists no whole bucket", f"refused in {counted(len(buckets), 'place')}")


def _allows(policy: Policy, action: str, place: str) -> bool:
    return any(
        fnmatchcase(f"arn:aws:s3:::{place}", _in_aws(resource))
        for statement in policy.statements
        if action in statement.actions
        for resource in statement.resources
    )


def _in_aws(resource: str) -> str:
    return f"arn:aws:s3:::{resource.partition(':::')[2]}"
