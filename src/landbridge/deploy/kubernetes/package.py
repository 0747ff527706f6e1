"""Which files does a rendering consist of: plain manifests, a kustomization over them, and a Helm chart that says the same?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from landbridge import __version__
from landbridge.deploy.kubernetes.chart import chart
from landbridge.deploy.kubernetes.checks import findings
from landbridge.deploy.kubernetes.text import written
from landbridge.errors import DeclarationWrong, Problem, disk_refused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from landbridge.deploy.kubernetes.render import Manifests

KUSTOMIZATION = "kustomization.yaml"


def package(made: Manifests) -> dict[str, str]:
    """Give every file by its path, after the rules have found nothing in them.

    Raises:
        DeclarationWrong: the manifests would not do what is meant, because of what was declared or because of a bug.
    """
    if found := findings(made.objects):
        raise DeclarationWrong(
            [Problem(one.object, 1, 1, one.path, f"{one.what} [{one.rule}]", one.expected) for one in found]
        )
    comment = (
        f"Rendered by Landbridge {__version__} for {made.name}. Change the declaration and render again."
    )
    files = {name: written(list(objects), comment=comment) for name, objects in made.files.items()}
    files[KUSTOMIZATION] = written(
        [
            {
                "apiVersion": "kustomize.config.k8s.io/v1beta1",
                "kind": "Kustomization",
                "resources": list(made.files),
            }
        ],
        comment=f"{comment}\nPut overlays beside this folder; their patches survive the next rendering.",
    )
    return {**files, **{f"helm/{name}": text for name, text in chart(made).items()}}


def write(files: dict[str, str], folder: Path) -> list[Path]:
    """Write the files into a folder; those of an earlier rendering that are no longer part of it are removed.

    Only files that a list of ours in the folder names are ever removed.

    Raises:
        ShareRefused, DiskFailed: the disk refused.
    """
    try:
        return list(_written(files, folder))
    except OSError as error:
        raise disk_refused(error, f"writing into {folder}") from error


def _written(files: dict[str, str], folder: Path) -> Iterator[Path]:
    listed = folder / ".rendered.json"
    before = json.loads(listed.read_text(encoding="utf-8")) if listed.is_file() else []
    for name in before:
        path = folder / name
        if name not in files and ".." not in path.parts and path.is_file():
            path.unlink()
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        yield path
    listed.write_text(json.dumps(sorted(files), indent=1) + "\n", encoding="utf-8")
