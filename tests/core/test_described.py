"""Does the JSON Schema say what the text below an attribute says, also that of a class it inherits from?"""

from __future__ import annotations

from landbridge.feed.described import described
from landbridge.feed.words import Declared


class Above(Declared):
    """A model."""

    told: int
    """What it is,
    in two lines."""
    untold: int

    @property
    def own(self) -> int:
        """No text of an attribute."""
        return self.told


class Below(Above):
    """A model below it."""

    more: str = ""
    """Text of its own."""


def test_the_text_below_an_attribute_is_its_description() -> None:
    assert described(Above, Declared) == {"told": "What it is,\nin two lines."}
    found = Below.model_json_schema()["properties"]
    assert {name: one.get("description") for name, one in found.items()} == {
        "told": "What it is,\nin two lines.",
        "untold": None,
        "more": "Text of its own.",
    }


def test_a_class_whose_source_is_nowhere_has_no_texts() -> None:
    assert described(type("Made", (), {"__module__": "builtins"}), object) == {}
