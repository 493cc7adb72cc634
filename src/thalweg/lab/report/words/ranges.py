"""The ranges of learning rates that are not the declared ones, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

METHOD = (
    "Where earlier results on other data showed with 95 % confidence that the best rates of an optimizer lie around another "
    "middle, its range was moved there, as wide as declared."
)
"""For the methods paragraph."""


def sentences(moved: Mapping[str, Sequence[float]], problem: str = "") -> list[str]:
    """What moved, by optimizer; nothing if all ranges are the declared ones. problem: its name, if there are several."""
    if not moved:
        return []
    each = "; ".join(f"{name} {low:g} to {high:g}" for name, (low, high) in moved.items())
    return [
        f"{f'On {problem}, the' if problem else 'The'} ranges of these optimizers are as wide as they declare, around the middle "
        f"of the rates that were best for them on other data in the bank: {each}. All other ranges are the declared ones."
    ]
