"""Compare the learned optimizer with hand-designed ones, on functions like those it was trained on.

python examples/learned.py

128 random quadratics |W theta - y|^2 run as lanes of one optimizer. Each rival tries 17 learning rates, as further lanes, and its
best one is shown. The learned optimizer has no learning rate to choose.
"""

import numpy as np

import thalweg as tw

PROBLEMS, STEPS = 128, 100
draw = np.random.default_rng(2016)
W, y = draw.standard_normal((PROBLEMS, 10, 10)), draw.standard_normal((PROBLEMS, 10))


def value_and_gradient(theta):
    """f and its gradient; theta has the shape (rates, problems, 10)."""
    miss = np.einsum("nij,rnj->rni", W, theta) - y
    return (miss**2).sum(-1), 2 * np.einsum("nij,rni->rnj", W, miss)


def race(rule, rates):
    """The mean of f over the problems after each step: (steps, rates)."""
    optimizer = tw.Optimizer(rule, lr=np.repeat(rates, PROBLEMS), lanes=len(rates) * PROBLEMS)
    theta = np.zeros((len(rates) * PROBLEMS, 10))
    state = optimizer.init(theta)
    shape = (len(rates), PROBLEMS, 10)
    curve = []
    for _ in range(STEPS):
        _, gradient = value_and_gradient(theta.reshape(shape))
        theta, state = optimizer.step(theta, gradient.reshape(theta.shape), state)
        f, _ = value_and_gradient(theta.reshape(shape))
        curve.append(f.mean(-1))
    return np.array(curve)


print(f"mean f over {PROBLEMS} quadratics (at the start {(y**2).sum(-1).mean():.2f})\n")
print(f"{'':<10} {'best rate':>9}  10 steps  30 steps 100 steps")
for name in ("sgd", "momentum", "nesterov", "rmsprop", "adam", "learned"):
    rates = [1.0] if name == "learned" else np.logspace(-4, 0, 17)
    with np.errstate(over="ignore", invalid="ignore"):  # too high a rate diverges
        curve = race(tw.rules[name](), rates)
    best = np.nanargmin(curve[-1])
    rate = "none" if name == "learned" else f"{rates[best]:.3g}"
    print(f"{name:<10} {rate:>9}" + "".join(f"{curve[t - 1, best]:10.3f}" for t in (10, 30, 100)))
