"""AccSGD: a short step and an average of long ones, joined."""

from thalweg.form.hyper import Positive
from thalweg.form.memory import like_p
from thalweg.rule import rule


@rule(lr=1e-2, search=(1e-4, 1e0), step=True)
def accsgd(g, p, lr, w=like_p, *, kappa: Positive = 1000.0, xi: Positive = 10.0, c: Positive = 0.7):
    """AccSGD (Kidambi, Netrapalli, Jain & Kakade 2018, arXiv 1803.05591, ASGD; Jain et al. 2018, arXiv 1704.08227).

    From nesterov: long and short steps are mixed by how far noise lets acceleration help.
    w averages the points of long steps, lr kappa / c, over some kappa / (c^2 xi) steps; the parameter is a weighted mean of w and
    of a short step. xi is the statistical advantage over SGD, at most the root of kappa. c is 0.7 in the paper.
    """
    beta = c * c * xi / kappa
    w = (1 - beta) * w + beta * (p - lr * kappa / c * g)
    return (c * lr * g + beta * (p - w)) / (c + beta), w
