"""What did Control-M itself make of our last deployment, so that it is not taken for somebody's change?

A file of the project's `.landbridge/` folder. Nothing but the look of a plan depends on it: without it (on another machine)
a plan may show what Control-M adds by itself, and applying that deploys the same once more.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from landbridge.deploy.controlm.api.difference import KeyChange, Part
from landbridge.errors import UsageError, disk_refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

Known = dict[str, tuple[KeyChange, ...]]
"""By the key of a job, folder or profile."""


def record_file(folder: Path, environment: str) -> Path:
    """Give where it lies: `.landbridge/controlm-prd.json`."""
    return folder / ".landbridge" / f"controlm-{environment.lower()}.json"


def load(path: Path) -> Known:
    """Read the record; empty when there is none.

    Raises:
        UsageError: it is damaged.
        ShareRefused, DiskFailed: the disk refused.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return {
            name: tuple(KeyChange(str(one["path"]), one["before"], one["after"]) for one in changes)
            for name, changes in document["made_otherwise"].items()
        }
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise disk_refused(error, f"reading {path}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path} is damaged", hint="delete it: the next apply writes it anew") from error


def save(path: Path, known: Known) -> None:
    """Write the record, all or nothing.

    Raises:
        ShareRefused, DiskFailed: the disk refused.
    """
    document = {
        "made_otherwise": {
            name: [asdict(one) for one in changes] for name, changes in sorted(known.items()) if changes
        }
    }
    fresh = path.with_suffix(".tmp")
    try:
        path.parent.mkdir(exist_ok=True)
        fresh.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        os.replace(fresh, path)  # noqa: PTH105 - the one rename that replaces on every system
    except OSError as error:
        raise disk_refused(error, f"writing {path}") from error


def learn(known: Known, parts: Iterable[Part]) -> Known:
    """Give the record with what is left of a comparison right after our own deployment."""
    return {**known, **{part.key: part.keys for part in parts}}


def without(parts: Sequence[Part], known: Known) -> tuple[Part, ...]:
    """Take out of a comparison what Control-M made by itself of the same declaration, and has left so since."""
    return tuple(_without(part, known.get(part.key, ())) for part in parts)


def _without(part: Part, own: Sequence[KeyChange]) -> Part:
    if part.action != "Modify":
        return part
    left = tuple(one for one in part.keys if one not in own)
    kept = tuple(one for one in part.keys if one in own and one.after is not None)
    return replace(part, action="Modify" if left else "None", keys=left, kept=kept)
