"""Blocks: each tunes anew and splits anew, the first is the comparison without blocks, and tests are over them."""

from __future__ import annotations

import json
import math
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import thalweg
from lab.command import thalweg as command
from lab.report.test_report import Page
from lab.report.test_schema import misfits
from lab.training.loops import BOWL, bowl, here, written
from thalweg import lab
from thalweg.lab import problems
from thalweg.lab.api import plan
from thalweg.lab.comparing.contest import Contest, Settings, by_problem
from thalweg.lab.comparing.forecast import forecast
from thalweg.lab.data.parts import split
from thalweg.lab.protocol import blocks, protocol
from thalweg.lab.protocol.tune import Setting
from thalweg.lab.refusal import Refusal
from thalweg.lab.report.schema.problem import Results
from thalweg.lab.statistics import simultaneous, stats
from thalweg.lab.trials import lanes
from thalweg.lab.user.source import Source, loaded

FEW: dict[str, Any] = {"budget": 6, "seeds": 2, "jobs": 1}
OF_TODAY = {
    *("protocol", "thalweg", "engine", "numpy", "problem", "data", "rule", "source", "lr", "hyper", "schedule", "seed", "steps"),
    *("batch_size", "phase", "lanes"),
}
"""What a trial's record told before there were blocks."""


def contests(count: int, problem: str = "wine", **more: Any) -> list[Contest]:
    settings = Settings(Source(problem), ("sgd", "adam"), 12, 2, 20, 32, blocks=count, **more)
    return Contest.of(settings, problems.problem(problem), thalweg.rules).in_blocks()


def stored(out: Path) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(out / "trials.sqlite3")) as connection:
        return [json.loads(what) for (what,) in connection.execute("SELECT what FROM trials")]


def opening(contest: Contest, label: str) -> list[Setting]:
    return list(next(candidate for candidate in contest.candidates if candidate.label == label).opening())


def test_the_first_block_is_the_comparison_without_blocks() -> None:
    (alone,), (first, other) = contests(1), contests(2)
    for one, same in zip(alone.candidates, first.candidates, strict=True):
        for phase in ("tuning", "judging"):
            specs = alone.specs(one, phase, one.opening())
            assert [spec.key for spec in specs] == [spec.key for spec in first.specs(same, phase, same.opening())]
            assert specs[0].as_dict().keys() == OF_TODAY
    assert other.specs(other.candidates[0], "tuning", [Setting(0.1)])[0].as_dict().keys() == OF_TODAY | {"block"}
    assert alone.seeds(alone.candidates[0], "tuning") == protocol.seeds("tuning", alone.problem, 20, 32, 2)
    assert alone.seeds(alone.candidates[2], "judging") == protocol.seeds("judging control", alone.problem, 20, 32, 2)
    rates = [setting.lr for setting in opening(alone, "adam")]
    np.testing.assert_allclose(
        np.diff(np.log10([thalweg.adam.search[0], *rates]))[0], 0.5 * np.diff(np.log10(rates))[0], rtol=1e-5
    )


def test_the_first_split_is_the_one_there_was() -> None:
    assert [rows.tolist() for rows in split(np.arange(10) % 2)] == [[3, 4, 5, 6, 8, 9], [0, 1], [2, 7]]


def test_each_block_has_seeds_of_its_own() -> None:
    seeds = [
        seed
        for contest in contests(8, "rosenbrock")  # whose fingerprint is the same in all blocks
        for candidate in (contest.candidates[0], contest.candidates[2])
        for phase in ("tuning", "judging")
        for seed in contest.seeds(candidate, phase)
    ]
    assert len(set(seeds)) == len(seeds) == 8 * 2 * 2 * 2
    one = contests(2)[1]
    assert one.seeds(one.candidates[0], "tuning") == one.seeds(one.candidates[1], "tuning"), "all optimizers have the same"


