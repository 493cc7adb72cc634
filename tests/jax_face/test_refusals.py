"""What an update refuses: states of other transformations or parameters, gradients of other shapes or kinds."""

from __future__ import annotations

from typing import Any

import pytest
from support import first

jax = pytest.importorskip("jax")
optax = pytest.importorskip("optax")

import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

import thalweg as tw  # noqa: E402
import thalweg.jax as tj  # noqa: E402

PARAMS = {"w": jnp.ones(2), "b": jnp.ones(3)}
MADE: dict[str, Any] = {
    "sgd": lambda: tj.sgd(0.1),
    "sgd, scheduled": lambda: tj.sgd(optax.constant_schedule(0.1)),
    "momentum": lambda: tj.sgd(0.1, momentum=0.9),
    "adam": lambda: tj.adam(0.1),
    "rmsprop": lambda: tj.rmsprop(0.1),
    "rmsprop + momentum": lambda: tj.rmsprop(0.1, momentum=0.9),
    "lion": lambda: tj.lion(0.1),
    "prodigy": lambda: tj.optimizer(tw.prodigy(), 1.0),
    "momo": lambda: tj.contrib.momo(0.1),
    "choose": lambda: tj.optimizer(tw.choose((tw.named("w"), tw.adam()), otherwise=tw.lion()), 0.1),
    "schedule_free": lambda: tj.optimizer(tw.chain(tw.sgd(), tw.schedule_free()), 0.1),
    "noisy_sgd": lambda: tj.noisy_sgd(0.1),
    "sophia": lambda: tj.contrib.sophia(0.1),
}


def loss(params: Any) -> Any:
    return sum(jnp.sum(jnp.cosh(x)) for x in jax.tree.leaves(params))


def step(t: Any, state: Any, grads: Any = PARAMS, params: Any = PARAMS, **more: Any) -> Any:
    return t.update(grads, state, params, **{"value": 1.0, "value_fn": loss, "obj_fn": loss, **more})


@pytest.mark.parametrize("name", first(MADE, 4))
def test_a_state_of_another_transformation_is_refused(name: str) -> None:
    t = MADE[name]()
    step(t, t.init(PARAMS))
    for other in MADE.keys() - {name}:
        state = MADE[other]().init(PARAMS)
        for update in (step, lambda t, state: jax.eval_shape(lambda state: step(t, state), state)):
            with pytest.raises((ValueError, TypeError), match=r"the state (is of|lacks)"):
                update(t, state)
        with pytest.raises((ValueError, TypeError), match=r"the state (is of|lacks)"):
            t.ship(PARAMS, state)


def test_both_are_named() -> None:
    adam = MADE["adam"]().init(PARAMS)
    for name, said in (("sgd", "sgd, which keeps none"), ("rmsprop", r"rmsprop, which keeps rmsprop\.nu")):
        with pytest.raises(ValueError, match=rf"it has the memory adam\.mu, adam\.nu, and this is {said}; init\(params\) makes"):
            step(MADE[name](), adam)
    with pytest.raises(ValueError, match="it has no count, and this is sgd, which reads one"):
        step(MADE["sgd, scheduled"](), MADE["sgd"]().init(PARAMS))
    with pytest.raises(ValueError, match="it has a count, and this is sgd, which reads none"):
        step(MADE["sgd"](), MADE["sgd, scheduled"]().init(PARAMS))
    with pytest.raises(TypeError, match="the state is of type Drawn, not what init"):
        step(MADE["sgd"](), MADE["noisy_sgd"]().init(PARAMS))
    chosen = tj.optimizer(tw.choose((tw.named("b"), tw.adam()), otherwise=tw.lion()), 0.1).init(PARAMS)
    with pytest.raises(
        ValueError, match=r"it has choose\(adam, lion\)\.adam\.adam\.m for the tensors b, and this .* keeps it for w;"
    ):
        step(MADE["choose"](), chosen)
    with pytest.raises(ValueError, match="it has no average, and schedule_free keeps one"):
        tj.contrib.schedule_free_eval_params(adam, PARAMS)


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("state", [None, {}, (), [1], optax.EmptyState(), optax.adam(0.1).init(PARAMS)], ids=repr)
def test_what_is_no_state_is_refused(name: str, state: Any) -> None:
    with pytest.raises(TypeError, match=r"the state is .*, not what init\(params\) and update of this .* return"):
        step(MADE[name](), state)


