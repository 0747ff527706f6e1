"""Which calls of an AWS API does the source text make? Read from its syntax trees, without running it."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import botocore.session
from botocore import xform_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OBSTORE = {
    "put": ("s3:PutObject",),
    "get": ("s3:GetObject",),
    "head": ("s3:HeadObject",),
    "list": ("s3:ListObjectsV2",),
    "list_with_delimiter": ("s3:ListObjectsV2",),
    "get_range": ("s3:GetObject",),
    "get_ranges": ("s3:GetObject",),
    "copy": ("s3:CopyObject",),
    "rename": ("s3:CopyObject", "s3:DeleteObject"),
    "delete": ("s3:DeleteObject",),
    "open_reader": ("s3:GetObject",),
    "open_writer": ("s3:PutObject",),
}
"""obstore's functions, and what they ask of S3 at the least. A `put` that may go in parts asks for more (`_PARTS`)."""
_PARTS = (
    "s3:CreateMultipartUpload",
    "s3:UploadPart",
    "s3:CompleteMultipartUpload",
    "s3:AbortMultipartUpload",
)


@dataclass(frozen=True, order=True)
class Found:
    """A call as it stands in the source."""

    code: str
    """`stores.s3:S3Store.head`; of nested functions the outermost."""
    api: str


class _Reader(ast.NodeVisitor):
    def __init__(self, module: str, services: frozenset[str]) -> None:
        self._module = module
        self._services = services
        self._within: list[str] = []
        self._in_function = 0
        self.found: set[Found] = set()
        self.clients: set[str] = set()
        self.unread: list[str] = []

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._within.append(node.name)
        self.generic_visit(node)
        self._within.pop()

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        outermost = self._in_function == 0
        self._in_function += 1
        if outermost:
            self._within.append(node.name)
        self.generic_visit(node)
        if outermost:
            self._within.pop()
        self._in_function -= 1

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815 - the name the base class asks for

    def visit_Call(self, node: ast.Call) -> None:
        match node.func:
            case ast.Attribute(value=ast.Name(id="obstore"), attr=name):
                self._obstore(name, node)
            case ast.Attribute(attr="client") if node.args and not isinstance(node.args[0], ast.Name):
                self._client(node)
            case ast.Attribute(attr="get_paginator" | "get_waiter") if node.args:
                self._named(node.args[0], node)
            case ast.Attribute(attr=name):
                self._add(name)
            case _:
                pass
        self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """A method that is handed on uncalled is a call, too: `partial(client.put_object, ...)`."""
        self._add(node.attr)
        self.generic_visit(node)

    def _obstore(self, name: str, node: ast.Call) -> None:
        apis = OBSTORE.get(name.removesuffix("_async"))
        if apis is None:
            self.unread.append(f"{self._module}:{node.lineno}: obstore.{name}")
            return
        keywords = {each.arg: each.value for each in node.keywords}
        match keywords.get("options"):
            case ast.Dict(keys=[ast.Constant(value="head")]):
                apis = ("s3:HeadObject",)
            case _:
                pass
        whole = isinstance(one := keywords.get("use_multipart"), ast.Constant) and one.value is False
        if name == "put" and not whole:
            apis = _PARTS  # the caller of a stream; what fits into one request is put apart
        for api in apis:
            self._record(api)

    def _client(self, node: ast.Call) -> None:
        match node.args[0]:
            case ast.Constant(value=str() as service):
                self.clients.add(service)
            case _:
                self.unread.append(f"{self._module}:{node.lineno}: a client whose service is not written out")

    def _named(self, name: ast.expr, node: ast.Call) -> None:
        match name:
            case ast.Constant(value=str() as operation):
                self._add(operation)
            case _:
                self.unread.append(f"{self._module}:{node.lineno}: an operation that is not written out")

    def _add(self, method: str) -> None:
        for service in self._services:
            operation = operations(service).get(method)
            if operation:
                self._record(f"{service}:{operation}")

    def _record(self, api: str) -> None:
        self.found.add(Found(f"{self._module}:{'.'.join(self._within)}", api))


@cache
def operations(service: str) -> dict[str, str]:
    """Give boto3's methods of a service by name: `put_object` -> `PutObject`."""
    model = botocore.session.Session().get_service_model(service)
    return {xform_name(name): name for name in model.operation_names}


@dataclass(frozen=True)
class Source:
    """What was read of all modules."""

    found: frozenset[Found]
    clients: frozenset[str]
    unread: tuple[str, ...]


def read(texts: dict[str, str], services: frozenset[str]) -> Source:
    """Read modules (dotted name below landbridge -> text) for calls of `services` and of obstore."""
    found: set[Found] = set()
    clients: set[str] = set()
    unread: list[str] = []
    for module, text in texts.items():
        speaks = module.partition(".")[0] not in _NO_AWS and ("boto" in text or "client" in text)
        reader = _Reader(module, services if speaks else frozenset())
        reader.visit(ast.parse(text))
        found |= reader.found
        clients |= reader.clients
        unread += reader.unread
    return Source(frozenset(found), frozenset(clients), tuple(unread))


def modules(root: Path) -> dict[str, str]:
    """Give the text of every module of the product, but the twin's: that one speaks to its own server, as its admin."""
    return {name: text for name, text in _modules(root) if name.partition(".")[0] != "twin"}


_NO_AWS = ("sftp",)
"""Rooms that no client of AWS enters (a contract of the floors says so), and whose own words sound like S3's."""


def _modules(root: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        yield ".".join(part for part in parts if part != "__init__"), path.read_text(encoding="utf-8")


def defined(texts: dict[str, str]) -> set[str]:
    """Give every function and method as `module:Class.name`."""
    names: set[str] = set()
    for module, text in texts.items():
        for node in ast.parse(text).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                names.add(f"{module}:{node.name}")
            if isinstance(node, ast.ClassDef):
                names |= {
                    f"{module}:{node.name}.{each.name}"
                    for each in node.body
                    if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
                }
    return names
