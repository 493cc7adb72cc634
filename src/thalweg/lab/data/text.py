"""Real text that comes with Python."""

from __future__ import annotations

import numpy as np

from thalweg.lab.data.parts import Array
from thalweg.lab.refusal import Refusal

SOURCE = (
    "The help pages on the Python language that come with Python itself (pydoc_data.topics, PSF licence; another Python version "
    "has another text, and so other trials)"
)
HELD = (32, 128)
"""Numbers of passages for validation and test; the former are evaluated some fifty times per trial."""


def topics() -> str:
    """The text of all pages, sorted by name. Raises Refusal if this Python lacks them."""
    try:
        from pydoc_data.topics import topics as pages
    except ImportError:
        raise Refusal("this Python comes without pydoc_data, the text of its help; Debian's package python3 has it") from None
    return "\n\n".join(pages[name] for name in sorted(pages))


def passages(codes: Array, length: int, start: float = 0.0) -> list[Array]:
    """Passages (n, length) of codes (m,): consecutive ones from the first four fifths for training, some spread over the next
    tenth for validation and over the last tenth for test. The first four fifths begin at the share `start` of the text, which
    goes on at its beginning after its end."""
    codes, found = np.roll(codes, -round(start * len(codes))), []
    for first, last, most in ((0.0, 0.8, None), (0.8, 0.9, HELD[0]), (0.9, 1.0, HELD[1])):
        run = codes[round(first * len(codes)) : round(last * len(codes))]
        rows = run[: len(run) // length * length].reshape(-1, length)
        found.append(rows if most is None else rows[np.linspace(0, len(rows) - 1, most).astype(int)])
    return found
