"""Sign methods: the sign of a gradient, of its average, or of a mixture; every coordinate moves by the rate."""

from thalweg.form.hyper import Decay
from thalweg.ops import mix, sign
from thalweg.rule import rule


@rule(lr=1e-3, search=(1e-5, 1e-1))
def signsgd(g):
    """signSGD (Bernstein, Wang, Azizzadenesheli & Anandkumar 2018, arXiv 1802.04434, algorithm 1).

    Each coordinate's step is the rate times the sign of its gradient; it is 0 where the gradient is 0. optax.sign_sgd is
    the same.
    """
    return sign(g)


@rule(lr=1e-3, search=(1e-5, 1e-1))
def signum(g, m=0.0, *, beta: Decay = 0.9):
    """Signum (Bernstein, Wang, Azizzadenesheli & Anandkumar 2018, arXiv 1802.04434, algorithm 2).

    The direction is the sign of the average of the gradients. Neither a correction of the average for its start nor a heavy
    ball in its place, `chain(momentum(), signsgd())`, would change the sign. optax.signum is the same.
    """
    m = mix(m, g, beta)
    return sign(m), m


@rule(lr=1e-4, search=(1e-5, 1e-1))
def lion(g, m=0.0, *, beta1: Decay = 0.9, beta2: Decay = 0.99):
    """Lion (Chen et al. 2023, arXiv 2302.06675, algorithm 2, without its weight decay).

    The direction is the sign of a mixture of the gradient and its average; the average itself has a longer memory. The
    algorithm's decay is decoupled, and larger than AdamW's since the rate is smaller: `chain(lion(), decay(0.1))`.
    Differs from optax: it has a decay of 1e-3 by default.
    """
    return sign(mix(m, g, beta1)), mix(m, g, beta2)
