"""Parameters and state in few bytes: rounding and state dtypes that belong to no rule."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from support import OF_PRODUCTS, WALKED, drive, everyday, through_a_file

torch = pytest.importorskip("torch")

import thalweg as tw  # noqa: E402
import thalweg.torch as tt  # noqa: E402
from thalweg.engines import native  # noqa: E402
from thalweg.form.memory import Kind  # noqa: E402
from thalweg.graph import storage  # noqa: E402
from thalweg.torch import interpreter as interpreter  # noqa: E402

HALF = torch.bfloat16
SHAPES = [(40, 25), (300,), (), (5, 3, 2)]


def is_one_pass(name: str) -> bool:
    """Whether a rule's step on one tensor is a graph of words that `interpreter` knows."""
    params, gradients = problem(steps=1)
    try:
        drive(tt.of(tw.rules[name])(params, rounding="master"), params, gradients)
    except (TypeError, ValueError):
        return False
    return True


CHOICES = [("stochastic", "int8"), ("kahan", "bfloat16"), ("master", "own"), ("nearest", "float32")]


def problem(dtype: Any = HALF, steps: int = 12, shapes: Any = SHAPES) -> tuple[list[Any], list[list[Any]]]:
    draw = torch.Generator().manual_seed(0)
    params = [torch.randn(s, generator=draw).to(dtype) for s in shapes]
    return params, [[torch.randn(s, generator=draw).to(dtype) for s in shapes] for _ in range(steps)]


def same_bits(a: Any, b: Any) -> bool:
    return a.dtype == b.dtype and torch.equal(a.nan_to_num(7.0), b.nan_to_num(7.0)) and torch.equal(a.isnan(), b.isnan())


WITHOUT_KERNEL = {
    "tam",
    "fadam",
    "amos",
    "aida",
    "a2grad_exp",
    "a2grad_inc",
    "a2grad_uni",
    "adanorm",
    "adasecant",
    "apollo",
    "fromage",
    "lamb",
    "lars",
    "ldog",
    "mars",
    "novograd",
    "santa_sss",
    "sgd_sai",
    "stable_adamw",
}
SUMMING_UP = {
    "alig",
    "adgd",
    "dadapt_lion",
    "dadapt_adan",
    "dadapt_adagrad",
    "adagrad_norm",
    "adai",
    "adams",
    "avagrad",
    "dog",
    "dowg",
    "prodigy",
    "dadapt_adam",
    "dadapt_sgd",
    "momo",
    "momo_adam",
    "mechanic_adam",
    "swats",
}  # the whole model
OF_TENSORS = {
    "nero",
    "ranger21",
    "adalite",
    "came",
    "sm3",
    "adam_mini",
    "adamp",
    "sgdp",
    *OF_PRODUCTS,
    "adahessian",
    "sophia",
}  # slices, matrices, and what needs a curvature
REFUSED = {"adafactor", "adalomo", "adashift", "learned", "lbfgs", "polyak_sgd", *SUMMING_UP, *OF_TENSORS, *WALKED}
RULES = [name for name in tw.rules if name not in REFUSED]


def test_all_rules_but_these_can_be_so_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "available", lambda: False)  # that the kernels compute the same is a test of its own
    assert {name for name in tw.rules if not is_one_pass(name)} == REFUSED


