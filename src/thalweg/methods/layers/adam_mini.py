"""Adam-mini: Adam with one second moment for many numbers."""

from thalweg.core.compose import choose, is_matrix
from thalweg.core.stage import chain
from thalweg.form.hyper import Decay, Eps, NonNegative
from thalweg.form.memory import per_tensor, rows
from thalweg.ops import debias, mean, mix, outside, over_debiased_root, row_means
from thalweg.rule import recipe, rule
from thalweg.stages.decay import decay


@recipe(lr=1e-3, search=(1e-4, 1e0))
def adam_mini(
    *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Eps = outside(1e-8), weight_decay: NonNegative = 0.0, by_row: bool = True
):  # fmt: skip
    """Adam-mini (Zhang, Chen, Li, Ding, Wu, Kingma, Ye, Luo & Sun 2024, arXiv 2406.16793, algorithm 1): one rate for each block.

    From adam: one v for each row or tensor, the mean over it, in place of one for each coordinate.
    Rows are those of a matrix of (outputs, inputs), `adam_by_row`; other tensors, or with by_row=False all, as the authors' code
    outside of attention, have `adam_by_tensor`. Embeddings keep Adam: `choose((named("embed"), adamw()), otherwise=adam_mini())`.
    """
    one = adam_by_tensor(beta1, beta2, eps)
    return chain(choose((is_matrix, adam_by_row(beta1, beta2, eps)), otherwise=one) if by_row else one, decay(weight_decay))


@rule
def adam_by_row(g, t, m=0.0, v=rows, *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Eps = outside(1e-8)):
    """Adam-mini's step with a second moment for each row of a matrix (Zhang et al. 2024, arXiv 2406.16793, algorithm 1)."""
    m = mix(m, g, beta1)
    v = mix(v, row_means(g * g), beta2)
    return over_debiased_root(debias(m, beta1, t), v, beta2, t, eps), m, v


@rule
def adam_by_tensor(g, t, m=0.0, v=per_tensor, *, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Eps = outside(1e-8)):
    """Adam-mini's step with one second moment for a tensor (Zhang et al. 2024, arXiv 2406.16793, algorithm 1)."""
    m = mix(m, g, beta1)
    v = mix(v, mean(g * g), beta2)
    return over_debiased_root(debias(m, beta1, t), v, beta2, t, eps), m, v
