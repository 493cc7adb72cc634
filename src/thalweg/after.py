"""After the step: where to look next, and what to ship."""

from thalweg.hyper import Decay, NonNegative
from thalweg.memory import like_p, per_tensor
from thalweg.ops import maximum, mix, where
from thalweg.rule import after_step


@after_step
def schedule_free(z, t, x=like_p, *, beta: Decay = 0.9):
    """Schedule-free learning (Defazio et al. 2024, arXiv 2405.15682, equations 2-4).

    z is the walked point, x the average of its places and the point to ship, and the gradient is taken between them.
    """
    x = mix(x, z, 1 - 1 / t)
    return mix(x, z, beta), x


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
