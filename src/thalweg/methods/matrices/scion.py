"""Scion: steps to the border of a norm's ball."""

from typing import Literal

from thalweg.core.compose import choose, is_matrix
from thalweg.core.stage import chain
from thalweg.form.hyper import Count, Decay, Positive
from thalweg.methods.descent.momentum import momentum
from thalweg.methods.matrices.adafactor import rms
from thalweg.methods.matrices.muon_kin import polar
from thalweg.ops import ratio, sign, sizes, sqrt
from thalweg.rule import recipe, rule
from thalweg.stages.decay import decay


@recipe(lr=2e-3, search=(1e-5, 1e-1))
def scion(*, mu: Decay = 0.9, radius: Positive = 50.0, ns_steps: Count = 5, constrained: bool = True):
    """Scion (Pethick, Xie, Antonakopoulos, Zhu, Silveti-Falls & Cevher 2025, arXiv 2502.07529, algorithm 2, SCG).

    From muon: each step goes part of the way to a point on a ball whose norm fits the layer.
    Each step goes the share lr of the way to the point `ball_minimizer` of an average of gradients: for matrices that of the
    spectral norm, for vectors that of the root mean square. mu is 1 - alpha. constrained=False is algorithm 1, uSCG, which does
    not shrink the parameter on the way. Scion light, which keeps the average in the gradient's place, walks the same way; here it
    is no rule of its own. The paper's last layer has another ball, which the authors' code gives the radius 3000:
    `chain(momentum(0.9, 0.9), choose((named("head"), ball_minimizer("entry", 3000.0)), otherwise=ball_minimizer()), decay(1.0))`.
    """
    matrices, vectors = ball_minimizer("spectral", radius, ns_steps), ball_minimizer("rms", radius)
    way = chain(momentum(mu, mu), choose((is_matrix, matrices), otherwise=vectors))
    return chain(way, decay(1.0 if constrained else 0.0))


@rule
def ball_minimizer(g, *, norm: Literal["spectral", "entry", "rms"] = "spectral", radius: Positive = 50.0, ns_steps: Count = 5):
    """The point of a ball that minimizes <g, x>, negative (Pethick et al. 2025, arXiv 2502.07529, section 3).

    The norms, for matrices of (outputs, inputs): "spectral", of radius sqrt(outputs / inputs), by Muon's iteration; "entry", the
    largest entry, of radius 1 / inputs; "rms", the root mean square of the whole tensor. radius multiplies them.
    """
    if norm == "rms":
        return radius * ratio(1.0, rms(g)) * g
    m, n = sizes(g)
    return radius / n * sign(g) if norm == "entry" else radius * sqrt(m / n) * polar(g, ns_steps)
