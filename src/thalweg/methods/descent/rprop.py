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

    From sgd: only signs are used: a coordinate's step grows while its gradient keeps its sign, and shrinks when it turns.
    The method is for full batches. lr is the first step size of each coordinate. The step size grows while the gradient keeps
    its sign; if the sign changes, it shrinks, and the coordinate makes no step. lr = 0 moves nothing. In the memory, a size below
    0 means that there is none yet.
    Differs from the paper: there, a change of sign takes the last step back, as backtracking=True does; the default is
    torch.optim.Rprop's.
    Differs from optax: its steps come one update late, and a change of sign drops the delayed step.
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
