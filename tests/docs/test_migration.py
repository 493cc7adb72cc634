"""docs/migrating.md beside what it speaks of: every line of its tables is run, theirs and ours, and so is what it claims besides.

pytorch_optimizer is in requirements/frameworks.txt. timm is not: it brings torchvision and an image hub's client. Its
tests run where it is installed, be it `pip install --no-deps timm`: of the rest of timm its optimizers need one name.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import math
import re
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

import thalweg as tw  # noqa: E402
import thalweg.torch as tt  # noqa: E402

pytestmark = pytest.mark.slow

PAGE = (Path(__file__).parents[2] / "docs" / "migrating.md").read_text(encoding="utf-8")
SHAPES = [(6, 4), (3, 5), (7,), ()]
MATRICES = [(4, 3), (4, 5)]
CONVOLUTION = [(4, 3, 2, 2)]
STEPS = 200
LIBRARIES = {"pytorch_optimizer": "pytorch_optimizer", "timm.optim": "timm"}
"""The sections whose tables set two libraries side by side."""


def library(name: str) -> Any:
    """pytorch_optimizer, or timm.optim without timm's models."""
    if name == "pytorch_optimizer":
        return pytest.importorskip(name)
    if "timm.models" not in sys.modules:
        spec = importlib.util.find_spec("timm")
        if spec is None or spec.submodule_search_locations is None:
            pytest.skip("timm is not installed")
        for part in ("timm", "timm.models"):
            stand_in: Any = types.ModuleType(part)
            stand_in.__path__ = list(spec.submodule_search_locations)
            stand_in.group_parameters = None
            sys.modules[part] = stand_in
    return importlib.import_module("timm.optim")


