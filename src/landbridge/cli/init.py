"""`landbridge init`: a small project that works at once, with comments."""

from __future__ import annotations

import json
import re
import shlex
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from landbridge.cli.options import HERE, JsonOption
from landbridge.cli.output import err, out, print_json, tip
from landbridge.declare.vocabulary import schema_of
from landbridge.errors import ShareRefused, UsageError
from landbridge.feed import Feed
from landbridge.project import Project

if TYPE_CHECKING:
    from collections.abc import Mapping

_STARTER = (
    "landbridge.yaml",
    "feeds/verifications.yaml",
    "contracts/verifications.odcs.yaml",
    "data/verifications.csv",
    "README.md",
    "gitignore",
)
_LEFT_ALONE = {"README.md", ".gitignore"}
"""A folder may well have its own."""


def init(
    folder: Annotated[
        Path, typer.Argument(help="Where to write it.", file_okay=False, show_default="this folder")
    ] = HERE,
    as_json: JsonOption = False,
) -> None:
    """Write a small working project: one feed, its contract, its data, and a README with the next steps.

    Never overwrites: files of other content stand in the way and are listed, and then nothing is written.
    Running it twice is safe.

    Example: landbridge init my-feeds
    """
    files = _files(_name(folder))
    present = {name for name, content in files.items() if _holds(folder / name, content)}
    foreign = {name for name in files if name not in present and _is_there(folder / name)}
    if in_the_way := sorted(foreign - _LEFT_ALONE):
        raise UsageError(
            f"{folder.resolve()} already has files that this would overwrite; nothing was written",
            seen=", ".join(in_the_way),
            hint="choose another folder: `landbridge init my-feeds`",
        )
    written = [name for name in files if name not in present | foreign]
    _write(folder, {name: files[name] for name in written})
    if as_json:
        left = sorted(foreign)
        print_json({"folder": str(folder.resolve()), "written": written, "left_alone": left})
        return
    _say(folder, written, foreign)


def _say(folder: Path, written: list[str], foreign: set[str]) -> None:
    for name in written:
        out().print(f"  wrote {name}")
    if ".gitignore" in foreign:
        err().print("kept your .gitignore: add `.landbridge/` to it")
    if not written:
        out().print("everything was there already; nothing was written")
    at = "" if folder == HERE else f"cd {shlex.quote(str(folder))} && "
    tip(f"next: {at}landbridge check && landbridge twin up")


def _name(folder: Path) -> str:
    """Make the project's name from the folder's."""
    name = re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-")
    return name[:30].rstrip("-") if re.match(r"[a-z]", name) else "my-feeds"


def _files(name: str) -> dict[str, str]:
    starter = resources.files("landbridge.cli") / "starter"
    files = {path: starter.joinpath(path).read_text(encoding="utf-8") for path in _STARTER}
    files["landbridge.yaml"] = files["landbridge.yaml"].replace("starter", name)
    files[".gitignore"] = files.pop("gitignore")
    files["schemas/project.json"] = _text(schema_of(Project))
    files["schemas/feed.json"] = _text(schema_of(Feed))
    return files


def _text(schema: Mapping[str, object]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _is_there(path: Path) -> bool:
    return path.exists() or path.is_symlink()


def _holds(path: Path, content: str) -> bool:
    return path.is_file() and path.read_bytes() == content.encode()


def _write(folder: Path, files: Mapping[str, str]) -> None:
    try:
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as file:
                file.write(content.encode())
    except OSError as error:
        raise ShareRefused(f"cannot write into {folder.resolve()}", seen=error.strerror or "") from error