def test_the_grid_is_shifted_by_the_same_part_of_a_step_for_all() -> None:
    shifts = []
    for contest in contests(8):
        own = []
        for label, rule in (("sgd", thalweg.sgd), ("adam", thalweg.adam)):
            rates = [setting.lr for setting in opening(contest, label)]
            low, high = rule.search
            own.append(math.log(rates[0] / low) / math.log(high / low) * len(rates))
            assert all(low <= rate <= high for rate in rates)
            np.testing.assert_allclose(np.diff(np.log(rates)), math.log(high / low) / len(rates), rtol=1e-4)
        assert own[0] == pytest.approx(own[1], abs=1e-4)
        shifts.append(own[0])
        assert not {s.lr for s in opening(contest, "adam")} & {s.lr for s in opening(contest, "adam again")}
    assert shifts[0] == pytest.approx(0.5, abs=1e-4)
    gaps = np.diff(sorted([*shifts, min(shifts) + 1]))
    assert gaps.max() < 2 / len(shifts), "they lie evenly"
    assert gaps.min() > 0.5 / len(shifts)


def test_other_draws_are_new_in_each_block() -> None:
    drawn = [set(opening(contest, "adam")) for contest in contests(3, tune="all", schedules=("cosine", "wsd"))]
    assert not drawn[0] & drawn[1]
    assert not drawn[1] & drawn[2]


OURS = [name for name in problems.names() if problems.splits(name) and not name.startswith("mnist5k")]


def test_what_has_data_is_split() -> None:
    assert {"digits", "diabetes", "transformer", "photograph", "logistic"} <= set(OURS)
    assert not {"xor", "rosenbrock", "quadratic_noisy", "turned_rosenbrock"} & set(OURS)


@pytest.mark.parametrize("name", OURS)
def test_each_block_of_a_problem_has_another_split_of_the_same_sizes(name: str) -> None:
    found: list[Any] = [problems.problem(name, block) for block in (0, 1, 2)]
    assert len({each.fingerprint for each in found}) == 3
    assert found[0].fingerprint == problems.problem(name).fingerprint
    for part in ("train_part", "validation_part", "test_part"):
        first, *others = (getattr(each, part) for each in found)
        for other in others:
            assert other.x.shape == first.x.shape
            assert (other.x != first.x).any()
            if first.y.ndim == 1 and name not in ("digits_conv", "mnist1d", "mnist1d_conv", "zipf"):  # some samples are left out
                np.testing.assert_array_equal(np.bincount(other.y), np.bincount(first.y))


def test_a_user_s_file_is_split_anew_and_refused_where_it_cannot_be(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    np.savez(tmp_path / "some.npz", x=draw.normal(size=(60, 3)), y=np.arange(60) % 3)
    first, second = (loaded(Source(data=tmp_path / "some.npz", block=block))[0] for block in (0, 1))
    assert first.fingerprint != second.fingerprint
    rare = np.zeros(25)
    rare[[3, 9, 20]] = 1.0, 2.0, 3.5
    unlucky = next(b for b in range(1, 50) if any(len(set(rare[rows])) == 1 for rows in split(np.zeros(25, int), b)))
    lucky = next(b for b in range(50) if all(len(set(rare[rows])) > 1 for rows in split(np.zeros(25, int), b)))
    np.savez(tmp_path / "rare.npz", x=draw.normal(size=(25, 3)), y=rare)
    Source(data=tmp_path / "rare.npz", block=lucky).load_problem()
    with pytest.raises(Refusal, match="hardly varies"):
        Source(data=tmp_path / "rare.npz", block=unlucky).load_problem()


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, lab.Comparison]:
    out = tmp_path_factory.mktemp("blocks")
    return out, lab.compare(problem="wine", rules="sgd,momentum,adam", blocks=3, steps=15, out=out, **FEW)


