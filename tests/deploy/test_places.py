"""Does a mistake that only rendering finds say where it stands, in the file and at the key that a person has to change?"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from landbridge.declare import load
from landbridge.deploy.cloudformation import stacks
from landbridge.deploy.mistakes import problem
from landbridge.errors import DeclarationWrong

EXAMPLE = Path(__file__).parents[2] / "examples" / "eidv"


@pytest.mark.parametrize(
    ("environment", "before", "after", "path"),
    [
        (
            "PRD",
            "  addresses: [10.64.12.10, 10.64.13.10] # fixed, so that the firewall can name them\n",
            "",
            "aws.dns",
        ),
        ("PRD", "region: eu-west-2", "region: us-iso-east-1", "region"),
        ("PRD", "  every: 15m", "  every: 1h", "watch.every"),
        (
            "DEV",
            "      alarm_mails:",
            "      dns: {hosted_zone: Z0123456789EXAMPLE}\n      alarm_mails:",
            "environments.DEV.aws.dns",
        ),
    ],
)
def test_a_mistake_has_its_line(environment: str, before: str, after: str, path: str, tmp_path: Path) -> None:
    folder = tmp_path / "eidv"
    shutil.copytree(EXAMPLE, folder)
    file = folder / "landbridge.yaml"
    text = file.read_text(encoding="utf-8")
    assert before in text
    file.write_text(text.replace(before, after, 1), encoding="utf-8")
    with pytest.raises(DeclarationWrong) as wrong:
        stacks(load(folder), environment)
    (found,) = wrong.value.problems
    assert (found.file, found.path) == ("landbridge.yaml", path)
    written = file.read_text(encoding="utf-8").splitlines()[found.line - 1]
    assert written[found.column - 1 :].startswith(path.rpartition(".")[2] + ":")
    assert written.startswith(" " * (6 if environment == "DEV" else 0 if path == "region" else 2))


def test_a_key_that_is_not_written_is_looked_for_above(tmp_path: Path) -> None:
    (tmp_path / "landbridge.yaml").write_text("project: x\naws:\n  vpc: y\n  subnets:\n  - a\n  - b\n")

    def place(path: str) -> tuple[int, int]:
        found = problem(tmp_path, "landbridge.yaml", path, "wrong")
        return found.line, found.column

    assert place("aws.dns.hosted_zone") == (2, 1)
    assert place("aws.vpc.more") == (3, 3)
    assert place("aws.subnets.1") == (6, 5)
    assert place("watch.every") == (1, 1)
    (tmp_path / "landbridge.yaml").write_text("{ no yaml")
    assert place("aws") == (1, 1)
