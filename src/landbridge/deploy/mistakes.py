"""What in a declaration cannot be deployed, and where does it stand?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, SequenceNode

from landbridge.errors import Problem

if TYPE_CHECKING:
    from pathlib import Path

    from ruamel.yaml.nodes import Node

    from landbridge.project import Declaration

PROJECT_FILE = "landbridge.yaml"
_TOP = (1, 1)


def feed_file(folder: Path, feed: str) -> str:
    """Give the file that a feed stands in."""
    found = next(
        (f"feeds/{feed}{end}" for end in (".yaml", ".yml") if (folder / f"feeds/{feed}{end}").is_file()), ""
    )
    return found or f"feeds/{feed}.yaml"


def problem(folder: Path, file: str, path: str, what: str, *, expected: str = "", hint: str = "") -> Problem:
    """Note a mistake at the key that `path` leads to, or at the nearest one above it that is written."""
    line, column = _spot(folder / file, path.split("."))
    return Problem(file, line, column, path, what, expected, hint=hint)


def in_environment(
    declaration: Declaration, environment: str, path: str, what: str, *, expected: str = "", hint: str = ""
) -> Problem:
    """Note a mistake of an environment: where the environment itself says it, else where the project does for all.

    A section such as `aws:` of an environment counts whole, so it is what the first key of `path` names that decides.
    """
    own = declaration.project.environments.get(environment)
    first = path.partition(".")[0]
    if own is not None and first in own.model_fields_set and getattr(own, first) is not None:
        path = f"environments.{environment}.{path}"
    return problem(declaration.folder, PROJECT_FILE, path, what, expected=expected, hint=hint)


def _spot(path: Path, keys: list[str]) -> tuple[int, int]:
    """Give line and column of the last of `keys` that is there; of the file's beginning where none is."""
    try:
        node: Node | None = YAML().compose(path.read_text(encoding="utf-8"))
    except (OSError, YAMLError):  # whoever declares without files, as tests do
        return _TOP
    found = _TOP
    for key in keys:
        if isinstance(node, SequenceNode) and key.isdigit() and int(key) < len(node.value):
            node = node.value[int(key)]
            found = (node.start_mark.line + 1, node.start_mark.column + 1)
            continue
        if not isinstance(node, MappingNode):
            break
        pair = next((pair for pair in node.value if pair[0].value == key), None)
        if pair is None:
            break
        found, node = (pair[0].start_mark.line + 1, pair[0].start_mark.column + 1), pair[1]
    return found
