"""AdaHessian: Adam with the Hessian's diagonal in the place of the gradient's squares."""

from typing import Annotated

from thalweg.form.hyper import Decay, Eps, Fraction, Interval, Places
from thalweg.ops import debias, every_kth, mix, outside, row_means, sqrt, where
from thalweg.rule import rule

Beside = Annotated[Eps, Places(("outside", "at_least"))]
"""x > 0, added to the divisor, or its lower bound."""


@rule(lr=1.5e-1, search=(1e-3, 1e1))
def adahessian(
    g, t, curvature, m=0.0, v=0.0, *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Beside = outside(1e-4),
    power: Fraction = 1.0, average: bool = False, k: Interval = 1,
):  # fmt: skip
    """AdaHessian (Yao, Gholami, Shen, Mustafa, Keutzer & Mahoney 2020, arXiv 2006.00719, algorithm 1).

    From adam: v averages the squared curvature of each coordinate in place of the squared gradient.
    The root of an average of the curvature's squares, to `power`, divides the momentum. The curvature is estimated as for
    `sophia`, in steps 1, k + 1, 2k + 1, ...; the paper does so in each. average=True takes the mean of each row of a matrix
    of (outputs, inputs), the paper's spatial averaging: `choose((is_matrix, adahessian(average=True)), otherwise=adahessian())`.
    """
    m = mix(m, g, beta1)
    D = row_means(curvature) if average else curvature
    v = where(every_kth(t, k), mix(v, D * D, beta2), v)
    return debias(m, beta1, t) / eps.beside(sqrt(debias(v, beta2, t)) ** power), m, v
