"""The playground as one self-contained HTML page, which opens from disk: surfaces, steps and sliders."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from thalweg import methods
from thalweg.core.optimizer import Optimizer
from thalweg.engines.expressions import Writer
from thalweg.engines.names import Names
from thalweg.graph.program import NotTraced, Program
from thalweg.lab.data.surface import Surface
from thalweg.lab.playground.javascript import JavaScript, Step, printed_rule
from thalweg.lab.problems.surfaces import beale, himmelblau, ravine, rosenbrock, saddle, styblinski_tang
from thalweg.lab.refusal import Refusal
from thalweg.rule import Rule
from thalweg.values.symbols import NUMBER, Symbol

HERE = Path(__file__).parent
SURFACES = (rosenbrock, himmelblau, beale, ravine, saddle, styblinski_tang)
SCRIPTS = ("words.js", "tokens.js", "reading.js", "rule.js", "drawing.js", "page.js", "typed.js", "begin.js")
"""The page's own code, in the order in which it runs. The first four read a typed rule, without the page."""
FIRST = ("sgd", "adam")
"""The optimizers that walk when a page is opened, after the user's own."""
MOST = 6
"""So many walk at once."""


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
    data = {
        "rules": {name: _facts(found[name], step) for name, step in steps.items()},
        "surfaces": {made.name: _ground(made) for made in (each.problem() for each in SURFACES)},
        "first": [*own, *(name for name in FIRST if name in steps)][:MOST] or list(steps)[:3],
    }
    bodies = ",\n".join(f"{json.dumps(name)}: {step.text}" for name, step in steps.items())
    dfs = ",\n".join(f"{json.dumps(s.name)}: {_surface(s)}" for s in (each.problem() for each in SURFACES))
    environment = Environment(loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return environment.get_template("page.html.jinja").render(
        style=_file("page.css"), script=Markup("\n").join(map(_file, SCRIPTS)), data=Markup(_json(data)), count=len(steps),
        steps=Markup(f"const STEPS = {{{bodies}}};\nconst SURFACES = {{{dfs}}};"),
    )  # fmt: skip


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
        "about": surface.about,
    }  # fmt: skip


def _surface(surface: Surface) -> str:
    """Return a JavaScript function of x and y that gives the value and both derivatives, traced from the surface's own."""
    inputs = {name: Symbol.input(name, NUMBER) for name in ("x", "y")}
    values = dict(zip(("f", "dx", "dy"), (surface.f(*inputs.values()), *surface.df(*inputs.values())), strict=True))
    write = Writer(Names(Program([], None, inputs=inputs, beside=values), ()), JavaScript(), set())
    for symbol in write.names.symbols:
        write.visit(symbol)
    lines = "".join(f"const {line}; " for line in write.lines)
    return f"(x, y) => {{ {lines}return [{', '.join(write.text(value)[0] for value in values.values())}]; }}"


def _file(name: str) -> Markup:
    return Markup((HERE / name).read_text("utf-8"))


def _json(data: Any) -> str:
    """JSON that is safe inside a script element."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
