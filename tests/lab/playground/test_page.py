"""The playground's page in a real browser: no error, it walks, and it fits a phone."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.report.test_browser import CHROMIUM, found, shown
from thalweg.lab.playground import page
from thalweg.lab.refusal import Refusal

WALKED = """
const earlier = t;
document.getElementById("once").click();
document.body.dataset.found = JSON.stringify({ stepped: t - earlier, paths: walks.length, first: walks[1].losses[0],
  fell: walks[1].losses[100] < walks[1].losses[0], wide: document.documentElement.scrollWidth <= innerWidth });
"""


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
@pytest.mark.parametrize("width", [1280, 500])
def test_the_page_walks_and_fits(width: int, tmp_path: Path) -> None:
    seen = found(shown(page(), WALKED, tmp_path, width))
    assert seen.pop("first") == pytest.approx(24.2)  # Rosenbrock's function at his start
    assert seen == {"stepped": 1, "paths": 2, "fell": True, "wide": True}


def test_what_cannot_run_in_a_page_is_refused_with_the_reason() -> None:
    with pytest.raises(Refusal, match=r"muon cannot run in a page: .*matrix"):
        page(rules=["muon"])
