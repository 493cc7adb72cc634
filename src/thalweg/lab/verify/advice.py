"""What `lab.advise` says, on data that had no part in it; and that it claims nothing where nothing differs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import stats as scipy_stats

from thalweg.lab.bank import identity, rates
from thalweg.lab.bank.choice import REFERENCE, Regrets, gap, order, regrets, weights
from thalweg.lab.bank.evidence import WAYS, Evidence
from thalweg.lab.bank.table import Bank, read
from thalweg.lab.bank.words import how_made, verdict
from thalweg.lab.statistics.shares import Estimate
from thalweg.lab.statistics.stats import LEVEL, Floats
from thalweg.lab.verify.check import Check, Line, Say
from thalweg.lab.verify.controls import span
from thalweg.methods import rules as catalogue

RUNS = 400
RULES, PROBLEMS = (
    40,
    ("digits", "digits_conv", "mnist1d", "wine", "breast_cancer", "diabetes", "zipf", "transformer", "photograph"),
)
LEAD = 3.0
"""The lead of the best rule in a made-up bank, in standard deviations of a rule from problem to problem."""

Draw = np.random.Generator


def made_up(draw: Draw, lead: float = 0.0) -> Evidence:
    """Gaps of rules that are alike in law on every problem, but that the last one is better by `lead`."""
    names = (REFERENCE, *(f"rule {i}" for i in range(1, RULES)))
    data = ("digits", "digits", *PROBLEMS[2:])
    found = {}
    for way in WAYS:
        scores = draw.normal(size=(RULES, len(PROBLEMS)))
        scores[-1] += lead
        found[way] = (scores.max(axis=0) - scores) / 10
    return Evidence(names, PROBLEMS, data, found)


def check(quick: bool, say: Say) -> Check:
    bank = identity.current(read(), catalogue).bank
    evidence = with_data(bank)
    runs = RUNS // 4 if quick else RUNS
    say("leaving out one data set after the other")
    found = {way: regrets(evidence, way) for way in WAYS}
    say(f"advising {runs} times by banks in which nothing differs")
    return Check(
        "advice",
        "Advice on data that had no part in it",
        "the bank that is part of the package; leave one data set out",
        f"The bank has {len(evidence.rules)} optimizers on {len(evidence.problems)} problems, on {len(found['tuned'].data)} data "
        f"sets ({how_made(bank.made)}). All problems on one data set are left out; for each of them the optimizer is taken that "
        "`lab.advise` names first by the rest and its kind. A regret is how far it is behind the best there, as a share of the "
        "way from the start. Brackets hold 95 % intervals over data sets. In the made-up banks "
        f"{RULES} optimizers on {len(PROBLEMS)} problems differ by chance alone; then one is better by {LEAD:g} standard "
        "deviations of an optimizer from problem to problem.",
        [*_regrets(found), *_centring(bank), *_guarantees(runs)],
        f"{verdict(found['tuned'])} The bank is small, and so is what it can show.",
    )


def with_data(bank: Bank) -> Evidence:
    """The evidence of the problems with data, of the optimizers measured on all of them."""
    found = Evidence.of(bank.only(problems={name for name, each in bank.problems.items() if each.train_size}))
    return found.among(found.problems)


def _regrets(found: dict[str, Regrets]) -> list[Line]:
    lines = []
    for way, each in found.items():
        for what, regret in (("the advice", each.of_advice), (REFERENCE, each.of_reference)):
            lines.append(_line(f"{way}: regret of {what}", regret))
        lines.append(_line(f"{way}: {REFERENCE}'s regret less the advice's", each.difference))
    return lines


def _centring(bank: Bank) -> list[Line]:
    """Whether search ranges should have the middle of the best rates in the bank."""
    found = rates.centring(bank, catalogue)
    far = "decades from the best learning rate to the middle of the range"
    return [
        _line(f"{far}, as declared", found.declared),
        _line(f"{far}, if moved to that on the other data where they are sure", found.by_others),
        _line(f"the first less the second; {found.shifted:.0%} of the ranges are moved", found.less),
    ]


def _line(what: str, found: Estimate) -> Line:
    return Line(what, found.value, note=f"95 % over data sets: {found.low:.3f} to {found.high:.3f}", digits=3)


def _guarantees(runs: int) -> list[Line]:
    kept = _share(runs, lambda draw: _different(regrets(made_up(draw), WAYS[0])))
    covered = _share(runs, _covers)
    planted = _share(runs, _finds)
    usual = scipy_stats.binomtest(kept, runs, LEVEL, alternative="greater").pvalue > 0.01
    enough = scipy_stats.binomtest(covered, runs, 1 - LEVEL, alternative="less").pvalue > 0.01
    return [
        Line(f"nothing differs: called different from {REFERENCE}", kept / runs, LEVEL, bool(usual), span(kept, runs), 3),
        Line("the interval of a mean gap holds the true one", covered / runs, 1 - LEVEL, bool(enough), span(covered, runs), 3),
        Line("one is better: it is named first", planted / runs, 1.0, planted / runs > 0.9, span(planted, runs), 3),
    ]


def _share(runs: int, happens: Callable[[Draw], bool]) -> int:
    return sum(happens(np.random.default_rng(i)) for i in range(runs))


def _different(found: Regrets) -> bool:
    return found.difference.low > 0 or found.difference.high < 0


def _covers(draw: Draw) -> bool:
    """Whether the interval holds the mean of all data sets that there might be; problems on the same data share most."""
    evidence = made_up(draw)
    gaps = 0.5 + draw.normal(size=len(evidence.witnesses)) @ evidence.witnesses / 10 + draw.normal(size=(1, len(PROBLEMS))) / 20
    one = Evidence((REFERENCE,), PROBLEMS, evidence.data, dict.fromkeys(WAYS, gaps))
    found = gap(one, REFERENCE, WAYS[0], _weights(one))
    return found.low <= 0.5 <= found.high


def _finds(draw: Draw) -> bool:
    evidence = made_up(draw, LEAD)
    return evidence.rules[order(evidence, _weights(evidence), WAYS[0])[0]] == evidence.rules[-1]


def _weights(evidence: Evidence) -> Floats:
    return weights(evidence, ("digits", "digits_conv", "wine"))
