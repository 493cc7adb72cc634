"""From the options of a comparison to its contests, one for each problem."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from thalweg.core.compose import refuses_vectors
from thalweg.lab.api.options import MOST, RANGES, Options, ignored, listed, schedules
from thalweg.lab.bank.identity import current
from thalweg.lab.bank.rates import measured
from thalweg.lab.bank.table import read
from thalweg.lab.comparing.contest import Contest, Settings
from thalweg.lab.data.problem import Problem
from thalweg.lab.data.supervised import Supervised
from thalweg.lab.protocol import protocol, suites
from thalweg.lab.protocol.blocks import SEEDS
from thalweg.lab.refusal import Refusal
from thalweg.lab.running.sweep import TIMEOUT
from thalweg.lab.trials.configured import NO_MATRICES, has_matrices
from thalweg.lab.user import probe
from thalweg.lab.user.source import Source
from thalweg.methods import rules as catalogue
from thalweg.rule import Rule

Ranges = tuple[tuple[str, tuple[float, float]], ...]

SHOWN = 8
"""The most repairs of data that are told before a comparison."""
ALL = "all"
"""Value of `rules` for every rule of the catalogue."""


def contests(options: Options, tell: Callable[[str], None]) -> list[Contest]:
    """The contests, one for each problem, or the blocks of one. tell: called with the reason for each omission.

    Raises Refusal for bad options.
    """
    suite, problem = options.get("suite"), options.get("problem")
    names = suites.suite(suite) if suite else (None if problem is None else str(problem),)
    own, lost = own_rules(options, tell)
    data = options.get("data")
    place = None if data is None else Path(data)
    how: dict[str, Any] = {"ignore": ignored(options), "strict": bool(options.get("strict"))}
    sources = [Source(name, place, options.get("target"), options.get("task"), own, lost, **how) for name in names]
    return [block for source in sources for block in contest(source, options, tell).in_blocks()]


def own_rules(options: Options, tell: Callable[[str], None]) -> tuple[tuple[Path, ...], tuple[tuple[str, str], ...]]:
    """The user's files with rules that can run, and the lost rules with the reasons, which are told."""
    files = [Path(path) for path in listed(options.get("my_rule") or ())]
    own, lost = probe.rules(files) if files else ((), ())
    for name, why in lost:
        tell(f"{name} is not run: {why}")
    return own, lost


def refuse_too_many(trials: int) -> None:
    """Raises Refusal for more trials than can be planned."""
    if trials > MOST:
        raise Refusal(
            f"that would be {trials:,} trials, and {MOST:,} are the most; lower --budget or --seeds, or name fewer --rules"
        )


def seeds(options: Options, blocks: int) -> int:
    """The number of judging seeds, in each block."""
    usual = suites.SEEDS if options.get("suite") else protocol.SEEDS if blocks == 1 else SEEDS
    return options.get("seeds") or usual


def contest(source: Source, options: Options, tell: Callable[[str], None]) -> Contest:
    """The contest on one problem, or its first block. Raises Refusal as `contests` does."""
    rules, problem = source.load_rules(), source.see_problem()
    if isinstance(problem, Supervised) and problem.preparation is not None:
        _tell_of_repairs(problem.name, problem.preparation.repairs, tell)
    asked = selected_rules(options.get("rules"), rules)
    selected = _fit(problem, asked, rules, options, tell)
    budget = options.get("budget") or (suites if options.get("suite") else protocol).BUDGET
    blocks = options.get("blocks") or 1
    judging = seeds(options, blocks)
    refuse_too_many(blocks * len(selected) * (budget * protocol.TUNING_SEEDS + 2 * judging))
    settings = Settings(
        source, selected, budget, judging, options.get("steps") or problem.steps,
        min(options.get("batch_size") or problem.batch_size, problem.train_size) if problem.train_size else 0,
        options.get("tune") or "lr", schedules(options), options.get("timeout") or TIMEOUT,
        options.get("lanes") or "numpy", options.get("search") or protocol.SEARCHES[0],
        tuple((name, NO_MATRICES) for name in asked if name not in selected), blocks=blocks,
        margin=options.get("margin"), ranges=ranges(options, rules, selected, None if source.own_problem else problem),
    )  # fmt: skip
    return Contest.of(settings, problem, rules)


def ranges(options: Options, rules: Mapping[str, Rule], selected: Sequence[str], problem: Problem | None = None) -> Ranges:
    """The ranges of learning rates that are not the declared ones: none by default, and none on the lab's functions without data,
    of which the bank's rates say nothing. problem: one of the lab's own.
    """
    if options.get("ranges") != RANGES[1] or (problem is not None and not problem.train_size):
        return ()
    some = {name: rules[name] for name in selected if rules[name].ours}
    return tuple(measured(current(read(), some).bank, some, None if problem is None else problem.name).items())


def _tell_of_repairs(name: str, repairs: Sequence[str], tell: Callable[[str], None]) -> None:
    for line in repairs[:SHOWN]:
        tell(f"{name}: {line}")
    if len(repairs) > SHOWN:
        more = len(repairs) - SHOWN
        tell(f"and {more} more repair{'' if more == 1 else 's'}, which the report lists")
    if repairs:
        tell("--strict refuses such data instead")


def _fit(
    problem: Problem, selected: tuple[str, ...], rules: Mapping[str, Rule], options: Options, tell: Callable[[str], None]
) -> tuple[str, ...]:
    """The selected rules that can run on the problem. Raises Refusal if another was named explicitly for this problem."""
    unfit = [] if has_matrices(problem) else [name for name in selected if refuses_vectors(rules[name]())]
    if not unfit:
        return selected
    told = f"{problem.name} has no matrices, and {', '.join(unfit)} {'take' if len(unfit) > 1 else 'takes'} nothing else"
    rest = tuple(name for name in selected if name not in unfit)
    if not rest or (options.get("rules") != ALL and not options.get("suite")):
        raise Refusal(f"{told}; leave {'them' if len(unfit) > 1 else 'it'} out, or compare on a problem with a network")
    tell(f"{told}: left out there")
    return rest


def selected_rules(names: str | Iterable[str] | None, rules: Mapping[str, Rule]) -> tuple[str, ...]:
    """The named rules (default: the protocol's) and the user's own. Raises Refusal for an unknown name."""
    own = [name for name, rule in rules.items() if not rule.ours]
    if names is None:
        return (*protocol.RULES, *own)
    if names == ALL:
        return tuple(rules)
    selected: list[str] = []
    for name in listed(names):
        try:
            selected.append((rules[name] if name in rules else catalogue[name]).name)
        except KeyError as error:
            raise Refusal(str(error.args[0])) from error
    if not selected:
        raise Refusal("--rules names no optimizer; write for example --rules sgd,momentum,adam")
    return tuple(dict.fromkeys(selected + own))
