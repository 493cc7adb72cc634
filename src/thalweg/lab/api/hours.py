"""What a given time buys: the settings and seeds that fit, by the cost of a run."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from thalweg.lab.comparing.contest import Contest, Settings
from thalweg.lab.comparing.forecast import humanize
from thalweg.lab.comparing.warmup import known, report_seconds
from thalweg.lab.protocol import protocol
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

    fixed: the budget or seeds that the user chose, which stay.
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
        """The contest with the budget that fits, and few seeds to begin with, or as an earlier, interrupted call had it.

        Raises Refusal if each rule cannot run once.
        """
        with json_cache(self.out / FILE, fits=_is_plan) as plans:
            before = plans.get(_key(contest.settings, self.seconds))
        if before is not None:
            self.promised, self.finished = before["promised"], before["finished"]
            return _with(contest, budget=before["budget"], seeds=before["seeds"])
        each, others = self._usual(contest), self._others(contest)
        found = _largest(contest, (self.left - others) * PLANNED / each, self.fixed)
        if found is None:
            least = others + _with(contest, **{"budget": 0, "seeds": 1, **self.fixed}).trials * each / PLANNED
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
        one_more = _with(contest, seeds=contest.settings.seeds + 1).trials - contest.trials
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
        bought, rules = _with(contest, seeds=self.promised), len(contest.settings.rules)
        seeds = f"about {self.promised} judging seed{'' if self.promised == 1 else 's'}"
        budget = contest.settings.budget
        tuned = f"{budget} settings for each rule, and " if budget else "no tuning: each rule at its usual rate, on "
        return f"{humanize(self.seconds)} buy {tuned}{seeds}: {bought.trials:,} runs of {rules} rule{'' if rules == 1 else 's'}"

    def _keep(self, contest: Contest) -> None:
        """Write the plan down, for a call that goes on with it."""
        mine = contest.settings
        with json_cache(self.out / FILE, fits=_is_plan) as plans:
            plan = {"budget": mine.budget, "seeds": mine.seeds, "promised": self.promised, "finished": self.finished}
            plans[_key(mine, self.seconds)] = plan


def _largest(contest: Contest, runs: float, fixed: dict[str, int]) -> Contest | None:
    """The largest contest of at most so many runs: the largest budget, with seeds in the protocol's proportion, then more seeds.

    Where there is no time for LEAST settings, nothing is tuned.
    """
    found = None
    for budget in (fixed["budget"],) if "budget" in fixed else (0, *range(LEAST, MOST)):
        seeds = fixed.get("seeds", max(LEAST, round(budget * protocol.SEEDS / protocol.BUDGET)) if budget else 1)
        bigger = _with(contest, budget=budget, seeds=seeds)
        if bigger.trials > runs:
            break
        found = bigger
    if found is None or "seeds" in fixed:
        return found
    each = _with(found, seeds=found.settings.seeds + 1).trials - found.trials
    return _with(found, seeds=found.settings.seeds + math.floor((runs - found.trials) / each))


def _with(contest: Contest, **given: int) -> Contest:
    """A new contest with another budget or other seeds."""
    settings: Settings = replace(contest.settings, **given)  # type: ignore[arg-type]
    return Contest.of(settings, contest.problem, settings.source.load_rules())


def _key(settings: Settings, seconds: float) -> str:
    """What a plan belongs to."""
    what = (settings.source.see_problem().fingerprint, settings.rules, settings.steps, settings.tune, settings.schedules)
    return repr((*what, settings.search, seconds))


def _is_plan(found: Any) -> bool:
    """Whether an entry of the file is a plan."""
    if not isinstance(found, dict) or found.keys() != {"budget", "seeds", "promised", "finished"}:
        return False
    counts = [found["budget"], found["seeds"], found["promised"]]
    return (
        all(type(n) is int and n >= least for n, least in zip(counts, (0, 1, 1), strict=True)) and type(found["finished"]) is bool
    )
