"""Sign methods: the sign of a gradient, of its average, or of a mixture; every coordinate moves by the rate."""

from thalweg.form.hyper import Decay
from thalweg.ops import mix, sign
from thalweg.rule import rule


@rule(lr=1e-3, search=(1e-5, 1e-1))
def signsgd(g):
    """signSGD (Bernstein, Wang, Azizzadenesheli & Anandkumar 2018, arXiv 1802.04434, algorithm 1).

    Steps of one length, the rate, along the gradient's sign; where it is 0, none. optax.sign_sgd is the same.
    """
    return sign(g)


@rule(lr=1e-3, search=(1e-5, 1e-1))
def signum(g, m=0.0, *, beta: Decay = 0.9):
    """Signum (Bernstein, Wang, Azizzadenesheli & Anandkumar 2018, arXiv 1802.04434, algorithm 2).

    The sign of the gradients' average. Correcting the average for its start would change no sign, nor would a heavy
    ball in its place: `chain(momentum(), signsgd())`. optax.signum is the same.
    """
    m = mix(m, g, beta)
    return sign(m), m


@rule(lr=1e-4, search=(1e-5, 1e-1))
def lion(g, m=0.0, *, beta1: Decay = 0.9, beta2: Decay = 0.99):
    """Lion (Chen et al. 2023, arXiv 2302.06675, algorithm 2, without its weight decay).

    The sign of a mixture of the gradient and its average, where the average itself remembers longer. The algorithm's
    decay is decoupled, and larger than AdamW's as the rate is smaller: `chain(lion(), decay(0.1))`.
    Differs from optax: that has a decay of 1e-3 by default.
    """
    return sign(mix(m, g, beta1)), mix(m, g, beta2)
