"""Complex tensors: two real ones to a rule, and what they are to who asks for their shape."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import thalweg as tw

STEPS = 5


def tree(seed: int) -> dict[str, Any]:
    draw = np.random.default_rng(seed)
    shapes = {"matrix": (4, 3), "vector": (5,), "number": ()}
    return {name: np.asarray(draw.normal(size=s) + 1j * draw.normal(size=s)) for name, s in shapes.items()}


def in_two(tree: dict[str, Any]) -> dict[str, Any]:
    """Real and imaginary parts as tensors of their own."""
    return {f"{name} {part}": np.array(getattr(x, part)) for name, x in tree.items() for part in ("real", "imag")}


def by_numpy(stage: Any) -> dict[str, Any]:
    """NumPy's face and the pure core take no complex arrays; these are its parts as arrays."""
    optimizer = tw.Optimizer(stage, lr=0.1)
    params, state = in_two(tree(0)), optimizer.init(in_two(tree(0)))
    for t in range(STEPS):
        params, state = optimizer.step(params, in_two(tree(t + 1)), state)
    return {name: params[f"{name} real"] + 1j * params[f"{name} imag"] for name in tree(0)}


def by_torch(stage: Any) -> dict[str, Any]:
    torch = pytest.importorskip("torch")
    import thalweg.torch as tt

    params = {name: torch.nn.Parameter(torch.tensor(x)) for name, x in tree(0).items()}
    optimizer = tt.Optimizer(params.values(), stage, lr=0.1)
    for t in range(STEPS):
        for name, g in tree(t + 1).items():
            params[name].grad = torch.tensor(g)
        optimizer.step()
    kept = {x.shape for state in optimizer.state.values() for x in state.values() if x.is_complex()}
    assert kept == {tuple(x.shape) for x in tree(0).values()}
    return {name: p.detach().numpy() for name, p in params.items()}


def by_jax(stage: Any) -> dict[str, Any]:
    jax = pytest.importorskip("jax")
    optax = pytest.importorskip("optax")
    import thalweg.jax as tj

    with jax.enable_x64(True):
        tx = tj.optimizer(stage, 0.1)
        params = jax.tree.map(jax.numpy.asarray, tree(0))
        state = tx.init(params)
        for t in range(STEPS):
            updates, state = jax.jit(tx.update)(tree(t + 1), state, params)
            params = optax.apply_updates(params, updates)
        return {name: np.asarray(p) for name, p in params.items()}


FACES = {"torch": by_torch, "jax": by_jax}
SEEN = tw.choose(
    (tw.is_matrix, tw.arranged(((1,), (0,)), tw.muon(scale="match_rms_adamw"))),
    (lambda leaf: leaf.shape == (5,), tw.adam()),
    otherwise=tw.momentum(),
)


@pytest.mark.parametrize("face", FACES)
def test_choose_sees_the_shape_that_its_owner_knows(face: str) -> None:
    """A matrix' parts are matrices each to Muon; a vector is none, although its parts lie in one."""
    ours, expected = FACES[face](SEEN), by_numpy(SEEN)
    for name, x in expected.items():
        np.testing.assert_allclose(ours[name], x, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("face", FACES)
def test_a_vector_is_no_matrix_of_its_parts(face: str) -> None:
    with pytest.raises(ValueError, match=r"needs a matrix, and this parameter has shape \((5,)?\); route it with choose"):
        FACES[face](tw.muon())


def test_numpy_says_what_to_hand_over() -> None:
    with pytest.raises(TypeError, match=r"'vector' has dtype complex128; .* its parts, stack\(\[x.real, x.imag\]\)"):
        tw.Optimizer(tw.sgd()).init({"vector": tree(0)["vector"]})
