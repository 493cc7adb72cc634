"""Symmetries: what each rule does not see, and what the others do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support import run, stream

import thalweg as tw
from thalweg.graph.cost import word_kind

PARAMS, GRADIENTS, LOSSES = stream(seed=4, steps=30)
PARAMS = {"w": PARAMS["w"]}
GRADIENTS = [{"w": g["w"]} for g in GRADIENTS]
ELEMENTWISE = [
    name for name in tw.rules if word_kind(tw.rules[name]()) == "element-wise" and not tw.rules[name]().asks & {"noise"}
]
RATES = {name: tw.rules[name].lr for name in tw.rules}

IGNORES_SCALE = {
    "nero": tw.nero,
    "adalite": tw.adalite,
    "spam": lambda: tw.spam(eps=1e-30),
    "amos": tw.amos,
    "fadam": lambda: tw.fadam(eps=0.0),
    "dadapt_adan": lambda: tw.dadapt_adan(eps=0.0, d0=0.01),
    "came": lambda: tw.came(eps2=0.0),
    "adam": lambda: tw.adam(eps=1e-30), "adamax": tw.adamax, "adagrad": lambda: tw.adagrad(eps=0.0), "rmsprop": lambda: tw.rmsprop(eps=0.0),
    "amsgrad": tw.amsgrad, "nadam": lambda: tw.nadam(eps=1e-30), "adasecant": tw.adasecant, "rprop": tw.rprop,
    "sparse_adam": lambda: tw.sparse_adam(eps=1e-30),
    "signsgd": tw.signsgd, "signum": tw.signum, "lion": tw.lion, "adabelief": lambda: tw.adabelief(eps=1e-30), "yogi": lambda: tw.yogi(eps=1e-30),
    "adan": lambda: tw.adan(eps=1e-30), "adopt": lambda: tw.adopt(eps=1e-30), "ademamix": lambda: tw.ademamix(eps=1e-30),
    "adam_mini": lambda: tw.adam_mini(eps=1e-30), "adamaxw": tw.adamaxw, "nadamw": lambda: tw.nadamw(eps=1e-30),
    "laprop": lambda: tw.laprop(eps=1e-30), "adamod": lambda: tw.adamod(eps=1e-30), "adanorm": lambda: tw.adanorm(eps=1e-30),
    "adapnm": lambda: tw.adapnm(eps=1e-30), "grams": lambda: tw.grams(eps=1e-30), "adamp": lambda: tw.adamp(eps=1e-30), "adamc": lambda: tw.adamc(eps=1e-30), "stable_adamw": lambda: tw.stable_adamw(eps=1e-30),
    "adamd": lambda: tw.adamd(eps=1e-30), "exadam": lambda: tw.exadam(eps=1e-60), "adams": lambda: tw.adams(eps=1e-30, weight_decay=0.0),
    "ano": lambda: tw.ano(eps=1e-30), "bcos": lambda: tw.bcos(eps=1e-30), "tiger": tw.tiger, "adam_atan2": tw.adam_atan2, "focus": tw.focus,
    "adalomo": tw.adalomo, "swan": tw.swan, "splus": tw.splus, "dion": lambda: tw.dion(eps=1e-30), "conda": lambda: tw.conda(eps=1e-30), "fira": lambda: tw.fira(eps=1e-30), "apollo_adamw": lambda: tw.apollo_adamw(eps=1e-30),
    "adafactor": tw.adafactor, "muon": lambda: tw.muon(eps=1e-30), "soap": lambda: tw.soap(eps=1e-30), "lars": lambda: tw.lars(weight_decay=0.0),
    "lamb": lambda: tw.lamb(eps=1e-30), "novograd": lambda: tw.novograd(eps=1e-30), "fromage": tw.fromage,
    "dog": lambda: tw.dog(eps=0.0), "ldog": lambda: tw.ldog(eps=0.0), "dowg": tw.dowg, "cocob": tw.cocob,
    "prodigy": lambda: tw.prodigy(eps=0.0, d0=0.01), "dadapt_adam": lambda: tw.dadapt_adam(eps=0.0, d0=0.01), "dadapt_sgd": lambda: tw.dadapt_sgd(d0=0.01),
}  # fmt: skip
LINEAR = ("sgd", "asgd", "momentum", "nesterov", "optimistic_gd", "sgdw", "qhm", "aggmo", "pid", "accsgd", "pnm", "srmm")
BY_NORMS = (
    "tam",
    "amos",
    "alig",
    "adagrad_norm",
    "lars",
    "novograd",
    "fromage",
    "polyak_sgd",
    "dog",
    "ldog",
    "dowg",
    "dadapt_sgd",
    "momo",
)
SEES_SCALE = {
    "aida": lambda: tw.aida(eps=1e-2),
    "adgd": lambda: tw.adgd(first_rate=1e-2),
    "tam": tw.tam,
    "dadapt_adagrad": lambda: tw.dadapt_adagrad(d0=0.01),
    "mirror_madgrad": tw.mirror_madgrad,
    "adagrad_norm": lambda: tw.adagrad_norm(b0=10.0),
    "sgd": tw.sgd,
    "asgd": tw.asgd,
    "momentum": tw.momentum,
    "nesterov": tw.nesterov,
    **{name: tw.rules[name] for name in ("sgdw", "qhm", "aggmo", "pid", "accsgd", "pnm", "sgd_sai", "adahessian", "psgd_kron")},
    **{name: tw.rules[name] for name in ("padam", "avagrad", "kate", "msvag", "vsgd", "srmm", "adamg", "aegd")},
    "rmsprop_graves": tw.rmsprop_graves,
    "adabound": tw.adabound,
    "diffgrad": tw.diffgrad,
    "sgdp": tw.sgdp,
    "shampoo": lambda: tw.shampoo(1.0),
    "polargrad": tw.polargrad,
    "adago": tw.adago,
    "yogi": tw.yogi,
    "optimistic_gd": tw.optimistic_gd,
    "polyak_sgd": tw.polyak_sgd,
    "madgrad": tw.madgrad,
    "momo": tw.momo,
    "momo_adam": tw.momo_adam,
}


def walk(stage: Any, transform: Any = lambda x: x, scale: float = 1.0) -> np.ndarray:
    params = {"w": transform(PARAMS["w"])}
    gradients = [{"w": scale * transform(g["w"])} for g in GRADIENTS]
    return run(stage, params, gradients, losses=LOSSES)[0][-1]["w"]


@pytest.mark.parametrize("name", IGNORES_SCALE)
def test_adaptive_rules_ignore_the_gradients_scale(name: str) -> None:
    stage = IGNORES_SCALE[name]()
    tolerance = 1e-5 if name == "adasecant" else 1e-9  # AdaSecant's damping of 1e-7 stands beside the norm
    np.testing.assert_allclose(walk(stage, scale=64.0), walk(stage), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", SEES_SCALE)
def test_the_others_do_not(name: str) -> None:
    stage = SEES_SCALE[name]()
    assert np.abs(walk(stage, scale=64.0) - walk(stage)).max() > 1e-4


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_element_wise_rules_commute_with_permutations(name: str) -> None:
    shuffled = np.random.default_rng(0).permutation(12)

    def permute(x: np.ndarray) -> np.ndarray:
        return x.ravel()[shuffled].reshape(x.shape)

    np.testing.assert_allclose(walk(tw.rules[name](), permute), permute(walk(tw.rules[name]())), rtol=1e-13)


@pytest.mark.parametrize("name", [*LINEAR, *BY_NORMS, "dion"])
def test_linear_rules_and_those_that_see_norms_alone_commute_with_rotations(name: str) -> None:
    """Of rows; Dion's first draw is of columns."""
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(4, 4)))[0]
    np.testing.assert_allclose(
        walk(tw.rules[name](), lambda x: rotation @ x), rotation @ walk(tw.rules[name]()), rtol=1e-12, atol=1e-13
    )


