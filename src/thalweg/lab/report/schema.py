"""What `results.json` holds, key by key: made by `results` and `suite`, read by tables, reports, figures and any program.

Numbers that are infinite or undefined are None, as JSON has no words for them. Scores are as the problem's own are ("higher is
better" stands with them); what is a share is between 0 and 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypedDict, final


class Answer(TypedDict):
    """What a comparison came to, in sentences."""

    use: str
    """Which optimizer to use, with which setting."""
    sure: str
    """How sure that is, and who may be as good."""
    why: str
    """The scores behind it."""


class Interval(TypedDict):
    """A mean over seeds and its 95 % interval."""

    mean: float | None
    low: float | None
    high: float | None


class Estimated(TypedDict):
    """A statistic over problems and its 95 % interval."""

    value: float | None
    low: float | None
    high: float | None


class Rank(TypedDict):
    """A place, and where it lies when the seeds are drawn again."""

    place: int
    low: int
    high: int


class Verdict(TypedDict):
    """One optimizer against the best."""

    p: float | None
    """Of the test."""
    adjusted: float | None
    """That after Holm's correction."""
    separable: bool | None
    """Whether the test tells the two apart; None where there is too little for any test to do so."""
    sentence: str
    """That in a few words."""


class Diverged(TypedDict):
    """The share of runs that diverged."""

    tuning: float
    judging: float


class StepsToTarget(TypedDict):
    """Steps until the validation loss is at the target."""

    median: float | None
    """None where more than half of the runs do not get there."""
    reached: float
    """The share of runs that do."""


class TunedTrial(TypedDict):
    """A run on a tuning seed, and how it ended on validation data."""

    lr: float
    hyper: dict[str, float]
    """The other hyper-parameters that were tuned."""
    schedule: str
    seed: int
    diverged: bool
    loss: float | None
    score: float | None


class JudgedTrial(TypedDict):
    """A run of the chosen setting on a fresh seed. The curves' points are at `evaluated_at`."""

    seed: int
    loss_curve: list[float | None]
    """Validation loss."""
    score_curve: list[float | None]
    """Validation score."""
    train_curve: list[float | None]
    """Training loss, a mean since the point before."""
    test_score: float | None
    test_loss: float | None
    diverged: bool


class Named(TypedDict):
    """A row of either table."""

    name: str


class Compared(Named):
    """A row with what the test says of it."""

    verdict: Verdict


class Scored(Named):
    """A row with its mean score."""

    score: Interval


class Priced(Scored):
    """A row with what a step costs."""

    step_cost: float | None


class Untuned(TypedDict):
    """The optimizer as it comes, on the seeds that judge."""

    lr: float
    score: Interval
    diverged: float
    """The share of runs that diverged."""
    test_scores: list[float | None]
    """For each seed."""


class Described(TypedDict):
    """What an optimizer is, and what became of it."""

    name: str
    paper: str
    """Authors, year, arXiv id and algorithm."""
    mine: bool
    """Whether it is a rule of the user's own."""
    hyper: dict[str, Any]
    """Its hyper-parameters' defaults."""
    state_per_parameter: float
    """Numbers that it keeps for each parameter."""
    failed: bool
    """Whether any of its runs raised, hung or ended its process."""
    note: str | None
    """What a reader must know of it; of one that failed, why."""


class HowTuned(TypedDict):
    """How a setting was chosen."""

    tuned: bool
    """False for one that runs as it is shipped."""
    search: list[float] | None
    """The range of learning rates that it declares."""
    trials: int
    """Settings that were tried."""
    best_lr: float
    """Of the setting that was chosen, as are the next two."""
    best_hyper: dict[str, float]
    best_schedule: str
    at_edge: str | None
    """"low" or "high" where the chosen learning rate is the smallest or largest that was tried."""
    tuning: list[TunedTrial]
    width: float | None
    """Decades of learning rates that do about as well as its best."""


class Row(Described, HowTuned, Compared, Priced):
    """An optimizer on one problem: its score is on test data, its step cost a multiple of plain gradient descent's."""

    judging: list[JudgedTrial]
    untuned: Untuned
    best_of: list[float]
    """The expected best of k = 1, 2, ... settings, as a share of the way to the best of all; empty after adaptive search."""
    rank: Rank
    steps_to_target: StepsToTarget
    diverged: Diverged


class Score(TypedDict):
    """What is counted."""

    name: str
    higher_is_better: bool
    share: bool
    """Whether it is a share, and shown in per cent."""


class About(TypedDict):
    """A problem."""

    name: str
    about: str
    train_size: int
    """Samples to train on; 0 where there are none."""
    fingerprint: str
    """A hash of its data."""
    score: Score


class SuiteSettings(TypedDict):
    """What is the same on all problems."""

    budget: int
    """Settings tried for each optimizer."""
    seeds: int
    """Seeds that judge."""
    tuning_seeds: int
    """Seeds that tune."""
    tuned: str
    """"lr", or "all" for every hyper-parameter that is a number."""
    schedules: list[str]
    search: str
    """"quasi-random" or "optuna"."""
    rules: list[str]
    """The optimizers that were asked for."""


