"""Can the file be read, and does Control-M know every key, type and value in it?"""

from __future__ import annotations

import difflib
from functools import lru_cache
from typing import TYPE_CHECKING

from landbridge.deploy.controlm.lint import known
from landbridge.deploy.controlm.lint.finding import Seen
from landbridge.deploy.controlm.lint.reading import Spot
from landbridge.deploy.controlm.lint.sheet import at_key, fields, listed, seen, text, typed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landbridge.deploy.controlm.lint.reading import Node
    from landbridge.deploy.controlm.lint.sheet import Sheet

_NEAR = 0.8
_FREE = {"Variables", "AdditionalParameters", "BusinessFields", "Defaults"}
"""Whose keys or values people choose."""


def broken(sheet: Sheet) -> Iterator[Seen]:
    """The file is not JSON."""
    for document in sheet.documents:
        if document.broken:
            spot, what = document.broken
            yield Seen(spot, "", "", f"this is not JSON: {what}", "JSON (RFC 8259)")


def key_twice(sheet: Sheet) -> Iterator[Seen]:
    """An object has a key more than once."""
    for document in sheet.documents:
        for one in document.twice:
            what = f"the key `{one.key}` is here twice, first in line {one.first}: only one of them counts"
            yield Seen(one.spot, one.path, "", what, "each key once")


def nothing_to_check(sheet: Sheet) -> Iterator[Seen]:
    """The file holds no folder, job or profile."""
    held = {spot.file for spot in _spots(sheet)}
    for document in sheet.documents:
        if document.root is not None and not document.key_text and document.file not in held:
            what = "it holds no folder, job or connection profile, so nothing in it was checked"
            yield Seen(Spot(document.file, 1, 1), "", "", what, "definitions of the Automation API")


def _spots(sheet: Sheet) -> Iterator[Spot]:
    for _, node in _tops(sheet):
        yield node.spot


def key_invented(sheet: Sheet) -> Iterator[Seen]:
    """A key that no version has had."""
    for title, node, _ in _objects(sheet):
        for key in fields(node):
            if key in known.INVENTED:
                yield Seen(
                    at_key(node, key),
                    f"{node.path}/{key}",
                    title,
                    f"there is no key `{key}` in Control-M",
                    known.INVENTED[key],
                )


def key_misspelt(sheet: Sheet) -> Iterator[Seen]:
    """A key that is nearly one that exists."""
    for title, node, key, near in _strange(sheet):
        if near:
            yield Seen(
                at_key(node, key), f"{node.path}/{key}", title, f"there is no key `{key}` here", f"`{near}`"
            )


def key_unknown(sheet: Sheet) -> Iterator[Seen]:
    """A key that is like none that is known here."""
    for title, node, key, near in _strange(sheet):
        if not near:
            what = f"the key `{key}` is not known here"
            yield Seen(
                at_key(node, key),
                f"{node.path}/{key}",
                title,
                what,
                "a key of the Automation API's code reference",
            )


def _strange(sheet: Sheet) -> Iterator[tuple[str, Node, str, str]]:
    for title, node, names in _objects(sheet):
        for key, child in fields(node).items():
            if names is None or key in names or key in known.INVENTED or text(child, "Type"):
                continue
            lower = {name.lower(): name for name in sorted(names)}
            near = difflib.get_close_matches(key.lower(), lower, 1, _NEAR)
            yield title, node, key, lower[near[0]] if near else ""


@lru_cache(maxsize=1)
def _objects(sheet: Sheet) -> tuple[tuple[str, Node, frozenset[str] | None], ...]:
    """Give every object with the keys that are known for it, or None where none are claimed. Kept: many rules ask for them."""
    return tuple(_walked(sheet))


