"""optax transformations made from the rules: `thalweg.jax.adam(learning_rate=1e-3)` is one, and goes where any other goes.

For optax's own optimizers the functions here have optax's arguments and defaults, and the update is our rule's; what the rule
has no option for (`mask`, `mu_dtype`, ...) is left to optax's own function. For every other rule, and any chain, there is a
transformation made from its signature: `of(rule)`, `optimizer(chain)`. Whatever else optax has (`chain`, `apply_updates`, ...)
is optax's, handed through.
"""

from __future__ import annotations

import functools
import inspect
import operator
from collections.abc import Callable
from typing import Any

import optax

from thalweg import dialects
from thalweg.core.stage import as_stage, check_lr
from thalweg.form.hyper import nearest
from thalweg.jax.arguments import OptaxArguments, by_count, keeping
from thalweg.jax.estimators import CurvatureRule, Drawn, Looked, NoisyRule
from thalweg.jax.face import Face
from thalweg.jax.hessian import hutchinson
from thalweg.jax.trees import State, Tree, Without
from thalweg.methods import ALIASES, rules
from thalweg.rule import Rule
from thalweg.stages.after import schedule_free

__all__ = ["Drawn", "Looked", "State", "Transformation", "Without", "contrib", "hutchinson", "of", "optimizer"]


class Transformation(optax.GradientTransformationExtraArgs):  # type: ignore[misc]
    """`init(params)`, `update(grads, state, params=None, *, value=None, value_fn=None, noise=None, curvature=None)`, and `ship`.

    value: the loss, for rules that ask for it. value_fn: parameters -> loss, for methods that take gradients at points of
    their own, and to estimate the curvature with, for rules that ask for it. noise, curvature: trees to inject. Other
    keywords are for the transformations beside it in a chain. `update` raises ValueError for gradients of another tree than the
    parameters or the state.
    """

    def ship(self, params: Tree, state: State) -> Tree:
        """The point to keep and evaluate: an average or the walked point where a method has one, else params."""
        face: Face | NoisyRule | CurvatureRule = self.update.__self__
        return face.ship(params, state)


def optimizer(rule: Any, learning_rate: Any = None, *, seed: Any = 0) -> Transformation:
    """Any rule, stage or chain. learning_rate: a number or a schedule of optax's count; by default the rule's own.

    seed: for rules that draw. Raises ValueError where there is no learning rate, TypeError for what is no rule.
    """
    stage = as_stage(rule)
    rate = stage.lr if learning_rate is None else by_count(check_lr(learning_rate, stage.name))
    return _made(Face(stage, rate, seed))


def _made(face: Face | NoisyRule | CurvatureRule) -> Transformation:
    return Transformation(face.init, face.update)


@functools.cache
def of(rule: Rule) -> Callable[..., Transformation]:
    """The function for a rule or recipe, the catalogue's or your own: `of(my_rule)(learning_rate=0.1)`."""

    def make(learning_rate: Any = rule.lr, *hyper: Any, seed: Any = 0, **named: Any) -> Transformation:
        before = rule.switched(tuple(map(by_count, hyper)), {name: by_count(value) for name, value in named.items()})
        config = {} if before else rule.bound(rule.name, hyper, named)
        made = before or rule.configured({name: by_count(value) for name, value in config.items()})
        return optimizer(made, learning_rate, seed=seed)

    either = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [inspect.Parameter("learning_rate", either, default=rule.lr)]
    # of an epsilon the number, which stands in its usual place: `inject_hyperparams` sees numbers
    parameters += [inspect.Parameter(h.name, either, default=h.parts[h.name].default) for h in rule.hyper.values()]
    parameters.append(inspect.Parameter("seed", inspect.Parameter.KEYWORD_ONLY, default=0))
    return _named(make, rule.name, rule.doc, inspect.Signature(parameters, return_annotation=Transformation))


@functools.cache
def _shared(name: str) -> Callable[..., Any]:
    """optax's own function, whose update is our rule's; "contrib.adopt" is `optax.contrib.adopt`."""
    theirs, row = operator.attrgetter(name)(optax), dialects.OPTAX[name]
    signature = inspect.signature(theirs)

    def make(*args: Any, **named: Any) -> Any:
        bound = signature.bind(*args, **named)
        bound.apply_defaults()
        given = OptaxArguments(bound.arguments)
        if not (_at_defaults(bound, row.only) and row.fits(given)):
            return theirs(*args, **named)
        starts = {place: start(given) for place, start in row.starts.items()}
        stage = row.stages(given)
        dtypes = {place: given.static(word) for place, word in row.dtypes.items()}
        face = Face(keeping(stage, dtypes), row.rate(given), 0, starts, row.names)
        handed = {NoisyRule: row.draws, CurvatureRule: row.looks}
        return _made(next((make(face, given.static(word)) for make, word in handed.items() if word), face))

    left = ", ".join(row.only)
    doc = f"optax.{name}, its update computed by our rule" + (f" while {left} are left alone.\n\n" if left else ".\n\n")
    return _named(make, name.rpartition(".")[2], doc + (theirs.__doc__ or ""), signature)


def _at_defaults(bound: inspect.BoundArguments, words: tuple[str, ...]) -> bool:
    pairs = [(bound.arguments[word], bound.signature.parameters[word].default) for word in words]
    return all(value is default or (not hasattr(value, "shape") and value == default) for value, default in pairs)


def _named(make: Callable[..., Any], name: str, doc: str, signature: inspect.Signature) -> Callable[..., Any]:
    make.__name__ = make.__qualname__ = name
    make.__doc__ = doc
    make.__signature__ = signature  # type: ignore[attr-defined]
    return make


class _Contrib:
    """optax.contrib: what has a row is our rule, all else its own."""

    def __getattr__(self, name: str) -> Any:
        if name == "schedule_free_eval_params":
            return _eval_params
        row = f"contrib.{name}"
        return _shared(row) if row in dialects.OPTAX else getattr(optax.contrib, name)

    def __dir__(self) -> list[str]:
        return dir(optax.contrib)


def _eval_params(state: Any, params: Tree) -> Tree:
    """`optax.contrib.schedule_free_eval_params`, for our states too: the average that schedule-free ships."""
    if isinstance(state, State):
        return state.memory[schedule_free.name][schedule_free().functions[0].declaration.shipped]
    return optax.contrib.schedule_free_eval_params(state, params)


contrib = _Contrib()


def __getattr__(name: str) -> Any:
    if name in dialects.OPTAX:
        return _shared(name)
    if not name.startswith("_") and hasattr(optax, name):
        return getattr(optax, name)  # so that one import is all that changes
    if name.startswith("_") or ALIASES.get(name, name) not in rules:
        raise AttributeError(f"thalweg.jax has no optimizer '{name}'{nearest(name, __dir__())}")
    return of(rules[ALIASES.get(name, name)])


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in dialects.OPTAX if "." not in name), *rules})