class ProblemSettings(SuiteSettings):
    """What is a problem's own, too."""

    steps: int
    batch_size: int


class Protocol(TypedDict):
    """How it was done."""

    version: str
    sentences: list[str]
    """The protocol in words."""


class Target(TypedDict):
    """The validation loss that "steps to target" are counted to."""

    loss: float | None
    sentence: str


class Check(TypedDict):
    """What a comparison checks of itself: one optimizer under two names, or one that holds another in it."""

    kind: Literal["A/A control", "inclusion"]
    first: str
    second: str
    scores: list[float | None]
    """Their mean test scores."""
    p: float
    """Of a permutation test."""
    held: bool
    sentence: str


class LostCheck(Check):
    """A check that did not hold on one problem of a suite."""

    problem: str


class Sight(TypedDict):
    """How small a difference the comparison could have seen."""

    smallest: float | None
    """The smallest difference to the best that it would probably have told."""
    pair: list[str] | None
    """The best, and the next that could be told from it with more seeds."""
    more: int | None
    """How many more seeds that takes."""
    seeds: int | None
    """How many in all."""


class Facts(TypedDict):
    """What was found on one problem."""

    version: str
    """Of thalweg."""
    protocol: Protocol
    caution: str | None
    """What must be known before these are compared: that search was adaptive."""
    command: str
    """What to write to run it again."""
    made: str
    """When, in ISO 8601."""
    problem: About
    settings: ProblemSettings
    environment: dict[str, str]
    """Versions and the machine."""
    evaluated_at: list[int]
    """The steps at which curves have a point."""
    target: Target
    checks: list[Check]
    sight: Sight
    rules: list[Row]
    """The optimizers, the best first."""


@final
class Results(Facts):
    """The comparison on one problem."""

    answer: Answer


class SuiteRow(Compared):
    """An optimizer over all problems of a suite."""

    place: int
    paper: str
    mine: bool
    mean_rank: Estimated
    share: Estimated
    """The interquartile mean, over problems and seeds, of the share of the way from the start to the best."""
    untuned: Estimated
    """That, as the optimizer comes."""
    places_without_a_problem: list[int]
    """Its best and its worst place when a problem is left out."""
    first_on: list[str]
    """The problems on which it is the first."""
    not_separable_on: list[str]
    """The problems on which it cannot be told from the best."""
    targets: float | None
    """The area under `reached`."""
    reached: list[float]
    """The share of targets that it has reached after each of `shares_of_steps`."""
    profile: list[float]
    """The share of problems on which it takes at most each of `taus` times the fewest steps."""
    profile_area: float | None
    diverged: Diverged
    width: float | None
    """The median over problems, as is the next."""
    step_cost: float | None
    state_per_parameter: float
    best_of: list[float]
    """The mean over problems."""


class CriticalDifference(TypedDict):
    """All pairs over the problems, where there are enough of them."""

    mean_rank: dict[str, float]
    order: Sequence[str]
    cliques: Sequence[Sequence[str]]
    """Optimizers that cannot be told from one another."""
    remark: str | None


class SuiteChecks(TypedDict):
    """The checks of all problems together."""

    controls: int
    """How many A/A controls there are."""
    alarms: int
    """How many were told from their twins on their problem."""
    p: float | None
    """Of a test over problems."""
    held: bool
    lost: list[LostCheck]
    sentence: str


class SuiteUntuned(TypedDict):
    """What trying several optimizers as they come is worth, beside tuning one."""

    best_of_all: float
    """The share of the way that the best of all as they come reaches, in the mean over problems."""
    one: str
    """The optimizer that is tuned alone."""
    one_tuned: float
    """The share of the way that it reaches."""
    sentence: str


class Overall(TypedDict, total=False):
    """What the problems come to together; of it there is only `rules`, and that empty, where no optimizer got anywhere."""

    critical_difference: CriticalDifference
    without_problem: dict[str, dict[str, int]]
    """By problem: the places of all optimizers without it."""
    without_optimizer: dict[str, dict[str, int]]
    """By optimizer: the places of all others without it."""
    taus: list[float]
    shares_of_steps: list[float]
    checks: SuiteChecks
    untuned: SuiteUntuned


class SuiteFacts(Overall):
    """What was found on several problems."""

    version: str
    command: str
    made: str
    suite: str
    """Its name."""
    environment: dict[str, str]
    settings: SuiteSettings
    caution: str | None
    protocol: Protocol
    problems: list[Results]
    left_out: list[str]
    """The problems on which no optimizer got away from the start."""
    rules: list[SuiteRow]
    """The optimizers, the best mean rank first."""


@final
class SuiteResults(SuiteFacts):
    """The comparison on several problems."""

    answer: Answer
