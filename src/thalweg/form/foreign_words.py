"""Hints for rules that call another library's function: the equivalent word of `thalweg.ops`."""

from __future__ import annotations

import linecache
import re
from types import CodeType

from thalweg import ops

FUNCTION = re.compile(r"\b(?:np|numpy|math|torch|jnp|jax\.numpy|scipy|tf|xp)(?:\.\w+)*\.(\w+)\s*\(")
METHOD = re.compile(r"\)?\.(\w+)\s*\(")
MEANT = {
    "abs": "abs(x)", "absolute": "abs(x)", "fabs": "abs(x)", "square": "x * x", "power": "x ** y", "pow": "x ** y",
    "sum": "total(x)", "mean": "mean(x)", "clamp": "clip(x, low, high)", "clip_": "clip(x, low, high)", "rsqrt": "1 / sqrt(x)",
    "reciprocal": "1 / x", "add": "x + y", "subtract": "x - y", "sub": "x - y", "multiply": "x * y", "mul": "x * y",
    "divide": "x / y", "div": "x / y", "true_divide": "x / y", "negative": "-x", "neg": "-x", "max": "maximum(x, y)",
    "min": "minimum(x, y)", "fmax": "maximum(x, y)", "fmin": "minimum(x, y)", "lerp": "mix(x, y, beta)",
    "zeros_like": "0.0 * x", "ones_like": "1.0", "copysign": "abs(x) * sign(y)",
}  # fmt: skip


def hint(error: BaseException, code: CodeType) -> str:
    """Return what to write instead of the foreign function or method that raised this error, or an empty string."""
    if str(error).startswith("`if`"):  # the message already says what to write
        return ""
    line = _line(error, code)
    if found := FUNCTION.findall(line):
        called = next(iter(re.findall(r"[\w.]+(?=\s*\()", line[FUNCTION.search(line).start() :])))  # type: ignore[union-attr]
        return f"{called} is no word of a rule, which runs in every framework; {_instead(found)}"
    if isinstance(error, AttributeError) and METHOD.search(line):
        return f".{error.name} is no word of a rule, which runs in every framework; {_instead([str(error.name)])}"
    return ""


def _instead(names: list[str]) -> str:
    for name in names:
        if name in MEANT:
            return f"write {MEANT[name]}" + (f", with `from thalweg.ops import {_word(name)}`" if _word(name) else "")
        if name in ops.__all__:
            return f"write {name}(...), with `from thalweg.ops import {name}`"
    return f"the words there are: {', '.join(word for word in ops.__all__ if word.islower())}"


def _word(name: str) -> str:
    found = re.search(r"[a-z]+(?=\()", MEANT[name])
    return found.group() if found and found.group() in ops.__all__ else ""


def _line(error: BaseException, code: CodeType) -> str:
    """Return the rule's own line that raised the error."""
    at, found = error.__traceback__, ""
    while at is not None:
        if at.tb_frame.f_code is code:
            found = linecache.getline(code.co_filename, at.tb_lineno)
        at = at.tb_next
    return found
