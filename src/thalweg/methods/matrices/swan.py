"""SWAN: gradients that are normalized by row and whitened, without any memory."""

from thalweg.core.compose import choose, is_matrix
from thalweg.core.stage import chain
from thalweg.form.hyper import Count, Decay, Eps, NonNegative, Positive
from thalweg.methods.matrices.muon_kin import of_size
from thalweg.methods.moments.adam import adam
from thalweg.ops import orthogonal, outside, ratio, row_means, sqrt
from thalweg.rule import recipe, rule
from thalweg.stages.decay import decay


@recipe(lr=1e-3, search=(1e-5, 1e-1))
def swan(
    *, iterations: Count = 10, beta: Positive = 0.5, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Eps = outside(1e-8),
    weight_decay: NonNegative = 0.0,
):  # fmt: skip
    """SWAN (Ma, Gong, Scetbon & Meeds 2024, arXiv 2412.13148, algorithm 1): SGD with whitening and normalization.

    From sgd: the gradient of a matrix is normalized by row and whitened, and nothing is kept from step to step.
    Matrices of (outputs, inputs) have the step `whitened`, which keeps nothing; the rest has Adam.
    """
    return chain(choose((is_matrix, whitened(iterations, beta)), otherwise=adam(beta1, beta2, eps)), decay(weight_decay))


@rule
def whitened(g, *, iterations: Count = 10, beta: Positive = 0.5):
    """SWAN's direction (Ma, Gong, Scetbon & Meeds 2024, arXiv 2412.13148, algorithms 2 and 3), of the root mean square 1.

    Each row is taken less its mean and over its standard deviation, which gives G; the step is (G G^T)^(-1/2) G. The root is
    approached by the Newton-Schulz iteration Y <- beta Y (3 I - Z Y), Z <- beta (3 I - Z Y) Z, from Y = G G^T and Z = I, with
    G over its Frobenius norm; that is Muon's iteration with other coefficients. With beta = 1/2 it converges.
    """
    rest = g - row_means(g)
    G = ratio(rest, sqrt(row_means(rest * rest)))
    return of_size(orthogonal(G, iterations, 3 * beta, -beta, 0.0, outside(1e-30), "own"), 1.0)  # of rows of zeros, 0
