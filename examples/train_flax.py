"""Compare optimizers on a Flax NNX network: the trial's optimizer goes into `nnx.Optimizer`.

python examples/train_flax.py
"""

import jax
import jax.numpy as jnp
import optax
from flax import nnx
from sklearn.datasets import load_digits

from thalweg import lab

images, digits = load_digits(return_X_y=True)
x, y = jnp.asarray(images / 16, jnp.float32), jnp.asarray(digits)


class Network(nnx.Module):
    def __init__(self, rngs):
        self.hidden, self.out = nnx.Linear(64, 32, rngs=rngs), nnx.Linear(32, 10, rngs=rngs)

    def __call__(self, x):
        return self.out(nnx.relu(self.hidden(x)))


def loss_of(model, x, y):
    return optax.softmax_cross_entropy_with_integer_labels(model(x), y).mean()


@nnx.jit
def step(model, optimizer, x, y):
    optimizer.update(model, nnx.grad(loss_of)(model, x, y))


def train(trial):
    """Digits with a Flax network."""
    model = Network(nnx.Rngs(trial.seed))
    optimizer = nnx.Optimizer(model, trial.optimizer(nnx.state(model, nnx.Param)), wrt=nnx.Param)
    for i, key in enumerate(jax.random.split(jax.random.key(trial.seed), 40)):
        pick = jax.random.randint(key, (32,), 0, 1000)
        step(model, optimizer, x[pick], y[pick])
        if i % 10 == 0:
            trial.report(i, validation=accuracy(model, slice(1000, 1400)))
    return {"validation": accuracy(model, slice(1000, 1400)), "test": accuracy(model, slice(1400, None))}


def accuracy(model, part):
    return float((model(x[part]).argmax(-1) == y[part]).mean())


if __name__ == "__main__":
    print(lab.compare(train, rules=["adam", "muon"], budget=2, seeds=2, out="results"))
