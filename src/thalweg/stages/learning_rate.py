"""The learning rate as a stage."""

from thalweg.form.hyper import NonNegative
from thalweg.form.memory import per_tensor
from thalweg.ops import where
from thalweg.rule import rule


@rule(step=True)
def learning_rate(g, lr):
    """Apply the learning rate here, not at the end: `chain(learning_rate(), momentum())` keeps it inside the buffer.

    So Rumelhart, Hinton & Williams 1986 write momentum; under a schedule, old gradients keep the rate of their day.
    """
    return lr * g


@rule(step=True)
def fading_rate(g, t, lr, eta=per_tensor, *, lam: NonNegative = 1e-4, alpha: NonNegative = 0.75, ahead: bool = False):
    """Apply the learning rate here, fading: lr / (1 + lam lr (t - 1))^alpha (Bottou 2010, COMPSTAT).

    lam is the least curvature, that of an L2 penalty; alpha = 1 for the last point, 3/4 for an average of all.
    ahead: a step's rate is worked out, from the learning rate, one step before; so torch has it. eta = 0: not yet.
    """
    if ahead:
        return where(eta == 0, lr, eta) * g, lr / (1 + lam * lr * t) ** alpha
    return lr / (1 + lam * lr * (t - 1)) ** alpha * g, eta