ADAM = tj.adam(0.1).init(PARAMS)
MU, NU = (ADAM.memory["adam"][slot] for slot in ("mu", "nu"))
CHANGED: dict[str, tuple[Any, str]] = {
    "no memory": (ADAM._replace(memory={}), r"lacks the memory adam\.mu, adam\.nu of adam: it has none"),
    "no dict": (ADAM._replace(memory=None), "memory is None, not the dict"),
    "no slot": (ADAM._replace(memory={"adam": {"mu": MU}}), r"lacks the memory adam\.nu of adam: it has adam\.mu"),
    "one more": (ADAM._replace(memory={"adam": {"mu": MU, "nu": NU, "x": MU}}), r"it has the memory adam\.mu, adam\.nu, adam\.x"),
    "a stage more": (ADAM._replace(memory={**ADAM.memory, "x": {}}), r"it has the memory adam\.mu, adam\.nu, x"),
    "an array for a stage": (ADAM._replace(memory={"adam": jnp.ones(2)}), "it has the memory adam, and"),
    "an iterate": (ADAM._replace(walked=PARAMS), "it has an updated iterate, and this is adam"),
    "another shape": (ADAM._replace(memory={"adam": {"mu": {**MU, "w": jnp.ones(3)}, "nu": NU}}), r"'w' has shape \(3,\)"),
    "another tree": (ADAM._replace(memory={"adam": {"mu": {"w": MU["w"]}, "nu": NU}}), "another tree than the state"),
    "one tensor without": (
        ADAM._replace(memory={"adam": {"mu": {**MU, "w": tj.Without()}, "nu": NU}}),
        r"it has adam\.mu for the tensors b, .* keeps it for b, w",
    ),
    "whole numbers": (
        ADAM._replace(memory={"adam": {"mu": {**MU, "w": jnp.arange(2)}, "nu": NU}}), r"adam\.mu for 'w' is int32 of shape \(2,\)",
    ),
    "complex": (ADAM._replace(memory={"adam": {"mu": {**MU, "w": 1j * MU["w"]}, "nu": NU}}), r"adam\.mu for 'w' is complex64"),
    "a number": (ADAM._replace(memory={"adam": {"mu": {**MU, "w": 1.0}, "nu": NU}}), "for 'w' is of type float"),
    "two counts": (ADAM._replace(count=jnp.zeros(2, int)), r"count is int32 of shape \(2,\)"),
    "a Python count": (ADAM._replace(count=0), "count is of type int"),
}  # fmt: skip


@pytest.mark.parametrize("case", CHANGED)
def test_a_changed_state_is_refused(case: str) -> None:
    state, said = CHANGED[case]
    with pytest.raises((ValueError, TypeError), match=said):
        tj.adam(0.1).update(PARAMS, state, PARAMS)


def test_a_changed_number_or_iterate_is_refused() -> None:
    t = MADE["prodigy"]()
    held = t.init(PARAMS).memory["prodigy"]
    for d in (jnp.ones(2), PARAMS, None, 1.0, jnp.asarray(1j), jnp.asarray(1)):
        with pytest.raises(ValueError, match=r"the state's prodigy\.d is .*; wanted is an array of one floating-point number"):
            step(t, t.init(PARAMS)._replace(memory={"prodigy": {**held, "d": d}}))
    t = MADE["schedule_free"]()
    for walked, said in (
        (None, "it has no updated iterate"),
        ({"w": jnp.ones(2), "b": jnp.ones(())}, r"updated iterate for 'b' has shape \(\); wanted is \(3,\)"),
        ({"w": jnp.ones(2)}, "another tree than the state"),
        ({"w": jnp.ones(2), "b": 1.0}, "updated iterate for 'b' is of type float"),
    ):
        with pytest.raises((ValueError, TypeError), match=said):
            step(t, t.init(PARAMS)._replace(walked=walked))


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("shape", [(1,), (), (1, 2), (2, 1), (3,)], ids=str)
def test_a_gradient_of_another_shape_is_refused(name: str, shape: tuple[int, ...]) -> None:
    t = MADE[name]()
    grads = {"w": jnp.ones(shape), "b": jnp.ones(3)}
    for update in (step, jax.jit(step, static_argnums=0)):
        with pytest.raises(ValueError, match=rf"the gradient of 'w' has shape \({str(shape)[1:-1]}\), the parameter \(2,\)"):
            update(t, t.init(PARAMS), grads)


def test_shapes_are_looked_at_in_each_update() -> None:
    t = tj.sgd(0.1)
    state = t.init(PARAMS)
    t.update(PARAMS, state, PARAMS)
    with pytest.raises(ValueError, match="the gradient of 'w' has shape"):
        t.update({**PARAMS, "w": jnp.ones(1)}, state, PARAMS)


