"""Trees of parameters: their names, their types, and what is no tree."""

from __future__ import annotations

import collections
import dataclasses
import types
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import thalweg as tw
import thalweg.numpy as tn
from thalweg.values import trees


class Pair(NamedTuple):
    w: Any
    b: Any


@dataclasses.dataclass
class Net:
    w: Any
    b: Any


@dataclasses.dataclass(frozen=True, slots=True)
class Frozen:
    w: Any
    width: int = dataclasses.field(default=3, metadata={"static": True})


def one(x: float = 1.0) -> Any:
    return np.full(2, x)


CONTAINERS: dict[str, Callable[[Any], Any]] = {
    "dict": lambda x: {"w": x},
    "defaultdict": lambda x: collections.defaultdict(list, w=x),
    "OrderedDict": lambda x: collections.OrderedDict(w=x),
    "mappingproxy": lambda x: types.MappingProxyType({"w": x}),
    "UserDict": lambda x: collections.UserDict(w=x),
    "ChainMap": lambda x: collections.ChainMap({"w": x}, {"b": x + 0}),
    "list": lambda x: [x],
    "tuple": lambda x: (x,),
    "UserList": lambda x: collections.UserList([x]),
    "deque": lambda x: collections.deque([x], maxlen=3),
    "NamedTuple": lambda x: Pair(x, x + 0),
    "dataclass": lambda x: Net(x, x + 0),
    "frozen dataclass": lambda x: Frozen(x),
    "nested": lambda x: {"net": Net(x, collections.OrderedDict(w=[x + 0]))},
}


@pytest.mark.parametrize("kind", CONTAINERS)
@pytest.mark.parametrize("rule", [tw.adam, lambda: tw.chain(tw.sgd(), tw.schedule_free())], ids=["adam", "an after-step"])
def test_any_container_steps_as_its_arrays_do_and_comes_back_of_its_type(kind: str, rule: Any) -> None:
    make = CONTAINERS[kind]
    p, g = make(one()), make(one(0.5))
    o = tw.Optimizer(rule(), lr=0.1)
    state, flat, flat_state = o.init(p), {"w": one()}, o.init({"w": one()})
    for _ in range(2):
        p, state = o.step(p, g, state)
        flat, flat_state = o.step(flat, {"w": one(0.5)}, flat_state)
    assert type(p) is type(make(one()))
    for leaf in trees.flatten(p)[1]:
        np.testing.assert_array_equal(leaf, flat["w"])
    np.testing.assert_array_equal(trees.flatten(make(one()))[1][0], one())
    assert getattr(p, "default_factory", list) is list
    assert getattr(p, "maxlen", 3) == 3
    assert getattr(p, "width", 3) == 3


@pytest.mark.parametrize("kind", CONTAINERS)
def test_any_container_is_updated_in_place(kind: str) -> None:
    p = CONTAINERS[kind](one())
    o = tn.SGD(p, lr=1.0)
    for _ in range(3):
        o.step(CONTAINERS[kind](one()))
    for leaf in trees.flatten(p)[1]:
        np.testing.assert_array_equal(leaf, one(-2.0))


COLLIDING: dict[str, Callable[[Any, Any], Any]] = {
    "a key with a dot": lambda x, y: {"a.b": x, "a": {"b": y}},
    "a key with a place": lambda x, y: {"a.0": x, "a": [y]},
    "1 beside '1'": lambda x, y: {1: x, "1": y},
    "True beside 'True'": lambda x, y: {True: x, "True": y},
    "None beside 'None'": lambda x, y: {None: x, "None": y},
    "a tuple": lambda x, y: {("a", "b"): x, "('a', 'b')": y},
    "an empty key": lambda x, y: {"": x, "p": y},
    "an empty key above": lambda x, y: {"": {"a": x}, "a": y},
    "deep": lambda x, y: {"n": {"a.b": x, "a": {"b": y}}, "m": one()},
    "a dataclass": lambda x, y: {"n": Net(x, one()), "n.w": y},
}


@pytest.mark.parametrize("case", COLLIDING)
def test_names_do_not_collide(case: str) -> None:
    make = COLLIDING[case]
    p = make(np.zeros(1), np.zeros(1))
    o = tw.Optimizer(tw.adam(), lr=1.0)
    names = trees.flatten(p)[0]
    assert len(set(names)) == len(names)
    g = make(np.ones(1), np.full(1, -10.0))
    state = o.init(p)
    for _ in range(2):
        p, state = o.step(p, g, state)
    expected = make(np.full(1, -2.0), np.full(1, 2.0))
    for name, found, wanted in zip(names, trees.flatten(p)[1], trees.flatten(expected)[1], strict=True):
        if found.shape == (1,):
            np.testing.assert_allclose(found, wanted, rtol=1e-7, err_msg=name)
    bound = make(np.zeros(1), np.zeros(1))
    tn.SGD(bound, lr=1.0).step(g)
    first = {round(float(x[0])) for x in trees.flatten(bound)[1]}
    assert first >= {-1, 10}


