"""PSGD Kron: a preconditioner on each side of a matrix, fitted on a Lie group."""

from thalweg.form.hyper import Decay, Positive
from thalweg.form.memory import identity, identity_of_cols, matrix
from thalweg.methods.matrices.adafactor import rms
from thalweg.ops import (
    X,
    col_products,
    debias,
    inverse,
    matmul,
    minimum,
    mix,
    row_products,
    spectral_norm,
    turn,
    turn_back,
    upper,
)  # fmt: skip
from thalweg.rule import rule


@rule(lr=1e-3, search=(1e-5, 1e-1))
def psgd_kron(
    g, t, noise, m=matrix, QL=identity, QR=identity_of_cols, *, beta: Decay = 0.9, fit_rate: Positive = 0.1,
    max_rms: Positive = 1.1,
):  # fmt: skip
    """PSGD-Kron (Li 2024, arXiv 2402.11858, Kronecker factors; Walters' code, github.com/evanatyourservice/kron_torch).

    From sgd: two triangular factors, fitted by gradient steps of their own, whiten a matrix's gradient from both sides.
    For matrices, which are a tensor's last two axes: the step is P_L M P_R, where P = Q^T Q is fitted so that it whitens the
    average of gradients M. Q_L and Q_R are triangular; each step moves them on their group, at `fit_rate`, by what A and B,
    the gradient and a normal draw in their coordinates, differ in. A step's root mean square is max_rms at most. The code
    fits in fewer and fewer steps, chosen at random, takes a lower bound for the spectral norm, and balances the sizes of Q_L
    and Q_R.
    """
    m = mix(m, g, beta)
    M = debias(m, beta, t)
    A, B = turn_back(QL, M, QR), turn(inverse(QL), noise, inverse(QR))
    QL = fitted(QL, row_products(A), row_products(B), fit_rate)
    QR = fitted(QR, col_products(A), col_products(B), fit_rate)
    step = turn(QL, turn_back(QL, M, QR), QR)
    return minimum(1.0, max_rms / rms(step)) * step, m, QL, QR


def fitted(Q: X, a: X, b: X, rate: X) -> X:
    """Return Q after a step on the group of triangular matrices, down the criterion whose gradient there is a - b."""
    return Q - rate / spectral_norm(a + b) * matmul(upper(a - b), Q)
