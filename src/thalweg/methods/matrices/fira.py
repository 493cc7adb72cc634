"""Fira: Adam in the leading subspace of the gradient, and the rest of the gradient at Adam's rates."""

from thalweg.form.hyper import Count, Decay, Eps, NonNegative, Positive
from thalweg.form.memory import per_tensor, projected, projector
from thalweg.ops import (
    debias,
    every_kth,
    leading,
    lift,
    minimum,
    mix,
    norm,
    outside,
    over_debiased_root,
    project,
    ratio,
    short_means,
    sqrt,
    where,
)  # fmt: skip
from thalweg.rule import rule


@rule(lr=1e-2, search=(1e-4, 1e0))
def fira(
    g, t, P=projector("rank"), m=projected("rank"), v=projected("rank"), size=per_tensor, *, rank: Count = 128, T: Count = 200,
    scale: NonNegative = 1.0, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Eps = outside(1e-6), limit: Positive = 1.01,
):  # fmt: skip
    """Fira (Chen, Feng, Li, Lai, Yue, Yuan & Wang 2024, arXiv 2410.01623, algorithm 1): full-rank steps at the memory of GaLore.

    From galore: what the projection leaves of the gradient is added, at the rate Adam has inside it.
    For matrices, which are a tensor's last two axes: as `galore`, and what the subspace leaves of the gradient is added, each
    channel of the longer side at the rate that Adam's step in the subspace has over the gradient in there. From step to step the
    norm of this rest grows by `limit` at most, unless it was 0. scale is GaLore's, 1 in the paper's equations; in the code it
    multiplies all that comes back from the subspace, and so here. The decay: `chain(fira(), decay(0.01))`.
    Differs from the authors' code: there the norms are limited before Adam's bias correction, and eps is raw.
    """
    P = leading(g, P, every_kth(t, T))
    R = project(P, g)
    m = mix(m, R, beta1)
    v = mix(v, R * R, beta2)
    N = over_debiased_root(debias(m, beta1, t), v, beta2, t, eps)
    S = sqrt(ratio(short_means(N * N), short_means(R * R))) * (g - scale * lift(P, R))
    length = norm(S)
    kept = where(size == 0, length, minimum(length, limit * size))
    return scale * lift(P, N) + ratio(kept, length) * S, P, m, v, kept
