"""Rprop: the gradient's sign only, with a step size per coordinate."""

from thalweg.form.hyper import Decay, Positive
from thalweg.ops import clip, sign, where
from thalweg.rule import rule


@rule(lr=1e-2, search=(1e-4, 1e0), step=True)
def rprop(
    g, lr, prev=0.0, size=-1.0, last=0.0, *, eta_minus: Decay = 0.5, eta_plus: Positive = 1.2, size_min: Positive = 1e-6,
    size_max: Positive = 50.0, backtracking: bool = False,
):  # fmt: skip
    """Rprop (Riedmiller & Braun 1993, ICNN; without weight-backtracking: Igel & Huesken 2000, iRprop-).

    For whole batches. lr is the first step size; from then on each grows while its gradient keeps its sign, and
    shrinks, with a rest, where the sign turns. lr = 0 moves nothing. A step size below 0
    has not begun.
    Differs from the paper: there, a turn of the sign takes the last step back, as backtracking=True does; the rest is
    torch.optim.Rprop's.
    Differs from optax: its steps come one update late, and a turn of the sign drops the one that waits.
    """
    turned = sign(g * prev)
    size = where(size < 0, lr, size)
    grown, shrunk = clip(eta_plus * size, size_min, size_max), clip(eta_minus * size, size_min, size_max)
    size = where(turned > 0, grown, where(turned < 0, shrunk, clip(size, size_min, size_max)))
    g = where(turned < 0, 0.0, g)
    step = sign(lr) * sign(g) * size
    if backtracking:
        step = last = where(turned < 0, -sign(lr) * last, step)
    return step, g, size, last
