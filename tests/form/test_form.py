"""The form of a rule: what a signature declares, and the errors that teach it."""

from __future__ import annotations

import inspect
import math

import numpy as np
import pytest

import thalweg as tw
from thalweg.form.hyper import Decay, Positive
from thalweg.form.memory import Filled
from thalweg.ops import mix, off, sqrt, where
from thalweg.rule import after_step, around, recipe, rule

P = np.array([1.0, 2.0])


@rule(lr=0.1, search=(1e-3, 1.0))
def toy(g, t, m=0.0, *, beta: Decay = 0.9, loud: bool = False):
    """Toy (Nobody 2001, arXiv 0101.00001, algorithm 7).

    More words.
    """
    m = mix(m, g, beta)
    return (2 * m if loud else m) / t, m


def test_a_signature_is_a_declaration() -> None:
    assert toy.asks == ("g", "t")
    assert toy.memory == {"m": Filled(0.0)}
    assert [h.name for h in toy.hyper.values()] == ["beta", "loud"]
    assert toy.hyper["loud"].static
    assert not toy.hyper["beta"].static
    assert toy.paper == "Toy (Nobody 2001, arXiv 0101.00001, algorithm 7)"
    assert toy.year == 2001
    assert (toy.lr, toy.search) == (0.1, (1e-3, 1.0))
    assert str(inspect.signature(toy)) == "(*, beta=0.9, loud=False)"


def test_hyper_parameters_are_taken_by_position_too() -> None:
    assert tw.adam(0.5, 0.6).config == tw.adam(beta1=0.5, beta2=0.6).config


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (
            lambda: tw.adam(beta3=0.9),
            TypeError,
            "adam has no hyper-parameter 'beta3'; it has beta1, beta2, eps; did you mean 'beta",
        ),
        (lambda: tw.adam(lr=0.1), TypeError, r"the learning rate goes to Optimizer\(rule, lr=...\)"),
        (lambda: tw.adam(beta1=1.0), ValueError, r"adam: beta1 needs 0 <= beta1 < 1, not 1.0"),
        (lambda: tw.adam(beta1=math.nan), ValueError, "beta1"),
        (lambda: tw.adam(beta1="0.9"), TypeError, "beta1 is a number or a schedule, not '0.9'"),
        (lambda: tw.adam(eps=0.0), ValueError, "eps needs 0 < eps, not 0.0"),
        (lambda: tw.Optimizer(tw.sgd(), lr=b"1"), TypeError, "lr is a number or a schedule, not b'1'"),
        (lambda: tw.adam(eps_place="outsid"), ValueError, "eps_place is one of .*not 'outsid'; did you mean 'outside'"),
        (lambda: tw.adam(0.9, 0.9, 0.9, 1), TypeError, "at most 3"),
        (lambda: tw.adam(0.9, beta1=0.9), TypeError, "beta1 is given twice"),
        (lambda: tw.santa_e(burnin=2.5), TypeError, "burnin is a whole number fixed in advance"),
        (lambda: tw.santa_e(burnin=0), ValueError, "burnin needs 1 <= burnin"),
        (lambda: tw.nadam(schedule=1), ValueError, "schedule is one of False or True"),
        (lambda: tw.sgd(0.1), TypeError, "sgd takes at most 0"),
    ],
)
def test_a_wrong_hyper_parameter_is_told_what_to_be(call, error, says) -> None:
    with pytest.raises(error, match=says):
        call()


@pytest.mark.parametrize("name", tw.rules)
def test_every_default_is_in_its_range_and_every_range_is_kept(name: str) -> None:
    method = tw.rules[name]
    method()
    for hyper in method.hyper.values():
        if hyper.range is None or hyper.static:
            continue
        method(**{hyper.name: hyper.default})
        below = hyper.range.low if not hyper.range.low_in else np.nextafter(hyper.range.low, -np.inf)
        if np.isfinite(below):
            with pytest.raises(ValueError, match=hyper.name):
                method(**{hyper.name: float(below)})


