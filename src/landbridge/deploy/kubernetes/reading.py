"""Which objects are in a file that somebody has edited?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from landbridge.errors import DiskFailed, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from landbridge.deploy.kubernetes.text import Object

_NOT_FOR_A_CLUSTER = {"Kustomization"}


def objects_in(file: Path) -> list[Object]:
    """Read the objects of a YAML or JSON file; lists are taken apart, a kustomization is none.

    Raises:
        UsageError: it is not YAML, or holds something else than objects.
        DiskFailed: it cannot be read.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DiskFailed(f"{file} cannot be read: {error}") from error
    try:
        documents = list(YAML(typ="safe", pure=True).load_all(text))
    except YAMLError as error:
        raise UsageError(f"{file} is not YAML", seen=" ".join(str(error).split())) from error
    found: list[Object] = []
    for document in documents:
        if document is None:
            continue
        if not isinstance(document, dict) or "kind" not in document:
            raise UsageError(
                f"{file} holds something else than Kubernetes objects", expected="`apiVersion` and `kind`"
            )
        items = document.get("items") if document["kind"] == "List" else [document]
        found += [one for one in items or [] if one.get("kind") not in _NOT_FOR_A_CLUSTER]
    return found
