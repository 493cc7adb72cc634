"""The playground as one self-contained HTML page, which opens from disk: surfaces, steps and sliders."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import FunctionType
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from thalweg import methods
from thalweg.core.optimizer import Optimizer
from thalweg.graph.program import NotTraced
from thalweg.lab import problems
from thalweg.lab.data.instances import SHIFT
from thalweg.lab.data.surface import Surface
from thalweg.lab.playground.javascript import Step, arrow, printed_rule, words
from thalweg.lab.race.trial import JUDGED_ON, NEAR
from thalweg.lab.refusal import Refusal
from thalweg.lab.report.figures.marks import DASHES, SHAPES
from thalweg.rule import Rule
from thalweg.values.symbols import NUMBER, Symbol

HERE = Path(__file__).parent
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Of the optimizers that walk, by M. Okabe and K. Ito: seen on light and dark."""
SCRIPTS = ("words.js", "tokens.js", "reading.js", "rule.js", "walking.js", "drawing.js", "page.js", "typed.js", "begin.js")
"""The page's own code, in the order in which it runs. The first four read a typed rule, without the page."""
LENGTH = 200
"""Steps of the sweep, and of the walks on copies of a surface."""
USUAL = ("sgd", "adam")
"""The optimizers that walk when a page is opened, after the user's own."""


def page(rules: Sequence[str] | None = None, own: Mapping[str, Rule] | None = None) -> str:
    """Return the page with these optimizers, by name; default: all whose step prints as JavaScript. own: the user's rules, which
    are in it in any case.

    Raises Refusal for a name that is unknown or whose step does not print, with the reason.
    """
    own = own or {}
    named = {rule.name: rule for rule in (own.get(name) or _known(name) for name in rules or ())}
    found = {**(methods.rules if rules is None else named), **own}
    steps, reasons = _steps(found)
    if refused := [_refusal(name, reason, name in own) for name, reason in reasons.items() if name in own or rules is not None]:
        raise Refusal("; ".join(refused))
    surfaces: list[Any] = [problems.problem(name) for name in problems.of_kind(Surface)]
    data = {
        "rules": {name: _facts(found[name], step) for name, step in steps.items()},
        "surfaces": {made.name: _ground(made) for made in surfaces},
        "looks": [{"colour": c, "shape": SHAPES[i], "dash": DASHES[i % len(DASHES)]} for i, c in enumerate(COLOURS)],
        "first": _first(own, list(steps)), "shift": SHIFT, "near": NEAR, "copies": JUDGED_ON, "length": LENGTH,
    }  # fmt: skip
    bodies = ",\n".join(f"{json.dumps(name)}: {step.text}" for name, step in steps.items())
    dfs = ",\n".join(f"{json.dumps(s.name)}: {_surface(s)}" for s in surfaces)
    environment = Environment(loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return environment.get_template("page.html.jinja").render(
        style=_file("page.css"), script=Markup("\n").join(map(_file, SCRIPTS)), data=Markup(_json(data)), count=len(steps),
        steps=Markup(f"const STEPS = {{{bodies}}};\nconst SURFACES = {{{dfs}}};\n{words()}"), length=LENGTH,
    )  # fmt: skip


def _first(own: Iterable[str], steps: list[str]) -> list[str]:
    """Return the optimizers that walk when the page is opened."""
    usual = USUAL if set(USUAL) <= set(steps) else steps[:3]
    return list(dict.fromkeys([*own, *usual]))[: len(COLOURS)]


def _refusal(name: str, reason: NotTraced, own: bool) -> str:
    instead = "; write it with other words, or see it in `thalweg race` or `thalweg compare`, where it runs" if own else ""
    return f"{name} cannot run in a page: {reason}{instead}"


def names() -> list[str]:
    """Return the names of the optimizers that a page can run."""
    return list(_steps(methods.rules)[0])


def _steps(rules: Mapping[str, Rule]) -> tuple[dict[str, Step], dict[str, NotTraced]]:
    """Return the steps of those rules that print, and the reasons of the others."""
    steps, reasons = dict[str, Step](), dict[str, NotTraced]()
    for name, rule in rules.items():
        try:
            steps[name] = printed_rule(rule)
        except NotTraced as reason:
            reasons[name] = reason
    return steps, reasons


def _known(name: str) -> Rule:
    if name not in methods.rules:
        raise Refusal(f"no optimizer is called {name!r}{methods.meant(name)}")
    return methods.rules[name]


def _facts(rule: Rule, step: Step) -> dict[str, Any]:
    """What the page needs to know of a rule beside its step."""
    lr = Optimizer(rule()).lr
    sliders = {}
    for name in (name for name in ("lr", *rule.parts) if name in step.hyper):
        value = lr if step.hyper[name] is None else step.hyper[name]
        bounds = rule.parts[name].range if name in rule.parts else None
        below_one = bounds.high == 1 and bounds.low == 0 if bounds else 0.5 <= value < 1
        sliders[name] = {"value": "Infinity" if value == math.inf else value, "share": below_one}
    starts = {slot: (full, x if x is None or math.isfinite(x) else "Infinity") for slot, (full, x) in step.starts.items()}
    return {"starts": starts, "sliders": sliders, "formula": rule.formula().plain}


def _ground(surface: Surface) -> dict[str, Any]:
    return {
        "window": surface.window, "start": surface.start.tolist(), "minima": surface.minima.tolist(), "lowest": surface.lowest,
        "about": surface.about, "box": surface.box,
    }  # fmt: skip


def _surface(surface: Surface) -> str:
    """Return a JavaScript function of the coordinates that gives the value and its derivatives, traced from the surface's own."""
    inputs = {name: Symbol.input(name, NUMBER) for name in "xy"[: surface.start.size]}
    found = (_on_symbols(surface.f)(*inputs.values()), *_on_symbols(surface.df)(*inputs.values()))
    return arrow(inputs, found)


class _NumPy:
    """What surfaces use of NumPy, on symbols."""

    pi = math.pi

    @staticmethod
    def sin(x: Symbol) -> Symbol:
        return Symbol.of("sin", x)


def _on_symbols(function: Any) -> Any:
    return FunctionType(function.__code__, {**function.__globals__, "np": _NumPy})


def _file(name: str) -> Markup:
    return Markup((HERE / name).read_text("utf-8"))


def _json(data: Any) -> str:
    """JSON that is safe inside a script element."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
