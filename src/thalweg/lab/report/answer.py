"""The answer of a comparison in three sentences: which optimizer to use, with what certainty, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from thalweg.lab.report.schema.optimizer import Row
from thalweg.lab.report.schema.parts import Answer, Compared
from thalweg.lab.report.schema.problem import Facts, Results, Score
from thalweg.lab.report.schema.suite import SuiteFacts, SuiteRow
from thalweg.lab.statistics import pairwise, power
from thalweg.lab.statistics.scores import format_score, number
from thalweg.values.numerals import typed

Rows = Sequence[Row]
T = TypeVar("T", bound=Compared)


def answer(found: Facts) -> Answer:
    """The answer on one problem: sentences under "use", "sure" and "why", from the rows of its results, the best first."""
    rows, score = found["rules"], found["problem"]["score"]
    if rows[0]["score"]["mean"] is None:
        return {
            "use": "None of these.",
            "sure": f"None of them ended with a finite {score['name']} in every run.",
            "why": "The notes at the end say what happened to each.",
        }
    return {
        "use": _use(rows),
        "sure": " ".join([*_sure(rows, found["settings"]["seeds"]), *_failed(rows)]),
        "why": " ".join([*_why(rows, score, found["settings"]["seeds"]), *_among(rows, score)]),
    }


def suite_answer(found: SuiteFacts) -> Answer:
    """The answer over the problems of a suite, from its results."""
    rows, problems = found["rules"], len(found["problems"]) - len(found["left_out"])
    if not rows:
        return {"use": "None of these.", "sure": NOTHING, "why": "A longer run, or other problems, might tell more."}
    return {
        "use": _use_over(rows, found["problems"]), "sure": _sure_over(rows, problems), "why": _why_over(rows, problems),
    }  # fmt: skip


NOTHING = "On no problem did any optimizer get away from its start: there is nothing to rank."


def alike(rows: Sequence[T]) -> list[T]:
    """The best optimizer, and those that a test with enough power did not separate from it."""
    return [row for row in rows if row is rows[0] or (row["verdict"]["separable"] is False and not row.get("failed"))]


def tested(rows: Sequence[Compared]) -> bool:
    """Whether there were enough seeds or problems for the test to separate any optimizer from the best."""
    return all(row["verdict"]["separable"] is not None for row in rows)


def _use(rows: Rows) -> str:
    best = rows[0]
    if len(rows) == 1:
        return f"{best['name']} ran alone, so nothing was compared. It did best with {setting(best)}."
    if not tested(rows):
        return f"No telling yet. {best['name']} leads, with {setting(best)}."
    return f"{best['name']}, with {setting(best)}."


def setting(row: Row) -> str:
    """The setting of a row's judged runs, in words."""
    told = [f"a learning rate of {typed(row['best_lr'])}"]
    told += [f"{name} = {typed(value)}" for name, value in row["best_hyper"].items()]
    told += [f"a {row['best_schedule']} schedule"] if row["best_schedule"] != "constant" else []
    return listed(told)


