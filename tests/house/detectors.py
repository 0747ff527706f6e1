"""What breaks a rule of the house? Each detector reads one text and names the lines that do.

They are functions of a text, so that a planted violation proves that each can fail.
"""

import ast
import re
import tomllib
from collections.abc import Iterator
from itertools import pairwise

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LONGEST_MODULE = 700

# In pieces, so that this file does not contain what it looks for.
_REGISTRIES = (
    "pypi" + r"\.org",
    "pythonhosted" + r"\.org",
    "npmjs" + r"\.(?:org|com)",
    "deb" + r"\.debian\.org",
    "--(?:extra-)?" + "index-url",
    "UV_" + "(?:DEFAULT_)?INDEX",
    "file://" + "/opt/",
)
_MACHINE_PATHS = ("/" + "work/", "/" + "root/", "/opt/" + "wheels", "/tmp/" + "lb")
_BROAD = {"Exception", "BaseException"}
_MOCKING = {"mock", "unittest.mock", "pytest_mock"}
_ENVIRONMENT = {"environ", "environb", "getenv", "getenvb", "putenv", "unsetenv"}
_COUNTED = re.compile(
    r" (?:more )?(?:byte|character|column|day|fact|feed|field|file|finding|hop|link|mistake|object|place|revision|row|rule|slot)s\b"
)
_SIZE = re.compile(r"#\s*\S.*;.*\d(?:\.\d+)? MB")


def too_long(text: str) -> list[str]:
    """Name the length of a text that has more lines than a room may have."""
    lines = text.count("\n")
    return [f"{lines} lines, at most {LONGEST_MODULE}"] if lines > LONGEST_MODULE else []


def broad_excepts(source: str) -> list[str]:
    """Name the lines that catch, or suppress, every exception there is."""
    found = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.ExceptHandler(type=None):
                found.append(f"line {node.lineno}: bare except")
            case ast.ExceptHandler(type=ast.expr() as caught) if _last_names(caught) & _BROAD:
                found.append(f"line {node.lineno}: except {ast.unparse(caught)}")
            case ast.Call(func=called, args=arguments) if "suppress" in _last_names(called):
                found += [
                    f"line {node.lineno}: suppress({ast.unparse(argument)})"
                    for argument in arguments
                    if _last_names(argument) & _BROAD
                ]
    return found


def counts_by_hand(source: str) -> list[str]:
    """Name the texts that put a number before a plural by themselves: the first one reads `1 slots` one day."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            for number, after in pairwise(node.values):
                if isinstance(number, ast.FormattedValue) and isinstance(after, ast.Constant):
                    words = _COUNTED.match(str(after.value))
                    if words and not ast.unparse(number.value).isupper():
                        found.append(f"line {node.lineno}: {{{ast.unparse(number.value)}}}{words[0]}")
    return found


def mocks(source: str) -> list[str]:
    """Name the lines that bring in a mocking library or its pytest fixture."""
    found = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                imported = {alias.name for alias in names}
            case ast.ImportFrom(module=str(module), names=names):
                imported = {module, *(f"{module}.{alias.name}" for alias in names)}
            case ast.arg(arg="mocker"):
                imported = {"pytest_mock"}
            case _:
                continue
        if imported & _MOCKING:
            found.append(f"line {node.lineno}: {ast.unparse(node)}")
    return found


def environment_reads(source: str) -> list[str]:
    """Name the lines that read or change environment variables."""
    tree = ast.parse(source)
    modules = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.name == "os"
    }
    found = []
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name in modules:
                taken = {attribute}
            case ast.ImportFrom(module="os", names=names):
                taken = {alias.name for alias in names}
            case ast.Attribute(attr="expandvars"):
                taken = _ENVIRONMENT
            case ast.Call(keywords=keywords) if any(keyword.arg == "envvar" for keyword in keywords):
                taken = _ENVIRONMENT
            case _:
                continue
        if taken & _ENVIRONMENT:
            found.append(f"line {node.lineno}: {ast.unparse(node)}")
    return found


def registry_addresses(text: str) -> list[str]:
    """Name the lines that tie the project to the address of a package registry."""
    return _lines_with(re.compile("|".join(_REGISTRIES), re.IGNORECASE), text)


def machine_paths(text: str) -> list[str]:
    """Name the lines with a path that exists on one machine only."""
    return _lines_with(re.compile(r"(?<![\w.})])(?:" + "|".join(_MACHINE_PATHS) + ")"), text)


def unexplained_dependencies(pyproject: str) -> list[str]:
    """Name the requirements whose line lacks `# what it is for; N MB`."""
    lines = pyproject.splitlines()
    return [
        requirement
        for requirement in requirements(pyproject)
        if not any(f'"{requirement}"' in line and _SIZE.search(line) for line in lines)
    ]


def unlocked(pyproject: str, groups: set[str], lock: str) -> list[str]:
    """Name the requirements of these groups that the lock lacks, pins out of bounds, or has no hash for."""
    pins: dict[str, set[str]] = {}
    for name, version, rest in re.findall(r"^([\w.-]+)==(\S+)(.*)$", lock, re.MULTILINE):
        if not rest.rstrip().endswith("\\"):
            return [f"{name}=={version} has no hash"]
        pins.setdefault(canonicalize_name(name), set()).add(version)
    found = []
    for text in requirements(pyproject, groups):
        wanted = Requirement(text)
        versions = pins.get(canonicalize_name(wanted.name), set())
        if not any(wanted.specifier.contains(version) for version in versions):
            found.append(f"{text}: the lock has {', '.join(versions) or 'none'}; run `make lock`")
    return found


def requirements(pyproject: str, groups: set[str] | None = None) -> Iterator[str]:
    """Yield each requirement as it is written: all, or those of `runtime`, an extra, a group, `build`."""
    document = tomllib.loads(pyproject)
    project = document["project"]
    everything: dict[str, list[str]] = {
        "build": document["build-system"]["requires"],
        "runtime": project["dependencies"],
        **project["optional-dependencies"],
        **document["dependency-groups"],
    }
    for group in sorted(everything if groups is None else groups):
        yield from everything[group]


def _last_names(node: ast.expr) -> set[str]:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return {name}
        case ast.Tuple(elts=elements):
            return {name for element in elements for name in _last_names(element)}
        case _:
            return set()


def _lines_with(pattern: re.Pattern[str], text: str) -> list[str]:
    return [
        f"line {number}: {match.group()}"
        for number, line in enumerate(text.splitlines(), start=1)
        if (match := pattern.search(line))
    ]
