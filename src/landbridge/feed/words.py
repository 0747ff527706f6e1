"""Which small words does every part of a declaration share?

The strict base of all declared models, and the types of names, durations, times of day and references.
Values arrive as JSON (see declare.py), where strict mode still takes an array as a tuple and text as a date.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)

from landbridge.feed.described import described

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema


class Declared(BaseModel):
    """A part of the declaration: frozen, strict, and refusing every key it does not know."""

    # Built when first asked for: most commands read one kind of file, and every kind is imported.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Say in the JSON Schema what the text below each attribute says."""
        schema = handler(core)
        properties = handler.resolve_ref_schema(schema).get("properties", {})
        for name, text in described(cls, Declared).items():
            if name in properties:
                properties[name].setdefault("description", text)
        return schema


_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_LONGEST = 10 * 366 * 86400
_DURATION = re.compile(r"(\d+)([smhd])")


def _duration(value: object) -> object:
    if isinstance(value, timedelta):
        return value
    found = _DURATION.findall(value) if isinstance(value, str) else []
    if not found or "".join(number + unit for number, unit in found) != value:
        message = "expected a duration such as `30s`, `90m`, `2h` or `1h30m`"
        raise ValueError(message)
    seconds = sum(int(number) * _UNITS[unit] for number, unit in found)
    if seconds > _LONGEST:
        message = "expected a duration of at most ten years"
        raise ValueError(message)
    return timedelta(seconds=seconds)


def duration_text(value: timedelta) -> str:
    """Write a duration the way it is declared: `1h30m`."""
    seconds = int(value.total_seconds())
    text = ""
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, seconds = divmod(seconds, length)
        text += f"{count}{unit}" if count else ""
    return text or "0s"


Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    PlainSerializer(duration_text, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^(\d+[smhd])+$", "examples": ["30s", "90m", "1h30m"]}),
]

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
"""A feed's, source's or place's own name: lower case, digits, `-` and `_`; it goes into keys, labels and file names."""

EnvironmentName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,30}$")]
Column = Annotated[str, StringConstraints(min_length=1, max_length=200)]
TimeOfDay = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
"""A local time of day, `07:00`."""

REFERENCE_PREFIXES = ("env:", "file:", "aws-sm:")
_NO_VARIABLE = re.compile(r"[\s=]")


def is_reference(text: str) -> bool:
    """Tell whether `text` refers to a secret instead of being one."""
    return text.startswith(REFERENCE_PREFIXES)


def names_something(reference: str) -> bool:
    """Tell whether a reference says to what: a variable's name has no blank and no `=` in it."""
    kind, _, rest = reference.partition(":")
    return bool(rest.strip()) and not (kind == "env" and _NO_VARIABLE.search(rest))


def _reference(text: str) -> str:
    if not is_reference(text) or not names_something(text):
        message = (
            "expected a reference to a secret (`env:NAME`, `file:PATH`, `aws-sm:ID`), never the secret itself"
        )
        # The value itself must not be repeated: it may be a secret that somebody pasted here.
        raise ValueError(message)
    return text


SecretReference = Annotated[
    str,
    AfterValidator(_reference),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": "^(env|file|aws-sm):.+",
            "examples": ["env:API_TOKEN", "aws-sm:eidv/api"],
        }
    ),
]

Resolvable = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
"""Plain text (with the words of a template), or a reference (`env:EIDV_API_URL`) that is resolved where it is used."""

Template = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
"""Text with `{ENVIRONMENT}`, `{business_date:%Y%m%d}`, `{scheduled_at:%H%M}`, `{revision:03d}`, `{feed}`; see naming.py."""

Text = Annotated[str, StringConstraints(min_length=1)]
