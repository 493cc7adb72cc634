"""The table of a race."""

from __future__ import annotations

from rich import box
from rich.table import Table
from rich.text import Text

from thalweg.lab.race.captions import end, headline, outcome, rate, small_print, success, success_print
from thalweg.lab.race.run import Race


def table(race: Race) -> Table:
    """A row for each optimizer, sorted by success, then by the final loss as drawn."""
    made = Table(
        box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 2, 0, 0), title=f"{headline(race)}\n", title_justify="left",
        title_style="bold", caption=f"\n{small_print(race)}\n{success_print()}", caption_justify="left",
    )  # fmt: skip
    for title, side in (
        ("", "right"), ("optimizer", "left"), ("success", "right"), ("lr", "right"), ("x", "right"),
        ("f(x)", "right"), ("near from step", "right"),
    ):  # fmt: skip
        made.add_column(title, justify=side, no_wrap=title != "near from step")  # type: ignore[arg-type]
    made.add_column("")
    for place, walk in enumerate(race.walks, 1):
        near = race.near(walk)
        notes = "; ".join(word for word in (outcome(race, walk), walk.note) if word)
        numbers = [success(walk.success), rate(walk), *end(walk, 4), "" if near is None else str(near)]
        cells = [str(place), walk.name, *numbers, notes]
        made.add_row(*(Text(cell) for cell in cells))
    return made