def broken(signature: str, body: str = "return g") -> None:
    space = {"rule": rule, "Positive": Positive, "sqrt": sqrt, "math": math, "np": np}
    exec(f"def mine({signature}):\n    {body}", space)
    return rule(space["mine"])


@pytest.mark.parametrize(
    ("signature", "says"),
    [
        ("g, momentum", "'momentum' is nothing a rule can ask for .*first value .*after `\\*`"),
        ("g, m='a'", "memory 'm' starts as a number or a kind such as like_p, not 'a'"),
        ("g, t=1", "'t' is asked for, so it takes no default"),
        ("g, *, eps", "hyper-parameter 'eps' needs a default"),
        ("g, *rest", r"\*rest hides"),
        ("g, lr", "'lr' is nothing a rule can ask for"),
    ],
)
def test_a_signature_that_breaks_the_form_is_told_how_to_mend_it(signature: str, says: str) -> None:
    with pytest.raises(TypeError, match=says):
        broken(signature)


@pytest.mark.parametrize(
    ("signature", "body", "says"),
    [
        ("g, m=0.0", "return g", r"mine returns 1 value\(s\); wanted: the direction, then m"),
        ("g, m=0.0", "return g, m, m", r"returns 3 value\(s\)"),
        ("g", "return g, g", "then no memory"),
        ("g, *, beta=0.9", "return g if beta > 0 else -g", "`if` on a computed value.*where.*off"),
        ("g", "return g if g > 0 else -g", "where"),
        ("g", "return np.sqrt(g)", "a rule uses only operators and the words of thalweg.ops"),
        ("g, *, beta=0.9", "return math.sqrt(beta) * g", "only operators and the words"),
    ],
)
def test_a_body_that_breaks_the_form_is_found_before_the_first_step(signature: str, body: str, says: str) -> None:
    with pytest.raises(TypeError, match=says):
        broken(signature, body)()


def test_a_wrong_shape_is_found_at_the_step() -> None:
    @rule(lr=0.1)
    def stretched(g, m=tw.per_coordinate(3)):
        return tw.ops.stack(g, g), m + tw.ops.stack(g, g, g)

    optimizer = tw.Optimizer(stretched())
    with pytest.raises(ValueError, match=r"stretched: for 'p' it returned shape \(2, 2\) where \(2,\) is wanted"):
        optimizer.step(P, P, optimizer.init(P))


def test_off_leaves_out_memory_only_for_a_plain_zero() -> None:
    assert tw.Optimizer(tw.momentum(0.0)).init(P)["memory"] == {}
    assert "m" not in tw.Optimizer(tw.rmsprop()).init(P)["memory"]["rmsprop"]
    scheduled = tw.Optimizer(tw.momentum(lambda t: 0.0))
    assert "v" in scheduled.init(P)["memory"]["momentum"]
    assert off(0.0)
    assert off(0)
    assert not off(1e-30)
    assert not off(np.zeros(3))


def test_memory_that_a_state_lacks_begins_only_with_the_first_update() -> None:
    without, with_it = tw.Optimizer(tw.momentum(0.0)), tw.Optimizer(tw.momentum(0.9))
    _, state = with_it.step(P, P, without.init(P))
    np.testing.assert_array_equal(state["memory"]["momentum"]["v"]["p"], P)
    params, state = without.step(P, P, without.init(P))
    with pytest.raises(ValueError, match=r"lacks 'v' of momentum.*a plain 0 for mu leaves it out"):
        with_it.step(params, P, state)


