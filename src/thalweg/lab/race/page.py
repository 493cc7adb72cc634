"""The race as a self-contained HTML page: the recorded paths, and JavaScript that draws them."""

from __future__ import annotations

from thalweg.lab.report.figures import drawing as drawing  # before matplotlib is imported

# isort: split
import json
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from contourpy import FillType, contour_generator
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from matplotlib import colormaps
from matplotlib.colors import to_hex

from thalweg.lab.data.surface import Surface
from thalweg.lab.race.captions import ERRORS, behind, end, headline, outcome, rate, small_print, success, success_print
from thalweg.lab.race.picture import SHADES, Error, contour_levels, frames
from thalweg.lab.race.place import Array
from thalweg.lab.race.run import Race, Walk, configured, drawn_with
from thalweg.lab.race.walk import walk
from thalweg.lab.report.figures.marks import GREY
from thalweg.methods import rules
from thalweg.rule import Rule
from thalweg.values.numerals import short

HERE = Path(__file__).parent
SHOWN = 201  # steps; longer races skip some
FACTORS = (0.1, 0.18, 0.32, 0.56, 1.0, 1.8, 3.2, 5.6, 10.0)
"""Factors of the learning rate on the page, which show the sensitivity of a rule to it."""


def write_page(race: Race, path: Path, error: Error, command: str, advance: Callable[[], None] = lambda: None) -> None:
    """Write the page. command: the command line, shown at its foot. `advance` is called for each rule."""
    walks = []
    for one in race.walks:
        walks.append(_recorded(race, one))
        advance()
    shown = frames(race.steps, SHOWN)
    data = {
        "steps": shown, "start": race.start.tolist(), "minima": race.surface.minima.tolist(), "lowest": race.surface.lowest,
        "window": [list(side) for side in race.surface.window], "factors": list(FACTORS), "walks": walks,
        **(_curve(race) if race.start.size == 1 else {"bands": _bands(race)}),
    }  # fmt: skip
    environment = Environment(loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    text = environment.get_template("page.html.jinja").render(
        title=headline(race), small_print=small_print(race), success_print=success_print(), about=race.surface.about,
        errors=_first(error), command=command,
        steps=race.steps, frames=len(shown), factors=len(FACTORS), rows=[_row(race, one) for one in race.walks],
        tuned=race.lr == "tuned", behind=behind(race), data=Markup(_json(data)),
        style=_file("page.css"), script=_file("axes.js") + _file("page.js"),
    )  # fmt: skip
    path.write_text(text, "utf-8")


def _file(name: str) -> Markup:
    return Markup((HERE / name).read_text("utf-8"))


def _recorded(race: Race, one: Walk) -> dict[str, Any]:
    """A rule's paths at its learning rate times each of the FACTORS."""
    m = race.marks[one.name]
    shown = frames(race.steps, SHOWN)
    return {
        "name": one.name, "colour": m.colour, "shape": [[round(x, 3), round(y, 3)] for x, y in m.shape], "dash": m.dash,
        "front": one.name in race.front,
        "success": success(one.success),
        "runs": [{
            "lr": run.lr, "at": [_numbers(coordinate, 6) for coordinate in run.points[shown].T],
            "value": _numbers(race.gaps(run)[shown], 4), "distance": _numbers(race.distances(run)[shown], 4),
        } for run in _runs(race, one)],
    }  # fmt: skip


def _runs(race: Race, one: Walk) -> list[Walk]:
    """The rule's runs at its learning rate times each of the FACTORS. A rule that is not tuned or fails has a single
    run."""
    own = one.name in race.own.by_name
    rule = race.own.by_name[one.name] if own else rules[one.name]
    if rule.search is None or one.failure is not None:
        return [one]
    rates = [one.lr if factor == 1 else short(one.lr * factor) for factor in FACTORS]  # rounded as on the page
    told = (race.surface, race.steps, race.start, rates, race.seed)
    try:
        points, values = race.own.run(_at_rates, rule, *told) if own else _at_rates(rule, *told)
    except (Exception, SystemExit):
        if not own:
            raise
        return [one]
    return [Walk(one.name, lr, p, v) for lr, p, v in zip(rates, points, values, strict=True)]


def _at_rates(
    rule: Rule, surface: Surface, steps: int, start: Array, rates: Sequence[float], seed: int
) -> tuple[Array, Array]:  # fmt: skip
    stage, _ = configured(rule, surface, steps)
    return walk(surface, stage, rates, steps, start, [drawn_with(stage, seed)] * len(rates))


def _row(race: Race, one: Walk) -> dict[str, Any]:
    near = race.near(one)
    m = race.marks[one.name]
    x, f = end(one, 6)
    return {
        "name": one.name, "colour": m.colour if one.name in race.front else GREY,
        "corners": " ".join(f"{6 + 3.6 * u:.2f},{6 - 3.6 * v:.2f}" for u, v in m.shape),
        "success": success(one.success), "lr": rate(one),
        "x": x, "f": f,
        "near": "" if near is None else str(near), "note": "; ".join(word for word in (outcome(race, one), one.note) if word),
    }  # fmt: skip


def _first(error: Error) -> dict[str, str]:
    """The kinds of error, the selected one first."""
    return {error: ERRORS[error], **ERRORS}


def _curve(race: Race) -> dict[str, Any]:
    ((low, high),) = race.surface.window
    x = np.linspace(low, high, 400)
    return {"curve": [_numbers(x, 6), _numbers(race.surface.value(x[:, None]), 6)]}


def _bands(race: Race) -> list[dict[str, Any]]:
    """The bands between contours: a colour, and rings in thousandths of the window, y downwards."""
    (left, right), (bottom, top) = race.surface.window
    x, y = np.linspace(left, right, 240), np.linspace(bottom, top, 240)
    gaps = race.surface.value(np.stack(np.meshgrid(x, y), axis=-1)) - race.surface.lowest
    levels = np.concatenate([[-np.inf], contour_levels(gaps), [np.inf]])
    drawn = contour_generator(np.linspace(0, 1000, 240), np.linspace(1000, 0, 240), gaps, fill_type=FillType.OuterOffset)
    shades = colormaps["Blues"](np.linspace(*SHADES, len(levels) - 1))
    found = []
    for k, (low, high) in enumerate(pairwise(levels)):
        rings = []
        for points, offsets in zip(*drawn.filled(low, high), strict=True):
            rings += [points[a:b].round().astype(int).ravel().tolist() for a, b in pairwise(offsets)]
        found.append({"colour": to_hex(shades[k]), "rings": rings})
    return found


def _numbers(values: Array, digits: int) -> list[float | None]:
    """Rounded numbers, with None for non-finite ones, which JSON lacks."""
    return [float(f"{x:.{digits}g}") if np.isfinite(x) else None for x in values.tolist()]


def _json(data: Any) -> str:
    """JSON that is safe inside a script element."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
