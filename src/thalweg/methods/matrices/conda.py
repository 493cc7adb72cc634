"""Conda: Adam in the coordinates of the momentum's singular vectors."""

from thalweg.form.hyper import Count, Decay, Eps
from thalweg.form.memory import basis, matrix
from thalweg.ops import debias, every_kth, leading, lift, mix, outside, over_debiased_root, project
from thalweg.rule import rule


@rule(lr=1e-3, search=(1e-5, 1e-1))
def conda(
    g, t, P=basis, M=matrix, V=matrix, *, T: Count = 2000, beta1: Decay = 0.9, beta2: Decay = 0.999,
    eps: Eps = outside(1e-8),
):  # fmt: skip
    """Conda (Wang, Zhou, Dong, Li, Li, Zhou, Lao, Fang & Lin 2025, arXiv 2509.24218, algorithm 1): column-normalized Adam.

    From galore: the momentum gives the singular vectors, and all of a side's, and Adam divides in their coordinates.
    For matrices, which are a tensor's last two axes: momentum and gradient are turned into the singular vectors of the momentum
    on its shorter side, where Adam's quotient is taken, and back. The vectors are computed in steps 1, T + 1, 2T + 1, .... The
    decay: `chain(conda(), decay(0.01))`.
    """
    M = mix(M, g, beta1)
    P = leading(M, P, every_kth(t, T))
    G = project(P, g)
    V = mix(V, G * G, beta2)
    return lift(P, over_debiased_root(debias(project(P, M), beta1, t), V, beta2, t, eps)), P, M, V
