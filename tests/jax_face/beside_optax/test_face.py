"""`thalweg.jax`: its functions, their signatures, what they take and refuse."""

from __future__ import annotations

import inspect
import subprocess
import sys
from typing import Any

import pytest

jax = pytest.importorskip("jax")
optax = pytest.importorskip("optax")

import jax.numpy as jnp  # noqa: E402
from support import ASKING, HANDED, PATIENCE, RULES, asked_for, bent  # noqa: E402

import thalweg as tw  # noqa: E402
import thalweg.jax as tj  # noqa: E402
from thalweg.dialects import OPTAX  # noqa: E402
from thalweg.jax.face import Apart  # noqa: E402

from .walks import TREE, apart, rounding, stream, tree, walk  # noqa: E402

pytestmark = pytest.mark.slow


def test_all_else_is_optaxs() -> None:
    for name in dir(optax):
        if name not in OPTAX and name != "contrib" and not name.startswith("_"):
            assert getattr(tj, name) is getattr(optax, name), name
    assert tj.contrib.sam is optax.contrib.sam


def test_signatures_are_optaxs_and_the_rules() -> None:
    assert inspect.signature(tj.adamw) == inspect.signature(optax.adamw)
    assert list(inspect.signature(tj.adabound).parameters) == ["learning_rate", *tw.adabound.hyper, "seed"]
    with pytest.raises(TypeError, match="adabound has no hyper-parameter 'beta_1'"):
        tj.adabound(0.1, beta_1=0.5)
    with pytest.raises(AttributeError, match="did you mean 'adabound'"):
        _ = tj.adabond
    assert {"adam", "adabound", "of", "optimizer"} <= set(dir(tj))


def test_a_draw_is_a_function_of_seed_and_count() -> None:
    ends = [walk(tj.santa_e(1e-3, seed=seed), tree(0), stream(4))[0] for seed in (0, 0, 1)]
    assert apart(ends[0], ends[1]) == 0
    assert apart(ends[0], ends[2]) > 1e-6


@pytest.mark.parametrize("name", HANDED)
def test_every_rule_is_a_transformation_that_walks_as_the_pure_one(name: str) -> None:
    method = RULES[name]
    stage = tw.core.compose.as_stage(method() if callable(method) else method)
    tx, pure = tj.optimizer(stage, 0.01), tw.Optimizer(stage, lr=0.01)
    p, s = tree(0), tx.init(tree(0))
    names, leaves = Apart.of(p).outline.names, Apart.of(p).arrays()  # what is drawn depends on the names
    q = dict(zip(names, leaves, strict=True))
    state = pure.init(q)
    update = jax.jit(tx.update)
    for t in range(8):
        g, value = tree(t + 1), jnp.asarray(1.0 / (t + 1))
        given = dict(zip(names, jax.tree.leaves(g), strict=True))
        u, s = update(g, s, p, value=value, curvature=jax.tree.unflatten(jax.tree.structure(g), bent(given).values()))
        p = optax.apply_updates(p, u)
        q, state = pure.step(q, given, state, **asked_for(pure, given, value))
    assert apart(jax.tree.leaves(p), list(q.values())) < rounding(stage, 1e-9)
    assert s.count is None or int(s.count) == 8
    for shape, x in zip(jax.tree.leaves(TREE, is_leaf=lambda x: isinstance(x, tuple)), jax.tree.leaves(p), strict=True):
        assert x.shape == shape


@pytest.mark.parametrize("name", ASKING)
def test_methods_that_ask_for_gradients_take_value_fn(name: str) -> None:
    def value_fn(p: Any) -> Any:
        return sum(jnp.sum(jnp.cosh(x - 0.3)) for x in jax.tree.leaves(p))

    method = RULES[name]
    stage = tw.core.compose.as_stage(method() if callable(method) else method)
    tx, pure = tj.optimizer(stage, 0.1), tw.Optimizer(stage, lr=0.1)
    p, s = tree(0), tx.init(tree(0))
    q, state = tree(0), pure.init(tree(0))
    for _ in range(5):
        value, g = jax.value_and_grad(value_fn)(p)
        u, s = tx.update(g, s, p, value=value, value_fn=value_fn)
        p = optax.apply_updates(p, u)
        q, state = pure.step(q, None, state, grad_fn=jax.value_and_grad(value_fn))
    assert apart(p, q) < 1e-9
    with pytest.raises(TypeError, match="asks for gradients itself"):
        tx.update(tree(1), s, p, value=0.0)


def test_updates_without_parameters_and_in_other_dtypes() -> None:
    tx = tj.adam(1e-2)
    params, g = tree(0), tree(1)
    with_them, _ = tx.update(g, tx.init(params), params)
    without, _ = tx.update(g, tx.init(params))
    assert apart(with_them, without) == 0
    with pytest.raises(ValueError, match="looks at the parameters: update"):
        tj.adamw(1e-2, weight_decay=0.1).update(g, tj.adamw(1e-2, weight_decay=0.1).init(params))
    half = jax.tree.map(lambda x: x.astype(jnp.bfloat16), g)
    updates, state = tx.update(half, tx.init(params), params)
    assert {x.dtype for x in jax.tree.leaves(updates)} == {jnp.dtype(jnp.bfloat16)}, "as optax: the dtype of the gradients"
    assert state.memory["adam"]["mu"]["w"].dtype == jnp.float64


def test_ship_and_what_is_refused() -> None:
    tx = tj.optimizer(tw.chain(tw.sgd(), tw.schedule_free()), 0.1)
    params = tree(0)
    state = tx.init(params)
    for t in range(5):
        updates, state = jax.jit(tx.update)(tree(t + 1), state, params)
        params = optax.apply_updates(params, updates)
    pure = tw.Optimizer(tw.chain(tw.sgd(), tw.schedule_free()), lr=0.1)
    q, kept = tree(0), pure.init(tree(0))
    for t in range(5):
        q, kept = pure.step(q, tree(t + 1), kept)
    assert apart(tx.ship(params, state), pure.ship(q, kept)) < 1e-12
    with pytest.raises(ValueError, match=r"optax\.MultiSteps"):
        tj.optimizer(tw.every(4, tw.adam()))
    with pytest.raises(TypeError, match=r"eve asks for the loss: update\(grads, state, params, value=\.\.\.\)"):
        tj.eve(1e-3).update(tree(1), tj.eve(1e-3).init(tree(0)), tree(0))


def test_importing_thalweg_imports_no_jax() -> None:
    code = "import sys, thalweg; sys.exit('jax' in sys.modules or 'optax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=PATIENCE).returncode == 0
