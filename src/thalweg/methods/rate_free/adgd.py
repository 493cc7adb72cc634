"""AdGD: gradient descent at the inverse of the curvature that its last step has met."""

import math

from thalweg.form.hyper import Positive
from thalweg.form.memory import like_p, per_model
from thalweg.ops import minimum, model_total, sqrt, where
from thalweg.rule import rule


@rule(lr=1.0, search=(1e-2, 1e2))
def adgd(g, p, before=like_p, previous=0.0, rate_before=per_model, growth=per_model(math.inf), *, first_rate: Positive = 1e-6):
    """AdGD (Malitsky & Mishchenko 2020, arXiv 1910.09529, algorithm 1): gradient descent without a rate, without descent.

    From sgd: the rate is found from how much the gradient changed over the last step.
    Times lr, it is |p - before| / (2 |g - previous|) over the whole model, and at most sqrt(1 + growth) times the last one,
    where growth is the ratio of the last two; the first is first_rate. Where the gradient has not changed it stays.
    """
    first = rate_before == 0
    moved, turned = p - before, g - previous
    way, bend = sqrt(model_total(moved * moved)), sqrt(model_total(turned * turned))
    curved = where(bend == 0, rate_before, minimum(sqrt(1 + growth) * rate_before, way / where(bend == 0, 1.0, 2 * bend)))
    rate = where(first, first_rate, curved)
    return rate * g, p, g, rate, where(first, math.inf, rate / where(first, 1.0, rate_before))
