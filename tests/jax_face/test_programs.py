"""What XLA makes of `thalweg.jax`: one program for all calls and schedules, in place, and many lanes in one."""

from __future__ import annotations

import dataclasses
import functools
import operator
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

jax = pytest.importorskip("jax")
optax = pytest.importorskip("optax")

import jax.numpy as jnp  # noqa: E402
from support import ASKING, HANDED, RULES  # noqa: E402

import thalweg as tw  # noqa: E402
import thalweg.jax as tj  # noqa: E402
from thalweg.dialects import OPTAX  # noqa: E402
from thalweg.graph.cost import word_kind  # noqa: E402

from .beside_optax.walks import rounding  # noqa: E402

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:Specifying a key", "ignore:.*optimistic_adam_v2"),  # what optax says of these two
]


@pytest.fixture
def wide() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def hollow(params: Any) -> Any:
    """A loss, for who looks at its curvature."""
    return sum(jnp.sum(jnp.cosh(x)) for x in jax.tree.leaves(params))


def step_of(tx: Any) -> Any:
    """A whole step, its parameters and state donated."""

    @functools.partial(jax.jit, donate_argnums=(0, 1))
    def step(params: Any, state: Any, grads: Any, value: Any) -> Any:
        updates, state = tx.update(grads, state, params, value=value, curvature=grads, obj_fn=hollow)
        return optax.apply_updates(params, updates), state

    return step


def made(library: Any, name: str, rate: Any) -> Any:
    """`name` of the library, or "contrib.name" of its contrib, at this rate, which each takes first."""
    return operator.attrgetter(name)(library)(rate)


# One program.

CHAINS: dict[str, Any] = {
    "clip + nadam": lambda rate: tj.optimizer(tw.chain(tw.clip(1.0), tw.nadam()), rate),
    "choose": lambda rate: tj.optimizer(tw.choose((tw.is_matrix, tw.muon().at(lr=0.02)), otherwise=tw.adam()), rate),
    "schedule_free": lambda rate: tj.optimizer(tw.chain(tw.sgd(), tw.schedule_free()), rate),
    "momentum, mu scheduled": lambda rate: tj.of(tw.momentum)(rate, mu=optax.linear_schedule(0.5, 0.9, 5)),
}


@pytest.mark.parametrize("scheduled", [False, True], ids=["number", "schedule"])
@pytest.mark.parametrize("name", [*OPTAX, "lion", "lamb", "eve", "santa_e", *CHAINS])
def test_all_calls_are_one_program(name: str, scheduled: bool) -> None:
    rate = optax.warmup_cosine_decay_schedule(0.0, 0.1, 2, 6) if scheduled else 0.1
    if name in ("polyak_sgd", "optimistic_adam") and scheduled:
        pytest.skip("its rate is a number")
    tx = made(tj, name, rate) if name in OPTAX else (CHAINS.get(name) or tj.of(tw.rules[name]))(rate)
    params = {"w": jnp.ones((3, 2)), "b": jnp.ones(2)}
    state, step = tx.init(params), step_of(tx)
    for t in range(4):
        params, state = step(params, state, {"w": jnp.full((3, 2), 0.1 * t), "b": jnp.ones(2)}, jnp.asarray(1.0 / (t + 1)))
    assert step._cache_size() == 1


@pytest.mark.parametrize("name", HANDED)
def test_a_state_keeps_its_types(name: str) -> None:
    """Shapes, dtypes, weak types: what jit tells programs apart by, and what a scan's carry must keep."""
    tx = tj.optimizer(RULES[name]())
    params = {"w": jax.ShapeDtypeStruct((3, 2), jnp.bfloat16), "b": jax.ShapeDtypeStruct((2,), jnp.float32)}
    state = jax.eval_shape(tx.init, params)
    _, after = jax.eval_shape(tx.update, params, state, params, value=jax.ShapeDtypeStruct((), jnp.float32), curvature=params)
    assert jax.tree.map(_type_of, after) == jax.tree.map(_type_of, state)


def _type_of(x: Any) -> tuple[Any, ...]:
    return x.shape, x.dtype, x.weak_type


# In place.

