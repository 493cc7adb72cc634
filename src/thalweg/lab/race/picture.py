"""The race as a matplotlib figure: the surface with a marker for each rule, its error curves, a label for each."""

from __future__ import annotations

from thalweg.lab.report.figures import drawing as drawing  # before matplotlib is imported

# isort: split
from pathlib import Path
from typing import Any, Literal

import numpy as np
from matplotlib import colormaps
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.path import Path as Outline

from thalweg.lab.race.captions import behind, error_name, headline, rate, small_print, success, success_print
from thalweg.lab.race.place import AROUND, UPWARDS, Array, spread
from thalweg.lab.race.run import Race, Walk
from thalweg.lab.report.figures.marks import DIM, Mark
from thalweg.lab.report.figures.marks import GREY as BEHIND

SIZE = 8.0  # diameter of a marker in points
PNG_DPI = 120
SHADES = (0.0, 0.5)
"""The part of the colour map used for contours, low to high: light enough for markers to stand out."""
INK, GREY = "#1b1f24", "#5b6470"
Error = Literal["value", "distance"]


class Picture:
    """The figure of a race. `at` moves it to any step."""

    def __init__(self, race: Race, error: Error = "value", size: tuple[float, float] = (15.0, 7.6)) -> None:
        self.race = race
        self.figure = Figure(figsize=size, facecolor="white")
        FigureCanvasAgg(self.figure)
        self.front = [walk.name in race.front for walk in race.walks]
        self.marks: list[Mark] = [
            race.marks[walk.name] if front else Mark(BEHIND, race.marks[walk.name].shape)
            for walk, front in zip(race.walks, self.front, strict=True)
        ]
        self.errors = [_floored(race.gaps(w) if error == "value" else race.distances(w)) for w in race.walks]
        self.plane = self.figure.add_axes((0.045, 0.085, 0.385, 0.745))
        self.curves = self.figure.add_axes((0.485, 0.085, 0.265, 0.745))
        self._dress(error)
        self.background() if race.start.size == 1 else self.contours()
        both = list(zip(self.marks, self.front, strict=True))
        self.markers = [self._marker(self.plane, m, front) for m, front in both]
        self.ties = [self._line(self.plane, m, front, width=0.6) for m, front in both]
        self.paths = [self._line(self.plane, m, front, width=1.1) for m, front in both] if race.start.size == 2 else []
        self.lines = [self._line(self.curves, m, front, width=1.2) for m, front in both]
        for i, line in enumerate(self.lines):
            line.set_markevery(_staggered(i, race.steps))
        self.ends = [self._marker(self.curves, m, front, 0.8) for m, front in both]
        self.leaders: list[Artist] = []
        self._labels()

    # Static parts.

    def _dress(self, error: Error) -> None:
        race = self.race
        self.figure.text(0.045, 0.953, headline(race), fontsize=15, weight="bold", color=INK)
        self.figure.text(0.045, 0.919, small_print(race), fontsize=9.5, color=GREY)
        self.figure.text(0.045, 0.893, success_print(), fontsize=9.5, color=GREY)
        self.clock = self.figure.text(0.43, 0.845, "", fontsize=11, ha="right", color=GREY, family="monospace")
        for axes in (self.plane, self.curves):
            axes.spines[["top", "right"]].set_visible(False)
            axes.tick_params(colors=GREY, labelsize=9)
            for spine in axes.spines.values():
                spine.set_color("#b6bcc4")
        self.curves.set_yscale("log")
        self.curves.set_xlim(0, race.steps)
        self.curves.set_ylim(*_limits(self.errors))
        self.curves.set_xlabel("step", color=GREY)
        self.curves.set_title(error_name(error), loc="left", fontsize=11, color=INK)
        self.curves.grid(True, color="#e8ebee", linewidth=0.8)
        self.plane.set_axisbelow(True)
        self.curves.set_axisbelow(True)

    def background(self) -> None:
        """A one-dimensional surface as a curve."""
        ((low, high),) = self.race.surface.window
        x = np.linspace(low, high, 600)
        y = self.race.surface.value(x[:, None])
        height = y.max() - y.min()
        self.plane.plot(x, y, color="#9aa3ad", linewidth=2.2, zorder=1)
        self.plane.set_xlim(low, high)
        self.plane.set_ylim(y.min() - 0.07 * height, y.max() + 0.05 * height)
        self.plane.set_xlabel("x", color=GREY)
        self.plane.set_title("f(x)", loc="left", fontsize=11, color=INK)
        self.plane.grid(True, color="#eef0f3", linewidth=0.8)

    def contours(self) -> None:
        """A two-dimensional surface as contours, denser where it is low."""
        surface = self.race.surface
        x, y = (np.linspace(low, high, 240) for low, high in surface.window)
        gaps = surface.value(np.stack(np.meshgrid(x, y), axis=-1)) - surface.lowest
        levels = contour_levels(gaps)
        shades = colormaps["Blues"](np.linspace(*SHADES, len(levels) + 1))
        self.plane.contourf(x, y, gaps, levels=levels, colors=shades, extend="both", zorder=0)
        self.plane.contour(x, y, gaps, levels=levels, colors="white", linewidths=0.6, zorder=0)
        self.plane.plot(*surface.minima.T, "*", markersize=15, color="#ffd23f", markeredgecolor="#5b4a00", zorder=2)
        self.plane.plot(*self.race.start, "o", markersize=11, markerfacecolor="none", markeredgecolor=INK, zorder=2)
        self.plane.set_xlim(*surface.window[0])
        self.plane.set_ylim(*surface.window[1])
        self.plane.set_title("paths from the ring to the star", loc="left", fontsize=11, color=INK)

    def _line(self, axes: Any, m: Mark, front: bool, width: float) -> Line2D:
        """A line with the rule's markers and dash; of one that is not in front thin and grey, without markers."""
        style: Any = {**_shape(m, 0.62), "linestyle": (0, m.dash) if m.dash else "-", "zorder": 3} if front else {"zorder": 2.5}
        colour = m.colour if front or axes is self.curves else DIM
        line = Line2D(
            [], [], color=colour, linewidth=width if front else 0.6, alpha=0.9 if front else 0.45, markeredgewidth=0, **style
        )
        return axes.add_line(line)  # type: ignore[no-any-return]

    def _marker(self, axes: Any, m: Mark, front: bool, scale: float = 1.0) -> Line2D:
        style: Any = (
            {"markerfacecolor": m.colour, "markeredgecolor": "white", "zorder": 5, **_shape(m, scale)}
            if front
            else {"markerfacecolor": DIM, "markeredgecolor": DIM, "zorder": 4, **_shape(m, 0.4 * scale)}
        )
        line = Line2D([], [], linestyle="", markeredgewidth=0.7, clip_on=False, **style)
        return axes.add_line(line)  # type: ignore[no-any-return]

    def _labels(self) -> None:
        """Labels beside the error curves, in the order of their ends, so that no leaders cross."""
        shown = [i for i, front in enumerate(self.front) if front]
        order = sorted(shown, key=lambda i: (-_end(self.errors[i]), -i))
        box = self.curves.get_position()
        pitch = (box.y1 - box.y0) * self.figure.get_figheight() * 72 / max(len(order), 1)
        scale = min(1.0, pitch / 11)  # with many rules, labels of 10 points would overlap
        heights = np.linspace(box.y1 - 0.006, box.y0 + 0.006, len(order)) if len(order) > 1 else [box.y1]
        self.figure.text(0.791, box.y0 - 0.045, behind(self.race), fontsize=9, color=GREY)
        for right, title in ((0.908, "learning rate"), (0.988, "success")):
            self.figure.text(right, box.y1 + 0.02, title, fontsize=8.5, color=GREY, ha="right")
        for i, height in zip(order, heights, strict=True):
            walk, m = self.race.walks[i], self.marks[i]
            if np.isfinite(_end(self.errors[i])):
                end = self.curves.transData.transform((self.race.steps, _end(self.errors[i])))
                reached = np.clip(self.figure.transFigure.inverted().transform(end)[1], box.y0, box.y1)
                leader = Line2D([box.x1 + 0.005, 0.773], [reached, height], color=m.colour, linewidth=0.7, alpha=0.6)
                self.leaders.append(self.figure.add_artist(leader))
            self.figure.add_artist(Line2D([0.782], [height], color=m.colour, linestyle="", **_shape(m, scale)))
            size = 10 * min(scale, 15 / len(walk.name))
            self.figure.text(0.791, height, walk.name, fontsize=size, va="center", color=INK)
            for right, words in ((0.908, rate(walk)), (0.988, success(walk.success) or "failed")):
                self.figure.text(right, height, words, fontsize=9 * scale, va="center", ha="right", color=GREY)

    # Moving parts.

    @property
    def moving(self) -> list[Artist]:
        """The artists that `at` changes, in drawing order."""
        parts: list[Artist] = [*self.paths, *self.ties, *self.lines, *self.ends, *self.markers]
        return [self.clock, *self.leaders, *sorted(parts, key=lambda part: part.get_zorder())]

    def at(self, step: int) -> Figure:
        """Set the figure to this step."""
        self.clock.set_text(f"step {step:>{len(str(self.race.steps))}} of {self.race.steps}")
        low, high = self.curves.get_ylim()
        for i, (line, end) in enumerate(zip(self.lines, self.ends, strict=True)):
            error = self.errors[i][step]
            line.set_data(np.arange(step + 1), self.errors[i][: step + 1])
            end.set_data([step], [error if low <= error <= high else np.nan])
        for i, path in enumerate(self.paths):
            path.set_data(*self.race.walks[i].points[: step + 1].T)
            path.set_markevery([k for k in _thinning(i, self.race.steps) if k <= step])
        for leader in self.leaders:
            leader.set_visible(step == self.race.steps)
        self._place(step)
        return self.figure

    def _place(self, step: int) -> None:
        to_screen = self.plane.transData
        spots = np.array([to_screen.transform(self._spot(walk, step)) for walk in self.race.walks])
        low, high = to_screen.transform(np.column_stack([self.plane.get_xlim(), self.plane.get_ylim()]))
        shown = np.clip(spots, low, high)
        diameter = SIZE * self.figure.dpi / 72 * 1.06
        places = np.where(np.isfinite(spots).all(axis=1)[:, None], shown, np.nan)
        seen = np.isfinite(spots).all(axis=1) & np.array(self.front)
        places[seen] = spread(shown[seen], diameter, UPWARDS if self.race.start.size == 1 else AROUND)
        for i, (marker, tie) in enumerate(zip(self.markers, self.ties, strict=True)):
            inside = np.allclose(shown[i], spots[i])
            place, spot = to_screen.inverted().transform(places[i]), to_screen.inverted().transform(shown[i])
            marker.set_data([place[0]], [place[1]])
            colour = self.marks[i].colour if self.front[i] else DIM
            marker.set_markerfacecolor(colour if inside else "white")
            marker.set_markeredgecolor("white" if inside and self.front[i] else colour)
            tie.set_data([place[0], spot[0]], [place[1], spot[1]] if self.race.start.size == 2 else [np.nan, np.nan])

    def _spot(self, walk: Walk, step: int) -> Array:
        point = walk.points[step]
        return np.array([point[0], walk.values[step]]) if point.size == 1 else point


