"""From the options of a comparison to the contest on a training function: a pilot first, then what it makes affordable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from thalweg.lab.api import plan
from thalweg.lab.api.hours import Clock
from thalweg.lab.api.options import Options, device_of_each, jobs, schedules
from thalweg.lab.comparing.contest import Contest, Settings
from thalweg.lab.comparing.forecast import humanize
from thalweg.lab.comparing.pilot import Pilot, pilot
from thalweg.lab.protocol import halving, protocol
from thalweg.lab.refusal import Refusal
from thalweg.lab.running.sweep import TIMEOUT
from thalweg.lab.training.function import BETTER, STEPS
from thalweg.lab.user.my_training import Reference, notes, reference
from thalweg.lab.user.source import Source

RULES = ("momentum", "adamw", "nadam", "lion", "ademamix", "muon")
"""The default rules for a training function, whose runs are dear."""
PATIENCE = 60.0
"""Seconds that a run of the pilot may take, however little time there is in all."""
FEWER = 2
"""Reports that end before the steps' FEWERth part count something else."""
PATIENT = 20
"""A run hangs after this many times the pilot's seconds, if nobody says when."""


def referred(options: Options) -> Reference:
    """The training function. Raises Refusal if there is none."""
    train = options.get("train")
    assert train is not None
    return reference(train, options.get("better") or BETTER[0])


def contest(given: Reference, options: Options, out: Path, clock: Clock | None, tell: Callable[[str], None]) -> Contest:
    """The contest on the function, the first of its blocks. clock: the time that it may take, if that decides what is run."""
    own, lost = plan.own_rules(options, tell)
    source = Source(my_rule=own, lost=lost, train=given)
    rules = source.load_rules()
    mine = tuple(name for name, rule in rules.items() if not rule.ours)
    selected = (*RULES, *mine) if options.get("rules") is None else plan.selected_rules(options.get("rules"), rules)
    for line in notes(given):
        tell(line)
    if source.stays_here and options.get("devices"):
        raise Refusal("--devices needs child processes, and this function cannot be sent to one")
    limit = options.get("timeout") or (max(clock.left, PATIENCE) if clock else None)
    some, many = [name for name in selected if name not in dict(lost)], jobs(options)
    found = pilot(source, some, options.get("steps"), out, limit, many, device_of_each(options, many))
    tell(sentence(found))
    if found.reported is not None and FEWER * found.reported < found.counted:
        tell(
            f"the last score is reported at step {found.reported:g}, and the optimizer takes {found.counted:,}: trial.report "
            "wants steps, not epochs, for curves and early stopping; without a number it counts them itself"
        )
    source = replace(source, validations=found.validations)
    blocks = options.get("blocks") or 1
    settings = Settings(
        source, selected, options.get("budget") or protocol.BUDGET, plan.seeds(options, blocks), found.steps, 0,
        options.get("tune") or "lr", schedules(options), options.get("timeout") or max(TIMEOUT, PATIENT * found.seconds),
        search=options.get("search") or protocol.SEARCHES[0], pilot=found, blocks=blocks,
        margin=options.get("margin"), early_stopping=early_stopping(options, found, tell),
        ranges=plan.ranges(options, rules, selected),
    )  # fmt: skip
    made = Contest.of(settings, source.see_problem(), rules)
    if clock is not None:
        made = clock.fitted(made)
        tell(clock.sentence(made))
    plan.refuse_too_many(made.trials * made.settings.blocks)
    return made


def early_stopping(options: Options, found: Pilot, tell: Callable[[str], None]) -> str:
    """The kind of early stopping: what is asked for, if the function reports early enough."""
    none, halved = halving.NAMES
    spread = (options.get("search") or protocol.SEARCHES[0]) == protocol.SEARCHES[0]
    asked = options.get("early_stopping") or (halved if options.get("hours") is not None and spread else none)
    if asked == halved and found.stops is None:
        tell(f"no run stops early: the function reports no score between step {halving.stop(found.steps):,} and its end")
        return none
    return asked


def sentence(found: Pilot) -> str:
    """What the pilot showed."""
    same = "the same score" if found.repeats else f"another score ({found.scores[0]}, then {found.scores[1]})"
    cost = humanize(found.seconds) if found.seconds > 10 else f"{found.seconds:.2g} seconds"
    on_the_way = f"; validations on the way are {found.validating:.0%} of it" if found.validations is not None else ""
    unseen = not found.counted and found.steps == STEPS
    steps = f"(its steps cannot be seen and count as {STEPS:,}: say --steps)" if unseen else f"and {found.steps:,} steps"
    return f"a run of {found.rule} takes about {cost} {steps}{on_the_way}; the same seed gave {same} again"
