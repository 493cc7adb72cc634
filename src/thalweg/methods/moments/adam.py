"""Adam and its nearest kin: AdaMax, Nadam, RAdam, AdamD, Adam-atan2, AdamW's decay, and Adam for sparse gradients."""

from typing import Annotated, Literal

from thalweg.core.stage import chain
from thalweg.form.hyper import Decay, Eps, EpsOrZero, NonNegative, Positive, Range
from thalweg.form.memory import per_tensor
from thalweg.ops import X, arctan2, debias, maximum, mix, outside, over_debiased_root, over_root, ratio, sqrt, where
from thalweg.rule import recipe, rule
from thalweg.stages.decay import decay


@rule(lr=1e-3, search=(1e-4, 1e0))
def adam(g, t, m=0.0, v=0.0, *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Eps = outside(1e-8)):
    """Adam (Kingma & Ba 2015, arXiv 1412.6980, algorithm 1).

    From rmsprop and momentum: the gradient is averaged as its square is, and both averages are corrected for their start at 0.
    eps: the algorithm's sqrt(v_hat) + eps; `outside(eps, raw=True)` is the form that ends section 2, sqrt(v) + eps with both
    corrections in the rate; `inside` has it under the root, and `root` a second one, as optax, for gradients through a step.
    Differs from Keras and TensorFlow: they have it raw; torch and optax have it as here.
    """
    m = mix(m, g, beta1)
    v = mix(v, g * g, beta2)
    return over_debiased_root(debias(m, beta1, t), v, beta2, t, eps), m, v


@recipe(lr=1e-3, search=(1e-4, 1e0))
def adamw(*, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Eps = outside(1e-8), weight_decay: NonNegative = 0.01):
    """AdamW (Loshchilov & Hutter 2019, arXiv 1711.05101, algorithm 2): Adam with decoupled weight decay.

    From adam: the weights decay directly, not through the gradient and its averages.
    The decay is multiplied by the learning rate, as in torch, optax and Keras; in the paper only by its schedule.
    To exempt biases: `chain(adam(), only(is_matrix, decay(0.01)))`.
    """
    return chain(adam(beta1, beta2, eps), decay(weight_decay))


@rule(lr=1e-3, search=(1e-4, 1e0))
def sparse_adam(g, t, m=0.0, v=0.0, *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Eps = outside(1e-8)):
    """Sparse Adam, or lazy: Adam (Kingma & Ba 2015, arXiv 1412.6980, algorithm 1) only where there is a gradient.

    From adam: a coordinate whose gradient is exactly 0 keeps its value and its averages.
    For tables of embeddings. The arrays are dense: the results are a sparse implementation's, without its savings. t counts all
    updates, so a coordinate's first gradient, if late, makes a step of (1 - beta1) / sqrt(1 - beta2) rates, 3.2 by default.
    Differs from torch: eps=outside(1e-8, raw=True); and a zero that a sparse gradient stores is a gradient there, and none here.
    """
    m = where(g == 0, m, mix(m, g, beta1))
    v = where(g == 0, v, mix(v, g * g, beta2))
    return where(g == 0, 0.0, over_debiased_root(debias(m, beta1, t), v, beta2, t, eps)), m, v


@rule(lr=1e-3, search=(1e-4, 1e0))
def adamd(g, t, m=0.0, v=0.0, *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Eps = outside(1e-8, raw=True)):
    """AdamD (St John 2021, arXiv 2110.10828): Adam that corrects the second moment alone.

    From adam: only the second average is corrected for its start at 0, which makes the first steps small.
    The first steps are small, of 1 - beta1 rates at first, as with a warm-up of some 1 / (1 - beta1) steps. It is what
    pytorch_optimizer's `adam_debias=True` makes of a method.
    """
    m = mix(m, g, beta1)
    v = mix(v, g * g, beta2)
    return over_debiased_root(m, v, beta2, t, eps), m, v


@rule(lr=1e-3, search=(1e-4, 1e0))
def adam_atan2(g, t, m=0.0, v=0.0, *, beta1: Decay = 0.9, beta2: Decay = 0.999):
    """Adam-atan2 (Everett et al. 2024, arXiv 2407.05872): Adam without an epsilon, for any size of gradients.

    From adam: the quotient becomes an angle, arctan2, which needs no epsilon and is bounded.
    atan2(m, r), the angle of the point (r, m), is about m / r where that is small, pi / 2 at most, and 0 where both are 0. It is
    the same for gradients of any scale.
    """
    m = mix(m, g, beta1)
    v = mix(v, g * g, beta2)
    return arctan2(debias(m, beta1, t), sqrt(debias(v, beta2, t))), m, v


@rule(lr=2e-3, search=(1e-4, 1e0))
def adamax(g, t, m=0.0, u=0.0, *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: NonNegative = 0.0):
    """AdaMax (Kingma & Ba 2015, arXiv 1412.6980, algorithm 2), with 0/0 = 0.

    From adam: the largest recent absolute gradient, slowly decaying, takes the place of the root of the mean square.
    Differs from torch and optax: they add eps = 1e-8 to |g|, as eps here does; Keras adds it to u.
    """
    m = mix(m, g, beta1)
    u = maximum(beta2 * u, abs(g) + eps)
    return ratio(debias(m, beta1, t), u), m, u


