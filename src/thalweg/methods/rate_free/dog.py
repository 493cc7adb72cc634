"""DoG and its kin: a step size from the distance covered so far, without a rate to tune."""

from thalweg.form.hyper import NonNegative, Positive
from thalweg.form.memory import like_p, per_model, per_tensor
from thalweg.ops import X, maximum, model_total, ratio, sqrt, total
from thalweg.rule import rule


@rule(lr=1.0, search=(1e-2, 1e2))
def dog(g, p, x0=like_p, r=per_model, G=per_model, *, r_eps: Positive = 1e-6, eps: NonNegative = 1e-8, relative: bool = True):
    """DoG (Ivgi, Hinder & Carmon 2023, arXiv 2302.12022, equation DoG, made safe by eps): distance over gradients.

    From adagrad_norm: the largest distance from the first point takes the rate's place.
    The rate is the largest distance so far from the first point, x0, over the root of the sum of all squared gradient norms,
    both of the whole model. r_eps takes the place of the first distance, as a share of 1 + |x0|, or, with relative=False,
    as an absolute distance. The authors use an average that forgets: `chain(dog(), polynomial_average())`.
    """
    farthest, r, G = distance_over_gradients(model_total, g, p, x0, r, G, r_eps, relative)
    return ratio(farthest, sqrt(G + eps)) * g, x0, r, G


@rule(lr=1.0, search=(1e-2, 1e2))
def ldog(g, p, x0=like_p, r=per_tensor, G=per_tensor, *, r_eps: Positive = 1e-6, eps: NonNegative = 1e-8, relative: bool = True):
    """L-DoG (Ivgi, Hinder & Carmon 2023, arXiv 2302.12022, L-DoG): DoG for each tensor by itself.

    From dog: distances and gradients are those of each tensor by itself.
    """
    farthest, r, G = distance_over_gradients(total, g, p, x0, r, G, r_eps, relative)
    return ratio(farthest, sqrt(G + eps)) * g, x0, r, G


def distance_over_gradients(over, g: X, p: X, x0: X, r: X, G: X, r_eps: X, relative: bool) -> tuple[X, X, X]:
    """Return the distance for the step, the largest from x0 so far, and the sum of squared gradients; `over` reduces."""
    away = p - x0
    r = maximum(r, sqrt(over(away * away)))
    first = r_eps * (1 + sqrt(over(x0 * x0))) if relative else r_eps
    return maximum(r, first), r, G + over(g * g)


@rule(lr=1.0, search=(1e-2, 1e2))
def dowg(g, p, x0=like_p, r=per_model, v=per_model, *, r_eps: Positive = 1e-2, eps: NonNegative = 0.0):
    """DoWG (Khaled, Mishchenko & Jin 2023, arXiv 2305.16284, algorithm 1): distance over weighted gradients.

    From dog: the squared gradients are weighted by the squared distance.
    The distance is the largest from x0 so far, and at least r_eps.
    Differs from the authors' code and optax: they add eps=1e-4 to the root.
    """
    away = p - x0
    r = maximum(maximum(r, r_eps), sqrt(model_total(away * away)))
    v = v + r * r * model_total(g * g)
    return ratio(r * r, sqrt(v) + eps) * g, x0, r, v
