"""What does the text below an attribute of a model say of it? Read from the source when somebody asks, and not before.

pydantic can do so by itself, as each model is made: that is in every start of the program, and only the JSON Schema wants it.
"""

from __future__ import annotations

import ast
import inspect
import sys
from functools import cache
from itertools import pairwise


@cache
def described(model: type, top: type) -> dict[str, str]:
    """Give the texts by attribute, also of the classes between it and `top`; none where there is no source."""
    texts: dict[str, str] = {}
    for one in reversed([one for one in model.__mro__ if issubclass(one, top)]):
        texts |= _by_class(one.__module__).get(one.__qualname__, {})
    return texts


@cache
def _by_class(module: str) -> dict[str, dict[str, str]]:
    try:
        tree = ast.parse(inspect.getsource(sys.modules[module]))
    except (OSError, TypeError):
        return {}
    return {node.name: _texts(node) for node in tree.body if isinstance(node, ast.ClassDef)}


def _texts(node: ast.ClassDef) -> dict[str, str]:
    texts = {}
    for attribute, below in pairwise(node.body):
        match attribute, below:
            case ast.AnnAssign(target=ast.Name(name)), ast.Expr(ast.Constant(str(text))):
                texts[name] = inspect.cleandoc(text)
            case _:
                pass
    return texts
