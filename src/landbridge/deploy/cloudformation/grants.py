"""What may each role do in every environment of a project, as statements that parameters fill?

A statement is one of three. Most stand in every environment and name nothing of any: they are text. One that some
environments lack (`sftp_may_delete`, a watch that catches up) hangs on a parameter `true` or `false`. One that comes
from feeds (their sources, secrets and further places), or names other things in other environments, has its resources
and prefixes as lists in parameters, empty where nobody needs it. So a feed more or less in one environment changes parameters, not the text, as long as no
environment has more source buckets than any had before.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, assert_never

from landbridge.deploy.cloudformation.words import needs_in_words, sub
from landbridge.deploy.mistakes import PROJECT_FILE, problem
from landbridge.deploy.needs import needs
from landbridge.deploy.policy import ACCOUNT, Statement
from landbridge.errors import DeclarationWrong

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from landbridge.deploy.needs import Needs
    from landbridge.deploy.policy import Policy
    from landbridge.project import Declaration

Holder = Literal["pod", "operator", "watch", "reaper", "user", "rotator"]
HOLDERS: tuple[Holder, ...] = ("pod", "operator", "watch", "reaper", "user", "rotator")

_PREFIX = "s3:prefix"


@dataclass(frozen=True, slots=True)
class Grant:
    """One statement of one holder in all environments."""

    holder: Holder
    statement: Statement
    """In CloudFormation's words."""
    listed: bool
    """Whether its resources are a parameter."""
    everywhere: bool
    """Whether every environment has it."""

    @property
    def name(self) -> str:
        """Begin the names of its parameters: `PodSource1`."""
        return self.holder.capitalize() + self.statement.sid

    @property
    def lists_prefixes(self) -> bool:
        """Whether it is bound to prefixes."""
        return any(_PREFIX in keys for keys in self.statement.conditions.values())

    def parameters(self) -> Iterator[str]:
        """Yield its parameters in the template's text."""
        if self.listed:
            yield _declared(f"{self.name}Resources", "CommaDelimitedList", self.statement.why)
            if self.lists_prefixes:
                yield _declared(f"{self.name}Prefixes", "CommaDelimitedList", "prefixes of these")
        elif not self.everywhere:
            yield (
                f"  {self.name}:\n    Type: String\n    Default: 'false'\n"
                f"    Description: {json.dumps(self.statement.why)}\n    AllowedValues: ['true', 'false']"
            )

    def condition(self) -> str:
        """Give its condition in the template's text; nothing when it stands everywhere."""
        if self.listed:
            return f'  Has{self.name}: !Not [!Equals [!Join ["", !Ref {self.name}Resources], ""]]'
        return "" if self.everywhere else f'  Has{self.name}: !Equals [!Ref {self.name}, "true"]'

    def lines(self) -> Iterator[str]:
        """Yield the statement as an item of a list, not indented."""
        bare = list(self._statement())
        yield f"# {self.statement.why}"
        if self.everywhere and not self.listed:
            yield f"- {bare[0]}"
            yield from (f"  {line}" for line in bare[1:])
            return
        yield "- !If"
        yield f"  - Has{self.name}"
        yield f"  - {bare[0]}"
        yield from (f"    {line}" for line in bare[1:])
        yield "  - !Ref AWS::NoValue"

    def _statement(self) -> Iterator[str]:
        yield f"Sid: {self.statement.sid}"
        yield "Effect: Allow"
        yield f"Action: [{', '.join(json.dumps(action) for action in self.statement.actions)}]"
        if self.listed:
            yield f"Resource: !Ref {self.name}Resources"
        else:
            yield "Resource:"
            yield from (f"  - {_value(each)}" for each in self.statement.resources)
        if self.statement.conditions:
            yield "Condition:"
        for operator, keys in self.statement.conditions.items():
            yield f"  {operator}:"
            for key, values in keys.items():
                yield f"    {json.dumps(key)}: {self._values(key, values)}"

    def _values(self, key: str, values: Sequence[str]) -> str:
        if self.listed and key == _PREFIX:
            return f"!Ref {self.name}Prefixes"
        return f"[{', '.join(_value(each) for each in values)}]"


