"""Words of whole matrices between a kernel's passes: a pass stores what they are of, and the last one reads what they return."""

from __future__ import annotations

import gc
import tracemalloc
from typing import Any

import numpy as np
import pytest

import thalweg as tw
import thalweg.numpy as tn
from thalweg.core.optimizer import Optimizer
from thalweg.engines.drawn import in_words
from thalweg.numpy.inplace import InPlace
from thalweg.numpy.outline import placed
from thalweg.ops import matrices

MATRICES: dict[str, tuple[int, ...]] = {"tall": (6, 4), "wide": (4, 6), "several": (2, 5, 3)}
VECTOR = {"vector": (7,)}
RULES: dict[str, Any] = {
    "muon": lambda: tw.muon(),
    "in bfloat16": lambda: tw.muon(dtype="bfloat16"),
    "by rows": lambda: tw.muon(preconditioning="aol"),
    "spectral": lambda: tw.muon(preconditioning="spectral"),
    "coefficients": lambda: tw.muon(coefficients=((3.4, -4.7, 2.0), (1.8, -1.2, 0.37))),
    "a lower bound": lambda: tw.muon(eps=tw.ops.at_least(0.5)),
    "a schedule": lambda: tw.muon(a=lambda t: 3.4 + 0.01 * t),
    "corrected, and decay": lambda: tw.chain(tw.muon(momentum="corrected"), tw.decay(0.1)),
    "after a sum": lambda: tw.chain(tw.clip(0.5), tw.muon()),
    "its own norm": lambda: tw.muon(dual_norm=True),
    "polargrad": lambda: tw.polargrad(),
    "normuon": lambda: tw.normuon(),
    "adamuon": lambda: tw.adamuon(),
    "adago": lambda: tw.adago(),
}
BESIDE_VECTORS: dict[str, Any] = {
    "muon_with_adamw": lambda: tw.muon_with_adamw(),
    "scion": lambda: tw.scion(),
    "swan": lambda: tw.swan(),
    "sizes alone": lambda: tw.nero(),
    "sizes and rows": lambda: tw.adalite(),
    "sizes and more": lambda: tw.ranger21(),
}


def stepped(rule: Any, dtype: Any, lanes: int | None, shapes: dict[str, tuple[int, ...]], *, fused: bool) -> tuple[InPlace, Any]:
    """An optimizer of arrays after six steps, and the arrays."""
    draw, first = np.random.default_rng(0), () if lanes is None else (lanes,)
    arrays = {name: draw.normal(size=first + shape).astype(dtype) for name, shape in shapes.items()}
    optimizer = Optimizer(rule, lr=0.02) if lanes is None else Optimizer(rule, lr=0.02, lanes=lanes)
    bound = InPlace(optimizer, arrays, fused=fused)
    for _ in range(6):
        bound.step({name: draw.normal(size=first + shape).astype(dtype) for name, shape in shapes.items()})
    return bound, arrays


@pytest.mark.parametrize("lanes", [None, 3])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", [*RULES, *BESIDE_VECTORS])
def test_kernels_and_words_make_the_steps_of_the_pure_function(name: str, dtype: Any, lanes: int | None) -> None:
    rule = {**RULES, **BESIDE_VECTORS}[name]()
    shapes = MATRICES if name in RULES else MATRICES | VECTOR
    ours, mine = stepped(rule, dtype, lanes, shapes, fused=True)
    plain, theirs = stepped(rule, dtype, lanes, shapes, fused=False)
    assert ours._launches, "there is a kernel"
    limit = 1e-12 if dtype is np.float64 else 1e-6
    for leaf in shapes:
        np.testing.assert_allclose(mine[leaf], theirs[leaf], rtol=limit, atol=limit, err_msg=leaf)
    for (path, a), (_, b) in zip(placed(ours.state), placed(plain.state), strict=True):
        np.testing.assert_allclose(a, b, rtol=limit, atol=limit, err_msg=str(path))


