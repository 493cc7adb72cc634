"""HeavyBall: the optimizers that are not preconditioned."""

from __future__ import annotations

from thalweg.core.stage import chain
from thalweg.dialects.method import Method, given
from thalweg.methods.adaptive.rmsprop import rmsprop
from thalweg.methods.descent.momentum import momentum
from thalweg.methods.moments.adam import adam, nadam
from thalweg.methods.moments.ademamix import ademamix
from thalweg.methods.moments.laprop import laprop
from thalweg.ops import at_least
from thalweg.stages.agree import cautious
from thalweg.stages.decay import decay

VERSION = "3.2.1"
FILE = "heavyball/__init__.py"
FLOAT32 = "the numbers of a step, and by default its memory, are of float32"
ADAM = {"lr": 0.0025, "betas": (0.9, 0.99), "eps": 1e-8, "weight_decay": 0}
LEAST = "epsilon is the least that the root may be; the paper adds it"

METHODS = (
    Method("SGD", FILE, {"lr": 0.0025, "beta": 0.9, "weight_decay": 0},
           lambda o: chain(momentum(o.beta), decay(o.weight_decay)), settings=(given(), given(weight_decay=0.1)), remains=FLOAT32),
    Method("AdamW", FILE, {**ADAM, "caution": False},
           lambda o: chain(adam(*o.betas, o.eps), *([cautious()] if o.caution else []), decay(o.weight_decay)), LEAST,
           lambda o: chain(adam(*o.betas, at_least(o.eps)), *([cautious()] if o.caution else []), decay(o.weight_decay)),
           (given(), given(weight_decay=0.1)), remains=FLOAT32),
    Method("NAdam", FILE, {"lr": 0.002, "betas": (0.9, 0.999), "eps": 1e-8, "momentum_decay": 4e-3},
           lambda o: nadam(*o.betas, o.eps, o.momentum_decay),
           "the gradients are averaged with the constant beta1 and not the scheduled momentum, there is no factor beta2 before the "
           "second moment, and epsilon is the least that its root may be",
           lambda o: nadam(*o.betas, at_least(o.eps), o.momentum_decay, average="constant", nu_factor=False), remains=FLOAT32),
    Method("AdEMAMix", FILE, {"lr": 1e-3, "betas": (0.9, 0.999, 0.9999), "eps": 1e-8, "alpha": 2.0},
           lambda o: ademamix(*o.betas, o.alpha, o.eps), LEAST, lambda o: ademamix(*o.betas, o.alpha, at_least(o.eps)),
           remains=FLOAT32),
    Method("RMSprop", FILE, {"lr": 0.0025, "betas": (0.9, 0.99), "eps": 1e-6},
           lambda o: rmsprop(o.betas[1], o.eps), "the average is corrected for its start at 0, as Adam's, and " + LEAST,
           lambda o: adam(0.0, o.betas[1], at_least(o.eps)), remains=FLOAT32),
    Method("LaProp", FILE, ADAM, lambda o: laprop(*o.betas, o.eps), LEAST, lambda o: laprop(*o.betas, at_least(o.eps)),
           remains=FLOAT32),
)  # fmt: skip