@pytest.mark.parametrize(("leaf", "said"), [
    ("x", "is of type str"), (np.array([1, 2], object), "is object of shape"), (np.zeros(2, jax.dtypes.float0), "is float0 of shape"),
    (jax.random.key(0), "is key<fry> of shape"),
])  # fmt: skip
def test_what_is_no_array_of_numbers_is_refused(leaf: Any, said: str) -> None:
    t = tj.adam(0.1)
    with pytest.raises(TypeError, match=f"the leaf 'w' {said}.*, no array of numbers"):
        t.update({**PARAMS, "w": leaf}, t.init(PARAMS), PARAMS)


@pytest.mark.parametrize("word", ["noise", "curvature"])
def test_noise_and_curvature_of_another_tree_or_shape_are_refused(word: str) -> None:
    t = tj.optimizer({"noise": tw.noisy_sgd, "curvature": tw.sophia}[word](), 0.1)
    for given, said in (
        ({**PARAMS, "w": jnp.ones(1)}, rf"the {word} of 'w' has shape \(1,\), the parameter \(2,\)"),
        ({"w": PARAMS["w"]}, f"another tree than the {word}: they have b"),
        ({**PARAMS, "w": 1j * PARAMS["w"]}, f"the {word} of 'w' is complex64"),
    ):
        with pytest.raises((ValueError, TypeError), match=said):
            step(t, t.init(PARAMS), **{word: given})


def test_a_loss_of_several_numbers_is_refused() -> None:
    t = tj.eve(0.1)
    for value, said in ((jnp.ones(2), r"the loss has shape \(2,\), and eve reads one number"), (1j, "the loss is complex")):
        with pytest.raises((ValueError, TypeError), match=said):
            t.update(PARAMS, t.init(PARAMS), PARAMS, value=value)
    for value in (jnp.ones(2), "x", {}):
        assert tj.adam(0.1).update(PARAMS, ADAM, PARAMS, value=value), "what reads no loss passes over it"


def test_parameters_of_whole_numbers_are_refused() -> None:
    for t in (tj.adam(0.1), tj.sgd(0.1)):
        with pytest.raises(TypeError, match="parameter 'w' has dtype int32; optimizers need floating point"):
            t.update(PARAMS, t.init(PARAMS), {**PARAMS, "w": jnp.arange(2)})


def test_memory_of_other_shapes_is_refused_where_nothing_else_looks_at_it() -> None:
    other = {"w": jnp.ones(3), "b": jnp.ones(2)}
    average = tj.optimizer(tw.chain(tw.adam(), tw.average(0.9)), 0.1)
    with pytest.raises(ValueError, match=r"for 'b' has shape \(3,\); wanted is \(2,\)"):
        average.ship(other, average.init(PARAMS))
    lbfgs = tj.of(tw.lbfgs)()
    with pytest.raises(ValueError, match=r"lbfgs\.S for 'b' has shape \(10, 3\); wanted is \(10, 2\)"):
        step(lbfgs, lbfgs.init(PARAMS), other, other)


@pytest.mark.parametrize("make", [lambda x: tj.adam(x), lambda x: tj.adam(0.1, b1=x), lambda x: tj.optimizer(tw.sgd(), x)])
def test_several_rates_are_refused(make: Any) -> None:
    for several in (jnp.full(3, 0.1), jnp.full(1, 0.1), [0.1, 0.2]):
        with pytest.raises(ValueError, match=r"has shape .*; it is one number"):
            make(several)


@pytest.mark.parametrize("given", [jnp.ones(3), jnp.ones(1), None, "x", 1j, jnp.asarray(1j)], ids=repr)
def test_a_schedule_gives_one_number(given: Any) -> None:
    t = tj.adam(lambda count: given)
    for update, when in ((t.update, " at t = 0"), (jax.jit(t.update), "")):
        with pytest.raises(TypeError, match=rf"the schedule .* gave .*\S{when}; it returns a number"):
            update(PARAMS, t.init(PARAMS), PARAMS)


@pytest.mark.parametrize("mask", ["w", {"w": "no", "b": True}, {"w": jnp.ones(2, bool), "b": True}], ids=repr)
def test_a_mask_is_of_bools(mask: Any) -> None:
    t = tj.adamw(0.1, mask=mask)
    with pytest.raises(TypeError, match=r"mask holds .* for '.', not True or False"):
        t.update(PARAMS, t.init(PARAMS), PARAMS)


def test_a_rate_of_none_is_refused_where_optax_wants_one() -> None:
    with pytest.raises(TypeError, match="adam: learning_rate is a number or a schedule, not None"):
        tj.adam(None)
    tj.adafactor(None)
