"""The sources' own runs: the oracles end where the sources' right code ended, the mistakes where its wrong code did.

The run is that of source 002: f of `streams.py` from -3, 100 steps, learning rates as printed there; two orders of the
same arithmetic differ by a few last bits, hence 1e-12 and not 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from oracles import mistakes
from oracles.adabound import adabound, amsbound
from oracles.adadelta import adadelta
from oracles.adagrad import adagrad
from oracles.adam import adam, adamax, amsgrad, nadam
from oracles.adasecant import adasecant, adasecant_j
from oracles.common import Array
from oracles.eve import eve
from oracles.momentum import momentum, nesterov
from oracles.rmsprop import rmsprop, rmsprop_graves, smorms3
from oracles.santa import santa_e, santa_sss
from oracles.sgd import sgd
from oracles.streams import df, f

P = np.array(-3.0)
RUN: dict[str, Any] = {"steps": 100}


def draws() -> dict[str, tuple[Array, Array]]:
    """u0 and the noise of Santa-E ("E") and Santa-SSS ("S") in that run: one legacy generator, shared, the bias's draws
    between.
    """
    random = np.random.RandomState(32)
    u0, noise = {}, {"E": np.zeros(100), "S": np.zeros(100)}
    for t in range(1, 50):
        for name in "ES":
            if t == 1:
                u0[name], _ = random.randn(), random.randn()
            noise[name][t - 1], _ = random.randn(), random.randn()
    return {name: (noise[name], np.array(u0[name])) for name in "ES"}


SANTA_002: dict[str, Any] = {
    "burnin": 50,
    "N": 100,
    "gradient_scale": 1.0,
    "g0": "zero",
    "guard": 0.0,
    "rest": False,
    **RUN,
}

RIGHT: dict[str, tuple[float, Callable[[], Array]]] = {
    "SGD": (-1.500000009989477, lambda: sgd(P, df, 0.01, **RUN)),
    "MSGD": (2.452361054168247, lambda: momentum(P, df, 0.01, 0.9, dampening=0.9, **RUN)),
    "NAG": (
        2.608069798476614,
        lambda: nesterov(P, df, 0.01, 0.95, dampening=0.95, form="lookahead", **RUN),
    ),
    "AdaGrad": (-1.501176473040296, lambda: adagrad(P, df, 0.4, eps_place="none", **RUN)),
    "RMSprop": (-1.50019674410977, lambda: rmsprop(P, df, 0.04, rho=0.99, eps_place="inside", **RUN)),
    "AdaDelta": (-1.5, lambda: adadelta(P, df, eps=1e-2, **RUN)),
    "Adam": (2.477750988671407, lambda: adam(P, df, 0.4, eps_place="inside_raw", **RUN)),
    "RMSpropGraves": (-1.500108080614051, lambda: rmsprop_graves(P, df, 0.04, mu=0.0, **RUN)),
    "AdaMax": (-2.810602936313017, lambda: adamax(P, df, 2e-3, **RUN)),
    "Nadam": (-2.801772285213522, lambda: nadam(P, df, 2e-3, eps_place="inside", schedule=False, **RUN)),
    "SantaE": (2.500000141453116, lambda: santa_e(P, df, *draws()["E"], lr=4e-4, **SANTA_002)),
    "AMSGrad": (2.494541410089017, lambda: amsgrad(P, df, 0.4, eps=1e-8, eps_place="inside", **RUN)),
    "AdaBound": (2.494716177720886, lambda: adabound(P, df, 0.4, bound_eps=1e-8, **RUN)),
    "AMSBound": (2.494541410106537, lambda: amsbound(P, df, 0.4, bound_eps=1e-8, **RUN)),
}

# The final x of the source's wrong code, that code, and the paper's rule at the same options.
WRONG: dict[str, tuple[float, Callable[[], Array], Callable[[], Array]]] = {
    "SMORMS3": (
        -1.519499836098879,
        lambda: mistakes.smorms3_002(P, df, 0.04, **RUN),
        lambda: smorms3(P, df, 0.04, **RUN),
    ),
    "Eve": (
        2.481234479795118,
        lambda: mistakes.eve_002(P, df, f, 0.4, **RUN),
        lambda: eve(P, df, f, 0.4, **RUN),
    ),
    "SantaSSS": (
        -1.500080997910309,
        lambda: mistakes.santa_sss_002(P, df, *draws()["S"], 4e-4, burnin=50, **RUN),
        lambda: santa_sss(P, df, *draws()["S"], lr=4e-4, **SANTA_002),
    ),
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_code_ends_where_printed(name: str) -> None:
    printed, run = RIGHT[name]
    assert abs(run()[-1] - printed) < 1e-12


@pytest.mark.parametrize("name", WRONG)
def test_wrong_code_ends_where_printed_and_the_paper_elsewhere(name: str) -> None:
    printed, wrong, right = WRONG[name]
    assert abs(wrong()[-1] - printed) < 1e-12
    assert abs(right()[-1] - printed) > 1e-5


def test_the_other_nesterov_ends_elsewhere() -> None:
    """Source 002 says its two forms of NAG "worked the same": 2.608 and 0.470. With the rate in the look-ahead they do."""
    wrong = mistakes.nesterov_without_rate_002(P, df, 0.01, 0.95, **RUN)
    assert wrong[-1] == pytest.approx(0.470, abs=5e-4)


def test_the_clip_of_amsbound_never_binds_here() -> None:
    bound = amsbound(P, df, 0.4, **RUN)
    assert np.max(np.abs(bound - amsgrad(P, df, 0.4, **RUN))) < 1e-12
    assert np.max(np.abs(bound - amsbound(P, df, 0.4, final_lr=1e-3, **RUN))) > 1e-2


def test_inline_bounds_end_at_the_same_point_here() -> None:
    assert abs(mistakes.adabound_bounds_002(P, df, 0.4, **RUN)[-1] - 2.494716177720886) < 1e-12


def test_eve_knows_its_minimum() -> None:
    """f < 0 near the minimum: with f* = 0 Eve's d is negative and clipped; with the true f* it is another walk."""
    assert abs(eve(P, df, f, 0.4, **RUN)[-1] - eve(P, df, f, 0.4, fstar=-2075 / 48, **RUN)[-1]) > 1e-6


def test_adasecant_on_one_coordinate() -> None:
    """A block of one makes every gradient its sign: the workshop's form wanders to 2.578, the later form stays at -1.5."""
    assert adasecant(P, df, **RUN)[-1] == pytest.approx(2.578, abs=5e-4)
    assert adasecant_j(P, df, **RUN)[-1] == pytest.approx(-1.5, abs=1e-4)
