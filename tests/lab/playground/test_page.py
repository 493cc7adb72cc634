"""The playground's page in a real browser: no error, it walks, and it fits a phone."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from browser import NEEDS_ONE, found, shown
from support import first

from thalweg.lab.playground import names, page
from thalweg.lab.refusal import Refusal

WALKED = """
const earlier = t;
document.getElementById("once").click();
document.body.dataset.found = JSON.stringify({ stepped: t - earlier, paths: walks.length, first: walks[1].losses[0],
  fell: walks.every((walk) => walk.losses[100] < 0.1 * walk.losses[0]), wide: document.documentElement.scrollWidth <= innerWidth });
"""


@NEEDS_ONE
@pytest.mark.parametrize("width", first([500, 1280]))
def test_the_page_walks_and_fits(width: int, tmp_path: Path) -> None:
    seen = found(shown(page(), WALKED, tmp_path, width))
    assert seen.pop("first") == pytest.approx(24.2)  # Rosenbrock's function at his start
    assert seen == {"stepped": 1, "paths": 2, "fell": True, "wide": True}


def test_the_readme_says_how_many_run() -> None:
    readme = (Path(__file__).parents[3] / "README.md").read_text("utf-8")
    assert re.findall(r"thalweg playground +# (\d+) of them", readme) == [str(len(names()))]


@NEEDS_ONE
def test_an_address_says_what_walks(tmp_path: Path) -> None:
    """As the pages of the site do: names alone are enough."""
    state = json.dumps({"rules": [["rmsprop", {}], ["adam", {"beta1": 0.5}]]})
    asked = f"<script>history.replaceState(null, '', '#' + encodeURIComponent('{state}'));</script>"
    walked = "{ names: chosen.map((one) => one.name), beta1: chosen[1].hyper.beta1, start }"
    then = f"document.body.dataset.found = JSON.stringify({walked});"
    seen = found(shown(page().replace("</head>", f"{asked}</head>"), then, tmp_path))
    assert seen == {"names": ["rmsprop", "adam"], "beta1": 0.5, "start": [-1.2, 1]}


def test_what_cannot_run_in_a_page_is_refused_with_the_reason() -> None:
    with pytest.raises(Refusal, match=r"muon cannot run in a page: .*matrix"):
        page(rules=["muon"])
