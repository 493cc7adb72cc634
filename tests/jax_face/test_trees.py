"""JAX's trees: whose gradients they are, and what their leaves are called."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import pytest

jax = pytest.importorskip("jax")
optax = pytest.importorskip("optax")

import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

import thalweg as tw  # noqa: E402
import thalweg.jax as tj  # noqa: E402
from thalweg.jax.trees import names_of  # noqa: E402


def tree(*keys: str) -> Any:
    return {key: jnp.ones(2) for key in keys}


MADE = {
    "adam": lambda: tj.adam(1e-2),
    "adamw": lambda: tj.adamw(1e-2),
    "momentum": lambda: tj.sgd(1e-2, momentum=0.9),
    "lion": lambda: tj.of(tw.rules["lion"])(1e-2),
    "prodigy": lambda: tj.optimizer(tw.prodigy(), 1.0),
    "choose": lambda: tj.optimizer(tw.choose((tw.named("w"), tw.adam()), otherwise=tw.lion()), 1e-2),
    "after-step": lambda: tj.optimizer(tw.chain(tw.sgd(), tw.schedule_free()), 1e-2),
}
OTHERS = {
    "another key": (lambda: tree("w", "x"), "have x and lack b"),
    "one less": (lambda: tree("w"), "lack b"),
    "one more": (lambda: tree("w", "b", "x"), "have x"),
    "none": (dict, "lack b, w"),
    "None for one": (lambda: {"w": jnp.ones(2), "b": None}, "lack b"),
    "a list": (lambda: [jnp.ones(2), jnp.ones(2)], "have 0, 1 and lack b, w"),
    "deeper": (lambda: {"w": tree("w"), "b": jnp.ones(2)}, r"have w\.w and lack w"),
}


FEW = ("adam", "choose")
EVERY_OTHER = [(name, other) for name in MADE for other in OTHERS]


@pytest.mark.parametrize(
    ("name", "other"),
    [pytest.param(n, o, marks=() if n in FEW or o == "another key" else pytest.mark.slow) for n, o in EVERY_OTHER],
)
def test_gradients_of_another_tree_are_refused(name: str, other: str) -> None:
    t, (make, words) = MADE[name](), OTHERS[other]
    params = tree("w", "b")
    state = t.init(params)
    with pytest.raises(ValueError, match=f"another tree than the parameters: they {words}"):
        t.update(make(), state, params)
    if name not in ("after-step", "adamw", "prodigy"):  # those look at the parameters
        with pytest.raises(ValueError, match=f"another tree than the state: they {words}"):
            t.update(make(), state)


def test_what_has_no_memory_knows_the_parameters_tree() -> None:
    t = tj.sgd(0.1)
    assert set(t.update(tree("w"), t.init(tree("w")))[0]) == {"w"}
    with pytest.raises(ValueError, match="another tree than the parameters"):
        t.update(tree("x"), t.init(tree("w")), tree("w"))


def test_masked_and_partitioned_trees_pass() -> None:
    params = tree("w", "b")
    for lib in (optax, tj):
        masked = optax.masked(lib.adam(0.1), {"w": True, "b": False})
        updates, _ = masked.update(params, masked.init(params), params)
        np.testing.assert_allclose(updates["b"], 1.0)
    some = {"w": jnp.ones(2), "f": None}
    t = tj.adam(0.1)
    assert t.update(some, t.init(some), some)[0]["f"] is None


def test_whole_numbers_as_gradients_and_no_parameters_at_all() -> None:
    grads = {"w": jnp.arange(2), "b": jnp.arange(2)}
    for given in ((tree("w", "b"),), ()):
        ours, theirs = (lib.adam(1e-2).update(grads, lib.adam(1e-2).init(tree("w", "b")), *given)[0] for lib in (tj, optax))
        for key in grads:
            assert ours[key].dtype == theirs[key].dtype
            np.testing.assert_allclose(ours[key], theirs[key], rtol=1e-6)
    t = tj.adam(1e-2)
    assert t.update({}, t.init({}), {})[0] == {}
    with pytest.raises(TypeError, match="parameter 'w' has dtype int32"):
        t.init({"w": jnp.arange(2)})


def named_trees() -> dict[str, Any]:
    nested = {"hidden": {"w": jnp.ones(2)}, "head": {"w": jnp.ones(2)}}
    return {"dict": nested, "slots' names": {"hidden.w": jnp.ones(2), "m": jnp.ones(2), "v": jnp.ones(2), "d": jnp.ones(2)}}


@pytest.mark.parametrize("kind", ["dict", "slots' names", "FrozenDict"])
@pytest.mark.parametrize(
    "pattern", [r"^hidden\.w$", *(pytest.param(p, marks=pytest.mark.slow) for p in ("hidden", r"hidden\.w"))]
)
def test_names_are_dotted_as_in_every_face(kind: str, pattern: str) -> None:
    if kind == "FrozenDict":
        params = pytest.importorskip("flax.core").FrozenDict(named_trees()["dict"])
    else:
        params = named_trees()[kind]
    for other in (tw.adam(), tw.prodigy()):
        t = tj.optimizer(tw.choose((tw.named(pattern), tw.adam().at(lr=0.0)), otherwise=other), 1.0)
        state = t.init(params)
        for _ in range(2):
            updates, state = jax.jit(t.update)(params, state, params)
        still = {name for u, name in zip(jax.tree.leaves(updates), names_of(updates), strict=True) if not u.any()}
        assert still == {"hidden.w"}


def test_names_of_modules() -> None:
    nnx = pytest.importorskip("flax.nnx")
    assert names_of(nnx.state(nnx.Linear(2, 2, rngs=nnx.Rngs(0)))) == ["bias", "kernel"]
    eqx = pytest.importorskip("equinox")
    net = eqx.filter(eqx.nn.MLP(2, 2, 2, 1, key=jax.random.key(0)), eqx.is_array)
    assert names_of(net) == [f"layers.{i}.{part}" for i in range(2) for part in ("weight", "bias")]
    assert names_of({"a.b": 1.0, "a": {"b": 1.0}}) == ["['a']['b']", "['a.b']"]


def test_schedules_and_rates_reach_the_branch_they_were_set_for() -> None:
    params = {"w": jnp.ones((2, 2)), "b": jnp.ones(2)}
    rule = tw.choose((tw.is_matrix, tw.sgd().at(lr=lambda t: 0.5 * t)), otherwise=tw.sgd())
    t = tj.optimizer(rule, optax.linear_schedule(1.0, 0.0, 2))
    state = t.init(params)
    for k, rate in enumerate((1.0, 0.5)):
        updates, state = t.update(params, state, params)
        np.testing.assert_allclose(updates["w"], -0.5 * (k + 1))
        np.testing.assert_allclose(updates["b"], -rate)


@pytest.mark.parametrize("make", [lambda: tj.adam(0.1), lambda: tj.optimizer(tw.prodigy(), 1.0), lambda: tj.lion(0.1)])
def test_a_state_that_lost_memory_or_is_of_another_shape_is_refused(make: Any) -> None:
    t, params = make(), {"w": jnp.ones((2, 2))}
    state = t.update(params, t.init(params), params)[1]
    other = t.init({"w": jnp.ones((1, 1))})
    for update in (t.update, jax.jit(t.update)):
        with pytest.raises(ValueError, match="the state lacks"):
            update(params, state._replace(memory={}), params)
        with pytest.raises(ValueError, match=r"for 'w' has shape \(1, 1\); wanted is \(2, 2\)"):
            update(params, other, params)


@pytest.mark.parametrize(
    "make",
    [
        lambda: tj.adam(tw.schedules.cosine(0.1, 10)),
        lambda: tj.adam(optax.cosine_decay_schedule),
        lambda: tj.contrib.muon(0.1),
        lambda: tj.optimizer(tw.adam(), tw.schedules.cosine(0.1, 10)),
    ],
    ids=["a schedule", "a function", "muon", "a chain"],
)
def test_a_transformation_with_functions_pickles(make: Callable[[], Any]) -> None:
    again = pickle.loads(pickle.dumps(make()))
    assert type(again) is type(make())


def test_transformations_pickle() -> None:
    params = {"w": jnp.ones((2, 2))}
    for t in (tj.adamw(0.1), tj.adafactor(0.1, min_dim_size_to_factor=2), tj.optimizer(tw.prodigy(), 1.0)):
        again = pickle.loads(pickle.dumps(t))
        state = pickle.loads(pickle.dumps(t.init(params)))
        np.testing.assert_array_equal(again.update(params, state, params)[0]["w"], t.update(params, state, params)[0]["w"])
