"""Which pairs of optimizers each problem tells apart, in how much processor time. `python -m benchmarks.told_apart`.

The default problem of `thalweg compare` should teach something in about a minute. Each problem runs the same comparison, with the
default optimizers, and of all pairs those count that the report's own test separates.
"""

from __future__ import annotations

import resource
import tempfile
from pathlib import Path

import click
import numpy as np

from thalweg import lab
from thalweg.lab.statistics.simultaneous import AllPairs
from thalweg.lab.statistics.stats import settled

PROBLEMS = "digits,digits_conv,mnist1d,mnist1d_conv,wine,breast_cancer,diabetes,logistic,zipf,photograph,autoencoder,transformer"


@click.command()
@click.option("--problems", default=PROBLEMS, show_default=True, help="Their names, separated by commas.")
@click.option("--rules", help="Instead of the default ones.")
@click.option("--budget", type=click.IntRange(1), default=6, show_default=True, help="Learning rates tried.")
@click.option("--seeds", type=click.IntRange(6), default=15, show_default=True, help="Judged runs.")
def main(problems: str, rules: str | None, budget: int, seeds: int) -> None:
    """Which pairs of optimizers each problem tells apart, in how much time."""
    print("problem          optimizers  pairs apart  of all  seconds  apart a second")
    for problem in problems.split(","):
        some = {"rules": rules} if rules else {}
        with tempfile.TemporaryDirectory() as folder:
            begun = spent()
            found = lab.compare(problem=problem, budget=budget, seeds=seeds, jobs=1, out=Path(folder), **some)
            seconds = spent() - begun
        rows, higher = found.results["rules"], found.results["problem"]["score"]["higher_is_better"]
        scores = {row["name"]: np.array([run["test_score"] for run in row["judging"]], float) for row in rows}
        apart, every = int(AllPairs(settled(scores, higher)).better.sum()), len(rows) * (len(rows) - 1) // 2
        print(f"{problem:16} {len(rows):10} {apart:12} {apart / every:7.0%} {seconds:8.0f} {apart / seconds:15.2f}", flush=True)


def spent() -> float:
    """Seconds of processor time so far, of this process and of those that it started and that have ended."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


if __name__ == "__main__":
    main()
