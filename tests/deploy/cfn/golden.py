"""What is rendered for the three variants, as files that a change shows in review.

After a change that is meant: `.venv/bin/python -m tests.deploy.cfn.golden`, and read the difference.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from landbridge.deploy.cloudformation.files import files
from tests.deploy.cfn.variants import VARIANTS, declared

GOLDEN = Path(__file__).parent / "golden"


def rendered_files(variant: str) -> dict[str, str]:
    return files(declared(variant), VARIANTS[variant])


def kept_files(variant: str) -> dict[str, str]:
    folder = GOLDEN / variant
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.is_file()
    }


def write() -> None:
    for variant in VARIANTS:
        shutil.rmtree(GOLDEN / variant, ignore_errors=True)
        for name, text in rendered_files(variant).items():
            path = GOLDEN / variant / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    write()
