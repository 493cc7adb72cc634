"""Rules that sum over the whole model: they see one vector, however it is cut into tensors; and first points are kept."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
from oracles import dog, momo, prodigy
from support import flat

import thalweg as tw
from thalweg import rule
from thalweg.form.memory import like_p, per_model
from thalweg.ops import model_total, norm, sizes, sqrt
from thalweg.values.trees import flatten

CURVATURES = np.logspace(-1.0, 0.0, 13)
CENTRE = 3.0 * np.random.default_rng(0).standard_normal(13)
START = np.random.default_rng(1).standard_normal(13)
WHOLE: dict[str, Any] = {
    "dog": dog.dog, "dowg": dog.dowg, "prodigy": prodigy.prodigy, "dadapt_adam": prodigy.dadapt_adam,
    "dadapt_sgd": prodigy.dadapt_sgd, "momo": momo.momo, "momo_adam": momo.momo_adam,
}  # fmt: skip


def slope(w: np.ndarray) -> np.ndarray:
    return CURVATURES * (w - CENTRE)


def height(w: np.ndarray) -> float:
    return 0.5 * float((CURVATURES * (w - CENTRE) ** 2).sum())


def cut(w: Any) -> dict[str, Any]:
    """The vector as a model: a matrix, a vector, a number."""
    return {"w": w[:8].reshape(4, 2), "b": w[8:12], "s": w[12]}


def descend(stage: Any, steps: int, pieces: Any = cut) -> tuple[np.ndarray, Any]:
    optimizer = tw.Optimizer(stage)
    params = {k: np.asarray(x) for k, x in pieces(START).items()}
    state, path = optimizer.init(params), []
    for _ in range(steps):
        w = flat(params)
        given = {"loss": height(w)} if "loss" in optimizer.asks else {}
        params, state = optimizer.step(params, {k: np.asarray(x) for k, x in pieces(slope(w)).items()}, state, **given)
        path.append(flat(params))
    return np.array(path), state


@pytest.mark.parametrize("name", WHOLE)
def test_a_bowl_is_descended_as_the_paper_says(name: str) -> None:
    """On a real slope, where the estimates grow, each step depends on all of the walk before."""
    steps = 100
    path, _ = descend(tw.rules[name](), steps)
    given = {"losses": height} if "momo" in name else {}
    truth = WHOLE[name](START, slope, steps=steps, **given)
    assert np.abs(path - truth).max() <= 1e-11
    assert height(path[-1]) < 0.9 * height(START)


@pytest.mark.parametrize("name", WHOLE)
def test_how_a_model_is_cut_does_not_matter(name: str) -> None:
    in_pieces, _ = descend(tw.rules[name](), 60)
    whole, _ = descend(tw.rules[name](), 60, lambda w: {"p": w})
    assert np.abs(in_pieces - whole).max() <= 1e-11


def test_layer_by_layer_it_does() -> None:
    in_pieces, _ = descend(tw.ldog(), 60)
    whole, _ = descend(tw.ldog(), 60, lambda w: {"p": w})
    assert np.abs(in_pieces - whole).max() > 1e-3
    assert np.array_equal(whole, descend(tw.dog(), 60, lambda w: {"p": w})[0])


@pytest.mark.parametrize("name", ["prodigy", "dadapt_adam", "dadapt_sgd"])
def test_the_estimate_grows_from_nothing_to_the_distance_and_not_far_beyond(name: str) -> None:
    _, state = descend(tw.rules[name](), 200)
    d = state["memory"][name]["d"]
    way = CENTRE - START
    distance = np.sqrt((way * way).sum()) if name == "dadapt_sgd" else np.abs(way).max()
    assert isinstance(d, float)
    assert 0.05 * distance < d < 3 * distance


@rule(lr=1.0)
def several_words(g, r=per_model, *, share: tw.Positive = 1.0):
    """Test (2000): sums over the model beside words on one tensor, several results, a number of the model."""
    rows, cols = sizes(g)
    r = r + share * model_total(norm(g)) + model_total(g * g)
    return g / norm(g) * rows / cols / sqrt(r), r


def test_words_on_one_tensor_stay_so_beside_sums_over_all() -> None:
    g = {"a": np.array([[3.0, 4.0]]), "b": np.array([[0.0], [12.0]])}
    optimizer = tw.Optimizer(several_words(), lr=1.0)
    p = {k: np.zeros_like(x) for k, x in g.items()}
    p, state = optimizer.step(p, g, optimizer.init(p))
    r = (5.0 + 12.0) + (25.0 + 144.0)
    assert state["memory"]["several_words"]["r"] == r
    np.testing.assert_allclose(p["a"], -g["a"] / 5.0 / 2.0 / np.sqrt(r), rtol=1e-15)
    np.testing.assert_allclose(p["b"], -g["b"] / 12.0 * 2.0 / np.sqrt(r), rtol=1e-15)


def test_a_tensor_without_gradient_adds_nothing() -> None:
    optimizer = tw.Optimizer(several_words(), lr=1.0)
    p = {"a": np.zeros((1, 2)), "b": np.ones((2, 1))}
    moved, state = optimizer.step(p, {"a": np.array([[3.0, 4.0]]), "b": None}, optimizer.init(p))
    assert state["memory"]["several_words"]["r"] == 30.0
    assert moved["b"] is p["b"]


def test_a_branch_sums_over_its_own_tensors() -> None:
    stage = tw.choose((tw.is_matrix, several_words()), otherwise=tw.sgd())
    optimizer = tw.Optimizer(stage, lr=1.0)
    p = {"a": np.zeros((1, 2)), "b": np.zeros(2)}
    _, state = optimizer.step(p, {"a": np.array([[3.0, 4.0]]), "b": np.ones(2)}, optimizer.init(p))
    assert list(flatten(state["memory"])[1]) == [30.0]


def test_a_number_that_is_one_already_is_not_added_up() -> None:
    @rule
    def wrong(g, t):
        return g / model_total(t)

    with pytest.raises(TypeError, match="model_total adds up tensors, and t is one number for them all"):
        wrong()


def test_half_precision_is_summed_in_single() -> None:
    """100 times 100^2 is more than float16 has."""

    @rule(lr=1.0)
    def summed(g):
        return g / sqrt(model_total(g * g))

    p = np.zeros(100, np.float16)
    moved, _ = tw.Optimizer(summed()).step(p, np.full(100, 100, np.float16), tw.Optimizer(summed()).init(p))
    assert moved.dtype == np.float16
    np.testing.assert_array_equal(moved, np.full(100, -0.1, np.float16))


@rule(lr=0.1)
def pulled_back(g, p, x0=like_p):
    """Test (2000): towards the first point."""
    return g + (p - x0), x0


@rule(lr=0.1)
def forgetful(g, x0=like_p):
    """Test (2000): a first point that nobody reads."""
    return g, x0


def test_a_first_point_is_kept_where_it_is_read() -> None:
    assert set(pulled_back().memory) == {"x0"}
    assert set(forgetful().memory) == set()
    assert pulled_back.cost().state_per_parameter == 1.0
    assert pulled_back.cost().bytes_moved == 4 * 4.0, "it is read, not written: p, g, x0 in, p out"
    assert "x₀ₜ" not in pulled_back.formula().plain
    assert "x₀" in pulled_back.formula().plain
    start = np.array([1.0, -2.0])
    optimizer = tw.Optimizer(pulled_back())
    p, state = start, optimizer.init(start)
    w = start
    for t in range(5):
        g = np.array([1.0, float(t)])
        p, state = optimizer.step(p, g, state)
        w = w - 0.1 * (g + (w - start))
        np.testing.assert_allclose(p, w, rtol=1e-15)
        np.testing.assert_array_equal(state["memory"]["pulled_back"]["x0"]["p"], start)


def test_a_first_point_in_a_kernel_is_the_same_and_not_written() -> None:
    import thalweg.numpy as tn

    draw = np.random.default_rng(0)
    start, gradients = draw.normal(size=50), draw.normal(size=(9, 50))
    mine, pure = start.copy(), tw.Optimizer(pulled_back())
    ours = tn.of(pulled_back)(mine)
    p, state = start, pure.init(start)
    for g in gradients:
        ours.step(g)
        p, state = pure.step(p, g, state)
    assert ours._bound._launches
    np.testing.assert_array_equal(mine, p)
    np.testing.assert_array_equal(ours.state["memory"]["pulled_back"]["x0"]["p"], start)
    text = ours._bound._launches[0].kernel.text
    assert "x0" in text
    assert "x0[i] =" not in text


def test_torchs_parameter_groups_are_one_model() -> None:
    """With a rate and a weight decay of their own, as trainers make groups; also where a norm is over all."""
    torch = pytest.importorskip("torch")
    import thalweg.torch as tt

    def ends(make: Any, groups: Any) -> Any:
        params = [torch.nn.Parameter(torch.from_numpy(np.array(x))) for x in cut(START).values()]
        optimizer = make(groups(params))
        for _ in range(30):
            w = torch.cat([p.detach().reshape(-1) for p in params]).numpy()
            for p, x in zip(params, cut(slope(w)).values(), strict=True):
                p.grad = torch.from_numpy(np.array(x))
            optimizer.step()
        return np.concatenate([p.detach().numpy().ravel() for p in params])

    def three(params: Any) -> Any:
        return [{"params": [p]} for p in params]

    def apart_from_others(params: Any) -> Any:
        return [{"params": params[:1], "weight_decay": 0.1}, {"params": params[1:], "lr": 0.5}]

    clipped = functools.partial(tt.Optimizer, rule=tw.chain(tw.clip(0.1), tw.sgd()), lr=0.5)
    prodigy_ = functools.partial(tt.Prodigy, d0=0.01)
    for make in (clipped, prodigy_):
        assert np.array_equal(ends(make, three), ends(make, lambda params: params))

    names = ("w", "b", "s")
    rates, decays = (tw.form.hyper.ByLeaf(dict(zip(names, x, strict=True))) for x in ((1.0, 0.5, 0.5), (0.1, 0.0, 0.0)))
    optimizer = tw.Optimizer(tw.prodigy(d0=0.01, weight_decay=decays), lr=rates)
    p = {k: np.asarray(x) for k, x in cut(START).items()}
    state = optimizer.init(p)
    for _ in range(30):
        p, state = optimizer.step(p, {k: np.asarray(x) for k, x in cut(slope(flat(p))).items()}, state)
    assert np.abs(ends(prodigy_, apart_from_others) - flat(p)).max() <= 1e-12
    assert np.abs(ends(prodigy_, apart_from_others) - ends(prodigy_, three)).max() > 1e-3
    with pytest.raises(ValueError, match="'bias_correction' chooses the algorithm, and this one is of the whole model"):
        ends(tt.Prodigy, lambda params: [{"params": [p], "bias_correction": i == 1} for i, p in enumerate(params)])


def test_jit_does_not_compile_twice_and_vmap_runs_rates_side_by_side() -> None:
    jax = pytest.importorskip("jax")
    traced = []

    def one(p: Any, g: Any, state: Any) -> Any:
        traced.append(1)
        return optimizer.step(p, g, state)

    optimizer = tw.Optimizer(tw.dog(r_eps=0.1))
    p = {k: jax.numpy.asarray(x, "float32") for k, x in cut(START).items()}
    g = {k: 0.5 * x for k, x in p.items()}
    step, state = jax.jit(one), optimizer.init(p)
    q, state = step(p, g, state)
    for _ in range(3):
        q, state = step(q, g, state)
    assert len(traced) == 1

    def end(lr: Any) -> Any:
        rated = tw.Optimizer(tw.dog(r_eps=0.1), lr=lr)
        first, state = rated.step(p, g, rated.init(p))
        return rated.step(first, g, state)[0]

    together, alone = jax.jit(jax.vmap(end))(jax.numpy.asarray([0.5, 2.0])), jax.jit(end)
    for i, lr in enumerate((0.5, 2.0)):
        for k, x in alone(lr).items():
            np.testing.assert_allclose(together[k][i], x, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", [*WHOLE, "eve"])
def test_a_number_of_the_model_beside_a_single_array_in_jax(name: str) -> None:
    jax = pytest.importorskip("jax")
    import thalweg.jax as tj

    p = jax.numpy.asarray(START, "float32")
    tx, pure = tj.optimizer(tw.rules[name]()), tw.Optimizer(tw.rules[name]())
    state, expected, own = tx.init(p), p, pure.init(p)
    given = {"loss": 1.0} if "loss" in pure.asks else {}
    for _ in range(2):
        updates, state = tx.update(p, state, p, value=1.0)
        expected, own = pure.step(expected, p, own, **given)
        p = p + updates
        np.testing.assert_allclose(p, expected, rtol=1e-5, atol=1e-6)
        expected = p
