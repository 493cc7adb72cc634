"""What the README says of speed is what `python -m benchmarks.readme` says; its program is run in tests/docs/test_commands.py."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks import readme, rivals, timing  # noqa: E402


def _made(ratio: float = 1.4) -> Any:
    return {part: dict.fromkeys(against, timing.Ratio(ratio, 1.3, 1.5)) for part, (_, _, against) in readme.parts().items()}


def test_the_readme_has_what_the_program_prints() -> None:
    """The same columns and rows, and the sentences' beginnings; the numbers are the machine's."""
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    assert readme.put(page, page.partition(readme.BEGIN)[2].partition(readme.END)[0]) == page
    stands, printed = (
        [
            line.split("|")[1 : 2 if line.startswith("| ") and not line.startswith("| Adam") else None]
            for line in text.splitlines()
            if "|" in line
        ]
        for text in (page.partition(readme.BEGIN)[2].partition(readme.END)[0], readme.text(_made(), "a machine"))
    )
    assert stands == printed


def test_losses_are_told() -> None:
    made = _made()
    made["santa_e, floor"] = {"floor": timing.Ratio(0.04, 0.03, 0.05)}
    made["adam, gpt2"]["torch fused"] = timing.Ratio(0.5, 0.4, 0.6)
    made["nadam, unfused"]["torch compile"] = "CompileError"
    text = readme.text(made, "a machine")
    assert "less reach `santa_e` 0.04" in text
    assert "0.50 [0.40, 0.60]" in text
    assert "CompileError" in text


def test_what_was_kept_of_other_code_is_measured_again(tmp_path: Path) -> None:
    first = readme.Kept(tmp_path / "kept.json", "one")
    first.add("adam, 16M", {"floor": timing.Ratio(1.0, 0.9, 1.1), "optax": "has none"})
    assert readme.Kept(tmp_path / "kept.json", "one").found == first.found
    assert readme.Kept(tmp_path / "kept.json", "two").found == {}


def test_a_page_without_the_marks_is_refused() -> None:
    with pytest.raises(Exception, match="has no <!-- measured"):
        readme.put("# a page", "numbers")


def test_every_rule_that_may_be_measured_is_one_of_ours_and_takes_vectors() -> None:
    assert {"adam", "santa_e", "nadam"} <= set(rivals.candidates())
    assert not {"muon", "galore", "lbfgs"} & set(rivals.candidates())
