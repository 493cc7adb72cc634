"""Dion: orthonormal steps of low rank, from one power iteration a step."""

from thalweg.form.hyper import Count, Decay, NonNegative
from thalweg.form.memory import matrix, random_factor
from thalweg.ops import col_means, matmul, orthonormal, sizes, sqrt, transposed
from thalweg.rule import rule


@rule(lr=2e-2, search=(1e-4, 1e0))
def dion(g, M=matrix, Q=random_factor("rank"), *, mu: Decay = 0.95, rank: Count = 768, eps: NonNegative = 1e-8):
    """Dion (Ahn, Xu, Abreu, Fan, Magakyan, Sharma, Zhan & Langford 2025, arXiv 2504.05295, algorithm 1).

    From muon: the orthogonal direction is found in a few directions only, by power iteration, which can be distributed.
    Distributed orthonormalization, for matrices of (outputs, inputs), which are a tensor's last two axes: P Q^T approximates
    the orthogonal matrix nearest to the momentum B in `rank` of its directions, or in all if there are no more. What is not
    in the step stays in M whole, of the rest the share mu. Q starts as a normal draw. eps is added to the norms of R's
    columns, as in the authors' code. The decay: `chain(dion(), decay(0.01))`.
    """
    B = M + g
    P = orthonormal(matmul(B, Q))
    R = matmul(transposed(B), P)
    M = B - (1 - mu) * matmul(P, transposed(R))
    Q = R / (sqrt(sizes(R)[0] * col_means(R * R)) + eps)
    m, n = sizes(g)
    return sqrt(m / n) * matmul(P, transposed(Q)), M, Q