def test_muon_is_the_same_to_the_last_bit() -> None:
    for dtype in (np.float32, np.float64):
        mine, theirs = (stepped(tw.muon(), dtype, None, MATRICES, fused=fused)[1] for fused in (True, False))
        assert all(np.array_equal(mine[leaf], theirs[leaf]) for leaf in MATRICES)


def test_it_says_what_is_between_the_passes() -> None:
    said = "2 passes over memory, the last of which writes, and between them orthogonal"
    assert in_words(Optimizer(tw.muon())) == said
    assert in_words(Optimizer(tw.muon_with_adamw())) == f"of matrices {said}; of vectors one pass over memory"


def test_what_a_pass_stored_is_let_go() -> None:
    p = np.random.default_rng(0).normal(size=(300, 400))
    ours = tn.Optimizer(p, tw.muon())
    g = np.random.default_rng(1).normal(size=(300, 400))
    ours.step(g)
    tracemalloc.start()
    try:
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(3):
            ours.step(g)
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] - before < p.nbytes / 4
    finally:
        tracemalloc.stop()


ARRANGED: dict[str, Any] = {
    "muon": lambda: tw.muon(),
    "sm3": lambda: tw.sm3(),
    "means": lambda: averaged_by_row(),
    "sizes": lambda: tw.muon(scale="match_rms_adamw", ns_steps=2),
    "elements": lambda: tw.adam(),
}


@tw.rule(lr=0.1)
def averaged_by_row(g):  # type: ignore[no-untyped-def]
    """Each row's mean."""
    return tw.ops.row_means(g) * g


@pytest.mark.parametrize("name", ARRANGED)
def test_axes_that_are_arranged_are_those_of_the_rule(name: str) -> None:
    """Kernels know a tensor's own axes alone, so the rows and columns of others are left to the pure step."""
    rule, shapes = tw.arranged(((0,), (1, 2, 3)), ARRANGED[name]()), {"kernel": (4, 3, 2, 2)}
    ours, mine = stepped(rule, np.float64, None, shapes, fused=True)
    _, theirs = stepped(rule, np.float64, None, shapes, fused=False)
    assert bool(ours._launches) == (name == "elements")
    np.testing.assert_allclose(mine["kernel"], theirs["kernel"], rtol=1e-12)


def test_a_vector_is_refused_as_without_a_kernel() -> None:
    with pytest.raises(ValueError, match="needs a matrix"):
        tn.Optimizer(np.ones(3), tw.muon())
    with pytest.raises(ValueError, match="was given shape"):
        tn.Optimizer(np.ones(3), tw.ball_minimizer(), lr=0.1).step(np.ones(3))


def test_a_half_step_of_what_fails_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    p = np.random.default_rng(0).normal(size=(5, 3))
    ours = tn.Optimizer(p, tw.muon(preconditioning="spectral"))
    ours.step(np.ones((5, 3)))
    before = [np.copy(array) for _, array in placed(ours._bound.state)]
    start = p.copy()

    def fails(*args: Any, **named: Any) -> Any:
        raise np.linalg.LinAlgError("it does not converge")

    with monkeypatch.context() as patch:
        patch.setattr(matrices, "_size", fails)
        with pytest.raises(np.linalg.LinAlgError):
            ours.step(np.ones((5, 3)))
    assert ours._bound._launches
    assert not any(column.startswith("stored") for launch in ours._bound._launches for column, _ in launch.addresses.held)
    assert np.array_equal(p, start)
    assert all(np.array_equal(a, b) for a, (_, b) in zip(before, placed(ours._bound.state), strict=True))
    ours.step(np.ones((5, 3)))
    assert not np.array_equal(p, start)


@tw.rule(lr=0.1)
def scaled_by_its_norm(g):  # type: ignore[no-untyped-def]
    """A sum that what is stored reads, and one of what the host returns."""
    y = orthogonal(g / tw.ops.norm(g))
    return y * tw.ops.norm(y)


