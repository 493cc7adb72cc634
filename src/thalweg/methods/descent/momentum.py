"""Momentum: the heavy ball, and Nesterov's look-ahead."""

from thalweg.core.stage import chain
from thalweg.form.hyper import Decay, Fraction, NonNegative
from thalweg.ops import off
from thalweg.rule import around, recipe, rule
from thalweg.stages.decay import decay


@rule(lr=1e-2, search=(1e-4, 1e0))
def momentum(g, v=0.0, *, mu: Decay = 0.9, dampening: Fraction = 0.0):
    """Momentum (Polyak 1964, USSR Comp. Math. Math. Phys. 4:1; Rumelhart, Hinton & Williams 1986, Nature 323:533).

    From sgd: the steps go along v, a decaying sum of all gradients, in place of the last gradient alone.
    dampening = mu makes v an average of the gradients, with an effective rate 1 - mu times the undamped one.
    The rate multiplies the buffer; the papers' is inside, `chain(learning_rate(), momentum())`: another optimizer if it changes.
    Differs from torch.optim.SGD: with dampening, that takes the first gradient whole (`undamped_momentum` of
    `thalweg.dialects.variants`).
    """
    v = mu * v + (g if off(dampening) else (1 - dampening) * g)
    return v, v


@recipe(lr=1e-2, search=(1e-4, 1e0))
def sgdw(*, mu: Decay = 0.9, weight_decay: NonNegative = 0.01):
    """SGDW (Loshchilov & Hutter 2019, arXiv 1711.05101, algorithm 1): momentum with decoupled weight decay.

    From momentum: the weights decay directly, not through the gradient and its sum.
    The decay is multiplied by the learning rate, as in timm; in the paper only by its schedule. timm's form with Nesterov's
    look-ahead is `chain(nesterov(), decay(0.01))`.
    """
    return chain(momentum(mu), decay(weight_decay))


@around
def look_ahead(p, lr, v=0.0, *, mu: Decay = 0.9):
    """Nesterov's method as published: the gradient at w - lr mu v (Sutskever et al. 2013, ICML, equations 3 and 4)."""
    _, g = yield p - lr * mu * v
    v = mu * v + g
    return v, v


@rule(lr=1e-2, search=(1e-4, 1e0), given_grad_fn=look_ahead)
def nesterov(g, v=0.0, *, mu: Decay = 0.9):
    """Nesterov's accelerated gradient (Nesterov 1983; shifted form: Bengio et al. 2012, arXiv 1212.0901, equation 7).

    From momentum: the gradient is taken where the momentum is about to lead.
    The parameter, at which the gradient is taken, is the shifted point W = w - lr mu v. If `step` is given a `grad_fn`, the
    look-ahead itself runs instead, from w; it gives the same sequence, shifted back.
    """
    v = mu * v + g
    return g + mu * v, v
