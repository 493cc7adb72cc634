"""optax transformations made from the rules: `thalweg.jax.adam(learning_rate=1e-3)` goes wherever any other goes.

The functions with names of optax's have optax's arguments and defaults, and our rule's update; options that the rule lacks
(`mask`, `mu_dtype`, ...) fall back to optax's own function. Every other rule has a function made from its signature:
`of(rule)`; any chain has `optimizer(chain)`. All other names of optax (`chain`, `apply_updates`, ...) are optax's.
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
from thalweg.jax.from_optax import from_optax
from thalweg.jax.hessian import hutchinson
from thalweg.jax.routes import routes
from thalweg.jax.saved import load_state, save_state
from thalweg.jax.trees import State, Tree, Without
from thalweg.methods import rules
from thalweg.rule import Rule
from thalweg.stages.after import schedule_free

__all__ = [
    "Drawn",
    "Looked",
    "State",
    "Transformation",
    "Without",
    "contrib",
    "from_optax",
    "hutchinson",
    "load_state",
    "of",
    "optimizer",
    "routes",
    "save_state",
]


class Transformation(optax.GradientTransformationExtraArgs):  # type: ignore[misc]
    """An optax transformation of a rule, with `init`, `update` and `ship`.

    `update(grads, state, params=None, *, value=None, value_fn=None, noise=None, curvature=None)` raises ValueError if the
    tree of the gradients differs from that of the parameters or the state. It ignores other keywords, which are for the
    transformations beside it in a chain.

    Parameters
    ----------
    value : float, optional
        The loss, for rules that ask for it.
    value_fn : callable, optional
        Maps parameters to the loss. For methods that take gradients at points of their own, and to estimate the curvature.
    noise, curvature : pytree, optional
        Noise and curvature to use instead of drawn or estimated ones.
    """

    def ship(self, params: Tree, state: State) -> Tree:
        """Return the point to keep and evaluate: the average or updated iterate if the method has one, else `params`."""
        face: Face | NoisyRule | CurvatureRule = self.update.__self__
        return face.ship(params, state)


def optimizer(rule: Any, learning_rate: Any = None, *, seed: Any = 0) -> Transformation:
    """Return the transformation of any rule, stage or chain.

    Parameters
    ----------
    rule : Rule or Stage
        A rule, a configured stage or a chain.
    learning_rate : float or callable, optional
        A number, or a schedule of optax's count (0, 1, ...). Default: the rule's own.
    seed : int
        Seed of the rules that draw.

    Returns
    -------
    Transformation

    Raises
    ------
    TypeError
        If `rule` is neither a rule nor a stage.
    ValueError
        If there is no learning rate.
    """
    stage = as_stage(rule)
    rate = stage.lr if learning_rate is None else by_count(check_lr(learning_rate, stage.name))
    return _made(Face(stage, rate, seed))


def _made(face: Face | NoisyRule | CurvatureRule) -> Transformation:
    return Transformation(face.init, face.update)


@functools.cache
def of(rule: Rule) -> Callable[..., Transformation]:
    """Return the function of a rule or recipe, from the catalogue or your own.

    Parameters
    ----------
    rule : Rule
        The rule or recipe.

    Returns
    -------
    callable
        Maps learning rate and hyper-parameters to a `Transformation`: `of(my_rule)(learning_rate=0.1)`.
    """

    def make(learning_rate: Any = rule.lr, *hyper: Any, seed: Any = 0, **named: Any) -> Transformation:
        before = rule.switched(tuple(map(by_count, hyper)), {name: by_count(value) for name, value in named.items()})
        config = {} if before else rule.bound(rule.name, hyper, named)
        made = before or rule.configured({name: by_count(value) for name, value in config.items()})
        return optimizer(made, learning_rate, seed=seed)

    either = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [inspect.Parameter("learning_rate", either, default=rule.lr)]
    # For an epsilon the number, in its usual place: `inject_hyperparams` sees numbers.
    parameters += [inspect.Parameter(h.name, either, default=h.parts[h.name].default) for h in rule.hyper.values()]
    parameters.append(inspect.Parameter("seed", inspect.Parameter.KEYWORD_ONLY, default=0))
    return _named(make, rule.name, rule.doc, inspect.Signature(parameters, return_annotation=Transformation))


@functools.cache
def _shared(name: str) -> Callable[..., Any]:
    """Return optax's own function with our rule's update; "contrib.adopt" is `optax.contrib.adopt`."""
    theirs, row = operator.attrgetter(name)(optax), dialects.OPTAX[name]
    signature = inspect.signature(theirs)

    def make(*args: Any, **named: Any) -> Any:
        bound = signature.bind(*args, **named)
        bound.apply_defaults()
        if bound.arguments.get("learning_rate", 0.0) is None and signature.parameters["learning_rate"].default is not None:
            raise TypeError(f"{name}: learning_rate is a number or a schedule, not None")
        given = OptaxArguments(bound.arguments)
        if not (_at_defaults(bound, row.only) and (row.fits is None or row.fits(given))):
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
    """optax.contrib: our rule for each function with a row, optax's own for all else."""

    def __getattr__(self, name: str) -> Any:
        if name == "schedule_free_eval_params":
            return _eval_params
        row = f"contrib.{name}"
        return _shared(row) if row in dialects.OPTAX else getattr(optax.contrib, name)

    def __dir__(self) -> list[str]:
        return dir(optax.contrib)


def _eval_params(state: Any, params: Tree) -> Tree:
    """`optax.contrib.schedule_free_eval_params` for our states too: the average that schedule-free ships."""
    if isinstance(state, State):
        held = next((slots for stage, slots in state.memory.items() if stage.startswith(schedule_free.name)), None)
        if held is None:
            raise ValueError("the state is of another transformation: it has no average, and schedule_free keeps one")
        return held[schedule_free().functions[0].declaration.shipped]
    return optax.contrib.schedule_free_eval_params(state, params)


contrib = _Contrib()


def __getattr__(name: str) -> Any:
    return _shared(name) if name in dialects.OPTAX else _other(name)


def _other(name: str) -> Any:
    if not name.startswith("_") and hasattr(optax, name):
        return getattr(optax, name)  # so that changing one import suffices
    if name.startswith("_") or name not in rules:
        raise AttributeError(f"thalweg.jax has no optimizer '{name}'{nearest(name, __dir__())}")
    return of(rules[name])


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in dialects.OPTAX if "." not in name), *rules})