def grants(declaration: Declaration, environments: Sequence[str]) -> dict[Holder, tuple[Grant, ...]]:
    """Give every statement of every holder, over all these environments."""
    worded = {each: needs_in_words(declaration, each, feeds=True) for each in environments}
    bare = {each: needs_in_words(declaration, each, feeds=False) for each in environments}
    return {holder: tuple(_of(holder, worded, bare)) for holder in HOLDERS}


def values(
    declaration: Declaration, environment: str, account: str, given: Sequence[Grant]
) -> dict[str, str]:
    """Give the parameters of these grants in one environment.

    Raises:
        DeclarationWrong: a list would have to hold what only CloudFormation knows.
    """
    there = {
        (holder, statement.sid): statement
        for holder in HOLDERS
        for statement in policy_of(needs(declaration, environment), holder).statements
    }
    found: dict[str, str] = {}
    for grant in given:
        statement = there.get((grant.holder, grant.statement.sid))
        if grant.listed:
            resources = statement.resources if statement else ()
            found[f"{grant.name}Resources"] = _plain(
                declaration, ",".join(resources).replace(ACCOUNT, account), grant
            )
            if grant.lists_prefixes:
                prefixes = next(iter(statement.conditions.values()))[_PREFIX] if statement else ()
                found[f"{grant.name}Prefixes"] = ",".join(prefixes)
        elif not grant.everywhere:
            found[grant.name] = "true" if statement else "false"
    return found


def _plain(declaration: Declaration, resources: str, grant: Grant) -> str:
    """Give the list back, having seen that CloudFormation has nothing to fill in: it does not look into parameters."""
    if "${" not in resources:
        return resources
    what = f"`{grant.statement.sid}` of the {grant.holder} names what other environments do not have"
    expected = "a topic of its own (`watch.topic`) in every environment, or in none"
    raise DeclarationWrong(
        [problem(declaration.folder, PROJECT_FILE, "watch.topic", what, expected=expected)]
    )


def policy_of(needs: Needs, holder: Holder) -> Policy:
    """Give what a holder may do."""
    match holder:
        case "pod":
            return needs.pod.policy
        case "operator":
            return needs.operator.policy
        case "watch":
            return needs.watch.policy
        case "reaper":
            return needs.reaper.policy
        case "user":
            return needs.sftp.policy
        case "rotator":
            return needs.rotator
        case _:
            assert_never(holder)


def _of(holder: Holder, worded: Mapping[str, Needs], bare: Mapping[str, Needs]) -> Iterator[Grant]:
    in_words = {
        each: {one.sid: _subbed(one, needed) for one in policy_of(needed, holder).statements}
        for each, needed in worded.items()
    }
    without_feeds = {one.sid for needed in bare.values() for one in policy_of(needed, holder).statements}
    for sid in _order([list(statements) for statements in in_words.values()]):
        seen = [statements[sid] for statements in in_words.values() if sid in statements]
        listed = sid not in without_feeds or len({one.resources for one in seen}) > 1
        yield Grant(holder, seen[0], listed, everywhere=len(seen) == len(in_words))


def _order(several: Sequence[Sequence[str]]) -> list[str]:
    """Merge orders into one: each name once, where it stands in the longest."""
    first = max(several, key=len)
    return [*first, *dict.fromkeys(name for names in several for name in names if name not in first)]


def _subbed(statement: Statement, needed: Needs) -> Statement:
    conditions = {
        operator: {key: tuple(sub(each, needed) for each in several) for key, several in keys.items()}
        for operator, keys in statement.conditions.items()
    }
    resources = tuple(sub(each, needed) for each in statement.resources)
    return replace(statement, resources=resources, conditions=conditions)


def _value(text: str) -> str:
    return f"!Sub {json.dumps(text)}" if "${" in text else json.dumps(text)


def _declared(name: str, kind: str, why: str) -> str:
    return f"  {name}:\n    Type: {kind}\n    Default: ''\n    Description: {json.dumps(why)}"
