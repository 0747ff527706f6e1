"""Would IAM deny, or allow, this request? As much of its logic as the policies of the templates use.

Source: AWS IAM User Guide, "Condition operators": an operator that negates is true where the key is absent, `...IfExists` is
true where it is absent, any other is false there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_NEGATED = ("StringNotEquals", "StringNotLike", "ArnNotEquals", "ArnNotLike")


def meets(
    statements: Sequence[Mapping[str, Any]], effect: str, action: str, resource: str, **context: str
) -> bool:
    """Tell whether any statement with this effect speaks of the request. In `context`, `__` stands for `:` and `_` for `-`."""
    keys = {name.replace("__", ":").replace("_", "-"): value for name, value in context.items()}
    return any(
        one["Effect"] == effect
        and any(_like(pattern, action) for pattern in _several(one["Action"]))
        and any(_like(pattern, resource) for pattern in _several(one["Resource"]))
        and _holds(one.get("Condition", {}), keys)
        for one in statements
    )


def denied(statements: Sequence[Mapping[str, Any]], action: str, resource: str, **context: str) -> bool:
    """Tell whether a request over today's TLS is denied."""
    return meets(
        statements,
        "Deny",
        action,
        resource,
        **{"aws__SecureTransport": "true", "s3__TlsVersion": "1.3"} | context,
    )


def allowed(statements: Sequence[Mapping[str, Any]], action: str, resource: str, **context: str) -> bool:
    """Tell whether a request is allowed."""
    return meets(statements, "Allow", action, resource, **context)


def _holds(condition: Mapping[str, Mapping[str, Any]], keys: Mapping[str, str]) -> bool:
    return all(
        _operator(operator, keys.get(key), _several(values))
        for operator, tested in condition.items()
        for key, values in tested.items()
    )


def _operator(operator: str, seen: str | None, values: Sequence[str]) -> bool:
    if operator == "Null":
        return (seen is None) == (values[0] == "true")
    if operator.endswith("IfExists"):
        return seen is None or _operator(operator.removesuffix("IfExists"), seen, values)
    if seen is None:
        return operator in _NEGATED
    match operator:
        case "Bool":
            return seen == values[0]
        case "NumericLessThan":
            return float(seen) < float(values[0])
        case "StringEquals" | "ArnEquals" | "StringLike" | "ArnLike":
            return any(_like(value, seen) for value in values)
        case "StringNotEquals" | "StringNotLike":
            return not any(_like(value, seen) for value in values)
        case _:
            raise AssertionError(operator)


def _several(values: str | Sequence[str]) -> Sequence[str]:
    return [values] if isinstance(values, str) else values


def _like(pattern: str, text: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), text) is not None
