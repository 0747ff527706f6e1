"""Does the reference name every key of the models as they are, and does the tutorial's project work?"""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from landbridge.cli.init import init
from landbridge.declare import examine
from landbridge.declare.vocabulary import schema_of
from landbridge.feed import Feed
from landbridge.project import Project

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS = Path(__file__).parents[2] / "docs"
_BLOCK = re.compile(r'^```\w+ title="(?P<file>[^"]+)"\n(?P<text>.*?)^```$', re.MULTILINE | re.DOTALL)


def test_the_reference_is_made_from_the_models_as_they_are() -> None:
    made = runpy.run_path(str(DOCS / "make_reference.py"))["page"]()
    written = (DOCS / "reference" / "declaration.md").read_text(encoding="utf-8")
    assert written == made, "run .venv/bin/python docs/make_reference.py"


def models() -> Iterator[tuple[str, dict[str, Any]]]:
    for model in (Project, Feed):
        schema = schema_of(model)
        yield model.__name__, schema
        yield from cast("dict[str, dict[str, Any]]", schema["$defs"]).items()


@pytest.mark.parametrize(("name", "schema"), list(models()))
def test_every_key_says_what_it_is(name: str, schema: dict[str, Any]) -> None:
    assert schema["description"], name
    silent = [
        key for key, part in schema["properties"].items() if not part.get("description") and key != "kind"
    ]
    assert silent == []


def test_the_project_of_the_tutorial_is_sound(tmp_path: Path) -> None:
    init(tmp_path)
    tutorial = (DOCS / "tutorial.md").read_text(encoding="utf-8")
    blocks = {found["file"]: found["text"] for found in _BLOCK.finditer(tutorial)}
    assert blocks.keys() == {"api.py", "feeds/orders.yaml", "contracts/orders.odcs.yaml"}
    for file, text in blocks.items():
        (tmp_path / file).write_text(text, encoding="utf-8")
    found = examine(tmp_path)
    assert (found.problems, found.warnings) == ((), ())
    assert found.declaration is not None
    assert list(found.declaration.feeds) == ["orders", "verifications"]
    compile(blocks["api.py"], "api.py", "exec")
