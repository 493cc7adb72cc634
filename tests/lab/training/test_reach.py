"""What a live function holds and reaches is a part of its identity, whatever kind of object it is in."""

from __future__ import annotations

import argparse
import array
import collections
import contextlib
import copy
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import importlib
import io
import random
import re
import subprocess
import sys
import threading
import types
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from support import first

from lab.training.loops import written
from thalweg.lab.training.reach import of_function, reached
from thalweg.lab.user.my_training import notes, reference


@dataclasses.dataclass(slots=True)
class Slotted:
    k: float


@dataclasses.dataclass
class Plain:
    k: float


class Slots:
    __slots__ = ("k",)

    def __init__(self, k: float) -> None:
        self.k = k


class Silent(Slots):
    """Its words say nothing of what it holds."""

    def __repr__(self) -> str:
        return "Silent()"


class Named(NamedTuple):
    k: float


class Dict(dict[str, float]): ...


class List(list[float]): ...


class Set(set[float]): ...


class Float(float): ...


class Array(np.ndarray[Any, Any]): ...


def with_k(x: Any, k: float) -> Any:
    x.k = k
    return x


def made(name: str, **members: Any) -> Any:
    return type(name, (), {**members, "__module__": __name__})


HOLDS: dict[str, Callable[[float], Any]] = {
    "Namespace": lambda k: argparse.Namespace(k=k),
    "SimpleNamespace": lambda k: types.SimpleNamespace(k=k),
    "dataclass": Plain,
    "dataclass with slots": Slotted,
    "slots": Slots,
    "a silent repr": Silent,
    "namedtuple": Named,
    "deque": lambda k: collections.deque([k]),
    "range": lambda k: range(int(k)),
    "Decimal": decimal.Decimal,
    "Fraction": fractions.Fraction,
    "defaultdict": lambda k: collections.defaultdict(int, k=k),
    "a defaultdict's factory": lambda k: collections.defaultdict(lambda: k),
    "OrderedDict": lambda k: collections.OrderedDict(k=k),
    "UserDict": lambda k: collections.UserDict(k=k),
    "UserList": lambda k: collections.UserList([k]),
    "UserString": lambda k: collections.UserString(str(k)),
    "Counter": lambda k: collections.Counter({"k": int(k)}),
    "ChainMap": lambda k: collections.ChainMap({"k": k}),
    "proxy": lambda k: types.MappingProxyType({"k": k}),
    "bytearray": lambda k: bytearray(str(k), "ascii"),
    "memoryview": lambda k: memoryview(str(k).encode()),
    "array.array": lambda k: array.array("d", [k]),
    "pattern": lambda k: re.compile(str(k)),
    "timedelta": datetime.timedelta,
    "slice": lambda k: slice(int(k)),
    "iterator": lambda k: iter([k]),
    "zip": lambda k: zip([k], [1], strict=True),
    "map": lambda k: map(abs, [k]),
    "view": lambda k: {"k": k}.items(),
    "a dict's attribute": lambda k: with_k(Dict(), k),
    "a list's attribute": lambda k: with_k(List(), k),
    "a set's attribute": lambda k: with_k(Set(), k),
    "a float's attribute": lambda k: with_k(Float(1.0), k),
    "an array's attribute": lambda k: with_k(np.ones(2).view(Array), k),
    "a function's attribute": lambda k: with_k(lambda: None, k),
    "set": lambda k: {k},
    "frozenset": lambda k: frozenset([k]),
    "enum": lambda k: enum.Enum("Kind", {"A": k}),  # type: ignore[arg-type]
    "partial": lambda k: functools.partial(max, k),
    "bound method": lambda k: {"k": k}.get,
    "cached": lambda k: functools.lru_cache(lambda: k),
    "dispatched": lambda k: functools.singledispatch(lambda x: k),
    "context manager": lambda k: contextlib.contextmanager(lambda: (yield k)),
    "default of a lambda": lambda k: lambda x=k: x,
    "property": lambda k: made("P", p=property(lambda self: k)),
    "static method": lambda k: made("S", s=staticmethod(lambda: k)),
    "class method": lambda k: made("C", c=classmethod(lambda cls: k)),
    "cached property": lambda k: made("Q", q=functools.cached_property(lambda self: k)),
    "__new__": lambda k: made("N", __new__=lambda cls: k),
    "made dataclass": lambda k: dataclasses.make_dataclass("M", [("k", float, k)]),
    "weak": lambda k: weakref.ref(KEPT.setdefault(k, Plain(k))),
    "text in memory": lambda k: io.StringIO(str(k)),
    "path": lambda k: Path(str(k)),
    "Random": random.Random,
    "Generator": lambda k: np.random.default_rng(int(k)),
    "RandomState": lambda k: np.random.RandomState(int(k)),
    "np.float32": np.float32,
    "array": lambda k: np.array([k]),
    "array of objects": lambda k: np.array([k, "a"], object),
    "structured array": lambda k: np.array([(k, 1)], [("a", float), ("b", int)]),
    "masked array": lambda k: np.ma.array([1.0, k], mask=[False, True]),
    "polynomial": lambda k: np.polynomial.Polynomial([k]),
    "vectorize": lambda k: np.vectorize(lambda x: x * k),
}
KEPT: dict[float, Plain] = {}


def holding(x: Any) -> Any:
    def train(trial: Any) -> Any:
        return x

    return train


@pytest.mark.parametrize("kind", first(HOLDS, 20))
def test_other_contents_are_another_function(kind: str) -> None:
    one, other, same = (reached(holding(HOLDS[kind](k))) for k in (1.0, 3.0, 1.0))
    assert one.unseen == other.unseen == ()
    assert one.digest == same.digest != other.digest