def write_png(race: Race, path: Path, error: Error) -> None:
    """The picture after the last step."""
    Picture(race, error).at(race.steps).savefig(path, format="png", dpi=PNG_DPI)


def frames(steps: int, most: int) -> list[int]:
    """The steps to show: at most `most`, including the first and the last."""
    return sorted({round(x) for x in np.linspace(0, steps, min(steps + 1, most)).tolist()})


def _shape(m: Mark, scale: float = 1.0) -> dict[str, Any]:
    return {"marker": Outline([*m.shape, m.shape[0]], closed=True), "markersize": SIZE * scale * m.reach}


def _staggered(i: int, steps: int) -> tuple[int, int]:
    """The positions of the marks on the curve of rule i, offset from those of its neighbours."""
    every = max(1, steps // 7)
    return (1 + int(every * (i * 0.618 % 1)), every)


def _thinning(i: int, steps: int) -> list[int]:
    """The positions of the marks on the path of rule i: dense at first, when steps are long, then sparser."""
    return sorted({round(k) for k in np.geomspace(1 + i % 4, max(steps, 2), 9)[:-1].tolist()})


def contour_levels(gaps: Array) -> Array:
    """Levels of f - f_min that enclose about equal areas, smaller ones where it is low."""
    shares = np.linspace(0.03, 1, 18) ** 1.7
    levels: Array = np.unique(np.quantile(gaps, shares))
    return levels


def _floored(errors: Array) -> Array:
    """Errors for a log axis: values that rounding made 0 or negative are set to the smallest resolvable one."""
    with np.errstate(invalid="ignore"):
        return np.where(errors < 1e-15, 1e-15, np.where(np.isfinite(errors), errors, np.nan))


def _end(errors: Array) -> float:
    return float(errors[-1]) if np.isfinite(errors[-1]) else float("inf")


def _limits(errors: list[Array]) -> tuple[float, float]:
    """Axis limits from below the smallest error to at most 30 times the largest initial one: higher curves are cut off."""
    finite = np.concatenate([e[np.isfinite(e)] for e in errors])
    highest = max(float(e[0]) for e in errors)
    return float(finite.min()) / 2, min(float(finite.max()) * 1.5, highest * 30)