def test_every_kind_of_memory_has_its_shape() -> None:
    @rule(lr=0.1)
    def hoarder(
        g, a=0.0, b=tw.per_tensor(2.0), c=tw.per_model(3.0), d=tw.rows, e=tw.cols, f=tw.square, h=tw.like_p, k=tw.per_coordinate(4),
        n=tw.gaussian, o=tw.rows(1.0, dtype="float64"), q=tw.matrix(2.0),
    ):  # fmt: skip
        return g * b * c, a + 1, b + 1, c + 1, d + 1, e + 1, f + 1, h + 1, k + 1, n + 1, o + 1, q + 1

    for lanes in (None, 2):
        first = () if lanes is None else (lanes,)
        p = np.ones((*first, 3, 5), np.float32)
        optimizer = tw.Optimizer(hoarder(), lanes=lanes)
        state = optimizer.init(p)
        _, after = optimizer.step(p, p, state)
        for memory in (state["memory"]["hoarder"], after["memory"]["hoarder"]):
            shapes = {
                slot: np.shape(memory[slot]["p"] if isinstance(memory[slot], dict) else memory[slot]) for slot in "abcdefhknoq"
            }
            wanted = {
                "a": (3, 5),
                "b": (),
                "c": (),
                "d": (3, 1),
                "e": (1, 5),
                "f": (3, 3),
                "h": (3, 5),
                "k": (3, 5, 4),
                "n": (3, 5),
                "o": (3, 1),
                "q": (3, 5),
            }
            assert shapes == {slot: (*first, *shape) for slot, shape in wanted.items()}
            assert memory["a"]["p"].dtype == np.float32
            assert memory["o"]["p"].dtype == np.float64
        assert float(np.ravel(after["memory"]["hoarder"]["c"])[0]) == 4.0
    with pytest.raises(ValueError, match=r"memory of the kind 'rows' needs a matrix.*choose"):
        tw.Optimizer(hoarder()).init(np.ones(3))


@pytest.mark.parametrize("lanes", [None, 2])
def test_what_is_for_matrices_refuses_a_vector_and_says_what_to_do(lanes: int | None) -> None:
    first = () if lanes is None else (lanes,)
    for stage in (tw.muon(), tw.adafactor_matrix()):
        with pytest.raises(ValueError, match=r"needs a matrix, and this parameter has shape \(3,\); route it with choose"):
            tw.Optimizer(stage, lr=0.1, lanes=lanes).init(np.ones((*first, 3)))
    for word in (
        tw.ops.row_means,
        tw.ops.col_means,
        tw.ops.sizes,
        lambda g: tw.ops.orthogonal(g, 5, 1.5, -0.5, 0.0, 0.0, "own"),
    ):

        @rule(lr=0.1)
        def sees(g):
            """Sees (I 2026)."""
            return (word(g)[0] if word is tw.ops.sizes else word(g)) * g  # noqa: B023

        optimizer = tw.Optimizer(sees(), lanes=lanes)
        for shape in ((3,), ()):
            p = np.ones((*first, *shape))
            with pytest.raises(ValueError, match=r"a word on matrices was given shape .*; route it with choose"):
                optimizer.step(p, p, optimizer.init(p))
        p = np.ones((*first, 0, 3))
        optimizer.step(p, p, optimizer.init(p))


def test_which_methods_are_for_matrices_alone() -> None:
    alone = tw.core.compose.refuses_vectors
    whole = "adago adamuon apollo_adamw conda dion fira galore muon normuon polargrad psgd_kron shampoo soap"
    assert [name for name in tw.rules if alone(tw.rules[name]())] == whole.split()
    for stage in (tw.muon(0.0), tw.muon().at(lr=1.0), tw.chain(tw.clip(), tw.muon()), tw.every(2, tw.muon())):
        assert alone(stage)
    assert alone(tw.choose((tw.named("w"), tw.adam()), otherwise=tw.muon()))
    for stage in (tw.adam(), tw.choose((tw.is_matrix, tw.muon()), otherwise=tw.adamw()), tw.chain(tw.adam(), tw.average())):
        assert not alone(stage)


