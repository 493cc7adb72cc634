"""SPlus: signs in the coordinates of Shampoo's eigenvectors."""

from thalweg.core.compose import choose, is_matrix
from thalweg.core.stage import chain
from thalweg.form.hyper import Count, Decay, NonNegative, Positive
from thalweg.form.memory import matrix, square, square_of_cols
from thalweg.methods.descent.signs import signum
from thalweg.ops import col_products, eigenvectors, every_kth, mix, row_products, sign, sizes, turn, turn_back, where
from thalweg.rule import recipe, rule
from thalweg.stages.after import average
from thalweg.stages.decay import decay


@recipe(lr=1e-1, search=(1e-3, 1e1))
def splus(
    *, beta1: Decay = 0.9, beta2: Decay = 0.999, T: Count = 100, weight_decay: NonNegative = 0.01, beta: Decay = 0.999,
    factor: Positive = 1e-3,
):  # fmt: skip
    """SPlus (Frans, Levine & Abbeel 2025, arXiv 2506.07254, algorithm 1): a stable whitening optimizer.

    From shampoo and signum: in the coordinates of the eigenvectors only signs are used, and an average of the points is shipped.
    For matrices the signs of the momentum in eigenvectors' coordinates, `whitened_sign`, by `symmetric_scale`; for
    vectors the momentum's signs, `signum`, by `factor`. The point to ship is an average over beta, corrected for its start;
    in the authors' code, of the points before their decay.
    """
    direction = choose((is_matrix, whitened_sign(beta1, beta2, T)), otherwise=signum(beta1))
    scale = choose((is_matrix, symmetric_scale()), otherwise=scaled(factor))
    return chain(direction, decay(weight_decay), scale, average(beta, "corrected"))


@rule
def whitened_sign(
    g, t, M=matrix, L=square, R=square_of_cols, QL=square, QR=square_of_cols, *, beta1: Decay = 0.9, beta2: Decay = 0.999,
    T: Count = 100,
):  # fmt: skip
    """SPlus' direction (Frans, Levine & Abbeel 2025, arXiv 2506.07254, algorithm 1): Q_L sign(Q_L^T M Q_R) Q_R^T.

    For matrices, which are a tensor's last two axes: M, L and R average G, G G^T and G^T G, and Q_L and Q_R are the
    eigenvectors of L and R as they were after step 1, or after the last step that T divides. In step 1 the direction is
    sign(M).
    """
    M = mix(M, g, beta1)
    U = where(t == 1, sign(M), turn_back(QL, sign(turn(QL, M, QR)), QR))
    L, R = mix(L, row_products(g), beta2), mix(R, col_products(g), beta2)
    due = (t == 1) | every_kth(t + 1, T)
    return U, M, L, R, eigenvectors(L, QL, due, due), eigenvectors(R, QR, due, due)


@rule
def symmetric_scale(g):
    """SPlus' scale of a matrix's step (Frans, Levine & Abbeel 2025, arXiv 2506.07254, section 4.2): 2 / (rows + columns).

    One rate then serves layers of all widths.
    """
    m, n = sizes(g)
    return 2 / (m + n) * g


@rule
def scaled(g, *, factor: Positive = 1e-3):
    """A constant factor (SPlus' for vectors is 1e-3: Frans, Levine & Abbeel 2025, arXiv 2506.07254)."""
    return factor * g
