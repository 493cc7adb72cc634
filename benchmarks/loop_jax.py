"""`python -m benchmarks.loop_jax`: whole jitted training iterations of a GPT-2-like model, `thalweg.jax` beside optax."""

from __future__ import annotations

import functools
import gc
from collections.abc import Callable
from typing import Any, NamedTuple

import click
import jax
import jax.numpy as jnp
import numpy as np
import optax
from rich.console import Console

import thalweg.jax as tj
from benchmarks import timing
from benchmarks.__main__ import CORES, machine
from benchmarks.jax_face import transformation
from thalweg.dialects import OPTAX

Tree = Any


class Sizes(NamedTuple):
    """A GPT-2-like model's, as in `benchmarks.tasks.gpt`: 16.8 million parameters in 52 arrays."""

    words: int = 8192
    length: int = 64
    width: int = 512
    layers: int = 4
    heads: int = 8


def initial(sizes: Sizes) -> Tree:
    """The parameters: GPT-2's standard deviation of 0.02, biases of 0 and scales of 1."""
    rng, width = np.random.default_rng(0), sizes.width

    def linear(inside: int, out: int) -> Tree:
        return {"w": jnp.asarray(0.02 * rng.normal(size=(inside, out)), jnp.float32), "b": jnp.zeros(out)}

    def norm() -> Tree:
        return {"scale": jnp.ones(width), "b": jnp.zeros(width)}

    def block() -> Tree:
        wide, narrow = linear(width, 4 * width), linear(4 * width, width)
        attention = {"before": norm(), "joint": linear(width, 3 * width), "out": linear(width, width)}
        return {**attention, "between": norm(), "wide": wide, "narrow": narrow}

    tables = {"words": linear(sizes.words, width)["w"], "places": linear(sizes.length, width)["w"]}
    return {**tables, "blocks": [block() for _ in range(sizes.layers)], "last": norm()}


def _normed(p: Tree, x: Any) -> Any:
    centred = x - x.mean(-1, keepdims=True)
    return centred * jax.lax.rsqrt(jnp.square(centred).mean(-1, keepdims=True) + 1e-5) * p["scale"] + p["b"]


def _linear(p: Tree, x: Any) -> Any:
    return x @ p["w"] + p["b"]


def loss(p: Tree, x: Any, heads: int) -> Any:
    """The cross-entropy of each next word."""
    given, wanted = x[:, :-1], x[:, 1:]
    h = p["words"][given] + p["places"]
    mask = jnp.tril(jnp.ones((given.shape[1], given.shape[1]), bool))
    for block in p["blocks"]:
        parts = jnp.split(_linear(block["joint"], _normed(block["before"], h)), 3, -1)
        q, k, v = (part.reshape(*part.shape[:2], heads, -1).swapaxes(1, 2) for part in parts)
        weights = jax.nn.softmax(jnp.where(mask, q @ k.swapaxes(-1, -2) / np.sqrt(q.shape[-1]), -jnp.inf))
        h = h + _linear(block["out"], (weights @ v).swapaxes(1, 2).reshape(h.shape))
        h = h + _linear(block["narrow"], jax.nn.gelu(_linear(block["wide"], _normed(block["between"], h))))
    logits = _normed(p["last"], h) @ p["words"].T
    return optax.softmax_cross_entropy_with_integer_labels(logits, wanted).mean()


def iteration_of(library: Any, name: str, sizes: Sizes) -> Callable[[], object]:
    """Forward, backward, clip and step in one jitted function, on parameters and state of its own, which are donated."""
    tx = optax.with_extra_args_support(optax.chain(optax.clip_by_global_norm(1.0), transformation(library, name)))

    @functools.partial(jax.jit, donate_argnums=(0, 1))
    def train(params: Tree, state: Tree, x: Any) -> Any:
        objective = functools.partial(loss, x=x, heads=sizes.heads)
        value, grads = jax.value_and_grad(objective)(params)
        updates, state = tx.update(grads, state, params, value=value, obj_fn=objective)
        return optax.apply_updates(params, updates), state

    params, words = initial(sizes), np.random.default_rng(1).integers(sizes.words, size=(2, sizes.length + 1))
    x, held = jnp.asarray(words), jax.tree.map(jnp.array, [params, tx.init(params)])

    def iterate() -> None:
        held[:] = jax.block_until_ready(train(*held, x))

    iterate()  # compiles
    return iterate


def measure(name: str, rounds: int, sizes: Sizes | None = None) -> timing.Ratio:
    """Optax's time for an iteration over ours; each library's arrays are made first in half of the rounds."""
    times: dict[str, list[np.ndarray]] = {"ours": [], "optax": []}
    for order in (["ours", "optax"], ["optax", "ours"]):
        made = {who: iteration_of(tj if who == "ours" else optax, name, sizes or Sizes()) for who in order}
        for who, found in timing.rounds(made, -(-rounds // 2), lambda: None).items():
            times[who].append(found)
        del made
        gc.collect()
    return timing.ratio(*(np.concatenate(times[who]) for who in ("optax", "ours")))


@click.command()
@click.option("--rules", default=",".join(OPTAX), help="Names of optax, with commas between.")
@click.option("--rounds", type=click.IntRange(2), default=10, show_default=True, help="Interleaved rounds.")
@click.option("--quick", is_flag=True, help="Of a tiny model: to try the program.")
def main(rules: str, rounds: int, quick: bool) -> None:
    """Whole iterations (forward, backward, clip, step) inside one jitted function, as optax's time over ours: above 1, ours is
    faster."""
    if unknown := set(rules.split(",")) - set(OPTAX):
        raise click.BadParameter(f"{', '.join(sorted(unknown))}: wanted of {', '.join(OPTAX)}")
    print(machine(CORES))
    for name in rules.split(","):
        with Console(stderr=True).status(name):
            ratio = measure(name, rounds, Sizes(64, 8, 16, 1, 2) if quick else Sizes())
        print(f"| `{name}` | {ratio} |", flush=True)


if __name__ == "__main__":
    main()
