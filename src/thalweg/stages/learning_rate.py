"""The learning rate as a stage."""

from thalweg.form.hyper import NonNegative
from thalweg.rule import rule


@rule(step=True)
def learning_rate(g, lr):
    """Apply the learning rate here, not at the end: `chain(learning_rate(), momentum())` keeps it inside the buffer.

    This is momentum as in Rumelhart, Hinton & Williams 1986; under a schedule, each old gradient keeps the rate of its step.
    """
    return lr * g


@rule(step=True)
def fading_rate(g, t, lr, *, lam: NonNegative = 1e-4, alpha: NonNegative = 0.75):
    """Apply the learning rate here, fading: lr / (1 + lam lr (t - 1))^alpha (Bottou 2010, COMPSTAT).

    lam is the least curvature, that of an L2 penalty; alpha = 1 suits the last point, 3/4 an average of all.
    """
    return lr / (1 + lam * lr * (t - 1)) ** alpha * g
