"""Stages around the step: methods that take several gradients."""

from thalweg.form.hyper import Count, Decay, NonNegative, Positive
from thalweg.ops import X, every_kth, known, maximum, norm, ratio, total
from thalweg.rule import around
from thalweg.values.symbols import Symbol


@around
def sam(p, *, rho: Positive = 0.05):
    """SAM, sharpness-aware minimization (Foret et al. 2021, arXiv 2010.01412, algorithm 1).

    `chain(sam(), sgd())`, stepped with `grad_fn=`: takes the gradient at the worst point within rho, to first order.
    """
    _, g = yield p
    _, g = yield p + rho * g / maximum(norm(g), 1e-12)  # the authors' guard for a zero gradient
    return g


@around
def asam(p, *, rho: Positive = 0.5, eta: NonNegative = 0.01):
    """ASAM, adaptive sharpness-aware minimization (Kwon, Kim, Park & Choi 2021, arXiv 2102.11600, algorithm 1).

    `chain(asam(), sgd())`, as `sam`: the worst point of an ellipsoid that is long where weights are large, so that scaling the
    weights of a layer, which a normalization undoes, does not change it. T is |p| + eta for every parameter; the authors' code
    has 1 for biases.
    """
    T = abs(p) + eta
    _, g = yield p
    _, g = yield p + rho * T * T * g / maximum(norm(T * g), 1e-12)
    return g


@around
def gsam(p, *, rho: Positive = 0.05, alpha: NonNegative = 0.4):
    """GSAM, surrogate gap guided sharpness-aware minimization (Zhuang et al. 2022, arXiv 2203.08065, algorithm 1).

    `chain(gsam(), sgd())`: from the gradient at the worst point it takes alpha times the part of the gradient here that is
    orthogonal to it, which closes the gap between both losses. The paper's rho falls with the learning rate: give it a schedule.
    """
    _, here = yield p
    _, g = yield p + rho * here / maximum(norm(here), 1e-12)
    return g - alpha * (here - ratio(total(here * g), total(g * g)) * g)


@around
def wsam(p, *, rho: Positive = 0.05, gamma: Decay = 0.9):
    """WSAM, weighted sharpness-aware minimization (Yue, Jiang, Ye, Gao, Liu & Zhang 2023, arXiv 2305.15817, equation 6).

    `chain(wsam(), sgd())`: minimizes the loss plus gamma / (1 - gamma) times the sharpness; with 0.5 it is `sam`. The rule sees
    the gradient of both together. The paper's algorithm 1 gives the rule the loss's gradient alone and adds that of the sharpness
    to its step, which is the same for gradient descent, and not for a rule with memory.
    """
    _, here = yield p
    _, g = yield p + rho * here / maximum(norm(here), 1e-12)
    return here + gamma / (1 - gamma) * (g - here)


@around(decides=True)
def looksam(p, t, v=0.0, *, rho: Positive = 0.1, k: Count = 10, alpha: NonNegative = 0.7):
    """LookSAM (Liu, Mai, Chen, Hsieh & You 2022, arXiv 2203.02714, algorithm 1): one gradient in most steps.

    `chain(looksam(), sgd())`: steps 1, k + 1, 2k + 1, ... are those of `sam`. v, the part of their gradient that is orthogonal to
    the one here, enters the steps between at alpha times the norm of theirs. On JAX it runs outside of jit.
    """
    _, g = yield p
    if looks(t, k):
        _, h = yield p + rho * g / maximum(norm(g), 1e-12)
        return h, h - ratio(total(g * h), total(g * g)) * g
    return g + alpha * ratio(norm(g), norm(v)) * v, v


def looks(t: X, k: X) -> bool:
    """Return whether a step looks for the worst point; its formula is that of one that does."""
    return isinstance(t, Symbol) or bool(known(every_kth(t, k)))
