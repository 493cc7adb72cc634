"""Nero: neurons that turn by an angle, and stay balanced."""

from thalweg.core.compose import choose, is_matrix
from thalweg.form.hyper import Decay
from thalweg.form.memory import per_tensor, rows
from thalweg.ops import X, debias, mean, mix, ratio, row_means, sizes, sqrt, where
from thalweg.rule import recipe, rule


@recipe(lr=1e-2, search=(1e-4, 1e0))
def nero(*, beta: Decay = 0.999):
    """Nero (Liu, Bernstein, Meister & Yue 2021, arXiv 2102.07227, as in the authors' code): the neuronal rotator.

    From fromage: each neuron's weights have mean 0 and norm 1, and steps turn them by an angle.
    A neuron is a row of a matrix of (outputs, inputs). Rows are kept at mean 0 and norm 1, so that lr is the angle by which one
    turns; balance them before the first gradient. A vector's entries move by lr times their mean size at the start, or 0.01.
    """
    return choose((is_matrix, nero_matrix(beta)), otherwise=nero_vector(beta)).named("nero", None)


@rule(step=True)
def nero_matrix(g, t, p, lr, v=rows, *, beta: Decay = 0.999):
    """Nero's step of a matrix (Liu, Bernstein, Meister & Yue 2021, arXiv 2102.07227, as in the authors' code).

    v is the average of the squared norms of the rows of gradients. A row that does not turn is not balanced either.
    """
    v = mix(v, row_squares(g), beta)
    turn = lr * sqrt(row_squares(p)) * ratio(g, sqrt(debias(v, beta, t)))
    centred = p - turn - row_means(p - turn)
    return where(row_squares(turn) == 0, 0.0 * g, p - ratio(centred, sqrt(row_squares(centred)))), v


def row_squares(x: X) -> X:
    """Return the squared norm of each row."""
    return sizes(x)[1] * row_means(x * x)


@rule
def nero_vector(g, t, p, v=0.0, scale=per_tensor, *, beta: Decay = 0.999):
    """Nero's step of a vector (Liu, Bernstein, Meister & Yue 2021, arXiv 2102.07227, as in the authors' code)."""
    v = mix(v, g * g, beta)
    size = mean(abs(p))
    scale = where(t == 1, where(size == 0, 0.01, size), scale)
    return scale * ratio(g, sqrt(debias(v, beta, t))), v, scale
