"""The race as a GIF."""

from __future__ import annotations

from thalweg.lab.report.figures import drawing as drawing  # before matplotlib is imported

# isort: split
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.colors import to_rgb
from PIL import Image

from thalweg.lab.race.picture import Error, Picture, frames
from thalweg.lab.race.run import Race
from thalweg.lab.report.figures.marks import COLOURS, DIM, GREY

FRAMES = 101  # longer races skip steps
DURATION = 100  # duration of a frame in ms
REST = 3000  # duration of the last frame in ms
DPI = 72


def write_gif(race: Race, path: Path, error: Error, advance: Callable[[], None] = lambda: None) -> None:
    """Write the animation. `advance` is called for each frame."""
    shown = frames(race.steps, FRAMES)
    pictures = []
    palette = None
    for picture in _drawn(Picture(race, error), [race.steps, *shown]):
        if palette is None:  # the last frame
            palette = _palette(picture)
            continue
        pictures.append(picture.quantize(palette=palette, dither=Image.Dither.NONE))
        advance()
    durations = [DURATION] * (len(shown) - 1) + [REST]
    pictures[0].save(path, format="GIF", save_all=True, append_images=pictures[1:], duration=durations, loop=0, optimize=False)


def _palette(picture: Image.Image) -> Image.Image:
    """The picture's colours plus those of the marks and their mixtures with white, which a median cut would lose."""
    marks = np.array([to_rgb(colour) for colour in (*COLOURS, GREY, DIM)])
    mixed = np.concatenate([1 - share * (1 - marks) for share in (1.0, 0.75, 0.5, 0.25)])
    exact = (255 * mixed).round().astype(int).ravel().tolist()
    rest = picture.quantize(256 - len(mixed), Image.Quantize.MEDIANCUT).getpalette() or []
    made = Image.new("P", (1, 1))
    made.putpalette((exact + rest)[: 3 * 256])
    return made


def _drawn(picture: Picture, steps: list[int]) -> Iterator[Image.Image]:
    """The picture at each step. The static part is drawn once: it would take three quarters of the time."""
    picture.figure.set_dpi(DPI)
    canvas: Any = picture.figure.canvas  # matplotlib has no types for Agg canvas methods
    for artist in picture.moving:
        artist.set_animated(True)
    canvas.draw()
    still = canvas.copy_from_bbox(picture.figure.bbox)
    for step in steps:
        canvas.restore_region(still)
        picture.at(step)
        for artist in picture.moving:
            picture.figure.draw_artist(artist)
        yield Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
