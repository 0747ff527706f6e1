"""Is every key of a definition taken? What nobody reads would silently not happen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from landbridge.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


class Keys:
    """One object of a definition, from which each key is taken once; whatever is left at the end is refused."""

    def __init__(self, where: str, document: object) -> None:
        self.where = where
        if not isinstance(document, dict):
            raise UsageError(f"{where} is no object", seen=repr(document))
        self._left: dict[str, object] = dict(document)

    def text(self, key: str) -> str:
        """Take a text that must be there.

        Raises:
            UsageError: it is not, or is no text.
        """
        value = self.optional(key)
        if value is None:
            raise UsageError(f"{self.where} has no `{key}`")
        return value

    def optional(self, key: str) -> str | None:
        """Take a text.

        Raises:
            UsageError: it is something else; numbers are texts in a definition.
        """
        value = self._left.pop(key, None)
        if value is not None and not isinstance(value, str):
            raise UsageError(f"`{key}` of {self.where} is no text", seen=repr(value))
        return value

    def number(self, key: str, default: int) -> int:
        """Take a number, which is written as a text.

        Raises:
            UsageError: it is none.
        """
        value = self.optional(key)
        if value is None:
            return default
        if not value.isascii() or not value.isdigit():
            raise UsageError(f"`{key}` of {self.where} is no number", seen=value)
        return int(value)

    def flag(self, key: str, *, default: bool = False) -> bool:
        """Take a true or false.

        Raises:
            UsageError: it is neither.
        """
        value = self._left.pop(key, default)
        if not isinstance(value, bool):
            raise UsageError(f"`{key}` of {self.where} is neither true nor false", seen=repr(value))
        return value

    def one_of(self, key: str, known: Sequence[str], default: str | None = None) -> str:
        """Take one of the words that the twin knows.

        Raises:
            UsageError: it is another one.
        """
        value = self.optional(key) or default
        if value is None or value not in known:
            raise UsageError(
                f"the twin cannot execute `{key}: {value}` of {self.where}",
                expected="one of " + ", ".join(known),
            )
        return value

    def several(self, key: str) -> list[object]:
        """Take a list; empty when it is not there.

        Raises:
            UsageError: it is something else.
        """
        value = self._left.pop(key, [])
        if not isinstance(value, list):
            raise UsageError(f"`{key}` of {self.where} is no list", seen=repr(value))
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Take a list of texts.

        Raises:
            UsageError: it is something else.
        """
        found = self.several(key)
        if not all(isinstance(each, str) for each in found):
            raise UsageError(f"`{key}` of {self.where} is no list of texts", seen=repr(found))
        return tuple(str(each) for each in found)

    def inner(self, key: str) -> Keys | None:
        """Take an object; None when it is not there."""
        value = self._left.pop(key, None)
        return None if value is None else Keys(f"{self.where}, `{key}`", value)

    def typed(self) -> Iterator[tuple[str, str, Keys]]:
        """Take every object that has a `Type`: name, type, and what else it has."""
        for key, value in list(self._left.items()):
            if isinstance(value, dict) and "Type" in value:
                found = Keys(f"{self.where}, `{key}`", self._left.pop(key))
                yield key, found.text("Type"), found

    def ignored(self, known: Mapping[str, str]) -> None:
        """Take keys that have no meaning on the twin; `known` says for each one why."""
        for key in known:
            self._left.pop(key, None)

    def done(self) -> None:
        """Refuse what is left.

        Raises:
            UsageError: a key that nobody took.
        """
        if self._left:
            raise UsageError(
                f"the twin cannot execute {', '.join(f'`{key}`' for key in sorted(self._left))} of {self.where}",
                expected="only what it knows, so that nothing is passed over in silence",
            )
