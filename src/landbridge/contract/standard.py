"""Which words of the Open Data Contract Standard are judged, which only inform, and which are refused?

Every key of the standard is in exactly one of the three; a key in none of them is no word of the standard.

Source: ODCS v3.1.0 and v3.2.0, JSON Schema and `data-quality` and `schema` pages.
"""

from __future__ import annotations

from dataclasses import dataclass

VERSIONS = ("v3.0.0", "v3.0.1", "v3.0.2", "v3.1.0", "v3.2.0")
"""Values of `apiVersion` whose words mean the same."""


@dataclass(frozen=True, slots=True)
class Words:
    """The keys of one kind of node."""

    judged: frozenset[str]
    """They decide what a file must be."""
    informing: frozenset[str]
    """They tell people about the data, and change nothing about which file is right."""
    refused: dict[str, str]
    """They would change what a file must be, and are not supported; with why."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ELSEWHERE = "needs data outside the file"
_FLAT = "a file of records has flat columns"

CONTRACT = Words(
    judged=_words("version apiVersion kind id name schema"),
    informing=_words(
        "tenant tags status servers dataProduct description domain context support price team roles"
        " slaDefaultElement slaProperties authoritativeDefinitions customProperties contractCreatedTs"
    ),
    refused={},
)
OBJECT = Words(
    judged=_words("name properties quality logicalType"),
    informing=_words(
        "id physicalName physicalType description businessName tags dataGranularityDescription deprecated"
        " synonyms authoritativeDefinitions customProperties context"
    ),
    refused={"relationships": _ELSEWHERE},
)
PROPERTY = Words(
    judged=_words(
        "name physicalName logicalType physicalType logicalTypeOptions required unique primaryKey"
        " primaryKeyPosition classification tags customProperties enum quality semanticType"
    ),
    informing=_words(
        "id description businessName deprecated synonyms authoritativeDefinitions partitioned"
        " partitionKeyPosition encryptedName transformSourceObjects transformLogic transformDescription"
        " examples criticalDataElement"
    ),
    refused={"relationships": _ELSEWHERE, "properties": _FLAT, "items": _FLAT, "map": _FLAT},
)
QUALITY = Words(
    judged=_words(
        "name type metric rule arguments unit query severity engine implementation mustBe mustNotBe"
        " mustBeGreaterThan mustBeGreaterOrEqualTo mustBeLessThan mustBeLessOrEqualTo mustBeBetween"
        " mustNotBeBetween"
    ),
    informing=_words(
        "id description dimension businessImpact tags authoritativeDefinitions customProperties schedule scheduler"
    ),
    refused={"method": "a rule is judged on the file alone"},
)
ENUM_VALUE = Words(
    judged=_words("value"),
    informing=_words("id label description tags customProperties authoritativeDefinitions"),
    refused={},
)

OPTIONS = {
    "string": _words("minLength maxLength pattern format"),
    "date": _words("format minimum maximum exclusiveMinimum exclusiveMaximum"),
    "time": _words("format minimum maximum exclusiveMinimum exclusiveMaximum timezone defaultTimezone"),
    "timestamp": _words("format minimum maximum exclusiveMinimum exclusiveMaximum timezone defaultTimezone"),
    "integer": _words("format minimum maximum exclusiveMinimum exclusiveMaximum multipleOf"),
    "number": _words("format minimum maximum exclusiveMinimum exclusiveMaximum multipleOf"),
    "boolean": _words(""),
}
"""Keys of `logicalTypeOptions` by `logicalType`; all of them are judged."""

PUBLIC = _words("public internal open general none")
"""Classifications whose values may be shown; any other one makes a column personal, so that a new word never leaks."""

UNTRUE = _words("false no none 0")
"""Values of such a property that leave a column as it is; any other one makes it personal."""

PERSONAL_TAGS = _words("personal pii gdpr sensitive confidential restricted phi pci")
"""Tags, and names of custom properties, that make a column personal."""
