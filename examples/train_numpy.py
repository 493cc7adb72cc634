"""Compare optimizers on a training loop of your own in NumPy, by hand: softmax regression on digits.

python examples/train_numpy.py
"""

import numpy as np
from sklearn.datasets import load_digits

from thalweg import lab

images, digits = load_digits(return_X_y=True)
x, y = images / 16, np.eye(10)[digits]


def probabilities(params, x):
    logits = x @ params["w"] + params["b"]
    grown = np.exp(logits - logits.max(1, keepdims=True))
    return grown / grown.sum(1, keepdims=True)


def accuracy(params, part):
    return (probabilities(params, x[part]).argmax(1) == digits[part]).mean()


def train(trial):
    """Digits, softmax regression."""
    rng = np.random.default_rng(trial.seed)
    params = {"w": 0.01 * rng.normal(size=(64, 10)), "b": np.zeros(10)}
    optimizer = trial.optimizer(params)  # updates the arrays in place
    schedule = trial.scheduler(optimizer)
    for step in range(trial.steps):
        pick = rng.integers(0, 1000, 32)
        error = (probabilities(params, x[pick]) - y[pick]) / 32
        optimizer.step({"w": x[pick].T @ error, "b": error.sum(0)})
        schedule.step()
        if step % 20 == 0:
            trial.report(step, validation=accuracy(params, slice(1000, 1400)))
    return {"validation": accuracy(params, slice(1000, 1400)), "test": accuracy(params, slice(1400, None))}


if __name__ == "__main__":
    print(lab.compare(train, rules=["sgd", "adam"], steps=60, budget=3, seeds=3, out="results"))
