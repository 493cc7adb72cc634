"""Optimizers, rules and stages copied, pickled, and loaded from files: the copy goes on as the original would."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import thalweg as tw
import thalweg.numpy as tn


@tw.rule(lr=0.1)
def mine(g, m=0.0, *, beta: tw.Decay = 0.9):
    """Mine (Me 2026)."""
    m = beta * m + g
    return m, m


WAYS: dict[str, Callable[[Any], Any]] = {"pickle": lambda x: pickle.loads(pickle.dumps(x)), "deepcopy": copy.deepcopy}
RULES = [*tw.rules, "mine"]
OF_EACH_KIND = ["adam", "prodigy", "eve", "sophia", "nesterov", "adafactor", "mine"]
SOME = [name if name in OF_EACH_KIND else pytest.param(name, marks=pytest.mark.slow) for name in RULES]
STAGES: dict[str, Callable[[], Any]] = {
    "clip": lambda: tw.chain(tw.clip(), tw.adam()),
    "choose": lambda: tw.choose((tw.is_matrix, tw.muon().at(lr=tw.schedules.cosine(0.1, 9))), otherwise=tw.adam()),
    "named": lambda: tw.choose((tw.named("w"), tw.sgd()), otherwise=tw.adam()),
    "only": lambda: tw.chain(tw.adam(), tw.only(tw.is_matrix, tw.decay())),
    "every": lambda: tw.every(2, tw.adam()),
    "arranged": lambda: tw.arranged(((0,), (1,)), tw.muon()),
    "sam": lambda: tw.chain(tw.sam(), tw.adam(), tw.schedule_free()),
    "scheduled": lambda: tw.adam(beta1=tw.schedules.linear(0.9, 9)),
}


def rule_of(name: str) -> Any:
    return mine if name == "mine" else tw.rules[name]


@pytest.mark.parametrize("name", RULES)
def test_a_rule_is_pickled_by_reference(name: str) -> None:
    rule = rule_of(name)
    for way in (*WAYS.values(), copy.copy):
        assert way(rule) is rule
        assert repr(way(rule())) == repr(rule())
        assert repr(way(tw.Optimizer(rule(), lr=0.1))) == repr(tw.Optimizer(rule(), lr=0.1))


def test_a_rule_made_inside_a_function_copies_and_has_no_place_to_pickle_from() -> None:
    @tw.rule(lr=0.1)
    def inner(g):
        """Mine (Me 2026)."""
        return g

    assert copy.deepcopy(inner) is inner
    assert copy.deepcopy(inner()).rule is inner
    with pytest.raises((AttributeError, pickle.PicklingError), match="inner"):
        pickle.dumps(inner())


def _without_last_update(state: Any, change: str) -> None:
    memory = state["memory"]
    if change == "a leaf":
        del memory["adam"]["v"]["w"]
    elif change == "None":
        memory["adam"]["v"]["w"] = None
    elif change == "a slot":
        del memory["adam"]["v"]
    else:
        memory.clear()


@pytest.mark.parametrize("change", ["a leaf", "None", "a slot", "all"])
def test_a_step_on_a_state_that_lost_memory_is_refused(change: str) -> None:
    p = {"w": np.ones(2), "b": np.ones(1)}
    o = tw.Optimizer(tw.chain(tw.clip(), tw.adam()))
    state = o.step(p, p, o.init(p))[1]
    _without_last_update(state, change)
    with pytest.raises(ValueError, match=r"lacks '[mv]' of adam for 'w', which has been updated before; hand over all"):
        o.step(p, p, state)
    state["t"] = dict.fromkeys(p, 0)  # as new: there is nothing to be lost
    if change != "None":
        o.step(p, p, state)


@pytest.mark.parametrize("name", ["prodigy", "schedule_free", "nesterov"])
def test_numbers_for_the_model_and_methods_around_the_step_and_after_it_are_missed_too(name: str) -> None:
    p = {"w": np.ones(2)}
    ask = (lambda q: (1.0, q)) if name == "nesterov" else None
    o = tw.Optimizer(tw.chain(tw.sgd(), tw.schedule_free()) if name == "schedule_free" else tw.rules[name](), lr=0.1)
    state = o.step(p, None if ask else p, o.init(p), grad_fn=ask)[1]
    (memory,) = state["memory"].values()
    del memory[next(iter(memory)) if name != "prodigy" else "d"]
    with pytest.raises(ValueError, match="the state lacks"):
        o.step(p, None if ask else p, state, grad_fn=ask)


@pytest.mark.parametrize("name", STAGES)
@pytest.mark.parametrize("way", WAYS)
def test_a_stage_copies_and_steps_alike(name: str, way: str) -> None:
    stage = STAGES[name]()
    again = WAYS[way](stage)
    assert repr(again) == repr(stage)
    params = {"w": np.ones((3, 3))} if name == "arranged" else {"w": np.ones((3, 3)), "b": np.ones(3)}
    ends = []
    for one in (stage, again, WAYS[way](tw.Optimizer(stage, lr=0.1))):
        o = one if isinstance(one, tw.Optimizer) else tw.Optimizer(one, lr=0.1)
        p, state = params, o.init(params)
        for _ in range(4):
            ask = (lambda q: (1.0, q)) if o.asks_gradients else None
            p, state = o.step(p, None if ask else p, state, grad_fn=ask)
        ends.append(p)
    for other in ends[1:]:
        for key in params:
            np.testing.assert_array_equal(other[key], ends[0][key])


def stepped(o: tn.Optimizer, asks: tuple[str, ...], i: int) -> None:
    draw = np.random.default_rng(i)
    grads = {"w": draw.standard_normal((3, 2)), "b": draw.standard_normal(2)}
    given: dict[str, Any] = {"loss": 1.0 + i} if "loss" in asks else {}
    if "curvature" in asks:
        given["curvature"] = {key: abs(g) for key, g in grads.items()}
    if o._bound.optimizer.asks_gradients:
        o.step(grad_fn=lambda q: (sum(float((x * x).sum()) for x in q.values()), {key: 2 * x for key, x in q.items()}))
    else:
        o.step(grads, **given)


@pytest.mark.parametrize("name", SOME)
@pytest.mark.parametrize("way", WAYS)
def test_a_bound_optimizer_goes_on_to_the_last_bit_on_arrays_of_its_own(name: str, way: str) -> None:
    rule = rule_of(name)
    params = {"w": np.full((3, 2), 0.5), "b": np.full(2, 0.5)}
    try:
        o = tn.of(rule)(params, lr=tw.schedules.linear(0.1, 20), seed=3)
    except ValueError:
        pytest.skip(f"{name} is for matrices alone")
    for i in range(2):
        stepped(o, rule.asks, i)
    before = {key: x.copy() for key, x in params.items()}
    other = WAYS[way](o)
    own = other.param_groups[0]["params"]
    for i in range(2, 4):
        stepped(other, rule.asks, i)
    for key, x in params.items():
        np.testing.assert_array_equal(x, before[key], err_msg="the original's arrays moved with the copy's")
    for i in range(2, 4):
        stepped(o, rule.asks, i)
    for key, x in params.items():
        np.testing.assert_array_equal(own[key], x)
    assert type(other) is type(o)


def test_parameters_copied_along_are_the_copys_own() -> None:
    w = np.ones(2)
    o = tn.Adam(w, lr=0.1)
    o.step(np.ones(2))
    v, other = copy.deepcopy((w, o))
    other.step(np.ones(2))
    np.testing.assert_allclose(v, 0.8, rtol=1e-6)
    np.testing.assert_allclose(w, 0.9, rtol=1e-6)
    other.param_groups[0]["lr"] = 1.0
    other.step(np.ones(2))
    np.testing.assert_allclose(v, -0.2, rtol=1e-6)
    assert o.param_groups[0]["lr"] == 0.1


def test_a_chain_over_groups_copies() -> None:
    groups = [{"params": [np.ones(2)], "lr": 0.1}, {"params": [np.ones((2, 2))], "lr": 0.2}]
    o = tn.Optimizer(groups, tw.chain(tw.clip(), tw.adam()))
    grads = [[np.ones(2)], [np.ones((2, 2))]]
    o.step(grads)
    other = pickle.loads(pickle.dumps(o))
    other.step(grads)
    o.step(grads)
    np.testing.assert_array_equal(other.param_groups[1]["params"][0], groups[1]["params"][0])


# states of another optimizer


@pytest.mark.parametrize(
    ("saver", "loader"), [("Adam", "SGD"), ("SGD", "Adam"), ("Lion", "Adam"), ("Adam", "AMSGrad"), ("Adam", "Adafactor")]
)
def test_a_state_dict_of_another_optimizer_is_refused_in_a_sentence_that_names_both(saver: str, loader: str) -> None:
    a, b = (getattr(tn, name)({"w": np.ones((2, 2))}, lr=0.1) for name in (saver, loader))
    a.step({"w": np.ones((2, 2))})
    before = repr(b.state_dict())
    with pytest.raises(ValueError, match=rf"state_dict of {saver} .* cannot be loaded into {loader} "):
        b.load_state_dict(a.state_dict())
    assert repr(b.state_dict()) == before


def test_a_state_dict_that_lacks_a_slot_is_refused() -> None:
    o = tn.Adam({"w": np.ones(2)}, lr=0.1)
    saved = o.state_dict()
    del saved["state"]["memory"]["adam"]["v"]
    with pytest.raises(KeyError, match=r"state_dict of Adam cannot be loaded into Adam: state\.memory\.adam lacks v"):
        o.load_state_dict(saved)
    theirs = tn.AdamW({"w": np.ones(2)}, lr=0.1).state_dict()  # it keeps the same memory
    with pytest.raises(KeyError, match="state_dict of AdamW cannot be loaded into Adam: its group has"):
        o.load_state_dict(theirs)
    for no_state in ({}, None, {"groups": []}):
        with pytest.raises(ValueError, match="this is no state_dict of Adam"):
            o.load_state_dict(no_state)


def test_a_state_dict_saved_before_it_named_its_optimizer_loads() -> None:
    o = tn.Adam({"w": np.ones(2)}, lr=0.1)
    o.step({"w": np.ones(2)})
    saved = {key: value for key, value in o.state_dict().items() if key != "optimizer"}
    other = tn.Adam({"w": np.ones(2)}, lr=0.1)
    other.load_state_dict(saved)
    assert other.state["t"] == {"w": 1}


def test_a_step_on_another_optimizers_state_is_refused() -> None:
    p = {"w": np.ones(2)}
    o = tw.Optimizer(tw.adam())
    with pytest.raises(ValueError, match="the memory of lion, and this is adam"):
        o.step(p, p, tw.Optimizer(tw.lion()).init(p))
    with pytest.raises(ValueError, match="other parameters: it has v, and these are w"):
        o.step(p, p, o.init({"v": np.ones(2)}))
    with pytest.raises(ValueError, match="counts -1 updates of 'w'"):
        o.step(p, p, {**o.init(p), "t": {"w": -1}})
    for count in (0.5, float("nan"), float("inf"), 2**63, 2.0**63, "1", None):
        with pytest.raises(ValueError, match="updates of 'w'; a count is a whole number"):
            o.step(p, p, {**o.init(p), "t": {"w": count}})
    more = o.init(p)
    more["memory"]["adam"]["zz"] = p
    with pytest.raises(ValueError, match="of another optimizer: it has the memory zz of adam"):
        o.step(p, p, more)
    for key, held in (("lion", 5), ("lion", {}), ("lion", {"m": p})):
        with pytest.raises(ValueError, match="the memory of adam \\+ lion, and this is adam"):
            o.step(p, p, {**o.init(p), "memory": {**o.init(p)["memory"], key: held}})
    with pytest.raises(ValueError, match="of another optimizer: it has walked"):
        o.step(p, p, {**o.init(p), "walked": p})
    for no_state in (None, {}, [1]):
        with pytest.raises(TypeError, match="the state is a"):
            o.step(p, p, no_state)


@pytest.mark.parametrize(
    ("saver", "loader", "words"),
    [
        (tw.every(2, tw.adam()), tw.adam(), "it has accumulated, calls; .* the one of adam"),
        (tw.adam(), tw.every(2, tw.adam()), "it lacks accumulated, calls; .* the one of adam"),
    ],
)
def test_what_a_state_has_beside_its_memory_must_fit(saver: Any, loader: Any, words: str) -> None:
    p = {"w": np.ones(2)}
    with pytest.raises(ValueError, match=words):
        tw.Optimizer(loader).step(p, p, tw.Optimizer(saver).init(p))


# what an optimizer says of itself


def test_an_optimizer_names_its_rule_and_its_options() -> None:
    assert repr(tw.Optimizer(tw.adam())) == "Optimizer(<adam()>, lr=0.001)"
    told = repr(tw.Optimizer(tw.chain(tw.clip(2.0), tw.adam(beta1=0.5)), seed=4, nonfinite="skip", lanes=3))
    assert told == "Optimizer(<clip(max_norm=2.0) + adam(beta1=0.5)>, lr=0.001, seed=4, nonfinite='skip', lanes=3)"
    assert repr(tw.adamw(weight_decay=0.3)) == "<adamw: adam() + decay(weight_decay=0.3)>"
    chosen = tw.choose((tw.is_matrix, tw.adam().at(lr=0.1)), (tw.named("b"), tw.lion()), otherwise=tw.sgd())
    assert repr(tw.every(2, chosen)) == (
        "<every(2, choose(is_matrix: (adam()).at(lr=0.1), named('b'): lion(), otherwise: sgd()))>"
    )
    w = {"w": np.ones(2)}
    assert repr(tn.Adam(w)) == "Adam(1 arrays, lr=0.001)"
    assert repr(tn.Adam(w, beta1=0.5, seed=3)) == "Adam(1 arrays, <adam(beta1=0.5)>, lr=0.001, seed=3)"
    assert repr(tn.Optimizer(w, tw.chain(tw.clip(), tw.sgd()), lr=0.1)) == "Optimizer(1 arrays, <clip() + sgd()>, lr=0.1)"


@pytest.mark.parametrize("shape", [(1, 1), (2,), (1,), (), (2, 1), (3, 3)], ids=str)
def test_a_state_of_a_parameter_of_another_shape_is_refused_though_it_could_be_broadcast(shape: tuple[int, ...]) -> None:
    o, p, q = tw.Optimizer(tw.adam()), {"w": np.ones((2, 2))}, {"w": np.ones(shape)}
    state = o.step(q, q, o.init(q))[1]
    with pytest.raises(ValueError, match=r"'m' of adam for 'w' has shape .* wanted is \(2, 2\)"):
        o.step(p, p, state)


def test_a_torch_optimizer_over_a_chain_pickles() -> None:
    torch = pytest.importorskip("torch")
    import thalweg.torch as tt

    for stage in (tw.chain(tw.clip(), tw.adam(), tw.decay(tw.schedules.linear(0.1, 9))), tw.every(2, tw.adam())):
        again = pickle.loads(pickle.dumps(tt.Optimizer([torch.nn.Parameter(torch.ones(2))], stage, lr=0.1)))
        (p,) = again.param_groups[0]["params"]
        for _ in range(2):
            p.grad = torch.ones(2)
            again.step()
        assert (p < 1).all()
