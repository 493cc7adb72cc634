"""What a given time buys: the blocks, settings and seeds that fit, by the cost of a run."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from thalweg.lab.comparing.contest import Contest, Settings
from thalweg.lab.comparing.forecast import humanize
from thalweg.lab.comparing.warmup import known, report_seconds
from thalweg.lab.protocol import blocks, protocol
from thalweg.lab.refusal import Refusal
from thalweg.lab.trials.json_cache import json_cache

FILE = "plan.json"
"""The plans made for a given time, in the folder of a comparison: the same command goes on with the same trials."""
PLANNED = 0.85
"""The share of the time that is planned from the pilot."""
SHARE = 0.7
"""The share of the seeds for which there is still time that run at once; then it is seen again what there is time for."""
BESIDES = 0.05
"""Seconds that a run takes besides its own: to send it to a process, and to store it."""
LEAST = 3
"""The fewest settings that are worth tuning over, and the fewest seeds beside them."""
MOST = 10_000
"""The largest budget that is considered."""


@dataclass
class Clock:
    """The time of a comparison: `seconds` in all for `jobs` parallel runs, from the moment that this object is made.

    fixed: the budget, blocks or seeds that the user chose, which stay.
    """

    seconds: float
    jobs: int
    out: Path
    fixed: dict[str, int] = field(default_factory=dict)
    begun: float = field(default_factory=time.perf_counter)
    promised: int = 0
    finished: bool = False
    stored: int = 0
    resumed: float = 0.0

    @property
    def left(self) -> float:
        """The seconds that are left."""
        return self.seconds - (time.perf_counter() - self.begun)

    def fitted(self, contest: Contest) -> Contest:
        """The contest, as the first block, with the blocks and the budget that fit, and few seeds to begin with, or as an
        earlier, interrupted call had it.

        Raises Refusal if each rule cannot run once.
        """
        with json_cache(self.out / FILE, fits=_is_plan) as plans:
            before = plans.get(self._key(contest.settings))
        if before is not None:
            self.promised, self.finished = before["promised"], before["finished"]
            return _with(contest, budget=before["budget"], seeds=before["seeds"], blocks=before["blocks"])
        each, others = self._usual(contest), self._others(contest)
        found = _divided(contest, (self.left - others) * PLANNED / each, self.fixed)
        if found is None:
            least = others + _runs(_with(contest, **{"budget": 0, "seeds": 1, **self.fixed})) * each / PLANNED
            raise Refusal(
                f"a run takes about {humanize(each * self.jobs)}, so the least that can be compared takes about "
                f"{humanize(least)}; give more --hours, or fewer --rules"
            )
        self.promised = found.settings.seeds
        first = found if "seeds" in self.fixed else _with(found, seeds=min(LEAST, self.promised))
        self._keep(first)
        return first

    def resume(self, contest: Contest, stored: int) -> None:
        """Begin the runs. The time of those in the store already is counted at the pilot's cost."""
        self.stored, self.resumed = stored, time.perf_counter()
        self.begun -= stored * self._usual(contest)

    def each(self, contest: Contest, stored: int) -> float:
        """The seconds by which a run prolonged the comparison, now that so many are in the store."""
        ran = stored - self.stored
        return (time.perf_counter() - self.resumed) / ran if ran else self._usual(contest)

    def _usual(self, contest: Contest) -> float:
        """The same by the pilot."""
        assert contest.settings.pilot is not None
        return (contest.settings.pilot.seconds + BESIDES) / self.jobs

    def extended(self, contest: Contest, each: float) -> Contest | None:
        """The contest with more seeds, if there is time for some. each: the seconds by which a run prolonged the comparison.

        How many seeds there are follows from the time alone, and from no score.
        """
        if self.finished or "seeds" in self.fixed:
            return None
        one_more = _runs(_with(contest, seeds=contest.settings.seeds + 1)) - _runs(contest)
        most = int((self.left - report_seconds(len(contest.settings.rules))) / each / one_more)
        self.finished = most < 1
        more = contest if most < 1 else _with(contest, seeds=contest.settings.seeds + max(1, int(SHARE * most)))
        self._keep(more)
        return None if self.finished else more

    def _others(self, contest: Contest) -> float:
        """The seconds for what is no run: starting the processes, and the report."""
        return known()["process"] + report_seconds(len(contest.settings.rules))

    def sentence(self, contest: Contest) -> str:
        """What the time buys, as far as the pilot shows."""
        bought, rules, budget = _with(contest, seeds=self.promised), len(contest.settings.rules), contest.settings.budget
        seeds = f"about {self.promised} judging seed{'' if self.promised == 1 else 's'}"
        tuned = f"{budget} settings for each rule, and " if budget else "no tuning: each rule at its usual rate, on "
        times = f", in each of {contest.settings.blocks} blocks, tuned anew" if contest.settings.blocks > 1 else ""
        runs = f"{_runs(bought):,} runs of {rules} rule{'' if rules == 1 else 's'}"
        return f"{humanize(self.seconds)} buy {tuned}{seeds}{times}: {runs}{self._why_one(contest)}"

    def _why_one(self, contest: Contest) -> str:
        """Why there is one block, where that followed from the time."""
        if contest.settings.blocks > 1 or "blocks" in self.fixed:
            return ""
        if not contest.settings.budget or self.fixed.get("budget", blocks.WORTH) < blocks.WORTH:
            return ""
        return (
            f". With {blocks.BLOCKS} blocks, which also measure how tuning varies, there would be fewer than {blocks.WORTH} "
            "settings for each"
        )

    def _key(self, settings: Settings) -> str:
        """What a plan belongs to."""
        what = (settings.source.see_problem().fingerprint, settings.rules, settings.steps, settings.tune, settings.schedules)
        return repr((*what, settings.search, self.seconds, *sorted(self.fixed.items())))

    def _keep(self, contest: Contest) -> None:
        """Write the plan down, for a call that goes on with it."""
        mine = contest.settings
        with json_cache(self.out / FILE, fits=_is_plan) as plans:
            plan = {"budget": mine.budget, "seeds": mine.seeds, "promised": self.promised, "finished": self.finished}
            plans[self._key(mine)] = {**plan, "blocks": mine.blocks}


