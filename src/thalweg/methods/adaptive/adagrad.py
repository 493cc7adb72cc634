"""AdaGrad, by coordinate and for the whole model."""

from typing import Literal

from thalweg.form.hyper import EpsOrZero, Positive
from thalweg.form.memory import per_model
from thalweg.ops import model_total, outside, over_root, sqrt
from thalweg.rule import rule


@rule(lr=1e-2, search=(1e-3, 1e1))
def adagrad(g, grad, G=0.0, *, eps: EpsOrZero = outside(1e-8), accumulate: Literal["arriving", "raw"] = "arriving"):
    """AdaGrad (Duchi, Hazan & Singer 2011, JMLR 12:2121, the diagonal form).

    From sgd: each coordinate's gradient is divided by the root of the sum of all its squares so far.
    With eps = 0, 0/0 counts as 0. accumulate="raw" sums the squares of the caller's gradient alone, so that a decay in front
    of the rule acts in the numerator only.
    Differs from optax and Keras: they put eps inside the root and start the sum at 0.1.
    """
    x = g if accumulate == "arriving" else grad
    G = G + x * x
    return over_root(g, G, eps), G


@rule(lr=1e-2, search=(1e-3, 1e1))
def adagrad_norm(g, S=per_model, *, b0: Positive = 0.1):
    """AdaGrad-Norm (Ward, Wu & Bottou 2018, arXiv 1806.01811, algorithm 1): one AdaGrad rate for the whole model.

    From adagrad: one sum, of the whole gradient's squared norms, in place of one for each coordinate.
    The rate is lr / b, where b^2 is b0^2 plus the sum S of all squared gradient norms, this step's included.
    """
    S = S + model_total(g * g)
    return g / sqrt(b0 * b0 + S), S
