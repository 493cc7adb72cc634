"""Eve: Adam with a rate that depends on the loss."""

import math
from typing import Literal

from thalweg.form.hyper import Decay, LeastLoss, Positive
from thalweg.form.memory import per_model
from thalweg.ops import clip, debias, minimum, mix, sqrt, where
from thalweg.rule import rule


@rule(lr=1e-3, search=(1e-4, 1e0))
def eve(
    g, t, loss, m=0.0, v=0.0, f=per_model(math.inf), d=per_model(1.0), *,
    beta1: Decay = 0.9, beta2: Decay = 0.999, beta3: Decay = 0.999, c: Positive = 10.0, fstar: LeastLoss = 0.0,
    eps: Positive = 1e-8, version: Literal["v3", "v1"] = "v3", k: Positive = 0.1, K: Positive = 10.0,
):  # fmt: skip
    """Eve (Hayashi, Koushik & Neubig 2016-2018, arXiv 1611.01505 v3, algorithm 1; its first form is version="v1").

    From adam: the rate is divided by how much the loss has changed between steps.
    f* is the smallest possible loss; the paper uses 0 for squared error and cross-entropy. If the loss is f*, d is 1 if the
    loss did not change and c if it did; below f*, d is 1 / c. v1 needs positive losses.
    The authors' public code is of the first form, and takes f over the loss before as it was; of v3 none is public.
    """
    m = mix(m, g, beta1)
    v = mix(v, g * g, beta2)
    first = f == math.inf
    if version == "v3":
        f, d = loss, where(first, 1.0, mix(d, feedback(loss, f, c, fstar), beta3))
        return debias(m, beta1, t) / (d * (sqrt(debias(v, beta2, t)) + eps)), m, v, f, d
    reached = where(first, loss, f * feedback_v1(loss, f, k, K))
    r = abs(reached - f) / minimum(reached, f)
    d = where(first, 1.0, mix(d, r, beta3))
    return debias(m, beta1, t) / (d * sqrt(debias(v, beta2, t)) + eps), m, v, reached, d


def feedback(loss, f, c, fstar):
    """Return the relative change of the loss above f*, clipped to [1 / c, c]."""
    moved, left = abs(loss - f), minimum(loss, f) - fstar
    d = where((moved == 0) & (left == 0), 1.0, moved / left)
    return clip(d, 1 / c, c)


def feedback_v1(loss, f, k, K):
    """Return the first form's factor on the smoothed loss: in [k + 1, K + 1] if the loss rose, else its inverse."""
    up = loss >= f
    return clip(loss / f, where(up, k + 1, 1 / (K + 1)), where(up, K + 1, 1 / (k + 1)))
