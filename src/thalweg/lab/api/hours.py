"""What a given time buys: the blocks, settings and seeds that fit, by the cost of a run."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from thalweg.lab.comparing.contest import Contest, Settings
from thalweg.lab.comparing.forecast import humanize
from thalweg.lab.comparing.phases import Phase
from thalweg.lab.comparing.unfinished import Part
from thalweg.lab.comparing.warmup import FIRST, REPORT, known, report_seconds
from thalweg.lab.protocol import blocks, protocol
from thalweg.lab.refusal import Refusal
from thalweg.lab.statistics import power
from thalweg.lab.trials.json_cache import is_number, json_cache

FILE = "plan.json"
"""The plans made for a given time, in the folder of a comparison: the same command goes on with the same trials."""
PLANNED = 0.85
"""The share of the time that is planned from the pilot."""
SHARE = 0.7
"""The share of the seeds for which there is still time that run at once; then it is seen again what there is time for."""
BESIDES = 0.05
"""Seconds that a run takes besides its own: to send it to a process, and to store it."""
LEAST = 3
"""The fewest settings that are worth tuning over, and the seeds of the first stage."""
MOST = 10_000
"""The largest budget that is considered."""


AS_PLANNED = 0.1
"""The plan is made anew if runs cost more or less than the pilot's by more than this share."""
LATE = 0.05
"""The share of the time by which the last run may be late."""
SLOWEST = 3.0
"""The largest factor by which a slow machine prolongs the report: it starts processes more slowly still."""


