"""TAM: momentum that a gradient across its way hardly turns."""

from thalweg.form.hyper import Decay, NonNegative
from thalweg.form.memory import per_tensor
from thalweg.ops import mix, norm, ratio, total
from thalweg.rule import rule


@rule(lr=1e-2, search=(1e-4, 1e0))
def tam(g, m=0.0, s=per_tensor, *, beta: Decay = 0.9, gamma: Decay = 0.9, eps: NonNegative = 1e-8):
    """TAM (Malviya et al. 2024, arXiv 2412.18790): torque-aware momentum, here of each tensor by itself.

    From momentum: a gradient that points along the momentum enters it with more weight than one that points against it.
    s is the average of the cosines of gradient and momentum; the gradient enters the momentum times (1 + s) / 2 + eps.
    """
    s = mix(s, ratio(total(m * g), norm(m) * norm(g)), gamma)
    m = beta * m + ((1 + s) / 2 + eps) * g
    return m, m, s
