"""`tw.dialect`: other libraries' optimizers as rows of data, beside what the libraries computed when they were recorded."""

from __future__ import annotations

import copy
import importlib
import inspect
import json
import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import thalweg as tw
from dialects.recorded import FILE, STEPS, key, moved
from thalweg.dialects.conformance.measure import EQUAL, NEARLY, installed, library
from thalweg.dialects.conformance.stream import stream, walk
from thalweg.dialects.method import LIBRARIES, Dialect, Method, Setting, given

RECORDED: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
ROWS = [
    pytest.param(method, setting, id=f"{name}.{key(method, setting)}")
    for name in LIBRARIES for method in tw.dialect(name).values() for setting in method.settings
]  # fmt: skip


@pytest.mark.parametrize(("method", "setting"), ROWS)
def test_a_row_walks_as_the_library_did(method: Method, setting: Setting) -> None:
    theirs = RECORDED[method.library]["moved"].get(key(method, setting))
    if theirs is None:
        assert "backend" in setting.options, "not recorded: python tests/dialects/recorded.py"
        pytest.skip("of another backend than the recorded one")
    along = stream(method.matrices, STEPS)
    ours, paper = (
        moved(walk(stage, along), along.start) for stage in (method(**setting.options), method.of_paper(**setting.options))
    )
    far = max(map(abs, theirs))
    apart, from_paper = (max(abs(a - b) for a, b in zip(these, theirs, strict=True)) / far for these in (ours, paper))
    assert apart < (NEARLY if method.remains else EQUAL)
    if not method.cause(setting):
        assert from_paper < (NEARLY if method.remains else EQUAL)


def test_what_is_recorded_is_what_is_there() -> None:
    there = {
        name: {key(method, setting) for method in tw.dialect(name).values() for setting in method.settings} for name in LIBRARIES
    }
    assert {name: set(own["moved"]) - there[name] for name, own in RECORDED.items() if set(own["moved"]) - there[name]} == {}
    assert {name: own["version"].partition(" ")[0] for name, own in RECORDED.items()} == {
        name: tw.dialect(name).version for name in LIBRARIES
    }


@pytest.mark.parametrize("name", LIBRARIES)
def test_defaults_are_the_librarys(name: str) -> None:
    if not installed(name):
        pytest.skip(f"{name} is not installed")
    at = library(name)
    if at.version.partition(" ")[0] != at.dialect.version:
        pytest.skip(f"{at.version} is here, and the rows are of {at.dialect.version}")
    homes = {"torch": "torch.optim", "tf1": "tensorflow.compat.v1.train", "keras": "keras.optimizers", "chainer": "chainer.optimizers",
             "mlx": "mlx.optimizers", "timm": "timm.optim"}  # fmt: skip
    home = at.peer.tf.compat.v1.train if name == "tf1" else importlib.import_module(homes.get(name, name))
    unlike = {}
    for method in at.dialect.values():
        theirs: Any = home
        for part in (method.name + ("Optimizer" if name == "tf1" else "")).split("."):
            theirs = getattr(theirs, part)
        known = {k: p.default for k, p in inspect.signature(theirs).parameters.items()}
        if name == "chainer":
            known |= theirs().hyperparam.get_dict()
        for argument, value in method.defaults.items():
            if argument == "backend" or callable(value) or argument not in known:
                continue  # Keras' backend; optax' limit as a function; of keywords that a class hands on
            other = None if known[argument] is inspect.Parameter.empty else known[argument]
            same = tuple(other) == value if isinstance(other, list) else other == value
            same = same or value == "torch.amax"  # a function of theirs
            if not same:
                unlike[f"{method.name}.{argument}"] = (value, other)
    assert unlike == {}


def test_a_name_is_found_whatever_its_case_and_a_near_miss_is_told() -> None:
    keras = tw.dialect("Keras")
    assert keras.nadam is keras.Nadam is keras["NADAM"]
    assert tw.dialect("optax").contrib_prodigy is tw.dialect("optax")["contrib.prodigy"]
    with pytest.raises(AttributeError, match=r"keras has no 'nadm'; it has SGD, .*; did you mean 'nadam'\?"):
        _ = keras.nadm
    with pytest.raises(KeyError, match="heavyball has no 'Adam'"):
        _ = tw.dialect("heavyball")["Adam"]
    with pytest.raises(ValueError, match=r"no dialect 'kers'; .*did you mean 'keras'"):
        tw.dialect("kers")
    assert "Nadam" in dir(keras)
    assert len(keras) == len(list(keras)) > 10


