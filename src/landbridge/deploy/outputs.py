"""What did the account give back: role ARNs, endpoint, server id, for whoever renders after it?

A file of the project's `.landbridge/` folder. It is a copy of what the stacks say and can always be fetched again.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from landbridge.errors import UsageError, disk_refused

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from landbridge.deploy.stack import Kind


@dataclass(frozen=True, slots=True)
class Outputs:
    """The outputs of every stack of an environment."""

    environment: str
    account: str
    region: str
    stacks: Mapping[Kind, Mapping[str, str]]


def outputs_file(folder: Path, environment: str) -> Path:
    """Give where the outputs of an environment lie: `.landbridge/aws-prd.json`."""
    return folder / ".landbridge" / f"aws-{environment.lower()}.json"


def save(folder: Path, outputs: Outputs) -> Path:
    """Write the outputs, all or nothing.

    Raises:
        ShareRefused, DiskFailed: the project's folder cannot be written.
    """
    path = outputs_file(folder, outputs.environment)
    fresh = path.with_suffix(".tmp")
    try:
        path.parent.mkdir(exist_ok=True)
        fresh.write_text(json.dumps(asdict(outputs), indent=2, sort_keys=True) + "\n", encoding="utf-8")
        os.replace(fresh, path)  # noqa: PTH105 - the one rename that replaces on every system
    except OSError as error:
        raise disk_refused(error, f"writing {path}") from error
    return path


def load(folder: Path, environment: str) -> Outputs:
    """Read the outputs of the last apply or status.

    Raises:
        UsageError: there are none yet, or the file is damaged.
    """
    path = outputs_file(folder, environment)
    again = f"fetch them: landbridge deploy aws status --environment {environment}"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return Outputs(
            str(document["environment"]),
            str(document["account"]),
            str(document["region"]),
            {kind: dict(found) for kind, found in document["stacks"].items()},
        )
    except FileNotFoundError as error:
        raise UsageError(
            f"the outputs of {environment} are not here", expected=str(path), hint=again
        ) from error
    except OSError as error:
        raise disk_refused(error, f"reading {path}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path} is damaged", hint=again) from error


def forget(folder: Path, environment: str) -> None:
    """Remove the file; nothing is wrong if there is none."""
    outputs_file(folder, environment).unlink(missing_ok=True)