def test_tests_are_over_the_blocks(finished: tuple[Path, lab.Comparison]) -> None:
    out, found = finished
    assert misfits(json.loads((out / "results.json").read_text()), Results) == []
    rows = found.problems[0]["rules"]
    means = {}
    for row in rows:
        each = [[run["test_score"] for run in row["judging"] if run["block"] == block] for block in range(3)]
        assert [len(scores) for scores in each] == [2, 2, 2]
        means[row["name"]] = np.array([np.mean(scores) for scores in each])
        assert row["score"]["mean"] == pytest.approx(means[row["name"]].mean())
        assert row["score"]["low"] == pytest.approx(stats.interval(means[row["name"]])[1])
        assert len(row["untuned"]["test_scores"]) == 6
        assert row["trials"] == 6
        for chosen in row["best_settings"]:
            ends: dict[float, list[Any]] = {}
            for trial in row["tuning"]:
                if trial["block"] == chosen["block"]:
                    ends.setdefault(trial["lr"], []).append((-trial["score"], trial["loss"]))
            assert len(ends) == 6
            assert chosen["lr"] == min(ends, key=lambda lr: tuple(np.median(ends[lr], axis=0)))
        assert row["best_lr"] == sorted(chosen["lr"] for chosen in row["best_settings"])[1]
    for name, standing in simultaneous.standings(means, higher_is_better=True).items():
        assert next(row for row in rows if row["name"] == name)["verdict"]["p"] == pytest.approx(standing.p)


def test_the_report_tells_of_blocks(finished: tuple[Path, lab.Comparison]) -> None:
    out, found = finished
    text = (out / "report.html").read_text("utf-8")
    Page(text)
    page = " ".join(text.split())
    assert "95 % intervals over 3 blocks" in page
    assert page.count(">block 3</th>") == 1
    assert "each of 3 blocks was tuned and split anew" in page
    assert "All of this is done 3 times, in blocks" in page
    assert "repeated in 3 blocks" in page
    assert "3 blocks are too few to separate optimizers" in found.answer["sure"]
    assert "With --blocks 6, large differences" in found.answer["sure"]
    low, high = (f(chosen["lr"] for chosen in found.problems[0]["rules"][0]["best_settings"]) for f in (min, max))
    assert f"({low:.2g} to {high:.2g} in 3 blocks)" in found.answer["use"]
    assert f"[{low:.2g}, {high:.2g}]" in str(found)


@pytest.mark.slow
def test_finished_blocks_are_used_again(finished: tuple[Path, lab.Comparison]) -> None:
    out, _ = finished
    before = len(stored(out))
    told: list[str] = []
    asked: dict[str, Any] = {"problem": "wine", "rules": "sgd,momentum,adam", "steps": 15, "out": out, **FEW}
    lab.compare(**asked, blocks=3, progress=lambda progress: told.append(progress.text))
    assert any(f"all of {before} trials are in the store" in text for text in told)
    lab.compare(**asked, progress=lambda progress: told.append(progress.text))
    assert any(f"all of {before // 3} trials are in the store" in text for text in told)
    assert len(stored(out)) == before, "the comparison without blocks is the first of them"
    assert {trial.get("block", 0) for trial in stored(out)} == {0, 1, 2}
    lab.compare(**asked, blocks=4)
    assert len(stored(out)) == before // 3 * 4, "a fourth block runs alone"


@pytest.mark.slow
def test_blocks_run_on_other_engines_too(finished: tuple[Path, lab.Comparison], tmp_path: Path) -> None:
    _, found = finished
    asked: dict[str, Any] = {**FEW, "jobs": 2, "engine": "processes"}
    again = lab.compare(problem="wine", rules="sgd,momentum,adam", blocks=3, steps=15, out=tmp_path, **asked)
    for one, other in zip(found.problems[0]["rules"], again.problems[0]["rules"], strict=True):
        assert (one["judging"], one["tuning"], one["verdict"]) == (other["judging"], other["tuning"], other["verdict"])


@pytest.mark.slow
def test_two_halves_are_joined(tmp_path: Path) -> None:
    asked = ["compare", "--problem", "xor", "--rules", "sgd,adam", "--steps", 4, "--seeds", 1, "--budget", 2, "--jobs", 1]
    assert command(*asked, "--out", tmp_path / "a", "--blocks", 1).returncode == 0
    assert command(*asked, "--out", tmp_path / "b", "--blocks", 2).returncode == 0
    assert command("lab", "merge", tmp_path / "b", tmp_path / "a", "--out", tmp_path / "both").returncode == 0
    again = command(*asked, "--out", tmp_path / "both", "--blocks", 2)
    assert "trials are in the store" in again.stderr


