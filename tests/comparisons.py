"""Finds the sides of comparisons in code: no name that only a registry knows may be there.

It reads one expression at a time. It does not find a name that comes through a variable, a constant
under another name, or a sum of texts.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import tap_pinterest
from scripts.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

SOURCES = sorted((ROOT / tap_pinterest.__name__).rglob("*.py"))

_OF_TEXTS = {"startswith", "endswith", "removeprefix", "removesuffix", "count", "find", "index"}


def found_in(path: Path, is_found: Callable[[ast.AST], bool]) -> list[str]:
    """The expressions and statements of a module that a check finds."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [ast.unparse(each) for each in ast.walk(tree) if is_found(each)]


def compared(node: ast.AST) -> Iterator[ast.AST]:
    """The sides of a comparison, the texts that a method looks for, and the attribute looked up."""
    match node:
        case ast.Compare():
            sides = (node.left, *node.comparators)
            yield from (part for side in sides for part in _parts_of(side))
        case ast.MatchValue():
            yield node.value
        case ast.Call(func=ast.Attribute(attr=method)) if method in _OF_TEXTS:
            yield from node.args
        case ast.Subscript(slice=ast.Attribute() as key, ctx=ast.Load()):
            yield key
        case ast.Call(func=ast.Attribute(attr="get" | "pop"), args=[ast.Attribute() as key, *_]):
            yield key


def chosen_by(node: ast.AST, names: Collection[str]) -> bool:
    """Whether code has a dictionary with entries for several names, or looks up one on the spot."""
    match node:
        case ast.Dict():
            return len(_keys(node, names)) > 1
        case ast.Call(func=ast.Name("dict"), keywords=given):
            return len([each for each in given if each.arg in names]) > 1
        case (
            ast.Call(func=ast.Attribute(value=ast.Dict() as of))
            | ast.Subscript(value=ast.Dict() as of)
        ):
            return bool(_keys(of, names))
    return False


def _keys(node: ast.Dict, names: Collection[str]) -> list[ast.Constant]:
    constants = [each for each in node.keys if isinstance(each, ast.Constant)]
    return [each for each in constants if each.value in names]


def _parts_of(side: ast.expr) -> list[ast.expr]:
    """One side of a comparison: each member of a literal set, tuple or list."""
    return side.elts if isinstance(side, (ast.Set, ast.Tuple, ast.List)) else [side]
