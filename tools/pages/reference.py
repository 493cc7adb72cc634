"""The reference: what the docstrings say of each public name."""

from __future__ import annotations

import importlib
import inspect
import types
from collections.abc import Iterator
from html import escape
from typing import Any

import thalweg as tw
from pages.typeset import display, raw, words
from thalweg.methods import rules
from thalweg.rule import Rule

MODULES = {
    "thalweg": "Optimizers as pure functions, their composition, and what rules are written with.",
    "thalweg.ops": "The operations that a rule may use.",
    "thalweg.form.schedules": "`tw.schedules`: schedules of learning rates and other hyper-parameters.",
    "thalweg.numpy": "Optimizers that update NumPy arrays in place. A class for each rule, and these:",
    "thalweg.torch": "Optimizers for PyTorch. A class for each rule, and these:",
    "thalweg.jax": "optax transformations. A function for each rule, and these:",
    "thalweg.nn": "Small networks in NumPy.",
    "thalweg.lab": "Comparisons.",
}
SHORT = 40
"""A value's text of more characters is left out."""


def _names(module: types.ModuleType) -> list[str]:
    """The public names of a module, without the optimizers, which have pages of their own."""
    named = getattr(module, "__all__", None)
    if named is not None:
        return sorted(named, key=str.lower)
    every = {name: value for name, value in vars(module).items() if not name.startswith("_")}
    return sorted((name for name, value in every.items() if _ours(value)), key=str.lower)


def _ours(value: Any) -> bool:
    home = str(getattr(value, "__module__", ""))
    return (inspect.isclass(value) or inspect.isroutine(value)) and not isinstance(value, Rule) and home.startswith("thalweg")


def _entry(module: types.ModuleType, name: str) -> str:
    value = getattr(module, name)
    if inspect.isclass(value):
        return f".. autoclass:: {module.__name__}.{name}\n   :members:\n"
    if inspect.isroutine(value):
        return f".. autofunction:: {module.__name__}.{name}\n"
    text = repr(value)
    shown = f"\n   :annotation: = {text}" if len(text) < SHORT and " at 0x" not in text else "\n   :no-value:"
    return f".. autodata:: {module.__name__}.{name}{shown}\n"


def page(module: types.ModuleType, told: str) -> str:
    """The page of a module."""
    title = "tw.schedules" if module.__name__ == "thalweg.form.schedules" else module.__name__
    entries = "\n".join(_entry(module, name) for name in _names(module))
    return f"# `{title}`\n\n{told}\n\n```{{eval-rst}}\n{entries}\n```\n"


def stages() -> str:
    """The page of the stages: what stands before, after or around a rule."""
    stages = {name: value for name, value in vars(tw).items() if isinstance(value, Rule) and name not in rules}
    public = {name: stage for name, stage in sorted(stages.items()) if name in tw.stages_by_name}
    return "# Stages\n\n" + "".join(_stage(name, stage) for name, stage in public.items())


def _stage(name: str, stage: Rule) -> str:
    call = ", ".join(f"{each.name}={each.default!r}" for each in stage.hyper.values())
    parts = [f"<p><code>tw.{name}({escape(call)})</code></p>", words(stage.doc)]
    return f"## {name}\n\n{raw(''.join([*parts, display(stage.formula())]))}\n"


def pages() -> Iterator[tuple[str, str]]:
    """The name and text of each page; a face whose framework is not installed is left out, and says so."""
    made = ["stages"]
    yield "stages", stages()
    for name, told in MODULES.items():
        try:
            module = importlib.import_module(name)
        except ImportError as error:
            print(f"the reference has no page of {name}: {error}")
            continue
        made.append(name.replace(".", "_"))
        yield made[-1], page(module, told)
    listed = "\n".join(made[1:] + made[:1])
    told = "# Reference\n\nThe public names; each optimizer has [a page of its own](../optimizers/index.md).\n\n"
    yield "index", f"{told}```{{toctree}}\n{listed}\n```\n"