def test_arguments_are_the_librarys_and_others_are_refused() -> None:
    adam = tw.dialect("keras").adam
    with pytest.raises(TypeError, match=r"keras.Adam: amsgrad is 'yes'; wanted True or False"):
        tw.dialect("keras").adam(amsgrad="yes")
    with pytest.raises(TypeError, match=r"keras.Adam takes no argument 'beta1' here; .*did you mean 'beta_1'"):
        adam(beta1=0.9)
    with pytest.raises(ValueError, match=r"timm\.AdaBelief has no rule here for rectify=True, only for False"):
        tw.dialect("timm").adabelief()
    with pytest.raises(ValueError, match="no rule here for these arguments together"):
        tw.dialect("optax").amsgrad(learning_rate=0.1, bias_correction_nu=False)
    with pytest.raises(ValueError, match=r"beta1 needs 0 <= beta1 < 1, not 1\.5"):
        adam(beta_1=1.5)


def test_the_learning_rate_is_the_librarys() -> None:
    assert adam_at(learning_rate=0.25) == 0.25
    assert adam_at() == 1e-3
    with pytest.raises(ValueError, match="no learning rate of its own"):
        tw.Optimizer(tw.dialect("optax").adam())
    assert tw.Optimizer(tw.dialect("optax").adam(), lr=0.5).lr == 0.5


def adam_at(**options: float) -> Any:
    return tw.Optimizer(tw.dialect("keras").adam(**options)).lr


def test_a_schedule_is_a_learning_rate() -> None:
    along, rate = stream(steps=8), tw.schedules.cosine(0.1, 8)
    ours = walk(tw.dialect("torch").sgd(lr=rate, momentum=0.9), along)
    optimizer, params = tw.Optimizer(tw.momentum(0.9), lr=rate), along.start
    state = optimizer.init(params)
    for g in along.gradients:
        params, state = optimizer.step(params, g, state)
    np.testing.assert_allclose(ours[-1]["w"], params["w"], rtol=0, atol=1e-15)


def test_first_values_of_memory() -> None:
    stage: Any = tw.dialect("keras").adagrad()
    assert "adagrad(eps=inside(1e-07)).starting(G=0.1)" in repr(stage)
    optimizer = tw.Optimizer(stage)
    state = optimizer.init({"w": np.zeros(3)})
    assert np.all(state["memory"]["adagrad"]["G"]["w"] == 0.1)
    for twin in (copy.deepcopy(stage), pickle.loads(pickle.dumps(stage))):
        again = tw.Optimizer(twin).init({"w": np.zeros(3)})
        assert np.all(again["memory"]["adagrad"]["G"]["w"] == 0.1)
    plain: Any = tw.adagrad()
    assert np.all(tw.Optimizer(plain).init({"w": np.zeros(3)})["memory"]["adagrad"]["G"]["w"] == 0.0)
    with pytest.raises(TypeError, match="adagrad has no memory 'v'; it has G"):
        plain.starting(v=1.0)


def test_kernels_start_from_them_too() -> None:
    import thalweg.numpy as tn

    along, stage = stream(steps=5), tw.dialect("tf1").rmsprop(learning_rate=0.01, momentum=0.9)
    params = {name: x.copy() for name, x in along.start.items()}
    optimizer = tn.Optimizer(params, stage)
    for g in along.gradients:
        optimizer.step(g)
    np.testing.assert_allclose(params["w"], walk(stage, along)[-1]["w"], rtol=0, atol=1e-15)


def test_each_row_says_what_differs_and_where_its_source_is() -> None:
    for name in LIBRARIES:
        for method in tw.dialect(name).values():
            assert method.file.endswith(".py")
            assert (method.theirs is not None) or not any(map(method.cause, method.settings))
            for setting in method.settings:
                assert method.cause(setting) == method.cause(setting).strip().removesuffix(".")


def test_two_optimizers_of_one_name_are_refused() -> None:
    row = Method("A_b", "a.py", {"lr": 0.1}, lambda o: tw.sgd(), settings=(given(),))
    with pytest.raises(ValueError, match="two optimizers of toy have one name"):
        Dialect("toy", "1", (row, Method("Ab", "a.py", {}, lambda o: tw.sgd())))


def test_no_library_is_imported_for_its_dialect() -> None:
    code = f"import sys, thalweg as tw; [tw.dialect(n) for n in {LIBRARIES!r}]; print(*(m for m in ('torch', 'jax', 'optax', 'keras', 'tensorflow', 'jinja2') if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
