"""Results as `thalweg compare` would make them, without running anything: to try the report on."""

from __future__ import annotations

from typing import Any

import numpy as np

from thalweg.lab.report.advice import advice
from thalweg.lab.report.answer import answer
from thalweg.lab.report.rows import standing
from thalweg.lab.statistics import simultaneous, stats
from thalweg.methods import rules as catalogue

STEPS = list(range(0, 501, 10))
KINDS: dict[str, dict[str, Any]] = {
    "accuracy": {"name": "accuracy", "higher_is_better": True, "share": True},
    "r2": {"name": "R²", "higher_is_better": True, "share": False},
    "surface": {"name": "f − f_min", "higher_is_better": False, "share": False},
}


def plain(x: float) -> float | None:
    return float(x) if np.isfinite(x) else None


def fake(
    rules: int = 20, seeds: int = 10, kind: str = "accuracy", names: dict[int, str] | None = None, hopeless: bool = False
) -> dict[str, Any]:
    """Results for the first so many rules of the catalogue: one not tuned, one that diverges at times, one at the edge.

    names: other names for single rules, which then are the user's own. hopeless: every run of every rule diverges.
    """
    rng = np.random.default_rng(7)
    known = [name for name in catalogue if name != "learned"]
    known.insert(12, "learned")  # the one that is not tuned, wherever the alphabet puts it
    chosen = [*known, *(f"rule_{i}" for i in range(rules))][:rules]
    made = [_row(rng, name, i, seeds, kind, hopeless) for i, name in enumerate(chosen)]
    for i, name in (names or {}).items():
        made[i].update(name=name, mine=True)
    return finished(made, kind, seeds)


def finished(rows: list[dict[str, Any]], kind: str, seeds: int) -> dict[str, Any]:
    """Results of these rows, ranked and tested."""
    score = KINDS[kind]
    worst = -np.inf if score["higher_is_better"] else np.inf
    scores = {
        row["name"]: np.array([worst if run["test_score"] is None else run["test_score"] for run in row["judging"]])
        for row in rows
    }
    higher = score["higher_is_better"]
    standings = simultaneous.standings(scores, higher)
    for row in rows:
        name = row["name"]
        row["score"] = dict(zip(("mean", "low", "high"), map(plain, stats.interval(scores[name])), strict=True))
        row.update(standing(standings[name], scores[name]), unreliable=None)
    rows.sort(key=lambda row: (row["rank"]["place"], row["name"]))
    untuned = {row["name"]: np.array(row["untuned"]["test_scores"], float) for row in rows}
    made = {
        "version": "0.0",
        "protocol": {"version": "1", "sentences": ["Every optimizer has 12 trials.", "A run with a < b & c > d is a run."]},
        "command": "thalweg compare --data 'my <data> & more.csv' --target \"a'b\"",
        "caution": None,
        "made": "2026-01-02T03:04:05+00:00",
        "problem": {
            "name": "digits",
            "about": "1,797 images of digits.",
            "train_size": 1078,
            "test_size": 360,
            "fingerprint": 64 * "0",
            "score": score,
        },
        "settings": {
            "steps": 500,
            "batch_size": 64,
            "budget": 12,
            "seeds": seeds,
            "tuning_seeds": 2,
            "tuned": "lr",
            "schedules": ["constant"],
            "search": "quasi-random",
            "rules": [row["name"] for row in rows],
            "blocks": 1,
            "split": "ours",
            "ranges": {},
            "early_stopping": "none",
        },
        "not_run": {},
        "environment": {"python": "3.11.7", "numpy": "2.4.6", "machine": "x86_64, Linux"},
        "evaluated_at": STEPS,
        "target": {"loss": 0.3, "sentence": "a validation loss of 0.3"},
        "checks": [
            {
                "kind": "A/A control",
                "first": "adam",
                "second": "adam again",
                "scores": [0.9, 0.91],
                "p": 0.4,
                "held": True,
                "sentence": "adam took part twice <and> was called equal (p = 0.4).",
            },
            {
                "kind": "inclusion",
                "first": "momentum",
                "second": "sgd",
                "scores": [0.9, None],
                "p": 0.01,
                "held": False,
                "sentence": "momentum lost to sgd (p = 0.01).",
            },
        ],
        "sight": {
            "smallest": 0.01,
            "pair": [rows[0]["name"], rows[1]["name"]] if len(rows) > 1 else None,
            "times": "up to twice as many",
        },
        "margin": {"value": 0.0, "given": False},
        "winner": {side: rows[0]["score"][side] for side in ("mean", "low", "high")},
        "advice": advice(rows, untuned, higher, 0.0),
        "rules": rows,
    }
    return {"answer": answer(made), **made}


