"""What runs when something is done: how many functions of ours are entered, and how many lines of code they have."""

from __future__ import annotations

import ast
import functools
import sys
import tokenize
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import numpy as np

import thalweg

SOURCES = str(Path(thalweg.__file__).parent)
INLINE = ("<listcomp>", "<dictcomp>", "<setcomp>", "<genexpr>", "<module>")
TO_SKIP = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
SHAPES = {"a": (64, 32), "b": (32,), "c": (32, 10), "d": (10,)}


def arrays(value: float) -> dict[str, Any]:
    return {name: np.full(shape, value, np.float32) for name, shape in SHAPES.items()}


def entered(do: Callable[[], Any]) -> Counter[CodeType]:
    """Return how often each function of ours is entered; comprehensions and modules aside."""
    found: Counter[CodeType] = Counter()

    def seen(frame: FrameType, event: str, _: Any) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(SOURCES) and code.co_name not in INLINE:
            found[code] += 1

    before = sys.getprofile()
    sys.setprofile(seen)
    try:
        do()
    finally:
        sys.setprofile(before)
    return found


@functools.cache
def _lines(file: str) -> tuple[frozenset[int], dict[tuple[str, int], ast.AST]]:
    """Return the numbers of a file's lines of code, without comments and docstrings, and its functions by name and line."""
    with open(file, encoding="utf-8") as text:
        tokens = [token for token in tokenize.generate_tokens(text.readline) if token.type not in TO_SKIP]
    code = {n for token in tokens for n in range(token.start[0], token.end[0] + 1)}
    functions: dict[tuple[str, int], ast.AST] = {}
    for node in ast.walk(ast.parse(Path(file).read_text("utf-8"))):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            code -= set(range(node.lineno, (node.end_lineno or 0) + 1))
        elif isinstance(node, ast.FunctionDef):
            functions[node.name, min(x.lineno for x in (node, *node.decorator_list))] = node
        elif isinstance(node, ast.Lambda):
            functions["<lambda>", node.lineno] = node
    return frozenset(code), functions


def lines_of(codes: Counter[CodeType]) -> int:
    """Return the number of lines of code of these functions; a function inside another is counted once."""
    found = set()
    for code in codes:
        lines, functions = _lines(code.co_filename)
        node: Any = functions[code.co_name, code.co_firstlineno]
        found |= {(code.co_filename, n) for n in range(code.co_firstlineno, node.end_lineno + 1) if n in lines}
    return len(found)
