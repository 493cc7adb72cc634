"""Every rule and each of its options against a float64 transcription of its paper, to 1e-12 over 100 steps."""

from __future__ import annotations

import numpy as np
import pytest
from papers import CASES
from papers.case import Case
from support import EVERYDAY, bent, everyday, flat, normal_like, run, stream

import thalweg as tw


@pytest.mark.parametrize(
    "case", everyday(CASES, name=lambda c: c.name if " " in c.name else "itself", of=EVERYDAY), ids=lambda c: c.name
)
def test_equals_its_paper(case: Case) -> None:
    params, gradients, losses = stream()
    noise = [{k: z[k] for k in case.leaves} for z in normal_like(1)] if case.asks == "noise" else None
    stage = case.stage()
    params, gradients = {k: params[k] for k in case.leaves}, [{k: g[k] for k in case.leaves} for g in gradients]
    path, _ = run(stage, params, gradients, lr=case.lr, losses=losses, noise=noise)
    started = tw.Optimizer(stage).init(params)["memory"]
    lr = stage.lr if case.lr is None else case.lr
    if case.whole:
        params, gradients, path = {"all": flat(params)}, [{"all": flat(g)} for g in gradients], [{"all": flat(p)} for p in path]
    for name in params:
        options = dict(case.options) if "adasecant" in case.name else {"lr": lr, **case.options}
        if case.asks in ("loss", "norms"):
            options["losses"] = losses
        if case.asks == "norms":
            options["norms"] = [np.sqrt(sum((g[k] ** 2).sum() for k in case.leaves)) for g in gradients]
        if case.asks == "curvature":
            options["curvatures"] = [bent(g)[name] for g in gradients]
        if case.asks == "start":
            options |= {slot: held[name] for slot, held in started[stage.name].items() if np.any(held[name])}
        if case.asks == "noise":
            options |= {"noise": [z[name] for z in noise]}
            options |= {"u0": started[stage.name]["u"][name]} if "u" in started.get(stage.name, {}) else {}
        truth = case.oracle(params[name], [g[name] for g in gradients], **options)
        mine = np.array([p[name] for p in path])
        assert np.isfinite(truth).all()
        assert np.abs(truth[-1] - params[name]).max() > 1e-6, "a run that goes nowhere shows nothing"
        assert np.abs(mine - truth).max() <= 1e-12


def test_every_rule_has_its_oracle() -> None:
    covered = {case.name.split()[0] for case in CASES}
    apart = {"learned", "lbfgs"}  # test_learned.py, oracle_tests/test_lbfgs.py
    assert covered | apart >= set(tw.rules)
