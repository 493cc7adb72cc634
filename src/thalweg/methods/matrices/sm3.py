"""SM3: AdaGrad with memory per row and column."""

from typing import Literal

from thalweg.form.hyper import EpsOrZero
from thalweg.form.memory import slices
from thalweg.ops import inside, over_root, slice_max, slice_min
from thalweg.rule import rule


@rule(lr=1e-1, search=(1e-3, 1e1))
def sm3(g, mu=slices, *, version: Literal["II", "I"] = "II", eps: EpsOrZero = inside(0.0)):
    """SM3 (Anil, Gupta, Koren & Singer 2019, arXiv 1901.11150, algorithm SM3-II): AdaGrad in sublinear memory.

    From adagrad: the sum is kept once for each row and each column, and the smaller of the two divides.
    The cover is that of the paper's section 4: a tensor's slices along each axis. A matrix therefore has one number for each row
    and one for each column, and for a vector the rule is AdaGrad. The number is an upper bound on the sums of squares of the
    slice's entries: the largest of their estimates. An entry's estimate is the least number of its slices, plus its new square.
    version="I" adds up the largest squares instead, which is simpler and shortens the steps sooner. Where the sum is 0, nothing
    moves; eps is added to it under the root. The paper's momentum is an average of the steps:
    `chain(sm3(), momentum(0.9, dampening=0.9))`.
    Differs from optax: it has that momentum by default, and eps=1e-8.
    """
    if version == "II":
        nu = slice_min(mu, g) + g * g
        mu = slice_max(nu)
    else:
        mu = mu + slice_max(g * g)
        nu = slice_min(mu, g)
    return over_root(g, nu, eps), mu
