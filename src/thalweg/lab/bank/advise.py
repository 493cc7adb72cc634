"""`lab.advise`: what to try first for a kind of problem, by what has been measured on the lab's own problems."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from thalweg.core.optimizer import Optimizer
from thalweg.lab import problems
from thalweg.lab.bank import identity, words
from thalweg.lab.bank.advice import GENERAL, Advised, Facts
from thalweg.lab.bank.choice import REFERENCE, behind, gap, order, regrets, weights
from thalweg.lab.bank.evidence import WAYS, Evidence
from thalweg.lab.bank.kinds import KINDS, kind, kind_of
from thalweg.lab.bank.table import SHIPPED, Bank, read
from thalweg.lab.data import datasets
from thalweg.lab.data.problem import Floats
from thalweg.lab.data.task import VALUES
from thalweg.lab.protocol import protocol
from thalweg.lab.refusal import Refusal
from thalweg.methods import rules as catalogue

WIDTH = 160
"""Columns where the terminal's width is unknown."""


class Advice(Facts):
    """What to try first; `print` shows it.

    `rule` is the rule to try first with its learning rate tuned, `untuned` the one to try without tuning, and `rows` has all of
    them with intervals.
    """

    @property
    def sentences(self) -> list[str]:
        """The advice, how sure it is, and its limits."""
        return words.sentences(self)

    def tables(self, width: int = WIDTH) -> tuple[Table, Table]:
        """The table of rules, and the sentences, for a console `width` columns wide."""
        return words.table(self, width), words.answered(self, width)

    def __str__(self) -> str:
        console = Console(width=WIDTH, color_system=None)
        with console.capture() as captured:
            for part in self.tables():
                console.print(part)
        return captured.get().rstrip()


def advise(
    problem: str | None = None,
    *,
    kind: str | None = None,
    data: str | Path | None = None,
    target: str | None = None,
    task: str | None = None,
    bank: str | Path | None = None,
) -> Advice:
    """What to try first, by what the lab has measured. It trains nothing.

    Parameters
    ----------
    problem : str, optional
        A problem of the lab that yours is like, for example "digits".
    kind : str, optional
        A kind of problem, for example "text"; `thalweg advise --kinds` lists them.
    data, target, task : optional
        Your own data, as in `lab.compare`: the advice is for tables of that task.
    bank : str | Path, optional
        A file of `thalweg lab bank`. Default: the one that is part of the package.

    Returns
    -------
    Advice
        The rules in the order in which to try them.

    Raises
    ------
    Refusal
        For a kind or problem that there is not, and for a bank of which nothing can be used.

    Examples
    --------
    >>> from thalweg import lab
    >>> lab.advise("digits").kind
    'small images'
    """
    asked = _asked(problem, kind, data, target, task)
    return advised(read(Path(bank) if bank is not None else SHIPPED), asked)


def _asked(problem: str | None, given: str | None, data: str | Path | None, target: str | None, task: str | None) -> str:
    """The kind that is asked for. Raises Refusal for two answers to one question."""
    if sum(each is not None for each in (problem, given, data)) > 1:
        raise Refusal("a kind, --problem-like and --data are several answers to one question; give one of them")
    if data is None and (target is not None or task is not None):
        raise Refusal("--target and --task speak of your own data; give them with --data")
    if data is not None:
        found = datasets.load(Path(data), target, task)
        return "tabular regression" if found.score == VALUES.score else "tabular classification"
    if problem is not None:
        name = problem.strip().lower().replace("-", "_")
        if problem.strip().lower() in KINDS:
            raise Refusal(f"{problem!r} is a kind of problem: write advise(kind={problem!r})")
        return kind_of(name) if name in problems.names() else kind_of(problems.problem(problem).name)
    return GENERAL if given is None or given.strip().lower() == GENERAL else kind(given)


def advised(bank: Bank, asked: str) -> Advice:
    """The advice for a kind. Raises Refusal if the bank has nothing to say."""
    now = identity.current(bank, catalogue)
    family = _family(now.bank, asked) if now.bank.rules else []
    evidence = Evidence.of(now.bank.only(problems=set(family)))
    mine = tuple(name for name in evidence.problems if asked == GENERAL or name in KINDS[asked].problems)
    evidence = evidence.among(evidence.problems)
    if not mine or REFERENCE not in evidence.rules:
        raise Refusal(_nothing(asked, bank, now))
    weight = weights(evidence, mine)
    first, *_ = ranked = [evidence.rules[i] for i in order(evidence, weight, WAYS[0])]
    rows = tuple(_advised(name, first, evidence, weight, mine, now.bank) for name in ranked)
    return Advice(
        asked, mine, tuple(name for name in evidence.problems if name not in mine), len(set(evidence.data)), rows,
        evidence.rules[order(evidence, weight, WAYS[1])[0]], {way: regrets(evidence, way) for way in WAYS}, now.bank,
        tuple(_told(now, evidence, mine)),
    )  # fmt: skip


def _told(now: identity.Current, evidence: Evidence, mine: Sequence[str]) -> list[str]:
    """What is not used, and what is not what it was."""
    told, missing = now.sentences, sorted(set(now.bank.rules) - set(evidence.rules))
    if missing:
        told.append(f"Not measured on all of these problems: {', '.join(missing)}.")
    if others := identity.changed(now.bank.only(problems=set(mine))):
        told.append(
            f"Not what it was when it was measured, or not installed here: {', '.join(others)} (another definition, or other "
            "data; those of the transformer come with Python)."
        )
    return told


def _family(bank: Bank, asked: str) -> list[str]:
    """The problems that say something of the kind: those with data, or those without, as the kind's own are."""
    with_data = {name: measured.train_size > 0 for name, measured in bank.problems.items()}
    own = [with_data[name] for name in KINDS[asked].problems if name in with_data] if asked != GENERAL else [True]
    return [name for name, its in with_data.items() if own and its == own[0]]


def _nothing(asked: str, bank: Bank, now: identity.Current) -> str:
    there = sorted({name for name, each in KINDS.items() if set(each.problems) & set(bank.problems)})
    if asked != GENERAL and asked not in there:
        return (
            f"the bank has no problem of the kind {asked!r}; it has {', '.join(there)}. `thalweg compare --problem "
            f"{KINDS[asked].problems[0]}` measures one here, and `thalweg advise` alone answers over all that the bank has"
        )
    return f"the bank says nothing of the kind {asked!r}: {' '.join(now.sentences) or 'too little was measured'}"


def _advised(name: str, first: str, evidence: Evidence, weight: Floats, mine: Sequence[str], bank: Bank) -> Advised:
    at = [evidence.problems.index(problem) for problem in mine]
    gaps = evidence.row(name, WAYS[0])[at]
    rates = sorted(row.lr for row in bank.rows if row.rule == name and row.problem in mine and row.lr > 0)
    tuned, untuned = (gap(evidence, name, way, weight) for way in WAYS)
    more = behind(evidence, name, first, WAYS[0], weight)
    near = int((gaps <= protocol.NEAR).sum())
    worst = (mine[int(gaps.argmax())], float(gaps.max()))
    lr = (float(np.exp(np.median(np.log(rates)))), rates[0], rates[-1]) if rates else (math.nan, math.nan, math.nan)
    return Advised(name, tuned, untuned, more, near, worst, lr, Optimizer(catalogue[name](), lr=1.0).asks_gradients)
