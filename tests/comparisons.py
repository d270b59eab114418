"""Finds the sides of comparisons in code: no name that only a registry knows may be there."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import tap_pinterest
from scripts.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCES = sorted((ROOT / tap_pinterest.__name__).rglob("*.py"))

_OF_TEXTS = {"startswith", "endswith", "removeprefix", "removesuffix", "count", "find", "index"}


def compared(node: ast.AST) -> Iterator[ast.AST]:
    """The sides of a comparison, and the texts that a method looks for."""
    match node:
        case ast.Compare():
            sides = (node.left, *node.comparators)
            yield from (part for side in sides for part in _parts_of(side))
        case ast.MatchValue():
            yield node.value
        case ast.Call(func=ast.Attribute(attr=method)) if method in _OF_TEXTS:
            yield from node.args


def _parts_of(side: ast.expr) -> list[ast.expr]:
    """One side of a comparison: each member of a literal set, tuple or list."""
    return side.elts if isinstance(side, (ast.Set, ast.Tuple, ast.List)) else [side]
