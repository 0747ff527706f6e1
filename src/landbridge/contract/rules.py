"""What is one quality rule in a contract: where it stands, what it is about, and the bounds that it sets?"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from landbridge.contract.checks import Bound, Operator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from open_data_contract_standard.model import DataQuality

    from landbridge.contract.checks import Place
    from landbridge.contract.columns import ColumnRule
    from landbridge.contract.places import Document, Path_

OPERATORS: dict[str, Operator] = {
    "mustBe": "=",
    "mustNotBe": "!=",
    "mustBeGreaterThan": ">",
    "mustBeGreaterOrEqualTo": ">=",
    "mustBeLessThan": "<",
    "mustBeLessOrEqualTo": "<=",
    "mustBeBetween": "between",
    "mustNotBeBetween": "not between",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """A quality rule with its place: of one column, or of the whole object when `column` is None."""

    document: Document
    path: Path_
    declared: DataQuality
    column: ColumnRule | None
    columns: Mapping[str, ColumnRule]
    """Every column of the object by its name in the contract."""
    table: str
    """Name of the object, which SQL rules may select from."""

    def wrong(self, *steps: str | int, what: str, expected: str = "", seen: str = "", hint: str = "") -> None:
        """Note a problem in this rule."""
        self.document.wrong((*self.path, *steps), what, expected=expected, seen=seen, hint=hint)

    @property
    def place(self) -> Place:
        """Where the rule begins."""
        return self.document.place(self.path)


def bounds_of(rule: Rule) -> tuple[Bound, ...]:
    """Read every operator of the rule; all of them must hold."""
    unit = rule.declared.unit or "rows"
    if unit not in ("rows", "percent"):
        rule.wrong("unit", what=f"unit `{unit}` is not supported", expected="rows or percent")
    found = []
    for word, operator in OPERATORS.items():
        value = getattr(rule.declared, word)
        if value is None:
            continue
        between = operator in ("between", "not between")
        values = value if isinstance(value, list) and between else [value]
        if any(isinstance(one, bool) or not isinstance(one, int | float) for one in values):
            rule.wrong(word, what=f"`{word}` must be a number", seen=str(value))
            continue
        exact = tuple(Decimal(str(one)) for one in values)
        if exact[0] > exact[-1]:
            rule.wrong(word, what=f"`{word}` wants the smaller number first", seen=str(value))
        found.append(Bound(operator, exact, "percent" if unit == "percent" else "rows"))
    if all(getattr(rule.declared, word) is None for word in OPERATORS):
        rule.wrong(what="a rule without an operator", expected=", ".join(OPERATORS))
    return tuple(found)
