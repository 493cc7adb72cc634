"""docs/migrating.md's table of methods by name: each method that three libraries carry, found here under its own name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import thalweg as tw
from thalweg.methods import plain, rules, stages_by_name

PAGE = (Path(__file__).parents[2] / "docs" / "migrating.md").read_text(encoding="utf-8")
PAPERS = {
    "SGD": "", "SGDW": "1711.05101", "SGDP": "2006.08217", "Rprop": "", "Adagrad": "", "Adadelta": "1212.5701", "RMSprop": "",
    "Adam": "1412.6980", "Adamax": "1412.6980", "AMSGrad": "1904.09237", "AdamW": "1711.05101", "NAdam": "", "NAdamW": "",
    "RAdam": "1908.03265", "SparseAdam, lazy Adam": "", "ASGD": "", "L-BFGS": "", "Adafactor": "1804.04235",
    "SM3": "1901.11150", "LARS": "1708.03888", "LAMB": "1904.00962", "NovoGrad": "1905.11286", "Lion": "2302.06675",
    "signSGD": "1802.04434", "AdaBelief": "2010.07468", "Yogi": "", "AdaBound": "1902.09843", "AMSBound": "1902.09843",
    "AdaMod": "1910.12249", "AdaShift": "1810.00143", "AdaSmooth": "2204.00825", "AdaNorm": "2210.06364",
    "AdaPNM": "2103.17182", "Adai": "2006.15815", "AdamP": "2006.08217", "AdamC": "2506.02285", "Adam-mini": "2406.16793",
    "Adan": "2208.06677", "AggMo": "1804.00325", "Apollo": "2009.13586", "A2Grad": "1810.00553", "AccSGD": "1704.08227",
    "AdaGC": "2502.11034", "AdaHessian": "2006.00719", "AdaLomo": "2310.10195", "AdaMuon": "2507.11005",
    "AdEMAMix": "2409.03137", "Simplified AdEMAMix": "2502.02431", "ADOPT": "2411.02853", "D-Adapt Adam": "2301.07733",
    "diffGrad": "1909.11015", "FTRL-Proximal": "", "GaLore": "2403.03507", "Grams": "2412.17107", "Grokfast": "2405.20233",
    "PSGD Kron": "2402.11858", "LaProp": "2002.04839", "MADGRAD": "2101.11075", "MARS": "2411.10438", "Muon": "2502.16982",
    "NorMuon": "2510.05491", "Scion": "2502.07529", "PID": "", "Prodigy": "2306.06101", "QHAdam": "1810.06801",
    "QHM": "1810.06801", "Ranger": "", "Ranger21": "2106.13731", "Shampoo": "1802.09568", "SOAP": "2409.11321",
    "Sophia": "2305.14342", "StableAdamW": "2304.13013", "Schedule-Free AdamW": "2405.15682",
    "Schedule-Free SGD": "2405.15682", "Schedule-Free RAdam": "2405.15682", "Schedule-Free around any": "2405.15682",
    "SGD-SaI": "2412.11768", "SWATS": "1712.07628", "Lookahead": "1907.08610", "averages of weights (EMA, SWA)": "1803.05407",
    "SAM": "2010.01412", "ASAM": "2102.11600", "GSAM": "", "WSAM": "2305.15817", "LookSAM": "2203.02714",
    "OrthoGrad": "2501.04697", "cautious steps": "2411.16085",
}  # fmt: skip
"""The methods, and the arXiv id of each one's paper, if it has one, as other libraries state it."""


def rows() -> list[list[str]]:
    """The cells of each line of the table."""
    section = PAGE.partition("## Methods by name")[2].partition("## ")[0]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in section.splitlines() if "`tw." in line]


def test_every_method_has_its_row_and_only_these() -> None:
    assert [name for name, *_ in rows()] == list(PAPERS)


@pytest.mark.parametrize(("name", "here"), [(name, here.strip("`")) for name, here, *_ in rows()])
def test_a_row_names_a_rule_or_stage_of_the_methods_paper(name: str, here: str) -> None:
    found = eval(here, {"tw": tw})
    assert found in (*rules.values(), *stages_by_name.values())
    assert PAPERS[name] in found.doc


@pytest.mark.parametrize("here", sorted({here for *_, remark in rows() for here in re.findall(r"`(tw\.\w+)`", remark)}))
def test_what_a_remark_names_is_here(here: str) -> None:
    assert eval(here, {"tw": tw}) in (*rules.values(), *stages_by_name.values())


@pytest.mark.parametrize(("here", "there"), [(here.strip("`"), there.strip("`")) for _, here, there, *_ in rows()])
def test_a_row_makes_an_optimizer_of_that_rule(here: str, there: str) -> None:
    torch = pytest.importorskip("torch")
    import thalweg.torch as tt

    made: Any = eval(there, {"tw": tw, "tt": tt, "p": [torch.nn.Parameter(torch.ones(4, 3))]})
    assert isinstance(made, torch.optim.Optimizer)
    name = here.removeprefix("tw.")
    assert name in there or plain(type(made).__name__) == plain(name)
