"""PID: a controller's three terms: the gradient, its sum, its change."""

from thalweg.form.hyper import Decay, NonNegative
from thalweg.ops import mix, where
from thalweg.rule import rule


@rule(lr=1e-3, search=(1e-5, 1e-1))
def pid(
    g, t, integral=0.0, derivative=0.0, previous=0.0, *, mu: Decay = 0.9, kp: NonNegative = 1.0, ki: NonNegative = 5.0,
    kd: NonNegative = 10.0,
):  # fmt: skip
    """PID (An, Wang, Sun, Xu, Dai & Zhang 2018, CVPR, "A PID controller approach for stochastic optimization of deep networks").

    From momentum: a third term, the average change of the gradient, damps the momentum's overshoot.
    The terms are kp times the gradient, ki times its momentum, and kd times the average of its changes, of which there is none
    yet at the first step; kp and ki are those of the authors' code.
    Differs from the paper: kp=0, ki=1.
    """
    integral = mu * integral + g
    derivative = mix(derivative, where(t == 1, 0.0 * g, g - previous), mu)
    return kp * g + ki * integral + kd * derivative, integral, derivative, g
