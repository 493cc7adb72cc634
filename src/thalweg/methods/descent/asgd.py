"""Averaged stochastic gradient descent."""

from thalweg.core.stage import chain
from thalweg.form.hyper import NonNegative
from thalweg.rule import recipe
from thalweg.stages.after import polyak_average
from thalweg.stages.decay import decay
from thalweg.stages.learning_rate import fading_rate


@recipe(lr=1e-2, search=(1e-3, 1e1))
def asgd(*, lam: NonNegative = 1e-4, alpha: NonNegative = 0.75, t0: NonNegative = 0.0):
    """ASGD, averaged SGD (Polyak & Juditsky 1992, SIAM J. Control Optim. 30:838; the rate: Bottou 2010, COMPSTAT).

    From sgd: the mean of the points is shipped, and the rate falls with time.
    Gradient descent on the loss + lam / 2 |p|^2 with a decreasing rate, lr / (1 + lam lr (t - 1))^alpha. The point to ship is
    the mean of the points after step t0. Bottou begins the mean after the first epoch.
    Differs from torch: `late_asgd` of `thalweg.dialects.variants`, as it works out the rate and the mean's weight one step
    before they are used, so that a schedule acts, and the mean begins, one step late; t0=1e6, so that a shorter run ships
    its last point.
    """
    return chain(decay(lam), fading_rate(lam, alpha), polyak_average(t0))
