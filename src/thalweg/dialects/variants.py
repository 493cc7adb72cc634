"""Rules in the form of a library, where no paper has that form; each differs from our rule of the paper as its name says."""

from thalweg.core.stage import chain
from thalweg.form.hyper import Decay, Eps, EpsOrZero, Fraction, NonNegative
from thalweg.form.memory import like_p, per_tensor, shipped
from thalweg.ops import debias, maximum, minimum, mix, outside, over_debiased_root, over_root, sign, sqrt, where
from thalweg.rule import after_step, recipe, rule
from thalweg.stages.decay import decay


@rule(lr=1e-3, search=(1e-4, 1e0))
def steady_amsgrad(g, m=0.0, v=0.0, v_max=0.0, *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: EpsOrZero = outside(0.0)):
    """AMSGrad (Reddi, Kale & Kumar 2018, arXiv 1904.09237, algorithm 2) at a rate that stays, not lr / sqrt(t)."""
    m = mix(m, g, beta1)
    v = mix(v, g * g, beta2)
    v_max = maximum(v_max, v)
    return over_root(m, v_max, eps), m, v, v_max


@rule(lr=1e-3, search=(1e-4, 1e0))
def corrected_amsgrad(
    g, t, m=0.0, v=0.0, v_max=0.0, *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: EpsOrZero = outside(0.0)
):  # fmt: skip
    """AMSGrad (Reddi, Kale & Kumar 2018, arXiv 1904.09237, algorithm 2), steady, with Adam's corrections: torch's and Keras'."""
    m = mix(m, g, beta1)
    v = mix(v, g * g, beta2)
    v_max = maximum(v_max, v)
    return over_debiased_root(debias(m, beta1, t), v_max, beta2, t, eps), m, v, v_max


@rule(lr=1e-3, search=(1e-4, 1e0))
def amsgrad_of_corrected(
    g, t, m=0.0, v=0.0, v_max=0.0, *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: EpsOrZero = outside(0.0)
):  # fmt: skip
    """AMSGrad (Reddi, Kale & Kumar 2018, arXiv 1904.09237, algorithm 2), steady, of moments as Adam corrects them: optax's."""
    m = mix(m, g, beta1)
    v = mix(v, g * g, beta2)
    v_max = maximum(v_max, debias(v, beta2, t))
    return over_root(debias(m, beta1, t), v_max, eps), m, v, v_max


@rule
def root_decay(g, t):
    """What arrives over sqrt(t), the rate of regret bounds (Zinkevich 2003, ICML, theorem 1)."""
    return g / sqrt(t)


@rule(lr=1e-3, search=(1e-4, 1e0))
def corrected_adan(
    g, t, m=0.0, v=0.0, n=0.0, prev=0.0, *, beta1: Decay = 0.98, beta2: Decay = 0.92, beta3: Decay = 0.99,
    eps: Eps = outside(1e-8),
):  # fmt: skip
    """Adan (Xie, Zhou, Li, Lin & Yan 2022, arXiv 2208.06677, algorithm 1) as in its authors' code: its averages begin at 0."""
    difference = where(t == 1, 0.0 * g, g - prev)
    ahead = g + beta2 * difference
    m, v, n = mix(m, g, beta1), mix(v, difference, beta2), mix(n, ahead * ahead, beta3)
    return over_debiased_root(debias(m, beta1, t) + beta2 * debias(v, beta2, t), n, beta3, t, eps), m, v, n, g


@rule(lr=1e-2, search=(1e-4, 1e0))
def corrected_yogi(g, t, m=0.0, v=0.0, *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Eps = outside(1e-3)):
    """Yogi (Zaheer et al. 2018, NeurIPS, algorithm 2) with Adam's corrections: optax's."""
    m = mix(m, g, beta1)
    v = v - (1 - beta2) * sign(v - g * g) * (g * g)
    return over_debiased_root(debias(m, beta1, t), v, beta2, t, eps), m, v


@rule(lr=1e-2, search=(1e-4, 1e0))
def undamped_momentum(g, t, v=0.0, *, mu: Decay = 0.9, dampening: Fraction = 0.0):
    """Momentum (Polyak 1964, USSR Comp. Math. Math. Phys. 4:1) that takes the first gradient whole: torch's."""
    v = where(t == 1, g, mu * v + (1 - dampening) * g)
    return v, v


@rule(lr=1e-2, search=(1e-4, 1e0))
def undamped_nesterov(g, t, v=0.0, *, mu: Decay = 0.9, dampening: Fraction = 0.0):
    """Nesterov's momentum (Sutskever et al. 2013, ICML) on such a momentum: torch's, where a group sets a dampening."""
    v = where(t == 1, g, mu * v + (1 - dampening) * g)
    return g + mu * v, v


@rule(step=True)
def late_fading_rate(g, t, lr, eta=per_tensor(-1.0), *, lam: NonNegative = 1e-4, alpha: NonNegative = 0.75):
    """A fading rate (Bottou 2010, COMPSTAT), worked out from the learning rate of one step before: torch's. eta < 0: not yet."""
    return where(eta < 0, lr, eta) * g, lr / (1 + lam * lr * t) ** alpha


@after_step
def late_polyak_average(z, t, x=shipped(like_p), mu=per_tensor(1.0), *, t0: NonNegative = 0.0):
    """The mean of the points after step t0 (Polyak & Juditsky 1992), a step's weight worked out one step before: torch's."""
    return z, where(mu < 1, x + mu * (z - x), z), 1 / maximum(1.0, t - t0)


@recipe(lr=1e-2, search=(1e-3, 1e1))
def late_asgd(*, lam: NonNegative = 1e-4, alpha: NonNegative = 0.75, t0: NonNegative = 0.0):
    """ASGD (Polyak & Juditsky 1992; Bottou 2010), its rate and its mean's weight of one step before: torch's."""
    return chain(decay(lam), late_fading_rate(lam, alpha), late_polyak_average(t0))


@rule(lr=1e-3, search=(1e-4, 1e0), step=True)
def adamod_of_corrected(
    g, t, lr, m=0.0, v=0.0, s=0.0, *, beta1: Decay = 0.9, beta2: Decay = 0.999, beta3: Decay = 0.999,
    eps: Eps = outside(1e-8, raw=True),
):  # fmt: skip
    """AdaMod (Ding, Ren, Luo & Sun 2019, arXiv 1910.12249, algorithm 1), both corrections in its rates: its authors' code."""
    m = mix(m, g, beta1)
    v = mix(v, g * g, beta2)
    eta = over_debiased_root(lr / (1 - beta1**t), v, beta2, t, eps)
    s = mix(s, eta, beta3)
    return minimum(eta, s) * m, m, v, s
