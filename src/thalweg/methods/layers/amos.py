"""Amos: Adam-like rates and a decay that keep each tensor at a scale of its own."""

from thalweg.form.hyper import Decay, NonNegative, Positive
from thalweg.form.memory import per_tensor
from thalweg.ops import mean, mix, ratio, sqrt
from thalweg.rule import rule


@rule(lr=1e-3, search=(1e-5, 1e-1), step=True)
def amos(g, t, p, lr, v=per_tensor, b=per_tensor, *, scale: Positive = 1.0, beta: Decay = 0.999, zeta: NonNegative = 0.25):
    """Amos (Tian & Parikh 2022, arXiv 2210.11693, as in the authors' code): adaptive decay towards model-oriented scale.

    From adamw: v is one number for each tensor, the rate is in proportion to the size its entries shall have, and both fall.
    scale is eta, that size, which depends on the model: choose it by tensor, as in
    `choose((is_matrix, amos(0.1)), otherwise=amos(0.5))`. v is the average of a tensor's mean square gradient (in the code, of
    the axes that its shape_fn says), and b, which grows with the steps, lets rate and decay fall, faster the larger scale is.
    The authors' lr is about 1 over the root of the number of batches.
    """
    squares = mean(g * g)
    v = mix(v, squares, beta)
    inverse = ratio(1 - beta**t, v)
    gamma = lr * lr * inverse * squares / sqrt(1 + zeta * sqrt(lr) * b)
    fallen = 1 / (1 + zeta * sqrt(lr * scale) * b)
    return fallen * (lr * scale * sqrt(inverse) * g + gamma / 2 * p), v, b + gamma * (1 + b)