@tw.rule(lr=0.1)
def of_two_kinds(g):  # type: ignore[no-untyped-def]
    """The same word of the same matrix, in two ways."""
    return orthogonal(g) - 2 * orthogonal(g, preconditioning="spectral") + 3 * orthogonal(g, dtype="bfloat16")


def orthogonal(x: Any, preconditioning: str = "frobenius", dtype: str = "own") -> Any:
    return tw.ops.orthogonal(x, 3, 1.875, -1.25, 0.375, tw.ops.outside(1e-7), dtype, preconditioning)


SUMS: dict[str, Any] = {
    "norms around": lambda: scaled_by_its_norm(),
    "two words of one matrix": lambda: of_two_kinds(),
    "a norm before": lambda: tw.chain(tw.lars(), tw.adamuon()),
    "a clipped tensor": lambda: tw.chain(tw.clip_each(1.0), tw.normuon()),
    "a norm before and after": lambda: tw.chain(tw.clip_each(1.0), tw.muon(), tw.trust_ratio()),
    "two norms of the model": lambda: tw.chain(tw.clip(0.5), tw.clip(0.2), tw.muon()),
    "NumPy's own numbers": lambda: tw.muon(ns_steps=np.int64(3), coefficients=(tuple(np.array([3.4, -4.7, 2.0])),)),
}


@pytest.mark.parametrize("name", SUMS)
def test_sums_before_and_after_a_word(name: str) -> None:
    ours, mine = stepped(SUMS[name](), np.float64, None, MATRICES, fused=True)
    _, theirs = stepped(SUMS[name](), np.float64, None, MATRICES, fused=False)
    assert ours._launches
    for leaf in MATRICES:
        np.testing.assert_allclose(mine[leaf], theirs[leaf], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("more", [lambda: tw.chain(tw.clip(0.5), tw.clip(0.2)), lambda: tw.chain(tw.grokfast(), tw.clip(0.2))])
@pytest.mark.parametrize(
    "rule", [lambda: tw.muon_with_adamw(), lambda: tw.choose((tw.is_matrix, tw.lamb()), otherwise=tw.adamw())]
)
def test_a_number_of_the_model_is_read_beside_tensors_of_other_numbers(more: Any, rule: Any) -> None:
    """Tensors with numbers of their own take it as an array, those that share all numbers as a plain one."""
    ours, mine = stepped(tw.chain(more(), rule()), np.float64, None, MATRICES | VECTOR, fused=True)
    _, theirs = stepped(tw.chain(more(), rule()), np.float64, None, MATRICES | VECTOR, fused=False)
    assert len(ours._launches or ()) > 1
    for leaf in mine:
        np.testing.assert_allclose(mine[leaf], theirs[leaf], rtol=1e-11, atol=1e-12)


@tw.rule(lr=0.1)
def by_sizes(g):  # type: ignore[no-untyped-def]
    """The sizes of a matrix, and nothing else of it."""
    m, n = tw.ops.sizes(g)
    return g * (m / n)


def test_a_vector_has_no_sizes() -> None:
    ours, mine = stepped(by_sizes(), np.float64, None, MATRICES, fused=True)
    _, theirs = stepped(by_sizes(), np.float64, None, MATRICES, fused=False)
    assert ours._launches
    assert all(np.array_equal(mine[leaf], theirs[leaf]) for leaf in MATRICES)
    for lanes, shape in ((None, (7,)), (None, ()), (3, (7,))):
        with pytest.raises(ValueError, match="was given shape"):
            stepped(by_sizes(), np.float64, lanes, {"vector": shape}, fused=True)


def test_a_word_of_what_is_no_number_has_no_kernel() -> None:
    with pytest.raises(TypeError):
        stepped(tw.muon(coefficients=((lambda t: 3.4, -4.7, 2.0),)), np.float64, None, MATRICES, fused=True)