def test_nothing_is_consumed_or_changed_by_looking() -> None:
    iterator, rng = iter([1, 2, 3]), np.random.default_rng(3)
    next(iterator)
    before = copy.deepcopy(rng).random()
    of_function(holding((iterator, rng)))
    assert (list(iterator), rng.random()) == ([2, 3], before)


def test_a_tensor_and_a_generator_of_torch() -> None:
    torch = pytest.importorskip("torch")
    kinds: list[Callable[[float], Any]] = [
        lambda k: torch.full((2,), k),
        lambda k: torch.full((2,), k, dtype=torch.bfloat16),
        lambda k: torch.full((2,), k).requires_grad_(k > 2),
        lambda k: torch.eye(2).mul(k).to_sparse(),
        lambda k: torch.Generator().manual_seed(int(k)),
        lambda k: torch.nn.Linear(1, 1).requires_grad_(False).weight.fill_(k),
        lambda k: torch.no_grad()(lambda: k),
        lambda k: torch.utils.data.DataLoader(torch.full((2,), k)),
        lambda k: torch.optim.SGD([torch.ones(2)], lr=k),
    ]
    for make in kinds:
        one, other, same = (reached(holding(make(k))) for k in (1.0, 3.0, 1.0))
        assert one.unseen == ()
        assert one.digest == same.digest != other.digest
    assert reached(holding(torch.ones(2, device="meta"))).unseen == ("torch.Tensor",)


def test_an_array_a_key_and_a_compiled_function_of_jax() -> None:
    jax = pytest.importorskip("jax")
    kinds: list[Callable[[float], Any]] = [
        lambda k: jax.numpy.full(2, k),
        lambda k: jax.numpy.full(2, k, jax.numpy.bfloat16),
        lambda k: jax.random.key(int(k)),
        lambda k: jax.jit(lambda x: x * k),
        lambda k: jax.grad(lambda x: x * k),
    ]
    for make in kinds:
        one, other, same = (of_function(holding(make(k))) for k in (1.0, 3.0, 1.0))
        assert one == same != other


@pytest.mark.parametrize("x", [(i for i in [1]), threading.local(), sys._getframe()], ids=["generator", "local", "frame"])
def test_what_nothing_can_look_into_is_new_each_time_and_is_told(x: Any) -> None:
    first, second = reached(holding(x)), reached(holding(x))
    assert first.digest != second.digest
    given = reference(holding(x), "higher")
    assert given.unseen
    assert f"train reaches what nothing can look into ({', '.join(given.unseen)})" in list(notes(given))[-1]


def test_a_lock_and_an_open_file_hold_nothing(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as file:
        found = [reached(holding((threading.Lock(), threading.Event(), file, sys.stderr))) for _ in range(2)]
    assert found[0] == found[1]
    assert not found[0].unseen


def test_values_in_values_without_end() -> None:
    nested: list[Any] = []
    for _ in range(100_000):
        nested = [nested]
    assert reached(holding(nested)).unseen == ("values in values without end",)


LOOP = """import helper
def train(trial):
    return {}
"""


@pytest.mark.parametrize("reads", ["helper.K", "getattr(helper, 'K')", "vars(helper)['K']", "helper.deeper.K"])
def test_a_module_of_the_user_s_own(reads: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its file counts, edited or not loaded again, and so does a value that was set since."""
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("helper", "deeper"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    written(tmp_path, "K = 4.0\n", "deeper.py")
    path = written(tmp_path, "import deeper\nK = 3.0\n", "helper.py")
    known: dict[str, Any] = {"__name__": "__main__"}
    exec(LOOP.format(reads), known)  # a notebook: it is in no file
    first = of_function(known["train"])
    assert of_function(known["train"]) == first
    path.write_text("import deeper\nK = 5.0\n")
    second = of_function(known["train"])
    helper = importlib.import_module("helper")
    monkeypatch.setattr(helper.deeper if "deeper" in reads else helper, "K", 7.0)
    third = of_function(known["train"])
    written(tmp_path, "K = 6.0\n", "deeper.py")
    assert len({first, second, third, of_function(known["train"])}) == 4


def test_a_module_that_only_the_call_imports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    known: dict[str, Any] = {"__name__": "__main__"}
    exec("def train(trial):\n    from later import K\n    return K", known)
    path = written(tmp_path, "K = 3.0\n", "later.py")
    first = of_function(known["train"])
    path.write_text("K = 4.0\n")
    assert of_function(known["train"]) != first


SCRIPT = """import sys
K = float(sys.argv[1])
def train(trial):
    return K
if __name__ == "__main__":
    from thalweg.lab.user.my_training import reference
    found = reference(train, "higher")
    print(found.file is not None, found.fingerprint)
"""


def test_what_a_script_reads_from_its_command_line(tmp_path: Path) -> None:
    path = written(tmp_path, SCRIPT)
    found = [
        subprocess.run([sys.executable, path, k], capture_output=True, text=True, check=True).stdout.split()
        for k in ("3", "5", "3")
    ]
    assert [is_in_file for is_in_file, _ in found] == ["True"] * 3
    assert found[0] == found[2] != found[1]


@pytest.mark.slow
def test_it_is_the_same_in_another_process(tmp_path: Path) -> None:
    program = "from lab.training.test_reach import *\nprint([of_function(holding(make(1.0))) for make in HOLDS.values()])"
    found = {
        subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(filter(None, sys.path))},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1