@pytest.mark.parametrize("name", [n for n in ELEMENTWISE if n not in LINEAR])
def test_adaptive_rules_do_not(name: str) -> None:
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(4, 4)))[0]
    lr = max(RATES[name], 1e-2)
    params = {"w": rotation @ PARAMS["w"]}
    turned = run(tw.rules[name](), params, [{"w": rotation @ g["w"]} for g in GRADIENTS], lr=lr)[0][-1]["w"]
    plain = run(tw.rules[name](), PARAMS, GRADIENTS, lr=lr)[0][-1]["w"]
    assert np.abs(turned - rotation @ plain).max() > 1e-4


def turned(name: str, left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The way walked in coordinates that are turned, and the plain way, turned."""
    return walk(tw.rules[name](), lambda x: left @ x @ right) - left @ PARAMS["w"] @ right, left @ (
        walk(tw.rules[name]()) - PARAMS["w"]
    ) @ right


@pytest.mark.parametrize("name", ["lars", "lamb", "fromage"])
def test_a_problem_in_other_units_is_walked_in_them(name: str) -> None:
    """Twice the parameters, half the gradients: the same walk at twice the size. Adam's steps do not grow."""
    rule = {
        "lars": lambda: tw.lars(weight_decay=0.0),
        "lamb": lambda: tw.lamb(eps=1e-30, weight_decay=0.0),
        "fromage": tw.fromage,
    }[name]
    halved = [{"w": 0.5 * g["w"]} for g in GRADIENTS]

    def doubled(stage: Any) -> np.ndarray:
        return run(stage, {"w": 2 * PARAMS["w"]}, halved)[0][-1]["w"]

    np.testing.assert_allclose(doubled(rule()), 2 * walk(rule()), rtol=1e-12)
    assert np.abs(doubled(tw.adam()) - 2 * walk(tw.adam())).max() > 1e-3


def test_muons_direction_commutes_with_rotations_of_rows_and_columns() -> None:
    """The orthogonal matrix nearest to Q G R is Q O R. An element-wise rule fails that."""
    draw = np.random.default_rng(0)
    left, right = (np.linalg.qr(draw.normal(size=(n, n)))[0] for n in (4, 3))
    for sides in ((left, np.eye(3)), (np.eye(4), right), (left, right)):
        np.testing.assert_allclose(*turned("muon", *sides), rtol=1e-11, atol=1e-13)
        for name in ("adam", "rmsprop", "rprop", "adafactor"):
            there, here = turned(name, *sides)
            assert np.abs(there - here).max() > 0.1 * np.abs(here).max()


def test_muon_of_a_transposed_matrix_is_transposed() -> None:
    for ours, theirs in (("none", "none"), ("match_rms_adamw", "match_rms_adamw"), ("original", "transposed")):
        np.testing.assert_allclose(walk(tw.muon(scale=ours), lambda x: x.T), walk(tw.muon(scale=theirs)).T, rtol=1e-11)
    assert np.abs(walk(tw.muon(), lambda x: x.T) - walk(tw.muon()).T).max() > 1e-2


@pytest.mark.parametrize("nesterov", [True, False])
def test_muon_sees_no_difference_between_a_ball_and_an_average(nesterov: bool) -> None:
    ball, average, corrected = (
        walk(tw.muon(nesterov=nesterov, momentum=kind, eps=1e-30)) for kind in ("ball", "average", "corrected")
    )
    np.testing.assert_allclose(average, ball, rtol=1e-11)
    assert np.allclose(corrected, ball, rtol=1e-11) != nesterov, "where it looks ahead, by how much counts"


def test_adafactor_sees_rows_and_columns() -> None:
    """It commutes with permutations of each, not with one of all numbers, nor with rotations."""
    draw = np.random.default_rng(0)
    across, down, all_of_them = draw.permutation(4), draw.permutation(3), draw.permutation(12)
    rotation = np.linalg.qr(draw.normal(size=(4, 4)))[0]
    plain = walk(tw.adafactor())
    np.testing.assert_allclose(walk(tw.adafactor(), lambda x: x[across][:, down]), plain[across][:, down], rtol=1e-12)
    np.testing.assert_allclose(walk(tw.adafactor(), lambda x: x.T), plain.T, rtol=1e-12)
    for transform in (lambda x: x.ravel()[all_of_them].reshape(x.shape), lambda x: rotation @ x):
        assert np.abs(walk(tw.adafactor(), transform) - transform(plain)).max() > 1e-3


@pytest.mark.parametrize("name", [n for n in tw.rules if n not in ("learned", "noisy_sgd", "santa_e", "santa_sss", "adasecant")])
def test_a_mirrored_problem_is_walked_in_the_mirror(name: str) -> None:
    """Not so where a rule draws noise, is a network, or (AdaSecant) begins with a gradient of +1e-7."""
    np.testing.assert_allclose(walk(tw.rules[name](), lambda x: -x), -walk(tw.rules[name]()), rtol=1e-12)


def test_damped_momentum_is_undamped_at_a_smaller_rate() -> None:
    damped, _ = run(tw.momentum(0.9, 0.9), PARAMS, GRADIENTS, lr=0.1)
    plain, _ = run(tw.momentum(0.9), PARAMS, GRADIENTS, lr=0.01)
    np.testing.assert_allclose(damped[-1]["w"], plain[-1]["w"], rtol=1e-12)


def test_where_the_rate_stands_matters_only_under_a_schedule() -> None:
    inside, outside = tw.chain(tw.learning_rate(), tw.momentum()), tw.momentum()
    for lr, same in ((0.1, True), (lambda t: 0.1 / t, False)):
        a, b = (run(stage, PARAMS, GRADIENTS, lr=lr)[0][-1]["w"] for stage in (inside, outside))
        assert np.allclose(a, b, rtol=1e-12) == same


def test_shampoos_step_commutes_with_rotations_of_rows_and_columns() -> None:
    """(Q L Q^T)^(-1/4) = Q L^(-1/4) Q^T."""
    draw = np.random.default_rng(0)
    left, right = (np.linalg.qr(draw.normal(size=(n, n)))[0] for n in (4, 3))
    there, here = (
        walk(tw.shampoo(1.0), lambda x: left @ x @ right) - left @ PARAMS["w"] @ right,
        left @ (walk(tw.shampoo(1.0)) - PARAMS["w"]) @ right,
    )
    np.testing.assert_allclose(there, here, rtol=1e-10, atol=1e-12)