def _divided(contest: Contest, runs: float, fixed: dict[str, int]) -> Contest | None:
    """The largest contest of at most so many runs: in several blocks, if each then has enough settings, otherwise in one."""
    if "blocks" in fixed:
        return _largest(_with(contest, blocks=fixed["blocks"]), runs, fixed)
    several = _largest(_with(contest, blocks=blocks.BLOCKS), runs, fixed)
    return several if several and several.settings.budget >= blocks.WORTH else _largest(contest, runs, fixed)


def _largest(contest: Contest, runs: float, fixed: dict[str, int]) -> Contest | None:
    """The largest contest of at most so many runs: the largest budget, with seeds in the protocol's proportion, then more seeds.

    Where there is no time for LEAST settings, nothing is tuned.
    """
    one, found = contest.settings.blocks == 1, None
    least, usual = (LEAST, protocol.SEEDS) if one else (blocks.SEEDS, blocks.SEEDS)
    for budget in (fixed["budget"],) if "budget" in fixed else (0, *range(LEAST, MOST)):
        seeds = fixed.get("seeds", max(least, round(budget * usual / protocol.BUDGET)) if budget else 1)
        bigger = _with(contest, budget=budget, seeds=seeds)
        if _runs(bigger) > runs:
            break
        found = bigger
    if found is None or "seeds" in fixed:
        return found
    each = _runs(_with(found, seeds=found.settings.seeds + 1)) - _runs(found)
    return _with(found, seeds=found.settings.seeds + math.floor((runs - _runs(found)) / each))


def _runs(contest: Contest) -> int:
    """The number of runs in all blocks."""
    return contest.trials * contest.settings.blocks


def _with(contest: Contest, **given: int) -> Contest:
    """A new contest with another budget, other seeds or blocks."""
    settings: Settings = replace(contest.settings, **given)  # type: ignore[arg-type]
    return Contest.of(settings, contest.problem, settings.source.load_rules())


def _is_plan(found: Any) -> bool:
    """Whether an entry of the file is a plan."""
    if not isinstance(found, dict) or found.keys() != {"budget", "seeds", "blocks", "promised", "finished"}:
        return False
    counts = [found["budget"], found["seeds"], found["promised"], found["blocks"]]
    whole = all(type(n) is int and n >= least for n, least in zip(counts, (0, 1, 1, 1), strict=True))
    return whole and type(found["finished"]) is bool