def listed(words: Sequence[str]) -> str:
    """Join words as "a, b and c"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _sure(rows: Rows, seeds: int) -> list[str]:
    others = rows[1:]
    if not others:
        return ["Of one optimizer there is nothing to be sure of."]
    if not tested(rows):
        return [
            f"Not at all: {_seeds(seeds)} cannot tell {len(rows)} optimizers apart, whatever they score. --seeds "
            f"{power.least_seeds(len(others))} could, if the differences are large."
        ]
    equals = [row["name"] for row in alike(rows)[1:]]
    worse = sum(row["verdict"]["separable"] is True and not row["failed"] for row in others)
    rest = f"The other {worse} did worse, by more than the luck of a seed explains." if worse > 1 else ""
    rest = "The other one did worse, by more than the luck of a seed explains." if worse == 1 else rest
    if not equals:
        told = [rest] if worse else []
    elif worse:
        told = [
            f"It is among the best {len(equals) + 1} of {len(rows)}. Which of those is the best, {_seeds(seeds)} cannot tell: "
            f"{listed(equals)} may be as good, or better. {rest}"
        ]
    else:
        told = [f"Not sure: {_seeds(seeds)} cannot tell it from {listed(equals)}, which may be as good, or better."]
    return [*told, "Another problem, or settings that were not tried here, may have another answer."]


def _seeds(count: int) -> str:
    return f"{count} seed{'' if count == 1 else 's'}"


def _failed(rows: Rows) -> list[str]:
    failed = [row["name"] for row in rows if row["failed"]]
    return [f"Failed: {', '.join(failed)}."] if failed else []


def _why(rows: Rows, score: Score, seeds: int) -> list[str]:
    (best, *others), share = rows, score["share"]
    low, high = (format_score(best["score"][side], share) for side in ("low", "high"))
    span = "" if low == high else f" (95 % interval {low} to {high})"
    told = f"Its test {score['name']} is {format_score(best['score']['mean'], share)}"
    told += f"{', the mean of ' + _seeds(seeds) if seeds > 1 else ', from one seed'}{span}"
    if others and others[0]["rank"]["place"] == best["rank"]["place"]:
        told += f"; {others[0]['name']} has the same"
    elif others and others[0]["score"]["mean"] is not None:
        told += f"; the next, {others[0]['name']}, has {format_score(others[0]['score']['mean'], share)}"
    plain = best["untuned"]["score"]["mean"]
    usual = f"As it comes, with its usual learning rate of {typed(best['untuned']['lr'])}, it has {format_score(plain, share)}."
    return [f"{told}.", *([usual] if best["tuned"] and plain is not None else [])]


def _among(rows: Rows, score: Score) -> list[str]:
    """Further criteria for choosing among optimizers that are not separable."""
    equals = alike(rows)
    if len(equals) < 2 or not tested(rows):
        return []
    sign, share = -1 if score["higher_is_better"] else 1, score["share"]
    said_of: dict[str, list[str]] = {}

    def say(row: Row, what: str) -> None:
        said_of.setdefault(row["name"], []).append(what)

    plain = [row for row in equals if row["untuned"]["score"]["mean"] is not None]
    if plain:
        ready = min(plain, key=lambda row: sign * number(row["untuned"]["score"]["mean"]))
        say(ready, f"did best untuned ({format_score(ready['untuned']['score']['mean'], share)})")
    light = min(equals, key=lambda row: row["state_per_parameter"])
    say(light, f"keeps the least memory ({_numbers(light['state_per_parameter'])} for each parameter)")
    wide = max(equals, key=lambda row: row["width"] or 0.0)
    if wide["width"]:
        say(wide, f"does well over the widest range of learning rates (a factor of {_round(10 ** wide['width'])})")
    told = [f"{name} {listed(what)}" for name, what in said_of.items()]
    return [f"What may decide between those that cannot be told apart: {'; '.join(told)}."]


def _numbers(count: float) -> str:
    return f"{count:.3g} number{'' if count == 1 else 's'}"


def _round(x: float) -> str:
    return f"{float(f'{x:.1g}'):,.0f}"


def _use_over(rows: Sequence[SuiteRow], problems: Sequence[Results]) -> str:
    best = rows[0]
    own = [row for each in problems for row in each["rules"] if row["name"] == best["name"]]
    low, high = min(row["best_lr"] for row in own), max(row["best_lr"] for row in own)
    one, many = f" Its best learning rate was {typed(low)}.", f" Tune it: its best rates were {typed(low)} to {typed(high)}."
    span = one if low == high else many
    leads = f"{best['name']}." if tested(rows) else f"No telling yet. {best['name']} leads."
    return f"{leads}{span if own[0]['tuned'] else ''}"


def _sure_over(rows: Sequence[SuiteRow], problems: int) -> str:
    others = rows[1:]
    if not others:
        return "Of one optimizer there is nothing to be sure of."
    if not tested(rows):
        return (
            f"Not at all: {problems} problems are too few for a test over them to tell {len(rows)} optimizers apart; it takes "
            f"{pairwise.least_problems(len(others))}."
        )
    equals = [row["name"] for row in alike(rows)[1:]]
    worse = len(others) - len(equals)
    rest = f"The other {worse if worse > 1 else 'one'} did worse, over these problems, by more than luck explains."
    if not equals:
        return rest
    if not worse:
        return f"Not sure: {problems} problems cannot tell it from {listed(equals)}, which may be as good, or better."
    return (
        f"It is among the best {len(equals) + 1} of {len(rows)}. Which of those is the best, {problems} problems cannot tell: "
        f"{listed(equals)} may be as good, or better. {rest}"
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
