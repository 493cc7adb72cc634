"""What a direction and the gradient agree on."""

from typing import Annotated

from thalweg.form.hyper import Eps, Places
from thalweg.ops import at_least, maximum, mean, sign
from thalweg.rule import rule


@rule
def cautious(g, grad, *, eps: Annotated[Eps, Places(("at_least", "outside"))] = at_least(1e-3)):
    """Cautious (Liang, Chen, Liu & Liu 2024, arXiv 2411.16085, algorithm 1): only where direction and gradient have one sign.

    A tensor's direction is 0 elsewhere, and divided by the share of its entries that remain, which counts as 1e-3 at least, as in
    the authors' code. `chain(adam(), cautious(), decay(0.01))` is their C-AdamW, `chain(lion(), cautious())` C-Lion.
    Differs from the paper: eps=outside(1 / n) for n entries, its xi = 1.
    """
    agrees = maximum(sign(g) * sign(grad), 0.0)
    return g * agrees / eps.beside(mean(agrees))


@rule
def gradient_sign(g, grad):
    """The direction's size with the gradient's sign (Cao, Li, Liang, Sha, Shi, Song, Xia & Zhou 2024, arXiv 2412.17107).

    `chain(adam(), gradient_sign())` is Grams.
    """
    return sign(grad) * abs(g)