SIZE = 1 << 20
TWICE = "the old memory is read for the step and for the new memory, two loops on the CPU: XLA copies it"
ROOT = "a root or quotient that two results need is worked out once, and kept"
DRAW = "the draws are arrays"
HELD: dict[str, tuple[int, str]] = {
    "acprop": (1, TWICE), "adan": (1, TWICE), "adopt": (1, TWICE), "lion": (1, TWICE),
    "spam": (1, TWICE), "optimistic_gd": (1, TWICE), "pid": (1, TWICE), "pnm": (2, TWICE), "adapnm": (2, TWICE), "adasmooth": (1, ROOT), "ftrl": (2, ROOT), "adashift": (10, "the window moves on: a copy of its ten gradients"),
    "bcos": (1, TWICE), "kate": (1, ROOT), "vsgd": (3, ROOT),
    "diffgrad": (1, TWICE), "adamod": (1, ROOT), "rprop": (1, TWICE), "adadelta": (2, ROOT), "smorms3": (1, ROOT),
    "asgd": (1, "what is shipped is computed from the old parameters beside the new ones: XLA copies them"),
    "ranger": (1, "the fast point is read for the new parameter and for the slow one: XLA keeps it"),
    "optimistic_adam": (2, TWICE), "santa_e": (5, DRAW), "santa_sss": (7, DRAW), "learned": (160, "its network's hidden layer: twice 4 x 20 numbers"),
}  # fmt: skip
"""Arrays of the parameters' size that a step on the CPU needs besides what it is given and gives, where it needs any."""


def temporaries(tx: Any) -> float:
    """In arrays of the parameters' size."""
    p, value = jax.ShapeDtypeStruct((SIZE,), jnp.float32), jax.ShapeDtypeStruct((), jnp.float32)
    compiled = step_of(tx).lower(p, jax.eval_shape(tx.init, p), p, value).compile()
    return float(compiled.memory_analysis().temp_size_in_bytes) / (4 * SIZE)


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="another backend joins other loops")
@pytest.mark.parametrize("name", [name for name in HANDED if word_kind(RULES[name]()) == "element-wise"])
def test_an_element_wise_step_holds_no_temporary(name: str) -> None:
    found, (known, why) = temporaries(tj.optimizer(RULES[name]())), HELD.get(name, (0, ""))
    assert abs(found - known) < 0.001 + 1e-4 * known, (
        f"{name}: {found:.2f} arrays; if XLA must keep them, say in HELD why ({why})"
    )


@pytest.mark.parametrize("name", OPTAX)
def test_no_more_temporaries_than_optax(name: str) -> None:
    theirs = optax.with_extra_args_support(made(optax, name, 1e-3))
    assert temporaries(made(tj, name, 1e-3)) <= temporaries(theirs) + 0.001


BESIDE = {"contrib.schedule_free_sgd": 1, "contrib.schedule_free_adamw": 1}
"""Arrays that our state has beyond optax's: the average, which it works out of the other two points, at each step into a
temporary. Kept, it is exact at any precision and for b1 = 0."""


@pytest.mark.parametrize("name", OPTAX)
def test_no_larger_a_state_than_optax(name: str) -> None:
    """In numbers, and in arrays, each of which a call has to look at."""
    params = {"w": jax.ShapeDtypeStruct((64, 32), jnp.float32), "b": jax.ShapeDtypeStruct((32,), jnp.float32)}
    ours, theirs = (jax.tree.leaves(jax.eval_shape(made(library, name, 1e-3).init, params)) for library in (tj, optax))
    beside = BESIDE.get(name, 0)
    assert len(ours) <= len(theirs) + beside * len(params)
    assert sum(x.size for x in ours) <= sum(x.size for x in theirs) + beside * sum(p.size for p in params.values())


# Lanes.

LANES = 3
START = {"w": np.random.default_rng(0).normal(size=(4, 3)), "b": np.random.default_rng(1).normal(size=3)}


def shrunk(value: Any, shrink: Any) -> Any:
    """A hyper-parameter's value, smaller; of an epsilon its number, in its place."""
    return dataclasses.replace(value, number=value.number * shrink) if isinstance(value, tw.ops.Epsilon) else value * shrink


