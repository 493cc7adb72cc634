"""AggMo: the mean of several momenta."""

from thalweg.form.hyper import Decay
from thalweg.rule import rule


@rule(lr=1e-2, search=(1e-4, 1e0))
def aggmo(g, v2=0.0, v3=0.0, *, beta2: Decay = 0.9, beta3: Decay = 0.99):
    """AggMo (Lucas, Sun, Zemel & Grosse 2019, arXiv 1804.00325, algorithm 1), with three velocities.

    From momentum: the step is the mean of several momenta with memories of different length.
    The step is the mean of three momenta of different length, so that a long one cannot oscillate alone. As in the paper,
    beta_i = 1 - 0.1^(i-1): the first beta is 0, and its velocity is the gradient.
    """
    v2, v3 = beta2 * v2 + g, beta3 * v3 + g
    return (g + v2 + v3) / 3, v2, v3
