"""MADGRAD: dual averaging with a cube root."""

from thalweg.form.hyper import Decay, Positive
from thalweg.form.memory import like_p
from thalweg.ops import sqrt
from thalweg.rule import rule


@rule(lr=1e-2, search=(1e-4, 1e0), step=True)
def madgrad(g, t, p, lr, s=0.0, nu=0.0, x0=like_p, *, mu: Decay = 0.9, eps: Positive = 1e-6):
    """MADGRAD (Defazio & Jelassi 2021, arXiv 2101.11075, algorithm 1): momentum on dual averaging in a cube root's scale.

    The sums of the gradients and of their squares, both weighted by lr sqrt(t), give a point z relative to the first point, x0;
    the parameter moves a share 1 - mu of the way to z. A decay in front of the rule enters its sums; one behind it is undone by
    the later steps.
    Differs from the authors' code and optax: they add eps to lr, too; optax rounds lr sqrt(t) to float32.
    """
    weight = lr * sqrt(t)
    s = s + weight * g
    nu = nu + weight * g * g
    z = x0 - s / (nu ** (1 / 3) + eps)
    return (1 - mu) * (p - z), s, nu, x0
