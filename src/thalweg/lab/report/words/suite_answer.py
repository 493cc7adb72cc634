"""The answer of a suite in sentences: whether the choice matters, which optimizer to use, with what certainty, and why."""

from __future__ import annotations

from collections.abc import Sequence

from thalweg.lab.report.advice import tested
from thalweg.lab.report.schema.parts import Answer
from thalweg.lab.report.schema.problem import Results
from thalweg.lab.report.schema.suite import SuiteFacts, SuiteRow
from thalweg.lab.report.words.lists import listed
from thalweg.lab.statistics import power
from thalweg.lab.statistics.scores import number
from thalweg.values.numerals import typed

NOTHING = "No optimizer improved on its start on any problem, so there is nothing to rank."
ALONE = "One optimizer alone cannot be compared."


def suite_answer(found: SuiteFacts) -> Answer:
    """The answer over the problems of a suite, from its results."""
    rows, problems = found["rules"], len(found["problems"]) - len(found["left_out"])
    if not rows:
        return {
            "matters": NOTHING, "use": "None of these.", "avoid": "", "sure": NOTHING,
            "why": "A longer run, or other problems, might tell more.",
        }  # fmt: skip
    return {
        "matters": _matters(rows), "use": _use_over(rows, found["problems"]), "avoid": _avoid(rows),
        "sure": _sure_over(rows, problems), "why": _why_over(rows, problems),
    }  # fmt: skip


def not_worse(rows: Sequence[SuiteRow]) -> list[SuiteRow]:
    """The best optimizer, and those that a test with enough power did not separate from it."""
    return [row for row in rows if row is rows[0] or row["verdict"]["separable"] is False]


def _matters(rows: Sequence[SuiteRow]) -> str:
    if len(rows) == 1 or not tested(rows):
        return "Undecided."
    equals = len(not_worse(rows))
    if equals == len(rows):
        return f"Perhaps not: over these problems none of the {len(rows)} is shown to be worse than another."
    return f"It does: over these problems {len(rows) - equals} of {len(rows)} are worse than another one."


def _avoid(rows: Sequence[SuiteRow]) -> str:
    worse = [row["name"] for row in rows if row["verdict"]["separable"]]
    return f"{listed(worse)}." if worse else ""


def _use_over(rows: Sequence[SuiteRow], problems: Sequence[Results]) -> str:
    best = rows[0]
    own = [row for each in problems for row in each["rules"] if row["name"] == best["name"]]
    low, high = min(row["best_lr"] for row in own), max(row["best_lr"] for row in own)
    one, many = f" Its best learning rate was {typed(low)}.", f" Tune it: its best rates were {typed(low)} to {typed(high)}."
    span = one if low == high else many
    leads = f"{best['name']}." if tested(rows) else f"Undecided. {best['name']} leads."
    return f"{leads}{span if own[0]['tuned'] else ''}"


def _sure_over(rows: Sequence[SuiteRow], problems: int) -> str:
    others = rows[1:]
    if not others:
        return ALONE
    if not tested(rows):
        return (
            f"Not at all: {problems} problem{' is' if problems == 1 else 's are'} too few for a test to separate {len(rows)} "
            f"optimizers; it needs {power.least_seeds()}."
        )
    equals = [row["name"] for row in not_worse(rows)[1:]]
    worse = len(others) - len(equals)
    rest = f"The other {worse if worse > 1 else 'one'} did worse over these problems, by more than chance explains."
    if not equals:
        return rest
    if not worse:
        return f"Not sure: {problems} problems cannot separate it from {listed(equals)}, which may be as good, or better."
    return (
        f"It is among the best {len(equals) + 1} of {len(rows)}, which {problems} problems cannot separate: {listed(equals)} may "
        f"be as good, or better. {rest}"
    )


def _why_over(rows: Sequence[SuiteRow], problems: int) -> str:
    best = rows[0]
    _, lowest = best["places_without_a_problem"]
    told = (
        f"Over {problems} problems {best['name']} has the best mean rank, {best['mean_rank']['value']:.1f} of {len(rows)} "
        f"(95 % interval {best['mean_rank']['low']:.1f} to {best['mean_rank']['high']:.1f})"
    )
    told += (
        ", whichever problem is left out. " if lowest == 1 else f"; without one of them it would be in place {lowest} at worst. "
    )
    first = len(best["first_on"])
    told += f"It is the first on {first} of them. " if first else ""
    return told + (
        f"On a typical problem it came {100 * number(best['share']['value']):.1f} % of the way from the start to the best result "
        f"there, and {100 * number(best['untuned']['value']):.1f} % untuned."
    )
