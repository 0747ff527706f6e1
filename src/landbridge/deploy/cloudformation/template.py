"""How does a template file of ours become a CloudFormation template?

The files in templates/ are CloudFormation as a reviewer reads it. Lines that begin with `#=` are filled in:

    #= each on_premises ... #= end   repeats the lines between, `{n}` counts from 1
    #= NAME ARGUMENT...              puts in a part made from the declaration, such as `#= statements pod`

and `<<word>>` is one of a few words that are decided elsewhere in Landbridge.
"""

from __future__ import annotations

import re
from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_WORD = re.compile(r"<<(\w+)>>")
_MARK = "#= "


def text(name: str) -> str:
    """Give a file of templates/."""
    return resources.files(__package__).joinpath("templates", name).read_text(encoding="utf-8")


def fill(
    template: str,
    *,
    counts: Mapping[str, int],
    parts: Mapping[str, Callable[..., str]],
    words: Mapping[str, str],
) -> str:
    """Give the template with all its marks filled in; the same arguments give the same bytes.

    Raises:
        KeyError: a mark or a word that nobody knows, or a block without an end.
    """
    lines = list(_filled(iter(template.splitlines()), counts, parts))
    return _WORD.sub(lambda word: words[word[1]], "\n".join(lines) + "\n")


def _filled(
    lines: Iterator[str], counts: Mapping[str, int], parts: Mapping[str, Callable[..., str]]
) -> Iterator[str]:
    for line in lines:
        if not line.startswith(_MARK):
            yield line
            continue
        name, *arguments = line.removeprefix(_MARK).split()
        if name == "each":
            block = list(_block(lines))
            for number in range(1, counts[arguments[0]] + 1):
                yield from (each.replace("{n}", str(number)) for each in block)
        elif made := parts[name](*arguments):
            yield from _filled(iter(made.splitlines()), counts, parts)


def _block(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        if line == f"{_MARK}end":
            return
        yield line
    raise KeyError("end")
