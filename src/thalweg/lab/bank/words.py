"""An advice in sentences and as a table."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Literal

from rich import box
from rich.table import Table
from rich.text import Text

from thalweg.lab.bank.advice import GENERAL, Advised, Facts
from thalweg.lab.bank.choice import MARGIN, OTHERS, REFERENCE, Regrets
from thalweg.lab.bank.kinds import KINDS
from thalweg.lab.bank.table import Made
from thalweg.lab.protocol.protocol import NEAR
from thalweg.lab.statistics.shares import Estimate

Column = tuple[str, Literal["left", "right"], Callable[[Advised], str]]
FIRST = 8
"""The rules that a table shows, and besides them those that people know."""
KNOWN = ("adam", "adamw", "momentum", "sgd")
READABLE = 110
TITLES = ("Try first", "Untuned", "Does it matter?", "How sure", "Limits")


def percent(share: float) -> str:
    """A share in percent."""
    return f"{100 * share:.1f} %"


def span(found: Estimate) -> str:
    """A number with its interval, in percent. One as wide as the whole way says nothing."""
    if not (found.high - found.low < 1.0):
        return f"{percent(found.value)} (too few data to say how sure)"
    return f"{percent(found.value)} [{100 * found.low:.1f}, {100 * found.high:.1f}]"


def sentences(found: Facts) -> list[str]:
    """The advice, whether it matters, how sure it is and its limits."""
    return [_first(found), _untuned(found), _matters(found), _sure(found), _limits(found)]


def _first(found: Facts) -> str:
    best, made = found.rows[0], found.bank.made
    low, high = (f"{x:.2g}" for x in best.lr[1:])
    rates = f"{low}" if low == high else f"{low} to {high}"
    return (
        f"{_of(found)}, with {made.budget} learning rates to try: {best.rule}. Rates that were best there: {rates}. It is "
        f"{span(best.gap)} of the way behind the best of {len(found.rows)} optimizers on average, and within {100 * NEAR:.0f} % "
        f"on {best.near} of {len(found.problems)}. Of those within {100 * MARGIN:.0f} % of the smallest gap it is the one that "
        f"needs tuning least.{_gradients(best)}"
    )


def _gradients(row: Advised) -> str:
    return " It asks for several gradients a step, which are not counted here." if row.gradients else ""


def _of(found: Facts) -> str:
    if found.kind == GENERAL:
        return "For a training on data of which nothing else is said"
    return f"For problems of the kind '{found.kind}' ({KINDS[found.kind].about})"


def _untuned(found: Facts) -> str:
    row = found.row(found.untuned)
    other = found.row(REFERENCE)
    same = row.rule == other.rule
    beside = "" if same else f"; {REFERENCE} as it ships is {span(other.untuned)} behind"
    return f"{row.rule}, at its usual rate, is {span(row.untuned)} of the way behind the best tuned one{beside}.{_gradients(row)}"


def _matters(found: Facts) -> str:
    best, alike = found.rows[0], [row.rule for row in found.rows[1:] if row.alike]
    reference = found.row(REFERENCE)
    if reference.rule == best.rule:
        told = f"{REFERENCE} itself is the first"
    elif reference.alike:
        told = f"{REFERENCE}, {span(reference.gap)} behind the best, is among them"
    else:
        told = f"{REFERENCE} is not among them: it is {span(reference.behind)} further behind"
    typical, untuned = (statistics.median(getattr(row, name).value for row in found.rows) for name in ("gap", "untuned"))
    if 2 * len(alike) < len(found.rows):
        first = ""
    elif typical - best.gap.value <= NEAR:
        first = "As far as can be told, with tuned rates the choice hardly matters: "
    else:
        first = "There are too few data to tell: "
    return (
        f"{first}{len(alike)} of the other {len(found.rows) - 1} are not told apart from {best.rule}; {told}. The middle one of "
        f"all is {percent(typical)} behind the best if it is tuned, and {percent(untuned)} as it ships."
    )


def _sure(found: Facts) -> str:
    noun = "data sets" if any(found.bank.problems[name].train_size for name in found.problems) else "functions"
    mine = f"{len(found.problems)} problem{'' if len(found.problems) == 1 else 's'} of the lab ({', '.join(found.problems)})"
    others = (
        f", and on {len(found.others)} of other kinds, which count as {OTHERS:g} of the kind together" if found.others else ""
    )
    told = f"This rests on {mine}{others}: {found.data} {noun} in all, over which the intervals are."
    return f"{told} {verdict(found.regrets['tuned'], noun)}"


def verdict(tuned: Regrets, noun: str = "data sets") -> str:
    """How such choices did on data that had no part in them. noun: what each of these is."""
    if len(tuned.data) < 2:
        return "On one data set alone, whether such choices hold elsewhere cannot be checked."
    lead = tuned.difference
    words = "better than" if lead.low > 0 else "worse than" if lead.high < 0 else "not shown to be better or worse than"
    return (
        f"Chosen in this way on others, the first was {span(tuned.of_advice)} behind the best on "
        f"{len(tuned.data)} {noun}, and {REFERENCE}, tuned as much, {span(tuned.of_reference)}: such advice is "
        f"{words} taking {REFERENCE}."
    )


def _limits(found: Facts) -> str:
    made, names = found.bank.made, (*found.problems, *found.others)
    steps = [found.bank.problems[name].steps for name in names]
    told = f"{min(steps)}" if min(steps) == max(steps) else f"{min(steps)} to {max(steps)}"
    return " ".join(
        (
            f"All of these are small problems, which train in seconds: {told} steps; {how_made(made)}. On a large network or "
            "after a long training another one may be best. Use this to begin, and `thalweg compare` on your own training to "
            "decide.",
            *found.told,
        )
    )


def how_made(made: Made) -> str:
    """How a bank was made, in a clause."""
    shorter = "" if made.share == 1 else f", {100 * made.share:.0f} % of the usual steps"
    return f"{made.budget} rates on {made.tuning_seeds} seeds, {made.seeds} judged runs{shorter}"


def shown_rows(found: Facts) -> list[Advised]:
    """The rows of the table: the first ones, the untuned choice and those that people know."""
    names = {row.rule for row in found.rows[:FIRST]} | {found.untuned, *KNOWN}
    return [row for row in found.rows if row.rule in names]


def table(found: Facts, width: int) -> Table:
    """A row for each rule that is shown, in the order in which to try them."""
    made = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    places = {row.rule: str(i + 1) for i, row in enumerate(found.rows)}
    columns: list[Column] = [
        ("place", "right", lambda row: places[row.rule]),
        ("optimizer", "left", lambda row: row.rule),
        ("behind the best", "right", lambda row: percent(row.gap.value)),
        ("95 % interval", "right", lambda row: _ends(row.gap)),
        ("against the first", "left", lambda row: "" if row is found.rows[0] else "not told apart" if row.alike else "behind"),
        (f"within {100 * NEAR:.0f} %", "right", lambda row: f"{row.near} of {len(found.problems)}"),
        ("untuned", "right", lambda row: percent(row.untuned.value)),
        ("best rates", "right", lambda row: f"{row.lr[1]:.2g} - {row.lr[2]:.2g}"),
        ("worst on", "left", lambda row: f"{row.worst[0]} ({percent(row.worst[1])})"),
    ]
    fits = len(columns) if width >= READABLE + 20 else 5 if width < 90 else 7
    for title, side, _ in columns[:fits]:
        made.add_column(title, justify=side)
    for row in shown_rows(found):
        made.add_row(*(Text(cell(row)) for _, _, cell in columns[:fits]))
    return made


def _ends(found: Estimate) -> str:
    return f"{100 * found.low:.1f} - {100 * found.high:.1f}"


def answered(found: Facts, width: int) -> Table:
    """The sentences, each beside its title."""
    made = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    made.add_column(style="bold", no_wrap=True)
    made.add_column(max_width=min(READABLE, max(20, width - 18)))
    for title, sentence in zip(TITLES, sentences(found), strict=True):
        made.add_row(Text(title), Text(sentence))
    return made
