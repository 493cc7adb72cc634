"""L-BFGS: Newton steps with an inverse Hessian from the last steps and changes of the gradient."""

from typing import Any, Literal

from thalweg.form.hyper import Count, NonNegative, Share
from thalweg.form.memory import history
from thalweg.methods.curvature.line_search import Limits, strong_wolfe
from thalweg.ops import append, known, minimum, total, where
from thalweg.rule import around
from thalweg.values.symbols import Symbol


@around(lr=1.0, step=True, decides=True)
def lbfgs(
    p, t, lr, g=0.0, s=0.0, S=history("history_size"), Y=history("history_size"), *, history_size: Count = 10,
    line_search: Literal["strong_wolfe", "none"] = "strong_wolfe", c1: Share = 1e-4, c2: Share = 0.9,
    evaluations: Count = 25, min_curvature: NonNegative = 1e-10, tolerance: NonNegative = 1e-9,
):  # fmt: skip
    """L-BFGS (Nocedal 1980, Math. Comp. 35:773; Liu & Nocedal 1989, Math. Programming 45:503, algorithm 2.1).

    For losses without noise: `step` is given a `grad_fn`, and one step is one iteration, a direction and a line search
    along it (Nocedal & Wright 2006, algorithms 3.5, 3.6 and 7.4). S and Y hold the last steps and the changes of the
    gradient along them; a pair with y . s <= `min_curvature` is left out. The learning rate is the first step length tried:
    1 is Newton's; the very first step, for which there is no curvature yet, is at most min(1, 1 / ||g||_1) times as long.
    line_search="none" takes this step. `evaluations`: the largest number of points of one line search. On JAX it runs only
    outside of jit.
    Differs from torch.optim.LBFGS: its step() makes up to max_iter iterations, keeps 100 pairs, and has no line search by
    default; here a step is one iteration, with 10 pairs and a line search. With max_iter=1 and max_eval=evaluations they agree.
    Differs from torch.optim.LBFGS: the second point of a line search must be lower than the first, as in the book; torch
    asks that of the third on. When the evaluations are used up, the lowest acceptable point is taken, and a loss
    that is not finite counts as too high; torch takes the last point or none, which may be one with inf or NaN.
    """
    f, g_now = yield p
    y = g_now - g
    curved = known(total(y * s)) > known(min_curvature)
    S, Y = where(curved, append(S, s), S), where(curved, append(Y, y), Y)
    d = -inverse_hessian(S, Y, g_now)
    alpha = known(lr * where(t == 1, minimum(1.0, 1.0 / total(abs(g_now))), 1.0))
    if line_search == "strong_wolfe":
        alpha = yield from strong_wolfe(p, d, f, g_now, alpha, c1, c2, Limits(evaluations, tolerance))
    s = alpha * d
    return -s, g_now, s, S, Y


def inverse_hessian(S: Any, Y: Any, g: Any) -> Any:
    """Return H g, where H is the BFGS matrix from (s . y / y . y) I and the pairs (Nocedal & Wright, algorithm 7.4).

    Pairs that are still zero are skipped; without any other, H is I.
    """
    if isinstance(g, Symbol):
        return Symbol.of("inverse_hessian", S, Y, g)
    pairs = [(s, y, sy) for s, y in zip(S.rows(), Y.rows(), strict=True) if (sy := known(total(s * y))) > 0]
    if not pairs:
        return g
    alphas = []
    q = g
    for s, y, sy in reversed(pairs):
        alphas.append(known(total(s * q)) / sy)
        q = q - alphas[-1] * y
    _, y, sy = pairs[-1]
    r = sy / known(total(y * y)) * q
    for (s, y, sy), alpha in zip(pairs, reversed(alphas), strict=True):
        r = r + (alpha - known(total(y * r)) / sy) * s
    return r
