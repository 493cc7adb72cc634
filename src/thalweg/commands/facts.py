"""What `thalweg show` and an optimizer's page say of it, in words."""

from __future__ import annotations

import ast
import inspect
import textwrap

import numpy as np

from thalweg.core.leaf import Leaf
from thalweg.core.optimizer import Optimizer
from thalweg.engines.drawn import drawn, in_words
from thalweg.engines.triton.drawn import drawn as on_cuda
from thalweg.form.hyper import Hyper
from thalweg.form.memory import Kind
from thalweg.graph.cost import Cost, word_kind
from thalweg.graph.program import NotTraced, stage_paths
from thalweg.lab.refusal import Refusal
from thalweg.methods import family
from thalweg.ops import Epsilon
from thalweg.rule import Rule
from thalweg.values.numerals import typed

DIFFERS = "Differs from "


def memory_words(kind: Kind) -> str:
    """Describe a memory slot in words."""
    return kind.words.format(value=kind.value, size=kind.size) + (f", {kind.dtype}" if kind.dtype else "")


def values_words(hyper: Hyper) -> str:
    """Describe the values that a hyper-parameter takes, and those among which it is tuned if it says so."""
    tuned = f"; searched from {typed(hyper.search.low)} to {typed(hyper.search.high)} by --tune all" if hyper.search else ""
    return f"{_values_words(hyper)}{tuned}"


def _values_words(hyper: Hyper) -> str:
    if isinstance(hyper.default, Epsilon):
        return f"{str(hyper.range).replace('x', hyper.name, 1)}; {', '.join(hyper.choices)}"
    if hyper.choices:
        return ", ".join(str(choice) for choice in hyper.choices)
    if hyper.range is None:
        return {int: "a whole number", float: "any number", str: "a text"}.get(type(hyper.default), "None, or a number")
    return str(hyper.range).replace("x", hyper.name, 1)


def rate_words(rule: Rule) -> str:
    """The values of the learning rate, and those among which it is tuned."""
    search = "not tuned" if rule.search is None else "searched from {} to {}, log-uniformly".format(*map(typed, rule.search))
    return f"lr >= 0; {search}"


def default_words(hyper: Hyper) -> str:
    """The default of a hyper-parameter."""
    return typed(hyper.default) if isinstance(hyper.default, float) else str(hyper.default)


def notes(rule: Rule) -> tuple[str, str]:
    """The docstring without its first line: notes on the rule and on differences between libraries."""
    body = family.without_origin(rule.doc.partition("\n")[2]).strip()
    about, found, differences = body.partition(DIFFERS)
    return about.strip(), found + differences


def source(rule: Rule) -> str:
    """The source of the rule without its docstring, which is shown separately."""
    if (written := getattr(rule.function, "written", None)) is not None:
        return str(written)
    lines = textwrap.dedent(inspect.getsource(rule.function)).splitlines()
    function = ast.parse("\n".join(lines)).body[0]
    assert isinstance(function, ast.FunctionDef)
    first = function.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and first.end_lineno is not None:
        del lines[first.lineno - 1 : first.end_lineno]
    return "\n".join(lines)


def kernels(rule: Rule) -> str:
    """How many passes a step takes on the CPU and on CUDA, or why there is no kernel."""
    optimizer = Optimizer(rule, lr=rule.lr or 1.0)
    here, there = in_words(optimizer), in_words(optimizer, on_cuda)
    if here != there:
        return f"{here}\non CUDA {there}"
    return here if here.startswith("none") else f"{here}, on CUDA too"


def cost_words(rule: Rule) -> str:
    """What a step takes for each parameter, by branch if there are several."""
    cost = rule.cost()
    branches = [f"\nwhere {where}: {_words(branch)}" for where, branch in cost.branches]
    return f"for each float32 parameter: {''.join(branches) or _words(cost)} ({word_kind(rule())})"


def _words(cost: Cost) -> str:
    return (
        f"{cost.state_per_parameter:g} kept ({cost.state_bytes:g} bytes); in a step "
        f"{cost.bytes_moved:g} bytes moved, {cost.operations} operations"
    )


def kernel_text(rule: Rule) -> str:
    """The source of a step's kernels for float32 parameters. Raises Refusal if the rule has none."""
    optimizer = Optimizer(rule, lr=rule.lr or 1.0)
    if optimizer.asks_gradients:
        raise Refusal(f"{rule.name} asks for gradients at several points, so that no loop is its whole step")
    p = np.zeros((2, 2), np.float32)
    try:
        made = drawn(optimizer, stage_paths(optimizer, Leaf("p", p.shape, p, p, 0, None, p)), "float32")
        return "\n\n".join(kernel.text for kernel in made.kernels)
    except NotTraced as reason:
        raise Refusal(f"{rule.name} has no kernel: {reason}") from None
