"""Can every page be reached, is every decision whole, and is what a reader types or sets really there?"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
DECISIONS = sorted((DOCS / "decisions").glob("[0-9]*.md"))
PARTS = ("**Situation.**", "**Choice.**", "**Rejected.**", "**What would change our mind.**")
NAV = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").split("\nnav:\n", maxsplit=1)[1]
_VARIABLE = re.compile(r"LANDBRIDGE_[A-Z_]+")
_TARGET = re.compile(r"^([a-z]+):", re.MULTILINE)
_TYPED = re.compile(r"(?:^\$ |`)make ([a-z]+)", re.MULTILINE)


def test_every_page_is_in_the_navigation() -> None:
    pages = {str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md")}
    assert set(re.findall(r"[\w/-]+\.md", NAV)) == pages


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_a_decision_is_whole_and_can_be_found(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    number = page.name[:4]
    assert text.startswith(f"# {number}: ")
    places = [text.find(part) for part in PARTS]
    assert -1 not in places
    assert places == sorted(places), "the parts in their order"
    index = (DOCS / "decisions" / "index.md").read_text(encoding="utf-8")
    assert f"| [{number}]({page.name}) |" in index


def test_no_two_decisions_share_a_number() -> None:
    numbers = [page.name[:4] for page in DECISIONS]
    assert len(numbers) > 10
    assert sorted(set(numbers)) == numbers


@pytest.mark.parametrize("page", ["README.md", "docs/index.md", "docs/operating.md", "docs/tutorial.md"])
def test_what_a_page_tells_to_make_can_be_made(page: str) -> None:
    targets = set(_TARGET.findall((ROOT / "Makefile").read_text(encoding="utf-8")))
    typed = set(_TYPED.findall((ROOT / page).read_text(encoding="utf-8")))
    assert typed
    assert typed <= targets


def test_the_readme_leads_with_the_two_commands() -> None:
    typed = _TYPED.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    assert typed[:2] == ["demo", "test"]


@pytest.mark.parametrize("page", ["README.md", "CHANGELOG.md"])
def test_a_link_into_the_repository_leads_somewhere(page: str) -> None:
    targets = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", (ROOT / page).read_text(encoding="utf-8"))
    inside = [target for target in targets if "://" not in target]
    assert [target for target in inside if not (ROOT / target).exists()] == []


def variables_of_wiring() -> set[str]:
    found = set()
    for module in (ROOT / "src" / "landbridge" / "wiring").rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found |= {node.value} if _VARIABLE.fullmatch(node.value) else set()
    return found


def test_every_variable_that_wiring_reads_is_explained_and_no_other() -> None:
    known = variables_of_wiring()
    assert len(known) >= 4
    page = (DOCS / "operating.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(LANDBRIDGE_[A-Z_]+)` \|", page, re.MULTILINE)) == known
    everywhere = {
        name for text in DOCS.rglob("*.md") for name in _VARIABLE.findall(text.read_text(encoding="utf-8"))
    }
    assert everywhere == known


def test_every_library_of_the_project_is_told_with_release_and_licence() -> None:
    page = (DOCS / "decisions" / "0013-libraries.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w.-]+)` \| ([\w.]+) \| ([^|]+) \|", page, re.MULTILINE)
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    head = pyproject.split("[project.optional-dependencies]", maxsplit=1)[0].split("\ndependencies = [")[1]
    needed = set(re.findall(r'^  "([\w.-]+)', head, re.MULTILINE))
    assert needed <= {name for name, _, _ in rows}
    locked = "\n" + (ROOT / "requirements" / "dev.txt").read_text(encoding="utf-8")
    for name, release, licence in rows:
        assert f"\n{canonicalize_name(name)}==" in locked, name
        assert re.fullmatch(r"[\d.]+", release), name
        assert licence.strip(), name
