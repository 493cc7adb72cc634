"""Colours, shapes and dashes: who sees colours otherwise, or prints in grey, tells eight optimizers apart too."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest

from thalweg.lab.report.figures.marks import COLOURS, DASHES, FIRST, SHAPES, given_out
from thalweg.lab.report.figures.style import DARK

Array = np.ndarray[Any, Any]
SEEN = {
    "by most": np.eye(3),
    "without red": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "without green": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "without blue": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
"""Simulations of colour vision on linear RGB (Machado, Oliveira & Fernandes 2009, severity 1)."""
OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#E69F00", "#56B4E9")
"""Okabe and Ito's palette, made for all colour visions: the measure of what is far enough apart."""


def linear(colours: Any) -> Array:
    """Linear sRGB, a row for each colour."""
    c = np.array([[int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)] for colour in colours])
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def lightness(colours: Any) -> Array:
    """CIE L*, 0 to 100: what a print in grey keeps."""
    y = linear(colours) @ [0.2126, 0.7152, 0.0722]
    return np.where(y > 0.008856, 116 * np.cbrt(y) - 16, 903.3 * y)


def apart(colours: Any, seen: Any) -> float:
    """The least distance of two colours in OKLab."""
    lms = np.clip(linear(colours) @ np.transpose(seen), 0, 1) @ np.transpose(
        [[0.41222147, 0.53633254, 0.05144599], [0.2119035, 0.68069955, 0.10739696], [0.08830246, 0.28171884, 0.6299787]]
    )
    lab = np.cbrt(lms) @ np.transpose(
        [[0.21045426, 0.79361779, -0.00407205], [1.9779985, -2.42859221, 0.45059371], [0.02590404, 0.78277177, -0.80867577]]
    )
    return min(float(np.linalg.norm(a - b)) for a, b in combinations(lab, 2))


def test_no_two_of_eight_share_a_colour_and_no_two_of_all_look_the_same() -> None:
    found = list(given_out([str(k) for k in range(152)]).values())
    assert FIRST == len({mark.colour for mark in found[:FIRST]}) == len({mark.shape for mark in found[:FIRST]}) == 8
    assert len({mark.dash for mark in found[:FIRST]}) == len(DASHES)
    assert len({(mark.colour, mark.shape) for mark in found}) == len(COLOURS) * len(SHAPES) == 152


@pytest.mark.parametrize("palette", [COLOURS, [DARK[colour] for colour in COLOURS]], ids=["light", "dark"])
def test_in_grey_each_has_a_lightness_of_its_own(palette: Any) -> None:
    steps = np.diff(np.sort(lightness(palette)))
    assert steps.min() > (7.5 if palette is COLOURS else 5.5)


def test_they_stand_out_from_the_page() -> None:
    assert lightness(COLOURS).max() < 71
    assert lightness([DARK[colour] for colour in COLOURS]).min() > 45


@pytest.mark.parametrize("who", SEEN)
def test_with_any_colour_vision(who: str) -> None:
    """At least as far apart as Okabe and Ito's seven."""
    assert apart(COLOURS, SEEN[who]) > apart(OKABE_ITO, SEEN[who])
    assert apart(COLOURS, SEEN[who]) > 0.11
    assert apart([DARK[colour] for colour in COLOURS], SEEN[who]) > 0.06
