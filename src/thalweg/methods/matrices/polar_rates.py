"""AdaGO and PolarGrad: orthogonalized momentum at a rate that the gradient's size decides."""

from thalweg.core.stage import chain
from thalweg.form.hyper import Count, Decay, NonNegative, Positive
from thalweg.form.memory import matrix, per_tensor
from thalweg.methods.matrices.muon import muon
from thalweg.methods.matrices.muon_kin import polar
from thalweg.ops import maximum, minimum, mix, norm, sqrt
from thalweg.rule import recipe, rule
from thalweg.stages.decay import decay


@rule(lr=5e-2, search=(1e-3, 1e1))
def adago(
    g, M=matrix, V=per_tensor, *, mu: Decay = 0.95, gamma: Positive = 10.0, v0: Positive = 1e-3, least: NonNegative = 1e-2,
    ns_steps: Count = 5,
):  # fmt: skip
    """AdaGO (Zhang, Liu & Schaeffer 2025, arXiv 2509.02981, algorithm 1): AdaGrad meets Muon.

    From muon and adagrad_norm: the rate is AdaGrad's, from the norms of the gradients so far.
    For matrices: the orthogonal direction of an average of gradients, at AdaGrad's rate for the norm of the whole, of which
    gamma counts at most. v0 is the accumulator at the start, and least the paper's smallest step epsilon over the learning
    rate, so that a rate of 0 moves nothing.
    """
    M = mix(M, g, mu)
    size = minimum(norm(g), gamma)
    V = V + size * size
    return maximum(least, size / sqrt(v0 * v0 + V)) * polar(M, ns_steps), M, V


@recipe(lr=2e-2, search=(1e-4, 1e0))
def polargrad(*, mu: Decay = 0.95, ns_steps: Count = 12, weight_decay: NonNegative = 0.0):
    """PolarGrad (Lau, Long & Su 2025, arXiv 2505.21799, PolarGradM, momentum first): Muon with the size of its momentum.

    From muon: the orthogonal direction is multiplied by the nuclear norm of the momentum.
    For matrices: the orthogonal factor U of the momentum's polar decomposition U H, multiplied by the trace of H, which is the
    momentum's nuclear norm, so that steps become small where gradients do. It is `muon(dual_norm=True)` on an average of
    gradients. The factor is found by the quintic iteration that converges; in the authors' code other ways may be chosen.
    """
    core = muon(mu, False, "average", ns_steps=ns_steps, a=1.875, b=-1.25, c=0.375, scale="none", dual_norm=True)
    return chain(core, decay(weight_decay))
