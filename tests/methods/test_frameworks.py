"""The same functions on torch and JAX arrays: one trajectory, to 1e-12 in float64, whatever runs them."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from support import ASKING, EVERYDAY, MUONS, RULES, everyday, run, stepped, stream

import thalweg as tw
from thalweg.dialects import variants

STEPS = 30
STAGES: dict[str, Any] = {
    **RULES,
    "clip + adam + decay": lambda: tw.chain(tw.clip(0.5), tw.adam(), tw.decay(0.1)),
    "adam + schedule_free": lambda: tw.chain(tw.adam(), tw.schedule_free()),
    "choose": lambda: tw.choose((tw.is_matrix, tw.momentum().at(lr=0.02)), otherwise=tw.adam()),
    "every": lambda: tw.every(3, tw.adam()),
    "adasecant 2014": lambda: tw.adasecant("2014"),
    "santa_e": lambda: tw.santa_e(curvature=False),
    "adafactor floor": lambda: tw.adafactor(eps1=tw.at_least(1e-3), relative_step=False),
    **MUONS,
    "asgd ahead": lambda: variants.late_asgd(t0=5.0),
    "rprop backtracking": lambda: tw.rprop(backtracking=True),
    "eve v1": lambda: tw.eve(version="v1"),
    "rmsprop centred": lambda: tw.rmsprop(centred=True, eps=1e-3),
}


def torch_array(x: Any) -> Any:
    return pytest.importorskip("torch").tensor(x)


def jax_array(x: Any) -> Any:
    return pytest.importorskip("jax").numpy.asarray(x)


@contextlib.contextmanager
def sixty_four_bits() -> Any:
    jax = pytest.importorskip("jax")
    with jax.enable_x64(True):
        yield


def injected(name: str, steps: int) -> Any:
    """Draws differ between frameworks, so those that need them get the same from outside."""
    if "noise" not in tw.core.compose.as_stage(STAGES[name]()).asks:
        return None
    draw = np.random.default_rng(3)
    params, _, _ = stream(steps=1)
    return [{k: draw.normal(size=x.shape) for k, x in params.items()} for _ in range(steps)]


def walk(stage: Any, convert: Any, noise: Any, jitted: bool = False) -> Any:
    """A run in one framework, its first normal draws (memory of the kind gaussian) taken from NumPy's."""
    params, gradients, losses = stream(steps=STEPS)
    optimizer = tw.Optimizer(stage)
    p = {k: convert(x) for k, x in params.items()}
    state = optimizer.init(p)
    started = tw.Optimizer(stage).init(params)
    for key, slots in started["memory"].items():
        for slot, kind in (stage.memory if hasattr(stage, "memory") else {}).items():
            if kind.kind == "gaussian":
                state["memory"][key][slot] = {k: convert(x) for k, x in slots[slot].items()}
    step = functools.partial(stepped, optimizer)
    if jitted:
        jax = pytest.importorskip("jax")
        step = jax.jit(step)
    for i, g in enumerate(gradients):
        extra = {} if noise is None else {"noise": {k: convert(x) for k, x in noise[i].items()}}
        if "loss" in optimizer.asks:
            extra["loss"] = losses[i]
        p, state = step(p, {k: convert(x) for k, x in g.items()}, state, **extra)
    return {k: np.asarray(x) for k, x in optimizer.ship(p, state).items()}


