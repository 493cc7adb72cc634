"""Clipping."""

from typing import Literal

from thalweg.form.hyper import Count, Decay, Positive
from thalweg.form.memory import per_tensor
from thalweg.ops import col_means, maximum, minimum, mix, norm, ratio, row_means, sizes, sqrt, where
from thalweg.rule import rule


@rule
def clip(g, gnorm, *, max_norm: Positive = 1.0):
    """Clipping by the global norm (Pascanu, Mikolov & Bengio 2013, arXiv 1211.5063, algorithm 1).

    Scales the directions so that their norm over the whole model is at most max_norm; a smaller norm stays unchanged.
    """
    return g * minimum(1.0, max_norm / gnorm)


@rule
def clip_each(g, *, max_norm: Positive = 1.0):
    """Clipping by each tensor's own norm (Pascanu, Mikolov & Bengio 2013, arXiv 1211.5063, algorithm 1, a tensor at a time)."""
    return g * minimum(1.0, max_norm / norm(g))


@rule
def agc(g, p, *, clipping: Positive = 0.01, eps: Positive = 1e-3, unit: Literal["row", "column", "tensor"] = "row"):
    """Adaptive gradient clipping (Brock, De, Smith & Simonyan 2021, arXiv 2102.06171, equation 3): by the parameter's norm.

    Each unit's gradient has at most clipping times the norm of its weights, or of eps if they are smaller. A unit is a row, for
    matrices of (outputs, inputs) as in torch, a column, for (inputs, outputs) as in Flax, or the whole tensor:
    `choose((is_matrix, agc()), otherwise=agc(unit="tensor"))`.
    """

    def size(x):
        if unit == "tensor":
            return norm(x)
        rows, columns = sizes(x)
        return sqrt(columns * row_means(x * x) if unit == "row" else rows * col_means(x * x))

    return g * minimum(1.0, clipping * maximum(size(p), eps) / size(g))


@rule
def adagc(
    g, t, gnorm, gamma=per_tensor, *, relative: Positive = 1.05, max_norm: Positive = 1.0, beta: Decay = 0.98, start: Count = 100
):  # fmt: skip
    """AdaGC (Wang et al. 2025, arXiv 2502.11034, algorithm 1): clipping by an average of each tensor's clipped norms.

    A tensor's norm is at most `relative` times gamma, that average. In the steps before `start`, and in the first, clipping is
    global, by max_norm, and gamma is the least norm so far, as clipped. If it is 0, because a tensor had no gradient in one of
    these steps, it remains 0.
    """
    size, early = norm(g), t < max(start, 2)
    share = where(early, minimum(1.0, max_norm / gnorm), minimum(1.0, ratio(relative * gamma, size)))
    kept = share * size
    gamma = where(early, where(t == 1, kept, minimum(gamma, kept)), mix(gamma, kept, beta))
    return share * g, gamma