@pytest.mark.slow
def test_a_training_function_is_told_its_block(tmp_path: Path) -> None:
    seen = set()

    def train(trial: Any) -> Any:
        seen.add((trial.block, trial.seed))
        return bowl(trial)

    found = lab.compare(here(train), rules=["sgd", "adam"], blocks=3, budget=2, out=tmp_path)
    assert {block for block, _ in seen} == {0, 1, 2}
    by_block = [{seed for block, seed in seen if block == which} for which in range(3)]
    assert not by_block[0] & by_block[1]
    assert found.results["settings"]["seeds"] == blocks.SEEDS
    assert "the data are split as your own code splits them" in found.results["protocol"]["sentences"][-1]
    assert found.results["training"]["spread"] > 0


@pytest.mark.slow
def test_a_file_with_a_training_function_and_a_rule_of_the_user_s(tmp_path: Path) -> None:
    train = written(tmp_path, BOWL)
    mine = tmp_path / "own.py"
    mine.write_text(
        'from thalweg import rule\n\n@rule(lr=0.1, search=(1e-3, 1.0))\ndef plain(g):\n    """Plain (Me 2026)."""\n    return g\n'
    )
    done = command("compare", "--train", train, "--rules", "sgd", "--my-rule", mine, "--budget", 2, "--blocks", 2, "--jobs", 2,
                   "--out", tmp_path / "out")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "block 2 of 2" in done.stderr
    rows = json.loads((tmp_path / "out" / "results.json").read_text())["rules"]
    plain = next(row for row in rows if row["name"] == "plain")
    sgd = next(row for row in rows if row["name"] == "sgd")
    assert len(plain["judging"]) == 4
    assert [run["seed"] for run in plain["judging"]] == [run["seed"] for run in sgd["judging"]]


@pytest.mark.slow
def test_a_problem_of_the_user_s(tmp_path: Path) -> None:
    path = tmp_path / "hill.py"
    path.write_text("def init(rng):\n    return {'w': rng.normal(size=3)}\ndef loss(p):\n    return (p['w'] ** 2).sum()\n"
                    "def grad(p):\n    return {'w': 2 * p['w']}\n")  # fmt: skip
    found = lab.compare(problem=path, rules="sgd,adam", blocks=2, budget=2, steps=5, jobs=1, out=tmp_path / "out")
    assert found.problems[0]["settings"]["split"] == "theirs"
    assert {trial.get("block", 0) for trial in stored(tmp_path / "out")} == {0, 1}


def test_what_cannot_be_is_said_in_a_sentence() -> None:
    with pytest.raises(Refusal, match="tunes each optimizer anew on every problem, which is what blocks does on one"):
        lab.compare(suite="tiny", blocks=2)
    with pytest.raises(Refusal, match="blocks is 0; wanted a whole number of at least 1"):
        lab.compare(problem="xor", blocks=0)
    with pytest.raises(Refusal, match=r"that would be .* trials"):
        plan.contests({"problem": "xor", "blocks": 1000, "budget": 1000}, print)


def test_the_forecast_counts_all_blocks_and_times_one() -> None:
    blocks_of_wine = contests(3)
    assert [len(some) for some in by_problem(blocks_of_wine)] == [3]
    found = forecast(blocks_of_wine, {("wine, block 2 of 3", "sgd"): 5})
    assert found.trials == 3 * blocks_of_wine[0].trials
    assert found.stored == 5


def test_lanes_of_jax_are_chosen_once_for_all_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("jax")
    chosen: list[str] = []

    def engine_for(name: str, problem: Any, rule: Any, batch_size: int) -> lanes.LaneEngine:
        chosen.append(problem.fingerprint)
        return lanes.LaneEngine("jax", "0", 4)

    monkeypatch.setattr(lanes, "engine_for", engine_for)
    found = contests(3, lanes="jax")
    specs = [contest.first_spec(candidate) for contest in found for candidate in contest.candidates]
    assert {spec.lanes.chunk for spec in specs} == {4}
    assert len({spec.data for spec in specs}) == 3
    assert chosen == [found[0].problem.fingerprint] * 2, "once for each of two rules"