def rows() -> list[Any]:
    """Each line of the page's tables: which library, their expression, ours, how far apart."""
    found, section, theirs = [], "", ""
    for line in PAGE.splitlines():
        if line.startswith("## "):
            section = line[3:]
        cells = [cell.strip() for cell in line.strip("|").split(" | ")] if line.startswith("|") else []
        if section not in LIBRARIES or len(cells) < 3 or "`" not in cells[1]:
            continue
        theirs = cells[0].removeprefix("| ").strip("`") or theirs
        name = LIBRARIES[section]
        found.append(pytest.param(name, theirs, cells[1].strip("`"), cells[2], id=f"{name}-{len(found)}-{theirs}"))
    return found


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    """What the page's own code defines."""
    space: dict[str, Any] = {}
    for body in re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL):
        exec(body, space)
    return space


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """On matrices this small torch's threads wait for each other, a minute in all."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def groups(params: list[Any]) -> list[dict[str, Any]]:
    """A group for Muon, one for the rest."""
    return [
        {"params": [x for x in params if x.ndim >= 2], "use_muon": True},
        {"params": [x for x in params if x.ndim < 2], "use_muon": False},
    ]


def module(params: list[Any]) -> Any:
    """A module with these parameters, for classes that take one."""
    made = torch.nn.Module()
    for k, p in enumerate(params):
        made.register_parameter(f"w{k}", p)
    return made


def problem(shapes: list[tuple[int, ...]], seed: int = 0) -> tuple[list[Any], list[list[Any]]]:
    draw = torch.Generator().manual_seed(seed)
    params = [torch.nn.Parameter(torch.randn(s, generator=draw, dtype=torch.float64)) for s in shapes]
    gradients = [
        [torch.randn(s, generator=draw, dtype=torch.float64) * 10.0 ** (t % 5 - 3) for s in shapes] for t in range(STEPS)
    ]
    return params, gradients


def drive(optimizer: Any, params: list[Any], gradients: list[list[Any]], closures: bool = False) -> None:
    for own in gradients:

        def closure(own: list[Any] = own) -> Any:
            optimizer.zero_grad()
            loss = sum((0.1 * (torch.sin(x) - g) ** 2 + 0.1 * x * x).sum() for x, g in zip(params, own, strict=True))
            loss.backward()
            return loss

        if closures:
            loss = None if isinstance(optimizer, tt.Optimizer) else closure()
            optimizer.step((lambda loss=loss: loss.item()) if type(optimizer).__name__ == "AliG" else closure)
            continue
        if hasattr(optimizer, "fused_backward"):
            optimizer.fused_backward(sum((x * g).sum() for x, g in zip(params, own, strict=True)), 1e-3)
            continue
        keeps = type(optimizer).__name__ == "SCIONLight"  # its average is in p.grad, to which the next gradient is added
        for x, g in zip(params, own, strict=True):
            x.grad, x.curvature = g.clone() if x.grad is None or not keeps else x.grad + g, g.abs()
        if "hessian" in inspect.signature(optimizer.step).parameters:
            optimizer.step(hessian=[g.abs() for g in own])
        else:
            optimizer.step()


def points(expression: str, space: dict[str, Any]) -> list[Any]:
    """Where an optimizer gets to: the parameters, and what it ships where that is something else."""
    torch.manual_seed(0)  # of theirs that draw
    named = {"p": problem(SHAPES), "m": problem(MATRICES), "c": problem(CONVOLUTION)}
    optimizer = eval(expression, {**space, **{name: params for name, (params, _) in named.items()}})
    params, gradients = next(named[name] for name in "mcp" if re.search(rf"\b{name}\b(?! *=)", expression))
    ships = "ScheduleFree" in expression or "schedule_free" in expression
    if ships:
        optimizer.train()
    drive(optimizer, params, gradients, closures=re.search(r"SAM\(|tw\.sam\(|Ali?g\(", expression, re.IGNORECASE) is not None)
    found = [x.detach().clone() for x in params]
    if ships:
        optimizer.eval()
        found += [x.detach().clone() for x in params]
    return found


def apart(ours: list[Any], theirs: list[Any]) -> float:
    """The largest difference, as a share of the largest entry."""
    return max(float((a - b).abs().max() / b.abs().max()) for a, b in zip(ours, theirs, strict=True))


def test_the_tables_are_read() -> None:
    assert len(rows()) >= 190
    assert sum(row.values[3] == "< 1e-12" for row in rows()) >= 100


def test_every_class_of_theirs_is_torchs_or_has_a_row_or_is_said_not_to_be_here() -> None:
    optim = library("pytorch_optimizer")
    classes = {optim.load_optimizer(name) for name in optim.get_supported_optimizers()}
    torchs = {it.__name__ for it in classes if getattr(torch.optim, it.__name__, None) is it}
    compared = {re.match(r"\w+", row.values[1])[0] for row in rows() if row.values[0] == "pytorch_optimizer"}  # type: ignore[index]
    said = re.findall(r"`(\w+)`", PAGE.partition("Of pytorch_optimizer's methods: ")[2].partition(". ")[0])
    assert torchs == {"Adam", "AdamW", "LBFGS", "NAdam", "RMSprop", "SGD"}
    assert {it.__name__ for it in classes} - torchs - compared == set(said)
    assert not compared & set(said)


@pytest.mark.parametrize(("name", "theirs", "ours", "stated"), rows())
def test_a_row(name: str, theirs: str, ours: str, stated: str, page: dict[str, Any]) -> None:
    space = {**vars(library(name)), **page, "groups": groups, "module": module}
    measured = apart(points(ours, space), points(theirs, space))
    print(f"{measured:.2g}")
    if stated.startswith("<"):
        assert measured < float(stated.removeprefix("<"))
    else:
        assert float(stated) / 1.5 < measured < float(stated) * 1.5


@pytest.mark.parametrize(
    ("name", "theirs", "ours", "names"),
    [
        ("pytorch_optimizer", "AdaDelta(p)", "tt.Adadelta(p)", {}),
        ("pytorch_optimizer", "AdaMax(p, lr=1e-3)", "tt.Adamax(p, lr=1e-3)", {}),
        ("pytorch_optimizer", "RAdam(p, degenerated_to_sgd=True)", "tt.RAdam(p)", {}),
        ("pytorch_optimizer", "AdaBound(p)", "tt.AdaBound(p, **AUTHORS)", {"exp_avg": "m", "exp_avg_sq": "v"}),
        ("timm", "AdamWLegacy(p, weight_decay=0.1)", "tt.AdamW(p, weight_decay=0.1)", {}),
        ("timm", "SGDW(p, lr=1e-2, momentum=0.9)", "tt.SGD(p, lr=1e-2, momentum=0.9)", {}),
    ],
)
def test_a_checkpoint_is_carried_over(name: str, theirs: str, ours: str, names: dict[str, str], page: dict[str, Any]) -> None:
    space = {**vars(library(name)), **page}
    p, g = problem(SHAPES)
    first = eval(theirs, {**space, "p": p})
    drive(first, p, g[:30])
    q = [torch.nn.Parameter(x.detach().clone()) for x in p]
    second = eval(ours, {**space, "p": q})
    page["carry_over"](first.state_dict(), second, names)
    drive(first, p, g[30:60])
    drive(second, q, g[30:60])
    assert apart([x.detach() for x in q], [x.detach() for x in p]) < (1e-7 if names else 1e-12)


def test_corrected_weight_decay_under_a_schedule(page: dict[str, Any]) -> None:
    optim, rate = library("timm"), page["rate"]
    (p, g), (q, _) = problem(SHAPES), problem(SHAPES)
    theirs = optim.AdamWLegacy(p, lr=1e-3, weight_decay=0.1, corrected_weight_decay=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(theirs, lambda k: rate(k + 1) / 1e-3)
    for own in g:
        drive(theirs, p, [own])
        schedule.step()
    drive(tt.Optimizer(q, page["corrected"], lr=rate), q, g)
    assert apart([x.detach() for x in q], [x.detach() for x in p]) < 1e-12


def test_fixed_decay_under_a_schedule(page: dict[str, Any]) -> None:
    optim, rate = library("pytorch_optimizer"), page["rate"]
    (p, g), (q, _) = problem(SHAPES), problem(SHAPES)
    theirs = optim.AdaMax(p, lr=1e-3, weight_decay=0.01, weight_decouple=True, fixed_decay=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(theirs, lambda k: rate(k + 1) / 1e-3)
    for own in g:
        drive(theirs, p, [own])
        schedule.step()
    drive(tt.Optimizer(q, tw.chain(tw.adamax(eps=1e-8), tw.decay(lambda t: 0.01 / rate(t))), lr=rate), q, g)
    assert apart([x.detach() for x in q], [x.detach() for x in p]) < 1e-12


def test_centralized_gradients(page: dict[str, Any]) -> None:
    centralize = library("pytorch_optimizer").centralize_gradient
    (p, g), (q, _) = problem(SHAPES), problem(SHAPES)
    theirs, ours = torch.optim.Adam(p), tt.Optimizer(q, page["centred"])
    for own in g:
        turned = [x.clone() for x in own]
        for x in turned:
            centralize(x)
        drive(theirs, p, [turned])
    drive(ours, q, g)
    assert apart([x.detach() for x in q], [x.detach() for x in p]) < 1e-12


def test_the_guard_of_the_cautious_mask(page: dict[str, Any]) -> None:
    """One mask of theirs and one of ours on a tensor of ten: the mean of three in ten, with 1/n added or not."""
    update, gradient = torch.ones(10), torch.tensor([1.0] * 3 + [-1.0] * 7)
    mask = update.clone()
    library("pytorch_optimizer").AdaFactor.apply_cautious(mask, gradient)
    assert math.isclose(float(mask.max()), 1 / (0.3 + 0.1), rel_tol=1e-6)
    x = torch.nn.Parameter(torch.zeros(10))
    against = tt.Optimizer([x], tw.chain(tw.rule(_ones)(), tw.cautious()), lr=1.0)
    x.grad = gradient.clone()
    against.step()
    torch.testing.assert_close(x.detach(), -(gradient > 0).float() / 0.3)


def _ones(g: Any) -> Any:
    """Ones (nobody, 2024)."""
    return 0 * g + 1


@pytest.mark.parametrize(
    ("name", "listed"),
    [
        ("pytorch_optimizer", lambda optim, model: optim.get_optimizer_parameters(model, 0.05, ("bias",))),
        ("timm", lambda optim, model: optim.param_groups_weight_decay(model, 0.05)),
    ],
)
def test_groups_for_the_decay(name: str, listed: Any, page: dict[str, Any]) -> None:
    """Their lists of groups in our class, and the same by shape."""
    optim, results = library(name), []
    for make in (
        lambda model: tt.AdamW(listed(optim, model), lr=1e-3),
        lambda model: tt.Optimizer(model.parameters(), page["by_shape"], lr=1e-3),
        lambda model: tt.AdamW(model.parameters(), lr=1e-3, weight_decay=0.05),
    ):
        torch.manual_seed(0)
        model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1)).double()
        optimizer = make(model)
        for _ in range(20):
            optimizer.zero_grad()
            model(torch.ones(3, 4, dtype=torch.float64)).square().mean().backward()
            optimizer.step()
        results.append([x.detach() for x in model.parameters()])
    assert apart(results[0], results[1]) < 1e-12 < apart(results[2], results[1])


def test_what_the_page_says_of_pytorch_optimizers_manners() -> None:
    optim = library("pytorch_optimizer")
    p, g = problem(SHAPES)
    optim.AdaBound(p, amsbound=True)  # taken in silence
    with pytest.raises(TypeError, match="amsbound"):
        tt.AdaBound(p, amsbound=True)
    for make in (
        lambda p: optim.AdaDelta(p, weight_decay=0.1),
        lambda p: optim.AdaMax(p, maximize=True),
        lambda p: optim.ScheduleFreeAdamW(p),
        lambda p: optim.Muon(groups(p)),
    ):
        drive(make(p), p, g[:2])
        assert not all(torch.equal(x.grad, y) for x, y in zip(p, g[1], strict=True))
    for ours in (
        tt.Adadelta(p, weight_decay=0.1),
        tt.Adamax(p, maximize=True),
        tt.Optimizer(p, tw.chain(tw.adam(beta1=0.0), tw.schedule_free()), lr=1e-3),
        tt.Optimizer(p, tw.choose((tw.is_matrix, tw.muon()), otherwise=tw.adam()), lr=1e-3),
    ):
        drive(ours, p, g[:2])
        assert all(torch.equal(x.grad, y) for x, y in zip(p, g[1], strict=True))


def test_what_torch_has_is_torchs_own_in_both() -> None:
    optim = library("pytorch_optimizer")
    assert all(
        getattr(optim, name) is getattr(torch.optim, name) for name in ("Adam", "AdamW", "NAdam", "RMSprop", "SGD", "LBFGS")
    )


def test_timms_names_for_torchs_classes() -> None:
    find = library("timm").get_optimizer_info
    expected = {
        "adam": ("Adam", {}), "adamw": ("AdamW", {}), "nadam": ("NAdam", {}), "radam": ("RAdam", {}), "adamax": ("Adamax", {}),
        "radamw": ("RAdam", {"decoupled_weight_decay": True}), "adadelta": ("Adadelta", {}), "adagrad": ("Adagrad", {"eps": 1e-8}),
        "rmsprop": ("RMSprop", {"alpha": 0.9}), "sgd": ("SGD", {"nesterov": True}), "momentum": ("SGD", {"nesterov": False}),
    }  # fmt: skip
    for name, (torchs, defaults) in expected.items():
        assert find(name).opt_class is getattr(torch.optim, torchs)
        assert (find(name).defaults or {}) == defaults
