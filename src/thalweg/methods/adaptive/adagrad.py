"""AdaGrad."""

from typing import Literal

from thalweg.form.hyper import EpsOrZero
from thalweg.ops import outside, over_root
from thalweg.rule import rule


@rule(lr=1e-2, search=(1e-3, 1e1))
def adagrad(
    g, grad, G=0.0, *, eps: EpsOrZero = outside(1e-8),
    accumulate: Literal["arriving", "raw"] = "arriving",
):  # fmt: skip
    """AdaGrad (Duchi, Hazan & Singer 2011, JMLR 12:2121, the diagonal form).

    With eps = 0, 0/0 counts as 0. accumulate="raw" sums the squares of the caller's gradient alone, so that a decay in front
    of the rule acts in the numerator only.
    Differs from optax and Keras: they put eps inside the root and start the sum at 0.1.
    """
    x = g if accumulate == "arriving" else grad
    G = G + x * x
    return over_root(g, G, eps), G
