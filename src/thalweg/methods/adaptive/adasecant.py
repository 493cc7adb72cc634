"""AdaSecant: a rate for each parameter from secants, without a learning rate to tune."""

import math
from typing import Literal

from thalweg.form.hyper import Count, Decay, NonNegative, Positive
from thalweg.form.memory import per_tensor
from thalweg.ops import clip, maximum, minimum, norm, off, sqrt, total, where
from thalweg.rule import rule

E = 1e-7  # the authors' damping: in every initial value, in the norms, in tau


@rule(lr=1.0, search=(1e-3, 1e1))
def adasecant(
    g, t, mg=E, mg2=E, gn=E, gd=E, cov=E, gt=E, gp=E, a=E, a2=E, tau=2.1 * (1 + E), prod=1 - 2 * E, dx=0.0, dx2=0.0, ss=0.0,
    norm2=per_tensor(E), *, variant: Literal["2014", "2017"] = "2017", decay: Decay = 0.95, slow_decay: Decay = 0.995,
    gamma_clip: float | None = None, gamma_reg: NonNegative = 1e-6, start_var_reduction: Count = 1,
    use_adagrad: bool | None = None, delta_clip: float | None = None, eps: Positive = 1e-7,
):  # fmt: skip
    """AdaSecant (Gulcehre & Bengio 2014, arXiv 1412.7419; Gulcehre, Sotelo, Moczulski & Bengio 2017, arXiv 1703.00788).

    From adadelta: the rate is the change of the point over the change of the gradient, and the gradient's variance is reduced.
    There are two forms, which its authors published as code. A tensor is one block: its gradient is divided by its norm (2014)
    or a running norm (2017). The step is the secant rate times a variance-reduced gradient. The averages have an adaptive
    memory of tau steps, which is short after an outlier. gamma_clip, use_adagrad, delta_clip: None means the value in the form's
    code (1.8, no, none; none, yes, 25); 0 means none. lr = 1 is the published method, which has no learning rate.
    Differs from the papers: the code pairs a step with the change of gradient before it, and the 2017 code averages
    the norm of the gradient already divided by it.
    """
    later = variant == "2017"
    gamma_clip = (0.0 if later else 1.8) if gamma_clip is None else gamma_clip
    delta_clip = (25.0 if later else 0.0) if delta_clip is None else delta_clip
    use_adagrad = later if use_adagrad is None else use_adagrad

    def over_tau(average, x):
        return (1 - 1 / tau) * average + x / tau

    if later:
        norm2 = where(t == 1, total(g * g), norm2)
        g = g / (sqrt(norm2 / (1 - slow_decay**t)) + E)
        norm2 = slow_decay * norm2 + (1 - slow_decay) * total(g * g)
        prod = prod * (1 - 1 / tau)
        mg, mg2, unbias = over_tau(mg, g), over_tau(mg2, g * g), 1 - prod
    else:
        g = g / (norm(g) + E)
        mg, mg2, unbias = decay * mg + (1 - decay) * g, decay * mg2 + (1 - decay) * g * g, 1.0
    Eg, Eg2 = mg / unbias, mg2 / unbias
    DX2, DX = where(t == 1, g * g, dx2), where(t == 1, g, dx)
    gamma = sqrt(gn) / (sqrt(gd + E) + (gamma_reg if later else 0.0))
    gamma = gamma if off(gamma_clip) else minimum(gamma, bound(gamma_clip))
    gn = over_tau(gn, ((g - gt) * (gt - Eg)) ** 2)
    gd = over_tau(gd, ((Eg - g) * (gt - Eg)) ** 2)
    g_tilde = where(t >= start_var_reduction, (g + gamma * Eg) / (1 + gamma), g)
    alpha = g - gp
    a, a2 = over_tau(a, alpha), over_tau(a2, alpha * alpha)
    secant = sqrt(DX2 + eps) / sqrt(a2 + eps) - cov / (a2 + eps)
    secant = secant if off(delta_clip) else clip(secant, -bound(delta_clip), bound(delta_clip))
    delta = -secant * g_tilde
    if use_adagrad:
        ss = ss + g_tilde * g_tilde
        delta = delta / maximum(sqrt(ss), 1.0)
    tau_next = (1 - DX * DX / (DX2 + E)) * tau + 1 + E
    dx2, dx, cov = over_tau(DX2, delta * delta), over_tau(DX if later else dx, delta), over_tau(cov, delta * alpha)
    far = outlier(g, Eg, Eg2) | outlier(alpha, a / unbias, a2 / unbias)
    short = where(tau_next > 2.5, 2.5, tau_next + 1 + E) if later else 2.2
    tau = clip(where(far, short, tau_next), 1.5, 1e7 if later else 1e8)
    return -delta, mg, mg2, gn, gd, cov, g_tilde, g, a, a2, tau, prod, dx, dx2, ss, norm2


def bound(clip):
    """Return where to clip: nowhere for 0."""
    return where(clip == 0, math.inf, clip)


def outlier(x, mean, square):
    """Whether x is more than two standard deviations from the mean; the variance may come out slightly negative."""
    return abs(x - mean) > 2 * sqrt(maximum(square - mean * mean, 0.0))
