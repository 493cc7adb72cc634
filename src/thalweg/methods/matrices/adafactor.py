"""Adafactor: Adam's second moment factored into rows and columns, and steps relative to the parameter."""

from typing import Annotated

from thalweg.core.compose import choose, is_matrix
from thalweg.core.stage import chain
from thalweg.form.hyper import Former, NonNegative, Places, Positive, Range, Real
from thalweg.form.memory import cols, rows
from thalweg.ops import Epsilon, X, col_means, inside, maximum, mean, minimum, mix, off, ratio, row_means, sqrt
from thalweg.rule import recipe, rule
from thalweg.stages.decay import decay

Exponent = Annotated[float, Range(high=0)]
"""x <= 0."""
Within = Annotated[Epsilon, Range(0), Places(("inside", "at_least"))]
"""x >= 0, added to the squares, or the lower bound of their means and roots."""
FORMER = {"eps_place": Former("eps1=at_least(...), or inside(...)", "eps1_place", {"squares": "inside", "floor": "at_least"})}


@recipe(lr=1e-2, search=(1e-4, 1e0), former=FORMER)
def adafactor(
    *, beta2_decay: Exponent = -0.8, eps1: Within = inside(1e-30), eps2: NonNegative = 1e-3, d: Positive = 1.0,
    weight_decay: NonNegative = 0.0, relative_step: bool = True, parameter_scale: bool = True,
    offset: Real = 0.0,
):  # fmt: skip
    """Adafactor (Shazeer & Stern 2018, arXiv 1804.04235, algorithms 4 and 5): Adam's second moment in sublinear memory.

    From adam: v is kept as one number for each row and each column, and the step scaled by the size of the parameter.
    The memory is the mean square of each row and column of a matrix, and of each coordinate of a vector. The step is alpha =
    max(eps2, RMS(p)) rho, where rho = min(lr, 1/sqrt(t)) and the paper's lr is 0.01; parameter_scale=False leaves out the first
    factor, relative_step=False the 1/sqrt(t). An update with an RMS above d is scaled down to d. The decay is decoupled. eps1
    is added to g^2, as in the paper; `at_least(eps1)` keeps the mean square of a matrix's rows, and the root that divides the
    update, at eps1 or more. offset: the number of steps that the averages do not count, and after which they
    start anew, for fine-tuning that continues from a state.
    Differs from torch: it has at_least(eps1), of the dtype's epsilon (2.2e-16 in float64, 1.2e-7 in float32).
    Differs from optax: relative_step=False; it factors only where both sides are 128 or more, takes the two longest axes
    where we take the last two (`arranged` takes others), rounds beta2 to float32 and does not multiply the decay by lr.
    """
    options = (beta2_decay, eps1, eps2, d, relative_step, parameter_scale, offset)
    core = choose((is_matrix, adafactor_matrix(*options)), otherwise=adafactor_vector(*options))
    return chain(core.named("adafactor", None), decay(weight_decay))


@rule(step=True, former=FORMER)
def adafactor_matrix(
    g, t, p, lr, R=rows, C=cols, *, beta2_decay: Exponent = -0.8, eps1: Within = inside(1e-30), eps2: NonNegative = 1e-3,
    d: Positive = 1.0, relative_step: bool = True, parameter_scale: bool = True,
    offset: Real = 0.0,
):  # fmt: skip
    """Adafactor for weight matrices (Shazeer & Stern 2018, arXiv 1804.04235, algorithm 4), the last two axes of a tensor."""
    beta2 = kept(t, beta2_decay, offset)
    squares = eps1.under(g * g)
    R = mix(R, row_means(squares), beta2)
    C = mix(C, col_means(squares), beta2)
    V = ratio(R, eps1.beside(col_means(R))) * C
    U = ratio(g, eps1.beside(sqrt(V)))
    alpha = step_size(p, t, lr, eps2, relative_step, parameter_scale)
    return alpha * U / maximum(1.0, rms(U) / d), R, C


@rule(step=True, former=FORMER)
def adafactor_vector(
    g, t, p, lr, V=0.0, *, beta2_decay: Exponent = -0.8, eps1: Within = inside(1e-30), eps2: NonNegative = 1e-3,
    d: Positive = 1.0, relative_step: bool = True, parameter_scale: bool = True,
    offset: Real = 0.0,
):  # fmt: skip
    """Adafactor for weight vectors (Shazeer & Stern 2018, arXiv 1804.04235, algorithm 5); for a tensor of any shape."""
    beta2 = kept(t, beta2_decay, offset)
    V = mix(V, eps1.under(g * g), beta2)
    U = ratio(g, eps1.beside(sqrt(V)))
    alpha = step_size(p, t, lr, eps2, relative_step, parameter_scale)
    return alpha * U / maximum(1.0, rms(U) / d), V


def kept(t: X, beta2_decay: X, offset: X) -> X:
    """Return the share of an average that a step keeps: none at the first that counts and before it, more and more later."""
    return 1 - (t if off(offset) else maximum(t - offset, 1.0)) ** beta2_decay


def step_size(p: X, t: X, lr: X, eps2: X, relative_step: bool, parameter_scale: bool) -> X:
    """Return the step size, relative to the parameter's own size."""
    rho = minimum(lr, 1 / sqrt(t)) if relative_step else lr
    return maximum(eps2, rms(p)) * rho if parameter_scale else rho


def rms(x: X) -> X:
    """The root of the mean square of a tensor's elements."""
    return sqrt(mean(x * x))


def clipped(x: X, d: X) -> X:
    """Return a tensor with a root mean square of d at most."""
    return x / maximum(1.0, rms(x) / d)
