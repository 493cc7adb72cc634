"""`thalweg.torch` beside torch.optim, on every set of options that PyTorch itself samples for its optimizers."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Collection
from typing import Any

import pytest
from support import through_a_file

torch = pytest.importorskip("torch")
common = pytest.importorskip("torch.testing._internal.common_optimizers")

import thalweg as tw  # noqa: E402
import thalweg.torch as tt  # noqa: E402
from thalweg.dialects import TORCH  # noqa: E402
from thalweg.torch.face import Face  # noqa: E402
from thalweg.torch.groups import TorchArguments  # noqa: E402
from torch_face.problems import KERNELS, SHAPES, apart, by_kernels, drive, problem  # noqa: E402

MATRICES = [(4, 3), (3, 7), (5, 5)]
SAMPLES: dict[str, Any] = {info.optim_cls.__name__: info for info in common.optim_db if info.optim_cls.__name__ in TORCH}
Make = Callable[..., Any]


def option_sets(names: Collection[str] = KERNELS, everyday: int = 100) -> list[Any]:
    """everyday: with how many sets of its options, of those that PyTorch samples, a class runs every day."""
    found = []
    for name in names:
        for k, sample in enumerate(SAMPLES[name].optim_inputs_func(device="cpu", dtype=torch.float64)):
            marks = () if k < everyday or sample.kwargs.get("amsgrad") or sample.kwargs.get("nesterov") else pytest.mark.slow
            found.append(pytest.param(name, sample.kwargs, id=f"{name}-{k}-{sample.desc.replace(' ', '-')}", marks=marks))
    return found


@pytest.mark.parametrize(("name", "options"), option_sets(everyday=1))
def test_two_hundred_steps_and_all_state_equal_torchs(name: str, options: dict[str, Any]) -> None:
    (p, g), (q, _) = problem(), problem()
    ours, theirs = getattr(tt, name)(p, **copy.deepcopy(options)), getattr(torch.optim, name)(q, **copy.deepcopy(options))
    drive(ours, p, g)
    drive(theirs, q, g)
    flagged = options.get("capturable") or options.get("differentiable")
    assert by_kernels(ours) == (not flagged)
    assert apart(p, q) < 1e-12
    mine, torchs = ours.state_dict(), theirs.state_dict()
    assert mine["param_groups"] == torchs["param_groups"]
    assert {k: set(v) for k, v in mine["state"].items()} == {k: set(v) for k, v in torchs["state"].items()}
    for k, kept in torchs["state"].items():
        for key, value in kept.items():
            torch.testing.assert_close(mine["state"][k][key], value, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("name", "options"), option_sets(["Muon"], everyday=1))
def test_rows_without_a_kernel_are_torchs_too(name: str, options: dict[str, Any]) -> None:
    """The class takes torch's own step, and the row's functions make the same one."""
    shapes = MATRICES if name == "Muon" else SHAPES
    if torch.is_tensor(options.get("lr")):  # Muon works out 1 - lr weight_decay in that tensor's float32
        options = {**options, "lr": options["lr"].double()}
    (p, g), (q, _), (r, _) = (problem(shapes=shapes) for _ in range(3))
    theirs, own = getattr(torch.optim, name)(q, **copy.deepcopy(options)), getattr(tt, name)(r, **copy.deepcopy(options))
    assert isinstance(own, Face)
    given = TorchArguments({**theirs.param_groups[0], "dtype": "float64"})
    ours = tt.Optimizer(p, TORCH[name].stages(given), lr=float(theirs.defaults["lr"]))
    for optimizer, params in ((ours, p), (theirs, q), (own, r)):
        drive(optimizer, params, g)
    assert apart(p, q) < 1e-12
    assert all(torch.equal(a, b) for a, b in zip(r, q, strict=True))


@pytest.mark.parametrize("maximize", [False, True])
def test_sparse_adam_is_adam_on_the_rows_that_there_are(maximize: bool) -> None:
    (p, g), (q, _) = problem(shapes=[(6, 3)]), problem(shapes=[(6, 3)])
    theirs = tt.SparseAdam(q, lr=0.01, maximize=maximize)
    ours = [torch.nn.Parameter(row.detach().clone()) for row in p[0]]
    rows = tt.Optimizer(ours, TORCH["SparseAdam"].stages(TorchArguments(theirs.param_groups[0])), lr=0.01)
    for t, (gradient,) in enumerate(g):
        there = [0, 1 + t % 5]
        q[0].grad = torch.sparse_coo_tensor([there], gradient[there], (6, 3), check_invariants=False)
        theirs.step()
        for k, p_k in enumerate(ours):
            p_k.grad = gradient[k].clone() if k in there else None
        rows.step()
        for k in set(range(6)) - set(there):  # SparseAdam counts its updates together, whichever rows they have
            zeros = {slot: torch.zeros_like(gradient[k]) for slot in ("m", "v")}
            rows.state[ours[k]] = {**zeros, **rows.state[ours[k]], "step": torch.tensor(t + 1.0)}
    assert apart([torch.stack(list(ours))], q) < 1e-12


def test_names_in_torchs_spelling_are_torchs() -> None:
    classes = [name for name in torch.optim.__all__ if isinstance(getattr(torch.optim, name), type)]
    assert {"SGD", "ASGD", "LBFGS", "Muon"} < set(classes)
    for name in classes:
        assert issubclass(getattr(tt, name), getattr(torch.optim, name)), name
    assert tt.lr_scheduler is torch.optim.lr_scheduler
    assert not issubclass(tt.of(tw.muon), torch.optim.Muon)


@pytest.mark.parametrize("way", ["from torch", "to torch", "to ourselves"])
@pytest.mark.parametrize(("name", "options"), option_sets(everyday=1))
def test_a_checkpoint_goes_over_in_the_middle(name: str, options: dict[str, Any], way: str) -> None:
    before, after = {
        "from torch": (torch.optim, tt),
        "to torch": (tt, torch.optim),
        "to ourselves": (tt, tt),
    }[way]
    p, g = problem()
    first = getattr(before, name)(p, **copy.deepcopy(options))
    drive(first, p, g[:30])
    q = [torch.nn.Parameter(x.detach().clone()) for x in p]
    second = getattr(after, name)(q, **copy.deepcopy(options))
    second.load_state_dict(through_a_file(first.state_dict()))
    drive(first, p, g[30:60], 30)
    drive(second, q, g[30:60], 30)
    if way == "to ourselves" and name not in (
        "NAdam",
        "ASGD",
    ):  # loading casts mu_product to the parameter's dtype, in torch as here
        assert all(torch.equal(a, b) for a, b in zip(p, q, strict=True)), "resumed to the last bit"
    assert apart(q, p) < (1e-6 if name in ("NAdam", "ASGD") else 1e-12)


def errors() -> list[Any]:
    return [
        pytest.param(name, case, id=f"{name}-{k}")
        for name, info in SAMPLES.items()
        for k, case in enumerate(info.optim_error_inputs_func("cpu", torch.float32))
    ]


@pytest.mark.parametrize(("name", "case"), errors())
def test_errors_are_torchs(name: str, case: Any) -> None:
    given = case.optimizer_error_input
    params = given.params if given.params is not None else [torch.nn.Parameter(torch.zeros(1, 1))]
    warns = issubclass(case.error_type, Warning)
    expect = pytest.warns if warns else pytest.raises
    with expect(case.error_type, match=case.error_regex):
        optimizer = getattr(tt, name)(params, **given.kwargs)
        if case.error_on is common.OptimizerErrorEnum.STEP_ERROR:
            optimizer.step()


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize(
    "dtype", [torch.bfloat16, *(pytest.param(dtype, marks=pytest.mark.slow) for dtype in (torch.float32, torch.float16))]
)
def test_low_precision_stays_near_a_run_in_float64(name: str, dtype: Any) -> None:
    """One step from a shared state: no further from the exact one than rounding to the dtype, once."""
    p, g = problem(dtype)
    optimizer = getattr(tt, name)(p)
    drive(optimizer, p, g[:5])
    q = [torch.nn.Parameter(x.detach().double()) for x in p]
    exact = getattr(tt, name)(q)
    state = copy.deepcopy(optimizer.state_dict())
    exact.load_state_dict(state)
    drive(optimizer, p, g[5:6])
    drive(exact, q, [[x.double() for x in g[5]]])
    assert by_kernels(optimizer)
    for low, high in zip(p, q, strict=True):
        bound = torch.finfo(dtype).eps * high.abs().clamp(min=torch.finfo(dtype).tiny) + 1e-6 * 0.05
        assert bool(((low.double() - high).abs() <= bound).all())


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("lr", [0.1, torch.tensor(0.1, dtype=torch.float64)], ids=["float", "tensor"])
def test_one_cycle(name: str, lr: Any) -> None:
    (p, g), (q, _) = problem(), problem()
    pair = getattr(tt, name)(p, lr=copy.deepcopy(lr)), getattr(torch.optim, name)(q, lr=copy.deepcopy(lr))
    cycle = bool({"betas", "momentum"} & set(pair[1].defaults)) and pair[1].defaults.get("momentum", 1) != 0
    for optimizer, params in zip(pair, (p, q), strict=True):
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=31, cycle_momentum=cycle)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for t in range(30):
                drive(optimizer, params, g[t : t + 1], t)
                schedule.step()
    assert by_kernels(pair[0])
    assert apart(p, q) < 1e-12
    assert torch.is_tensor(pair[0].param_groups[0]["lr"]) == torch.is_tensor(lr)


@pytest.mark.parametrize("name", KERNELS)
def test_a_distributed_checkpoint_makes_the_state_and_moves_nothing(name: str) -> None:
    init = pytest.importorskip("torch.distributed.checkpoint.state_dict")._init_optim_state
    p, _ = problem()
    before = [x.detach().clone() for x in p]
    optimizer = getattr(tt, name)(p)
    init(optimizer)
    assert optimizer.state or name == "SGD"
    assert all(torch.equal(a, b) for a, b in zip(before, p, strict=True))
