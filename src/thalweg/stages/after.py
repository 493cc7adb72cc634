"""After-steps: where to take the next gradient, and which point to ship."""

from typing import Literal

from thalweg.form.hyper import Count, Decay, Fraction, NonNegative
from thalweg.form.memory import like_p, per_tensor, shipped
from thalweg.ops import X, every_kth, floor, maximum, mix, off, ratio, where
from thalweg.rule import after_step


@after_step
def schedule_free(z, t, lr, x=shipped(like_p), top=per_tensor, total=per_tensor, *, beta: Decay = 0.9, power: NonNegative = 0.0):
    """Schedule-Free learning (Defazio et al. 2024, arXiv 2405.15682, equations 2-4, weighted as in its algorithm 1).

    z is the updated iterate, x the average of its values and the point to ship; the gradient is taken between them.
    The first iterate has weight 1, as in that algorithm and the authors' code, so that x forgets the initial point; the paper's
    c_(t+1) = 1 / (t + 1), beside the equations, is 1/2 there, since it includes the initial point.
    power: under a changing rate, such as a warm-up, an iterate's weight is the largest rate so far to this power (2 in the
    paper's algorithm 1, of the rate itself; the authors' code uses the largest); with 0 all weights are equal.
    """
    c, top, total = weight_of_new(t, lr, top, total, power)
    x = x + c * (z - x)  # where nothing moves, not by a rounding either
    return x + (1 - beta) * (z - x), x, top, total


def weight_of_new(t: X, rate: X, top: X, total: X, power: X) -> tuple[X, X, X]:
    """Return the newest point's share in the average, the largest rate so far to this power, and the sum of these."""
    if off(power):
        return 1 / t, top, total
    top = maximum(top, rate**power)
    total = total + top
    return ratio(top, total), top, total


@after_step
def average(z, t, x=shipped(like_p), *, beta: Decay = 0.999, start: Literal["p0", "first", "corrected"] = "p0"):
    """An exponential moving average of the parameters, to ship (Polyak & Juditsky 1992, SIAM J. Control Optim. 30:838).

    The plain average of their work, `polyak_average`, weights all points equally; this one forgets at the rate beta.
    It starts at the initial parameters, without bias correction: their weight is still 90 % after 100 steps at 0.999.
    start="first" starts at the point after the first step, as torch's AveragedModel, which copies it; "corrected" is an average
    of the points after steps alone, corrected for its start as Adam's are.
    """
    if start == "corrected":
        return z, mix(x, z, 1 - (1 - beta) / (1 - beta**t))
    x = mix(x, z, beta) if start == "p0" else where(t == 1, z, mix(x, z, beta))
    return z, x


@after_step
def polynomial_average(z, t, x=shipped(like_p), *, gamma: NonNegative = 8.0):
    """An average of the parameters with polynomial decay, to ship (Shamir & Zhang 2013, arXiv 1212.1824, section 3).

    The t-th point enters with weight (1 + gamma) / (t + gamma), so that the average covers the latest share of all points,
    however many there are. With 0 it is the mean of all; DoG's authors ship it with 8.
    """
    x = mix(x, z, 1 - (1 + gamma) / (t + gamma))
    return z, x


@after_step
def polyak_average(z, t, x=shipped(like_p), *, t0: NonNegative = 0.0):
    """The mean of the points after step t0, to ship (Polyak & Juditsky 1992, SIAM J. Control Optim. 30:838).

    Until then it is the updated iterate itself.
    """
    mu = 1 / maximum(1.0, t - t0)
    return z, where(mu < 1, x + mu * (z - x), z)


@after_step(resets=True)
def lookahead(z, t, x=shipped(like_p), *, k: Count = 5, alpha: Fraction = 0.5):
    """Lookahead (Zhang, Lucas, Hinton & Ba 2019, arXiv 1907.08610, algorithm 1): k steps forward, one back.

    x, the slow weights, which are the ones to ship, go the share alpha of the way to every k-th point of the rule, and the rule
    continues from there with the memory that it has: `chain(adam(), lookahead())`.
    """
    due = every_kth(t + 1, k)
    x = where(due, mix(x, z, 1 - alpha), x)
    return where(due, x, z), x


@after_step
def swa(z, t, x=shipped(like_p), *, start: NonNegative = 0.0, every: Count = 1):
    """SWA, stochastic weight averaging (Izmailov, Podoprikhin, Garipov, Vetrov & Wilson 2018, arXiv 1803.05407, algorithm 1).

    Ships the mean of the point after step `start` and of every `every`-th point from there on, one a cycle of the learning rate
    or one an epoch; until `start` the iterate itself. `polyak_average` is the mean of all points, without the one at `start`.
    """
    n = floor((t - start) / every)
    due = t - start - every * n == 0
    return z, where(t > start, where(due, x + (z - x) / (maximum(n, 0.0) + 1), x), z)
