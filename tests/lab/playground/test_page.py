"""The playground's page in a real browser: no error, it walks, and it fits a phone."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import NEEDS_ONE, found, shown
from support import first

from thalweg import rules
from thalweg.core.compose import refuses_vectors
from thalweg.lab import problems
from thalweg.lab.data.surface import Surface
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


def test_the_docs_say_which_only_a_race_has() -> None:
    others = {name for name, rule in rules.items() if not refuses_vectors(rule())} - set(names())
    assert others == {"adahessian", "adashift", "lbfgs", "learned", "noisy_sgd", "santa_e", "santa_sss", "sophia"}
    assert "the eight that do not run in a page" in (Path(__file__).parents[3] / "docs" / "playing.md").read_text("utf-8")


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


TYPED = """def mine(g, m=0.0, *, beta=0.9):
    '''<img src=x> </pre><b>'''
    m = mix(m, g, beta)
    return sign(m), m
"""
TYPE = """
const typeIn = (text) => { document.getElementById("typed").value = text; document.getElementById("run").click(); };
const told = () => document.getElementById("told").textContent;
const labels = () => [...document.querySelectorAll("#chosen section:last-child label")].map((label) => label.firstChild.textContent);
"""


@NEEDS_ONE
def test_a_rule_is_typed_and_walks_beside_the_others(tmp_path: Path) -> None:
    walked = f"""{TYPE}
    typeIn({json.dumps(TYPED)});
    const first = {{ told: told(), labels: labels(), names: chosen.map((one) => one.name), walked: walks[2].path.length,
      tags: document.querySelectorAll("#chosen img, #chosen b").length, shown: $("chosen").textContent.includes("<img src=x>") }};
    typeIn({json.dumps(TYPED.replace("beta", "rho"))});
    document.body.dataset.found = JSON.stringify({{ ...first, again: labels(), count: chosen.length,
      kept: JSON.parse(decodeURIComponent(location.hash.slice(1))).typed.length }});
    """
    seen = found(shown(page(["sgd", "adam"]), walked, tmp_path))
    assert seen == {
        "told": "mine walks, at the best rate of the sweep.", "labels": ["lr", "beta"], "names": ["sgd", "adam", "mine"],
        "walked": 101, "tags": 0, "shown": True, "again": ["lr", "rho"], "count": 3, "kept": 1,
    }  # fmt: skip


@NEEDS_ONE
def test_what_is_wrong_in_a_typed_rule_is_told_beside_it(tmp_path: Path) -> None:
    walked = f"""{TYPE}
    typeIn("def adam(g): return g");
    const earlier = told();
    typeIn("def mine(g):\\n    return <img src=x>");
    document.body.dataset.found = JSON.stringify({{ taken: earlier, told: told(), marked: $("typed").getAttribute("aria-invalid"),
      at: $("typed").selectionStart, count: chosen.length }});
    """
    seen = found(shown(page(["sgd", "adam"]), walked, tmp_path))
    assert seen == {
        "taken": "line 1, column 5: there is an optimizer called adam already; give yours another name",
        "told": "line 2, column 12: < is not expected here", "marked": "true", "at": 24, "count": 2,
    }  # fmt: skip


@NEEDS_ONE
def test_an_address_holds_what_was_typed(tmp_path: Path) -> None:
    state = json.dumps({"typed": [TYPED, "no rule"], "rules": [["mine", {"beta": 0.5}], ["sgd", {}]]})
    asked = f"<script>history.replaceState(null, '', '#' + encodeURIComponent({json.dumps(state)}));</script>"
    then = (
        "document.body.dataset.found = JSON.stringify([chosen.map((one) => one.name), chosen[0].hyper.beta, $('typed').value]);"
    )
    seen = found(shown(page(["sgd"]).replace("</head>", f"{asked}</head>"), then, tmp_path))
    assert seen == [["mine", "sgd"], 0.5, TYPED]


@NEEDS_ONE
def test_its_surfaces_are_ours(tmp_path: Path) -> None:
    """Values and slopes at random points, and those of a turned and moved copy beside its own differences."""
    draw, points = np.random.default_rng(0), dict[str, Any]()
    for name in problems.of_kind(Surface):
        points[name] = draw.uniform(
            *np.transpose(problems.problem(name).window), size=(5, len(problems.problem(name).window))
        ).tolist()
    then = f"""
    const at = {json.dumps(points)}, seen = {{}}, slopes = [];
    for (const name in at) {{
      seen[name] = at[name].map((point) => SURFACES[name](...point));
      surface = name;
      const {{ from, f }} = copied(uniforms(7)), h = 1e-5;
      from.forEach((_, k) => {{
        const [low, high] = [-h, h].map((e) => f(...from.map((x, j) => x + (j === k) * e))[0]);
        slopes.push((high - low) / (2 * h) / f(...from)[k + 1]);
      }});
    }}
    document.body.dataset.found = JSON.stringify({{ seen, slopes, names: Object.keys(SURFACES) }});"""
    seen = found(shown(page(["sgd"]), then, tmp_path))
    assert seen["names"] == list(points)
    for name, given in points.items():
        own = problems.problem(name)
        wanted = np.column_stack([own.value(given), own.gradient(given)])
        assert np.allclose(seen["seen"][name], wanted, rtol=1e-12, atol=1e-12 * np.abs(wanted).max())
    assert np.allclose(seen["slopes"], 1, rtol=1e-6)


@NEEDS_ONE
def test_successes_are_counted_on_copies(tmp_path: Path) -> None:
    """Gradient descent on the ravine, whose curvatures are 1 and 100, converges up to a rate of 0.02."""
    then = """
    surface = "ravine";
    const count = (lr) => successes({ name: "sgd" }, { lr });
    document.body.dataset.found = JSON.stringify([count(0.019), count(0.021), new Set([...Array(9).keys()].map((k) => copied(uniforms(k)).from[0])).size]);"""
    assert found(shown(page(["sgd"]), then, tmp_path)) == [50, 0, 9]


@NEEDS_ONE
def test_one_goes_back_and_forth_in_a_walk(tmp_path: Path) -> None:
    then = """
    const go = (id, value, event) => { $(id).value = value; $(id).dispatchEvent(new Event(event)); };
    go("at", 40, "input");
    const back = { now, t, said: $("clock").textContent, at: walks[0].one.end.textContent };
    $("once").click();
    const on = now;
    go("error", "distance", "change");
    const curved = $("curved").textContent;
    go("factor", 1, "input");
    document.body.dataset.found = JSON.stringify({ ...back, on, curved, rate: inForce(chosen[0]).lr / chosen[0].hyper.lr,
      wanted: walks.length, walked: walks[0].path.length });"""
    seen = found(shown(page(["sgd", "adam"]), then, tmp_path))
    assert seen.pop("at").startswith("at (")
    assert seen == {
        "now": 40, "t": 100, "said": "40 of 100", "on": 41, "curved": "distance to the nearest minimum, by step", "rate": 10,
        "wanted": 2, "walked": 1,
    }  # fmt: skip


@NEEDS_ONE
def test_a_surface_of_one_coordinate(tmp_path: Path) -> None:
    then = """
    $("surface").value = "quartic";
    $("surface").dispatchEvent(new Event("change"));
    walkFirst();
    const box = $("plane").getBoundingClientRect(), went = [start, walks[0].path.at(-1).length, nearFrom(walks[1], now)];
    place({ clientX: box.left + box.width / 2, clientY: box.top });
    document.body.dataset.found = JSON.stringify([...went, start]);"""
    start, length, near, middle = found(shown(page(["sgd", "adam"]), then, tmp_path))
    assert (start, length) == ([-3], 1)
    assert 0 < near < 100
    assert middle == pytest.approx([0.3])