MANY_SIDED = ("sgd", "momentum", "adam", "amsgrad", "nadam", "rprop", "asgd", "adasecant")
POWERS = ("adam_atan2", "adamg", "mirror_madgrad", "padam")
"""They take an angle, a power or a root of arrays, whose last bit is another in a kernel, and may then round to a coarser number."""
CASES = [(name, *choice) for name in RULES if name not in POWERS for choice in (CHOICES if name in MANY_SIDED else CHOICES[:1])]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "rounding", "state_dtype"), CASES)
def test_kernels_compute_what_the_words_say(name: str, rounding: str, state_dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """To the last bit, torch's square root being replaced by one that is rounded correctly, as IEEE 754 and kernels have it."""
    monkeypatch.setattr(torch, "sqrt", lambda x: torch.as_tensor(np.sqrt(x.numpy())))
    runs = []
    for kernels in (True, False):
        params, gradients = problem()
        optimizer = tt.of(tw.rules[name])(params, rounding=rounding, state_dtype=state_dtype)
        with monkeypatch.context() as patch:
            if not kernels:
                patch.setattr(native, "available", lambda: False)
            drive(optimizer, params, gradients)
        assert ("_plan" in optimizer.__dict__) == (kernels and name not in WITHOUT_KERNEL)
        runs.append((params, [optimizer.state[p] for p in params]))
    for p, q, mine, other in zip(runs[0][0], runs[1][0], runs[0][1], runs[1][1], strict=True):
        assert same_bits(p, q)
        assert set(mine) == set(other)
        for key, value in mine.items():
            if isinstance(value, torch.Tensor) and value.ndim:
                assert same_bits(value, other[key]), key


def wanted_dtypes(name: str, rounding: str, state_dtype: str) -> dict[str, Any]:
    stage = tw.rules[name]()
    wide = getattr(torch, "bfloat16" if state_dtype == "own" else state_dtype)
    kinds: dict[str, Kind] = {k.split(".")[-1]: v for k, v in stage.memory.items()}
    found = {slot: wide if kind.kind == "filled" else torch.float32 for slot, kind in kinds.items() if kind.level == 2}
    if state_dtype == "int8":
        found |= {f"{slot}_scale": torch.float32 for slot, dtype in list(found.items()) if dtype is torch.int8}
    return found | {"kahan": {"lost": HALF}, "master": {"master": torch.float32}}.get(rounding, {})


@pytest.mark.parametrize(("rounding", "state_dtype"), CHOICES)
@pytest.mark.parametrize(
    "name", everyday(["sgd", "momentum", "adam", "amsgrad", "rprop", "asgd", "nadam"], of=("adam", "rprop", "asgd"))
)
def test_what_is_kept_and_resumed_to_the_last_bit(name: str, rounding: str, state_dtype: str) -> None:
    """Through torch.save and a weights_only load, into another optimizer."""
    make = tt.of(tw.rules[name])
    params, gradients = problem(steps=20)
    first = make(params, rounding=rounding, state_dtype=state_dtype)
    drive(first, params, gradients[:9])
    for key, dtype in wanted_dtypes(name, rounding, state_dtype).items():
        assert first.state[params[0]][key].dtype is dtype, key
    loaded = through_a_file({"params": params, "optimizer": first.state_dict()})
    second = make(loaded["params"], rounding=rounding, state_dtype=state_dtype)
    second.load_state_dict(loaded["optimizer"])
    drive(first, params, gradients[9:])
    drive(second, loaded["params"], gradients[9:])
    assert all(same_bits(p, q) for p, q in zip(params, loaded["params"], strict=True))
    for p, q in zip(params, loaded["params"], strict=True):
        for key, value in first.state[p].items():
            assert same_bits(torch.as_tensor(value), torch.as_tensor(second.state[q][key])), key


def test_master_weights_walk_as_float32_parameters_do() -> None:
    params, gradients = problem(steps=50)
    wide = [p.float() for p in params]
    optimizer = tt.AdamW(params, lr=1e-3, rounding="master", state_dtype="float32")
    drive(optimizer, params, gradients)
    drive(tt.AdamW(wide, lr=1e-3), wide, [[g.float() for g in own] for own in gradients])
    for p, w in zip(params, wide, strict=True):
        assert torch.equal(optimizer.state[p]["master"], w)
        assert torch.equal(p, w.to(HALF))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_kahan_keeps_what_rounding_loses(dtype: Any) -> None:
    """Parameter and what was lost are together as good as a number of twice the bits."""
    params, gradients = problem(dtype, steps=200)
    wide = [p.float() for p in params]
    optimizer = tt.AdamW(params, lr=1e-3, rounding="kahan", state_dtype="float32")
    drive(optimizer, params, gradients)
    drive(tt.AdamW(wide, lr=1e-3), wide, [[g.float() for g in own] for own in gradients])
    eps = torch.finfo(dtype).eps
    for p, w in zip(params, wide, strict=True):
        both = p.float() + optimizer.state[p]["lost"].float()
        assert float((both - w).abs().max() / w.abs().max()) < 200 * eps**2
        assert bool(((both.to(dtype) - p).abs() <= eps * p.abs()).all()), "the parameter is the rounded sum"


def test_stochastic_rounding_moves_on_average_where_nearest_stays() -> None:
    size, steps, lr = 20_000, 100, 1e-4  # a unit in the last place of 1 is 80 such steps
    runs = {}
    for rounding in ("nearest", "stochastic"):
        p = torch.ones(size, dtype=HALF)
        optimizer = tt.SGD([p], lr=lr, rounding=rounding)
        for _ in range(steps):
            p.grad = torch.ones_like(p)
            optimizer.step()
        runs[rounding] = p.double()
    assert bool((runs["nearest"] == 1).all())
    below = 2.0**-8  # the spacing below 1
    spread = below / 2 * np.sqrt(steps / size)  # each step is off by less than half a spacing, independently
    assert abs(float(runs["stochastic"].mean()) - (1 - steps * lr)) < 4 * spread


@pytest.mark.parametrize("state_dtype", ["bfloat16", "int8"])
def test_a_narrow_average_follows_what_changes_it_by_less_than_a_unit(state_dtype: str) -> None:
    p = torch.zeros(64 * 256)
    optimizer = tt.RMSprop([p], lr=0.0, alpha=0.999, state_dtype=state_dtype)
    draw = torch.Generator().manual_seed(0)
    sizes = torch.rand(p.numel(), generator=draw) * 10
    exact = torch.zeros_like(p)
    for t in range(1500):
        p.grad = sizes * (1.0 if t < 500 else 0.5)
        exact.mul_(0.999).add_(p.grad**2, alpha=0.001)
        optimizer.step()
    state = optimizer.state[p]
    v = state["square_avg"].float()
    if state_dtype == "int8":
        v = interpreter.restored(state["square_avg"], state["square_avg_scale"])
    large = sizes > 1
    errors = (v / exact - 1)[large]
    assert abs(float(errors.mean())) < 0.02
    assert float(errors.abs().median()) < (0.02 if state_dtype == "bfloat16" else 0.25)


def test_a_code_is_right_on_average_and_never_nought_for_what_is_not() -> None:
    x = torch.cat([torch.logspace(-12, 0, 2000), -torch.logspace(-8, 0, 500), torch.zeros(3)]).double()
    draws = (torch.arange(1024) + 0.5) / 1024
    codes = torch.stack([storage.encoded(x, 1.0, float(u)) for u in draws])
    assert codes.abs().max() == 127
    assert bool(((codes == 0) == (x == 0)).all())
    decoded = storage.decoded(codes, 1.0)
    fine = x.abs() > (1 / 127) ** 4
    spacing = ((codes.abs().max(0).values + 1) / 127) ** 4 - ((codes.abs().min(0).values - 1).clamp(min=0) / 127) ** 4
    assert bool(((decoded.mean(0) - x).abs() <= spacing / 1024)[fine].all())
    assert bool((decoded.std(0) <= spacing)[fine].all())
    near = storage.decoded(storage.encoded(x, 1.0, 0.5), 1.0)
    top = x.abs() > 1e-2
    assert float((near[top] / x[top] - 1).abs().max()) < 0.06


def test_a_checkpoint_in_float32_goes_on_in_eight_bits() -> None:
    draw = torch.Generator().manual_seed(0)
    p = torch.randn(1000, generator=draw)
    theirs = torch.optim.AdamW([p], lr=1e-3)
    gradients = [[torch.randn(1000, generator=draw)] for _ in range(30)]
    for (g,) in gradients[:20]:
        p.grad = g
        theirs.step()
    q = p.clone()
    ours = tt.AdamW([q], lr=1e-3, state_dtype="int8")
    saved = copy.deepcopy(theirs.state_dict())  # the tensors in it are those of the running optimizer
    saved["param_groups"][0]["state_dtype"] = "int8"
    ours.load_state_dict(saved)
    start = p.clone()
    for (g,) in gradients[20:]:
        p.grad, q.grad = g.clone(), g.clone()
        theirs.step()
        ours.step()
    assert ours.state[q]["exp_avg"].dtype is torch.int8
    assert ours.state[q]["exp_avg_scale"].shape == (4,)
    moved = (p - start).norm()
    assert 0 < float((p - q).norm() / moved) < 0.1


def test_bytes() -> None:
    p = torch.zeros(256 * 1000, dtype=HALF)
    for options, wanted in (
        ({"rounding": "stochastic", "state_dtype": "int8"}, 2 * (1 + 4 / 256)),
        ({"rounding": "kahan"}, 2 + 2 + 2),
        ({"rounding": "master", "state_dtype": "float32"}, 4 + 4 + 4),
    ):
        optimizer = tt.AdamW([p], **options)
        drive(optimizer, [p], [[torch.ones_like(p)]])
        kept = sum(x.numel() * x.element_size() for x in optimizer.state[p].values() if x.ndim)
        assert kept == wanted * p.numel()


@pytest.mark.parametrize(("rounding", "state_dtype"), [("stochastic", "int8"), ("kahan", "bfloat16"), ("nearest", "int8")])
def test_training_is_as_good_as_in_float32(rounding: str, state_dtype: str) -> None:
    """Logistic regression; what it ends at, beside plain bfloat16."""
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(500, 20, generator=draw)
    y = (x @ torch.randn(20, generator=draw) + 0.5 * torch.randn(500, generator=draw) > 0).float()

    def final(dtype: Any, **options: Any) -> float:
        w = torch.nn.Parameter(torch.zeros(20, dtype=dtype))
        optimizer = tt.AdamW([w], lr=3e-3, weight_decay=0.0, **options)
        for _ in range(800):
            optimizer.zero_grad()
            torch.nn.functional.binary_cross_entropy_with_logits(x @ w.float(), y).backward()
            optimizer.step()
        return float(torch.nn.functional.binary_cross_entropy_with_logits(x @ w.detach().float(), y))

    dtype = torch.float32 if rounding == "nearest" else HALF
    wide, plain, kept = final(torch.float32), final(HALF), final(dtype, rounding=rounding, state_dtype=state_dtype)
    start = float(np.log(2))
    assert (start - plain) / (start - wide) < 0.9, "what all this is for"
    assert (start - kept) / (start - wide) > 0.99


def test_groups_say_for_themselves() -> None:
    a, b, c = torch.zeros(300, dtype=HALF), torch.zeros(300), torch.zeros(300, dtype=HALF)
    optimizer = tt.Adam([{"params": [a, b]}, {"params": [c], "state_dtype": "own"}], rounding="kahan", state_dtype="int8")
    drive(optimizer, [a, b, c], [[torch.ones(300, dtype=p.dtype) for p in (a, b, c)]])
    assert set(optimizer.state[a]) == {"step", "exp_avg", "exp_avg_scale", "exp_avg_sq", "exp_avg_sq_scale", "lost"}
    assert set(optimizer.state[b]) == {"step", "exp_avg", "exp_avg_scale", "exp_avg_sq", "exp_avg_sq_scale"}
    assert set(optimizer.state[c]) == {"step", "exp_avg", "exp_avg_sq", "lost"}
    assert "rounding" not in tt.Adam([a], rounding="nearest").param_groups[0], "the state_dict is then torch's"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: tt.Adam([torch.zeros(2)], rounding="up"), "rounding='up' is none of 'nearest', 'stochastic', 'kahan', 'master'"),
        (lambda: tt.Adam([torch.zeros(2)], state_dtype="int4"), "state_dtype='int4' is none of"),
        (lambda: tt.Adam([torch.zeros(2).half()], rounding="stochastic"), 'for float16 write "kahan" or "master"'),
        (lambda: tt.Adam([torch.zeros(2).double()], state_dtype="int8"), "the state is float64"),
        (lambda: tt.Adam([torch.zeros(2, dtype=torch.complex64)], rounding="kahan"), "not torch.complex64"),
        (lambda: tt.Muon([torch.zeros(2, 2)], rounding="kahan"), "for element-wise rules, which Muon is not"),
        (lambda: tt.Optimizer([torch.zeros(2)], tw.chain(tw.sam(), tw.sgd()), 0.1, state_dtype="int8"), "element-wise"),
        (lambda: tt.AdaBound([{"params": [torch.zeros(2)], "state_dtype": "byte"}]), "state_dtype='byte'"),
    ],
)
def test_errors_say_what_to_write(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("(", "\\(")):
        make()


def test_a_rule_that_looks_beyond_an_element_says_so() -> None:
    p = torch.zeros(4, dtype=HALF)
    p.grad = torch.ones_like(p)
    with pytest.raises(TypeError, match="rounding= and state_dtype= are for element-wise rules"):
        tt.of(tw.learned)([p], rounding="kahan").step()
    with pytest.raises(TypeError, match="unexpected keyword argument 'storage'"):
        tt.Optimizer([p], tw.sgd(), 0.1, storage="int8")
    with pytest.raises(TypeError, match="element-wise rules"):
        tt.Optimizer([p], tw.chain(tw.sgd(), tw.schedule_free()), 0.1, rounding="master").step()
