"""The answer of a comparison in sentences: whether the choice matters, what to use and to avoid, with what certainty, and why."""

from __future__ import annotations

from collections.abc import Sequence

from thalweg.lab.report.advice import TIE, alike, avoided, copied, tested, worth
from thalweg.lab.report.schema.optimizer import Row
from thalweg.lab.report.schema.parts import Answer, Interval
from thalweg.lab.report.schema.problem import Advice, Facts, ProblemSettings, Score
from thalweg.lab.report.words.baselines import ahead
from thalweg.lab.report.words.blocks import counted, rate, scope, unit
from thalweg.lab.report.words.lists import listed
from thalweg.lab.statistics import power
from thalweg.lab.statistics.scores import format_score
from thalweg.values.numerals import typed

Rows = Sequence[Row]
FEW_NAMES = 6
"""Names beyond so many are counted instead."""
WITH = "if you try"
"""Begins what holds for so many settings alone."""
ALONE = "One optimizer alone cannot be compared."


def answer(found: Facts) -> Answer:
    """The answer on one problem from the rows of its results, the best first."""
    rows, score = found["rules"], found["problem"]["score"]
    if rows[0]["score"]["mean"] is None:
        return {
            "matters": "Undecided.",
            "use": "None of these.",
            "avoid": "",
            "sure": f"None of them ended with a finite {score['name']} in every run.",
            "why": "The notes at the end say what happened to each.",
        }
    more, beside = ahead(found)
    return {
        "matters": " ".join(filter(None, (_matters(found), more))),
        "use": "\n".join(_use(found)),
        "avoid": _avoid(found),
        "sure": " ".join(_sure(rows, found["settings"])),
        "why": " ".join(filter(None, (*_why(found), beside))),
    }


def _matters(found: Facts) -> str:
    rows = found["rules"]
    if len(rows) == 1:
        return f"{rows[0]['name']} ran alone, so nothing was compared."
    if not tested(rows):
        return "Undecided."
    equals, level = alike(rows), [row for row in rows if row["level"] or row is rows[0]]
    if len(level) > len(rows) / 2:
        shown = f"no more than {amount(found['margin']['value'], found['problem']['score'])} behind the best of the others"
        return f"It hardly matters here: {_of(len(level), rows)} are level, {shown}. If yours is one of them, keep it."
    if len(equals) == len(rows):
        return f"Perhaps not: none of these {len(rows)} is shown to be worse than another."
    if len(equals) > len(rows) / 2:
        near = f"{_of(len(equals), rows)} are not separable from the best"
        return f"It matters little here: {near}. If yours is one of them, keep it."
    return f"It does: {_of(len(rows) - len(equals), rows)} are worse than another one."


def _of(count: int, rows: Rows) -> str:
    return f"all {count}" if count == len(rows) else f"{count} of {len(rows)}"


def _use(found: Facts) -> list[str]:
    rows = found["rules"]
    if not found["advice"] or (len(rows) > 1 and not tested(rows)):
        return [f"{'Undecided. ' * (len(rows) > 1)}{rows[0]['name']} leads, with {setting(rows[0])}."]
    told = [_advised(each, found) for each in found["advice"]]
    tied = any(each["level"] for each in found["advice"])
    return [*told, *([TIE] if tied and len(rows) > 1 else [])]


def _advised(each: Advice, found: Facts) -> str:
    score = found["problem"]["score"]
    if each["lr"] is None:
        begin, rate = f"If you try {each['tries']} settings", ""
    elif each["tries"] == 0:
        begin, rate = "Without tuning", f", at its usual learning rate of {typed(each['lr'])}"
    else:
        row = next(row for row in found["rules"] if row["name"] == each["name"])
        begin, rate = f"If you try {each['tries']} settings", f", which did best with {setting(row)}"
        rate += "" if copied(row) else " (do not copy that rate: it is at the edge of those tried, or its neighbours are bad)"
    data = "validation" if each["lr"] is None else "test"
    return f"{begin}: {each['name']}{rate} ({data} {score['name']} {spanned(each['score'], score)})."


def spanned(interval: Interval, score: Score) -> str:
    """A score with its interval in brackets."""
    mean, low, high = (format_score(interval[side], score["share"]) for side in ("mean", "low", "high"))
    return mean if low == high else f"{mean}, {low.removesuffix(' %')} to {high}"


