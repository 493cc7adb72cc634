"""Adam and its nearest kin: AdaMax, Nadam, RAdam, AMSGrad, AdamW's decoupled decay, and Adam for sparse gradients."""

from typing import Annotated, Literal

from thalweg.core.stage import chain
from thalweg.form.hyper import Decay, NonNegative, Positive, Range
from thalweg.form.memory import per_tensor
from thalweg.ops import debias, maximum, mix, over_root, ratio, sqrt, where
from thalweg.rule import recipe, rule
from thalweg.stages.decay import decay


@rule(lr=1e-3, search=(1e-4, 1e0))
def adam(
    g, t, m=0.0, v=0.0, *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Positive = 1e-8,
    eps_place: Literal["outside", "inside", "raw", "inside_raw"] = "outside", eps_root: NonNegative = 0.0,
):  # fmt: skip
    """Adam (Kingma & Ba 2015, arXiv 1412.6980, algorithm 1).

    eps_place: "outside" is the algorithm's sqrt(v_hat) + eps; "raw" the form that ends section 2, sqrt(v) + eps with
    both corrections in the rate; "inside" and "inside_raw" are their variants with eps under the root. eps_root: a second
    epsilon there, whatever the place of the first: optax has it, for gradients through the step.
    Differs from Keras and TensorFlow: they have "raw"; torch and optax have "outside".
    """
    m = mix(m, g, beta1)
    v = mix(v, g * g, beta2)
    if eps_place in ("outside", "inside"):
        return over_root(debias(m, beta1, t), debias(v, beta2, t), eps, eps_place, eps_root), m, v
    place = "outside" if eps_place == "raw" else "inside"
    return sqrt(1 - beta2**t) * over_root(debias(m, beta1, t), v, eps, place, eps_root), m, v


@recipe(lr=1e-3, search=(1e-4, 1e0))
def adamw(*, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Positive = 1e-8, weight_decay: NonNegative = 0.01):
    """AdamW (Loshchilov & Hutter 2019, arXiv 1711.05101, algorithm 2): Adam with decoupled weight decay.

    The decay is multiplied by the learning rate, as in torch, optax and Keras; in the paper only by its schedule.
    To spare biases: `chain(adam(), only(is_matrix, decay(0.01)))`.
    """
    return chain(adam(beta1, beta2, eps), decay(weight_decay))


@rule(lr=1e-3, search=(1e-4, 1e0))
def sparse_adam(
    g, t, m=0.0, v=0.0, *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Positive = 1e-8,
    eps_place: Literal["outside", "raw"] = "outside",
):  # fmt: skip
    """Sparse Adam, or lazy: Adam (Kingma & Ba 2015, arXiv 1412.6980, algorithm 1) only where there is a gradient.

    For tables of embeddings: where the gradient is exactly 0, parameter and moments rest. The arrays are dense all the
    same: this is what a sparse implementation computes, without what it saves. t counts all updates, so a coordinate's
    first gradient, if it comes late, makes a step of (1 - beta1) / sqrt(1 - beta2) rates, 3.2 by default, and not of 1.
    Differs from torch: eps_place="raw"; and a zero that a sparse gradient stores is a gradient there, and none here.
    """
    m = where(g == 0, m, mix(m, g, beta1))
    v = where(g == 0, v, mix(v, g * g, beta2))
    if eps_place == "outside":
        adapted = over_root(debias(m, beta1, t), debias(v, beta2, t), eps, "outside")
    else:
        adapted = sqrt(1 - beta2**t) * over_root(debias(m, beta1, t), v, eps, "outside")
    return where(g == 0, 0.0, adapted), m, v


@rule(lr=2e-3, search=(1e-4, 1e0))
def adamax(g, t, m=0.0, u=0.0, *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: NonNegative = 0.0):
    """AdaMax (Kingma & Ba 2015, arXiv 1412.6980, algorithm 2), with 0/0 = 0.

    Differs from torch and optax: they add eps = 1e-8 to |g|, as eps here does; Keras adds it to u.
    """
    m = mix(m, g, beta1)
    u = maximum(beta2 * u, abs(g) + eps)
    return ratio(debias(m, beta1, t), u), m, u


