"""A network written and read is the same network; other files are refused in words."""

import json
import zipfile
from dataclasses import dataclass, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from thalweg import nn
from thalweg.nn.files import parts
from thalweg.values import trees

from .networks import CASES, NAMES, Case


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_round_trip(case: Case, dtype: Any, tmp_path: Path) -> None:
    case.net.params = case.net.init(case.shape, seed=1, dtype=dtype)
    case.net.statistics = case.statistics()
    path = tmp_path / "net.npz"
    case.net.save(path)
    again = nn.load(path)
    assert again.layers == case.net.layers
    assert again.loss == case.net.loss
    assert again.penalty == case.net.penalty
    assert again.input_shape == case.net.input_shape
    assert again.summary() == case.net.summary()
    x, y = case.data()
    outputs = again.predict(x)
    assert outputs.dtype == dtype
    np.testing.assert_array_equal(outputs, case.net.predict(x))
    assert again.evaluate(x, y) == case.net.evaluate(x, y)


def test_every_option_is_kept(tmp_path: Path) -> None:
    start = nn.Uniform(-0.5, 0.25)
    layers = [
        nn.Conv2d(2, (3, 2), (2, 1), 1, start, nn.Normal(0.1), (nn.L1(0.1), nn.L2(0.2, biases=True))),
        nn.LeakyReLU(0.3),
        nn.MaxPool2d((1, 2), 1),
        nn.Dropout(0.7),
        nn.Flatten(),
        nn.Linear(3, nn.glorot_uniform(), start),
    ]
    net = nn.Model(layers, nn.MSE("batch_sum"), penalty=nn.L1(0.01), input_shape=(9, 9, 1))
    net.params = net.init()
    net.save(tmp_path / "net.npz")
    again = nn.load(tmp_path / "net.npz")
    assert (again.layers, again.loss, again.penalty) == (net.layers, net.loss, net.penalty)


def test_no_pickle_in_it(tmp_path: Path) -> None:
    net = nn.Model([nn.Linear(2)], nn.MSE(), input_shape=3)
    net.params = net.init()
    net.save(tmp_path / "net.npz")
    with np.load(tmp_path / "net.npz", allow_pickle=False) as file:
        assert all(file[name].dtype != object for name in file.files)
        assert json.loads(str(file["outline"]))


def tree_file(path: Path, **changes: Any) -> None:
    net = nn.Model([nn.Linear(2)], nn.MSE(), input_shape=3)
    net.params = net.init()
    net.save(path)
    found = trees.load(path)
    network = {**found["network"], **changes.pop("network", {})}
    trees.save(path, {**found, "network": network, **changes})


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda path: path.write_bytes(b"PK nonsense"), "is no file that thalweg saved"),
        (lambda path: path.write_text("w = 1"), "is no file that thalweg saved"),
        (lambda path: np.savez(path, a=np.ones(3)), "is no file that thalweg saved"),
        (lambda path: zipfile.ZipFile(path, "w").close(), "is no file that thalweg saved"),
        (lambda path: trees.save(path, {"w": np.ones(3)}), r"holds no network: want a file that Model.save wrote"),
        (lambda path: trees.save(path, [1, 2]), "holds no network"),
        (lambda path: tree_file(path, version=2), "has version 2 of the format, and this thalweg reads version 1"),
        (lambda path: tree_file(path, network={"loss": {"type": "Path"}}), "names a part 'Path', which"),
    ],
)
def test_other_files(write: Any, message: str, tmp_path: Path) -> None:
    path = tmp_path / "file.npz"
    write(path)
    with pytest.raises(ValueError, match=message) as caught:
        nn.load(path)
    assert str(path) in str(caught.value)


def test_a_pickle_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "file.npz"
    np.savez(path, outline=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ValueError, match="is no file that thalweg saved"):
        nn.load(path)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        nn.load(tmp_path / "none.npz")


def test_parts_of_ones_own_are_not_saved(tmp_path: Path) -> None:
    class Mine(nn.Activation):
        def forward(self, params: Any, x: Any) -> Any:
            return x, None

        def backward(self, params: Any, cache: Any, dy: Any) -> Any:
            return dy

    net = nn.Model([nn.Linear(2), Mine()], nn.MSE(), input_shape=3)
    net.params = net.init()
    with pytest.raises(TypeError, match=r"only parts of thalweg.nn. Save its parameters with thalweg.values.trees.save"):
        net.save(tmp_path / "net.npz")


def test_a_file_may_name_every_public_part_and_nothing_else() -> None:
    bases = (nn.Layer, nn.Loss, nn.Penalty, nn.Initialiser)
    public = {name: part for name, part in vars(nn).items() if isinstance(part, type) and issubclass(part, bases)}
    assert parts() == {name: part for name, part in public.items() if is_dataclass(part)}


def test_a_subclass_of_a_users_takes_no_parts_place(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Linear(nn.Linear):
        pass

    assert parts()["Linear"] is nn.Linear
    net = nn.Model([Linear(2)], nn.MSE(), input_shape=3)
    net.params = net.init()
    with pytest.raises(TypeError, match=r"only parts of thalweg\.nn"):
        net.save(tmp_path / "net.npz")
