"""GaLore: Adam in the leading subspace of the gradient."""

from thalweg.form.hyper import Count, Decay, Eps, NonNegative
from thalweg.form.memory import projected, projector
from thalweg.ops import debias, every_kth, leading, lift, mix, outside, over_debiased_root, project
from thalweg.rule import rule


@rule(lr=1e-2, search=(1e-4, 1e0))
def galore(
    g, t, P=projector("rank"), m=projected("rank"), v=projected("rank"), *, rank: Count = 128, T: Count = 200,
    scale: NonNegative = 0.25, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Eps = outside(1e-8),
):  # fmt: skip
    """GaLore (Zhao et al. 2024, arXiv 2403.03507, algorithm 2): Adam on a matrix's gradient as seen in `rank` directions.

    From adam: a matrix's gradient is projected on a few singular vectors, where Adam's averages are kept.
    For matrices, which are a tensor's last two axes: the shorter side is projected on the first `rank` singular vectors of
    the gradient (on all, if there are no more). These are computed in steps 1, T + 1, 2T + 1, ...; the moments are not turned
    to the new ones. They have rank times the longer side entries. The sign of a singular vector is arbitrary, but matters when
    the vectors are replaced: here the largest entry is positive. The decay: `chain(galore(), decay(0.01))`.
    Differs from optax: it has scale=1; it projects the longer side, on singular vectors in float32, with LAPACK's signs.
    """
    P = leading(g, P, every_kth(t, T))
    R = project(P, g)
    m = mix(m, R, beta1)
    v = mix(v, R * R, beta2)
    N = over_debiased_root(debias(m, beta1, t), v, beta2, t, eps)
    return scale * lift(P, N), P, m, v
