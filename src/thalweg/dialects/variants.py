"""Rules in the form of a library, where no paper has that form; each differs from our rule of the paper as its name says."""

from thalweg.core.stage import chain
from thalweg.form.hyper import Count, Decay, Eps, EpsOrZero, Fraction, NonNegative, Positive
from thalweg.form.memory import like_p, per_model, per_tensor, shipped
from thalweg.ops import (
    clip,
    debias,
    floor,
    maximum,
    mean,
    minimum,
    mix,
    model_total,
    norm,
    outside,
    over_debiased_root,
    over_root,
    ratio,
    sign,
    sqrt,
    where,
)
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


@rule(lr=1e-3, search=(1e-4, 1e0))
def adan_with_swapped_share(
    g, t, m=0.0, v=0.0, n=0.0, prev=0.0, *, beta1: Decay = 0.98, beta2: Decay = 0.92, beta3: Decay = 0.99,
    eps: Eps = outside(1e-8),
):  # fmt: skip
    """Adan (Xie, Zhou, Li, Lin & Yan 2022, arXiv 2208.06677), differences weighted by 1 - beta2, not by beta2: optax 0.2.8's."""
    difference = where(t == 1, 0.0 * g, g - prev)
    ahead = g + (1 - beta2) * difference
    m, v, n = mix(m, g, beta1), mix(v, difference, beta2), mix(n, ahead * ahead, beta3)
    return over_debiased_root(debias(m, beta1, t) + (1 - beta2) * debias(v, beta2, t), n, beta3, t, eps), m, v, n, g


@rule(lr=1e-2, search=(1e-4, 1e0), step=True)
def late_rprop(
    g, lr, prev=0.0, size=-1.0, *, eta_minus: Decay = 0.5, eta_plus: Positive = 1.2, size_min: Positive = 1e-6,
    size_max: Positive = 50.0,
):  # fmt: skip
    """Rprop (Riedmiller & Braun 1993, ICNN; Igel & Huesken 2000, iRprop-), each step made one update late: optax 0.2.8's."""
    turned = sign(g * prev)
    size = where(size < 0, lr, size)
    size = where(turned == 0, size, clip(where(turned > 0, eta_plus * size, eta_minus * size), size_min, size_max))
    return where(turned < 0, 0.0, prev), where(turned < 0, 0.0, sign(lr) * sign(g) * size), size


@rule(lr=1e-1, search=(1e-3, 1e1))
def corrected_padam(
    g, t, m=0.0, v=0.0, v_max=0.0, *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Positive = 1e-8, partial: Positive = 0.25
):  # fmt: skip
    """Padam (Chen et al. 2020, arXiv 1806.06763, algorithm 1) with Adam's corrections and an epsilon: its authors' code."""
    m = mix(m, g, beta1)
    v = mix(v, g * g, beta2)
    v_max = maximum(v_max, v)
    return sqrt(1 - beta2**t) * debias(m, beta1, t) / (sqrt(v_max) + eps) ** (2 * partial), m, v, v_max


@rule(lr=1e-1, search=(1e-3, 1e1))
def partial_adam(
    g, t, m=0.0, v=0.0, *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Positive = 1e-8, partial: Positive = 0.25
):  # fmt: skip
    """Padam (Chen et al. 2020, arXiv 1806.06763, algorithm 1), corrected and without the maximum: pytorch_optimizer's."""
    m = mix(m, g, beta1)
    v = mix(v, g * g, beta2)
    return sqrt(1 - beta2**t) * debias(m, beta1, t) / (sqrt(v) + eps) ** (2 * partial), m, v


@rule
def in_parameters_size(g, p):
    """What arrives times the parameter's root mean square: Tiger's rate of a matrix (Su 2023, github.com/bojone/tiger)."""
    return sqrt(mean(p * p)) * g


@rule
def halved(g):
    """Half of what arrives: Tiger's rate of what is no matrix (Su 2023, github.com/bojone/tiger)."""
    return 0.5 * g


@rule(lr=1e-2, search=(1e-4, 1e0), step=True)
def srmm_in_place(g, t, lr, p, m=0.0, *, beta: Fraction = 0.5, memory_length: Count = 1_000_000_000):
    """SRMM (Lyu 2022, arXiv 2201.01652) whose average of points, 0 at first, is overwritten by each new point: its authors' code.

    The t-th weight is (t + 1)^-beta. memory_length: after how many steps t is 0 again, in pytorch_optimizer.
    """
    weight = (t - memory_length * floor((t + 0.5) / memory_length) + 1) ** -beta
    m = mix(m, g, 1 - weight)
    return where(t == 1, 1 - weight, 0.0) * p + lr * m, m


@rule(lr=1e-1, search=(1e-3, 1e1))
def late_avagrad(g, t, m=0.0, v=0.0, size=per_model(0.0), *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Positive = 0.1):
    """AvaGrad (Savarese et al. 2021, arXiv 1912.01823, algorithm 2), corrected, the size one step late: its authors' code."""
    m = mix(m, g, beta1)
    root = sqrt(debias(v, beta2, maximum(t - 1, 1))) + eps
    eta = 1 / (sqrt(debias(v, beta2, t)) + eps)
    next_size = sqrt(model_total(eta * eta) / model_total(1 + 0 * g))
    return ratio(debias(m, beta1, t), size * root), m, mix(v, g * g, beta2), next_size


@rule(lr=1e-3, search=(1e-4, 1e0))
def bcos_of_new(g, t, m=0.0, *, beta: Decay = 0.9, eps: Eps = outside(1e-6), simple: bool = False):
    """BCOS (Jiang & Xiao 2025, arXiv 2507.08963), its estimator of the new average, not of the old: pytorch_optimizer's."""
    m, share = mix(where(t == 1, g, m), g, beta), (1 - beta) * (1 - beta)
    v = mix(m * m, g * g, 1 - share) if simple else (3 - 2 * beta) * beta * beta * (m * m) + share * (g * g + 2 * beta * m * g)
    return over_root(m, v, eps), m


