"""AdaShift: Adam whose second moment comes from gradients that are no longer in the first."""

from thalweg.form.hyper import Count, Decay, Eps
from thalweg.form.memory import per_coordinate
from thalweg.ops import debias, join, maximum, mix, outside, over_root, single, split, stack, where
from thalweg.rule import rule


@rule(lr=1e-3, search=(1e-4, 1e0))
def adashift(
    g, t, v=0.0, last=per_coordinate("n"), *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Eps = outside(1e-10), n: Count = 10
):  # fmt: skip
    """AdaShift (Zhou, Zhang, Lu, Wang, Zhang & Yu 2019, arXiv 1810.00143, algorithm 1), without a spatial operation.

    From adam: the gradient that enters v is n steps older than those that enter m.
    m is a weighted mean of the n newest, which last holds: memory for n parameters. So m and v are independent. There are no
    steps before there is a v. Its correction and the epsilon are the authors' code's: where the gradient of n steps before is
    the first that is not 0, a step is about a whole rate, and where all were 0, it is m / eps.
    """
    window = split(last, n)
    old, newest = single(window[0]), join(*window[1:], stack(g))
    m, weights = 0.0, 0.0
    for i, each in enumerate(split(newest, n)):
        weight = beta1 ** (n - 1 - i)
        m, weights = m + weight * single(each), weights + weight
    v = where(t > n, mix(v, old * old, beta2), v)
    return where(t > n, over_root(m / weights, debias(v, beta2, maximum(t - n, 1)), eps), 0.0 * g), v, newest
