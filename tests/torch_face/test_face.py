"""`thalweg.torch` for rules that torch has not: beside the pure Optimizer on the same tensors."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from support import ASKING, HANDED, PATIENCE, RULES, asked_for, bent, everyday, through_a_file

import thalweg as tw

torch = pytest.importorskip("torch")

import thalweg.torch as tt  # noqa: E402
from torch_face.beside_pure import CHAINS, both, parameters, tensors  # noqa: E402


@pytest.mark.parametrize("dtype", [torch.float64, pytest.param(torch.float32, marks=pytest.mark.slow)], ids=str)
@pytest.mark.parametrize("name", everyday(HANDED))
def test_every_rule_has_a_class_that_resumes_from_a_file(name: str, dtype: Any) -> None:
    params = parameters(dtype)
    make = tt.of(RULES[name])
    ours = make(params)
    assert isinstance(ours, torch.optim.Optimizer)
    pure = tw.Optimizer(RULES[name])
    q = {str(i): p.detach().clone() for i, p in enumerate(params)}
    state = pure.init(q)
    for t in range(20):
        gradients = tensors(t + 1, dtype)
        for p, g in zip(params, gradients, strict=True):
            p.grad, p.curvature = g.clone(), bent({"g": g})["g"]
        ours.step(lambda t=t: 1.0 / (t + 1))
        given = {str(i): g for i, g in enumerate(gradients)}
        q, state = pure.step(q, given, state, **asked_for(pure, given, 1.0 / (t + 1)))
        if t == 9:
            kept = through_a_file(ours.state_dict())
            ours = make(params)
            ours.load_state_dict(kept)
    tolerance = 1e-12 if dtype is torch.float64 else 1e-6
    for p, expected in zip(params, q.values(), strict=True):
        # ALI-G's rate is the loss over a squared norm, and Nero takes the mean of a row from its entries: an element that is left
        # near 0 has the rounding of what went before
        least = tolerance * (expected.abs().max().item() if name in ("alig", "nero") and p.numel() else 1e-2)
        torch.testing.assert_close(p.detach(), expected, rtol=tolerance, atol=least)


@pytest.mark.parametrize("name", ASKING)
def test_a_rule_that_asks_itself_resumes_from_a_file(name: str) -> None:
    """Its closure writes over the gradients it gave before, as many do."""
    targets = tensors(1)

    def losses(p: Any) -> Any:
        return sum((torch.cosh(x - y) + 0.1 * (x * y).sin()).sum() for x, y in zip(p, targets, strict=True))

    def ask(q: Any) -> Any:
        points = [x.detach().clone().requires_grad_() for x in q.values()]
        with torch.enable_grad():
            loss = losses(points)
        return loss.item(), dict(zip(q, torch.autograd.grad(loss, points), strict=True))

    params = parameters()

    def closure() -> Any:
        ours.zero_grad(set_to_none=False)
        loss = losses(params)
        loss.backward()
        return loss

    make = tt.of(RULES[name])
    ours, pure = make(params), tw.Optimizer(RULES[name])
    q = {str(i): p.detach().clone() for i, p in enumerate(params)}
    state = pure.init(q)
    for t in range(8):
        before = losses(params).item()
        assert ours.step(closure).item() == before, "the loss at the start of the step, as torch has it"
        q, state = pure.step(q, None, state, grad_fn=ask)
        if t == 3:
            kept = through_a_file(ours.state_dict())
            ours = make(params)
            ours.load_state_dict(kept)
    for p, expected in zip(params, q.values(), strict=True):
        assert torch.equal(p.detach(), expected)
    with pytest.raises(TypeError, match="asks for gradients itself"):
        ours.step()


@pytest.mark.parametrize("name", CHAINS)
def test_chains(name: str) -> None:
    params = parameters()
    p, q = both(tt.Optimizer(params, CHAINS[name](), lr=0.1), params, CHAINS[name](), lr=0.1)
    for x, expected in zip(p, q.values(), strict=True):
        torch.testing.assert_close(x.detach(), expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", ["average", "schedule-free"])
def test_eval_ships_and_train_goes_on(name: str) -> None:
    params = parameters()
    ours = tt.Optimizer(params, CHAINS[name](), lr=0.1)
    pure = tw.Optimizer(CHAINS[name](), lr=0.1)
    q = {str(i): p.detach().clone() for i, p in enumerate(params)}
    state = pure.init(q)
    for t in range(6):
        gradients = tensors(t + 1)
        for p, g in zip(params, gradients, strict=True):
            p.grad = g.clone()
        ours.step()
        q, state = pure.step(q, {str(i): g for i, g in enumerate(gradients)}, state)
        walking = [p.detach().clone() for p in params]
        ours.eval()
        ours.eval()
        for p, expected in zip(params, pure.ship(q, state).values(), strict=True):
            torch.testing.assert_close(p.detach(), expected, rtol=1e-12, atol=1e-14)
        with pytest.raises(RuntimeError, match="train"):
            ours.step()
        ours.train()
        assert all(torch.equal(p, x) for p, x in zip(params, walking, strict=True))


def test_several_gradients_through_a_closure() -> None:
    def loss_at(points: list[Any]) -> Any:
        return sum((x**4 / 4 + x**2).sum() for x in points)

    params = parameters()
    rule = tw.chain(tw.sam(0.1), tw.momentum())
    ours, pure = tt.Optimizer(params, rule, lr=0.01), tw.Optimizer(rule, lr=0.01)
    q = {str(i): p.detach().clone() for i, p in enumerate(params)}
    state = pure.init(q)

    def closure() -> Any:
        ours.zero_grad()
        loss = loss_at(params)
        loss.backward()
        return loss

    def grad_fn(tree: dict[str, Any]) -> tuple[float, dict[str, Any]]:
        return float(loss_at(list(tree.values()))), {k: x**3 + 2 * x for k, x in tree.items()}

    for _ in range(10):
        before = loss_at(params).item()
        assert ours.step(closure).item() == pytest.approx(before)
        q, state = pure.step(q, None, state, grad_fn=grad_fn)
    for p, expected in zip(params, q.values(), strict=True):
        torch.testing.assert_close(p.detach(), expected, rtol=1e-12, atol=1e-14)
    with pytest.raises(TypeError, match="closure"):
        ours.step()


def test_complex_numbers_are_pairs_of_real_ones() -> None:
    """As in torch; also in the state, which stays complex."""
    values = torch.complex(*[torch.randn(5, generator=torch.Generator().manual_seed(k), dtype=torch.float64) for k in (0, 1)])
    z, x = torch.nn.Parameter(values.clone()), torch.nn.Parameter(torch.view_as_real(values).clone())
    pair = tt.SMORMS3([z], lr=0.1), tt.SMORMS3([x], lr=0.1)
    for t in range(5):
        z.grad = values * (t - 2)
        x.grad = torch.view_as_real(z.grad).clone()
        for optimizer in pair:
            optimizer.step()
    torch.testing.assert_close(torch.view_as_real(z.detach()), x.detach(), rtol=1e-12, atol=0)
    assert pair[0].state[z]["g1"].is_complex()


def test_errors() -> None:
    p = torch.nn.Parameter(torch.ones(3))
    with pytest.raises(TypeError, match="beta1"):
        tt.Eve([p], beta_1=0.5)
    with pytest.raises(ValueError, match="lr"):
        tt.Eve([p], lr=-1.0)
    with pytest.raises(AttributeError, match="SMORMS3"):
        tt.SMORMS4  # noqa: B018
    with pytest.raises(ValueError, match="learning rate of its own"):
        tt.Optimizer([p], tw.chain(tw.clip(1.0)))
    eve = tt.Eve([p])
    p.grad = torch.ones(3)
    with pytest.raises(TypeError, match="loss"):
        eve.step()
    assert torch.equal(p.detach(), torch.ones(3))
    p.grad = torch.sparse_coo_tensor([[0]], [1.0], (3,), check_invariants=True)
    with pytest.raises(RuntimeError, match="sparse"):
        tt.SMORMS3([p]).step()


def test_names_and_your_own_rule() -> None:
    assert tt.adam is tt.Adam
    assert issubclass(tt.Adam, torch.optim.Adam)
    assert tt.NAG is tt.Nesterov
    assert tt.LBFGS is torch.optim.LBFGS
    assert tt.lr_scheduler is torch.optim.lr_scheduler
    assert {"Adam", "SMORMS3", "RMSpropGraves", "SGD"} <= set(dir(tt))

    @tw.rule(lr=0.5)
    def mine(g: Any, m: Any = 0.0) -> Any:
        """Mine (I 2026)."""
        m = 0.5 * m + g
        return m, m

    params = parameters()
    p, q = both(tt.of(mine)(params), params, mine)
    for x, expected in zip(p, q.values(), strict=True):
        assert torch.equal(x.detach(), expected)


def test_a_copy_goes_on_alone() -> None:
    for make in (tt.SMORMS3, lambda params: tt.Optimizer(params, CHAINS["coupled"]())):
        params = parameters()
        optimizer = make(params)
        both(optimizer, params, tw.sgd(), steps=3)
        twins, twin = copy.deepcopy((params, optimizer))
        for own, stepping in ((params, optimizer), (twins, twin)):
            before = [p.detach().clone() for p in own]
            for p, g in zip(own, tensors(9), strict=True):
                p.grad = g.clone()
            stepping.step()
            assert not any(torch.equal(p, x) for p, x in zip(own, before, strict=True))
        assert all(torch.equal(a, b) for a, b in zip(params, twins, strict=True))


def test_importing_thalweg_imports_no_torch() -> None:
    import subprocess
    import sys

    code = "import sys, thalweg, thalweg.numpy; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=PATIENCE).returncode == 0


def test_one_number_a_tensor_is_not_rounded_by_a_checkpoint() -> None:
    """torch casts state to the parameters' dtype when it is loaded; Nadam's product of momenta would be another then."""
    params = parameters(torch.bfloat16)
    first, second = tt.of(tw.nadam)(params), tt.of(tw.nadam)(params)
    for t in range(3):
        for p, g in zip(params, tensors(t + 1, torch.bfloat16), strict=True):
            p.grad = g.clone()
        first.step()
    second.load_state_dict(first.state_dict())
    for p in params:
        saved, loaded = first.state[p]["product"], second.state[p]["product"]
        assert saved.bfloat16() != saved
        assert torch.equal(saved, loaded)
        assert loaded.dtype is torch.float32
        assert loaded is not saved


def test_a_weight_decay_that_the_rule_has_not_is_told_of() -> None:
    """Trainers put one into every group, often of 0."""
    groups = [{"params": parameters()[:1], "weight_decay": 0.0}, {"params": parameters()[1:], "weight_decay": 0.1}]
    tt.SMORMS3(groups[:1])
    tt.AdamW(groups)
    tt.of(tw.decay)(copy.deepcopy(groups), lr=1.0)
    for make in (tt.SMORMS3, lambda params: tt.Optimizer(params, tw.adam())):
        with pytest.warns(UserWarning, match=r"has no weight_decay and leaves out the group's 0\.1.*chain"):
            make(copy.deepcopy(groups))