@rule(lr=1e-3, search=(1e-4, 1e0))
def kate_of_growing_eps(g, b=0.0, m=0.0, *, eta: NonNegative = 0.0, eps: Positive = 1e-8):
    """KATE (Choudhury et al. 2024, arXiv 2403.02648, algorithm 1), an epsilon added at each step: pytorch_optimizer's."""
    b = b + g * g + eps
    m = m + eta * g * g + g * g / b
    return sqrt(m) * g / b, b, m


@rule(lr=2e-3, search=(1e-4, 1e0))
def bounded_adamax(g, t, m=0.0, u=0.0, *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: NonNegative = 1e-7):
    """AdaMax (Kingma & Ba 2015, arXiv 1412.6980, algorithm 2) with an epsilon beside the maximum: Keras'."""
    m = mix(m, g, beta1)
    u = maximum(beta2 * u, abs(g))
    return debias(m, beta1, t) / (u + eps), m, u


@rule(lr=1e-3, search=(1e-4, 1e0))
def late_acprop(g, t, m=0.0, s=0.0, *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Eps = outside(1e-16)):
    """ACProp (Zhuang et al. 2021, arXiv 2110.05454, algorithm 2), deviations from the mean of one step before: optax 0.2.8's."""
    before = debias(s, beta2, maximum(t - 1, 1))
    s = eps.under(mix(s, (g - m) ** 2, beta2))
    return where(t == 1, g / (1 + eps.number), g / eps.beside(sqrt(before))), mix(m, g, beta1), s


@rule(lr=1e-2, search=(1e-4, 1e0))
def nesterov_of_new(g, v=0.0, *, mu: Decay = 0.9):
    """Nesterov's momentum (Bengio et al. 2012, arXiv 1212.0901, equation 7) whose v is already the new one: Chainer's."""
    v = mu * v + g
    return (1 + mu) * g + mu * mu * v, v


@rule(lr=1e-3, search=(1e-4, 1e0))
def uncorrected_adam(g, m=0.0, v=0.0, *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Eps = outside(1e-8)):
    """Adam (Kingma & Ba 2015, arXiv 1412.6980, algorithm 1) without its bias corrections: MLX's default."""
    m = mix(m, g, beta1)
    v = mix(v, g * g, beta2)
    return over_root(m, v, eps), m, v


@rule(lr=2e-3, search=(1e-4, 1e0))
def uncorrected_adamax(g, m=0.0, u=0.0, *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: NonNegative = 1e-8):
    """AdaMax (Kingma & Ba 2015, arXiv 1412.6980, algorithm 2) without bias correction, epsilon beside the maximum: MLX's."""
    m = mix(m, g, beta1)
    u = maximum(beta2 * u, abs(g))
    return m / (u + eps), m, u


@rule
def first_correction(g, t, *, beta: Decay = 0.9):
    """Adam's correction of the first moment (Kingma & Ba 2015, arXiv 1412.6980, algorithm 1), of whatever arrives."""
    return debias(g, beta, t)


@rule
def local_rate_with_eps(g, p, *, weight_decay: NonNegative = 0.0, coefficient: NonNegative = 1e-3, eps: NonNegative = 1e-8):
    """LARS' local rate (You, Gitman & Ginsburg 2017, arXiv 1708.03888, equation 6) with an epsilon in its divisor: timm's."""
    size, slope = norm(p), norm(g)
    local = where((size == 0) | (slope == 0), 1.0, coefficient * size / (slope + weight_decay * size + eps))
    return local * (g + weight_decay * p)


@rule(lr=1e-3, search=(1e-4, 1e0))
def nadam_of_next_average(g, t, m=0.0, v=0.0, *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Eps = outside(1e-8)):
    """NAdamW's core (Dozat 2016, ICLR workshop): the average that one more gradient like this would give: timm's."""
    m = mix(m, g, beta1)
    v = mix(v, g * g, beta2)
    return over_debiased_root(debias(mix(m, g, beta1), beta1, t), v, beta2, t, eps), m, v


@rule
def mars_from_the_second(g, t, previous=0.0, *, gamma: NonNegative = 0.025, beta: Decay = 0.95):
    """MARS' correction (Yuan, Liu, Wu, Zhou & Gu 2024, arXiv 2411.10438, equation 2.3) from the second gradient on: timm's."""
    return where(t == 1, g, g + gamma * beta / (1 - beta) * (g - previous)), g


@rule
def normalized_within(g, *, limit: NonNegative = 1.0):
    """Clipping by a tensor's norm (Pascanu, Mikolov & Bengio 2013, arXiv 1211.5063), only where the norm is above the limit."""
    size = norm(g)
    return where(size > limit, g * (limit / size), g)


@rule
def rest_while_short(g, t, *, beta2: Decay = 0.999, threshold: Positive = 5.0):
    """RAdam's length of the average (Liu et al. 2020, arXiv 1908.03265, algorithm 2): nothing moves up to this one."""
    rho = 2 / (1 - beta2) - 1 - 2 * t * beta2**t / (1 - beta2**t)
    return where(rho > threshold, g, 0.0 * g)


@after_step
def schedule_free_from_new(z, t, y=like_p, *, beta: Positive = 0.9):
    """Schedule-free learning (Defazio et al. 2024, arXiv 2405.15682), x recovered from y with the new z: Keras' on PyTorch."""
    x = mix((y - (1 - beta) * z) / beta, z, 1 - 1 / t)
    y = mix(x, z, beta)
    return y, y
