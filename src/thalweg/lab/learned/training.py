"""Train the learned optimizer as in its paper (Andrychowicz et al. 2016, arXiv 1606.04474):
`python -m thalweg.lab.learned.training --out FILE`, or `train()`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from threadpoolctl import threadpool_limits

from thalweg.core.optimizer import Optimizer
from thalweg.form.schedules import cosine
from thalweg.lab.learned.network import WEIGHTS, Network, Quadratics, Walk, final, initial, unroll
from thalweg.methods import rules
from thalweg.nn.progress import Progress
from thalweg.values import trees

PARAMETERS, TRAINING, VALIDATION = range(3)  # the streams of random numbers of a seed
CHECKED = 50  # epochs between two evaluations on the validation functions


@dataclass(frozen=True)
class MetaTraining:
    """The settings of the training.

    An epoch draws new problems and runs `steps` steps on them, with a weight update every `unrolled` steps (Adam, with a
    cosine schedule from lr to 0). preprocessing, p, scale: settings of the network.
    Raises ValueError for steps that are not a multiple of unrolled.
    """

    seed: int = 0
    epochs: int = 1000
    problems: int = 16
    steps: int = 100
    unrolled: int = 20
    lr: float = 3e-3
    preprocessing: bool = False
    p: float = 10.0
    scale: float = 0.1

    def __post_init__(self) -> None:
        if self.steps % self.unrolled:
            raise ValueError(f"steps={self.steps} is no multiple of unrolled={self.unrolled}: every step must be learned from")


def train(how: MetaTraining = MetaTraining(), *, progress: bool = False) -> Network:
    """A trained network, the best on fresh validation functions: a tree to save with `trees.save` and hand to
    `learned(weights=path)`. The same arguments give the same weights.

    Ctrl-C ends it early: "stopped" then names the epoch.
    """
    random = [np.random.default_rng(np.random.SeedSequence(how.seed, spawn_key=(purpose,))) for purpose in range(3)]
    net = initial(random[PARAMETERS], how.preprocessing, how.p, how.scale)
    weights = {name: net[name] for name in WEIGHTS}
    held = Quadratics.draw(random[VALIDATION], 256)
    optimizer = Optimizer(rules["adam"](), lr=cosine(how.lr, how.epochs * (how.steps // how.unrolled)))
    state = optimizer.init(weights)
    best: Network = {}
    epoch = 0
    try:
        with threadpool_limits(1), Progress(how.epochs, progress) as bar:  # one thread: the same sums on any number of cores
            for epoch in range(1, how.epochs + 1):
                drawn = Quadratics.draw(random[TRAINING], how.problems)
                walk = Walk.begin(drawn)
                for _ in range(how.steps // how.unrolled):
                    _, grads, walk = unroll({**net, **weights}, drawn, walk, how.unrolled)
                    weights, state = optimizer.step(weights, grads, state)
                if epoch % CHECKED == 0 or epoch == how.epochs:
                    best = better(best, {**net, **weights, "epoch": epoch}, held, how.steps)
                bar.update(epoch, float(walk.f.mean()))
    except KeyboardInterrupt:
        if not best:
            raise
        return {**best, "stopped": epoch}
    return best


def better(best: Network, net: Network, held: Quadratics, steps: int) -> Network:
    """The better of two networks on the held-out functions, with weights in float32, as in the file."""
    rounded = {**net, **{name: net[name].astype(np.float32) for name in WEIGHTS}}
    rounded["validation"] = final(rounded, held, steps)
    return rounded if not best or rounded["validation"] < best["validation"] else best


@click.command()
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The file to write (.npz).")
@click.option("--seed", default=0, show_default=True, help="Of the first weights and all problems.")
@click.option("--epochs", default=1000, show_default=True, type=click.IntRange(1), help="Walks to learn from.")
@click.option("--problems", default=16, show_default=True, type=click.IntRange(1), help="New functions in each epoch.")
@click.option("--steps", default=100, show_default=True, type=click.IntRange(1), help="Steps of a walk.")
@click.option("--unrolled", default=20, show_default=True, type=click.IntRange(1), help="Steps between two updates.")
@click.option("--lr", default=3e-3, show_default=True, type=click.FloatRange(0, min_open=True), help="Adam's first rate.")
@click.option("--preprocessing/--no-preprocessing", default=False, show_default=True, help="Appendix A: log and sign.")
@click.option("--p", default=10.0, show_default=True, type=click.FloatRange(0, min_open=True), help="Of preprocessing.")
@click.option("--scale", default=0.1, show_default=True, type=click.FloatRange(0, min_open=True), help="Of the output.")
def main(out: Path, **options: Any) -> None:
    """Train the learned optimizer on random quadratics and write its weights to a file, for `learned(weights=FILE)`.

    Ctrl-C ends the training and keeps the best weights so far.
    """
    if not out.parent.is_dir():
        raise click.BadParameter(f"there is no folder {out.parent}", param_hint="--out")
    if options["steps"] % options["unrolled"]:
        raise click.BadParameter(f"{options['steps']} is no multiple of --unrolled {options['unrolled']}", param_hint="--steps")
    net = train(MetaTraining(**options), progress=True)
    stopped = f" (stopped by hand in epoch {net['stopped']})" if "stopped" in net else ""
    trees.save(out, {**net, "command": command(out, options) + stopped})
    mean = f"mean f {net['validation']:.4f} after {options['steps']} steps on validation functions"
    click.echo(f"{out}: epoch {net['epoch']}, {mean}{stopped}")


def command(out: Path, options: dict[str, Any]) -> str:
    """The command that makes the same file, with every option."""
    words = ["python -m thalweg.lab.learned.training", f"--out {out.name}"]
    for name, value in options.items():
        words.append(f"--{'' if value else 'no-'}{name}" if isinstance(value, bool) else f"--{name} {value}")
    return " ".join(words)


if __name__ == "__main__":
    main()
