"""One optimizer over the blocks of a comparison: its trials together, and what each block found."""

from __future__ import annotations

import functools
import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from thalweg.lab.comparing.candidate import Candidate, Role, failure
from thalweg.lab.comparing.contest import Contest
from thalweg.lab.data.problem import Floats
from thalweg.lab.protocol.tune import Setting, Space
from thalweg.lab.statistics.scores import block_means, judged_scores
from thalweg.lab.trials.trials import Trial
from thalweg.rule import Rule


@final
@dataclass(frozen=True, eq=False)
class Entrant:
    """An optimizer in all blocks. Of one block, its candidate is the whole."""

    blocks: tuple[Candidate, ...]

    @property
    def rule(self) -> Rule:
        return self.blocks[0].rule

    @property
    def label(self) -> str:
        return self.blocks[0].label

    @property
    def space(self) -> Space | None:
        """The search space of the first block; the others differ in the draws from it."""
        return self.blocks[0].space

    @property
    def role(self) -> Role:
        return self.blocks[0].role

    @property
    def compared(self) -> bool:
        return self.blocks[0].compared

    @property
    def tuned(self) -> bool:
        return self.blocks[0].tuned

    @property
    def default(self) -> Setting:
        """The untuned setting."""
        return self.blocks[0].default

    @functools.cached_property
    def tuning(self) -> list[Trial]:
        """The tuning trials of all blocks."""
        return [trial for each in self.blocks for trial in each.tuning]

    @functools.cached_property
    def judging(self) -> list[Trial]:
        """The judging trials of all blocks."""
        return [trial for each in self.blocks for trial in each.judging]

    @functools.cached_property
    def untuned(self) -> list[Trial]:
        """The trials of the untuned setting in all blocks."""
        return [trial for each in self.blocks for trial in each.untuned]

    @property
    def failure(self) -> str | None:
        """As `Candidate.failure`."""
        return failure((*self.tuning, *self.judging, *self.untuned))

    @property
    def best(self) -> Setting:
        """The chosen setting; of those that several blocks chose the one with the middle learning rate, the lower of two."""
        chosen = sorted((each.best for each in self.blocks), key=lambda setting: setting.lr)
        return chosen[(len(chosen) - 1) // 2]

    @property
    def at_edge(self) -> str | None:
        """As `Candidate.at_edge`, if it is so in more than half of the blocks."""
        (edge, count), *_ = Counter(each.at_edge for each in self.blocks).most_common()
        return edge if 2 * count > len(self.blocks) else None

    def scores(self, higher_is_better: bool) -> Floats:
        """The test scores that intervals, ranks and tests are over: those of the seeds, or, of several blocks, their means."""
        return self._scores(lambda each: each.judging, higher_is_better)

    def untuned_scores(self, higher_is_better: bool) -> Floats:
        """The same of the untuned setting. A rule that is never tuned is judged at it anyway."""
        return self._scores(lambda each: each.untuned if each.tuned else each.judging, higher_is_better)

    def _scores(self, of: Callable[[Candidate], list[Trial]], higher_is_better: bool) -> Floats:
        each = [judged_scores(of(candidate), higher_is_better) for candidate in self.blocks]
        return each[0] if len(each) == 1 else block_means(each, -math.inf if higher_is_better else math.inf)


def entrants(blocks: Sequence[Contest]) -> list[Entrant]:
    """The optimizers of the blocks of a comparison, those that only check it too."""
    return [Entrant(same) for same in zip(*(contest.candidates for contest in blocks), strict=True)]


def median(values: Sequence[float]) -> float:
    """The median of what the blocks found; NaN of nothing."""
    known = [value for value in values if not math.isnan(value)]
    return float(np.median(known)) if known else math.nan
