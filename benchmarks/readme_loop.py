"""`python -m benchmarks.readme_loop`: what the README says of whole training iterations, measured and worded."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import click

from benchmarks import loop, loop_jax, loop_numpy, readme, timing
from benchmarks.__main__ import CORES, machine

Row = dict[str, timing.Ratio]
MODELS = {
    "gpt": "GPT-2-like, 16.8 M in 52 tensors",
    "resnet": "ResNet-18, 11.2 M in 62 tensors",
    "embedding": "embedding table, 6.4 M in 5 tensors",
    "many": "400 small tensors",
    "network": "a 64-32-10 network",
}
NETWORKS = {"wide": "8.4 M in 6 arrays", "network": "a 64-32-10 network", "deep": "400 small arrays"}
FUSED = {"adamw": "AdamW", "momentum": "SGD with momentum"}
OTHERS = {
    "nadam": "NAdam", "radam": "RAdam", "lion": "Lion", "adabelief": "AdaBelief", "lamb": "LAMB", "prodigy": "Prodigy",
    "muon": "Muon with AdamW", "schedule_free": "schedule-free AdamW",
}  # fmt: skip
"""Rules without a fused step in torch: measured on the GPT-2-like model alone, beside all that have them."""
JAX_NAMES = ["adam", "adamw", "sgd", "lion", "adafactor", "lamb", "nadam", "radam", "adabelief", "contrib.prodigy"]


PARTS = ("step", "iteration")
BEGIN = "<!-- measured by `python -m benchmarks.readme_loop --write` -->\n"


def parts() -> list[str]:
    """The names of what is measured."""
    found = [f"{rule}, {task}, loop" for task in MODELS for rule in FUSED] + [f"{rule}, gpt, loop" for rule in OTHERS]
    return [*found, *[f"{name}, jax loop" for name in JAX_NAMES], *[f"{name}, numpy loop" for name in NETWORKS]]


def measure(part: str, rounds: int, threads: int) -> Row:
    """One of them: of each rival the step's and the iteration's time over ours."""
    name, *rest = part.split(", ")
    if rest == ["jax loop"]:
        return {"iteration": loop_jax.measure(name, rounds)}
    if rest == ["numpy loop"]:
        found = {rule: loop_numpy.measure(name, rule, rounds) for rule in loop_numpy.BY_HAND}
        return {f"{rule} {what}": ratio for rule, both in found.items() for what, ratio in zip(PARTS, both, strict=True)}
    without = "default,foreach,compile" if name in FUSED else ""
    times = loop.in_processes(rest[0], name, rounds, threads, 3, without)
    return {
        f"{who} {what}": timing.ratio(own[:, k], times["ours"][:, k])
        for who, own in times.items()
        if who != "ours"
        for k, what in enumerate(PARTS)
    }


def text(found: dict[str, Row], where: str) -> str:
    """The tables and sentences."""
    head = [f"{title}: {what}" for title in FUSED.values() for what in PARTS]
    lines = [
        "Training loops as users write them: forward, backward, clip, step, schedule, zero_grad. Torch's fused step as a "
        "multiple of ours (above 1 it is slower), medians over three processes with 95 % intervals; the last rows: NumPy's step, "
        f"written by hand without temporaries. Measured on {where}:",
        "",
        f"| in the loop | {' | '.join(head)} |",
        "|---|---|---|---|---|",
    ]
    for task, title in MODELS.items():
        cells = [str(found[f"{rule}, {task}, loop"][f"fused {what}"]) for rule in FUSED for what in PARTS]
        lines.append(f"| {title} | {' | '.join(cells)} |")
    for name, title in NETWORKS.items():
        row = found[f"{name}, numpy loop"]
        lines.append(f"| NumPy, {title} | {' | '.join(str(row[f'{rule} {what}']) for rule in FUSED for what in PARTS)} |")
    return "\n".join([*lines, "", f"{of_others(found)} {of_jax(found)}", ""])


def of_others(found: dict[str, Row]) -> str:
    """The rules without a fused step, on the GPT-2-like model."""
    told = []
    for rule in OTHERS:
        row = found[f"{rule}, gpt, loop"]
        loops = [row[f"{who} step"] for who in ("default", "foreach") if f"{who} step" in row]
        words = [f"{who} {row[f'{who} step'].median:.1f}" for who in ("pytorch_optimizer",) if f"{who} step" in row]
        words = [f"torch's faster loop {min(ratio.median for ratio in loops):.1f}"] if loops else words
        words += [f"torch.compile {row['compile step'].median:.1f}"] if "compile step" in row else []
        told.append(f"{OTHERS[rule]} ({', '.join(words)})")
    return f"Of other rules' steps in the GPT-2-like model's loop, as multiples of ours: {'; '.join(told)}."


def of_jax(found: dict[str, Row]) -> str:
    """Optax in one jitted training iteration."""
    ratios = {name: found[f"{name}, jax loop"]["iteration"] for name in JAX_NAMES}
    low, high = min(ratios.values()), max(ratios.values())
    reach = sum(ratio.high >= 0.98 for ratio in ratios.values())
    middle = statistics.median(ratio.median for ratio in ratios.values())
    return (
        f"In JAX, one jitted iteration of that model with optax takes {low.median:.2f} to {high.median:.2f} times as long over "
        f"{len(ratios)} names (median {middle:.2f}); for {reach} of them the interval reaches 0.98."
    )


@click.command()
@click.option("--rounds", type=click.IntRange(2), default=10, show_default=True, help="Interleaved rounds in each process.")
@click.option("--minutes", type=float, default=float("inf"), help="Stop after the part that is running then.")
@click.option("--write", is_flag=True, help="Put it into README.md, in place of what stands there.")
@click.option(
    "--keep", type=click.Path(path_type=Path, dir_okay=False), default=readme.ROOT / ".measured_loop.json", help="Where."
)
@click.option("--only", "wanted", default="", help='One part, such as "adamw, network, loop", and no text: to try the program.')
def main(rounds: int, minutes: float, write: bool, keep: Path, wanted: str) -> None:
    """Measure what the README says of training loops, and print it as it stands there.

    About half an hour on two cores that have nothing else to do. Each part is kept when it is finished, as by
    `python -m benchmarks.readme`.
    """
    if wanted and wanted not in parts():
        raise click.BadParameter(f"no part is called {wanted!r}; they are: {'; '.join(parts())}", param_hint="--only")
    where, start = machine(CORES), time.monotonic()
    kept = readme.Kept(keep, f"{where}, {rounds} rounds, {readme.code()}")
    for part in parts():
        if part in kept.found or wanted not in ("", part):
            continue
        if time.monotonic() - start > 60 * minutes:
            raise click.ClickException(f"stopped after {minutes:g} minutes; the same command goes on")
        kept.add(part, dict(measure(part, rounds, CORES)))
        click.echo(f"{part}: {', '.join(f'{who} {x}' for who, x in kept.found[part].items())}", err=not wanted)
    if wanted:
        return
    block = text(kept.found, where)
    click.echo(block)
    if write:
        page = readme.README.read_text(encoding="utf-8")
        readme.README.write_text(readme.put(page, block, BEGIN), encoding="utf-8")


if __name__ == "__main__":
    main()
