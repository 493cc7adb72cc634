"""QHAdam: Adam whose averages are each averaged again with the newest gradient."""

from typing import Annotated

from thalweg.form.hyper import Decay, Eps, Fraction, Places
from thalweg.ops import debias, mix, outside, over_root
from thalweg.rule import rule

Corrected = Annotated[Eps, Places(("outside", "inside", "both", "at_least"))]


@rule(lr=1e-3, search=(1e-4, 1e0))
def qhadam(
    g, t, m=0.0, v=0.0, *, nu1: Fraction = 0.7, nu2: Fraction = 1.0, beta1: Decay = 0.995, beta2: Decay = 0.999,
    eps: Corrected = outside(1e-8),
):  # fmt: skip
    """QHAdam (Ma & Yarats 2019, arXiv 1810.06801, algorithm QHAdam).

    From adam and qhm: both averages, corrected, are mixed once more with the new gradient and its square.
    nu1 and nu2 are the shares of the averages. With nu1 = nu2 = 1 it is Adam, with nu1 = 0 it has no momentum. The defaults are
    those that the authors recommend in place of Adam's: a longer average, and three tenths of the gradient itself.
    Differs from the authors' code: nu1=1, beta1=0.9, which is Adam.
    """
    m = mix(m, g, beta1)
    v = mix(v, g * g, beta2)
    return over_root(mix(debias(m, beta1, t), g, nu1), mix(debias(v, beta2, t), g * g, nu2), eps), m, v
