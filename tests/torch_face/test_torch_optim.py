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
from thalweg.engines import native  # noqa: E402
from thalweg.torch.face import Face  # noqa: E402
from thalweg.torch.groups import TorchArguments  # noqa: E402

SHAPES = [(4, 3), (7,), (), (2, 3, 2)]
KERNELS = [name for name, row in TORCH.items() if row.kernel]
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


def problem(dtype: Any = torch.float64, seed: int = 0, shapes: Any = SHAPES) -> tuple[list[Any], list[list[Any]]]:
    draw = torch.Generator().manual_seed(seed)
    params = [torch.nn.Parameter(torch.randn(s, generator=draw, dtype=dtype)) for s in shapes]
    gradients = [[torch.randn(s, generator=draw, dtype=dtype) * 10.0 ** (t % 5 - 3) for s in shapes] for t in range(200)]
    return params, gradients


def drive(optimizer: Any, params: list[Any], gradients: list[list[Any]], first: int = 0) -> None:
    for t, own in enumerate(gradients, first):
        for k, (p, g) in enumerate(zip(params, own, strict=True)):
            p.grad = None if (t % 7 == 2 and k == 1) else g.clone()
        optimizer.step()


def by_kernels(optimizer: Any) -> bool:
    return "_plan" in optimizer.__dict__


def apart(ours: list[Any], theirs: list[Any]) -> float:
    """The largest difference, as a share of the largest entry."""
    return max(float((a - b).detach().abs().max() / b.detach().abs().max()) for a, b in zip(ours, theirs, strict=True))


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
            rows.state[ours[k]]["step"] = torch.tensor(t + 1.0)
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


def test_hooks_are_called_once_whichever_way_a_step_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    p, g = problem()
    optimizer, calls = tt.Adam(p), []
    optimizer.register_step_pre_hook(lambda *_: calls.append("before"))
    optimizer.register_step_post_hook(lambda *_: calls.append("after"))
    torch.optim.Adam(problem()[0]).step()  # torch's own class has its hooks in place from now on
    drive(optimizer, p, g[:1])
    monkeypatch.setattr(native, "available", lambda: False)  # torch's own step, then
    del optimizer.__dict__["_plan"]
    drive(optimizer, p, g[:1])
    assert not by_kernels(optimizer)
    assert calls == ["before", "after"] * 2


def calls_of_hooks(make: Any, before: Any) -> list[str]:
    """What happens in two steps of a class that overrides `step`; before: what is done first."""
    make(problem()[0], lr=0.1)  # from the first of its kind on, torch has a class's own step wrapped

    class Base(make):  # type: ignore[misc]
        pass

    class Mine(Base):  # type: ignore[misc]
        def step(self, closure: Any = None) -> Any:
            calls.append("mine")
            return super().step(closure)

    (p, g), calls = problem(), list[str]()
    optimizer = Mine(p, lr=0.1)
    optimizer.register_step_pre_hook(lambda *_: calls.append("before"))
    optimizer.register_step_post_hook(lambda *_: calls.append("after"))
    before(Base, optimizer, calls)
    drive(optimizer, p, g[:2])
    return calls


def nothing(base: Any, optimizer: Any, calls: list[str]) -> None:
    """Only the class that overrides `step` is ever made."""


def made_too(base: Any, optimizer: Any, calls: list[str]) -> None:
    """The class that it overrides it of is made as well."""
    base(problem()[0], lr=0.1)


def patched(base: Any, optimizer: Any, calls: list[str]) -> None:
    """Somebody puts another function in the place of the class's step."""
    mine = type(optimizer)
    original = mine.step

    def timed(self: Any, *args: Any, **named: Any) -> Any:
        calls.append("timed")
        return original(self, *args, **named)

    mine.step = timed


@pytest.mark.parametrize("before", [nothing, made_too, patched], ids=lambda before: before.__name__)
@pytest.mark.parametrize("make", [tt.Adam, tt.Lion])
def test_hooks_are_called_as_torch_calls_them(make: Any, before: Any) -> None:
    expected = calls_of_hooks(torch.optim.Adam, before)
    assert {"before", "mine", "after"} <= set(expected)
    assert calls_of_hooks(make, before) == expected


@pytest.mark.parametrize("name", ["Adam", "SGD", "NAdam"])
def test_a_group_that_is_another_dict_counts(name: str) -> None:
    def walked(home: Any) -> list[Any]:
        p, g = problem()
        optimizer = getattr(home, name)(p, lr=0.1)
        drive(optimizer, p, g[:3])
        optimizer.param_groups[0] = {**optimizer.param_groups[0], "lr": 0.0}
        drive(optimizer, p, g[3:5])
        optimizer.param_groups = [dict(group) for group in optimizer.param_groups]
        optimizer.param_groups[0]["lr"] = 0.3
        drive(optimizer, p, g[5:7])
        optimizer.__setstate__(
            {"state": optimizer.state, "param_groups": [{**group, "lr": 0.7} for group in optimizer.param_groups]}
        )
        drive(optimizer, p, g[7:9])
        return p

    for ours, theirs in zip(walked(tt), walked(torch.optim), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-7)


def test_a_global_hook_and_a_hook_that_hands_over_a_closure() -> None:
    from torch.optim.optimizer import register_optimizer_step_post_hook

    p, g = problem()
    optimizer, calls = tt.Adam(p), []
    for x, own in zip(p, g[0], strict=True):
        x.grad = own
    taken = register_optimizer_step_post_hook(lambda optimizer, args, named: calls.append((args, named)))
    try:
        optimizer.step()
    finally:
        taken.remove()
    assert calls == [((optimizer,), {})]
    optimizer.register_step_pre_hook(lambda optimizer, args, named: ((optimizer, lambda: torch.tensor(3.0)), {}))
    assert optimizer.step() == 3.0


