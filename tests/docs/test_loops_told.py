"""What the README says of training loops is what `python -m benchmarks.readme_loop` says, losses included."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

for needed in ("torch", "jax", "optax"):
    pytest.importorskip(needed)

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks import readme, readme_loop, timing  # noqa: E402


def _loops() -> dict[str, dict[str, timing.Ratio]]:
    low, high = timing.Ratio(0.9, 0.8, 0.97), timing.Ratio(1.5, 1.4, 1.6)
    whos = ("fused", "default", "foreach", "compile", "pytorch_optimizer")
    row = {f"{who} {what}": high for who in whos for what in readme_loop.PARTS}
    row |= {f"{rule} {what}": low for rule in readme_loop.FUSED for what in readme_loop.PARTS}
    return {part: {"iteration": low} if part.endswith("jax loop") else row for part in readme_loop.parts()}


def test_losses_in_loops_are_told() -> None:
    text = readme_loop.text(_loops(), "a machine")
    assert text.count("0.90 [0.80, 0.97]") == 4 * len(readme_loop.NETWORKS)
    assert "for 0 of them the interval reaches 0.98" in text
    assert "NAdam (torch's faster loop 1.5, torch.compile 1.5); " in text
    assert text.count("| 1.50 [1.40, 1.60] ") == 4 * len(readme_loop.MODELS)


def test_the_readme_has_what_the_program_prints() -> None:
    """The same rows and rules; the numbers are the machine's."""
    page = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    stands = page.partition(readme_loop.BEGIN)[2].partition(readme.END)[0]
    assert readme.put(page, stands, readme_loop.BEGIN) == page
    numbers = re.compile(r"\d+(?:\.\d+)?(?: \[[\d., ]+\])?")
    here, printed = (
        [numbers.sub("#", line) for line in text.splitlines() if line.startswith("|")]
        for text in (stands, readme_loop.text(_loops(), "a machine"))
    )
    assert here == printed
    assert all(f"{title} (" in stands for title in readme_loop.OTHERS.values())
