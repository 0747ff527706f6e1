"""How is a template of the declaration written with Control-M's variables?

Every word but the revision becomes text that Control-M fills from the order date; the revision alone is a wildcard.
"""

from __future__ import annotations

import re
import string
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING

from landbridge.deploy.controlm.expressions import part, shifted
from landbridge.schedule import INSTANT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

WILDCARD = "*"
_DIGITS = {"Y": ("YEAR", 1, 4), "y": ("YY", 3, 2), "m": ("MONTH", 5, 2), "d": ("DAY", 7, 2)}
"""Directives whose digits stand in yyyymmdd: the variable's ending, and where they are."""
_OF_THE_TIME = frozenset("HIMSpf")
_ENDS_IN_A_VARIABLE = re.compile(r"%%\$?[A-Z][A-Z0-9_]*$")
_GOES_ON = re.compile(r"[A-Za-z0-9_.%$]")
"""A letter would be part of the name, a period would be dropped, a variable would become part of another's name."""
_PIECES = re.compile(r"%Y%m%d|%.|[^%]+")


class Inexpressible(Exception):
    """No variable of Control-M gives this; the message says what."""


@dataclass(frozen=True, slots=True)
class Moment:
    """How the dates of a slot follow from the order date of its jobs."""

    business: int
    """Days from the order date to the business date."""
    scheduled: int = 0
    """Days from the order date to the scheduled day."""
    at: time | None = None
    """Scheduled time in UTC, where it is the same on every order date; the scheduled day then is UTC's, too."""


@dataclass(frozen=True, slots=True)
class Words:
    """What the words of a template stand for."""

    environment: str
    feed: str
    variables: Mapping[str, str]
    moment: Moment


@dataclass(frozen=True, slots=True)
class Pattern:
    """A text for Control-M, the variables that it uses in their order, and whether it has a wildcard."""

    text: str
    variables: tuple[tuple[str, str], ...] = ()
    wild: bool = False

    def __add__(self, other: Pattern) -> Pattern:
        """Write one after the other, with the period that ends a variable's name where the next character would go on with it."""
        runs_on = _ENDS_IN_A_VARIABLE.search(self.text) and _GOES_ON.match(other.text)
        return Pattern(
            f"{self.text}{'.' if runs_on else ''}{other.text}",
            tuple(dict((*self.variables, *other.variables)).items()),
            self.wild or other.wild,
        )


def plain(text: str) -> Pattern:
    """Write a text that is always the same.

    Raises:
        Inexpressible: Control-M would read a variable in it.
    """
    if "%%" in text:
        message = f"`{text}` holds `%%`, which begins a variable of Control-M"
        raise Inexpressible(message)
    return Pattern(text)


def pattern(template: str, words: Words) -> Pattern:
    """Write a template.

    Raises:
        Inexpressible: Control-M cannot say it.
    """
    made = Pattern("")
    for literal, word, spec, _ in string.Formatter().parse(template):
        made += plain(literal)
        if word is not None:
            made += _word(word, spec or "", words)
    if made.wild and WILDCARD in made.text.replace(WILDCARD, "", 1):
        message = f"`{template}` names the revision more than once"
        raise Inexpressible(message)
    return made


def occurrence(moment: Moment, *, frequent: bool) -> Pattern:
    """Write how a slot is called: by its business date, or by its instant."""
    if frequent:
        return _date("scheduled_at", INSTANT, moment)
    return business_day(moment)


def business_day(moment: Moment) -> Pattern:
    """Write the business date as 2026-11-20."""
    return _date("business_date", "%Y-%m-%d", moment)


def scheduled(moment: Moment) -> Pattern:
    """Write the scheduled day as 20261120, or, where its time in UTC is known, the instant as 20261120T0600Z."""
    return _date("scheduled_at", INSTANT if moment.at else "%Y%m%d", moment)


def _word(word: str, spec: str, words: Words) -> Pattern:
    if word == "revision":
        return Pattern(WILDCARD, wild=True)
    if word == "business_date":
        return _date(word, spec or "%Y-%m-%d", words.moment)
    if word == "scheduled_at":
        if words.moment.at is None:
            message = "`{scheduled_at}` is an instant in UTC, and its time differs between summer and winter"
            raise Inexpressible(message)
        return _date(word, spec or INSTANT, words.moment)
    texts = {
        "ENVIRONMENT": words.environment,
        "environment": words.environment.lower(),
        "feed": words.feed,
        **{f"variables.{name}": value for name, value in words.variables.items()},
    }
    return plain(format(texts[word], spec))


def _date(word: str, spec: str, moment: Moment) -> Pattern:
    prefix = "BUSINESS" if word == "business_date" else "SCHEDULED"
    days = moment.business if word == "business_date" else moment.scheduled
    return sum(_pieces(spec, prefix, days, moment.at), Pattern(""))


def _pieces(spec: str, prefix: str, days: int, at: time | None) -> Iterator[Pattern]:
    whole = f"{prefix}_DATE"
    for piece in _PIECES.findall(spec):
        if not piece.startswith("%"):
            yield plain(piece)
        elif piece == "%Y%m%d":
            yield Pattern(f"%%{whole}", ((whole, shifted(days)),))
        elif piece[1] in _DIGITS:
            ending, start, length = _DIGITS[piece[1]]
            name = f"{prefix}_{ending}"
            yield Pattern(f"%%{name}", ((whole, shifted(days)), (name, part(whole, start, length))))
        elif at is not None and prefix == "SCHEDULED" and piece[1] in _OF_THE_TIME:
            yield plain(format(datetime(2000, 1, 1, at.hour, at.minute, tzinfo=UTC), piece))
        else:
            message = f"Control-M has no variable for `{piece}` of the {word_of(prefix)}"
            raise Inexpressible(message)


def word_of(prefix: str) -> str:
    """Say a date in words."""
    return "business date" if prefix == "BUSINESS" else "scheduled time"