@pytest.mark.parametrize("make", [tt.AdamW, tt.Lion])
def test_a_profiler_sees_each_step(make: Any) -> None:
    p, g = problem()
    optimizer = make(p, lr=0.1)
    drive(optimizer, p, g[:1])
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profiler:
        drive(optimizer, p, g[:2])
    counts = {event.key: event.count for event in profiler.key_averages()}
    assert counts[f"Optimizer.step#{make.__name__}.step"] == 2


def test_closures_groups_and_frozen_parameters() -> None:
    (p, g), (q, _) = problem(), problem()
    pair = tt.AdamW(p[:2], lr=0.1), torch.optim.AdamW(q[:2], lr=0.1)
    for optimizer, params in zip(pair, (p, q), strict=True):
        drive(optimizer, params, g[:5])
        optimizer.add_param_group({"params": params[2:], "lr": 0.01, "weight_decay": 0.0})
        drive(optimizer, params, g[5:10], 5)
        params[0].requires_grad_(False)
        params[0].grad = None
        for t in range(10, 15):
            for x, gradient in zip(params[1:], g[t][1:], strict=True):
                x.grad = gradient.clone()
            assert optimizer.step(lambda: 3.5) == 3.5
        optimizer.param_groups[1]["weight_decay"] = 0.1
        optimizer.param_groups[0]["amsgrad"] = False
        drive(optimizer, params, g[15:20], 15)
    assert by_kernels(pair[0])
    assert apart(p, q) < 1e-12


def test_layouts_and_swapped_data() -> None:
    """channels_last weights, gradients in another layout, a parameter whose data were replaced."""
    draw = torch.Generator().manual_seed(0)
    values = torch.randn(4, 3, 5, 5, generator=draw, dtype=torch.float64)
    p = torch.nn.Parameter(values.clone().to(memory_format=torch.channels_last))
    q = torch.nn.Parameter(values.clone())
    ours, theirs = tt.Adam([p]), torch.optim.Adam([q])
    for t in range(6):
        g = torch.randn(values.shape, generator=draw, dtype=torch.float64)
        p.grad, q.grad = g.clone() if t % 2 else g.to(memory_format=torch.channels_last), g.clone()
        if t == 3:
            p.data = p.data.clone()
        ours.step()
        theirs.step()
        assert by_kernels(ours)
    torch.testing.assert_close(p, q, rtol=1e-12, atol=1e-14)
    assert ours.state[p]["exp_avg"].is_contiguous(memory_format=torch.channels_last)


@pytest.mark.filterwarnings("ignore:Sparse invariant checks")  # torch.optim.Adagrad itself builds one without saying
@pytest.mark.parametrize("name", ["SGD", "Adagrad"])
def test_sparse_gradients_are_torchs(name: str) -> None:
    pair = []
    for home in (tt, torch.optim):
        weights = torch.nn.Parameter(torch.ones(5, 2, dtype=torch.float64))
        optimizer = getattr(home, name)([weights], lr=0.1)
        for _ in range(3):
            weights.grad = torch.sparse_coo_tensor([[0, 3]], torch.ones(2, 2, dtype=torch.float64), (5, 2), check_invariants=True)
            optimizer.step()
        pair.append(weights)
    assert torch.equal(*pair)


def test_grad_scaler_skips_and_unscales() -> None:
    pair = []
    for home in (tt, torch.optim):
        p = torch.nn.Parameter(torch.ones(3))
        optimizer = home.Adam([p], lr=0.1, fused=True)
        scaler = torch.amp.GradScaler("cpu", init_scale=8.0, growth_interval=1000)
        for value in (1.0, float("inf"), 2.0):
            optimizer.zero_grad()
            scaler.scale((p * value).sum()).backward()
            scaler.step(optimizer)
            scaler.update()
        pair.append(p)
    torch.testing.assert_close(*pair)


def test_a_copy_and_a_pickle_go_on_alone() -> None:
    p, g = problem()
    optimizer = tt.Adam(p)
    drive(optimizer, p, g[:5])
    twin_p, twin = copy.deepcopy((p, optimizer))
    drive(optimizer, p, g[5:10], 5)
    kept = [x.detach().clone() for x in twin_p]
    drive(twin, twin_p, g[5:10], 5)
    assert all(torch.equal(a, b) for a, b in zip(p, twin_p, strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(kept, twin_p, strict=True))


def test_state_that_moves_in_memory() -> None:
    """share_memory_ leaves a tensor what it is and puts its numbers elsewhere."""
    (p, g), (q, _) = problem(), problem()
    ours, theirs = tt.Adagrad(p), torch.optim.Adagrad(q)
    for optimizer, params in ((ours, p), (theirs, q)):
        drive(optimizer, params, g[:3])
        optimizer.share_memory()
        for x in params:
            x.data.share_memory_()
        drive(optimizer, params, g[3:6], 3)
    assert by_kernels(ours)
    assert apart(p, q) < 1e-12


def test_one_complex_parameter_leaves_the_step_to_torch() -> None:
    pair = []
    for home in (tt, torch.optim):
        x, z = torch.nn.Parameter(torch.ones(3, dtype=torch.float64)), torch.nn.Parameter(torch.ones(2, dtype=torch.complex128))
        optimizer = home.Adam([{"params": [x]}, {"params": [z]}], lr=0.1)
        for t in range(4):
            x.grad = torch.full_like(x, t + 1.0)
            z.grad = None if t == 1 else torch.full_like(z, 1j * t - 1)
            optimizer.step()
        pair.append((x, z))
    for ours, theirs in zip(*pair, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-14)