def _walked(sheet: Sheet) -> Iterator[tuple[str, Node, frozenset[str] | None]]:
    for title, top in _tops(sheet):
        stack: list[tuple[Node, frozenset[str] | None]] = [(top, known.TYPES.get(text(top, "Type")))]
        while stack:
            node, names = stack.pop()
            yield title, node, names
            for key, child in reversed(list(fields(node).items())):
                if key in _FREE:
                    continue
                if kind := text(child, "Type"):
                    if not _is_top(kind):
                        stack.append((child, known.TYPES.get(kind)))
                elif isinstance(child.value, dict):
                    stack.append((child, known.PARTS.get(key)))
                else:
                    held = [one for one in listed(child) if fields(one) and not _is_top(text(one, "Type"))]
                    stack += [(one, known.PARTS.get(key)) for one in reversed(held)]


def _is_top(kind: str) -> bool:
    return kind in {"Folder", "SimpleFolder", "SubFolder"} or kind.startswith("Job:")


def _tops(sheet: Sheet) -> Iterator[tuple[str, Node]]:
    yield from ((folder.name, folder.node) for folder in sheet.folders)
    yield from ((job.title, job.node) for job in sheet.jobs)
    yield from ((profile.name, profile.node) for profile in sheet.profiles)
    yield from (("Defaults", one) for one in sheet.defaults)


def type_misspelt(sheet: Sheet) -> Iterator[Seen]:
    """A type that is nearly one that exists."""
    for name, node in typed(sheet):
        kind = text(node, "Type")
        if kind in known.TYPES or kind in known.OLD or kind in known.NEIGHBOURS or ":" not in kind:
            continue
        lower = {one.lower(): one for one in sorted(known.TYPES)}
        near = difflib.get_close_matches(kind.lower(), lower, 1, 0.93)
        if near:
            yield seen(node, name, f"there is no type `{kind}`", f"`{lower[near[0]]}`", key="Type")


def value_kind(sheet: Sheet) -> Iterator[Seen]:
    """A number or a switch where a text belongs, or the other way round."""
    for title, node, _ in _objects(sheet):
        for key, child in fields(node).items():
            value = child.value
            if key in known.TEXTS and isinstance(value, bool | int | float):
                yield seen(node, title, f"`{key}` is no text", f'it in quotes: "{value}"', key=key)
            elif key in known.SWITCHES and value is not None and not isinstance(value, bool):
                yield seen(node, title, f"`{key}` is no switch", "true or false, without quotes", key=key)


def value_unknown(sheet: Sheet) -> Iterator[Seen]:
    """A value that the key does not take."""
    for title, node, _ in _objects(sheet):
        for key, child in fields(node).items():
            names = known.VALUES.get(key)
            if names and isinstance(child.value, str) and child.value not in names:
                if child.value.startswith("%%"):
                    continue
                near = difflib.get_close_matches(child.value, names, 1, _NEAR)
                expected = f"`{near[0]}`" if near else "one of " + ", ".join(sorted(names))
                yield seen(node, title, f"`{key}` does not take `{child.value}`", expected, key=key)


def code_unconfirmed(sheet: Sheet) -> Iterator[Seen]:
    """A code of an export whose meaning nobody has written down."""
    for transfer in sheet.transfers:
        for key, plain in known.CODES.items():
            value = text(transfer.node, key)
            if value and value != plain:
                what = f"what `{key}` does at `{value}` is not documented: the next release may read it otherwise"
                yield seen(transfer.node, transfer.job.title, what, f'"{plain}", or a named key', key=key)


def form_old(sheet: Sheet) -> Iterator[Seen]:
    """A type under its former name."""
    for title, node, _ in _objects(sheet):
        kind = text(node, "Type")
        if kind in known.OLD:
            yield seen(node, title, f"`{kind}` is the old name", known.OLD[kind], key="Type")


def simple_folder_when(sheet: Sheet) -> Iterator[Seen]:
    """A simple folder with what only a folder can have."""
    for folder in sheet.folders:
        if folder.type != "SimpleFolder":
            continue
        for key, child in fields(folder.node).items():
            kind = text(child, "Type")
            if key == "When" or kind == "If" or kind.startswith(("If:", "Notify:", "Resource:")):
                what = f"a SimpleFolder takes no `{key}`"
                yield seen(folder.node, folder.name, what, "`Folder`, or the same in each job", key=key)
