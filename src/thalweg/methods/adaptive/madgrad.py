"""MADGRAD: dual averaging, or mirror descent, with a cube root."""

from thalweg.form.hyper import Decay, NonNegative, Positive
from thalweg.form.memory import like_p
from thalweg.ops import ratio, sqrt
from thalweg.rule import rule


@rule(lr=1e-2, search=(1e-4, 1e0), step=True)
def madgrad(g, t, p, lr, s=0.0, nu=0.0, x0=like_p, *, mu: Decay = 0.9, eps: Positive = 1e-6):
    """MADGRAD (Defazio & Jelassi 2021, arXiv 2101.11075, algorithm 1): momentum on dual averaging in a cube root's scale.

    From adagrad: a cube root in place of the square root, dual averaging from the first point, and momentum.
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


@rule(lr=1e-2, search=(1e-4, 1e0), step=True)
def mirror_madgrad(g, t, p, lr, nu=0.0, z=like_p, *, mu: Decay = 0.9, eps: NonNegative = 0.0):
    """Mirror MADGRAD (Defazio & Jelassi 2021, arXiv 2101.11075, in the authors' code alone): MADGRAD by mirror descent.

    From madgrad: steps from the last point in place of dual averaging from the first.
    nu is MADGRAD's sum of squares over sqrt(t), so that the steps of z grow with the cube root of t; the parameter moves a
    share 1 - mu of the way to z. A coordinate that has had no gradient stays.
    Differs from the authors' code: it adds eps to lr, too.
    """
    nu = sqrt((t - 1) / t) * nu + g * g
    z = z - lr * t ** (1 / 3) * ratio(g, nu ** (1 / 3) + eps)
    return (1 - mu) * (p - z), nu, z
