"""Compare optimizers on a training loop of your own in JAX: the trial's optimizer is an optax transformation.

python examples/train_jax.py
"""

import jax
import jax.numpy as jnp
import optax
from sklearn.datasets import load_digits

from thalweg import lab

images, digits = load_digits(return_X_y=True)
x, y = jnp.asarray(images / 16, jnp.float32), jnp.asarray(digits)


def scores(params, x):
    return jnp.tanh(x @ params["hidden"]) @ params["out"]


def loss(params, x, y):
    return optax.softmax_cross_entropy_with_integer_labels(scores(params, x), y).mean()


def accuracy(params, part):
    return float((scores(params, x[part]).argmax(-1) == y[part]).mean())


def train(trial):
    """Digits with one hidden layer."""
    a, b, key = jax.random.split(jax.random.key(trial.seed), 3)
    params = {"hidden": jax.random.normal(a, (64, 32)) / 8, "out": jax.random.normal(b, (32, 10)) / 6}
    tx = optax.chain(optax.clip_by_global_norm(1.0), trial.optimizer(params))
    state = tx.init(params)

    @jax.jit
    def step(params, state, key):
        pick = jax.random.randint(key, (32,), 0, 1000)
        grads = jax.grad(loss)(params, x[pick], y[pick])
        updates, state = tx.update(grads, state, params)
        return optax.apply_updates(params, updates), state

    for i, own in enumerate(jax.random.split(key, 80)):
        params, state = step(params, state, own)
        if i % 20 == 0:
            trial.report(i, validation=accuracy(params, slice(1000, 1400)))
    return {"validation": accuracy(params, slice(1000, 1400)), "test": accuracy(params, slice(1400, None))}


if __name__ == "__main__":
    print(lab.compare(train, rules=["adam", "lion"], schedule="cosine", budget=3, seeds=3, out="results"))
