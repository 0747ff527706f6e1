"""What would a change set change, resource by resource, property by property?"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from hashlib import sha256
from json import dumps
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from mypy_boto3_cloudformation.type_defs import ChangeTypeDef, ResourceChangeTypeDef


@dataclass(frozen=True, slots=True)
class PropertyChange:
    """One property (or attribute: Tags, DeletionPolicy ...) of a resource."""

    path: str
    before: str | None
    """None where CloudFormation does not tell."""
    after: str | None
    recreates: str
    """`Never`, `Conditionally` or `Always`: whether this change alone makes a new resource."""
    cause: str
    """The parameter or resource that it follows; empty where the template itself says it."""


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to one resource."""

    action: str
    """`Add`, `Modify`, `Remove`, `Import` or `Dynamic`."""
    logical_id: str
    physical_id: str
    kind: str
    """`AWS::S3::Bucket`."""
    replacement: str
    """`False`, `True` or `Conditional` (CloudFormation finds out when it does it)."""
    policy: str
    """What becomes of the old one: `Delete`, `Retain`, `Snapshot`, `ReplaceAndDelete`, `ReplaceAndRetain` ..."""
    properties: tuple[PropertyChange, ...]


@dataclass(frozen=True, slots=True)
class ParameterChange:
    """A parameter of the stack; None where it does not exist."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """A change set as it lies in the account, ready to be executed."""

    arn: str
    stack: str
    creates: bool
    """Whether there is no stack yet; then everything is added."""
    changes: tuple[Change, ...]
    parameters: tuple[ParameterChange, ...]

    @property
    def digest(self) -> str:
        """Of this very change set and everything that it changes; hexadecimal."""
        return digest_of(asdict(self))


def digest_of(document: object) -> str:
    """Give a short digest of plain data; equal data, equal digest."""
    text = dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(text.encode()).hexdigest()[:16]


def read_changes(described: Iterable[ChangeTypeDef]) -> tuple[Change, ...]:
    """Read the changes of `DescribeChangeSet`, in the order of the logical ids."""
    found = [_change(each["ResourceChange"]) for each in described if each.get("ResourceChange") is not None]
    return tuple(sorted(found, key=lambda change: change.logical_id))


def _change(described: ResourceChangeTypeDef) -> Change:
    return Change(
        action=described.get("Action", ""),
        logical_id=described.get("LogicalResourceId", ""),
        physical_id=described.get("PhysicalResourceId", ""),
        kind=described.get("ResourceType", ""),
        replacement=described.get("Replacement", "False"),
        policy=described.get("PolicyAction", ""),
        properties=tuple(_properties(described)),
    )


def _properties(described: ResourceChangeTypeDef) -> Iterator[PropertyChange]:
    """Yield each property once, with the gravest of its details: CloudFormation gives one for each cause."""
    found: dict[str, PropertyChange] = {}
    for detail in described.get("Details", ()):
        target = detail.get("Target", {})
        path = target.get("Name") or target.get("Attribute", "")
        one = PropertyChange(
            path=path,
            before=target.get("BeforeValue"),
            after=target.get("AfterValue"),
            recreates=target.get("RequiresRecreation", "Never"),
            cause=detail.get("CausingEntity", ""),
        )
        known = found.get(path)
        if known is None or _GRAVITY[one.recreates] >= _GRAVITY[known.recreates]:
            found[path] = one
    yield from sorted(found.values(), key=lambda each: each.path)


_GRAVITY = {"Never": 0, "Conditionally": 1, "Always": 2}


def changed_parameters(
    before: Mapping[str, str], after: Mapping[str, str], hidden: str
) -> tuple[ParameterChange, ...]:
    """Compare the parameters of a stack with those of a change set; what CloudFormation hides is not compared."""
    return tuple(
        ParameterChange(name, before.get(name), after.get(name))
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name) and hidden not in {before.get(name), after.get(name)}
    )
