"""M-SVAG: momentum that is damped where the gradient is noisy."""

from thalweg.form.hyper import Decay
from thalweg.ops import debias, maximum, mix, ratio
from thalweg.rule import rule


@rule(lr=1e-2, search=(1e-3, 1e1))
def msvag(g, t, m=0.0, v=0.0, *, beta: Decay = 0.9):
    """M-SVAG (Balles & Hennig 2018, ICML, arXiv 1705.07774, algorithm M-SVAG): momentum by its signal to noise.

    From momentum: each coordinate's momentum is multiplied by a factor that falls with its noise.
    The factor is m^2 / (m^2 + rho s), where s = (v - m^2) / (1 - rho) estimates the gradient's variance, and rho s that of m:
    rho = (1 - beta) (1 + beta^t) / (1 + beta) / (1 - beta^t). Here it is divided by m^2, and rho / (1 - rho) is written out. With
    one gradient there is no variance to see, and the factor is 1.
    """
    m = mix(m, g, beta)
    v = mix(v, g * g, beta)
    mean = debias(m, beta, t)
    odds = ratio((1 - beta) * (1 + beta**t), 2 * (beta - beta**t))
    return mean / (1 + odds * maximum(ratio(debias(v, beta, t), mean * mean) - 1, 0.0)), m, v
