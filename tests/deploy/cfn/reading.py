"""What does CloudFormation make of a template with these parameters: which resources, with which properties?

As much of CloudFormation as the templates use: conditions, Ref, Sub, GetAtt, If, Join. A word that it does not know is
an error, so a template that needs more has to be looked at here, too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ruamel.yaml.nodes import Node

ACCOUNT = "123456789012"
_NOTHING = object()
_WORD = re.compile(r"\$\{([\w:.]+)\}")


class _Constructor(SafeConstructor):
    """Reads the short forms (`!Sub`) as the long ones."""


def _intrinsic(constructor: _Constructor, suffix: str, node: Node) -> dict[str, object]:
    name = suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}"
    match node:
        case ScalarNode():
            value: object = constructor.construct_scalar(node)
        case SequenceNode():
            value = constructor.construct_sequence(node, deep=True)
        case MappingNode():
            value = constructor.construct_mapping(node, deep=True)
        case _:
            raise AssertionError(node)
    return {name: value.split(".") if suffix == "GetAtt" and isinstance(value, str) else value}


_Constructor.add_multi_constructor("!", _intrinsic)


@cache
def read(template: str) -> dict[str, Any]:
    """Read a template as plain data; it is read once, so whoever changes it changes a copy."""
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = _Constructor
    found: dict[str, Any] = yaml.load(template)
    return found


@dataclass(frozen=True)
class Made:
    """The resources that a template makes, conditions and intrinsics resolved."""

    resources: Mapping[str, dict[str, Any]]
    outputs: Mapping[str, Any]
    raw: Mapping[str, Any] = field(default_factory=dict)

    def at(self, logical: str, *path: str | int) -> Any:
        """Give what stands at a path below the properties of a resource; None where nothing does."""
        found: Any = self.resources.get(logical, {}).get("Properties", {})
        for step in path:
            try:
                found = found[step]
            except (KeyError, IndexError, TypeError):
                return None
        return found

    def statements(self, logical: str) -> list[dict[str, Any]]:
        """Give the statements of a policy, wherever its resource keeps it."""
        for name in ("PolicyDocument", "KeyPolicy", "ResourcePolicy", "AssumeRolePolicyDocument"):
            if (document := self.at(logical, name)) is not None:
                return list(document["Statement"])
        return []

    def said(self, logical: str, sid: str) -> dict[str, Any]:
        """Give one statement of a policy; an empty one where there is none."""
        return next((one for one in self.statements(logical) if one.get("Sid") == sid), {})

    def of(self, kind: str) -> dict[str, dict[str, Any]]:
        """Give the resources of a type."""
        return {name: one for name, one in self.resources.items() if one["Type"] == kind}


def make(template: Mapping[str, Any], parameters: Mapping[str, str], *, region: str = "eu-west-2") -> Made:
    """Resolve a template that `read` gave."""
    values: dict[str, object] = {
        "AWS::AccountId": ACCOUNT,
        "AWS::Partition": "aws-cn" if region.startswith("cn-") else "aws",
        "AWS::Region": region,
        "AWS::URLSuffix": "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com",
        "AWS::StackName": "stack",
        "AWS::NoValue": _NOTHING,
    }
    for name, declared in template["Parameters"].items():
        text = parameters.get(name, str(declared.get("Default", _NOTHING)))
        if text is str(_NOTHING):
            raise KeyError(name)
        is_list = declared["Type"].startswith(("List", "CommaDelimitedList"))
        values[name] = text.split(",") if is_list else text
    world = _World(template, values)
    resources = {
        name: {
            key: world.value(part)
            for key, part in declared.items()
            if key in {"Type", "Properties", "DeletionPolicy", "UpdateReplacePolicy"}
        }
        for name, declared in template["Resources"].items()
        if world.stands(declared.get("Condition"))
    }
    outputs = {
        name: world.value(declared["Value"])
        for name, declared in template["Outputs"].items()
        if world.stands(declared.get("Condition"))
    }
    return Made(resources, outputs, template)


class _World:
    def __init__(self, template: Mapping[str, Any], values: Mapping[str, object]) -> None:
        self._template = template
        self._values = values

    def stands(self, condition: str | None) -> bool:
        return condition is None or bool(self.value(self._template["Conditions"][condition]))

    def value(self, part: Any) -> Any:  # whatever stands there
        match part:
            case {"Condition": str(name)} if len(part) == 1:
                return self.stands(name)
            case dict() if len(part) == 1 and str(next(iter(part))).startswith(("Ref", "Fn::")):
                ((name, argument),) = part.items()
                return self._made(name, argument)
            case dict():
                made = {key: self.value(each) for key, each in part.items()}
                return {key: each for key, each in made.items() if each is not _NOTHING}
            case list():
                return [each for each in map(self.value, part) if each is not _NOTHING]
            case _:
                return part

    def _made(self, name: str, argument: Any) -> Any:
        match name, argument:
            case "Ref", str(name):
                return self._reference(name)
            case "Fn::GetAtt", [logical, *attribute]:
                return self._attribute(logical, ".".join(attribute))
            case "Fn::Sub", str(text):
                return _WORD.sub(lambda word: self._word(word[1]), text)
            case "Fn::If", [condition, then, otherwise]:
                return self.value(then if self.stands(condition) else otherwise)
            case "Fn::Join", [str(between), several]:
                return between.join(self.value(several))
            case _:
                return self._truth(name, [self.value(each) for each in argument])

    def _truth(self, name: str, values: list[Any]) -> bool:
        match name:
            case "Fn::Equals":
                return bool(values[0] == values[1])
            case "Fn::Not":
                return not values[0]
            case "Fn::And":
                return all(values)
            case "Fn::Or":
                return any(values)
            case _:
                raise AssertionError(name)

    def _word(self, name: str) -> str:
        if "." in name:
            logical, _, attribute = name.partition(".")
            return str(self._attribute(logical, attribute))
        return str(self._reference(name))

    def _reference(self, name: str) -> object:
        if name in self._values:
            return self._values[name]
        declared = self._template["Resources"][name]
        if not self.stands(declared.get("Condition")):
            raise AssertionError(f"{name} does not exist here, and something refers to it")
        if declared["Type"] == "AWS::S3::Bucket":
            return self.value(declared["Properties"]["BucketName"])
        return f"ref:{name}"

    def _attribute(self, logical: str, attribute: str) -> str:
        reference = self._reference(logical)
        if self._template["Resources"][logical]["Type"] == "AWS::S3::Bucket":
            return f"arn:aws:s3:::{reference}"
        return f"{logical}.{attribute}"
