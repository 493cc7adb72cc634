"""NorMuon and AdaMuon: Muon's direction, divided by a root of its own mean square."""

from thalweg.form.hyper import Count, Decay, NonNegative, Positive
from thalweg.form.memory import matrix, rows
from thalweg.methods.matrices.adafactor import rms as root_mean_square
from thalweg.ops import X, mix, orthogonal, outside, ratio, row_means, sign, sqrt
from thalweg.rule import rule


@rule(lr=2e-3, search=(1e-4, 1e0))
def normuon(
    g, M=matrix, v=rows, *, beta1: Decay = 0.95, beta2: Decay = 0.95, ns_steps: Count = 5, eps: NonNegative = 1e-8,
    rms: Positive = 0.2,
):  # fmt: skip
    """NorMuon (Li, Liu, Liang, Chen & Zhao 2025, arXiv 2510.05491, algorithm 1): Muon, with rows of equal size.

    From muon: each row of the orthogonal direction is divided by the root of its mean square over time.
    For matrices of (outputs, inputs). The whole is scaled to the root mean square 0.2, for learning rates of AdamW's size. The
    paper's decay is decoupled: `chain(normuon(), decay(0.1))`.
    """
    M = mix(M, g, beta1)
    O = polar(M, ns_steps)
    v = mix(v, row_means(O * O), beta2)
    return of_size(O / (sqrt(v) + eps), rms), M, v


@rule(lr=2e-3, search=(1e-4, 1e0))
def adamuon(
    g, M=matrix, V=matrix, *, beta: Decay = 0.95, ns_steps: Count = 5, eps: NonNegative = 1e-8, rms: Positive = 0.2,
    signed: bool = False,
):  # fmt: skip
    """AdaMuon (Si, Zhang & Shen 2025, arXiv 2507.11005, algorithm 1): Muon, with an adaptive rate for each entry.

    From muon and adam: each entry of the orthogonal direction is divided by the root of its mean square over time.
    For matrices. The whole is scaled to the root mean square 0.2, for learning rates of AdamW's size. signed=True makes the
    momentum's signs orthogonal, as its second version does: of a small matrix they have singular values of 0, which rounding
    then decides. The authors' code corrects V, which the scale cancels but for eps, and has a beta of its own for it. The
    paper's decay is decoupled: `chain(adamuon(), decay(0.1))`.
    """
    M = beta * M + g
    O = polar(sign(M) if signed else M, ns_steps)
    V = mix(V, O * O, beta)
    return of_size(O / (sqrt(V) + eps), rms), M, V


def polar(x: X, steps: X) -> X:
    """Return the orthogonal matrix nearest to x by Muon's iteration."""
    return orthogonal(x, steps, 3.4445, -4.7750, 2.0315, outside(1e-7), "own")


def of_size(x: X, rms: X) -> X:
    """Return a direction scaled to this root mean square, or 0 if it is 0."""
    return ratio(rms, root_mean_square(x)) * x
