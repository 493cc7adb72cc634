"""After-steps: where to take the next gradient, and which point to ship."""

from typing import Literal

from thalweg.form.hyper import Decay, NonNegative
from thalweg.form.memory import like_p, per_tensor, shipped
from thalweg.ops import maximum, mix, off, ratio, where
from thalweg.rule import after_step


@after_step
def schedule_free(z, t, lr, x=shipped(like_p), top=per_tensor, total=per_tensor, *, beta: Decay = 0.9, power: NonNegative = 0.0):
    """Schedule-free learning (Defazio et al. 2024, arXiv 2405.15682, equations 2-4, weighted as in its algorithm 1).

    z is the walked point, x the average of its places and the point to ship, and the gradient is taken between them.
    The first place weighs 1, as in that algorithm and the authors' code, so that x forgets where it began; c_(t+1) =
    1 / (t + 1), as beside the equations, is 1/2 there: it counts the beginning as a place.
    power: where the rate changes, as in a warm-up, a place counts as much as the largest rate so far to this power (2 in the
    paper's algorithm 1, of the rate itself; the authors' code has the largest); 0 counts all places alike.
    """
    if off(power):
        c = 1 / t
    else:
        top = maximum(top, lr**power)
        total = total + top
        c = ratio(top, total)
    x = mix(x, z, 1 - c)
    return mix(x, z, beta), x, top, total


@after_step
def average(z, t, x=shipped(like_p), *, beta: Decay = 0.999, start: Literal["p0", "first"] = "p0"):
    """An exponential moving average of the parameters, to ship (Polyak & Juditsky 1992, SIAM J. Control Optim. 30:838).

    The plain average of their work, `polyak_average`, gives each point the same weight; this one forgets at the rate beta.
    It begins at the parameters before the first step, and nothing corrects for that: of these there is 90 % in it after 100
    steps at 0.999. start="first" begins at the point after the first step, as torch's AveragedModel, which copies it.
    """
    x = mix(x, z, beta) if start == "p0" else where(t == 1, z, mix(x, z, beta))
    return z, x


@after_step
def polynomial_average(z, t, x=shipped(like_p), *, gamma: NonNegative = 8.0):
    """An average of the parameters with polynomial decay, to ship (Shamir & Zhang 2013, arXiv 1212.1824, section 3).

    The t-th point comes in with the weight (1 + gamma) / (t + gamma), so that the average is mostly of the latest share of
    all points, however many there are. 0 is the mean of all; DoG's authors ship it with 8.
    """
    x = mix(x, z, 1 - (1 + gamma) / (t + gamma))
    return z, x


@after_step
def polyak_average(z, t, x=shipped(like_p), *, t0: NonNegative = 0.0):
    """The mean of the points after step t0, to ship (Polyak & Juditsky 1992, SIAM J. Control Optim. 30:838).

    Until then it is the walked point itself.
    """
    mu = 1 / maximum(1.0, t - t0)
    return z, where(mu < 1, x + mu * (z - x), z)