@dataclass
class Clock:
    """The time of a comparison: `seconds` in all for `jobs` parallel runs, from the moment that this object is made.

    fixed: the budget, blocks or seeds that the user chose, which stay. It is the comparison's `Pace`. A unit of cost is a whole
    run; price: the seconds by which one prolongs the comparison, NaN before that is known; target: the units of a stage, NaN
    where it just goes on as long as there is time; last: whether no other plan fits; slow: how many times longer than usual
    this machine took to start a process, and so will for the report.
    """

    seconds: float
    jobs: int
    out: Path
    fixed: dict[str, int] = field(default_factory=dict)
    begun: float = field(default_factory=lambda: time.perf_counter())
    promised: int = 0
    finished: bool = False
    measured: bool = False
    units: float = 0.0
    price: float = math.nan
    resumed: float = 0.0
    target: float = math.nan
    last: bool = False
    slow: float = 1.0

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
            self.promised, self.finished, self.price = before["promised"], before["finished"], before["price"]
            self.measured = True
            return with_(contest, budget=before["budget"], seeds=before["seeds"], blocks=before["blocks"])
        return self._fitted(contest)

    def _fitted(self, contest: Contest) -> Contest:
        each, others = self.each(contest), self._others(contest)
        least, time_left = with_(contest, **{"budget": 0, "seeds": 1, **self.fixed}), self.left - others
        found = _divided(contest, time_left * PLANNED / each, self.fixed)
        if found is None and _cost(least) * each <= time_left + LATE * self.seconds:  # better the least than nothing
            found = least
        if found is None:
            raise Refusal(self._too_short(each, others + _cost(least) * each))
        self.promised = found.settings.seeds
        return found if "seeds" in self.fixed else with_(found, seeds=min(LEAST, self.promised))

    def _too_short(self, each: float, needed: float) -> str:
        """What is said where the least does not fit. A pilot is kept, so that the next call does not run it again."""
        takes = (
            f"a run takes about {humanize(each * self.jobs)}, so the least that can be compared takes about {humanize(needed)}"
        )
        spent = self.seconds - self.left
        if needed <= self.seconds:
            return (
                f"{takes}, and {humanize(spent)} of {humanize(self.seconds)} have gone by with the pilot run; that one is kept, "
                "so the same command again has time enough"
            )
        return f"{takes}; give --hours {math.ceil(1.2 * needed / 36) / 100:g} or more, or fewer --rules"

    def resume(self, contest: Contest, stored: float) -> None:
        """Begin the runs. The time of those in the store already, in units, is counted at the cost known so far."""
        self.begun -= stored * self.each(contest)
        self.resumed = time.perf_counter()

    def first(self, contest: Contest) -> Contest | None:
        """The run of each rule that shows its cost: untuned, on the first judging seed. None if an earlier call had it."""
        return None if self.measured else with_(contest, budget=0, seeds=1, blocks=1)

    def refitted(self, contest: Contest, started: float) -> Contest:
        """The contest that fits by the measured cost of each rule's first run. started: the seconds that processes took to start.

        What the pilot promised stays if it costs as much, or if nothing else fits.
        """
        self.resumed += started
        self.slow = min(SLOWEST, max(1.0, started / FIRST["process"]))
        if self.units:
            self.price = max(1e-9, self.price - started / self.units)
        again = contest
        if self.units and abs(self.each(contest) / self._usual(contest) - 1) > AS_PLANNED:
            again = self._anew(contest) or contest
        self.measured = True
        self._keep(again)
        return again

    def _anew(self, contest: Contest) -> Contest | None:
        """The contest that fits what is left, at the measured cost of a run; None if none does."""
        assert contest.settings.pilot is not None
        pilot = replace(contest.settings.pilot, seconds=self.price * self.jobs)
        try:
            return self._fitted(replace(contest, settings=replace(contest.settings, pilot=pilot)))
        except Refusal:
            return None

    def begin(self, units: float) -> None:
        """Begin a stage of so many units."""
        self.target, self.units, self.resumed = units, 0.0, time.perf_counter()

    def fewer(self, contest: Contest) -> Contest | None:
        """A smaller contest than this one, as its stage costs more time than there is; None if none fits."""
        found = self._anew(contest)
        if found is None or _cost(found) >= _cost(contest):
            return None
        self._keep(found)
        return found

    def ended(self, phase: Phase, trials: int) -> None:
        """So many trials of a phase have run."""
        pilot = phase.contest.settings.pilot
        stops = pilot.stops if pilot is not None and phase.until else None
        self.units += trials * (1.0 if stops is None else stops)
        if self.units >= self.jobs:  # the first runs end after all of them began
            self.price = max(1e-9, time.perf_counter() - self.resumed) / self.units

    def goes_on(self) -> bool:
        """Whether there is time to begin another run, and for all of the stage."""
        time_left = self.left + LATE * self.seconds - REPORT * self.slow
        return not (self.price * self.jobs > time_left or self.price * (self.target - self.units) > time_left)

    def each(self, contest: Contest) -> float:
        """The seconds by which a whole run prolongs the comparison, as measured, else by the pilot."""
        return self._usual(contest) if math.isnan(self.price) else self.price

    def _usual(self, contest: Contest) -> float:
        """The same by the pilot."""
        assert contest.settings.pilot is not None
        return (contest.settings.pilot.seconds + BESIDES) / self.jobs

    def extended(self, contest: Contest) -> Contest | None:
        """The contest with more seeds, if there is time for some.

        How many seeds there are follows from the time alone, and from no score.
        """
        if self.finished or "seeds" in self.fixed:
            return None
        one_more = _cost(with_(contest, seeds=contest.settings.seeds + 1)) - _cost(contest)
        report = self.slow * report_seconds(len(contest.settings.rules))
        most = int((self.left + LATE * self.seconds - report) / self.each(contest) / one_more)
        if most < 1:
            self.end(contest)
            return None
        more = with_(contest, seeds=contest.settings.seeds + max(1, int(SHARE * most)))
        self._keep(more)
        return more

    def end(self, contest: Contest) -> None:
        """Let this be the last contest, also for a call that goes on with the plan."""
        self.finished = True
        self._keep(contest)

    def _others(self, contest: Contest) -> float:
        """The seconds for what is no run: starting the processes, and the report."""
        return known()["process"] + self.slow * report_seconds(len(contest.settings.rules))

    def sentence(self, contest: Contest) -> str:
        """What the time buys, as far as is known."""
        bought, rules, budget = with_(contest, seeds=self.promised), len(contest.settings.rules), contest.settings.budget
        seeds = f"about {self.promised} judging seed{'' if self.promised == 1 else 's'}"
        tuned = f"{budget} settings for each rule, and " if budget else "no tuning: each rule at its usual rate, on "
        times = f", in each of {contest.settings.blocks} blocks, tuned anew" if contest.settings.blocks > 1 else ""
        runs = f"{_runs(bought):,} runs of {rules} rule{'' if rules == 1 else 's'}"
        halved = sum(map(contest.halved_of, contest.candidates)) * protocol.TUNING_SEEDS * contest.settings.blocks
        short = f", {halved:,} of them short" if halved else ""
        return f"{humanize(self.seconds)} buy {tuned}{seeds}{times}: {runs}{short}{self._why_one(contest)}"

    def over(self, contest: Contest, part: Part, tuned: bool) -> str:
        """What is said of a comparison whose time was over before its plan was carried out, with what is there of that.

        tuned: whether the optimizers that are compared are tuned.
        """
        mine = contest.settings
        again = f"--budget {mine.budget} --seeds {mine.seeds} --blocks {mine.blocks} --early-stopping {mine.early_stopping}"
        compared = "only optimizers judged on the same seeds are" if tuned else "the optimizers, at their usual rates, are"
        return (
            f"The time was over before all was done, as a run took about {humanize(self.price * self.jobs)}: "
            f"{part.finished:,} of {part.planned:,} trials are there, and {compared} compared."
            + (f" With {again} in place of --hours it goes on from here." if mine.budget else "")
        )

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
        return repr((*what, settings.search, settings.early_stopping, self.seconds, *sorted(self.fixed.items())))

    def _keep(self, contest: Contest) -> None:
        """Write the plan down, for a call that goes on with it."""
        mine = contest.settings
        plan = {"budget": mine.budget, "seeds": mine.seeds, "promised": self.promised, "finished": self.finished}
        with json_cache(self.out / FILE, fits=_is_plan) as plans:
            plans[self._key(mine)] = {**plan, "blocks": mine.blocks, "price": self.each(contest)}


