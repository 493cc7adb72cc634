"""Shampoo and SOAP: a preconditioner on each side of a matrix."""

from thalweg.form.hyper import Count, Decay, Eps, Positive
from thalweg.form.memory import matrix, square, square_of_cols
from thalweg.ops import (
    col_products,
    debias,
    eigenvectors,
    every_kth,
    inverse_root,
    maximum,
    mix,
    outside,
    over_debiased_root,
    row_products,
    turn,
    turn_back,
    where,
)  # fmt: skip
from thalweg.rule import rule


@rule(lr=1e-1, search=(1e-3, 1e1))
def shampoo(g, L=square, R=square_of_cols, *, eps: Positive = 1e-4):
    """Shampoo (Gupta, Koren & Singer 2018, arXiv 1802.09568, algorithm 1): full-matrix AdaGrad, factored into two sides.

    From adagrad: a matrix's gradient is divided by the roots of two matrices, one for its rows and one for its columns.
    For matrices, which are a tensor's last two axes: L and R are sums of G G^T and G^T G, the step is
    (eps I + L)^(-1/4) G (eps I + R)^(-1/4). Both roots are computed in each step, from all eigenvalues.
    """
    L = L + row_products(g)
    R = R + col_products(g)
    return turn(inverse_root(L, 4, eps), g, inverse_root(R, 4, eps)), L, R


@rule(lr=3e-3, search=(1e-4, 1e0))
def soap(
    g, t, L=square, R=square_of_cols, QL=square, QR=square_of_cols, M=matrix, V=matrix, *, f: Count = 10, beta1: Decay = 0.95,
    beta2: Decay = 0.95, eps: Eps = outside(1e-8, raw=True),
):  # fmt: skip
    """SOAP (Vyas, Morwani, Zhao, Shapira, Brandfonbrener, Janson & Kakade 2024, arXiv 2409.11321, algorithm 3).

    From shampoo and adam: Adam runs in the coordinates of Shampoo's eigenvectors.
    For matrices, which are a tensor's last two axes. The eigenvectors are computed in full from the first gradient, whose step
    moves nothing, as in the authors' code, and improved in every f-th step after it by one orthogonal iteration (algorithm 4).
    Their signs do not matter; but those of an eigenvalue that comes twice, such as 0 where a side exceeds the first gradient's
    rank by 2, are arbitrary and do. The code also sorts them by estimated eigenvalues in these steps. The decay:
    `chain(soap(), decay(0.01))`.
    """
    M = where(t == 1, M, mix(M, g, beta1))
    G = turn(QL, g, QR)
    V = mix(V, G * G, beta2)
    moves = maximum(t - 1, 1)
    N = over_debiased_root(debias(turn(QL, M, QR), beta1, moves), V, beta2, moves, eps)
    step = turn_back(QL, N, QR)
    L = mix(L, row_products(g), beta2)
    R = mix(R, col_products(g), beta2)
    QL = eigenvectors(L, QL, every_kth(t, f), t == 1)
    QR = eigenvectors(R, QR, every_kth(t, f), t == 1)
    return step, L, R, QL, QR, M, V