def setting(row: Row) -> str:
    """The setting of a row's judged runs, in words."""
    told = [f"a learning rate of {rate(row)}"]
    told += [f"{name} = {typed(value)}" for name, value in row["best_hyper"].items()]
    told += [f"a {row['best_schedule']} schedule"] if row["best_schedule"] != "constant" else []
    return listed(told)


def amount(x: float, score: Score) -> str:
    """A difference of scores in words."""
    return f"{100 * x:.2g} percentage point{'' if round(100 * x, 2) == 1 else 's'}" if score["share"] else format_score(x, False)


def _avoid(found: Facts) -> str:
    """The optimizers not to use: worse, and as far as the scores go by more than the margin; unreliable; or failed."""
    rows, score = found["rules"], found["problem"]["score"]
    told = [
        f"{row['name']}, which diverges in at least {100 * row['unreliable']:.0f} % of runs" for row in rows if row["unreliable"]
    ]
    if worse := avoided(rows, found["margin"]["value"]):
        names = [_behind(row, score) for row in reversed(worse)]
        more = [f"{len(names) - FEW_NAMES} more"] if len(names) > FEW_NAMES else []
        told.append(_tuned_as_much(worse, found) + listed([*names[:FEW_NAMES], *more]))
    told += [f"{row['name']}, which failed" for row in rows if row["failed"]]
    said = "; ".join(told)
    return f"{said[:1].upper()}{said[1:]}." if said.startswith(WITH) else f"{said}." if said else ""


def _tuned_as_much(worse: Rows, found: Facts) -> str:
    """When they are to be avoided, if one of them is what to use with fewer settings or with none."""
    told = {each["name"] for each in found["advice"]}
    return f"{WITH} {found['settings']['budget']} settings: " if any(row["name"] in told for row in worse) else ""


def _behind(row: Row, score: Score) -> str:
    least = row["behind"]["least"]
    return f"{row['name']} (at least {amount(least, score)} behind)" if least is not None and least > 0 else row["name"]


def _sure(rows: Rows, settings: ProblemSettings) -> list[str]:
    others = rows[1:]
    if not others:
        return [ALONE]
    if not tested(rows):
        return [
            f"Not at all: {counted(settings)} {'is' if counted(settings) == '1 seed' else 'are'} too few to separate optimizers, "
            f"whatever their scores. With --{unit(settings['blocks'])} {power.least_seeds()}, large differences can be found."
        ]
    equals = [row["name"] for row in alike(rows) if row is not rows[0]]
    worse = len(others) - len(equals) - sum(row["failed"] for row in others)
    rest = f"The other {worse} did worse than another one" if worse > 1 else "The other one did worse" if worse else ""
    rest += ", by more than chance explains." if worse else ""
    if not equals:
        told = [rest] if rest else []
    elif worse:
        told = [
            f"{rows[0]['name']} leads, and is among the best {len(equals) + 1} of {len(rows)}, which {counted(settings)} cannot "
            f"separate: {listed(equals)} may be as good, or better. {rest}"
        ]
    else:
        told = [f"Not sure which is the best: {counted(settings)} cannot separate {rows[0]['name']} from {listed(equals)}."]
    return [*told, scope(settings)]


def _why(found: Facts) -> list[str]:
    rows, score, many = found["rules"], found["problem"]["score"], counted(found["settings"])
    best, share = rows[0], score["share"]
    told = f"{best['name']} has a test {score['name']} of {format_score(best['score']['mean'], share)}"
    told += ", from one seed" if many == "1 seed" else f", the mean of {many}"
    if len(rows) > 1 and rows[1]["rank"]["place"] == best["rank"]["place"]:
        told += f"; {rows[1]['name']} has the same"
    corrected = found["winner"]
    if len(rows) > 1 and corrected["mean"] is not None and many != "1 seed":
        told += f". Corrected for the choice of the best, it is {spanned(corrected, score)}"
    gains = worth(rows, score["higher_is_better"])
    if gains is None or len(rows) < 3:
        return [f"{told}."]
    tuning, choosing = (amount(x, score) for x in gains)
    return [
        f"{told}.", f"Tuning improved the optimizers by {tuning} in the median; the best tuned one is {choosing} ahead of the "
        "median tuned one.",
    ]  # fmt: skip
