"""Does a path say what is meant once Control-M has filled in its variables?

A period after a variable ends its name and is dropped; of two periods one stays; a letter, a digit or `_` goes on with the name.
Source: BMC, Control-M, "String expressions" and "System variables".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from landbridge.deploy.controlm.lint.sheet import seen, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landbridge.deploy.controlm.lint.finding import Seen
    from landbridge.deploy.controlm.lint.sheet import Sheet

_ENDINGS = "csv|tsv|txt|dat|json|jsonl|xml|zip|gz|zst|bz2|parquet|xlsx?|pgp|gpg|asc|manifest|done|ok|trg|ctl|sem|md5|sha256"
_PERIOD_LOST = re.compile(rf"%%\$?[A-Za-z]\w*\.(?:{_ENDINGS})(?:\.(?:{_ENDINGS}))*$", re.IGNORECASE)
_RUNS_ON = re.compile(r"%%\$?(?:ODATE|OYEAR|OMONTH|ODAY|RDATE|DATE|TIME)(?=[A-Za-z0-9_])(\w+)")
_SHORT = re.compile(r"%%(ODATE|RDATE|DATE)(?![A-Za-z0-9_])")
_PATHS = ("Src", "Dest")


def period_lost(sheet: Sheet) -> Iterator[Seen]:
    """A name loses the period before its ending."""
    for transfer in sheet.transfers:
        for key in _PATHS:
            path = text(transfer.node, key)
            if (found := _PERIOD_LOST.search(path)) and not _RUNS_ON.search(found[0]):
                twice = found[0].replace(".", "..", 1)
                what = f"one period after a variable is dropped: the name ends in `{found[0].split('.', 1)[1]}` without it, and matches nothing"
                yield seen(transfer.node, transfer.job.title, what, f"two: `{twice}`", key=key)


def runs_on(sheet: Sheet) -> Iterator[Seen]:
    """A text goes on with a variable's name."""
    for transfer in sheet.transfers:
        for key in _PATHS:
            if found := _RUNS_ON.search(text(transfer.node, key)):
                what = f"`{found[0]}` is a variable of its own, which nobody sets: it stays as it is written, and matches nothing"
                yield seen(
                    transfer.node,
                    transfer.job.title,
                    what,
                    f"a period that ends the name: `{found[0][: -len(found[1])]}.{found[1]}`",
                    key=key,
                )


def short_year(sheet: Sheet) -> Iterator[Seen]:
    """A date has six digits."""
    for transfer in sheet.transfers:
        for key in _PATHS:
            if found := _SHORT.search(text(transfer.node, key)):
                what = f"`{found[0]}` has six digits (yymmdd): a name with the whole year does not match"
                yield seen(
                    transfer.node, transfer.job.title, what, f"`%%${found[1]}` for eight digits", key=key
                )