def test_names_that_do_not_collide_stay_plain() -> None:
    assert trees.flatten({"layer.w": 0, "layer": {"b": 0}, 3: 0, "x": [0, (0,)]})[0] == [
        "layer.w",
        "layer.b",
        "3",
        "x.0",
        "x.1.0",
    ]
    assert trees.flatten({"a.b": 0, "a": {"b": 0}, "c": 0})[0] == ["['a.b']", "['a']['b']", "c"]


def test_keys_written_alike_are_refused() -> None:
    class Key:
        def __repr__(self) -> str:
            return "k"

    with pytest.raises(ValueError, match="two parameters of this tree have one name"):
        trees.flatten({Key(): 0, Key(): 0})


def test_gradients_are_matched_by_their_keys() -> None:
    o = tw.Optimizer(tw.sgd(), lr=1.0)
    p = {1: one(), "2": one()}
    with pytest.raises(KeyError, match="nothing for '1'"):
        o.step(p, {"1": one(), "2": one()}, o.init(p))
    with pytest.raises(TypeError, match="the tree is a Net among the parameters, but a dict here"):
        o.step(Net(one(), one()), {"w": one(), "b": one()}, o.init(Net(one(), one())))


class Module:
    def named_parameters(self) -> Any:
        return []


NO_TREES: dict[str, tuple[Callable[[], Any], str]] = {
    "generator": (lambda: (x for x in [one()]), r"is a generator, no array; hand over a list"),
    "map": (lambda: map(np.asarray, [one()]), r"is a map, no array; hand over a list"),
    "values": (lambda: {"w": one()}.values(), r"is a dict_values, no array; hand over a list"),
    "set": (lambda: {1.0}, r"is a set, no array"),
    "module": (Module, r"dict\(module.named_parameters\(\)\)"),
    "network": (lambda: tw_nn().Model([tw_nn().Linear(1)], tw_nn().MSE()), r"hand over its \.params"),
    "text": (lambda: {"w": one(), "name": "net"}, r"parameter 'name' is a str, no array"),
    "nothing": (lambda: {"w": one(), "b": None}, r"parameter 'b' is None, no array"),
    "number": (lambda: [1.0], r"numpy.array\(1.0, dtype=float\)"),
    "masked": (lambda: np.ma.array([1.0, 2.0], mask=[0, 1]), r"masked array.*filled"),
}


def tw_nn() -> Any:
    from thalweg import nn

    return nn


@pytest.mark.parametrize("kind", NO_TREES)
def test_what_is_no_tree_gets_a_sentence(kind: str) -> None:
    make, words = NO_TREES[kind]
    with pytest.raises(TypeError, match=words):
        tw.Optimizer(tw.adam()).init(make())


def test_gradients_that_are_no_tree_get_a_sentence() -> None:
    o, p = tw.Optimizer(tw.sgd(), lr=1.0), {"w": one()}
    state = o.init(p)
    with pytest.raises(TypeError, match="hand over a list"):
        o.step(p, (x for x in [one()]), state)
    with pytest.raises(TypeError, match="masked array"):
        o.step(p, {"w": np.ma.array([1.0, 2.0], mask=[0, 1])}, state)
    with pytest.raises(TypeError, match="masked array"):
        tn.SGD(p, lr=1.0).step({"w": np.ma.array([1.0, 2.0], mask=[0, 1])})


@pytest.mark.parametrize("name", ["adam", "muon", "adafactor", "galore", "prodigy", "lamb"])
def test_a_matrix_of_numpys_own_steps_as_a_plain_one(name: str) -> None:
    a = np.array([[1.0, 2.0], [3.0, 4.5]])
    o = tw.Optimizer(tw.rules[name](), lr=0.1)
    p, special = a, a.view(np.matrix)
    state, other = o.init(p), o.init(special)
    for _ in range(2):
        p, state = o.step(p, p - 0.5, state)
        special, other = o.step(special, special - 0.5, other)
    assert type(special) is np.matrix
    np.testing.assert_array_equal(np.asarray(special), p)


def test_a_matrix_is_looked_at_as_a_matrix_by_its_owner() -> None:
    a = np.array([[1.0, 2.0], [3.0, 4.0]]).view(np.matrix)
    seen = []
    o = tw.Optimizer(tw.chain(tw.sam(), tw.sgd()), lr=0.1)
    o.step(a, None, o.init(a), grad_fn=lambda p: (seen.append(type(p)), (0.0, p + 0))[1])
    assert set(seen) == {np.matrix}


@pytest.mark.parametrize("make", ["flax FrozenDict", "flax struct", "equinox"])
def test_trees_of_jaxs_libraries(make: str) -> None:
    jax = pytest.importorskip("jax")
    x = jax.numpy.ones(2)
    if make == "flax FrozenDict":
        tree = pytest.importorskip("flax.core").FrozenDict(w=x)
    elif make == "flax struct":
        struct = pytest.importorskip("flax.struct")
        tree = struct.dataclass(
            type("S", (), {"__annotations__": {"w": Any, "n": int}, "n": struct.field(pytree_node=False, default=2)})
        )(x)
    else:
        tree = pytest.importorskip("equinox").nn.Linear(2, 2, key=jax.random.key(0))
    o = tw.Optimizer(tw.sgd(), lr=1.0)
    moved = o.step(tree, tree, o.init(tree))[0]
    assert type(moved) is type(tree)
    assert all(not leaf.any() for leaf in trees.flatten(moved)[1])