def test_words_on_matrices_speak_of_the_last_two_axes() -> None:
    x = np.random.default_rng(0).normal(size=(5, 4, 3))
    means = tw.ops.row_means(x), tw.ops.col_means(x)
    assert [m.shape for m in means] == [(5, 4, 1), (5, 1, 3)]
    np.testing.assert_allclose(means[0][2, 1, 0], x[2, 1].mean(), rtol=1e-14)
    np.testing.assert_allclose(means[1][2, 0, 1], x[2, :, 1].mean(), rtol=1e-14)
    assert tw.ops.sizes(x) == (4, 3)
    for dtype in ("own", "bfloat16"):
        whole = tw.ops.orthogonal(x, 5, 3.4445, -4.7750, 2.0315, 1e-7, dtype)
        for each, own in zip(x, whole, strict=True):
            np.testing.assert_array_equal(tw.ops.orthogonal(each, 5, 3.4445, -4.7750, 2.0315, 1e-7, dtype), own)
    near = tw.ops.orthogonal(x[0], 60, 1.5, -0.5, 0.0, 0.0, "own")
    np.testing.assert_allclose(near.T @ near, np.eye(3), atol=1e-14)


def test_after_step_and_around_read_their_own_asks() -> None:
    with pytest.raises(TypeError, match="'g' is nothing a rule can ask for"):

        @after_step
        def wrong(g):
            return g

    with pytest.raises(TypeError, match="'z' is nothing"):

        @around
        def wrong_too(z):
            return z


def test_a_recipe_has_hyper_parameters_only() -> None:
    with pytest.raises(TypeError, match="a recipe has hyper-parameters only"):

        @recipe
        def wrong(g):
            return tw.sgd()

    assert tw.adamw().name == "adamw"
    assert tw.rules["adamw"].memory.keys() == {"m", "v"}


@pytest.mark.parametrize("name", [name for name in tw.rules if tw.rules[name].search])
def test_every_range_is_four_decades_around_the_usual_rate(name: str) -> None:
    low, high = tw.rules[name].search
    assert high / low == pytest.approx(1e4), "wider or narrower would be another tuning budget"
    assert low <= tw.rules[name].lr <= high


def test_the_catalogue_knows_aliases_and_near_misses() -> None:
    for alias, name in {
        "msgd": "momentum",
        "NAG": "nesterov",
        "minibatch": "sgd",
        "RMSprop": "rmsprop",
        "santa-e": "santa_e",
        "SantaSSS": "santa_sss",
        "L2L": "learned",
    }.items():
        if name in tw.rules:
            assert tw.rules[alias].name == name
    with pytest.raises(KeyError, match="no optimizer is called 'adm'; did you mean 'adam'"):
        tw.rules["adm"]
    assert {"sgd", "adam", "adamw", "eve", "santa_e", "adasecant"} <= set(tw.rules)
    assert "decay" not in tw.rules


def test_a_copy_has_fresh_state() -> None:
    optimizer = tw.Optimizer(tw.adam())
    first = optimizer.init(P)
    moved, state = optimizer.step(P, P, first)
    assert first["t"] == {"p": 0}
    assert (first["memory"]["adam"]["m"]["p"] == 0).all()
    assert optimizer.init(P)["t"] == {"p": 0}
    again, _ = optimizer.step(P, P, first)
    np.testing.assert_array_equal(moved, again)
    assert state["t"] == {"p": 1}


def test_where_is_the_branch_on_data() -> None:
    @rule(lr=0.1)
    def one_sided(g):
        return where(g > 0, g, 0.0)

    optimizer = tw.Optimizer(one_sided())
    g = np.array([1.0, -1.0])
    p, _ = optimizer.step(P, g, optimizer.init(P))
    np.testing.assert_allclose(p, [0.9, 2.0])


def test_a_hyper_parameter_without_a_range_still_is_a_number() -> None:
    @rule(lr=0.1)
    def free(g, *, a=0.5):
        return a * g

    free(a=-3.0)
    with pytest.raises(ValueError, match="free: a needs a number, not nan"):
        free(a=math.nan)


def test_a_choice_between_numbers_for_a_tensor_is_refused() -> None:
    """NumPy would make float64 of it, torch float32, whatever the parameters are."""

    @rule(lr=0.1)
    def chooses(g):
        """Chooses (I 2026)."""
        return where(g > 0, 2.0, 1.0)

    with pytest.raises(TypeError, match="give it two tensors"):
        chooses()
