"""Santa: a stochastic thermostat with Adam-like preconditioning, annealed from sampling to optimization."""

from typing import Literal

from thalweg.form.hyper import BurnIn, DataSize, Decay, NonNegative, Positive
from thalweg.form.memory import gaussian
from thalweg.ops import exp, maximum, off, ratio, sqrt, where
from thalweg.rule import rule


@rule(lr=1e-4, search=(1e-6, 1e-2), step=True)
def santa_e(
    g, t, lr, noise, u=gaussian, a=0.0, v=0.0, G=0.0, *, sigma: Decay = 0.95, lam: Positive = 1e-8, C: Positive = 5.0,
    burnin: BurnIn = 100, temperature: NonNegative = 1.0, power: NonNegative = 0.5, N: DataSize = 1.0,
    gradient_scale: float | None = None, g0: Literal["first", "zero"] = "first", curvature: bool = True, guard: NonNegative = 0.1,
):  # fmt: skip
    """Santa-E (Chen, Carlson, Gan, Li & Carin 2016, arXiv 1512.07962, algorithm 1, the Euler scheme).

    From rmsprop and noisy_sgd: momentum with noise that cools down, so that it samples first and optimizes then.
    N is the size of the data set. The paper's f~ is the gradient of the whole potential, N times that of the mean loss
    (gradient_scale, if it is another multiple); v averages (f~ / N)^2. The temperature 1 / beta_t is temperature / t^power.
    While t < burnin, the method explores with noise; then it refines without. The paper leaves three things open. G_0:
    "first" sets it to G_1, so that the term in 1 - G_prev / G is 0 at the start. The division by u: |u| counts as at least
    `guard` times its scale, sqrt(lr / beta_t). A coordinate whose gradient is exactly 0: it rests, since G = 1 / sqrt(lam) would
    move it by thousands of units. curvature=False leaves out that term, which the authors' Caffe solver has.
    """
    f = (N if gradient_scale is None else gradient_scale) * g
    heat = lr * temperature / t**power
    u, a = begin(t, lr, u, a, C)
    v_new, G_new, before = preconditioner(f, v, G, sigma, lam, N, g0)
    kick = explore(noise, heat, G_new, before, u, curvature, guard)
    a_new = where(t < burnin, a + (u * u - heat), a)
    u_new = (1 - a_new) * u - lr * G_new * f + where(t < burnin, kick, 0.0)
    return rest(f, G_new * u_new), keep(f, u_new, u), keep(f, a_new, a), keep(f, v_new, v), keep(f, G_new, G)


@rule(lr=1e-4, search=(1e-6, 1e-2), step=True)
def santa_sss(
    g, t, lr, noise, u=gaussian, a=0.0, v=0.0, G=0.0, *, sigma: Decay = 0.95, lam: Positive = 1e-8, C: Positive = 5.0,
    burnin: BurnIn = 100, temperature: NonNegative = 1.0, power: NonNegative = 0.5, N: DataSize = 1.0,
    gradient_scale: float | None = None, g0: Literal["first", "zero"] = "first", curvature: bool = True, guard: NonNegative = 0.1,
):  # fmt: skip
    """Santa-SSS (Chen, Carlson, Gan, Li & Carin 2016, arXiv 1512.07962, algorithm 2, the symmetric splitting scheme).

    From santa_e: the same motion, integrated by a symmetric scheme of second order.
    Options and guards as in santa_e. The gradient and G are those of the step's start, as in all public code; the paper
    would take them after the first half of the move.
    """
    f = (N if gradient_scale is None else gradient_scale) * g
    heat = lr * temperature / t**power
    u, a = begin(t, lr, u, a, C)
    v_new, G_new, before = preconditioner(f, v, G, sigma, lam, N, g0)
    kick = explore(noise, heat, G_new, before, u, curvature, guard)
    a_half = where(t < burnin, a + (u * u - heat) / 2, a)
    u_new = exp(-a_half / 2) * u - lr * G_new * f + where(t < burnin, kick, 0.0)
    u_new = exp(-a_half / 2) * u_new
    a_new = where(t < burnin, a_half + (u_new * u_new - heat) / 2, a_half)
    return rest(f, G_new * (u + u_new) / 2), keep(f, u_new, u), keep(f, a_new, a), keep(f, v_new, v), keep(f, G_new, G)


def begin(t, lr, u, a, C):
    """Return the momentum u and the thermostat a; at the first step, their initial values."""
    return where(t == 1, sqrt(lr) * u, u), where(t == 1, sqrt(lr) * C, a)


def preconditioner(f, v, G, sigma, lam, N, g0):
    """Return the average v of squared gradients, and the preconditioner G now and, for the noise, before."""
    v = sigma * v + (1 - sigma) / N**2 * f * f
    G_new = 1 / sqrt(lam + sqrt(v))
    return v, G_new, where(G == 0, G_new, G) if g0 == "first" else G


def explore(noise, heat, G, before, u, curvature, guard):
    """Return the exploration terms of u: noise at this temperature, and the correction for a changing preconditioner."""
    kick = sqrt(2 * heat * before) * noise
    if not curvature:
        return kick
    size = abs(u) if off(guard) else maximum(abs(u), guard * sqrt(heat))
    return kick + ratio(heat * (1 - before / G), where(u < 0, -size, size))


def keep(f, new, old):
    """Return the new memory, or the old where the gradient is exactly 0."""
    return where(f == 0, old, new)


def rest(f, move):
    """Return the step that the framework subtracts; 0 where the gradient is exactly 0."""
    return where(f == 0, 0.0, -move)