@rule(lr=2e-3, search=(1e-4, 1e0))
def nadam(
    g, t, m=0.0, n=0.0, product=per_tensor(1.0), *, mu: Decay = 0.975, nu: Decay = 0.999, eps: Eps = outside(1e-8),
    psi: Positive = 0.004, schedule: bool = True, average: Literal["scheduled", "constant"] = "scheduled",
    nu_factor: bool = True,
):  # fmt: skip
    """Nadam (Dozat 2016, ICLR workshop, "Incorporating Nesterov momentum into Adam", algorithm 2).

    From adam and nesterov: the step uses the momentum that the next step would have.
    mu_t = mu (1 - 0.96^(psi t) / 2) warms the momentum up; schedule=False keeps it at mu. average="constant" averages m
    with mu itself, and nu_factor=False leaves out the nu in front of n_hat.
    Differs from torch.optim.NAdam: that is average="constant", nu_factor=False, mu=0.9; optax also schedule=False.
    """
    mu_t = mu * (1 - 0.5 * 0.96 ** (psi * t)) if schedule else mu
    mu_next = mu * (1 - 0.5 * 0.96 ** (psi * (t + 1))) if schedule else mu
    if schedule:
        product = product * mu_t
    so_far, ahead = (product, product * mu_next) if schedule else (mu**t, mu ** (t + 1))
    m = mix(m, g, mu_t if average == "scheduled" else mu)
    n = mix(n, g * g, nu)
    m_hat = mu_next / (1 - ahead) * m + (1 - mu_t) / (1 - so_far) * g
    n_hat = (nu if nu_factor else 1.0) * debias(n, nu, t)
    return over_root(m_hat, n_hat, eps), m, n, product


@rule(lr=1e-3, search=(1e-4, 1e0))
def radam(
    g, t, m=0.0, v=0.0, *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: EpsOrZero = outside(0.0),
    threshold: Annotated[float, Range(4)] = 4.0,
):  # fmt: skip
    """RAdam (Liu, Jiang, He, Chen, Liu, Gao & Han 2020, arXiv 1908.03265, algorithm 2), with 0/0 = 0.

    From adam: while v has seen too few gradients to be trusted, the step is momentum; then a factor corrects for v's variance.
    It is momentum as long as rho, the number of gradients in the average v, is not above the threshold. The paper has no eps.
    Differs from torch: it has threshold=5, eps=outside(1e-8, raw=True).
    Differs from optax: it has threshold=5, eps=1e-8, and rectifies already at the threshold.
    """
    m = mix(m, g, beta1)
    v = mix(v, g * g, beta2)
    m_hat = debias(m, beta1, t)
    rho, r = rectification(t, beta2)
    return where(rho > threshold, r * over_debiased_root(m_hat, v, beta2, t, eps), m_hat), m, v


def rectification(t: X, beta2: X) -> tuple[X, X]:
    """Return the number of gradients in RAdam's average v, and its factor, which is for numbers above 4."""
    rho_inf = 2 / (1 - beta2) - 1
    rho = rho_inf - 2 * t * beta2**t / (1 - beta2**t)
    return rho, sqrt(ratio((rho - 4) * (rho - 2) * rho_inf, (rho_inf - 4) * (rho_inf - 2) * rho))  # of 0.6 always 0


@recipe(lr=2e-3, search=(1e-4, 1e0))
def adamaxw(*, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: NonNegative = 0.0, weight_decay: NonNegative = 0.01):
    """AdaMaxW (Kingma & Ba 2015, arXiv 1412.6980, algorithm 2; decay: Loshchilov & Hutter 2019, arXiv 1711.05101).

    From adamax: the weights decay directly.
    The decay is multiplied by the learning rate.
    Differs from optax: eps=1e-8, weight_decay=1e-4.
    """
    return chain(adamax(beta1, beta2, eps), decay(weight_decay))


@recipe(lr=2e-3, search=(1e-4, 1e0))
def nadamw(
    *, mu: Decay = 0.975, nu: Decay = 0.999, eps: Eps = outside(1e-8), psi: Positive = 0.004, schedule: bool = True,
    average: Literal["scheduled", "constant"] = "scheduled", nu_factor: bool = True, weight_decay: NonNegative = 0.01,
):  # fmt: skip
    """NadamW (Dozat 2016, ICLR workshop, algorithm 2; decay: Loshchilov & Hutter 2019, arXiv 1711.05101).

    From nadam: the weights decay directly, by a share that the learning rate multiplies.
    Differs from torch.optim.NAdam with decoupled_weight_decay: average="constant", nu_factor=False, mu=0.9; optax also
    schedule=False, and weight_decay=1e-4.
    """
    return chain(nadam(mu, nu, eps, psi, schedule, average, nu_factor), decay(weight_decay))
