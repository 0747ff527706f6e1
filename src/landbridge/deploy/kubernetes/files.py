"""Which files of the project does a pod need, and how do they get there: ConfigMaps, or Secrets that somebody else brings?"""

from __future__ import annotations

import ast
import base64
import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from landbridge.deploy.mistakes import PROJECT_FILE, feed_file, problem
from landbridge.deploy.referred import files as referred_files
from landbridge.errors import DeclarationWrong
from landbridge.feed.inputs import PythonSource

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from landbridge.cluster import Kubernetes
    from landbridge.deploy.kubernetes.text import Object
    from landbridge.errors import Problem
    from landbridge.feed import Feed
    from landbridge.project import Place

MOST = 900 * 1024
"""Bytes of one ConfigMap: the API server takes 1 MiB with everything around. Source: Kubernetes, "ConfigMaps"."""
_PRIVATE = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY")


@dataclass(frozen=True, slots=True)
class Shipped:
    """The files of one environment."""

    maps: tuple[tuple[tuple[str, bytes], ...], ...]
    """What each ConfigMap holds: path and content."""
    from_secrets: dict[str, tuple[str, ...]]
    """By feed: paths that a Secret takes the place of."""
    digest: str
    """Over all contents; part of the ConfigMaps' names, so that what runs never changes under it."""


def shipped(folder: Path, where: Place, cluster: Kubernetes, feeds: Sequence[Feed]) -> Shipped:
    """Collect the files that the pods of an environment need.

    Raises:
        DeclarationWrong: a file is not there, is no public key, or is too large.
    """
    problems: list[Problem] = []
    wanted = {PROJECT_FILE: PROJECT_FILE, **_written(folder, feeds)}
    """Path -> the file that asks for it."""
    from_secrets: dict[str, tuple[str, ...]] = {}
    for feed in feeds:
        own, public = feed_file(folder, feed.feed), _public(feed)
        from_secrets[feed.feed] = tuple(path for path in referred_files(feed) if path in cluster.files)
        for path in referred_files(feed):
            what = f"the pods of `{feed.feed}` have no file `{path}`"
            if path in public and (folder / path).is_file():
                wanted.setdefault(path, own)
            elif path not in cluster.files:
                problems.append(_absent(folder, own, path, what, is_public=path in public))
    for path in receipt_files(where):
        if (folder / path).is_file():
            wanted.setdefault(path, PROJECT_FILE)
        elif path not in cluster.files:
            what = f"the watch has no file `{path}`"
            problems.append(_absent(folder, PROJECT_FILE, path, what, is_public=True))
    wanted = {path: by for path, by in wanted.items() if path not in cluster.files}
    contents = dict(_contents(folder, wanted, problems))
    if problems:
        raise DeclarationWrong(problems)
    digest = hashlib.sha256()
    for path, content in sorted(contents.items()):
        digest.update(f"{path}\0{len(content)}\0".encode() + content)
    return Shipped(tuple(_packed(contents)), from_secrets, digest.hexdigest())


def _written(folder: Path, feeds: Sequence[Feed]) -> dict[str, str]:
    """Give the declaration's own files: feeds, contracts, modules of Python sources."""
    wanted: dict[str, str] = {}
    for feed in feeds:
        own = feed_file(folder, feed.feed)
        wanted |= {own: own, feed.contract.file: own}
        for source in feed.sources.values():
            if isinstance(source, PythonSource):
                wanted |= dict.fromkeys(_modules(folder, source.function.partition(":")[0]), own)
    return wanted


def receipt_files(where: Place) -> list[str]:
    """Give the public keys of receipts that are files."""
    keys = where.share.receipt_public_keys
    return sorted(each.removeprefix("file:") for each in keys if each.startswith("file:"))


def key_of(path: str) -> str:
    """Give the key of a ConfigMap for a path: a `/` is not allowed in one."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", path)
    return plain if plain == path else f"{plain}-{hashlib.sha256(path.encode()).hexdigest()[:8]}"


def data(files: Iterable[tuple[str, bytes]]) -> Object:
    """Give `data` and `binaryData` of a ConfigMap."""
    texts, others = {}, {}
    for path, content in files:
        try:
            texts[key_of(path)] = content.decode()
        except UnicodeDecodeError:
            others[key_of(path)] = base64.b64encode(content).decode()
    return {"data": texts, **({"binaryData": others} if others else {})}


def _absent(folder: Path, file: str, path: str, what: str, *, is_public: bool) -> Problem:
    hint = f"declare `kubernetes.files: {{{path}: {{secret: NAME, key: KEY}}}}`"
    expected = (
        "a file of the project's folder, or a key of a Secret"
        if is_public
        else "a key of a Secret: it is no public key"
    )
    return problem(
        folder,
        file,
        "kubernetes.files" if file == PROJECT_FILE else "sources",
        what,
        expected=expected,
        hint=hint,
    )


def _public(feed: Feed) -> set[str]:
    recipients = feed.file.encryption.recipients if feed.file.encryption else ()
    return {each.removeprefix("file:") for each in recipients if each.startswith("file:")}


def _contents(folder: Path, wanted: dict[str, str], problems: list[Problem]) -> Iterator[tuple[str, bytes]]:
    for path, asked_by in sorted(wanted.items()):
        if not (folder / path).is_file():
            problems.append(problem(folder, asked_by, "", f"the file `{path}` is not there"))
            continue
        content = (folder / path).read_bytes()
        if _PRIVATE.search(content):
            what = f"`{path}` holds a private key, and would be readable to all who may look at the cluster"
            hint = f"declare `kubernetes.files: {{{path}: {{secret: NAME, key: KEY}}}}`"
            problems.append(problem(folder, asked_by, "", what, hint=hint))
        if len(content) > MOST:
            what = f"`{path}` has {len(content):,} bytes, and a ConfigMap takes {MOST:,}"
            problems.append(problem(folder, asked_by, "", what))
        yield path, content


def _packed(contents: dict[str, bytes]) -> Iterator[tuple[tuple[str, bytes], ...]]:
    """Put files into as few ConfigMaps as are needed, in order."""
    some: list[tuple[str, bytes]] = []
    size = 0
    for path, content in sorted(contents.items()):
        larger = len(content) * 4 // 3 + 2 * len(path)
        if some and size + larger > MOST:
            yield tuple(some)
            some, size = [], 0
        some.append((path, content))
        size += larger
    yield tuple(some)


def _modules(folder: Path, module: str) -> Iterator[str]:
    """Give the project's files that a module consists of: itself, its packages, and what these import of the project."""
    waiting, seen = [module], set()
    while waiting:
        parts = waiting.pop().split(".")
        for length in range(1, len(parts) + 1):
            stem = folder.joinpath(*parts[:length])
            file = next((f for f in (stem.with_suffix(".py"), stem / "__init__.py") if f.is_file()), None)
            if file is None or file in seen:
                continue
            seen.add(file)
            yield file.relative_to(folder).as_posix()
            package = parts[:length] if file.name == "__init__.py" else parts[: length - 1]
            waiting += _imported(file, package)


def _imported(file: Path, package: list[str]) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_bytes())):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                above = package[: len(package) - level + 1] if level else []
                base = ".".join([*above, *([module] if module else [])])
                if base:
                    yield base
                yield from (f"{base}.{alias.name}" if base else alias.name for alias in names)
            case _:
                continue