@pytest.mark.usefixtures("wide")
@pytest.mark.parametrize("name", HANDED)
def test_lanes_are_separate_runs(name: str) -> None:
    """vmap over learning rates, seeds and every float hyper-parameter at once; losses and gradients differ by lane as well."""
    hyper = {h.name: h.default for h in tw.rules[name].hyper.values() if not h.static}

    def run(rate: Any, seed: Any, shrink: Any, slope: Any) -> Any:
        configured = tw.rules[name](**{word: shrunk(value, shrink) for word, value in hyper.items()})
        stage = configured if name not in MATRICES else tw.choose((tw.is_matrix, configured), otherwise=tw.adam())
        tx = tj.optimizer(stage, rate, seed=seed)

        def one(carry: Any, t: Any) -> Any:
            p, s = carry
            value, g = jax.value_and_grad(lambda p: sum(jnp.sum(jnp.cosh(slope * x - 0.1 * t)) for x in jax.tree.leaves(p)))(p)
            u, s = tx.update(g, s, p, value=value, curvature=g)
            return (optax.apply_updates(p, u), s), None

        return jax.lax.scan(one, (START, tx.init(START)), jnp.arange(4.0))[0]

    given = jnp.array([1e-3, 1e-2, 3e-2]), jnp.array([0, 7, 8]), jnp.array([0.99, 0.95, 0.9]), jnp.array([0.5, 1.0, 1.5])
    together, alone = jax.jit(jax.vmap(run))(*given), jax.jit(run)
    for lane in range(LANES):
        wanted = alone(*(x[lane] for x in given))
        for x, y in zip(jax.tree.leaves(together), jax.tree.leaves(wanted), strict=True):
            np.testing.assert_allclose(x[lane], y, rtol=1e-9, atol=rounding(tw.rules[name](), 1e-12))


MATRICES = tuple(name for name in HANDED if tw.core.compose.refuses_vectors(tw.rules[name]()))


@pytest.mark.usefixtures("wide")
def test_lanes_of_a_method_that_asks_for_gradients() -> None:
    def bowl(p: Any) -> Any:
        return sum(jnp.sum(jnp.cosh(x)) for x in jax.tree.leaves(p))

    def run(rate: Any, rho: Any) -> Any:
        tx = tj.optimizer(tw.chain(tw.sam(rho=rho), tw.adam()), rate)
        p, s = START, tx.init(START)
        for _ in range(3):
            u, s = tx.update(jax.grad(bowl)(p), s, p, value=bowl(p), value_fn=bowl)
            p = optax.apply_updates(p, u)
        return p, s

    rates, rhos = jnp.array([0.01, 0.1]), jnp.array([0.05, 0.5])
    together, alone = jax.jit(jax.vmap(run))(rates, rhos), jax.jit(run)
    for lane in range(2):
        for x, y in zip(jax.tree.leaves(together), jax.tree.leaves(alone(rates[lane], rhos[lane])), strict=True):
            np.testing.assert_allclose(x[lane], y, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("name", ASKING)
def test_a_line_search_says_that_it_runs_outside_of_jit(name: str) -> None:
    tx = tj.optimizer(RULES[name]())
    params = jnp.ones(3)
    with pytest.raises(TypeError, match="cannot run; call its step outside of jit"):
        jax.jit(lambda p, s: tx.update(p, s, p, value_fn=lambda p: 0.5 * jnp.sum(p * p)))(params, tx.init(params))


def test_looksam_says_by_name_that_it_runs_outside_of_jit_and_does() -> None:
    optimizer = tw.Optimizer(tw.chain(tw.looksam(k=2), tw.sgd()), 0.1)
    params, grad_fn = {"w": jnp.ones(3)}, jax.jit(jax.value_and_grad(lambda p: jnp.sum(p["w"] ** 4)))

    def step(p: Any, s: Any) -> Any:
        return optimizer.step(p, None, s, grad_fn=grad_fn)

    with pytest.raises(
        TypeError, match=r"^looksam: this method decides .*call its step outside of jit, with a grad_fn that is jitted"
    ):
        jax.jit(step)(params, optimizer.init(params))
    assert float(step(params, optimizer.init(params))[0]["w"][0]) < 1.0
