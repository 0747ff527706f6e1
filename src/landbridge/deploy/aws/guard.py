"""Which changes are refused unless somebody names the resource?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from landbridge.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from landbridge.deploy.aws.changes import Change

GUARDED = {
    "AWS::KMS::Key": "what it encrypted cannot be read again once it is deleted",
    "AWS::Logs::LogGroup": "its log is the record of who fetched what",
    "AWS::S3::Bucket": "its objects do not move to the new one",
    "AWS::SecretsManager::Secret": "the private key in it does not move to the new one",
    "AWS::Transfer::Server": "its addresses, host keys and users do not move to the new one",
    "AWS::Transfer::User": "its public keys do not move to the new one",
}
"""Types whose replacement or removal somebody must want, and what is lost with them."""


def lossy(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Give the changes that replace, may replace, or remove something guarded."""
    return tuple(
        change
        for change in changes
        if change.kind in GUARDED and (change.action == "Remove" or change.replacement != "False")
    )


def surprising(changes: Iterable[Change], named: Collection[str]) -> tuple[Change, ...]:
    """Give the lossy changes of resources that nobody named."""
    return tuple(change for change in lossy(changes) if change.logical_id not in named)


def hold(stack: str, changes: Iterable[Change], named: Collection[str]) -> None:
    """Refuse the surprising changes of a stack.

    Raises:
        UsageError: there are some.
    """
    found = surprising(changes, named)
    if not found:
        return
    words = "; ".join(f"{change.logical_id} {fate(change)}: {GUARDED[change.kind]}" for change in found)
    raise UsageError(
        f"{stack} would lose something that is hard to get back, so nothing was done",
        expected="no replacement or removal of server, user, buckets, keys, secrets or log group",
        seen=words,
        hint="correct the declaration, or name them: "
        + " ".join(f"--replace {change.logical_id}" for change in found),
    )


def fate(change: Change) -> str:
    """Say in words what becomes of a resource."""
    if change.action == "Remove":
        kept = change.policy == "Retain"
        return "leaves the stack and is kept" if kept else "is deleted"
    if change.replacement == "Conditional":
        return "may be replaced"
    kept = change.policy.endswith("Retain")
    return "is replaced, the old one is kept" if kept else "is replaced, the old one is deleted"