def _divided(contest: Contest, runs: float, fixed: dict[str, int]) -> Contest | None:
    """The largest contest of at most so many runs: in several blocks, if each then has enough settings, otherwise in one."""
    if "blocks" in fixed:
        return _largest(with_(contest, blocks=fixed["blocks"]), runs, fixed)
    several = _largest(with_(contest, blocks=blocks.BLOCKS), runs, fixed)
    return several if several and several.settings.budget >= blocks.WORTH else _largest(contest, runs, fixed)


def _largest(contest: Contest, runs: float, fixed: dict[str, int]) -> Contest | None:
    """The largest contest of at most so many runs: the largest budget, with seeds in the protocol's proportion, then more seeds.

    Where there is no time for LEAST settings, and beside them for as many seeds as can tell optimizers apart at all, nothing is
    tuned.
    """
    one, found = contest.settings.blocks == 1, None
    fewest = LEAST if "budget" in fixed else power.least_seeds()
    least, usual = (fewest, protocol.SEEDS) if one else (blocks.SEEDS, blocks.SEEDS)
    for budget in (fixed["budget"],) if "budget" in fixed else (0, *range(LEAST, MOST)):
        seeds = fixed.get("seeds", max(least, round(budget * usual / protocol.BUDGET)) if budget else 1)
        bigger = with_(contest, budget=budget, seeds=seeds)
        if _cost(bigger) > runs:
            break
        found = bigger
    if found is None or "seeds" in fixed:
        return found
    each = _cost(with_(found, seeds=found.settings.seeds + 1)) - _cost(found)
    return with_(found, seeds=found.settings.seeds + math.floor((runs - _cost(found)) / each))


def _runs(contest: Contest) -> int:
    """The number of runs in all blocks."""
    return contest.trials * contest.settings.blocks


def _cost(contest: Contest) -> float:
    """The cost of all blocks, in whole runs."""
    return contest.cost * contest.settings.blocks


def with_(contest: Contest, **given: int) -> Contest:
    """A new contest with another budget, other seeds or blocks."""
    settings: Settings = replace(contest.settings, **given)  # type: ignore[arg-type]
    return Contest.of(settings, contest.problem, settings.source.load_rules())


def _is_plan(found: Any) -> bool:
    """Whether an entry of the file is a plan."""
    if not isinstance(found, dict) or found.keys() != {"budget", "seeds", "blocks", "promised", "finished", "price"}:
        return False
    counts = [found["budget"], found["seeds"], found["promised"], found["blocks"]]
    whole = all(type(n) is int and n >= least for n, least in zip(counts, (0, 1, 1, 1), strict=True))
    return whole and type(found["finished"]) is bool and is_number(found["price"])