def close(a: Any, b: Any, name: str = "") -> None:
    """L-BFGS divides by sums over the model, which the frameworks add up in orders of their own."""
    tolerance = 1e-9 if name in ASKING else 1e-12
    for k in a:
        np.testing.assert_allclose(a[k], b[k], rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", STAGES)
def test_torch(name: str) -> None:
    stage, noise = tw.core.compose.as_stage(STAGES[name]()), injected(name, STEPS)
    close(walk(stage, torch_array, noise), walk(stage, np.asarray, noise), name)


@pytest.mark.parametrize("jitted", [pytest.param(False, marks=pytest.mark.slow), True], ids=["eager", "jit"])
@pytest.mark.parametrize("name", everyday(STAGES, of=[name for name in EVERYDAY if name != "adasecant"]))
def test_jax(name: str, jitted: bool) -> None:
    stage, noise = tw.core.compose.as_stage(STAGES[name]()), injected(name, STEPS)
    with sixty_four_bits():
        if jitted and name in ASKING:
            with pytest.raises(TypeError, match=r"under jax\.jit it cannot run; call its step outside of jit"):
                walk(stage, jax_array, noise, jitted)
            return
        close(walk(stage, jax_array, noise, jitted), walk(stage, np.asarray, noise), name)


@pytest.mark.slow
@pytest.mark.parametrize("name", tw.rules)
def test_float32_stays_float32(name: str) -> None:
    params, gradients, losses = stream(steps=2, dtype=np.float32)
    for convert, jitted in ((torch_array, False), (jax_array, False), (jax_array, True)):
        if jitted and name in ASKING:
            continue
        optimizer = tw.Optimizer(RULES[name]())
        p = {k: convert(x) for k, x in params.items()}
        state = optimizer.init(p)
        step = functools.partial(stepped, optimizer)
        step = pytest.importorskip("jax").jit(step) if jitted else step
        for g, loss in zip(gradients, losses, strict=True):
            extra = {"loss": np.float32(loss)} if "loss" in optimizer.asks else {}
            p, state = step(p, {k: convert(x) for k, x in g.items()}, state, **extra)
        assert all("float32" in str(x.dtype) for x in p.values())
        arrays = [x for x in tw.trees.flatten(state["memory"])[1] if hasattr(x, "dtype")]
        assert all("float32" in str(x.dtype) for x in arrays)


def test_low_precision_parameters_keep_their_dtype() -> None:
    torch = pytest.importorskip("torch")
    for dtype in (torch.bfloat16, torch.float16):
        p = {"w": torch.ones(3, dtype=dtype)}
        optimizer = tw.Optimizer(tw.adam(), lr=0.1)
        p, state = optimizer.step(p, p, optimizer.init(p))
        assert p["w"].dtype == dtype
        assert state["memory"]["adam"]["m"]["w"].dtype == dtype


def test_torch_parameters_stay_out_of_the_graph() -> None:
    torch = pytest.importorskip("torch")
    p = torch.nn.Parameter(torch.ones(3))
    optimizer = tw.Optimizer(tw.momentum(), lr=0.1)
    moved, _ = optimizer.step(p, torch.ones(3), optimizer.init(p))
    assert not moved.requires_grad
    torch.testing.assert_close(moved, torch.full((3,), 0.9))


def test_the_second_call_does_not_recompile() -> None:
    jax = pytest.importorskip("jax")
    traces = []
    optimizer = tw.Optimizer(
        tw.chain(tw.clip(1.0), tw.adamw(), tw.average()), lr=tw.schedules.warm_up(10, tw.schedules.cosine(0.1, 100))
    )

    @jax.jit
    def step(p: Any, g: Any, state: Any) -> Any:
        traces.append(1)
        return optimizer.step(p, g, state)

    p = {"w": jax.numpy.ones(3)}
    state = optimizer.init(p)
    for _ in range(4):
        p, state = step(p, p, state)
    assert len(traces) == 1


def test_scan_and_vmap_over_the_learning_rate() -> None:
    jax = pytest.importorskip("jax")
    start = jax.numpy.array([1.0, -2.0, 0.5])
    curvature = jax.numpy.array([0.1, 1.0, 5.0])

    def train(lr: Any) -> Any:
        optimizer = tw.Optimizer(tw.eve(), lr=lr)

        def one(carry: Any, _: Any) -> Any:
            p, state = carry
            g = curvature * p
            return optimizer.step(p, g, state, loss=0.5 * (g * p).sum()), None

        (p, _), _ = jax.lax.scan(one, (start, optimizer.init(start)), length=20)
        return p

    rates = np.array([0.01, 0.1], np.float32)
    together = jax.vmap(train)(jax.numpy.asarray(rates))
    for lane, lr in enumerate(rates):
        np.testing.assert_allclose(together[lane], train(float(lr)), rtol=1e-5)


def test_skipping_under_jit() -> None:
    jax = pytest.importorskip("jax")
    optimizer = tw.Optimizer(tw.adam(), lr=0.1, nonfinite="skip")
    p = {"w": jax.numpy.ones(2)}
    state = optimizer.init(p)
    step = jax.jit(optimizer.step)
    p, state = step(p, {"w": jax.numpy.array([np.nan, 1.0])}, state)
    assert int(state["t"]["w"]) == 0
    np.testing.assert_array_equal(p["w"], 1.0)
    p, state = step(p, {"w": jax.numpy.ones(2)}, state)
    assert int(state["t"]["w"]) == 1
    np.testing.assert_allclose(p["w"], 0.9, rtol=1e-6)


@pytest.mark.parametrize("convert", [torch_array, jax_array], ids=["torch", "jax"])
def test_noise_obeys_its_law_and_its_seed(convert: Any) -> None:
    @tw.rule(lr=1.0)
    def shake(g, noise):
        return g + noise

    p = {"w": convert(np.zeros(20000, np.float32))}
    optimizer = tw.Optimizer(shake(), seed=4)
    state = optimizer.init(p)
    first, later = optimizer.step(p, p, state)
    again, _ = optimizer.step(p, p, state)
    second, _ = optimizer.step(p, p, later)
    x, y = np.asarray(first["w"]), np.asarray(second["w"])
    np.testing.assert_array_equal(x, np.asarray(again["w"]))
    assert abs(x.mean()) < 0.03
    assert abs(x.std() - 1) < 0.03
    assert abs((x * y).mean()) < 0.03


def test_lanes_on_torch_and_jax() -> None:
    params, gradients, _ = stream(steps=5)
    rates = np.array([0.001, 0.1])
    for convert in (torch_array, jax_array):
        with sixty_four_bits():
            results = []
            for make in (np.asarray, convert):
                optimizer = tw.Optimizer(tw.chain(tw.clip(0.5), tw.adam()), lr=rates, lanes=2)
                p = {k: make(np.stack([x, x])) for k, x in params.items()}
                state = optimizer.init(p)
                for g in gradients:
                    p, state = optimizer.step(p, {k: make(np.stack([x, x])) for k, x in g.items()}, state)
                results.append({k: np.asarray(x) for k, x in p.items()})
            close(*results)


def test_frameworks_are_not_mixed() -> None:
    optimizer = tw.Optimizer(tw.sgd())
    p = np.ones(2)
    with pytest.raises(TypeError, match="the gradient of 'p' is a torch value, the parameter a numpy array"):
        optimizer.step(p, torch_array(np.ones(2)), optimizer.init(p))


@pytest.fixture
def float64_scalars() -> Iterator[None]:
    """torch keeps NAdam's product of momenta in the default dtype."""
    torch = pytest.importorskip("torch")
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


@pytest.mark.usefixtures("float64_scalars")
def test_equal_to_torch_optim_where_it_has_the_same_variant() -> None:
    torch = pytest.importorskip("torch")
    params, gradients, _ = stream(steps=60)
    pairs = {
        "SGD": (tw.sgd(), {}), "momentum": (tw.momentum(), {"momentum": 0.9}), "nesterov": (tw.nesterov(), {"momentum": 0.9, "nesterov": True}),
        "coupled": (tw.chain(tw.decay(0.1), tw.momentum()), {"momentum": 0.9, "weight_decay": 0.1}),
        "Adagrad": (tw.adagrad(1e-10), {}), "RMSprop": (tw.rmsprop(0.99), {}),
        "RMSprop centred": (tw.rmsprop(0.99, 1e-3, centred=True), {"centered": True, "eps": 1e-3}),
        "RMSprop momentum": (tw.chain(tw.rmsprop(0.99), tw.momentum()), {"momentum": 0.9}),
        "Adadelta": (tw.adadelta(0.9), {}), "Adam": (tw.adam(), {}), "AdamW": (tw.adamw(), {}), "Adamax": (tw.adamax(eps=1e-8), {}),
        "Adafactor": (tw.adafactor(eps1=tw.at_least(2.0**-52)), {}),
        "Adafactor options": (tw.adafactor(-0.5, tw.at_least(1e-2), 0.7, 2.5, 0.1),
                              {"beta2_decay": -0.5, "eps": (1e-2, 0.7), "d": 2.5, "weight_decay": 0.1}),
        "Adam amsgrad": (variants.corrected_amsgrad(eps=1e-8), {"amsgrad": True}),
        "RAdam": (tw.radam(eps=tw.outside(1e-8, raw=True), threshold=5.0), {}), "Rprop": (tw.rprop(), {}),
        "NAdam": (tw.nadam(0.9, average="constant", nu_factor=False), {}),
        "NAdam coupled": (tw.chain(tw.decay(0.1), tw.nadam(0.9, average="constant", nu_factor=False)), {"weight_decay": 0.1}),
        "AdamW options": (tw.adamw(0.8, 0.99, 1e-3, 0.1), {"betas": (0.8, 0.99), "eps": 1e-3, "weight_decay": 0.1}),
    }  # fmt: skip
    classes = {"momentum": "SGD", "nesterov": "SGD", "coupled": "SGD"}
    for name, (stage, options) in pairs.items():
        path, _ = run(stage, params, gradients, lr=0.01)
        theirs = {k: torch.tensor(x, requires_grad=True) for k, x in params.items()}
        optimizer = getattr(torch.optim, classes.get(name, name).split()[0])(theirs.values(), lr=0.01, **options)
        for g in gradients:
            for k, p in theirs.items():
                p.grad = torch.tensor(g[k])
            optimizer.step()
        for k, p in theirs.items():
            np.testing.assert_allclose(path[-1][k], p.detach().numpy(), rtol=1e-12, atol=1e-12, err_msg=name)


@pytest.mark.filterwarnings("ignore:Sparse invariant checks")  # torch's own step builds one without saying
def test_sparse_adam_is_torchs_on_the_entries_of_a_sparse_gradient() -> None:
    torch = pytest.importorskip("torch")
    params, gradients, _ = stream(steps=60)
    draw = np.random.default_rng(2)
    sparse = [{"w": g["w"] * (draw.uniform(size=(4, 3)) < 0.3)} for g in gradients]
    path, _ = run(tw.sparse_adam(eps=tw.outside(1e-8, raw=True)), {"w": params["w"]}, sparse, lr=0.01)
    w = torch.tensor(params["w"], requires_grad=True)
    torchs = torch.optim.SparseAdam([w], lr=0.01)
    for mine, g in zip(path, sparse, strict=True):
        w.grad = torch.tensor(g["w"]).to_sparse()
        torchs.step()
        close(mine, {"w": w.detach().numpy()})


@pytest.mark.usefixtures("float64_scalars")
def test_what_asgd_ships_is_torchs_too() -> None:
    torch = pytest.importorskip("torch")
    params, gradients, _ = stream(steps=60)
    optimizer = tw.Optimizer(variants.late_asgd(0.01, 0.75, t0=10.0), lr=tw.schedules.cosine(0.05, 60))
    p, state = params, optimizer.init(params)
    theirs = {k: torch.tensor(x, requires_grad=True) for k, x in params.items()}
    torchs = torch.optim.ASGD(theirs.values(), lr=0.05, lambd=0.01, alpha=0.75, t0=10)
    for g in gradients:
        p, state = optimizer.step(p, g, state)
        torchs.param_groups[0]["lr"] = optimizer.lr(state["t"]["w"])
        for k, x in theirs.items():
            x.grad = torch.tensor(g[k])
        torchs.step()
        close(p, {k: x.detach().numpy() for k, x in theirs.items()})
        close(optimizer.ship(p, state), {k: torchs.state[x]["ax"].numpy() for k, x in theirs.items()})


@pytest.mark.parametrize("options", [{}, {"nesterov": False, "weight_decay": 0.0}, {"adjust_lr_fn": "match_rms_adamw"}], ids=str)
def test_muon_is_torchs(options: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch")
    params, gradients, _ = stream(steps=60)
    core = tw.muon(momentum="average", eps=tw.at_least(1e-7), dtype="bfloat16", nesterov=options.get("nesterov", True),
                   scale=options.get("adjust_lr_fn", "original"))  # fmt: skip
    optimizer = tw.Optimizer(tw.chain(core, tw.decay(options.get("weight_decay", 0.1))), lr=0.02)
    for shape in ((4, 3), (3, 4)):
        w = torch.tensor(params["w"].reshape(shape), requires_grad=True)
        p, theirs = w.detach().clone(), torch.optim.Muon([w], lr=0.02, **options)
        state = optimizer.init(p)
        for g in gradients:
            w.grad = torch.tensor(g["w"].reshape(shape))
            p, state = optimizer.step(p, w.grad.clone(), state)
            theirs.step()
        torch.testing.assert_close(p, w.detach(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16"])
def test_orthogonal_is_torchs_to_the_last_bit(dtype: str) -> None:
    torch = pytest.importorskip("torch")
    theirs = pytest.importorskip("torch.optim._muon")._zeropower_via_newtonschulz
    draw, post = torch.Generator().manual_seed(0), (3.4445, -4.7750, 2.0315)
    for shape in ((1, 1), (4, 3), (3, 7), (40, 25), (16, 64), (130, 130)):
        x = torch.randn(shape, generator=draw, dtype=getattr(torch, dtype))
        ours = tw.ops.orthogonal(x, 5, *post, tw.at_least(1e-7), "bfloat16")
        assert ours.dtype == x.dtype
        assert torch.equal(ours, theirs(x.clone(), post, 5, 1e-7).to(x.dtype))
        if dtype != "bfloat16":
            near = tw.ops.orthogonal(x.numpy(), 5, *post, tw.at_least(1e-7), "bfloat16")
            assert near.dtype == x.numpy().dtype
            np.testing.assert_allclose(near, ours, rtol=0, atol=2.0**-7)
            exact = tw.ops.orthogonal(x.numpy().astype(np.float64), 5, *post, tw.at_least(1e-7), "float64")
            away, off = (np.sqrt(np.mean((ours.numpy() - other) ** 2)) for other in (near, exact))
            assert away < off, "the order of a sum decides a rounding, which five iterations carry on, but not past all roundings"


def rounded(t: Any) -> Any:
    """MADGRAD's rate in optax: eps is added to it, and its product with sqrt(t) is rounded to float32."""
    return float(np.float32(0.01 + 1e-6) * np.sqrt(np.float32(t))) / float(np.sqrt(t))


@pytest.mark.slow
def test_equal_to_optax_where_it_has_the_same_variant() -> None:
    optax = pytest.importorskip("optax")
    jax = pytest.importorskip("jax")
    params, gradients, losses = stream(steps=60)

    def risen_half_life(i: Any) -> Any:
        """Half-lives of beta1 = 0.9 and beta3 = 0.9999, over 40 steps; optax counts from 0."""
        first, last = (np.log(0.5) / np.log(b) for b in (0.9, 0.9999))
        return 0.5 ** (1 / (first + (last - first) * jax.numpy.minimum(1.0, (i + 1.0) / 40)))

    pairs = {
        "sgd": (tw.sgd(), optax.sgd(0.01)), "momentum": (tw.momentum(), optax.sgd(0.01, momentum=0.9)),
        "nesterov": (tw.nesterov(), optax.sgd(0.01, momentum=0.9, nesterov=True)), "adam": (tw.adam(), optax.adam(0.01)),
        "adamw": (tw.adamw(weight_decay=1e-4), optax.adamw(0.01)), "adamax": (tw.adamax(eps=1e-8), optax.adamax(0.01)),
        "rmsprop": (tw.rmsprop(eps=tw.inside(1e-8)), optax.rmsprop(0.01)),
        "rmsprop momentum": (tw.chain(tw.rmsprop(eps=tw.inside(1e-8)), tw.learning_rate(), tw.momentum()), optax.rmsprop(0.01, momentum=0.9)),
        "adadelta": (tw.adadelta(0.9), optax.adadelta(0.01)), "nadam": (tw.nadam(0.9, schedule=False, nu_factor=False), optax.nadam(0.01)),
        "amsgrad": (variants.amsgrad_of_corrected(eps=1e-8), optax.amsgrad(0.01)),
        "radam": (tw.radam(eps=1e-8, threshold=5.0), optax.radam(0.01)),
        "signsgd": (tw.signsgd(), optax.sign_sgd(0.01)), "signum": (tw.signum(), optax.signum(0.01)),
        "lion": (tw.chain(tw.lion(), tw.decay(1e-3)), optax.lion(0.01)), "adabelief": (tw.adabelief(), optax.adabelief(0.01)),
        "adopt": (tw.adopt(), optax.contrib.adopt(0.01)), "adopt plain": (tw.adopt(clipped=False), optax.contrib.adopt(0.01, use_clipping=False)),
        "ademamix": (tw.ademamix(), optax.contrib.ademamix(0.01)),
        "ademamix warming up": (tw.ademamix(T=40.0), optax.contrib.ademamix(0.01, b3=risen_half_life, alpha=lambda i: 5.0 * jax.numpy.minimum(1.0, (i + 1.0) / 40))),
        "adamaxw": (tw.adamaxw(eps=1e-8, weight_decay=1e-4), optax.adamaxw(0.01)),
        "nadamw": (tw.nadamw(0.9, schedule=False, nu_factor=False, weight_decay=1e-4), optax.nadamw(0.01)),
        "muon": (tw.choose((tw.is_matrix, tw.muon(momentum="corrected", eps=1e-8, scale="transposed", a=3.5, b=-4.75, c=2.0)),
                           otherwise=tw.nadam(0.9, schedule=False, nu_factor=False)), optax.contrib.muon(0.01, (3.5, -4.75, 2.0))),
        "lars": (tw.lars(weight_decay=0.0), optax.lars(0.01)),
        "lars decay": (tw.chain(tw.decay(0.1), tw.trust_ratio(), tw.learning_rate(), tw.momentum()),
                       optax.lars(0.01, 0.1, trust_coefficient=1.0)),
        "lamb": (tw.lamb(weight_decay=0.1), optax.lamb(0.01, weight_decay=0.1)),
        "novograd": (tw.novograd(0.9, 0.25, 1e-6, 0.1), optax.novograd(0.01, weight_decay=0.1)),
        "fromage": (tw.fromage(), optax.fromage(0.01)),
        "optimistic_gd": (tw.optimistic_gd(0.8, 0.3), optax.optimistic_gradient_descent(0.01, 0.8, 0.3)),
        "polyak_sgd": (tw.polyak_sgd(1.0, 0.3), optax.polyak_sgd(0.01, f_min=0.3, variant="sps+")),
        "madgrad": (tw.madgrad().at(lr=rounded), optax.contrib.madgrad(0.01)),
        "clip": (tw.chain(tw.clip(0.5), tw.sgd()), optax.chain(optax.clip_by_global_norm(0.5), optax.sgd(0.01))),
    }  # fmt: skip
    with sixty_four_bits():
        for name, (stage, tx) in pairs.items():
            path, _ = run(stage, params, gradients, lr=0.01, losses=losses)
            p = {k: jax.numpy.asarray(x) for k, x in params.items()}
            state = tx.init(p)
            for g, loss in zip(gradients, losses, strict=True):
                given = {"value": loss} if name == "polyak_sgd" else {}
                updates, state = tx.update({k: jax.numpy.asarray(x) for k, x in g.items()}, state, p, **given)
                p = optax.apply_updates(p, updates)
            for k in p:
                np.testing.assert_allclose(path[-1][k], p[k], rtol=2e-12, atol=2e-12, err_msg=name)
