"""The measured place of each rule, for the catalogue: over all of the lab's problems with data that the shipped bank has."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from thalweg.lab.bank import identity, rates
from thalweg.lab.bank.choice import gap
from thalweg.lab.bank.evidence import WAYS, Evidence, Place, places
from thalweg.lab.bank.table import SHIPPED, Bank, read
from thalweg.lab.bank.words import how_made, percent, span
from thalweg.lab.refusal import Refusal
from thalweg.methods import rules as catalogue


@dataclass(frozen=True)
class Standings:
    """What the bank says of the catalogue's rules. places: for each way that of each rule. why: why others have none."""

    bank: Bank
    evidence: Evidence
    places: Mapping[str, Mapping[str, Place]]
    why: Mapping[str, str]

    @classmethod
    def of(cls, bank: Bank) -> Standings:
        """Raises Refusal for a bank of another protocol."""
        now = identity.current(bank, catalogue)
        with_data = {name for name, each in now.bank.problems.items() if each.train_size}
        evidence = Evidence.of(now.bank.only(problems=with_data))
        evidence = evidence.among(evidence.problems)
        why = dict.fromkeys(now.stale, "it has changed since it was measured, so its rows in the bank are not used")
        return cls(now.bank, evidence, {way: places(evidence, way) for way in WAYS}, why)

    def sentences(self, rule: str) -> list[str]:
        """What was measured of a rule, or why nothing was."""
        if rule not in self.evidence.rules:
            return [self.why.get(rule, "not measured yet: `thalweg lab bank` does it")]
        every, data = np.ones(len(self.evidence.problems)), len(self.evidence.witnesses)
        gaps = self.evidence.row(rule, WAYS[0])
        worst, best = int(gaps.argmax()), int(gaps.argmin())
        return [
            *(
                f"{way}: {placed(self.places[way][rule], len(self.evidence.rules))}, "
                f"{span(gap(self.evidence, rule, way, every))} of the way behind the best on average"
                for way in WAYS
            ),
            f"nearest to the best on {self.evidence.problems[best]} ({percent(gaps[best])} behind), furthest on "
            f"{self.evidence.problems[worst]} ({percent(gaps[worst])})",
            *self._rates(rule),
            f"brackets are 95 % intervals over {data} small data sets; {how_made(self.bank.made)}",
        ]

    def _rates(self, rule: str) -> list[str]:
        """The best learning rates, in a sentence."""
        search, known = catalogue[rule].search, sorted(rates.best(self.bank).get(rule, {}).values())
        if search is None or not known:
            return []
        least, mid, most, usual = (f"{10**x:.2g}" for x in (known[0], float(np.mean(known)), known[-1], rates.middle(search)))
        return [f"best learning rates: {least} to {most} by data set, {mid} in the middle; the range's middle is {usual}"]


def placed(place: Place, of: int) -> str:
    """A place in words."""
    return f"place {place.place} of {of} [{place.low} to {place.high}]"


@functools.cache
def shipped() -> Standings | None:
    """The standings by the bank that is part of the package; None if it is of another protocol."""
    try:
        return Standings.of(read(SHIPPED))
    except Refusal:
        return None
