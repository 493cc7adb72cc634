"""Sign methods: the sign of a gradient, of its average, or of a mixture; every coordinate moves by the rate."""

from thalweg.core.stage import chain
from thalweg.form.hyper import Decay, NonNegative
from thalweg.form.memory import like_p
from thalweg.ops import mix, sign
from thalweg.rule import recipe, rule
from thalweg.stages.decay import decay


@rule(lr=1e-3, search=(1e-5, 1e-1))
def signsgd(g):
    """signSGD (Bernstein, Wang, Azizzadenesheli & Anandkumar 2018, arXiv 1802.04434, algorithm 1).

    From sgd: only the gradient's sign is used, so that each coordinate moves by the rate, or not at all where that is 0.
    optax.sign_sgd is the same.
    """
    return sign(g)


@rule(lr=1e-3, search=(1e-5, 1e-1))
def signum(g, m=0.0, *, beta: Decay = 0.9):
    """Signum (Bernstein, Wang, Azizzadenesheli & Anandkumar 2018, arXiv 1802.04434, algorithm 2).

    From signsgd and momentum: the sign is that of an average of the gradients.
    Neither a correction of the average for its start nor a heavy ball in its place, `chain(momentum(), signsgd())`, would change
    it. optax.signum is the same.
    """
    m = mix(m, g, beta)
    return sign(m), m


@rule(lr=1e-4, search=(1e-5, 1e-1))
def lion(g, m=0.0, *, beta1: Decay = 0.9, beta2: Decay = 0.99):
    """Lion (Chen et al. 2023, arXiv 2302.06675, algorithm 2, without its weight decay).

    From signum: the sign is that of a mixture of the gradient and an average with a longer memory.
    The algorithm's decay is decoupled, and larger than AdamW's since the rate is smaller: `chain(lion(), decay(0.1))`.
    Differs from optax: it has a decay of 1e-3 by default.
    """
    return sign(mix(m, g, beta1)), mix(m, g, beta2)


@recipe(lr=1e-3, search=(1e-5, 1e-1))
def tiger(*, beta: Decay = 0.965, weight_decay: NonNegative = 0.01):
    """Tiger (Su 2023, github.com/bojone/tiger, basic form): Signum with decoupled weight decay, or Lion with equal betas.

    From signum: the weights decay directly.
    Su multiplies the rate by the root mean square of a matrix, and for biases and norms by 1/2, without a decay.
    Differs from the authors' code: it has these rates built in, by the parameters' names.
    """
    return chain(signum(beta), decay(weight_decay))


@rule(lr=1e-3, search=(1e-5, 1e-1))
def focus(
    g, t, p, m=0.0, centre=like_p, *, beta1: Decay = 0.9, beta2: Decay = 0.999, gamma: NonNegative = 0.1,
    weight_decay: NonNegative = 0.0,
):  # fmt: skip
    """FOCUS (Liu, Liu & Gore 2025, arXiv 2501.12243, algorithm 1): Signum that is drawn towards the average of its points.

    From signum: the step is also drawn towards centre, an average of the points so far; the decay is a multiple of centre.
    """
    m = mix(m, g, beta1)
    centre = centre + (1 - beta2) / (1 - beta2**t) * (p - centre)
    return sign(m) + gamma * sign(p - centre) + weight_decay * centre, m, centre
