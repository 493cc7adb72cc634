"""After the step: where to look next, and what to ship."""

from thalweg.hyper import Decay, NonNegative
from thalweg.memory import like_p, per_tensor
from thalweg.ops import maximum, mix, off, ratio, where
from thalweg.rule import after_step


@after_step
def schedule_free(z, t, lr, x=like_p, top=per_tensor, total=per_tensor, *, beta: Decay = 0.9, power: NonNegative = 0.0):
    """Schedule-free learning (Defazio et al. 2024, arXiv 2405.15682, equations 2-4).

    z is the walked point, x the average of its places and the point to ship, and the gradient is taken between them.
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
def average(z, x=like_p, *, beta: Decay = 0.999):
    """An exponential moving average of the parameters, to ship (Polyak & Juditsky 1992, SIAM J. Control Optim. 30:838).

    The plain average of their work, `polyak_average`, gives each point the same weight; this one forgets at the rate beta.
    """
    x = mix(x, z, beta)
    return z, x


@after_step
def polyak_average(z, t, x=like_p, mu=per_tensor(1.0), *, t0: NonNegative = 0.0, ahead: bool = False):
    """The mean of the points after step t0, to ship (Polyak & Juditsky 1992, SIAM J. Control Optim. 30:838).

    Until then it is the walked point itself. ahead: a step's weight is worked out one step before; so torch has it.
    """
    mu_t = 1 / maximum(1.0, t - t0)
    if ahead:
        mu_t, mu = mu, mu_t
    x = where(mu_t < 1, x + mu_t * (z - x), z)
    return z, x, mu
