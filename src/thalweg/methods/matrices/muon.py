"""Muon: orthogonalized momentum."""

from typing import Annotated, Literal

from thalweg.form.hyper import Count, Decay, Former, Places, Positive, Range, Real
from thalweg.form.memory import matrix
from thalweg.ops import Epsilon, X, col_means, debias, maximum, mix, orthogonal, outside, row_means, sizes, sqrt
from thalweg.rule import rule

Beside = Annotated[Epsilon, Range(0), Places(("outside", "at_least"))]
"""x >= 0, added to the divisor, or its lower bound."""
FORMER = {"eps_place": Former("eps=at_least(...), or outside(...)", "eps_place", {"added": "outside", "floor": "at_least"})}


@rule(lr=2e-2, search=(1e-4, 1e0), former=FORMER)
def muon(
    g, t, B=matrix, *, mu: Decay = 0.95, nesterov: bool = True, momentum: Literal["ball", "average", "corrected"] = "ball",
    ns_steps: Count = 5, a: Real = 3.4445, b: Real = -4.7750, c: Real = 2.0315, eps: Beside = outside(1e-7),
    dtype: Literal["own", "bfloat16"] = "own",
    scale: Literal["original", "transposed", "match_rms_adamw", "none"] = "original", rms: Positive = 0.2,
    dual_norm: bool = False, preconditioning: Literal["frobenius", "spectral", "aol", "schatten"] = "frobenius",
    coefficients: tuple[tuple[float, float, float], ...] | None = None,
):  # fmt: skip
    """Muon (Jordan, Jin, Boza, You, Cesista, Newhouse & Bernstein 2024, kellerjordan.github.io/posts/muon).

    From momentum: a matrix's momentum is replaced by the nearest orthogonal matrix, so that all its directions move alike.
    For matrices, which are a tensor's last two axes, or the axes that `arranged` says; with another rule for the rest it is
    `choose((is_matrix, muon()), otherwise=adamw().at(lr=1e-3))`, or the recipe `muon_with_adamw`. The direction has the
    momentum's singular vectors, and its singular values near 1. momentum: the post's heavy ball; "average", as the authors' code
    has it, is a constant times that, which does not change the direction; "corrected" is the average as Nadam has it. scale:
    "original" is the code's sqrt(max(1, rows/columns)) for matrices of (outputs, inputs), "transposed" the same for (inputs,
    outputs), as JAX and thalweg.nn store them; "match_rms_adamw" rms sqrt(max(rows, columns)) (Liu et al. 2025, arXiv 2502.16982,
    equation 4), for learning rates of AdamW's size. dtype="bfloat16" iterates in bfloat16, as the post does; `at_least(eps)`
    divides by max(norm, eps). dual_norm multiplies by <momentum, direction>: steepest descent in the spectral norm (Bernstein &
    Newhouse 2024, arXiv 2409.20325). preconditioning: the divisor before the iteration, which is better the nearer it is to the
    spectral norm: the Frobenius norm; the "spectral" norm itself; with "aol", for each row of the shorter side, the root of its
    sum in |X X^T| (Boissin et al. 2025, arXiv 2512.04632); "schatten", the 4-norm of the singular values (Grishina et al. 2025,
    arXiv 2506.10935). coefficients: an (a, b, c) for each iteration, in place of ns_steps times the same (Amsel et al. 2025,
    arXiv 2505.16932).
    Differs from torch: it has momentum="average", eps=at_least(1e-7), dtype="bfloat16" and then decay(0.1).
    Differs from optax: it has momentum="corrected", eps=1e-8, scale="transposed".
    """
    if momentum == "ball":
        B = mu * B + g
        ahead = g + mu * B if nesterov else B
    else:
        B = mix(B, g, mu)
        ahead = looking_ahead(B, g, t, mu, nesterov, momentum == "corrected")
    O = orthogonal(ahead, ns_steps, a, b, c, eps, dtype, preconditioning, coefficients)
    if dual_norm:
        m, n = sizes(g)
        O = m * n * col_means(row_means(ahead * O)) * O
    return (O if scale == "none" else stretch(g, scale, rms) * O), B


def looking_ahead(B: X, g: X, t: X, mu: X, nesterov: bool, corrected: bool) -> X:
    """Return an average of gradients, or its next value if the next gradient equals this one."""
    if not nesterov:
        return debias(B, mu, t) if corrected else B
    return mu * debias(B, mu, t + 1) + (1 - mu) * debias(g, mu, t) if corrected else mix(B, g, mu)


def stretch(g: X, scale: str, rms: X) -> X:
    """Return the factor of a step that lets one learning rate serve matrices of all shapes."""
    m, n = sizes(g)
    if scale == "match_rms_adamw":
        return rms * sqrt(maximum(m, n))
    return sqrt(maximum(1.0, m / n if scale == "original" else n / m))
