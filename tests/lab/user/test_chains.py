"""Chains and configured rules that a file assigns to a name, recipes that take over a range, and one rule of a file by its name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import thalweg as tw
from lab.user.test_my_rules import MINE, cli, file
from thalweg.lab.problems import problem
from thalweg.lab.protocol import tune
from thalweg.lab.refusal import Refusal
from thalweg.lab.store.fingerprint import fingerprint
from thalweg.lab.user import my_rule

CHAINS = "clipped = tw.chain(tw.clip(1.0), tw.adam(beta1=0.95))\nfast = tw.momentum().at(0.02)\n_part = tw.adam()\nlimit = tw.clip(2.0)\n"
BY_SHAPE = "shaped = tw.choose((tw.is_matrix, tw.muon().at(0.02)), otherwise=tw.adamw())\n"


def test_a_chain_assigned_to_a_name_is_a_rule(tmp_path: Path) -> None:
    found = my_rule.load([file(tmp_path, "mine.py", CHAINS, BY_SHAPE)])
    assert list(found) == ["clipped", "fast", "shaped"]
    adam, momentum = tw.rules["adam"], tw.rules["momentum"]
    assert (found["clipped"].lr, found["clipped"].search) == (adam.lr, adam.search)
    assert (found["fast"].lr, found["fast"].search) == (0.02, pytest.approx((2e-4, 2.0)))
    assert momentum.lr != 0.02
    assert found["shaped"].lr == tw.rules["adamw"].lr
    assert not any(rule.ours for rule in found.values())
    assert repr(found["clipped"]()) == "<clipped: clip() + adam(beta1=0.95)>"


def test_a_chain_is_the_recipe_of_the_same_parts(tmp_path: Path) -> None:
    """Tuned over its rate like one, also where the file fixed that; another configuration is another identity."""
    recipe = '@tw.recipe\ndef mine():\n    """Mine."""\n    return tw.chain(tw.clip(1.0), tw.adam())\n'
    texts = [recipe, "mine = tw.chain(tw.clip(1.0), tw.adam())\n", "mine = tw.chain(tw.clip(1.0), tw.adam(beta1=0.95))\n"]
    found = [my_rule.load([file(tmp_path / f"{i}", "mine.py", text)])["mine"] for i, text in enumerate(texts)]
    assert [(rule.lr, rule.search) for rule in found] == [(1e-3, tw.rules["adam"].search)] * 3
    marks = [fingerprint(rule, problem("xor")) for rule in found]
    assert marks[0] == marks[1] != marks[2]
    fast = my_rule.load([file(tmp_path / "at", "mine.py", "mine = tw.adam().at(0.5)\n")])["mine"]
    assert tw.Optimizer(fast, lr=0.25).step({"w": _one()}, {"w": _one()}, tw.Optimizer(fast, lr=0.25).init({"w": _one()}))[0][
        "w"
    ] == pytest.approx(1 - 0.25)


def test_the_file_of_the_docs(tmp_path: Path) -> None:
    text = (Path(__file__).parents[3] / "docs/rules.md").read_text("utf-8")
    path = tmp_path / "mine.py"
    path.write_text(text.partition("```python\n")[2].partition("```")[0])
    found = my_rule.load([path])
    assert list(found) == ["mine", "clipped", "slow_adam", "by_shape"]
    assert found["slow_adam"].search == tw.rules["adam"].search


def test_a_hyper_parameter_has_a_range_of_its_own(tmp_path: Path) -> None:
    text = (Path(__file__).parents[3] / "docs/rules.md").read_text("utf-8")
    path = tmp_path / "leaky.py"
    path.write_text(text.split("```python\n")[2].partition("```")[0])
    leaky = my_rule.load([path])["leaky"]
    beta, leak = tune.axes(leaky)
    assert (beta.name, beta.low, beta.high, beta.complement) == ("beta", pytest.approx(1e-3), pytest.approx(0.1), True)
    assert (leak.name, leak.low, leak.high, leak.complement) == ("leak", 1e-4, 1e-1, False)
    assert "searched from 0.0001 to 0.1 by --tune all" in cli("show", path).output
    path.write_text(path.read_text().replace("Search(0.9, 0.999)", "Search(0.9, 1.5)"))
    with pytest.raises(Refusal, match=r"beta has Search.*; wanted 0 < low < high, both of them among its values"):
        my_rule.load([path])


def _one() -> Any:
    import numpy as np

    return np.ones(1)


@pytest.mark.parametrize(
    ("text", "search"),
    [
        ("@tw.recipe\ndef mine():\n    return tw.chain(tw.clip(1.0), tw.adam())\n", (1e-4, 1.0)),
        ("@tw.recipe(search=(1e-3, 1e-2))\ndef mine():\n    return tw.chain(tw.clip(1.0), tw.adam())\n", (1e-3, 1e-2)),
        ("@tw.recipe(lr=1e-2, search=(1e-3, 1e-1))\ndef mine():\n    return tw.chain(tw.clip(1.0), tw.adam())\n", (1e-3, 1e-1)),
        ("@tw.around(lr=0.1, search=(1e-2, 1.0))\ndef mine(p):\n    loss, g = yield p\n    return g\n", (1e-2, 1.0)),
        ("@rule(lr=0.1, search=(1e-2, 1.0), step=True)\ndef mine(g, lr):\n    return lr * g\n", (1e-2, 1.0)),
        ("mine = tw.adam().at(1e-2)\n", (1e-4, 1.0)),
    ],
)
def test_every_kind_has_a_range(text: str, search: tuple[float, float], tmp_path: Path) -> None:
    assert tw.rules["adam"].search == (1e-4, 1.0)
    assert my_rule.load([file(tmp_path, "mine.py", text)])["mine"].search == pytest.approx(search)


def test_one_rule_of_a_file_by_its_name(tmp_path: Path) -> None:
    path = file(tmp_path, "mine.py", MINE.format(name="one"), MINE.format(name="two"), CHAINS)
    assert list(my_rule.load([Path(f"{path}:two"), Path(f"{path}:fast")])) == ["two", "fast"]
    with pytest.raises(
        Refusal, match="no rule in it is called 'tow'; there are one, two, clipped, fast, limit; did you mean 'two'"
    ):
        my_rule.load([Path(f"{path}:tow")])
    assert list(my_rule.load([path, Path(f"{path}:two")])) == ["one", "two", "clipped", "fast"], "said twice"


def test_it_is_shown(tmp_path: Path) -> None:
    path = file(tmp_path, "mine.py", MINE.format(name="one"), CHAINS)
    done = cli("show", f"{path}:clipped")
    assert done.exit_code == 0, done.output
    assert "clipped = tw.chain(tw.clip(1.0), tw.adam(beta1=0.95))" in done.output
    assert "one" not in done.output.split("\n")[0]
    assert cli("show", f"{path}:limit").exit_code == 0, "a stage without a rate can be shown"
    assert "θ" in cli("show", path).output
    assert cli("show", "--kernel", f"{path}:fast").output.count("def ") >= 1
    refused = cli("show", f"{path}:none")
    assert refused.exit_code == 2
    assert "no rule in it is called 'none'" in refused.output


@pytest.mark.slow
def test_it_races(tmp_path: Path) -> None:
    path = file(tmp_path, "mine.py", MINE.format(name="one"), CHAINS)
    done = cli("race", "--rules", "sgd", "--steps", 3, "--my-rule", f"{path}:clipped", "--my-rule", f"{path}:fast", "--out",
               tmp_path / "race.png")  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "clipped" in done.output
    assert "fast" in done.output
    assert " one " not in done.output


@pytest.mark.slow
def test_it_is_compared(tmp_path: Path) -> None:
    """A chain beside the same chain as a recipe: the same scores."""
    recipe = '@tw.recipe\ndef again():\n    """Again."""\n    return tw.chain(tw.clip(1.0), tw.adam(beta1=0.95))\n'
    path = file(tmp_path, "mine.py", recipe, CHAINS)
    done = cli("compare", "--problem", "xor", "--rules", "sgd", "--my-rule", f"{path}:clipped", "--my-rule", f"{path}:again",
               "--budget", 4, "--seeds", 2, "--steps", 20, "--jobs", 1, "--out", tmp_path / "o")  # fmt: skip
    assert done.exit_code == 0, done.output
    rows = {row["name"]: row for row in json.loads((tmp_path / "o" / "results.json").read_text())["rules"]}
    assert set(rows) == {"sgd", "clipped", "again"}
    for of in ("score", "best_lr", "mine"):
        assert rows["clipped"][of] == rows["again"][of]