def _row(rng: np.random.Generator, name: str, i: int, seeds: int, kind: str, hopeless: bool) -> dict[str, Any]:
    tuned = name != "learned"
    search = [1e-4, 1.0] if i % 3 else [1e-3, 10.0]
    quality = rng.normal(0, 0.3) + (6 if i == 17 else 0)
    best = float(rng.normal(0.5, 0.1)) if i != 4 else 1.0
    rates = [float(f"{10 ** (np.log10(search[0]) + share * 4):.6g}") for share in np.linspace(0, 1, 12)]
    best_lr = min(rates, key=lambda lr: abs((np.log10(lr) - np.log10(search[0])) / 4 - best))
    trials = [_trial(rng, lr, seed, lr / best_lr, quality, kind, hopeless) for lr in rates for seed in (1, 2)] if tuned else []
    runs = [_run(rng, seed, quality, kind, hopeless or (i == 5 and seed == 2), i == 18) for seed in range(seeds)]
    untuned = np.array([_score(kind, 0.4 * np.exp(0.1 * quality + x)) for x in rng.normal(0, 0.1, seeds)])
    reached = float(np.mean([not run["diverged"] for run in runs]))
    return {
        "name": name, "paper": f"{name} (Nobody 2026, <i>Nowhere</i> & elsewhere)", "mine": False, "tuned": tuned,
        "search": search if tuned else None, "trials": 12 if tuned else 0, "best_hyper": {}, "best_schedule": "constant",
        "best_settings": [{"block": 0, "lr": best_lr if tuned else 1.0, "hyper": {}, "schedule": "constant", "at_edge": "high" if i == 4 else None}],
        "hyper": {"beta1": 0.9, "eps": 1e-08, "variant": "a<b"}, "best_lr": best_lr if tuned else 1.0,
        "at_edge": "high" if i == 4 else None, "tuning": trials, "judging": runs,
        "steps_to_target": {"median": float(30 + 10 * (i % 7)) if reached > 0.5 else None, "reached": reached},
        "diverged": {"tuning": float(np.mean([t["diverged"] for t in trials])) if trials else 0.0, "judging": float(np.mean([r["diverged"] for r in runs]))},
        "step_cost": None if i == 6 else float(np.exp(rng.normal(1, 0.8))), "state_per_parameter": float(i % 4),
        "best_of": [round(1 - 0.5 ** (k + 1), 4) for k in range(12)] if tuned and not hopeless else [],
        "untuned": {"lr": 0.1, "score": dict(zip(("mean", "low", "high"), map(plain, stats.interval(untuned)), strict=True)), "diverged": 0.0, "test_scores": untuned.tolist()},
        "best_of_few": {"mean": None, "low": None, "high": None} if hopeless or not tuned else {"mean": float(untuned.mean()), "low": float(untuned.min()), "high": float(untuned.max())},
        "width": 2.0, "failed": False, "note": None if tuned else "not tuned: it runs its shipped setting",
    }  # fmt: skip


def _score(kind: str, loss: Any) -> Any:
    """A score that goes with a loss."""
    if kind == "accuracy":
        return np.round(360 * np.clip(1 - 0.12 * loss, 0.1, 1)) / 360
    return 1 - loss if kind == "r2" else loss**8


def _trial(
    rng: np.random.Generator, lr: float, seed: int, off: float, quality: float, kind: str, hopeless: bool
) -> dict[str, Any]:
    loss = float(0.2 * np.exp(0.1 * quality + 0.3 * np.log10(off) ** 2 + rng.normal(0, 0.05)))
    if hopeless or (off > 300 and seed == 1):
        return {
            "block": 0,
            "lr": lr,
            "hyper": {},
            "schedule": "constant",
            "seed": seed,
            "stopped": None,
            "loss": None,
            "diverged": True,
            "score": None,
        }
    return {
        "block": 0,
        "lr": lr,
        "hyper": {},
        "schedule": "constant",
        "seed": seed,
        "stopped": None,
        "loss": loss,
        "diverged": False,
        "score": float(_score(kind, loss)),
    }


def _run(rng: np.random.Generator, seed: int, quality: float, kind: str, diverges: bool, above: bool) -> dict[str, Any]:
    at = np.array(STEPS)
    end = 0.2 * np.exp(0.1 * quality + rng.normal(0, 0.1)) * (30 if above else 1)
    curve = end + (3 - end) * np.exp(-at / 40) + rng.normal(0, 0.004, len(at))
    score = _score(kind, curve)
    if diverges:
        curve[len(at) // 2 :] = np.nan
        score[len(at) // 2 :] = np.nan
    losses, found = [plain(x) for x in curve], [plain(x) for x in score]
    return {
        "block": 0, "seed": seed, "loss_curve": losses, "score_curve": found, "train_curve": [None, *losses[1:]], "test_score": found[-1],
        "test_loss": losses[-1], "diverged": diverges,
    }  # fmt: skip