@rule(lr=2e-3, search=(1e-4, 1e0))
def nadam(
    g, t, m=0.0, n=0.0, product=per_tensor(1.0), *, mu: Decay = 0.975, nu: Decay = 0.999, eps: Positive = 1e-8,
    psi: Positive = 0.004, schedule: bool = True, average: Literal["scheduled", "constant"] = "scheduled",
    nu_factor: bool = True, eps_place: Literal["outside", "inside"] = "outside", eps_root: NonNegative = 0.0,
):  # fmt: skip
    """Nadam (Dozat 2016, ICLR workshop, "Incorporating Nesterov momentum into Adam", algorithm 2).

    mu_t = mu (1 - 0.96^(psi t) / 2) warms the momentum up; schedule=False keeps it at mu. average="constant" lets m
    average with mu itself, and nu_factor=False leaves out the nu in front of n_hat. eps_root is added to n_hat.
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
    return over_root(m_hat, n_hat, eps, eps_place, eps_root), m, n, product


@rule(lr=1e-3, search=(1e-4, 1e0))
def radam(
    g, t, m=0.0, v=0.0, *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: NonNegative = 0.0,
    eps_place: Literal["outside", "raw"] = "outside", threshold: Annotated[float, Range(4)] = 4.0, eps_root: NonNegative = 0.0,
):  # fmt: skip
    """RAdam (Liu, Jiang, He, Chen, Liu, Gao & Han 2020, arXiv 1908.03265, algorithm 2), with 0/0 = 0.

    Adam, rectified for the variance of its first few v; until rho, how many gradients v stands for, is above the
    threshold, plain momentum. The paper has no epsilon; "outside" adds it to the corrected root, "raw" to sqrt(v);
    eps_root stands under the root.
    Differs from torch: threshold=5, eps=1e-8, eps_place="raw".
    Differs from optax: threshold=5, eps=1e-8, and it rectifies at the threshold already.
    """
    m = mix(m, g, beta1)
    v = mix(v, g * g, beta2)
    m_hat = debias(m, beta1, t)
    rho_inf = 2 / (1 - beta2) - 1
    rho = rho_inf - 2 * t * beta2**t / (1 - beta2**t)
    r = sqrt(ratio((rho - 4) * (rho - 2) * rho_inf, (rho_inf - 4) * (rho_inf - 2) * rho))  # beta2 = 0.6 is never rectified
    if eps_place == "outside":
        adapted = over_root(m_hat, debias(v, beta2, t), eps, "outside", eps_root)
    else:
        adapted = sqrt(1 - beta2**t) * over_root(m_hat, v, eps, "outside", eps_root)
    return where(rho > threshold, r * adapted, m_hat), m, v


@rule(lr=1e-3, search=(1e-4, 1e0))
def amsgrad(
    g, t, m=0.0, v=0.0, v_max=0.0, *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: NonNegative = 0.0,
    eps_place: Literal["outside", "inside", "raw"] = "outside", sqrt_decay: bool = True, bias_correction: bool = False,
    maximum_of: Literal["raw", "corrected"] = "raw", eps_root: NonNegative = 0.0,
):  # fmt: skip
    """AMSGrad (Reddi, Kale & Kumar 2018, arXiv 1904.09237, algorithm 2), with 0/0 = 0.

    As the paper: lr / sqrt(t), no epsilon, no bias correction. sqrt_decay=False holds the rate; bias_correction=True
    corrects both moments, the largest one taken of the raw ones or of the corrected ones (maximum_of). eps_root
    stands under the root. eps_place="raw" is as in adam: eps is added to the root of the raw maximum, and both corrections
    are in the rate.
    Differs from torch: sqrt_decay=False, bias_correction=True, eps=1e-8; optax moreover maximum_of="corrected".
    Differs from Keras: sqrt_decay=False, bias_correction=True, eps=1e-7, eps_place="raw".
    """
    m = mix(m, g, beta1)
    v = mix(v, g * g, beta2)
    corrected = bias_correction and maximum_of == "corrected"
    v_max = maximum(v_max, debias(v, beta2, t) if corrected else v)
    m_hat = debias(m, beta1, t) if bias_correction else m
    v_hat = debias(v_max, beta2, t) if bias_correction and not corrected else v_max
    if eps_place == "raw":
        direction = over_root(m_hat, v_max, eps, "outside", eps_root)
        direction = sqrt(1 - beta2**t) * direction if bias_correction else direction
    else:
        direction = over_root(m_hat, v_hat, eps, eps_place, eps_root)
    return direction / sqrt(t) if sqrt_decay else direction, m, v, v_max


@recipe(lr=2e-3, search=(1e-4, 1e0))
def adamaxw(*, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: NonNegative = 0.0, weight_decay: NonNegative = 0.01):
    """AdaMaxW (Kingma & Ba 2015, arXiv 1412.6980, algorithm 2; decay: Loshchilov & Hutter 2019, arXiv 1711.05101).

    AdaMax with decoupled weight decay, multiplied by the learning rate.
    Differs from optax: eps=1e-8, weight_decay=1e-4.
    """
    return chain(adamax(beta1, beta2, eps), decay(weight_decay))


@recipe(lr=2e-3, search=(1e-4, 1e0))
def nadamw(
    *, mu: Decay = 0.975, nu: Decay = 0.999, eps: Positive = 1e-8, psi: Positive = 0.004, schedule: bool = True,
    average: Literal["scheduled", "constant"] = "scheduled", nu_factor: bool = True, weight_decay: NonNegative = 0.01,
):  # fmt: skip
    """NadamW (Dozat 2016, ICLR workshop, algorithm 2; decay: Loshchilov & Hutter 2019, arXiv 1711.05101).

    Nadam with decoupled weight decay, multiplied by the learning rate.
    Differs from torch.optim.NAdam with decoupled_weight_decay: average="constant", nu_factor=False, mu=0.9; optax also
    schedule=False, and weight_decay=1e-4.
    """
    return chain(nadam(mu, nu, eps, psi, schedule, average, nu_factor), decay(weight_decay))
