"""AdEMAMix: Adam with a second, slow average of the gradients; simplified, with the gradient itself as the fast one."""

from thalweg.form.hyper import Decay, Eps, NonNegative
from thalweg.ops import debias, exp, log, maximum, minimum, mix, off, outside, over_debiased_root, ratio, where
from thalweg.rule import rule


@rule(lr=1e-3, search=(1e-4, 1e0))
def ademamix(
    g, t, m1=0.0, m2=0.0, v=0.0, *, beta1: Decay = 0.9, beta2: Decay = 0.999, beta3: Decay = 0.9999, alpha: NonNegative = 5.0,
    eps: Eps = outside(1e-8), T: NonNegative = 0.0,
):  # fmt: skip
    """AdEMAMix (Pagliardini, Ablin & Grangier 2024, arXiv 2409.03137, algorithm 1, without its weight decay).

    From adam: a second, much slower average of gradients is added to the first.
    The slow average is not corrected for its start at 0. Over the first T steps alpha rises from 0 in equal steps, and
    beta3 from beta1 so that its half-life does; with T = 0 both begin at their final values. In the paper, T is the whole run.
    The decay: `chain(ademamix(), decay(0.1))`.
    Differs from optax: T is left to the caller's schedules for b3 and alpha, which it hands t - 1.
    """
    if not off(T):
        risen = ratio(t, T)
        end = log(maximum(beta3, 1e-30))  # of a beta3 of 0 too, to which nothing rises
        rising = exp(end / ((1 - risen) * end / log(beta1) + risen))
        alpha, beta3 = where(t < T, risen * alpha, alpha), where(t < T, minimum(beta3, rising), beta3)
    m1 = mix(m1, g, beta1)
    m2 = mix(m2, g, beta3)
    v = mix(v, g * g, beta2)
    return over_debiased_root(debias(m1, beta1, t) + alpha * m2, v, beta2, t, eps), m1, m2, v


@rule(lr=1e-4, search=(1e-6, 1e-2))
def simplified_ademamix(
    g, t, m=0.0, v=0.0, *, beta1: Decay = 0.99, beta2: Decay = 0.95, alpha: NonNegative = 0.0,
    eps: Eps = outside(1e-8),
):  # fmt: skip
    """Simplified AdEMAMix (Morwani, Vyas, Zhang & Kakade 2025, arXiv 2502.02431): a slow sum, and the gradient as the fast one.

    From ademamix: the fast average is the gradient itself, and the slow one is a sum.
    m is a sum, not an average, and is not corrected for its start at 0: the rate should be about 1 - beta1 times that of Adam;
    with the default alpha = 0 it then is Adam without its first correction. alpha is the weight of the gradient beside m; the
    authors use a larger one for a smaller batch, up to some hundreds with a beta1 nearer to 1. The decay:
    `chain(simplified_ademamix(), decay(0.1))`.
    """
    m = beta1 * m + g
    v = mix(v, g * g, beta2)
    return over_debiased_root(m + alpha * g, v, beta2, t, eps), m, v
