"""Ranger21: AdaPNM of clipped, centralized gradients, drawn to rows of norm 1, that looks ahead."""

from typing import Literal

from thalweg.core.compose import choose, is_matrix
from thalweg.core.stage import chain
from thalweg.form.hyper import Count, Decay, Eps, Fraction, NonNegative, Positive
from thalweg.methods.moments.adapnm import adapnm
from thalweg.ops import debias, mean, norm, outside, ratio, row_means, sizes, sqrt
from thalweg.rule import recipe, rule
from thalweg.stages.after import lookahead
from thalweg.stages.clip import agc
from thalweg.stages.project import centralize


@recipe(lr=1e-3, search=(1e-4, 1e0))
def ranger21(
    *, k: Count = 5, alpha: Fraction = 0.5, beta0: NonNegative = 0.9, beta1: Decay = 0.9, beta2: Decay = 0.999,
    eps: Eps = outside(1e-8), clipping: Positive = 0.01, weight_decay: NonNegative = 1e-4,
):  # fmt: skip
    """Ranger21 (Wright & Demeure 2021, arXiv 2106.13731): AdamW with eight additions, each of them a method of its own.

    From ranger and adapnm: AdaPNM in place of RAdam, of clipped and centralized gradients, with a decay to norm 1.
    As the authors' Flax code, without the softplus and the normalized gradients that came after the paper. The eighth is a
    schedule: `warm_up_stable_decay(1e-3, steps, warm=0.22, decay=0.28)`, which rises for 2 / (1 - beta2) steps at most.
    """
    clipped = choose((is_matrix, chain(agc(clipping), centralize())), otherwise=agc(clipping, unit="tensor"))
    core = beta0, beta1, beta2, eps, weight_decay
    walked = choose((is_matrix, adapnm_to_norm_one(*core)), otherwise=adapnm_to_norm_one(*core, "tensor"))
    return chain(clipped, walked.named("ranger21", None), lookahead(k, alpha))


@rule
def adapnm_to_norm_one(
    g, t, p, m=0.0, older=0.0, v=0.0, v_max=0.0, *, beta0: NonNegative = 0.9, beta1: Decay = 0.9, beta2: Decay = 0.999,
    eps: Eps = outside(1e-8), weight_decay: NonNegative = 1e-4, unit: Literal["row", "tensor"] = "row",
):  # fmt: skip
    """Ranger21's step (Wright & Demeure 2021, arXiv 2106.13731): AdaPNM's, with norm loss as a stable weight decay.

    The decay draws each row, or the tensor, to norm 1 (Georgiou et al. 2021, arXiv 2103.06583), and is divided by the root of
    v_hat's mean (Xie et al. 2020, arXiv 2011.11152). That mean is the tensor's, as in the authors' Flax code; in their torch
    code, and in the decay's own paper, it is the model's.
    """
    step, *memory = adapnm.function(g, t, m, older, v, v_max, beta0=beta0, beta1=beta1, beta2=beta2, eps=eps)
    size = sqrt(sizes(p)[1] * row_means(p * p)) if unit == "row" else norm(p)
    scale = sqrt(mean(debias(memory[-1], beta2, t)))
    return step + weight_decay * ratio(size - 1, scale * size) * p, *memory
