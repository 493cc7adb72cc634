"""Every class of `thalweg.torch` on tensors that lie inside larger ones: what is beside them must not change."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from guarded import Guards

import thalweg as tw
from thalweg.graph.storage import ROUNDINGS

torch = pytest.importorskip("torch")

import thalweg.torch as tt  # noqa: E402
from thalweg.numpy import class_name  # noqa: E402
from thalweg.torch.wrappers import WRAPPERS  # noqa: E402

LAYOUTS = ("C", "F", "strided", "offset", "misaligned")
NOT_OURS = {"Optimizer", "LBFGS", "SparseAdam", *map(class_name, WRAPPERS.values())}
CLASSES = [name for name in dir(tt) if isinstance(getattr(tt, name), type) and name not in NOT_OURS]
MATRICES = {
    "Muon",
    "GaLore",
    "NorMuon",
    "AdaMuon",
    "Shampoo",
    "SOAP",
    "ApolloAdamW",
    "PSGDKron",
    "Dion",
    "AdaGO",
    "PolarGrad",
    "Conda",
    "Fira",
}
NO_EMPTY = {"Adafactor"}  # torch's own divides by their size
KEPT = [("nearest", "int8"), *((way, own) for way in ROUNDINGS if way != "nearest" for own in ("own", "int8"))]
EVERY_DAY = {"Adam", "SGD", "AdaBelief", "LAMB"}


def bits(x: Any) -> Any:
    return x.detach().view(torch.int16).numpy().view(np.uint16) if x.dtype is torch.bfloat16 else x.detach().numpy()


class Guarded:
    """Tensors with borders, of one layout."""

    def __init__(self, layout: str, dtype: Any) -> None:
        self.guards, self.draw, self.layout, self.dtype = Guards(), np.random.default_rng(0), layout, dtype

    def around(self, x: Any) -> Any:
        made = torch.from_numpy(self.guards.array(bits(x), self.layout))
        return made.view(torch.bfloat16) if x.dtype is torch.bfloat16 else made

    def tensor(self, shape: tuple[int, ...]) -> Any:
        return self.around(torch.from_numpy(self.draw.normal(size=shape)).to(self.dtype))

    def walk(self, make: Any, shapes: list[tuple[int, ...]], steps: int = 4) -> None:
        """Steps with gradients anew, each slot of the state put between borders half-way."""
        params = [torch.nn.Parameter(self.tensor(shape)) for shape in shapes]
        optimizer, start = make(params), [p.detach().clone() for p in params]

        def closure() -> Any:
            for p, shape in zip(params, shapes, strict=True):
                p.grad, p.curvature = self.tensor(shape), self.tensor(shape)
            return torch.tensor(1.0)

        for t in range(steps):
            closure()
            for state in list(optimizer.state.values()) if t == 2 else []:
                for key, x in state.items():
                    if torch.is_tensor(x) and x.ndim:
                        state[key] = self.around(x)
            optimizer.step(closure)
            self.guards.check()
        if self.dtype is torch.float32:  # a first step of a millionth is lost in bfloat16
            assert not all(torch.equal(p, q) for p, q in zip(params, start, strict=True))


def marked(*values: Any, everyday: bool) -> Any:
    return pytest.param(*values, marks=() if everyday else pytest.mark.slow)


@pytest.mark.parametrize(
    ("name", "layout"),
    [
        marked(name, layout, everyday=name in EVERY_DAY)
        for name in CLASSES
        for i, layout in enumerate(LAYOUTS)
        if name in EVERY_DAY or (len(name) + i) % 3 == 0
    ],
)
def test_nothing_beside_the_tensors_is_written(name: str, layout: str) -> None:
    shapes = [(7, 5), (16, 20)] if name in MATRICES else [(7, 5), (300,), (), *([] if name in NO_EMPTY else [(0,)])]
    steps = {"AdaShift": 12, "ScheduleFreeRAdam": 8}.get(name, 4)  # they rest at first
    Guarded(layout, torch.float32).walk(lambda params: getattr(tt, name)(params, lr=1.0), shapes, steps)


def test_nothing_is_written_beside_what_a_chain_or_the_norm_of_all_steps() -> None:
    for layout in LAYOUTS:
        chain = tw.chain(tw.clip(1.0), tw.adam(), tw.decay(0.1))
        Guarded(layout, torch.float32).walk(lambda params: tt.Optimizer(params, chain, lr=0.1), [(7, 5), (300,)])  # noqa: B023


def takes_storage(name: str) -> bool:
    try:
        getattr(tt, name)([torch.nn.Parameter(torch.ones(2, 2))], lr=1.0, state_dtype="int8")
    except (TypeError, ValueError):
        return False
    return True


@pytest.mark.parametrize(
    ("name", "rounding", "own", "layout"),
    [
        marked(name, rounding, own, layout, everyday=name == "Adam" and layout in ("C", "misaligned"))
        for name in CLASSES
        if takes_storage(name) and name not in MATRICES  # which are no single pass, and have vectors refused
        for i, (rounding, own) in enumerate(KEPT)
        if name == "Adam" or (len(name) + i) % 3 == 0
        for layout in (LAYOUTS if name == "Adam" else [LAYOUTS[(len(name) + i) % len(LAYOUTS)]])
    ],
)
def test_nothing_is_written_beside_what_is_kept_otherwise(name: str, rounding: str, own: str, layout: str) -> None:
    def make(params: Any) -> Any:
        return getattr(tt, name)(params, lr=1.0, rounding=rounding, state_dtype=own)

    try:
        Guarded(layout, torch.bfloat16).walk(make, [(7, 5), (300,), (0,)])
    except TypeError as error:
        if "element-wise" not in str(error):
            raise
